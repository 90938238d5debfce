"use strict";

const $ = (id) => document.getElementById(id);
const MOST_BARS = 40;
const WORTH_SHOWING = 2000; // characters of a tensor
let token = "";
let model = null; // the metadata of the one that is chosen
let ink = null; // where digits are drawn, when the model takes them

async function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const method = body === undefined ? "GET" : "POST";
  const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const found = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(found.error || reply.statusText), reply);
  return found;
}

function made(tag, text, settings = {}) {
  const element = Object.assign(document.createElement(tag), settings);
  if (text !== undefined) element.textContent = text;
  return element;
}

function say(problem) {
  $("problem").hidden = !problem;
  $("problem").textContent = problem || "";
}

// Whether the page is still finding out what to show.
function busy(yes) {
  document.querySelector("main").setAttribute("aria-busy", String(yes));
}

async function list() {
  busy(true);
  try {
    await models();
  } finally {
    busy(false);
  }
}

async function models() {
  let rows;
  try {
    rows = await ask("/v2/repository/index", { ready: true });
  } catch (error) {
    $("lock").hidden = false;
    return;
  }
  $("lock").hidden = true;
  const names = [...new Set(rows.map((row) => row.name))];
  $("nothing").hidden = names.length > 0;
  $("models").replaceChildren(...names.map((name) => {
    const button = made("button", name, { type: "button", onclick: () => choose(name) });
    button.setAttribute("aria-pressed", "false");
    const item = made("li");
    item.append(button);
    return item;
  }));
  if (names.length) await choose(names[0]);
}

async function choose(name) {
  for (const button of $("models").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.textContent === name));
  }
  say("");
  $("model").hidden = false;
  $("name").textContent = name;
  $("answer").replaceChildren();
  $("time").textContent = "";
  try {
    model = await ask(`/v2/models/${name}`);
    const example = await ask(`/v2/models/${name}/example`);
    $("about").textContent = about(model);
    build(example);
  } catch (error) {
    say(error.message);
  }
}

function typed(port) {
  return `${port.datatype} [${port.shape.map((size) => (size < 0 ? "?" : size)).join(", ")}]`;
}

function about(model) {
  const ports = (list) => list.map((port) => `${port.name} ${typed(port)}`).join(", ");
  const { batched, reason } = model.parameters;
  const batch = batched ? "requests are batched" : `requests are not batched: ${reason}`;
  const versions = `version${model.versions.length > 1 ? "s" : ""} ${model.versions.join(", ")}`;
  return `${ports(model.inputs)} → ${ports(model.outputs)}; ${versions}; ${batch}.`;
}

// The side of the square that a model of digits reads; 0 for other models.
function digitSide({ inputs, outputs }) {
  const [input, output] = [inputs[0], outputs[0]];
  const gray = /^(FP|UINT8)/.test(input.datatype);
  if (inputs.length !== 1 || !gray || output.shape.at(-1) !== 10) return 0;
  const sizes = input.shape.slice(input.shape.length > 1 && input.shape[0] <= 1 ? 1 : 0);
  const pixels = sizes.reduce((product, size) => product * size, 1);
  const side = Math.round(Math.sqrt(pixels));
  const square = sizes.length === 1 ? side * side === pixels : sizes.at(-1) === sizes.at(-2);
  const plane = sizes.length < 3 || (sizes.length === 3 && sizes[0] === 1);
  return square && plane && side >= 8 && side <= 64 && output.shape.length <= 2 ? side : 0;
}

function build(example) {
  const side = digitSide(model);
  $("clear").hidden = !side;
  ink = null;
  if (side) {
    const drawing = made("div", undefined, { className: "drawing" });
    const canvas = made("canvas", undefined, { id: "ink" });
    canvas.setAttribute("aria-label", "Draw a digit here");
    const seen = made("figure", undefined, { style: "margin:0" });
    const preview = made("canvas", undefined, { id: "seen" });
    seen.append(preview, made("figcaption", `seen as ${side}×${side}`, { className: "shape" }));
    drawing.append(canvas, seen);
    $("fields").replaceChildren(made("label", "Draw a digit"), drawing);
    ink = new Ink(canvas, preview, side, infer);
  } else {
    $("fields").replaceChildren(...example.inputs.flatMap(field));
  }
  $("curl").textContent = curl(side ? example : question());
}

