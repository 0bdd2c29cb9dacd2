// The page: what the model is, a request to fill in, its answer, and the same request for other programs.

import { count, make, number } from "./dom.js";
import { Labels, One, Option, Texts } from "./form.js";
import { askForKey, keyAccepted, watchKey } from "./key-form.js";
import { modesOf } from "./modes.js";
import { ask, phases } from "./server.js";
import { snippets } from "./snippets.js";
import { facts } from "./view-model.js";
import { tokensOf } from "./view-tokens.js";

const JSON_SHOWN = 100_000; // characters

const at = (id) => document.getElementById(id);

let model;
let form; // the fields of the mode at hand
let running; // what ends the request in flight

async function start() {
  try {
    model = (await ask("/ui/model")).content;
  } catch (refusal) {
    if (refusal.status === 401) askForKey();
    else showError(refusal, at("footer"));
    return;
  }
  keyAccepted();
  at("name").textContent = model.model_id;
  document.title = `${model.model_id} – encoderfile`;
  at("facts").replaceChildren(facts(model));
  at("footer").textContent = `encoderfile ${model.encoderfile}`;
  const modes = modesOf(model);
  at("modes").hidden = modes.length < 2;
  at("modes").querySelector(".choices").replaceChildren(...modes.map((mode, index) => make("label", {},
    make("input", { type: "radio", name: "mode", value: mode.id, checked: index === 0, change: () => choose(mode) }),
    make("span", {}, mode.title))));
  choose(modes[0]);
}

/** Shows the fields of a mode, filled in with its first example. */
function choose(mode) {
  running?.abort();
  const changed = () => form && showSnippet();
  const options = Object.entries(mode.options ?? {}).map(
    ([name, schema]) => new Option(name, schema, { changed, value: mode.defaults?.[name] }));
  form = null;
  const fields = {
    mode,
    query: mode.query && new One(mode.query.title, { changed }),
    labels: mode.labels && new Labels({ changed }),
    texts: new Texts(mode.texts.title, { pairs: mode.texts.pairs, changed }),
    options,
  };
  at("fields").replaceChildren(...[fields.query, fields.labels, fields.texts].filter(Boolean).map((each) => each.element));
  at("options").hidden = !options.length;
  at("options").querySelector("div").replaceChildren(...options.map((each) => each.element));
  const examples = [...(model.examples ?? []), ...mode.examples].filter((each) => fits(mode, each));
  at("examples").replaceChildren(...(examples.length < 2 ? [] : [make("fieldset", { class: "examples" },
    make("legend", {}, "Examples"),
    examples.map((each, index) => make("button", { type: "button", class: "quiet", click: () => fill(each) },
      each.title ?? `Example ${index + 1}`)))]));
  form = fields;
  fill(examples[0]);
  clear("Nothing has been asked yet.");
}

/** Whether an example has what a mode asks for. */
function fits(mode, example) {
  return Boolean(example.texts?.length) && Boolean(mode.query) === Boolean(example.query);
}

function fill(example) {
  if (form.query) form.query.value = example.query;
  if (form.labels) form.labels.values = example.labels ?? model.example.labels;
  form.texts.values = example.texts;
  showSnippet();
}

/** What is filled in, and the request that it makes. */
function filledIn() {
  const options = {};
  for (const each of form.options) if (each.value !== undefined) options[each.name] = each.value;
  const given = { query: form.query?.value, labels: form.labels?.values, texts: form.texts.values, options };
  return { given, request: form.mode.request(given) };
}

function clear(status) {
  at("status").textContent = status;
  at("error").textContent = "";
  at("results").replaceChildren();
  for (const id of ["timing", "tokens", "json"]) at(id).hidden = true;
  at("tokens").open = false;
}

function showError(refusal, place = at("error")) {
  const waits = refusal.status === 429 || (refusal.status === 503 && !/try again/u.test(refusal.message));
  place.textContent = waits ? `${refusal.message} – try again in a moment` : refusal.message;
}

