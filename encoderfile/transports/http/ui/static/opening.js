// What both pages do before they can show anything: they ask the server, for the key where it needs one, and say what
// is wrong where it does not answer.

import { make } from "./dom.js";
import { ask, key } from "./server.js";

const main = document.getElementById("main");
const forget = document.getElementById("forget");

const wrongKey = make("p", { class: "error", id: "key-error", role: "alert" });
const field = make("input", { type: "password", id: "key", autocomplete: "off", required: true });
const asking = make("form", { id: "ask-key", class: "card stack", hidden: true },
  make("h2", {}, "A key is needed"),
  make("p", {}, "This server answers only with its API key. The key stays in this tab and is gone with it."),
  wrongKey,
  make("div", { class: "field" }, make("label", { for: "key" }, "API key"), field),
  make("p", {}, make("button", { class: "main" }, "Use the key")));

const reason = make("p", { class: "error", role: "alert" });
const again = make("button", { type: "button", class: "main", id: "again" }, "Try again");
const trouble = make("div", { id: "trouble", class: "card stack", hidden: true }, reason, make("p", {}, again));

main.before(asking, trouble);

/** Shows the form in the place of the page, and forgets a key that was not accepted. */
export function askForKey() {
  wrongKey.textContent = key.get() ? "This key was not accepted." : "";
  key.forget();
  main.hidden = true;
  forget.hidden = true;
  asking.hidden = false;
  field.value = "";
  field.focus();
}

/** What a refusal says, and for how long it holds where that is known. */
export function told(refusal) {
  const waits = [429, 503].includes(refusal.status) && !/try again/u.test(refusal.message);
  return waits ? `${refusal.message} – try again in a moment` : refusal.message;
}

/** Shows the page with what `path` answers; `show` is also told whether a person has just given the key. */
export function open(path, show) {
  const start = async () => {
    trouble.hidden = true;
    let content;
    try {
      ({ content } = await ask(path));
    } catch (refusal) {
      if (refusal.status === 401) askForKey();
      else {
        reason.textContent = told(refusal);
        trouble.hidden = false;
      }
      return;
    }
    const wasAsked = !asking.hidden;
    asking.hidden = true;
    main.hidden = false;
    forget.hidden = !key.get();
    show(content, wasAsked);
  };
  asking.addEventListener("submit", (event) => {
    event.preventDefault();
    key.set(field.value.trim());
    start();
  });
  again.addEventListener("click", start);
  forget.addEventListener("click", () => {
    key.forget();
    askForKey();
  });
  start();
}
