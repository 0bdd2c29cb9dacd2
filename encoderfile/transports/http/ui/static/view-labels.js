// Labels as bars: of classifiers, and of models whose labels the request names.

import { heading, make, number, sections } from "./dom.js";

const SHOWN = 10;

/** Bars, the longest first; the rest on request. Scores are shares of 1, or of the largest if that is more. */
export function bars(entries, title) {
  const sorted = [...entries].sort((one, other) => other.score - one.score);
  const largest = sorted.reduce((most, { score }) => Math.max(most, Math.abs(score)), 1);
  const bar = ({ label, score }) => make("li", {},
    make("span", { class: "name", dir: "auto" }, label),
    make("span", { class: "bar", "aria-hidden": "true", "--share": String(Math.max(0, score) / largest) }),
    make("span", { class: "number" }, number(score)));
  const list = make("ul", { class: "bars", "aria-label": title }, sorted.slice(0, SHOWN).map(bar));
  if (sorted.length <= SHOWN) return list;
  const toggle = make("button", { type: "button", class: "quiet", "aria-expanded": "false", click: () => {
    const open = toggle.getAttribute("aria-expanded") === "false";
    list.replaceChildren(...sorted.slice(0, open ? sorted.length : SHOWN).map(bar));
    toggle.setAttribute("aria-expanded", String(open));
    toggle.textContent = open ? "Show fewer" : more;
  } });
  const more = `Show all ${sorted.length}`;
  toggle.textContent = more;
  return make("div", {}, list, toggle);
}

function pairText(input) {
  return typeof input === "string" ? input : `${input.text} — ${input.text_pair}`;
}

function result(input, entries, decided) {
  return make("section", { class: "result" },
    heading(pairText(input)),
    decided && make("p", { class: "decided" }, decided),
    entries.length ? bars(entries, "Scores") : make("p", {}, "No label is above the threshold."));
}

/** Answers of a classifier with labels of its own. */
export function labels(answer, { texts, model }) {
  return sections(texts, (text, index) => {
    const { scores, predicted_label: decided } = answer.results[index];
    const entries = scores.map((score, place) => ({ label: model.labels[place] ?? `label ${place}`, score }));
    return result(text, entries, entries.length > 1 && decided);
  });
}

/** Answers of a model that scores the labels of the request. */
export function scoredLabels(answer, { texts }) {
  return sections(texts, (text, index) => result(text, answer.results[index].classifications));
}
