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
  return make("textarea", { rows: String(rows), spellcheck: "false" }, value);
}

/** A list of texts, each in a field of its own; with `pairs` a person may give each a second one. */
export class Texts {
  constructor(title, { pairs = false, changed }) {
    this.title = title;
    this.changed = changed;
    this.list = make("ol", { class: "texts" });
    this.paired = make("input", { type: "checkbox", change: () => this.showPairs() });
    this.element = make("fieldset", {},
      make("legend", {}, title),
      this.list,
      make("p", { class: "actions" },
        make("button", { type: "button", class: "quiet", click: () => this.add("", true) }, "Add a text"),
        pairs && make("label", { class: "choice" }, this.paired, " Pairs: two texts are read as one")));
  }

  showPairs() {
    this.list.classList.toggle("pairs", this.paired.checked);
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
    this.list.replaceChildren();
    for (const text of texts.length ? texts : [""]) this.add(text);
    this.paired.checked = texts.some((each) => typeof each !== "string");
    this.showPairs();
  }

  add(text, focus = false) {
    const [first, second] = typeof text === "string" ? [text, ""] : [text.text, text.text_pair ?? ""];
    const position = () => [...this.list.children].indexOf(row) + 1;
    const field = area(first);
    const name = () => `${this.title}, ${position()}`;
    const remove = make("button", { type: "button", class: "quiet remove", click: () => this.remove(row) }, "Remove");
    const row = make("li", {}, field, area(second), remove);
    this.list.append(row);
    field.addEventListener("paste", (event) => this.paste(event, row));
    for (const [index, each] of row.querySelectorAll("textarea").entries()) {
      each.setAttribute("aria-label", index ? `${name()}, second text` : name());
      if (index) each.placeholder = "Second text";
      each.addEventListener("input", this.changed);
    }
    remove.setAttribute("aria-label", `Remove text ${position()}`);
    if (focus) field.focus();
    this.changed();
    return row;
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (next) next.querySelector("textarea").focus();
    else this.add("", true);
    this.changed();
  }

  /** Several lines that are pasted into an empty field become several texts. */
  paste(event, row) {
    const lines = event.clipboardData.getData("text").split(/\r?\n/u).filter((line) => line.trim());
    if (event.target.value || lines.length < 2 || lines.length > 1000) return;
    event.preventDefault();
    event.target.value = lines[0];
    const below = [...this.list.children].slice([...this.list.children].indexOf(row) + 1);
    for (const line of lines.slice(1)) this.add(line);
    this.list.append(...below);
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
