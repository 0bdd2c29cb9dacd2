// Light or dark: as the system has it, until a person says otherwise.

import { storage } from "./store.js";

const STORE = "encoderfile.theme";
const THEMES = ["auto", "light", "dark"];

const kept = storage("localStorage");
const root = document.documentElement;
const button = document.getElementById("theme");

function use(theme) {
  root.dataset.theme = theme;
  if (button) button.textContent = `Theme: ${theme}`;
}

function stored() {
  const found = kept.getItem(STORE);
  return THEMES.includes(found) ? found : "auto";
}

use(stored());
button?.addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
  kept.setItem(STORE, next);
  use(next);
});
