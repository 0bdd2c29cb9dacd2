// What the tokenizer makes of the texts: each token with its id, and what is over the model's limit.

import { count, heading, make, sections } from "./dom.js";
import { ask } from "./server.js";

const SHOWN = 1000; // tokens of a text

function token(each, over) {
  return make("li", { class: [each.special && "special", over && "over"].filter(Boolean).join(" ") || null },
    make("span", { class: "token", dir: "auto" }, each.text === "" ? "·" : each.text),
    make("small", { class: "id" }, String(each.id)),
    make("small", {}, each.special ? "special" : `${each.start}–${each.stop}`));
}

/** Which tokens do not fit. Special tokens at both ends are kept when a text is truncated, the ordinary ones are not. */
function overflow(tokens, model) {
  const over = tokens.length - model.max_length;
  const leading = Math.max(0, tokens.findIndex((each) => !each.special));
  const end = tokens.findLastIndex((each) => !each.special) + 1;
  const [from, to] = model.truncation_side === "left" ? [leading, leading + over] : [end - over, end];
  return (index) => over > 0 && index >= from && index < to;
}

function oneText({ text, paired }, tokens, model) {
  const fits = paired || tokens.length <= model.max_length;
  const isOver = fits ? () => false : overflow(tokens, model);
  const many = paired
    ? `${count(tokens.length, "token")} by itself; a pair has at most ${model.max_length} together`
    : `${count(tokens.length, "token")} of at most ${model.max_length}`;
  return make("section", {},
    heading(text),
    make("p", { class: fits ? "quiet" : "error" },
      fits ? many : `${many}: those struck through are not read, unless a text is read in windows.`),
    make("ol", { class: "tokens" }, tokens.slice(0, SHOWN).map((each, index) => token(each, isOver(index)))),
    tokens.length > SHOWN && make("p", { class: "quiet" }, `${tokens.length - SHOWN} more.`));
}

/** The tokens of every text; a pair's two texts one after the other. */
export async function tokensOf(inputs, options, { model, signal }) {
  const texts = inputs.flatMap((each) => (typeof each === "string"
    ? [{ text: each }]
    : [{ text: each.text, paired: true }, { text: each.text_pair, paired: true }]));
  const { prompt, prompt_name: name } = options;
  const body = { inputs: texts.map((each) => each.text), prompt, prompt_name: name };
  const { content } = await ask("/tokenize", { body, signal });
  return sections(texts, (each, index) => oneText(each, content[index], model));
}
