// Spans marked in their text. Offsets count code points, and JavaScript's strings UTF-16: so texts are split first.

import { count, make, number, short, table } from "./dom.js";

/** A hue for each label, the same wherever it appears; the label is always written beside it. */
function hues(names) {
  const sorted = [...new Set(names)].sort();
  return new Map(sorted.map((name, index) => [name, String(Math.round((index * 360) / Math.max(sorted.length, 1)))]));
}

function mark(points, span, hue) {
  const where = `${span.label}, ${number(span.score)}, ${span.start} to ${span.end}`;
  return make("mark", { tabindex: "0", "--hue": hue, "data-tip": where },
    points.slice(span.start, span.end).join(""),
    make("span", { class: "tag" }, span.label));
}

/** The text with those spans marked that do not overlap one before; all of them are in the table below. */
function marked(text, found, colours) {
  const points = Array.from(text);
  const parts = [];
  let done = 0;
  for (const span of [...found].sort((one, other) => one.start - other.start || other.end - one.end)) {
    if (span.start < done || span.end <= span.start) continue;
    parts.push(points.slice(done, span.start).join(""), mark(points, span, colours.get(span.label)));
    done = span.end;
  }
  parts.push(points.slice(done).join(""));
  return make("p", { class: "marked" }, parts);
}

function result(text, found, colours) {
  const points = Array.from(text);
  const rows = found.map((span) => [
    points.slice(span.start, span.end).join(""), span.label, number(span.score), `${span.start}–${span.end}`,
  ]);
  return make("section", { class: "result" },
    make("h3", { class: "hidden" }, short(text)),
    marked(text, found, colours),
    found.length
      ? make("details", {},
        make("summary", {}, count(found.length, "entity").replace("entitys", "entities")),
        table("Entities", ["Text", "Label", "Score", "Offsets"], rows))
      : make("p", { class: "quiet" }, "No entities found."));
}

function results(texts, every) {
  const colours = hues(every.flat().map((span) => span.label));
  return texts.map((text, index) => result(text, every[index], colours));
}

/** Entities as the Inference API's clients get them. */
export function entities(answer, { texts }) {
  return results(texts, answer.map((found) => found.map((each) => ({ ...each, label: each.entity_group ?? each.entity }))));
}

/** Spans of a model that finds what the request names. */
export function spans(answer, { texts }) {
  return results(texts, answer.results.map((each) => each.entities));
}

/** The label of each token. */
export function tokenLabels(answer, { texts }) {
  const colours = hues(answer.results.flatMap((each) => each.tokens.map((token) => token.label)));
  return answer.results.map((each, index) => make("section", { class: "result" },
    make("h3", {}, short(texts[index], 120)),
    make("ol", { class: "tokens" }, each.tokens.map((token) => make("li", { "--hue": colours.get(token.label), class: token.label === "O" && "outside" },
      make("span", { class: "token" }, token.token_info.token),
      make("span", { class: "tag" }, token.label),
      make("small", {}, number(token.score)))))));
}
