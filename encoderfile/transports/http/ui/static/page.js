// The page: what the model is, a request to fill in, its answer, and the same request for other programs.

import { copied } from "./copy.js";
import { count, make, number } from "./dom.js";
import { Labels, One, Option, Texts } from "./form.js";
import "./links.js";
import { modesOf } from "./modes.js";
import { askForKey, open, told } from "./opening.js";
import { ask, phases } from "./server.js";
import { snippets } from "./snippets.js";
import { facts, purpose } from "./view-model.js";
import { tokensOf } from "./view-tokens.js";

const JSON_SHOWN = 100_000; // characters
const SNIPPET_SHOWN = 20_000;

const at = (id) => document.getElementById(id);

let model;
let form; // the fields of the mode at hand
let filled; // what the example at hand has put into the form
let running; // what ends the request in flight

function show(found) {
  model = found;
  at("name").textContent = model.model_id;
  at("summary").textContent = purpose(model);
  document.title = `${model.model_id} – encoderfile`;
  at("facts").replaceChildren(facts(model));
  at("footer").textContent = `encoderfile ${model.encoderfile}`;
  if (!model.ways_in.metrics) document.querySelector('nav a[href="metrics"]')?.remove();
  const modes = modesOf(model);
  at("modes").hidden = modes.length < 2;
  at("modes").querySelector(".choices").replaceChildren(...modes.map((mode, index) => make("label", {},
    make("input", { type: "radio", name: "mode", value: mode.id, checked: index === 0, change: () => choose(mode) }),
    make("span", {}, mode.title))));
  choose(modes[0]);
}

/** Shows the fields of a mode, filled in with its first example, or with what a person has typed. */
function choose(mode) {
  running?.abort();
  const typed = form && JSON.stringify(contents()) !== filled && contents();
  let waiting = false;
  const changed = () => {
    if (waiting || !form) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      showSnippet();
    });
  };
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
  const own = model.examples.filter((each) => fits(mode, each)); // of the model's card
  const examples = own.length ? own : mode.examples;
  at("examples").hidden = examples.length < 2;
  at("examples").replaceChildren(...(examples.length < 2 ? [] : [make("fieldset", { class: "examples" },
    make("legend", {}, "Examples"),
    examples.map((each, index) => make("button", { type: "button", class: "quiet", click: () => fill(each) },
      each.title ?? `Example ${index + 1}`)))]));
  form = fields;
  fill(examples[0]);
  if (typed) put(mode.texts.pairs ? typed : { ...typed, texts: typed.texts.map((each) => each.text ?? each) });
  clear("Nothing has been asked yet.");
}

/** Whether an example has what a mode asks for. */
function fits(mode, example) {
  return Boolean(example.texts?.length) && Boolean(mode.query) === Boolean(example.query);
}

function fill(example) {
  put({ labels: model.example.labels, ...example });
  filled = JSON.stringify(contents());
}

function put({ query, labels, texts }) {
  if (form.query && query !== undefined) form.query.value = query;
  if (form.labels && labels) form.labels.values = labels;
  if (texts.length) form.texts.values = texts;
  showSnippet();
}

function contents() {
  return { query: form.query?.value, labels: form.labels?.values, texts: form.texts.values };
}

/** What is filled in, and the request that it makes. */
function filledIn() {
  const options = {};
  for (const each of form.options) if (each.value !== undefined) options[each.name] = each.value;
  const given = { ...contents(), options };
  return { given, request: form.mode.request(given) };
}

function clear(status) {
  at("status").textContent = status;
  at("error").textContent = "";
  at("results").replaceChildren();
  for (const id of ["timing", "tokens", "json"]) at(id).hidden = true;
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
    const shown = await viewOf(answer.content, { ...given, model, signal: control.signal });
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
    else if (refusal.name !== "AbortError") at("error").textContent = told(refusal);
  } finally {
    if (running === control) {
      running = null;
      at("cancel").hidden = true;
      at("answer").removeAttribute("aria-busy");
    }
  }
}

/** The answer as the mode shows it. */
async function viewOf(content, asked) {
  try {
    return await form.mode.view(content, asked);
  } catch (problem) {
    if (problem.name === "AbortError" || problem.status !== undefined) throw problem;
    console.error(problem);
    at("json").open = true;
    return [make("p", {}, "There is no view for this answer: here it is as JSON.")];
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
  ].filter(([, value]) => value !== undefined).map(([name, value]) => [name, `${value.toFixed(1)} ms`, value]);
  if (truncated) rows.push(["Truncated", count(truncated, "text"), null]);
  at("timing").replaceChildren(...rows.map(([name, shown, value]) => make("div", {},
    make("dt", {}, name),
    make("dd", {}, shown),
    value !== null && make("dd", { class: "bar", "aria-hidden": "true", "--share": String(value / answer.milliseconds) }))));
  at("timing").hidden = false;
}

/** Asks the tokenizer once a person opens the view. */
function showTokens(given, signal) {
  const details = at("tokens");
  const place = make("div");
  details.querySelector("div").replaceWith(place); // an answer that comes late has no place any more
  details.hidden = false;
  details.ontoggle = async () => {
    if (!details.open || place.childElementCount) return;
    const texts = given.query ? [given.query, ...given.texts] : given.texts;
    place.replaceChildren(make("p", { class: "quiet" }, "Asking the tokenizer …"));
    try {
      place.replaceChildren(...await tokensOf(texts, given.options, { model, signal }));
    } catch (refusal) {
      if (refusal.name !== "AbortError") place.replaceChildren(make("p", { class: "error" }, refusal.message));
    }
  };
  details.ontoggle();
}

function showJson(answer) {
  const details = at("json");
  const place = details.querySelector("pre");
  place.textContent = "";
  details.hidden = false;
  details.ontoggle = () => {
    if (!details.open || place.textContent) return;
    const text = JSON.stringify(answer.content, null, 2);
    const rest = text.length - JSON_SHOWN;
    place.textContent = rest > 0 ? `${text.slice(0, JSON_SHOWN)}\n… and ${number(rest)} more characters` : text;
  };
  details.ontoggle();
}

let language = "curl";

const snippet = () => snippets[language](filledIn().request, model);

function showSnippet() {
  const text = snippet();
  const rest = text.length - SNIPPET_SHOWN;
  at("copied").textContent = "";
  at("snippet").querySelector("pre").textContent =
    rest > 0 ? `${text.slice(0, SNIPPET_SHOWN)}\n… and ${number(rest)} more characters, which are copied too` : text;
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
  at("copied").textContent = await copied(snippet(), at("copy"));
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
makeTabs();
open("/ui/model", show);
