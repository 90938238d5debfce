// A pad to draw on, and what a scanner would make of the drawing.

import { element } from "./view.js";

const PEN = 0.072; // of the pad's width
const FINE = 16; // points across a pixel of the scan, when it is averaged
const NARROW = 0.4; // width by height of what is one line

/** A square that one draws on with mouse, finger or pen. */
export class Pad {
  constructor(changed) {
    this.strokes = [];
    this.changed = changed;
    this.canvas = element("canvas", {
      role: "img", "aria-label": "Draw a digit here, or choose a scan below",
    });
    this.hint = element("p", { "aria-hidden": "true" }, "Draw a digit");
    this.root = element("div", { class: "pad" }, this.canvas, this.hint);
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(name, () => { this.stroke = null; });
    }
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  get isEmpty() { return this.strokes.length === 0; }

  clear() {
    this.strokes = [];
    this.draw();
    this.changed();
  }

  begin(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = [];
    this.strokes.push(this.stroke);
    this.go(event);
  }

  go(event) {
    if (!this.stroke) return;
    const box = this.canvas.getBoundingClientRect();
    for (const each of event.getCoalescedEvents?.() ?? [event]) {
      this.add((each.clientX - box.left) / box.width, (each.clientY - box.top) / box.height);
    }
    if (this.stroke.length === 0) {
      this.add((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    }
    this.draw();
    this.changed();
  }

  add(x, y) { this.stroke.push([x, y]); }

  draw() {
    const size = Math.round(this.canvas.clientWidth * (globalThis.devicePixelRatio || 1)) || 300;
    this.canvas.width = this.canvas.height = size;
    const context = this.canvas.getContext("2d");
    context.strokeStyle = getComputedStyle(this.canvas).color;
    trace(context, this.strokes, ([x, y]) => [x * size, y * size], PEN * size);
    this.hint.hidden = !this.isEmpty;
    this.hint.style.display = this.isEmpty ? "" : "none";
  }

  /**
   * The drawing as a scan of `size` by `size` pixels from 0 to `levels`, as digits are scanned for
   * the data: the height is filled, the middle is in the middle.
   */
  scan(size, levels, { width, pen }) {
    const points = this.strokes.flat();
    const [left, right] = ends(points.map(([x]) => x));
    const [top, bottom] = ends(points.map(([, y]) => y));
    const tall = Math.max(bottom - top, 1e-6);
    const wide = Math.max(right - left, 1e-6);
    const broad = pen * (wide < NARROW * tall ? 1.4 : 1); // a single line is a wide one in the data
    const down = (1 - broad) / Math.max(tall, wide * 0.45); // the middle of a line at the edge
    const across = Math.min(down, (width - broad) / wide);
    const place = ([x, y]) => [
      (0.5 + (x - (left + right) / 2) * across) * size * FINE,
      (0.5 + (y - (top + bottom) / 2) * down) * size * FINE,
    ];
    const canvas = element("canvas", { width: size * FINE, height: size * FINE });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    trace(context, this.strokes, place, broad * size * FINE);
    return averaged(context.getImageData(0, 0, size * FINE, size * FINE).data, size, levels);
  }
}

function ends(numbers) {
  return [Math.min(...numbers), Math.max(...numbers)];
}

function trace(context, strokes, place, width) {
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = width;
  for (const stroke of strokes) {
    const points = stroke.map(place);
    const [last] = points.slice(-1);
    context.beginPath();
    context.moveTo(...points[0]);
    points.slice(0, -1).forEach(([x, y], k) => { // through the middles: a hand draws no corners
      const [nextX, nextY] = points[k + 1];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    });
    context.lineTo(last[0], last[1] + 0.01); // a line of no length is not drawn
    context.stroke();
  }
}

function averaged(pixels, size, levels) {
  const scan = new Float32Array(size * size);
  for (let y = 0; y < size * FINE; y++) {
    for (let x = 0; x < size * FINE; x++) {
      const alpha = pixels[4 * (y * size * FINE + x) + 3];
      scan[Math.floor(y / FINE) * size + Math.floor(x / FINE)] += alpha;
    }
  }
  return scan.map((sum) => Math.round((sum / 255 / FINE / FINE) * levels));
}

/** Shows a scan on a canvas of as many pixels. */
export function showScan(canvas, scan, size, levels) {
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  const image = context.createImageData(size, size);
  scan.forEach((value, k) => {
    const shade = 255 - Math.round((255 * value) / levels);
    image.data.set([shade, shade, shade, 255], 4 * k);
  });
  context.putImageData(image, 0, 0);
}
