// What a person fills in: texts, a query, labels, and the options that this model's requests have.

import { make } from "./dom.js";

let made = 0;
const unique = (name) => `${name}-${(made += 1)}`;

function labelled(title, control, hint) {
  control.id ||= unique("field");
  const described = hint && make("small", { id: `${control.id}-hint` }, hint);
  if (described) control.setAttribute("aria-describedby", described.id);
  return make("div", { class: "field" }, make("label", { for: control.id }, title), control, described);
}

function area(value, rows = 2) {
  const element = make("textarea", { rows: String(rows), spellcheck: "false", dir: "auto" });
  element.value = value; // as a child, a line feed at the beginning would be lost
  return element;
}

const MANY = 1000; // fields

function linesOf(text) {
  return text.includes("\n") ? text.split(/\r?\n/u).filter((line) => line.trim()) : [text];
}

/** A list of texts, each in a field of its own; `pairs` says whether a text "may" or "must" have a second one. */
export class Texts {
  constructor(title, { pairs, changed }) {
    this.title = title;
    this.changed = changed;
    this.list = make("ol", { class: "texts" });
    this.paired = make("input", { type: "checkbox", change: () => this.showPairs() });
    this.element = make("fieldset", {},
      make("legend", {}, title),
      this.list,
      make("p", { class: "actions" },
        make("button", { type: "button", class: "quiet", click: () => this.append() }, "Add a text"),
        pairs === "may" && make("label", { class: "choice" }, this.paired, " Pairs: two texts are read as one")));
  }

  showPairs() {
    this.list.classList.toggle("pairs", this.paired.checked);
    for (const row of this.list.children) this.offer(row);
    this.changed();
  }

  /** The texts that are filled in; a pair is an object with `text` and `text_pair`. */
  get values() {
    const rows = [...this.list.children].map((row) => [...row.querySelectorAll("textarea")].map((each) => each.value));
    return rows
      .filter(([text]) => text !== "")
      .map(([text, second]) => (this.paired.checked && second ? { text, text_pair: second } : text));
  }

  set values(texts) {
    this.list.replaceChildren(...(texts.length ? texts : [""]).map((text) => this.row(text)));
    this.number();
    this.paired.checked = texts.some((each) => typeof each !== "string");
    this.showPairs();
  }

  append() {
    const row = this.row("");
    this.list.append(row);
    this.number();
    row.querySelector("textarea").focus();
  }

  row(text) {
    const [first, second] = typeof text === "string" ? [text, ""] : [text.text, text.text_pair ?? ""];
    const row = make("li", {}, area(first), area(second),
      make("button", { type: "button", class: "quiet remove", click: () => this.remove(row) }, "×"),
      make("button", { type: "button", class: "quiet split", hidden: true, click: () => this.split(row) }));
    row.addEventListener("input", () => {
      this.offer(row);
      this.changed();
    });
    return row;
  }

  /** Names the fields of each row by its place. */
  number() {
    for (const [index, row] of [...this.list.children].entries()) {
      const [first, second] = row.querySelectorAll("textarea");
      first.setAttribute("aria-label", `${this.title}, ${index + 1}`);
      second.setAttribute("aria-label", `${this.title}, ${index + 1}, second text`);
      second.placeholder = "Second text";
      row.querySelector(".remove").setAttribute("aria-label", `Remove text ${index + 1}`);
    }
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (next) {
      this.number();
      next.querySelector("textarea").focus();
    } else {
      this.append();
    }
    this.changed();
  }

  /** Offers to make several texts of the lines of one. */
  offer(row) {
    const button = row.querySelector(".split");
    const lines = linesOf(row.querySelector("textarea").value);
    button.hidden = lines.length < 2 || lines.length > MANY || this.paired.checked;
    button.textContent = `Make ${lines.length} texts of these lines`;
  }

  split(row) {
    const rows = linesOf(row.querySelector("textarea").value).map((line) => this.row(line));
    row.replaceWith(...rows);
    this.number();
    rows[0].querySelector("textarea").focus();
    this.changed();
  }
}

/** One text. */
export class One {
  constructor(title, { changed }) {
    this.control = area("");
    this.control.addEventListener("input", changed);
    this.element = labelled(title, this.control);
  }

  get value() {
    return this.control.value;
  }

  set value(text) {
    this.control.value = text;
  }
}

/** Labels, one a line or with commas between. */
export class Labels {
  constructor({ changed }) {
    this.control = area("", 2);
    this.control.addEventListener("input", changed);
    this.element = labelled("Labels", this.control, "One a line, or with commas between.");
  }

  get values() {
    const found = this.control.value.split(/[\n,]/u).map((each) => each.trim()).filter(Boolean);
    return [...new Set(found)];
  }

  set values(labels) {
    this.control.value = labels.join("\n");
  }
}

/** An option of the request, made of its JSON Schema. Its `value` is undefined where nothing is chosen. */
export class Option {
  constructor(name, schema, { changed, value }) {
    this.name = name;
    const kinds = [schema.type ?? schema.anyOf?.map((each) => each.type) ?? "string"].flat();
    this.kind = kinds.find((each) => each !== "null");
    this.control = this.make(schema, kinds.includes("null"));
    if (value !== undefined && value !== null) this.control.value = String(value);
    this.control.addEventListener("input", changed);
    this.element = labelled(name.replaceAll("_", " "), this.control, schema.description);
  }

  make(schema, optional) {
    const choices = this.kind === "boolean" ? ["true", "false"] : schema.enum?.filter((each) => each !== null);
    if (choices) {
      const options = choices.map((each) => make("option", { value: each }, each));
      return make("select", {}, optional && make("option", { value: "" }, "default"), options);
    }
    if (this.kind === "number" || this.kind === "integer") {
      const { minimum, maximum } = schema;
      const step = this.kind === "integer" ? "1" : "any";
      return make("input", { type: "number", step, min: minimum, max: maximum, placeholder: "default" });
    }
    return make("input", { type: "text", placeholder: optional ? "default" : "", spellcheck: "false" });
  }

  get value() {
    const given = this.control.value;
    if (given === "") return undefined;
    if (this.kind === "boolean") return given === "true";
    return this.kind === "number" || this.kind === "integer" ? Number(given) : given;
  }
}
