// Training in the page: the exported step, on the digits that travel with it.

import { best, card, element, percent } from "./view.js";
import { Chart } from "./chart.js";

const FRAME = 14; // milliseconds of steps between two pictures, at most
const STEPS = 4; // between two pictures, at most: one wants to see it learn
const EVERY = 20; // steps between two looks at the accuracy; a quarter of it while it rises
const PASSES = 30; // over all scans, then it pauses

/** One score for each class. */
export function scores(model, pixels) {
  return model.run([pixels])[model.outputs[0].name];
}

/** Numbers in an order drawn at random. */
function shuffled(count) {
  const order = Uint32Array.from({ length: count }, (_, k) => k);
  for (let k = count - 1; k > 0; k--) {
    const other = Math.floor(Math.random() * (k + 1));
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}

/** A section with a button that trains the model, and curves. */
export class Training {
  constructor(model, scans, changed) {
    this.model = model;
    this.scans = scans;
    this.changed = changed;
    this.batch = model.trained.about.inputs[0].shape[0];
    this.exported = model.firstState;
    this.button = element("button", { type: "button", class: "main", onclick: () => this.toggle() });
    this.reset = element("button", { type: "button", onclick: () => this.restore() }, "Back to the exported weights");
    this.tiles = Object.fromEntries(
      ["steps", "passes", "loss", "accuracy", "images a second"].map((name) => [name, element("b", {}, "–")]));
    this.loss = new Chart("Loss of each batch (logarithmic)", { logarithmic: true });
    this.accuracy = new Chart(`Accuracy on ${scans.held.count} scans that it does not learn from`, { warm: true });
    this.root = card("Train it here", this.introduction(),
      element("div", { class: "row above" }, this.button, this.reset),
      element("div", { class: "tiles" }, ...Object.entries(this.tiles).map(
        ([name, value]) => element("div", { class: "tile" }, value, element("span", {}, name)))),
      element("div", { class: "charts" }, this.loss.root, this.accuracy.root));
    this.restart(null);
  }

  introduction() {
    return element("p", { class: "soft" },
      `Forward pass, gradients and the optimizer’s update run in this page, on batches of ${this.batch} ` +
      `out of ${this.scans.train.count.toLocaleString("en")} scans. Training begins with fresh weights, ` +
      "so the model above forgets what it knows, and learns it again while you watch.");
  }

  /** Begins again, with other weights if some are given. */
  restart(state) {
    this.running = false;
    this.step = this.seconds = 0;
    this.order = [];
    if (state) this.model.setState(state);
    this.loss.clear();
    this.accuracy.clear();
    for (const value of Object.values(this.tiles)) value.textContent = "–";
    this.label("Train from scratch");
    this.reset.disabled = !state || state === this.exported;
  }

  restore() {
    this.restart(this.exported);
    this.changed();
  }

  label(text) { this.button.textContent = text; }

  toggle() {
    if (this.running) {
      this.running = false;
      this.label("Go on");
      return;
    }
    if (this.step === 0) {
      this.restart(this.fresh());
      this.look();
    }
    this.running = true;
    this.reset.disabled = false;
    this.label("Pause");
    this.turn();
  }

  /** The state as it was before the model had learned anything, with other first weights. */
  fresh() {
    return this.scans.fresh ?? this.exported;
  }

  turn() {
    if (!this.running) return;
    const until = performance.now() + FRAME;
    try {
      do this.learn(); while (performance.now() < until && this.step % STEPS !== 0 && this.step > 4 * EVERY);
      if (this.step % (this.step < 4 * EVERY ? EVERY / 4 : EVERY) === 0) this.look();
    } catch (error) {
      this.running = false;
      this.root.prepend(element("p", { class: "fault", role: "alert" }, error.message));
      return;
    }
    this.show();
    this.changed();
    if ((this.step * this.batch) % (PASSES * this.scans.train.count) < this.batch) this.toggle();
    else requestAnimationFrame(() => this.turn());
  }

  learn() {
    const { scans, batch } = this;
    const pixels = scans.about.size ** 2;
    this.images ??= new Float32Array(batch * pixels);
    this.labels ??= new BigInt64Array(batch);
    for (let k = 0; k < batch; k++) {
      if (this.order.length === 0) this.order = Array.from(shuffled(scans.train.count));
      const chosen = this.order.pop();
      scans.standard(scans.scan(scans.train, chosen), this.images, k * pixels);
      this.labels[k] = BigInt(scans.train.labels[chosen]);
    }
    const begun = performance.now();
    const loss = this.model.train([this.images, this.labels]);
    this.seconds += (performance.now() - begun) / 1000;
    this.step += 1;
    this.latest = loss;
    this.loss.add(this.step, loss);
  }

  look() {
    const { scans, model } = this;
    const { held } = scans;
    let right = 0;
    for (let k = 0; k < held.count; k++) {
      const found = best(Array.from(scores(model, scans.standard(scans.scan(held, k)))));
      right += found === held.labels[k];
    }
    this.share = right / held.count;
    this.accuracy.add(this.step, this.share);
  }

  show() {
    const images = this.step * this.batch;
    this.tiles.steps.textContent = this.step.toLocaleString("en");
    this.tiles.passes.textContent = (images / this.scans.train.count).toFixed(1);
    this.tiles.loss.textContent = this.latest.toPrecision(3);
    this.tiles.accuracy.textContent = percent(this.share);
    this.tiles["images a second"].textContent = Math.round(images / Math.max(this.seconds, 1e-3)).toLocaleString("en");
    this.loss.draw();
    this.accuracy.draw();
  }
}
