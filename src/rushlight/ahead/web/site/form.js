// The page of any other model: numbers in, numbers out.

import { description, sizeOf } from "./model.js";
import { card, element } from "./view.js";

const LISTED = 200; // numbers of an output; the others are there, but not shown

const FLOATS = new Set(["float32", "float64"]);

/** Fills the page. */
export function formPage(root, model) {
  const form = new Form(model);
  root.append(form.inputs, form.outputs);
}

class Form {
  constructor(model) {
    this.model = model;
    this.fields = model.inputs.map((each, k) => this.field(each, k));
    this.fault = element("p", { class: "fault above", role: "alert", hidden: true });
    this.table = element("div", {});
    const buttons = [
      element("button", { type: "button", class: "main", onclick: () => this.run() }, "Compute"),
      element("button", { type: "button", onclick: () => this.fill((each, k) => this.recorded(each, k)) }, "Recorded example"),
      element("button", { type: "button", onclick: () => this.fill((each) => this.random(each)) }, "Random numbers"),
      element("button", { type: "button", onclick: () => this.fill((each) => Array(sizeOf(each, model.batch)).fill(0)) }, "Zeros"),
    ];
    this.inputs = card("Inputs", ...this.fields.map(({ root }) => root), this.fault,
      element("div", { class: "row above" }, ...buttons));
    this.outputs = card("Outputs", this.table);
    this.fill((each, k) => this.recorded(each, k));
  }

  field(about, k) {
    const id = `input${k}`;
    const area = element("textarea", { id, spellcheck: "false" });
    const label = element("label", { class: "block", for: id },
      `${about.name} `, element("span", { class: "soft" }, `${about.dtype} (${about.shape.join(", ")}), ${sizeOf(about, this.model.batch)} numbers`));
    return { about, area, root: element("div", {}, label, area) };
  }

  recorded(about, k) {
    return Array.from(this.model.golden(about, description.goldens[0].inputs[k]), Number);
  }

  /** Random numbers of the kind that the recorded example has. */
  random(about) {
    const known = this.recorded(about, this.model.inputs.indexOf(about));
    if (FLOATS.has(about.dtype)) {
      return known.map(() => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
    }
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return known.map(() => low + Math.floor(Math.random() * (high - low + 1)));
  }

  fill(values) {
    this.fields.forEach(({ about, area }, k) => {
      const numbers = values(about, k);
      area.value = numbers.map((each) => (FLOATS.has(about.dtype) ? Number(each.toPrecision(7)) : each)).join(" ");
    });
    this.run();
  }

  run() {
    try {
      const begun = performance.now();
      const results = this.model.run(this.fields.map((each) => this.numbers(each)));
      this.show(results, performance.now() - begun);
      this.fault.hidden = true;
    } catch (error) {
      this.fault.hidden = false;
      this.fault.textContent = error.message;
      this.table.replaceChildren();
    }
  }

  numbers({ about, area }) {
    const words = area.value.split(/[\s,;]+/).filter(Boolean);
    const numbers = words.map(Number);
    const wrong = numbers.findIndex((each, k) =>
      Number.isNaN(each) && words[k] !== "NaN" || (!FLOATS.has(about.dtype) && !Number.isInteger(each)));
    if (wrong >= 0) throw new Error(`${about.name}: “${words[wrong]}” is not a number of type ${about.dtype}.`);
    return numbers;
  }

  show(results, milliseconds) {
    this.table.replaceChildren(
      ...this.model.outputs.map((about) => outputTable(about, results[about.name])),
      element("p", { class: "soft small above" }, `Computed in ${milliseconds.toFixed(2)} ms.`));
  }
}

function outputTable(about, values) {
  const columns = about.shape.length ? about.shape[about.shape.length - 1] : 1;
  const width = typeof columns === "number" && columns <= 16 ? Math.max(columns, 1) : 8;
  const shown = Array.from(values.subarray(0, LISTED));
  const rows = [];
  for (let k = 0; k < shown.length; k += width) {
    rows.push(element("tr", {}, element("th", { scope: "row" }, String(k)),
      ...shown.slice(k, k + width).map((each) => element("td", {}, written(each)))));
  }
  const head = element("tr", {}, element("th", { scope: "col" }, "from"),
    ...Array.from({ length: Math.min(width, shown.length) }, (_, k) => element("th", { scope: "col" }, `+${k}`)));
  const more = values.length - shown.length;
  return element("div", {},
    element("p", {}, element("b", {}, about.name), ` ${about.dtype} (${about.shape.join(", ")})`),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": about.name },
      element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows))),
    more > 0 ? element("p", { class: "soft small" }, `and ${more.toLocaleString("en")} more`) : "");
}

function written(number) {
  return typeof number === "bigint" || Number.isInteger(number) ? String(number) : number.toPrecision(6);
}
