// A form that sends a request of the documentation; its answer in whatever form it comes.

import { copyButton } from "./copy.js";
import { count, make } from "./dom.js";
import { laidOut, packed } from "./json.js";
import { address, key } from "./server.js";
import { quoted } from "./snippets.js";

const SHOWN = 50_000; // characters of an answer
const LAID_OUT = 1_000_000; // characters up to which it is put on lines: more takes longer than a person waits

/** The form for a method and a path; `start` is the body to begin with, undefined for a request without one. */
export function tryIt({ method, path, start, id }) {
  const name = `${method.toUpperCase()} ${path}`;
  const hasBody = start !== undefined;
  const body = hasBody && make("textarea", { id: `body-${id}`, rows: "4", spellcheck: "false" }, start);
  const status = make("p", { role: "status" });
  const headers = make("dl", { class: "fields" });
  const told = make("details", { hidden: true }, make("summary", {}, "Headers of the answer"), headers);
  const curl = make("pre", { tabindex: "0", role: "group", "aria-label": `curl for ${name}` });
  const shown = make("pre", { tabindex: "0", role: "group", "aria-label": `Answer of ${name}`, hidden: true });
  let whole = "";
  const copyAnswer = make("p", { class: "actions", hidden: true }, copyButton(() => whole, "Copy the answer"));
  const send = make("button", { class: "main" }, "Send");
  const cancel = make("button", { type: "button", hidden: true, click: () => running?.abort() }, "Cancel");
  let running; // what ends the request in flight

  const write = () => {
    curl.textContent = [
      `curl ${quoted(address(path))}`,
      key.get() && `-H "Authorization: Bearer $API_KEY"`,
      hasBody && "-H 'Content-Type: application/json'",
      hasBody && `-d ${quoted(packed(body.value))}`,
    ].filter(Boolean).join(" \\\n  ");
  };

  const show = (response, text, took) => {
    whole = text;
    const laid = text.length > LAID_OUT ? text : laidOut(text);
    const rest = laid.length - SHOWN;
    status.textContent = `${[response.status, response.statusText].join(" ").trim()}, ${took} ms, ${count(text.length, "character")}`;
    shown.textContent = rest > 0 ? `${laid.slice(0, SHOWN)}\n… and ${count(rest, "more character")}, which are copied too` : laid;
    headers.replaceChildren(...[...response.headers].map(([header, value]) => make("div", {},
      make("dt", {}, make("code", {}, header)), make("dd", {}, value))));
  };

  const run = async () => {
    running?.abort();
    const control = new AbortController();
    running = control;
    status.textContent = "Running …";
    cancel.hidden = false;
    let done = false;
    const began = performance.now();
    try {
      const response = await fetch(address(path), {
        method: method.toUpperCase(),
        headers: {
          Accept: "application/json, text/plain, */*;q=0.5",
          ...(hasBody && { "Content-Type": "application/json" }),
          ...(key.get() && { Authorization: `Bearer ${key.get()}` }),
        },
        body: hasBody ? body.value : undefined,
        signal: control.signal,
      });
      const text = await response.text();
      if (running !== control) return;
      show(response, text, Math.round(performance.now() - began));
      done = true;
    } catch (problem) {
      if (running !== control) return;
      status.textContent = problem.name === "AbortError" ? "Cancelled." : "The server does not answer. Is it still running?";
    }
    running = null;
    for (const each of [shown, told, copyAnswer]) each.hidden = !done;
    if (document.activeElement === cancel) send.focus();
    cancel.hidden = true;
  };

  const submit = (event) => {
    event.preventDefault();
    run();
  };
  const keydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  };
  if (hasBody) body.addEventListener("input", write);
  write();
  return make("form", { class: "try", "aria-label": `Try ${name}`, submit, keydown },
    make("h3", {}, "Try it"),
    hasBody && make("label", { for: `body-${id}` }, "Body"),
    body,
    make("p", { class: "actions" }, send, cancel, hasBody && make("small", {}, "Ctrl + Enter")),
    status, shown, copyAnswer, told,
    make("h4", {}, "The same with curl"), curl, make("p", { class: "actions" }, copyButton(() => curl.textContent)));
}