async function run() {
  running?.abort();
  const { given, request } = filledIn();
  if (!given.texts.length) {
    clear("");
    at("error").textContent = "Type a text first.";
    at("fields").querySelector(".texts textarea").focus();
    return;
  }
  const control = new AbortController();
  running = control;
  clear("Running …");
  at("cancel").hidden = false;
  at("answer").setAttribute("aria-busy", "true");
  try {
    const answer = await ask(request.path, { body: request.body, signal: control.signal });
    const shown = await form.mode.view(answer.content, { texts: given.texts, model, signal: control.signal });
    if (running !== control) return;
    at("results").replaceChildren(...shown);
    at("status").textContent = `${count(given.texts.length, "text")}, ${Math.round(answer.milliseconds)} ms`;
    showTiming(answer);
    showTokens(given, control.signal);
    showJson(answer);
  } catch (refusal) {
    if (running !== control) return;
    clear(refusal.name === "AbortError" ? "Cancelled." : "");
    if (refusal.status === 401) askForKey();
    else if (refusal.name !== "AbortError") showError(refusal);
  } finally {
    if (running === control) {
      running = null;
      at("cancel").hidden = true;
      at("answer").removeAttribute("aria-busy");
    }
  }
}

function showTiming(answer) {
  const found = phases(answer.headers);
  const truncated = Number(answer.headers.get("X-Truncated-Inputs") ?? 0);
  const rows = [
    ["Tokenization", found.tokenize],
    ["Queue", found.queue],
    ["Model", found.inference],
    ["Server", found.total],
    ["Round trip", answer.milliseconds],
  ].filter(([, value]) => value !== undefined).map(([name, value]) => [name, `${value.toFixed(1)} ms`]);
  if (truncated) rows.push(["Truncated", count(truncated, "text")]);
  at("timing").replaceChildren(...rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  at("timing").hidden = false;
}

/** Asks the tokenizer once a person opens the view. */
function showTokens(given, signal) {
  const details = at("tokens");
  const place = details.querySelector("div");
  place.replaceChildren();
  details.hidden = false;
  details.ontoggle = async () => {
    if (!details.open || place.childElementCount) return;
    const texts = given.query ? [given.query, ...given.texts] : given.texts;
    try {
      place.replaceChildren(...await tokensOf(texts, given.options, { model, signal }));
    } catch (refusal) {
      if (refusal.name !== "AbortError") place.replaceChildren(make("p", { class: "error" }, refusal.message));
    }
  };
}

function showJson(answer) {
  const details = at("json");
  const place = details.querySelector("pre");
  place.textContent = "";
  details.open = false;
  details.hidden = false;
  details.ontoggle = () => {
    if (!details.open || place.textContent) return;
    const text = JSON.stringify(answer.content, null, 2);
    const rest = text.length - JSON_SHOWN;
    place.textContent = rest > 0 ? `${text.slice(0, JSON_SHOWN)}\n… and ${number(rest)} more characters` : text;
  };
}

let language = "curl";

function showSnippet() {
  at("copied").textContent = "";
  at("snippet").querySelector("pre").textContent = snippets[language](filledIn().request, model);
}

function makeTabs() {
  const list = document.querySelector("[role=tablist]");
  const tabs = Object.keys(snippets).map((name) => make("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "snippet", click: () => select(name),
  }, name));
  const select = (name) => {
    language = name;
    for (const tab of tabs) {
      const chosen = tab.textContent === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen) at("snippet").setAttribute("aria-labelledby", tab.id);
    }
    if (form) showSnippet();
  };
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const names = Object.keys(snippets);
    const next = (names.indexOf(language) + step + names.length) % names.length;
    select(names[next]);
    tabs[next].focus();
  });
  list.replaceChildren(...tabs);
  select(language);
}

async function copy() {
  try {
    await navigator.clipboard.writeText(at("snippet").textContent.trim());
    at("copied").textContent = "Copied.";
  } catch {
    // Without TLS a browser gives pages no clipboard, but on loopback.
    getSelection().selectAllChildren(at("snippet").querySelector("pre"));
    at("copied").textContent = "Selected: copy it with Ctrl + C.";
  }
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
at("form").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});
at("cancel").addEventListener("click", () => running?.abort());
at("copy").addEventListener("click", copy);
watchKey(start);
makeTabs();
start();
