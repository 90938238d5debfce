"use strict";

// A square to draw a digit in, and the pixels that a model of digits is given of it.
class Ink {
  static WIDTH = 280;

  constructor(canvas, preview, side, changed) {
    this.canvas = canvas;
    this.preview = preview;
    this.side = side;
    this.changed = changed;
    canvas.width = canvas.height = Ink.WIDTH;
    preview.width = preview.height = side;
    this.pen = canvas.getContext("2d", { willReadFrequently: true });
    this.last = null;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => this.end());
    }
    this.clear();
  }

  clear() {
    this.pen.clearRect(0, 0, Ink.WIDTH, Ink.WIDTH);
    this.drawn = false;
    this.show(new Float32Array(this.side * this.side));
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = Ink.WIDTH / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  begin(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.last = this.at(event);
    this.go(event);
  }

  go(event) {
    if (this.last === null) return;
    const next = this.at(event);
    this.pen.lineWidth = Ink.WIDTH / 11;
    this.pen.lineCap = this.pen.lineJoin = "round";
    this.pen.strokeStyle = "#000";
    this.pen.beginPath();
    this.pen.moveTo(...this.last);
    this.pen.lineTo(...next);
    this.pen.stroke();
    this.last = next;
    this.drawn = true;
  }

  end() {
    if (this.last === null) return;
    this.last = null;
    this.changed();
  }

  // The box around what is drawn: left, top, width, height.
  box() {
    const { data } = this.pen.getImageData(0, 0, Ink.WIDTH, Ink.WIDTH);
    let [left, top, right, bottom] = [Ink.WIDTH, Ink.WIDTH, -1, -1];
    for (let y = 0; y < Ink.WIDTH; y++) {
      for (let x = 0; x < Ink.WIDTH; x++) {
        if (data[4 * (y * Ink.WIDTH + x) + 3] === 0) continue;
        left = Math.min(left, x); right = Math.max(right, x);
        top = Math.min(top, y); bottom = Math.max(bottom, y);
      }
    }
    return [left, top, right - left + 1, bottom - top + 1];
  }

  // How much ink each of side x side pixels has, 0 to 1. Scans of 8 x 8 are cut at the digit, and
  // the larger ones of MNIST have it in the middle of a margin: 20 pixels of 28.
  pixels() {
    const { side } = this;
    if (!this.drawn) return new Float32Array(side * side);
    const fine = 8 * side;
    const [left, top, width, height] = this.box();
    const scale = (side < 16 ? 1 : 20 / 28) * fine / Math.max(width, height);
    const sheet = document.createElement("canvas");
    sheet.width = sheet.height = fine;
    const pen = sheet.getContext("2d", { willReadFrequently: true });
    const [across, down] = [width * scale, height * scale];
    pen.drawImage(
      this.canvas, left, top, width, height,
      (fine - across) / 2, (fine - down) / 2, across, down,
    );
    const { data } = pen.getImageData(0, 0, fine, fine);
    const found = new Float32Array(side * side);
    for (let y = 0; y < fine; y++) {
      for (let x = 0; x < fine; x++) {
        found[(y >> 3) * side + (x >> 3)] += data[4 * (y * fine + x) + 3] / 255 / 64;
      }
    }
    this.show(found);
    return found;
  }

  show(pixels) {
    const pen = this.preview.getContext("2d");
    const image = pen.createImageData(this.side, this.side);
    pixels.forEach((ink, place) => {
      image.data.fill(255 * (1 - ink), 4 * place, 4 * place + 3);
      image.data[4 * place + 3] = 255;
    });
    pen.putImageData(image, 0, 0);
  }
}
