// The page of a model that reads digits.

import { Bars, best, card, element, percent, softmax } from "./view.js";
import { Pad, showScan } from "./drawing.js";
import { Training, scores } from "./training.js";

/** The scans that travel with the page. */
export class Scans {
  constructor(about, bytes) {
    this.about = about;
    const next = ((at) => (size) => bytes.subarray(at, (at += size)))(0);
    const part = (count) => ({ images: next(count * about.size ** 2), labels: next(count), count });
    this.train = part(about.train);
    this.held = part(about.held);
    this.fresh = about.freshBytes ? next(about.freshBytes) : null;
  }

  scan(part, k) {
    const pixels = this.about.size ** 2;
    return part.images.subarray(k * pixels, (k + 1) * pixels);
  }

  /** Pixels as the model reads them. */
  standard(pixels, target = new Float32Array(pixels.length), at = 0) {
    const { mean, deviation } = this.about;
    for (let k = 0; k < pixels.length; k++) target[at + k] = (pixels[k] - mean) / deviation;
    return target;
  }
}

/** Fills the page. */
export function digitsPage(root, model, about, bytes) {
  const scans = new Scans(about, bytes);
  const reading = new Reading(model, scans);
  root.append(element("div", { class: "columns" }, reading.input, reading.answer));
  if (model.canTrain) {
    const training = new Training(model, scans, () => reading.read());
    root.append(training.root);
  }
  root.append(element("p", { class: "soft small" }, `The scans: ${about.credit}`));
}

/** Drawing, and what the model takes it for. */
class Reading {
  constructor(model, scans) {
    this.model = model;
    this.scans = scans;
    const { about } = scans;
    this.pad = new Pad(() => { this.chosen = null; this.read(); });
    this.seen = element("canvas", { role: "img", "aria-label": "The drawing as the model sees it" });
    showScan(this.seen, new Float32Array(about.size ** 2), about.size, about.levels);
    this.bars = new Bars(about.classes, "Probability of each digit");
    this.verdict = element("p", { class: "verdict", role: "status" }, "Draw something.");
    const clear = element("button", { type: "button", onclick: () => this.pad.clear() }, "Clear");
    this.input = card("Draw a digit", this.pad.root,
      element("div", { class: "row between above" },
        element("div", { class: "seen" }, this.seen,
          element("span", { class: "soft small" }, `seen as ${about.size} × ${about.size} pixels`)),
        clear),
      element("p", { class: "soft small above" }, "Or take a scan that it has never learned from:"),
      this.choices());
    this.answer = card("What the model reads", this.verdict, this.bars.list);
    this.answer.classList.add("filled");
  }

  choices() {
    const { about, held } = this.scans;
    const buttons = about.classes.map((name, digit) => {
      const places = Array.from({ length: held.count }, (_, k) => k).filter((k) => held.labels[k] === digit);
      let turn = 0;
      const canvas = element("canvas", {});
      const show = () => showScan(canvas, this.scans.scan(held, places[turn]), about.size, about.levels);
      show();
      const choose = () => {
        this.take(this.scans.scan(held, places[turn]));
        turn = (turn + 1) % places.length;
        show();
      };
      const label = `Read a scan of a ${name}`;
      return element("button", { type: "button", "aria-label": label, title: label, onclick: choose }, canvas);
    });
    return element("div", { class: "scans above" }, ...buttons);
  }

  take(scan) {
    this.pad.clear();
    this.pad.hint.style.display = "none";
    this.chosen = Float32Array.from(scan);
    this.read();
  }

  read() {
    const { about } = this.scans;
    if (!this.chosen && this.pad.isEmpty) {
      this.bars.clear();
      this.verdict.textContent = "Draw something.";
      showScan(this.seen, new Float32Array(about.size ** 2), about.size, about.levels);
      return;
    }
    const scan = this.chosen ?? this.pad.scan(about.size, about.levels, about.fit);
    showScan(this.seen, scan, about.size, about.levels);
    const shares = softmax(scores(this.model, this.scans.standard(scan)));
    this.bars.show(shares);
    const winner = best(shares);
    this.verdict.replaceChildren("It reads ", element("b", {}, about.classes[winner]),
      ` (${percent(shares[winner])})`);
  }
}
