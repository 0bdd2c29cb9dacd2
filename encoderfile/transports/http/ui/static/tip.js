// One line about what the pointer or the focus is on.

import { make } from "./dom.js";

const MARGIN = 8; // pixels to the window's edge

const bubble = make("div", { id: "tip", role: "tooltip", hidden: true });
document.body.append(bubble);

let shownFor; // the element

function place() {
  if (bubble.hidden) return;
  // A mark may run over several lines: the first of its boxes is where it begins.
  const box = shownFor.getClientRects()[0] ?? { left: 0, top: 0, bottom: 0 };
  const { width, height } = bubble.getBoundingClientRect();
  const left = Math.max(MARGIN, Math.min(box.left, document.documentElement.clientWidth - width - MARGIN));
  const above = box.top - height - 4;
  bubble.style.setProperty("left", `${left}px`);
  bubble.style.setProperty("top", `${above < 0 ? box.bottom + 4 : above}px`);
}

function show(element, text) {
  shownFor = element;
  bubble.textContent = text;
  bubble.hidden = false;
  place();
}

function hide() {
  bubble.hidden = true;
}

/** Shows `text` while the pointer or the focus is on `element`; Escape hides it. */
export function tip(element, text) {
  element.tabIndex = 0;
  element.setAttribute("aria-describedby", "tip");
  for (const event of ["pointerenter", "focus"]) element.addEventListener(event, () => show(element, text));
  for (const event of ["pointerleave", "blur"]) element.addEventListener(event, hide);
  return element;
}

document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
document.addEventListener("scroll", place, { passive: true, capture: true });
