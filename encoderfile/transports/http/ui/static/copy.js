// What a person copies.

import { make } from "./dom.js";

/** A button that copies a text, as `text` gives it then, and says that it did. */
export function copyButton(text, name = "Copy") {
  const told = make("span", { role: "status" });
  const button = make("button", { type: "button", click: async () => {
    told.textContent = await copied(text(), button);
  } }, name);
  return [button, " ", told];
}

/** Copies a text; says what became of it. The focus is at `button` then. */
export async function copied(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied.";
  } catch {
    return copySelected(text, button) ? "Copied." : "The browser does not let this page copy.";
  }
}

/** Without TLS a browser gives pages no clipboard, but on loopback: what is selected can be copied nevertheless. */
function copySelected(text, button) {
  const field = make("textarea", { class: "hidden", "aria-hidden": "true" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  button.focus();
  return done;
}
