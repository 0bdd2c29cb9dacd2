// What this model is.

import { count, make } from "./dom.js";

const PURPOSES = {
  embedding: "Turns each token of a text into a vector",
  sentence_embedding: "Turns texts into vectors, to compare and to search",
  sequence_classification: "Sorts texts into classes",
  token_classification: "Finds names and other entities in texts",
  zero_shot_classification: "Sorts texts by labels that you choose",
  zero_shot_token_classification: "Finds what you name in texts",
};

/** What this model is for, in a few words. */
export function purpose(model) {
  const reranks = model.abilities.includes("score") && !model.abilities.includes("dense");
  return reranks ? "Scores documents for a query" : PURPOSES[model.model_type] ?? model.summary;
}

const MANY = 12;

function names(list, what) {
  const items = (some) => make("ul", { class: "names" }, some.map((each) => make("li", {}, each)));
  if (list.length <= MANY) return items(list);
  const found = items(list);
  const search = make("input", { type: "search", placeholder: "Search", "aria-label": `Search ${what}`, input: () => {
    const wanted = search.value.toLowerCase();
    for (const item of found.children) item.hidden = !item.textContent.toLowerCase().includes(wanted);
  } });
  return make("details", {}, make("summary", {}, count(list.length, what)), search, found);
}

/** The facts of the model, as a list of terms. */
export function facts(model) {
  const dims = Object.entries(model.dims).map(([kind, size]) => `${kind} ${size}`);
  const rows = [
    ["Type", model.model_type],
    ["Version", model.version],
    ["A text", `at most ${count(model.max_length, "token")}`],
    ["A request", `at most ${count(model.max_inputs, "text")}`],
    dims.length && ["Dimensions", dims.join(", ")],
    model.labels && ["Labels", names(model.labels, "label")],
    model.prompts.length && ["Prompts", names(model.prompts, "prompt")],
    model.license && ["License", model.license],
    model.languages.length && ["Languages", model.languages.join(", ")],
    ["Device", model.device],
  ].filter(Boolean);
  return make("dl", { class: "facts" }, rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}
