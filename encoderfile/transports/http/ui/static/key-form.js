// The form that asks for the key, on both pages.

import { key } from "./server.js";

const at = (id) => document.getElementById(id);

/** Shows the form in the place of the page, and forgets a key that was not accepted. */
export function askForKey() {
  at("key-error").textContent = key.get() ? "This key was not accepted." : "";
  key.forget();
  at("main").hidden = true;
  at("forget").hidden = true;
  at("ask-key").hidden = false;
  at("key").value = "";
  at("key").focus();
}

/** Hides it again. */
export function keyAccepted() {
  at("ask-key").hidden = true;
  at("main").hidden = false;
  at("forget").hidden = !key.get();
}

/** Calls `start` whenever a person gives a key. */
export function watchKey(start) {
  at("ask-key").addEventListener("submit", (event) => {
    event.preventDefault();
    key.set(at("key").value.trim());
    start();
  });
  at("forget").addEventListener("click", () => {
    key.forget();
    askForKey();
  });
}
