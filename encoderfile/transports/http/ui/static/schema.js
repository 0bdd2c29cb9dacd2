// JSON Schemas in words, as tables of fields, and as an example.

import { make } from "./dom.js";

const DEEPEST = 5; // levels of fields inside fields

/** Follows `$ref` into the document. */
export function resolved(schema, document) {
  let found = schema ?? {};
  for (let hops = 0; found.$ref && hops < 10; hops += 1) {
    found = found.$ref.slice(2).split("/").reduce((place, name) => place?.[name], document) ?? {};
  }
  return found;
}

function name(schema) {
  return schema.$ref ? schema.$ref.split("/").pop() : "";
}

/** Words with what is in backticks as code. */
export function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

/** The type in words: `list of string`, `one of "float", "base64"`. */
export function type(schema, document, depth = 0) {
  const found = resolved(schema, document);
  const orNull = found.nullable ? " or null" : "";
  if (found.enum) return `${found.enum.length > 1 ? "one of " : ""}${found.enum.map((each) => JSON.stringify(each)).join(", ")}`;
  if (depth > DEEPEST) return "anything";
  if (found.anyOf) return [...new Set(found.anyOf.map((each) => type(each, document, depth + 1)))].join(", or ") + orNull;
  if (found.type === "array") return (found.items ? `list of ${type(found.items, document, depth + 1)}` : "list") + orNull;
  const values = found.additionalProperties;
  if (values?.type && !name(schema)) return `object of ${type(values, document, depth + 1)}${orNull}`;
  return (name(schema) || found.type || "anything") + orNull;
}

const BOUNDS = {
  minimum: "at least", maximum: "at most", exclusiveMinimum: "more than", exclusiveMaximum: "less than", minLength: "at least … characters", maxLength: "at most … characters",
  minItems: "at least … entries", maxItems: "at most … entries", default: "default",
};

function bounds(schema) {
  return Object.entries(BOUNDS).filter(([key]) => schema[key] !== undefined).map(([key, words]) => {
    const value = JSON.stringify(schema[key]);
    return words.includes("…") ? words.replace("…", value) : `${words} ${value}`;
  });
}

/** The object schemas in a schema: itself, those it chooses among, those of its lists and of its values. */
function objects(schema, document, depth = 0) {
  if (depth > DEEPEST) return [];
  const found = resolved(schema, document);
  if (found.anyOf) return found.anyOf.flatMap((each) => objects(each, document, depth + 1));
  if (found.type === "array" && found.items) return objects(found.items, document, depth + 1);
  if (found.additionalProperties?.type) return objects(found.additionalProperties, document, depth + 1);
  return found.properties ? [{ title: name(schema), ...found }] : [];
}

/** Schemas that are not being told already, each once. */
function unseen(schemas, seen) {
  return schemas.filter((each, index) => !each.title
    || (!seen.includes(each.title) && schemas.findIndex((one) => one.title === each.title) === index));
}

/** The names of all fields in a schema. */
export function fieldNames(schema, document, seen = [], depth = 0) {
  if (depth > DEEPEST) return [];
  return unseen(objects(schema, document), seen).flatMap((each) => Object.entries(each.properties).flatMap(
    ([key, value]) => [key, ...fieldNames(value, document, [...seen, each.title].filter(Boolean), depth + 1)]));
}

/** The fields of an object, those that are needed first. */
function needed({ properties, required = [] }) {
  const all = Object.entries(properties);
  return [true, false].flatMap((is) => all.filter(([key]) => required.includes(key) === is));
}

/** The fields of a schema, with the fields inside them; a schema that holds itself is not followed twice. */
export function fields(schema, document, seen = [], depth = 0) {
  if (depth > DEEPEST) return [];
  const found = unseen(objects(schema, document), seen);
  return found.flatMap((each) => [
    (found.length > 1 || depth > 0) && each.title && make("p", { class: "quiet" }, each.title),
    make("dl", { class: "fields" }, needed(each).map(([key, value]) => {
      const facts = resolved(value, document);
      return make("div", {},
        make("dt", {}, make("code", {}, key), each.required?.includes(key) ? make("strong", {}, " required") : ""),
        make("dd", {},
          make("span", {}, type(value, document)),
          bounds(facts).length ? make("span", { class: "quiet" }, ` (${bounds(facts).join(", ")})`) : "",
          facts.description && make("p", {}, prose(facts.description)),
          fields(value, document, [...seen, each.title].filter(Boolean), depth + 1)));
    })),
  ]).filter(Boolean);
}

const TEXTS = { query: "How do I reset my password?" };

/** A small value that a schema allows. */
export function example(schema, document, key = "", depth = 0) {
  const found = resolved(schema, document);
  if (depth > DEEPEST) return null;
  if (found.example !== undefined) return found.example;
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  if (key === "model") return document.info.title;
  if (found.anyOf) return example(found.anyOf[0], document, key, depth + 1);
  switch (found.type) {
    case "string": return TEXTS[key] ?? "Hello world";
    case "boolean": return true;
    case "integer": return Math.max(1, found.minimum ?? 1);
    case "number": return found.minimum ?? 0.5;
    case "array": return Array.from({ length: Math.max(1, found.minItems ?? 1) }, () => example(found.items ?? {}, document, key, depth + 1));
    case "object": {
      const wanted = found.required ?? [];
      return Object.fromEntries(wanted.map((each) => [each, example(found.properties?.[each] ?? {}, document, each, depth + 1)]));
    }
    default: return "Hello world";
  }
}
