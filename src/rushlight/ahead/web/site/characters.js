// The page of a model that writes on, character by character.

import { Bars, card, element, softmax } from "./view.js";

const SHOWN = 8;

const NAMES = { " ": "␣", "\n": "↵" };
const MOST = 5000; // characters, then it stops

/** Fills the page. */
export function charactersPage(root, model, about) {
  const writer = new Writer(model, about);
  root.append(element("div", { class: "columns" }, writer.page, writer.expectation));
}

/** What follows a text, according to the model. */
export class Continuation {
  constructor(model, about) {
    this.model = model;
    this.places = new Map(Array.from(about.symbols, (symbol, k) => [symbol, k]));
    this.symbols = Array.from(about.symbols);
    this.length = about.length;
    this.output = model.outputs[0];
  }

  /** Characters of a text that the model does not know. */
  unknown(text) {
    return [...new Set(Array.from(text).filter((symbol) => !this.places.has(symbol)))];
  }

  /** How likely each symbol is to come next. */
  expected(text, temperature) {
    const read = Array.from(text).slice(-this.length);
    const ids = new BigInt64Array(this.length); // what comes later is not read
    read.forEach((symbol, k) => { ids[k] = BigInt(this.places.get(symbol)); });
    const results = this.model.run([ids]);
    const scores = results[this.output.name];
    const count = this.symbols.length;
    const at = (read.length - 1) * count;
    return softmax(scores.subarray(at, at + count), temperature);
  }

  draw(shares) {
    let left = Math.random();
    for (let k = 0; k < shares.length; k++) {
      left -= shares[k];
      if (left < 0) return this.symbols[k];
    }
    return this.symbols[shares.length - 1];
  }
}

class Writer {
  constructor(model, about) {
    this.continuation = new Continuation(model, about);
    this.begin = element("input", { type: "text", id: "begin", value: about.begin, maxlength: "400", spellcheck: "false" });
    this.begin.addEventListener("input", () => this.restart());
    this.heat = element("input", { type: "range", id: "heat", min: "0.1", max: "1.5", step: "0.05", value: "0.8" });
    this.heatShown = element("output", { for: "heat" }, "0.80");
    this.heat.addEventListener("input", () => {
      this.heatShown.textContent = Number(this.heat.value).toFixed(2);
      this.look();
    });
    this.button = element("button", { type: "button", class: "main", onclick: () => this.toggle() }, "Write on");
    this.clear = element("button", { type: "button", onclick: () => this.restart() }, "Begin again");
    this.given = element("span", { class: "given" });
    this.made = element("span", {});
    this.text = element("div", { class: "written above", "aria-label": "The text" }, this.given, this.made);
    this.fault = element("p", { class: "fault above", role: "alert", hidden: true });
    this.speed = element("span", { class: "soft small" });
    this.bars = new Bars(Array(SHOWN).fill(""), "The most likely next characters");
    this.page = card("Let it write",
      element("label", { class: "block", for: "begin" }, "The text begins with"), this.begin,
      element("div", { class: "row above" }, this.button, this.clear,
        element("span", { class: "slider" }, element("label", { for: "heat" }, "Daring"), this.heat, this.heatShown)),
      this.fault, this.text, this.speed);
    this.expectation = card("What may come next", this.bars.list,
      element("p", { class: "soft small above" },
        `The model reads the last ${about.length} characters and gives each of its ${about.symbols.length} ` +
        "symbols a probability; one is drawn. The more daring, the more even the probabilities."));
    this.restart();
  }

  restart() {
    this.stop();
    this.written = "";
    this.count = this.seconds = 0;
    this.given.textContent = this.begin.value;
    this.made.textContent = this.speed.textContent = "";
    const unknown = this.continuation.unknown(this.begin.value);
    this.fault.hidden = unknown.length === 0;
    this.fault.textContent = `The model has never seen ${unknown.map((each) => `“${each}”`).join(", ")}.`;
    this.button.disabled = unknown.length > 0 || this.begin.value === "";
    if (!this.button.disabled) this.look();
  }

  look() {
    if (this.button.disabled) return;
    this.shares = this.continuation.expected(this.begin.value + this.written, Number(this.heat.value));
    const order = this.shares.map((_, k) => k).sort((a, b) => this.shares[b] - this.shares[a]).slice(0, SHOWN);
    const { symbols } = this.continuation;
    this.bars.show(order.map((k) => this.shares[k]), order.map((k) => NAMES[symbols[k]] ?? symbols[k]));
  }

  toggle() {
    if (this.running) this.stop();
    else {
      this.running = true;
      this.button.textContent = "Stop";
      this.go();
    }
  }

  stop() {
    this.running = false;
    this.button.textContent = "Write on";
  }

  go() {
    if (!this.running) return;
    if (this.count % MOST === MOST - 1) this.stop();
    const begun = performance.now();
    this.written += this.continuation.draw(this.shares);
    this.made.textContent = this.written;
    this.look();
    this.seconds += (performance.now() - begun) / 1000;
    this.count += 1;
    this.speed.textContent = `${this.count} characters, ${Math.round(this.count / this.seconds)} a second while computing`;
    if (this.running) requestAnimationFrame(() => this.go());
  }
}
