// What this model is.

import { count, make } from "./dom.js";

const TYPES = {
  embedding: "token embeddings",
  sentence_embedding: "embeddings of texts",
  sequence_classification: "classification of texts",
  token_classification: "labels of tokens, entities",
  zero_shot_classification: "classification by your own labels",
  zero_shot_token_classification: "entities that you name",
};
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
    ["Type", `${model.model_type}${TYPES[model.model_type] ? ` (${TYPES[model.model_type]})` : ""}`],
    ["Version", model.version],
    ["Reads", `at most ${count(model.max_length, "token")} of a text, ${count(model.max_inputs, "text")} of a request`],
    dims.length && ["Vectors", dims.join(", ")],
    model.abilities.length && ["Abilities", model.abilities.join(", ")],
    model.labels && ["Labels", names(model.labels, "label")],
    model.prompts.length && ["Prompts", names(model.prompts, "prompt")],
    model.license && ["License", model.license],
    model.languages.length && ["Languages", model.languages.join(", ")],
    ["Runs on", model.device],
  ].filter(Boolean);
  return make("dl", { class: "facts" }, rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}
