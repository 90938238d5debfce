// A model exported by rushlight, for browsers and Node. It is described below, computed by
// model.wasm, and needs nothing else:
//
//     import { load } from "./model.js";
//     const model = await load();
//     const { NAME } = model.run({ NAME: [...] });
//
// Where memory is: the stack and constants, as the linker laid them; then weights, state,
// workspace, inputs and outputs, each at a multiple of 64 bytes.

export const description = /* description */ null;

const LINE = 64;
const SLOT = 8; // bytes of an address in a table, which holds 4 of them
const PAGE = 65536;

const ARRAYS = {
  float32: Float32Array, float64: Float64Array, int64: BigInt64Array, int32: Int32Array,
  int16: Int16Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array,
};

const FAULTS = {
  1: "an index among the inputs is out of range",
  "-1": "the model was not made for inputs of this size",
};

/** What is wrong with a file or with what a model was given, in one sentence. */
export class ModelError extends Error {
  constructor(message) {
    super(message);
    this.name = "ModelError";
  }
}

/** The CRC-32 of bytes, as zip files have it. */
export function checksum(bytes) {
  if (checksum.table === undefined) {
    checksum.table = Uint32Array.from({ length: 256 }, (_, number) => {
      for (let bit = 0; bit < 8; bit++) {
        number = number & 1 ? (number >>> 1) ^ 0xedb88320 : number >>> 1;
      }
      return number;
    });
  }
  let sum = 0xffffffff;
  for (let k = 0; k < bytes.length; k++) {
    sum = (sum >>> 8) ^ checksum.table[(sum ^ bytes[k]) & 0xff];
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** One of the files beside this one, compared with what it was when the model was exported. */
export async function intact(name, read) {
  const { bytes, crc32 } = description.files[name];
  let content;
  try {
    content = await read(name);
  } catch (error) {
    throw new ModelError(`${name} cannot be read (${error.message}). Copy the whole folder.`);
  }
  if (content.length !== bytes) {
    throw new ModelError(
      `${name} has ${content.length} bytes instead of ${bytes}: it is damaged, or belongs to ` +
      `another export. Export the model again, or copy the whole folder again.`);
  }
  if (checksum(content) !== crc32) {
    throw new ModelError(
      `${name} is damaged: its checksum is not what it was when the model was exported. ` +
      `Export the model again, or copy the whole folder again.`);
  }
  return content;
}

/** Reads a file beside this one: from the server in browsers, from the disk in Node. */
export async function readBeside(name) {
  const url = new URL(name, import.meta.url);
  if (url.protocol === "file:" && globalThis.process?.versions?.node) {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const answer = await fetch(url, { cache: "no-cache" }); // files of one export belong together
  if (!answer.ok) {
    throw new Error(`the server answers ${answer.status}`);
  }
  return new Uint8Array(await answer.arrayBuffer());
}

async function compiled(code) {
  try {
    return await WebAssembly.compile(code);
  } catch (error) {
    throw new ModelError(
      "this browser does not run WebAssembly with vectors (SIMD128), which Chrome and Firefox have " +
      `had since 2021 and Safari since 2023 (${error.message})`);
  }
}

/** Reads and checks the model's files, and makes a Model of them. */
export async function load(read = readBeside) {
  const module = await compiled(await intact("model.wasm", read));
  const inside = WebAssembly.Module.customSections(module, "weights");
  const files = { goldens: await intact("model.goldens", read) };
  files.weights = inside.length ? new Uint8Array(inside[0]) : await intact("model.weights", read);
  return new Model(await WebAssembly.instantiate(module), files);
}

/** A function of the module with the memory that it needs. */
class Entry {
  constructor(model, name, about, weights, state) {
    this.model = model;
    this.about = about;
    this.call = model.exports[name];
    this.weights = model.put(weights);
    this.first = state;
    this.state = about.stateBytes ? model.put(state) : 0;
    this.workspace = model.reserve(Math.max(...Object.values(about.workspace)));
    const largest = about.batches[about.batches.length - 1];
    const place = (each) => model.reserve(bytesOf(each, largest));
    this.inputs = about.inputs.map(place);
    this.outputs = about.outputs.map(place);
    this.tables = [this.inputs, this.outputs].map((places) => model.table(places));
  }

  /** The block of state. */
  memory() { return this.model.bytes(this.state, this.about.stateBytes); }

  run(given) {
    const { about, model } = this;
    const values = about.inputs.map((each, k) => this.given(given, each, k));
    const batch = this.batchOf(values);
    values.forEach((value, k) => model.view(about.inputs[k].dtype, this.inputs[k], value.length).set(value));
    const arguments_ = [...this.tables, this.weights, ...(about.stateBytes ? [this.state] : []), this.workspace];
    const result = this.call(...arguments_, BigInt(batch));
    if (result !== 0) {
      throw new ModelError(FAULTS[result] ?? `the model returns ${result}`);
    }
    const results = {};
    about.outputs.forEach((each, k) => {
      results[each.name] = model.view(each.dtype, this.outputs[k], sizeOf(each, batch)).slice();
    });
    return results;
  }

  given(given, about, k) {
    const value = Array.isArray(given) ? given[k] : given[about.name];
    if (value === undefined) {
      throw new ModelError(`the model's input ${about.name} is missing`);
    }
    const Kind = ARRAYS[about.dtype];
    if (value instanceof Kind) return value;
    return Kind.from(value, Kind === BigInt64Array ? BigInt : Number);
  }

  batchOf(values) {
    const { about } = this;
    for (const batch of about.batches) {
      if (about.inputs.every((each, k) => values[k].length === sizeOf(each, batch))) return batch;
    }
    const wanted = about.inputs.map((each) => `${each.name} (${each.shape.join(", ")})`).join(", ");
    const got = values.map((value) => value.length).join(", ");
    throw new ModelError(`the model takes ${wanted}; it was given ${got} numbers`);
  }
}

/** A model in memory of its own. */
export class Model {
  constructor(instance, { weights, goldens }) {
    this.exports = instance.exports;
    this.memory = this.exports.memory;
    this.end = this.exports.__heap_base.value;
    this.goldens = goldens;
    const { infer, train } = description;
    let at = 0;
    const next = (size) => weights.subarray(at, (at += size));
    this.infer = new Entry(this, infer.symbol, infer, next(infer.weightsBytes), next(infer.stateBytes));
    if (!train) return;
    this.trained = new Entry(this, train.symbol, train, next(train.weightsBytes), next(train.stateBytes));
  }

  /** What goes in and comes out: name, dtype and shape of each. */
  get inputs() { return this.infer.about.inputs; }
  get outputs() { return this.infer.about.outputs; }

  /**
   * The outputs by name, each a typed array in row-major order.
   *
   * Inputs are arrays of numbers, by name or in order.
   */
  run(inputs) { return this.infer.run(inputs); }

  /** The value of the dynamic size in the recorded examples. */
  get batch() {
    const [input] = this.inputs;
    const [, length] = description.goldens[0].inputs[0] ?? [0, 0];
    return this.infer.about.batches.find((batch) => input && sizeOf(input, batch) === length) ?? 1;
  }

  /** Whether the model was exported with its training step. */
  get canTrain() { return Boolean(this.trained); }

  /** One step of the optimizer on a batch; gives the loss. What `run` uses is updated. */
  train(inputs) {
    if (!this.trained) throw new ModelError("this model was exported without its training step");
    const results = this.trained.run(inputs);
    this.share();
    return Number(results[this.trained.about.outputs[0].name][0]);
  }

  /** The state of training as it was exported, as one block. */
  get firstState() { return this.trained.first; }

  /** Gives the state of training other values. */
  setState(block) {
    this.trained.memory().set(block);
    this.share();
  }

  /** Hands what training has changed to `run`. */
  share() {
    const targets = new Map(this.infer.about.state.map((each) => [each.name, each]));
    for (const each of this.trained.about.state) {
      const target = targets.get(each.name);
      if (target === undefined) continue;
      const source = this.bytes(this.trained.state + each.offset, bytesOf(each, 1));
      this.bytes(this.infer.state + target.offset, source.length).set(source);
    }
  }

  /**
   * The largest difference between what was recorded at export and what is computed here: answers,
   * and, where it is there, the loss and the state after a training step. Nothing is changed.
   */
  selftest() {
    const entries = [this.infer, ...(this.trained ? [this.trained] : [])];
    const before = entries.map((entry) => entry.memory().slice());
    entries.forEach((entry) => entry.memory().set(entry.first));
    const largest = Math.max(this.checkAnswers(), this.trained ? this.checkStep() : 0);
    entries.forEach((entry, k) => entry.memory().set(before[k]));
    if (!(largest <= description.tolerance)) {
      throw new ModelError(
        `the model's answers differ by ${largest} from those recorded when it was exported`);
    }
    return largest;
  }

  checkAnswers() {
    const found = [];
    for (const { inputs, outputs } of description.goldens) {
      const results = this.run(this.goldenInputs(this.infer.about, inputs));
      for (const { about, place } of this.paired(this.outputs, outputs)) {
        found.push(difference(results[about.name], this.golden(about, place)));
      }
    }
    return Math.max(...found);
  }

  checkStep() {
    const { about } = this.trained;
    const found = [];
    for (const { inputs, outputs, state } of description.stepGoldens) {
      this.trained.memory().set(this.trained.first);
      const results = this.trained.run(this.goldenInputs(about, inputs));
      for (const { about: each, place } of this.paired(about.outputs, outputs)) {
        found.push(difference(results[each.name], this.golden(each, place)));
      }
      for (const { name, place, stride } of state) {
        const each = about.state.find((one) => one.name === name);
        const now = this.view(each.dtype, this.trained.state + each.offset, sizeOf(each, 1));
        const right = this.golden(each, place);
        const sampled = now.filter((_, k) => k % stride === 0);
        const firm = (_, k) => !Number.isNaN(right[k]);  // the others are decided by rounding
        found.push(difference(sampled.filter(firm), right.filter(firm)));
      }
    }
    return Math.max(...found);
  }

  goldenInputs(about, places) {
    return this.paired(about.inputs, places).map(({ about: each, place }) => this.golden(each, place));
  }

  paired(abouts, places) {
    return places.map((place, k) => ({ about: abouts[k], place }));
  }

  golden(about, [offset, length]) {
    const Kind = ARRAYS[about.dtype];
    return new Kind(this.goldens.slice(offset, offset + length * Kind.BYTES_PER_ELEMENT).buffer);
  }

  // Memory ------------------------------------------------------------------------------------

  /** A place for so many bytes. */
  reserve(size) {
    const start = Math.ceil(this.end / LINE) * LINE;
    this.end = start + Math.max(size, 1);
    const missing = this.end - this.memory.buffer.byteLength;
    try {
      if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE));
    } catch (error) {
      throw new ModelError(`there is no memory for another ${Math.ceil(missing / 1e6)} MB`);
    }
    return start;
  }

  put(bytes) {
    const start = this.reserve(bytes.length);
    this.bytes(start, bytes.length).set(bytes);
    return start;
  }

  table(places) {
    const start = this.reserve(SLOT * places.length);
    const view = new DataView(this.memory.buffer);
    places.forEach((place, k) => view.setUint32(start + SLOT * k, place, true));
    return start;
  }

  bytes(start, length) { return new Uint8Array(this.memory.buffer, start, length); }

  view(dtype, start, length) { return new ARRAYS[dtype](this.memory.buffer, start, length); }
}

/** How many elements an input or output has. */
export function sizeOf({ counts }, batch) {
  return counts[batch];
}

function bytesOf(about, batch) {
  return sizeOf(about, batch) * ARRAYS[about.dtype].BYTES_PER_ELEMENT;
}

/** How far numbers are apart, beside their size where that is above 1. */
function difference(found, right) {
  let largest = 0;
  for (let k = 0; k < right.length; k++) {
    const [a, b] = [Number(found[k]), Number(right[k])];
    if (a === b || (a !== a && b !== b)) continue;
    const apart = Math.abs(a - b) / Math.max(1, Math.abs(b));
    if (Number.isNaN(apart)) return NaN;
    largest = Math.max(largest, apart);
  }
  return largest;
}
