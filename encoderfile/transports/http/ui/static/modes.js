// The ways to look at a model: what each asks for, which request that makes, and which view shows the answer.

import { labels, scoredLabels } from "./view-labels.js";
import { entities, spans, tokenLabels } from "./view-entities.js";
import { examplesOf } from "./examples.js";
import { matching, ranking } from "./view-ranking.js";
import { sparse, tokenVectors, vectors } from "./view-vectors.js";

const predict = (body) => ({ path: "/predict", body });

/** Options of `/predict` that the form offers: not the texts, and what has a field of its own. */
function optionsOf(model) {
  const { inputs, labels: own, metadata, ...rest } = model.request.properties;
  return rest;
}

function defaultsOf(model) {
  const { inputs, labels: own, ...rest } = model.example;
  return rest;
}

const TEXTS = { title: "Texts" };

function compare(model) {
  return {
    id: "compare",
    title: "Compare texts",
    texts: TEXTS,
    options: optionsOf(model),
    defaults: defaultsOf(model),
    examples: examplesOf.compare,
    request: ({ texts, options }) => predict({ inputs: texts, ...options }),
    view: vectors,
  };
}

function rank(model) {
  return {
    id: "rank",
    title: "Rank documents",
    query: { title: "Query" },
    texts: { title: "Documents" },
    examples: examplesOf.rank,
    request: ({ query, texts }) => ({ path: "/rerank", body: { query, documents: texts } }),
    view: model.model_type === "embedding" ? matching : ranking,
  };
}

function weighTokens(model) {
  return {
    id: "sparse",
    title: "Weigh words",
    texts: TEXTS,
    examples: examplesOf.compare,
    request: ({ texts }) => ({ path: "/embed_sparse", body: { inputs: texts } }),
    view: sparse,
  };
}

function vectorsOfTokens(model) {
  return {
    id: "tokens",
    title: "Vectors of tokens",
    texts: TEXTS,
    options: optionsOf(model),
    defaults: defaultsOf(model),
    examples: examplesOf.compare,
    request: ({ texts, options }) => predict({ inputs: texts, ...options }),
    view: tokenVectors,
  };
}

function classify(model) {
  return {
    id: "classify",
    title: model.labels.length > 1 ? "Classify texts" : "Score texts",
    texts: { ...TEXTS, pairs: model.needs_pairs ? "must" : model.takes_pairs && "may" },
    options: optionsOf(model),
    examples: model.needs_pairs ? examplesOf.pairs : examplesOf.classify,
    request: ({ texts, options }) => predict({ inputs: texts, ...options }),
    view: labels,
  };
}

const STRATEGIES = ["simple", "first", "average", "max", "none"];

function findEntities(model) {
  const overlap = Math.min(32, Math.floor(model.max_length / 4));
  return {
    id: "entities",
    title: "Find entities",
    texts: TEXTS,
    options: {
      aggregation_strategy: {
        type: ["string", "null"],
        enum: STRATEGIES,
        description: "How tokens are grouped. Left out: simple.",
      },
      stride: {
        type: ["integer", "null"],
        minimum: 0,
        description: `Texts over ${model.max_length} tokens are read in windows that overlap by this many. Empty: they are truncated.`,
      },
    },
    defaults: { stride: overlap },
    examples: examplesOf.entities,
    request: ({ texts, options }) => ({ path: "/", body: { inputs: texts, parameters: options } }),
    view: entities,
  };
}

function labelTokens(model) {
  return {
    id: "labels",
    title: "Label tokens",
    texts: TEXTS,
    options: optionsOf(model),
    examples: examplesOf.entities,
    request: ({ texts, options }) => predict({ inputs: texts, ...options }),
    view: tokenLabels,
  };
}

function ownLabels(model, id, title, view) {
  return {
    id,
    title,
    texts: TEXTS,
    labels: true,
    options: optionsOf(model),
    examples: view === spans ? examplesOf.spans : examplesOf.choice,
    request: ({ texts, labels: wanted, options }) => predict({ inputs: texts, labels: wanted, ...options }),
    view,
  };
}

/** The modes of this model, the one that most people want first. */
export function modesOf(model) {
  const able = (ability) => model.abilities.includes(ability);
  switch (model.model_type) {
    case "sentence_embedding":
      return [able("dense") && compare(model), able("score") && rank(model), able("sparse") && weighTokens(model)]
        .filter(Boolean);
    case "embedding":
      return [able("score") && rank(model), vectorsOfTokens(model)].filter(Boolean);
    case "sequence_classification":
      return able("score") ? [rank(model), classify(model)] : [classify(model)];
    case "token_classification":
      return [findEntities(model), labelTokens(model)];
    case "zero_shot_classification":
      return [ownLabels(model, "classify", "Classify by your labels", scoredLabels)];
    case "zero_shot_token_classification":
      return [ownLabels(model, "entities", "Find what you name", spans)];
    default:
      throw new Error(`The page does not know ${model.model_type}; the API documentation describes its requests.`);
  }
}
