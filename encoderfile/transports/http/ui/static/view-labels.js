// Labels as bars: of classifiers, and of models whose labels the request names.

import { make, number, short } from "./dom.js";

const SHOWN = 10;

/** Bars, the longest first; the rest on request. `shares` are between 0 and 1, or any numbers beside `of` 1. */
export function bars(entries, title) {
  const sorted = [...entries].sort((one, other) => other.score - one.score);
  const largest = Math.max(1, ...sorted.map(({ score }) => Math.abs(score)));
  const bar = ({ label, score }) => make("li", {},
    make("span", { class: "name" }, label),
    make("span", { class: "bar", "aria-hidden": "true", "--share": String(Math.max(0, score) / largest) }),
    make("span", { class: "number" }, number(score)));
  const list = make("ul", { class: "bars", "aria-label": title }, sorted.slice(0, SHOWN).map(bar));
  if (sorted.length <= SHOWN) return list;
  const rest = sorted.length - SHOWN;
  const more = make("button", { type: "button", class: "quiet", click: () => {
    list.append(...sorted.slice(SHOWN).map(bar));
    more.remove();
  } }, `Show ${rest} more`);
  return make("div", {}, list, more);
}

function pairText(input) {
  return typeof input === "string" ? input : `${input.text} — ${input.text_pair}`;
}

function result(input, entries, decided) {
  return make("section", { class: "result" },
    make("h3", {}, short(pairText(input), 120)),
    decided && make("p", { class: "decided" }, decided),
    entries.length ? bars(entries, "Scores") : make("p", {}, "No label is above the threshold."));
}

/** Answers of a classifier with labels of its own. */
export function labels(answer, { texts, model }) {
  return answer.results.map((each, index) => result(
    texts[index],
    each.scores.map((score, place) => ({ label: model.labels[place], score })),
    model.labels.length > 1 && each.predicted_label,
  ));
}

/** Answers of a model that scores the labels of the request. */
export function scoredLabels(answer, { texts }) {
  return answer.results.map((each, index) => result(texts[index], each.classifications));
}
