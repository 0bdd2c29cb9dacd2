// Spans marked in their text. Offsets count code points, and JavaScript's strings UTF-16: so texts are split first.

import { count, heading, make, number, sections, short, table } from "./dom.js";
import { tip } from "./tip.js";

const MARKED = 2000; // spans of a text
const ROWS = 500; // of the table of a text's spans
const TOKENS = 1000; // of a text

/** A hue for each label, the same for its beginning and its inside. The label is always written beside it. */
function hues(names) {
  const kinds = [...new Set(names.filter((name) => name !== "O").map(kind))].sort();
  return (name) => String(Math.round((kinds.indexOf(kind(name)) * 360) / Math.max(kinds.length, 1) + 250) % 360);
}

const kind = (label) => label.replace(/^[BIES]-/u, "");

function mark(points, span, hue) {
  const marked = make("mark", { "--hue": hue(span.label) },
    points.slice(span.start, span.end).join(""),
    make("span", { class: "tag" }, span.label));
  return tip(marked, `${span.label} ${number(span.score)}, characters ${span.start} to ${span.end}`);
}

/** The text with those spans marked that do not overlap one before; all of them are in the table below. */
function marked(text, found, hue) {
  const points = Array.from(text);
  const parts = [];
  let done = 0;
  let hidden = 0;
  for (const span of [...found].sort((one, other) => one.start - other.start || other.end - one.end)) {
    if (span.start < done || span.end <= span.start || parts.length > 2 * MARKED) {
      hidden += 1;
      continue;
    }
    parts.push(points.slice(done, span.start).join(""), mark(points, span, hue));
    done = span.end;
  }
  parts.push(points.slice(done).join(""));
  return [
    make("p", { class: "marked", dir: "auto" }, parts),
    hidden > 0 && make("p", { class: "quiet" }, `${count(hidden, "entity")} not marked, because others are there already: see the table.`),
  ];
}

function spansTable(points, found) {
  const rows = found.slice(0, ROWS).map((span) => [
    points.slice(span.start, span.end).join(""), span.label, number(span.score), `${span.start}–${span.end}`,
  ]);
  return make("details", {},
    make("summary", {}, count(found.length, "entity")),
    table("Entities", ["Text", "Label", "Score", "Characters"], rows),
    found.length > ROWS && make("p", { class: "quiet" }, `${found.length - ROWS} more in the answer.`));
}

function results(texts, every) {
  const hue = hues(every.flat().map((span) => span.label));
  return sections(texts, (text, index) => make("section", { class: "result" },
    make("h3", { class: "hidden" }, short(text)),
    marked(text, every[index], hue),
    every[index].length
      ? spansTable(Array.from(text), every[index])
      : make("p", { class: "quiet" }, "No entities found.")));
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
  const hue = hues(answer.results.flatMap((each) => each.tokens.map((token) => token.label)));
  const item = ({ label, score, token_info: token }) => make("li",
    { "--hue": hue(label), class: label === "O" && "outside" },
    make("span", { class: "token", dir: "auto" }, token.token),
    make("span", { class: "tag" }, label),
    make("small", {}, number(score)));
  return sections(texts, (text, index) => {
    const { tokens } = answer.results[index];
    return make("section", { class: "result" },
      heading(text),
      make("ol", { class: "tokens" }, tokens.slice(0, TOKENS).map(item)),
      tokens.length > TOKENS && make("p", { class: "quiet" }, `${tokens.length - TOKENS} more in the answer.`));
  });
}
