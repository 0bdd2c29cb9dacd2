// What the tokenizer makes of the texts: each token with its id, and what is over the model's limit.

import { count, make, short } from "./dom.js";
import { ask } from "./server.js";

const SHOWN = 1000; // tokens of a text

function token(each, over) {
  return make("li", { class: [each.special && "special", over && "over"].filter(Boolean).join(" ") || null },
    make("span", { class: "token" }, each.text === "" ? "·" : each.text),
    make("small", {}, String(each.id)));
}

function oneText(text, tokens, model) {
  const over = tokens.length - model.max_length;
  // Special tokens at the end are kept when a text is truncated: the ordinary ones before them are not.
  const trailing = tokens.length - tokens.findLastIndex((each) => !each.special) - 1;
  const left = model.truncation_side === "left";
  const leading = Math.max(0, tokens.findIndex((each) => !each.special));
  const isOver = (index) => over > 0 && (left
    ? index >= leading && index < leading + over
    : index >= tokens.length - trailing - over && index < tokens.length - trailing);
  const many = `${count(tokens.length, "token")} of at most ${model.max_length}`;
  return make("section", {},
    make("h3", {}, short(text, 120)),
    make("p", { class: over > 0 ? "error" : "quiet" },
      over > 0 ? `${many}: those struck through are not read, unless a text is read in windows.` : many),
    make("ol", { class: "tokens" }, tokens.slice(0, SHOWN).map((each, index) => token(each, isOver(index)))),
    tokens.length > SHOWN && make("p", { class: "quiet" }, `${tokens.length - SHOWN} more.`));
}

/** The tokens of every text; a pair's two texts one after the other. */
export async function tokensOf(inputs, options, { model, signal }) {
  const texts = inputs.flatMap((each) => (typeof each === "string" ? each : [each.text, each.text_pair]));
  const { prompt, prompt_name: name } = options;
  const { content } = await ask("/tokenize", { body: { inputs: texts, prompt, prompt_name: name }, signal });
  return texts.map((text, index) => oneText(text, content[index], model));
}
