// Documents by their score for a query, and for models of late interaction which tokens brought it.

import { make, number, short, table } from "./dom.js";
import { ask } from "./server.js";
import { bars } from "./view-labels.js";
import { similarities } from "./vectors.js";

const MATCHED = 5; // documents, the best
const WORDS = 500; // tokens of a document

/** The documents, the best first. */
export function ranking(answer, { texts }) {
  const entries = answer.results.map((each) => ({ label: texts[each.index], score: each.relevance_score }));
  return [make("section", { class: "result long" },
    make("h3", { class: "hidden" }, "Documents, the best first"),
    bars(entries, "Documents, the best first"))];
}

const vector = (row) => row.embedding;
const name = (row) => row.token_info?.token ?? "";

/** Where each of some values is between the least and the largest: similarities of tokens are often close together. */
function scale(values) {
  const least = Math.min(...values);
  const range = Math.max(...values) - least;
  return (value) => String(range ? (value - least) / range : 1);
}

function words(document, values) {
  const strongest = document.map((_, column) => Math.max(...values.map((row) => row[column])));
  const share = scale(strongest);
  return make("ol", { class: "tokens" }, document.map((each, column) =>
    make("li", { class: "strength", "--share": share(strongest[column]) },
      make("span", { class: "token", dir: "auto" }, name(each)),
      make("small", {}, number(strongest[column])))));
}

/** The document's tokens, and with each token of the query the one that is nearest: these make up the score. */
function matches(query, document) {
  const values = similarities(query.map(vector), document.map(vector));
  const best = values.map((row) => Math.max(...row));
  const share = scale(best);
  return [
    words(document, values),
    table("The nearest token of the document for each of the query", ["Query", "Document", "Similarity"],
      query.map((each, row) => [
        name(each),
        name(document[values[row].indexOf(best[row])]),
        make("span", { class: "heat", "--share": share(best[row]) }, number(best[row])),
      ])),
  ];
}

async function matchesOf(best, { query, texts, signal }) {
  const read = (inputs, purpose) =>
    ask("/predict", { body: { inputs, normalize: true, prompt_name: purpose }, signal });
  const [asked, found] = await Promise.all([
    read([query], "query"), read(best.map((each) => texts[each.index]), "document"),
  ]);
  const [first] = asked.content.results;
  return found.content.results.map((document, place) => make("section", { class: "result" },
    make("details", { open: place === 0 },
      make("summary", {}, `Which tokens match: ${short(texts[best[place].index])}`),
      matches(first.embeddings, document.embeddings.slice(0, WORDS)))));
}

/** The answer of a model of late interaction, and for the best documents which tokens brought the score. */
export async function matching(answer, asked) {
  const best = [...answer.results].sort((one, other) => other.relevance_score - one.relevance_score);
  const ranked = ranking(answer, asked);
  try {
    return [...ranked, ...await matchesOf(best.slice(0, MATCHED), asked)];
  } catch (refusal) {
    if (refusal.status === undefined) throw refusal;
    return [...ranked, make("p", { class: "error" }, refusal.message)]; // the ranking was answered
  }
}