function field(input) {
  const id = `input-${input.name}`;
  const label = made("label", `${input.name} `);
  label.htmlFor = id;
  const shape = made("input", undefined, { id: `${id}-shape`, value: JSON.stringify(input.shape) });
  shape.setAttribute("aria-label", `shape of ${input.name}`);
  label.append(made("span", input.datatype, { className: "shape" }));
  const text = made("textarea", undefined, { id, spellcheck: false });
  text.value = JSON.stringify(input.data);
  return [label, shape, text];
}

function question() {
  if (ink) {
    const [port] = model.inputs;
    const { low = 0, high = 1 } = port.parameters || {};
    const shape = port.shape.map((size) => (size < 0 ? 1 : size));
    const whole = port.datatype === "UINT8" ? Math.round : (amount) => amount;
    const data = Array.from(ink.pixels(), (amount) => whole(low + amount * (high - low)));
    return { inputs: [{ name: port.name, shape, datatype: port.datatype, data }] };
  }
  return {
    inputs: model.inputs.map(({ name, datatype }) => ({
      name, datatype,
      shape: JSON.parse($(`input-${name}-shape`).value),
      data: JSON.parse($(`input-${name}`).value),
    })),
  };
}

function curl(body) {
  const address = `${location.origin}/v2/models/${model.name}/infer`;
  const secret = token ? " -H 'Authorization: Bearer TOKEN'" : "";
  return `curl${secret} -d '${JSON.stringify(body)}' ${address}`;
}

async function infer() {
  say("");
  $("ask").disabled = true;
  try {
    const body = question();
    $("curl").textContent = curl(body);
    const start = performance.now();
    const answer = await ask(`/v2/models/${model.name}/infer`, body);
    $("time").textContent = `${(performance.now() - start).toFixed(1)} ms`;
    $("answer").replaceChildren(...answer.outputs.flatMap(shown));
  } catch (error) {
    $("answer").replaceChildren();
    say(error instanceof SyntaxError ? `Not JSON: ${error.message}` : error.message);
  } finally {
    $("ask").disabled = false;
  }
}

function shown(output) {
  const heading = made("p", `${output.name} `);
  heading.append(made("span", typed(output), { className: "shape" }));
  const rows = output.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const few = output.shape.length > 0 && rows === 1 && output.data.length <= MOST_BARS;
  if (few && output.datatype !== "BOOL") return [heading, bars(output.data)];
  let text = JSON.stringify(output.data);
  if (text.length > WORTH_SHOWING) text = `${text.slice(0, WORTH_SHOWING)} …`;
  return [heading, made("pre", text)];
}

// Scores of classes as probabilities; what are probabilities already stays as it is.
function probabilities(scores) {
  const sum = scores.reduce((a, b) => a + b, 0);
  if (scores.every((score) => score >= 0) && Math.abs(sum - 1) < 1e-3) return scores;
  const most = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const whole = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / whole);
}

function bars(data) {
  const grid = made("div", undefined, { className: "bars" });
  const values = ink ? probabilities(data) : data;
  const best = Math.max(...values);
  const scale = ink ? 1 : Math.max(...values.map(Math.abs)) || 1;
  values.forEach((value, place) => {
    const top = value === best ? " top" : "";
    const bar = made("div", undefined, { className: `bar${top}` });
    const filled = made("span");
    filled.style.width = `${100 * Math.max(0, value) / scale}%`;
    bar.append(filled);
    const number = ink ? `${(100 * value).toFixed(1)} %` : value.toPrecision(4);
    grid.append(
      made("span", place, { className: top.trim() }), bar,
      made("span", number, { className: `number${top}` }),
    );
  });
  return grid;
}

$("form").addEventListener("submit", (event) => { event.preventDefault(); infer(); });
$("clear").addEventListener("click", () => { ink.clear(); $("answer").replaceChildren(); });
$("open").addEventListener("click", () => { token = $("token").value; list(); });
$("token").addEventListener("keydown", (event) => { if (event.key === "Enter") $("open").click(); });
list();
