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

/** The type in words: `list of string`, `one of "float", "base64"`. */
export function type(schema, document, depth = 0) {
  const found = resolved(schema, document);
  const orNull = found.nullable ? " or null" : "";
  if (found.enum) return `one of ${found.enum.map((each) => JSON.stringify(each)).join(", ")}`;
  if (found.anyOf) return [...new Set(found.anyOf.map((each) => type(each, document, depth + 1)))].join(", or ") + orNull;
  if (found.type === "array") {
    return (depth < 4 && found.items ? `list of ${type(found.items, document, depth + 1)}` : "list") + orNull;
  }
  return (name(schema) || found.type || "anything") + orNull;
}

const BOUNDS = {
  minimum: "at least", maximum: "at most", minLength: "at least … characters", maxLength: "at most … characters",
  minItems: "at least … entries", maxItems: "at most … entries", default: "default",
};

function bounds(schema) {
  return Object.entries(BOUNDS).filter(([key]) => schema[key] !== undefined).map(([key, words]) => {
    const value = JSON.stringify(schema[key]);
    return words.includes("…") ? words.replace("…", value) : `${words} ${value}`;
  });
}

/** The object schemas in a schema: itself, those it chooses among, those of its lists. */
function objects(schema, document) {
  const found = resolved(schema, document);
  if (found.anyOf) return found.anyOf.flatMap((each) => objects(each, document));
  if (found.type === "array" && found.items) return objects(found.items, document);
  return found.properties ? [{ title: name(schema), ...found }] : [];
}

/** The fields of a schema, with the fields inside them; a schema that holds itself is not followed twice. */
export function fields(schema, document, seen = [], depth = 0) {
  if (depth > DEEPEST) return [];
  const found = objects(schema, document).filter((each) => !each.title || !seen.includes(each.title));
  return found.flatMap((each) => [
    (found.length > 1 || depth > 0) && each.title && make("p", { class: "quiet" }, each.title),
    make("dl", { class: "fields" }, Object.entries(each.properties).map(([key, value]) => {
      const facts = resolved(value, document);
      return make("div", {},
        make("dt", {}, make("code", {}, key), each.required?.includes(key) ? make("strong", {}, " required") : ""),
        make("dd", {},
          make("span", {}, type(value, document)),
          bounds(facts).length ? make("span", { class: "quiet" }, ` (${bounds(facts).join(", ")})`) : "",
          facts.description && make("p", {}, facts.description),
          fields(value, document, [...seen, each.title].filter(Boolean), depth + 1)));
    })),
  ]).filter(Boolean);
}

const TEXTS = { query: "How do I reset my password?" };

/** A small value that a schema allows. */
export function example(schema, document, key = "", depth = 0) {
  const found = resolved(schema, document);
  if (found.example !== undefined) return found.example;
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  if (key === "model") return document.info.title;
  if (found.anyOf) return example(found.anyOf[0], document, key, depth);
  switch (found.type) {
    case "string": return TEXTS[key] ?? "Hello world";
    case "boolean": return true;
    case "integer": return Math.max(1, found.minimum ?? 1);
    case "number": return found.minimum ?? 0.5;
    case "array": return depth > DEEPEST ? [] : Array.from({ length: Math.max(1, found.minItems ?? 1) }, () => example(found.items ?? {}, document, key, depth + 1));
    case "object": {
      const wanted = found.required ?? [];
      return Object.fromEntries(wanted.map((each) => [each, example(found.properties?.[each] ?? {}, document, each, depth + 1)]));
    }
    default: return "Hello world";
  }
}
