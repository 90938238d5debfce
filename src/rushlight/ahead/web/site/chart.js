// A curve that grows while one watches.

import { element, percent } from "./view.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [420, 190, 46, 22, 8];
const MOST = 600; // points that are drawn
const SMOOTH = 0.06;
const LEAST = 1e-3; // of a logarithm

function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A value against steps: a loss with a smooth line, or a share. */
export class Chart {
  constructor(title, { logarithmic = false, warm = false }) {
    this.logarithmic = logarithmic;
    this.grid = svg("g", {});
    this.dots = svg("path", { class: "dots" });
    this.curve = svg("path", { class: warm ? "curve warm" : "curve" });
    this.svg = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": title },
      this.grid, this.dots, this.curve);
    this.root = element("figure", {}, element("figcaption", {}, title), this.svg);
    this.clear();
  }

  clear() {
    this.points = [];
    this.smooth = null;
    this.draw();
  }

  add(step, value) {
    this.smooth = this.smooth === null ? value : this.smooth + SMOOTH * (value - this.smooth);
    this.points.push([step, value, this.smooth]);
  }

  draw() {
    const { points } = this;
    const last = Math.max(points.length ? points[points.length - 1][0] : 0, 20);
    const [low, high] = this.range();
    const across = (step) => LEFT + ((WIDTH - LEFT) * step) / last;
    const down = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (this.scaled(value) - low) / (high - low));
    const thin = Math.max(1, Math.ceil(points.length / MOST));
    const shown = points.filter((_, k) => k % thin === 0 || k === points.length - 1);
    const path = (column) => shown.map((point, k) =>
      `${k ? "L" : "M"}${across(point[0]).toFixed(1)} ${down(point[column]).toFixed(1)}`).join("");
    this.dots.setAttribute("d", this.logarithmic ? path(1) : "");
    this.curve.setAttribute("d", path(this.logarithmic ? 2 : 1));
    this.grid.replaceChildren(...this.lines(low, high, down), ...this.steps(last, across));
  }

  scaled(value) { return this.logarithmic ? Math.log10(Math.max(value, LEAST)) : value; }

  range() {
    if (!this.logarithmic) return [0, 1];
    const values = this.points.map(([, value]) => this.scaled(value));
    return [Math.floor(Math.min(-1, ...values.slice(-4000))), Math.max(0.5, ...values.slice(-4000))];
  }

  lines(low, high, down) {
    const marks = this.logarithmic
      ? Array.from({ length: Math.floor(high) - low + 1 }, (_, k) => 10 ** (low + k))
      : [0, 0.25, 0.5, 0.75, 1];
    return marks.flatMap((mark) => [
      svg("line", { x1: LEFT, x2: WIDTH, y1: down(mark), y2: down(mark) }),
      svg("text", { x: LEFT - 6, y: down(mark) + 4, "text-anchor": "end" },
        this.logarithmic ? String(Number(mark.toPrecision(1))) : percent(mark).replace(".0", "")),
    ]);
  }

  steps(last, across) {
    return [0, 0.5, 1].map((share) => svg("text", {
      x: across(share * last), y: HEIGHT - 4, "text-anchor": ["start", "middle", "end"][share * 2],
    }, Math.round(share * last).toLocaleString("en") + (share === 1 ? " steps" : "")));
  }
}
