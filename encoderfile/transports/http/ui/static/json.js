// JSON as it was written: laid out and packed without reading its numbers, which JavaScript would round.

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/gu;
const LINE = 88; // characters of a list that stays in one line; numbers always do

/** The tokens of a text; null for what is not JSON. */
function tokensOf(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return text.match(TOKENS);
}

/** Without the spaces between its tokens; what is not JSON as it is. */
export function packed(text) {
  return tokensOf(text)?.join("") ?? text;
}

/** On lines, indented; lists of numbers, and short ones, on one. What is not JSON as it is. */
export function laidOut(text) {
  const tokens = tokensOf(text);
  if (!tokens) return text;
  const parts = [];
  let depth = 0;
  const line = () => parts.push(`\n${"  ".repeat(depth)}`);
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token === "[" || token === "{") {
      const end = endOfShort(tokens, index);
      if (end) {
        parts.push(token, tokens.slice(index + 1, end).filter((each) => each !== ",").join(", "), tokens[end]);
        index = end;
      } else {
        parts.push(token);
        depth += 1;
        line();
      }
    } else if (token === "]" || token === "}") {
      depth -= 1;
      line();
      parts.push(token);
    } else {
      parts.push(token);
      if (token === ",") line();
      if (token === ":") parts.push(" ");
    }
  }
  return parts.join("");
}

/** Where something empty ends, or a list that stays in one line; 0 for what does not. */
function endOfShort(tokens, start) {
  if (tokens[start + 1] === "}" || tokens[start + 1] === "]") return start + 1;
  if (tokens[start] === "{") return 0;
  let length = 0;
  let numbers = true;
  for (let index = start + 1; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token === "]") return index;
    if (token === "[" || token === "{") return 0;
    length += token.length + 1;
    if (token !== ",") numbers = numbers && /^[-\d]/u.test(token);
    if (!numbers && length > LINE) return 0;
  }
  return 0;
}
