// Vectors: how alike texts are, the strongest tokens, and the numbers themselves.

import { count, heading, make, number, sections, short, table } from "./dom.js";
import { ask } from "./server.js";
import { bars } from "./view-labels.js";
import { norm, similarities } from "./vectors.js";

const MAPPED = 40; // texts in the map: a larger one says nothing to the eye
const NEAREST = 5; // pairs
const NUMBERS = 8; // of a vector
const ROWS = 200; // of vectors
const STRONGEST = 20; // tokens of a sparse vector

function first(vector) {
  const shown = vector.slice(0, NUMBERS).map(number).join(", ");
  return vector.length > NUMBERS ? `${shown}, …` : shown;
}

function map(texts, values) {
  const rows = texts.map((text, row) => [
    `${row + 1}. ${short(text, 40)}`,
    ...values[row].map((value) => make("span", { class: "heat", "--share": String(Math.max(0, Math.min(1, value))) }, value.toFixed(2))),
  ]);
  return table("Similarity (cosine)", ["Text", ...texts.map((_, index) => String(index + 1))], rows, { class: "map" });
}

function nearest(texts, values) {
  const pairs = texts.flatMap((text, row) => texts.slice(row + 1).map((other, offset) => ({
    label: `${short(text, 50)} ↔ ${short(other, 50)}`,
    score: values[row][row + 1 + offset],
  })));
  pairs.sort((one, other) => other.score - one.score);
  return make("div", { class: "long" }, make("h3", {}, "Nearest pairs"), bars(pairs.slice(0, NEAREST), "Nearest pairs"));
}

/** One vector for each text. */
export function vectors(answer, { texts }) {
  const found = answer.results.map((each) => each.embedding);
  const parts = [];
  if (found.length > 1) {
    const some = texts.slice(0, MAPPED);
    const values = similarities(found.slice(0, MAPPED));
    parts.push(make("section", { class: "result" }, make("h3", { class: "hidden" }, "Similarity"), map(some, values),
      texts.length > MAPPED && make("p", { class: "quiet" }, `The first ${MAPPED} of ${texts.length} texts.`),
      nearest(some, values)));
  }
  parts.push(make("section", { class: "result" },
    make("details", { open: found.length === 1 },
      make("summary", {}, `${count(found.length, "vector")} of ${found[0].length} dimensions`),
      table("Vectors", ["Text", "Norm", "Numbers"],
        found.slice(0, ROWS).map((vector, index) => [short(texts[index], 40), number(norm(vector)), make("code", {}, first(vector))])),
      found.length > ROWS && make("p", { class: "quiet" }, `${found.length - ROWS} more in the answer.`))));
  return parts;
}

/** A vector for each token. */
export function tokenVectors(answer, { texts }) {
  return sections(texts, (text, index) => {
    const each = answer.results[index];
    const rows = each.embeddings.slice(0, ROWS).map(({ embedding, token_info: token }) => [
      make("code", {}, token?.token ?? ""), number(norm(embedding)), make("code", {}, first(embedding)),
    ]);
    const more = each.embeddings.length - rows.length;
    return make("section", { class: "result" },
      heading(text),
      table(`${count(each.embeddings.length, "token")}, ${each.embeddings[0].embedding.length} dimensions`, ["Token", "Norm", "Numbers"], rows),
      more > 0 && make("p", { class: "quiet" }, `${more} more in the answer.`));
  });
}

/** The strongest tokens of sparse vectors. */
export async function sparse(answer, { texts, signal }) {
  const strongest = answer.slice(0, ROWS).map((each) => [...each].sort((one, other) => other.value - one.value).slice(0, STRONGEST));
  const ids = [...new Set(strongest.flat().map((each) => each.index))];
  const words = new Map();
  if (ids.length) {
    const { content } = await ask("/decode", { body: { ids: ids.map((id) => [id]), skip_special_tokens: false }, signal });
    ids.forEach((id, index) => words.set(id, content[index]));
  }
  return sections(texts, (text, index) => make("section", { class: "result" },
    heading(text),
    make("p", { class: "quiet" }, `${count(answer[index].length, "weight")}, the strongest:`),
    bars(strongest[index].map(({ index: id, value }) => ({ label: words.get(id) || `id ${id}`, score: value })), "Weights")));
}
