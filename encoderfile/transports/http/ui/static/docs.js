// The API's documentation, made of openapi.json.

import { count, make } from "./dom.js";
import "./links.js";
import { open } from "./opening.js";
import { example, fieldNames, fields, prose, resolved, type } from "./schema.js";
import { key } from "./server.js";
import { tryIt } from "./try.js";

const METHODS = ["post", "get", "put", "delete"]; // what a client is written for comes first

const at = (id) => document.getElementById(id);

let api;

function show(found, wasAsked) {
  api = found;
  if (!api.paths["/metrics"]) document.querySelector('nav a[href="metrics"]')?.remove();
  document.title = `API of ${api.info.title} – encoderfile`;
  at("about").replaceChildren(...prose(`${api.info.title} ${api.info.version}: ${api.info.description}`),
    ...(key.get() ? prose(" Requests have the header `Authorization: Bearer KEY`.") : []));
  const operations = METHODS.flatMap((method) => Object.entries(api.paths)
    .filter(([, item]) => item[method])
    .map(([path, item]) => ({ path, method, shared: item.parameters ?? [], ...item[method] })));
  at("groups").replaceChildren(...api.tags.map(({ name }) => group(name, operations.filter((each) => each.tags[0] === name))));
  filter();
  if (wasAsked) at("search").focus();
  openRoute();
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
  const { schema } = schemaOf(each.requestBody?.content);
  const names = schema ? fieldNames(schema, api) : [];
  details.dataset.words = [each.method, each.path, each.summary, ...each.tags, ...names].join(" ").toLowerCase();
  return details;
}

function schemaOf(content) {
  const media = Object.keys(content ?? {});
  return { media: media.join(" or "), schema: content?.[media[0]]?.schema };
}

function describe(each, able) {
  const request = schemaOf(each.requestBody?.content).schema;
  return [
    make("div", { class: "told" }, aboutOf(each), parametersOf(each), request && requestOf(request)),
    able && tryIt(toTry(each, request)),
    make("div", { class: "answers" }, make("h3", {}, "Answers"), answersOf(each.responses)),
  ].filter(Boolean);
}

function aboutOf(each) {
  return [
    make("p", {}, make("a", { href: `#${idOf(each)}` }, "Link to this route")),
    each.tags.length > 1 && make("p", {}, `Answers in the form of ${each.tags.join(" or ")}, as the body asks.`),
    each.security?.length === 0 && make("p", {}, "Needs no key."),
  ];
}

function parametersOf({ shared, parameters = [] }) {
  const all = [...shared, ...parameters];
  if (!all.length) return [];
  return [make("h3", {}, "In the path"), make("dl", { class: "fields" }, all.map((one) => make("div", {},
    make("dt", {}, make("code", {}, one.name)),
    make("dd", {}, type(one.schema, api), make("p", {}, prose(one.description ?? ""))))))];
}

function requestOf(schema) {
  const name = type(schema, api);
  return [make("h3", {}, "Request"), name !== "Request" && make("p", { class: "quiet" }, name), ...fields(schema, api)];
}

/** The statuses of an operation; those with the same answer have its fields together. */
function answersOf(responses) {
  const groups = Object.groupBy(Object.entries(responses), ([, told]) => JSON.stringify(told.content ?? {}));
  return Object.values(groups).map((statuses) => {
    const { media, schema } = schemaOf(statuses[0][1].content);
    const inside = schema ? fields(schema, api) : [];
    const what = schema && `${type(schema, api)} (${media})`;
    return make("div", { class: "answer" },
      make("dl", { class: "fields" }, statuses.map(([status, told]) => make("div", {},
        make("dt", {}, make("code", {}, status)),
        make("dd", {},
          told.description,
          Object.keys(told.headers ?? {}).length > 0 && make("p", { class: "quiet" }, `Headers: ${Object.keys(told.headers).join(", ")}`))))),
      inside.length
        ? make("details", { open: statuses[0][0] === "200" }, make("summary", {}, what), inside)
        : schema && make("p", { class: "quiet" }, what));
  });
}

function toTry(each, request) {
  const model = resolved(each.shared.find((one) => one.name === "model")?.schema, api).enum?.[0];
  const given = Object.values(each.requestBody?.content ?? {})[0]?.example;
  return {
    method: each.method,
    path: each.path.replace("{model}", () => encodeURIComponent(model ?? api.info.title)),
    start: request && JSON.stringify(given ?? example(request, api), null, 2),
    id: idOf(each),
  };
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

/** Opens the route that the address names, whatever is searched for. */
function openRoute() {
  const details = location.hash && document.getElementById(location.hash.slice(1));
  if (!(details instanceof HTMLDetailsElement)) return;
  if (details.hidden) {
    at("search").value = "";
    if (details.dataset.able === "false") at("able").checked = false;
    filter();
  }
  details.open = true;
  details.scrollIntoView();
  details.querySelector("summary").focus();
}

at("search").addEventListener("input", filter);
at("able").addEventListener("input", filter);
addEventListener("hashchange", openRoute);
open("/openapi.json", show);
