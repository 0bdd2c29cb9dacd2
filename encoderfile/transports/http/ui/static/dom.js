// Elements, made by hand. Text is only ever put in as text, never as HTML.

const SECTIONS = 200; // results that are shown: more say nothing to the eye, and hold up the browser

/** An element with attributes and children. A function is a listener; null, undefined and false are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A table: heads, then rows of cells; the first cell of a row names it. */
export function table(caption, heads, rows, attributes = {}) {
  const cell = (content, index) =>
    index ? make("td", {}, content) : make("th", { scope: "row", dir: "auto" }, content);
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    make("table", attributes,
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, rows.map((row) => make("tr", {}, row.map(cell))))));
}

/** A section for each of the first texts, and how many more there are. */
export function sections(texts, section) {
  const rest = texts.length - SECTIONS;
  const shown = texts.slice(0, SECTIONS).map(section);
  return rest > 0 ? [...shown, make("p", { class: "quiet" }, `${count(rest, "more text")}: see the answer as JSON.`)] : shown;
}

/** The heading of what is said of one text. */
export function heading(text) {
  return make("h3", { dir: "auto" }, short(text, 120));
}

/** A number as people read it: four digits behind the point, more for small ones. */
export function number(value) {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.001 ? value.toExponential(2) : value.toFixed(4);
}

/** A text for a heading or a cell: one line, not too long. */
export function short(text, most = 60) {
  const line = Array.from(text.slice(0, 20 * most).replace(/\s+/gu, " ").trim());
  return line.length > most ? line.slice(0, most - 1).join("") + "…" : line.join("");
}

/** One of many, with the plural where it is due. */
export function count(amount, word) {
  const [singular, plural] = word === "entity" ? ["entity", "entities"] : [word, `${word}s`];
  return `${amount.toLocaleString("en")} ${amount === 1 ? singular : plural}`;
}
