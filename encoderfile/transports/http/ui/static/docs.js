// The API's documentation, made of openapi.json.

import { count, make } from "./dom.js";
import { askForKey, keyAccepted, watchKey } from "./key-form.js";
import "./links.js";
import { example, fields, resolved, type } from "./schema.js";
import { address, ask, key } from "./server.js";
import { quoted } from "./snippets.js";

const SHOWN = 50_000; // characters of an answer

const at = (id) => document.getElementById(id);

let api;

async function start() {
  try {
    api = (await ask("/openapi.json")).content;
  } catch (refusal) {
    if (refusal.status === 401) askForKey();
    else at("error").textContent = refusal.message;
    return;
  }
  keyAccepted();
  if (!api.paths["/metrics"]) document.querySelector('nav a[href="metrics"]').remove();
  document.title = `API of ${api.info.title} – encoderfile`;
  at("about").textContent = `${api.info.title} ${api.info.version}: ${api.info.description}`;
  const operations = Object.entries(api.paths).flatMap(([path, item]) => ["get", "post", "put", "delete"]
    .filter((method) => item[method])
    .map((method) => ({ path, method, shared: item.parameters ?? [], ...item[method] })));
  at("groups").replaceChildren(...api.tags.map(({ name }) => group(name, operations.filter((each) => each.tags[0] === name))));
  filter();
  open();
}

function group(name, operations) {
  return make("section", { class: "group" }, make("h2", {}, name), operations.map(operation));
}

function idOf({ method, path }) {
  return `${method}${path.replace(/[{}]/gu, "").replaceAll("/", "-")}`;
}

function operation(each) {
  const body = make("div", { class: "operation" });
  const able = Boolean(each.responses["200"]);
  const details = make("details", { id: idOf(each), "data-able": String(able), toggle: () => {
    if (details.open && !body.childElementCount) body.replaceChildren(...describe(each, able));
  } },
    make("summary", {},
      make("span", { class: `method ${each.method}` }, each.method.toUpperCase()), " ",
      make("code", {}, each.path), " ",
      make("span", { class: "quiet" }, each.summary)),
    body);
  details.dataset.words = `${each.method} ${each.path} ${each.summary} ${each.tags.join(" ")}`.toLowerCase();
  return details;
}

function schemaOf(content) {
  const [media, found] = Object.entries(content ?? {})[0] ?? [];
  return { media, schema: found?.schema };
}

function describe(each, able) {
  const parts = [make("p", {}, make("a", { href: `#${idOf(each)}` }, "Link to this route"))];
  if (each.tags.length > 1) parts.push(make("p", {}, `Answers in the form of ${each.tags.join(" or ")}, as the body asks.`));
  if (each.security?.length === 0) parts.push(make("p", {}, "Needs no key."));
  const request = schemaOf(each.requestBody?.content).schema;
  const path = [...each.shared, ...(each.parameters ?? [])];
  if (path.length) {
    parts.push(make("h3", {}, "In the path"), make("dl", { class: "fields" }, path.map((one) => make("div", {},
      make("dt", {}, make("code", {}, one.name)),
      make("dd", {}, type(one.schema, api), make("p", {}, one.description ?? ""))))));
  }
  if (request) {
    const name = type(request, api);
    parts.push(make("h3", {}, "Request"), make("p", { class: "quiet" }, name === "Request" ? "" : name), ...fields(request, api));
  }
  parts.push(make("h3", {}, "Answers"), make("dl", { class: "fields" }, Object.entries(each.responses).map(([status, told]) => answers(status, told))));
  if (able) parts.push(tryIt(each, request));
  return parts;
}

function answers(status, told) {
  const { media, schema } = schemaOf(told.content);
  const inside = schema ? fields(schema, api) : [];
  return make("div", {},
    make("dt", {}, make("code", {}, status)),
    make("dd", {},
      make("span", {}, told.description),
      schema && make("span", { class: "quiet" }, ` ${type(schema, api)} (${media})`),
      Object.keys(told.headers ?? {}).length > 0 && make("p", { class: "quiet" }, `Headers: ${Object.keys(told.headers).join(", ")}`),
      inside.length > 0 && make("details", {}, make("summary", {}, "Fields"), inside)));
}

/** A form that sends the request; its answer in whatever form it comes. */
function tryIt(each, request) {
  const model = resolved(each.shared.find((one) => one.name === "model")?.schema, api).enum?.[0];
  const path = each.path.replace("{model}", () => encodeURIComponent(model ?? api.info.title));
  const given = Object.values(each.requestBody?.content ?? {})[0]?.example;
  const start = request && JSON.stringify(given ?? example(request, api), null, 2);
  const body = request && make("textarea", { rows: "4", spellcheck: "false", "aria-label": `Body of ${each.path}` }, start);
  const shown = make("pre", { tabindex: "0", hidden: true });
  const status = make("p", { role: "status" });
  const curl = make("pre", { tabindex: "0", "aria-label": "The same with curl" });
  const write = () => {
    curl.textContent = [`curl ${quoted(address(path))}`, key.get() && `-H "Authorization: Bearer $API_KEY"`,
      request && "-H 'Content-Type: application/json'", request && `-d ${quoted(compact(body.value))}`].filter(Boolean).join(" \\\n  ");
  };
  body?.addEventListener("input", write);
  write();
  const send = async (event) => {
    event.preventDefault();
    status.textContent = "Running …";
    const headers = { Accept: "application/json, text/plain" };
    if (request) headers["Content-Type"] = "application/json";
    if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
    const began = performance.now();
    try {
      const response = await fetch(address(path), { method: each.method.toUpperCase(), headers, body: body?.value });
      const text = await response.text();
      const took = Math.round(performance.now() - began);
      status.textContent = `${response.status} ${response.statusText}, ${took} ms, ${count(text.length, "character")}`;
      shown.textContent = pretty(text);
      shown.hidden = false;
    } catch {
      status.textContent = "The server does not answer. Is it still running?";
    }
  };
  return make("form", { class: "try", submit: send },
    make("h3", {}, "Try it"), body, make("p", { class: "actions" }, make("button", { class: "main" }, "Send")), status, shown, curl);
}

function compact(text) {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

function pretty(text) {
  let found = text;
  try {
    if (text.length < 4 * SHOWN) found = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // not JSON
  }
  return found.length > SHOWN ? `${found.slice(0, SHOWN)}\n… and ${found.length - SHOWN} more characters` : found;
}

function filter() {
  const words = at("search").value.toLowerCase().split(/\s+/u).filter(Boolean);
  let found = 0;
  for (const section of document.querySelectorAll(".group")) {
    let some = 0;
    for (const details of section.querySelectorAll(":scope > details")) {
      const fits = words.every((word) => details.dataset.words.includes(word))
        && (!at("able").checked || details.dataset.able === "true");
      details.hidden = !fits;
      some += fits;
    }
    section.hidden = !some;
    found += some;
  }
  at("found").textContent = count(found, "route");
}

/** Opens the route that the address names. */
function open() {
  const details = location.hash && document.getElementById(location.hash.slice(1));
  if (!(details instanceof HTMLDetailsElement)) return;
  if (details.dataset.able === "false") {
    at("able").checked = false;
    filter();
  }
  details.hidden = false;
  details.open = true;
  details.scrollIntoView();
  details.querySelector("summary").focus();
}

at("search").addEventListener("input", filter);
at("able").addEventListener("input", filter);
addEventListener("hashchange", open);
watchKey(start);
start();
