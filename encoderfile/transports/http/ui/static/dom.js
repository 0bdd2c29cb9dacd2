// Elements, made by hand. Text is only ever put in as text, never as HTML.

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
export function table(caption, heads, rows) {
  const cell = (content, index) =>
    index ? make("td", {}, content) : make("th", { scope: "row" }, content);
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    make("table", {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, rows.map((row) => make("tr", {}, row.map(cell))))));
}

/** A number as people read it: four digits behind the point, more for small ones. */
export function number(value) {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.001 ? value.toExponential(2) : value.toFixed(4);
}

/** A text for a heading or a cell: one line, not too long. */
export function short(text, most = 60) {
  const line = Array.from(text.replace(/\s+/gu, " ").trim());
  return line.length > most ? line.slice(0, most - 1).join("") + "…" : line.join("");
}

/** One of many, with the plural where it is due. */
export function count(amount, word) {
  return `${amount} ${word}${amount === 1 ? "" : "s"}`;
}
