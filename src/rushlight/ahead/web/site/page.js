// The page: reads the model, checks it, and shows what suits it.

import { description, intact, load, readBeside } from "./model.js";
import { element } from "./view.js";
import { digitsPage } from "./digits.js";
import { charactersPage } from "./characters.js";
import { formPage } from "./form.js";

/** Reads a file that offline.js holds, for pages that no server sends. */
async function readHeld(name) {
  if (globalThis.heldFiles === undefined) {
    await new Promise((done, failed) => {
      const script = element("script", { src: "offline.js", onload: done, onerror: () => failed(new Error("offline.js is missing")) });
      document.head.append(script);
    });
  }
  const text = atob(globalThis.heldFiles[name]);
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function prove(model) {
  const proof = document.getElementById("proof");
  const count = description.goldens.length;
  const examples = count === 1 ? "the recorded example" : `all ${count} recorded examples`;
  const largest = model.selftest();
  proof.className = "good";
  proof.textContent = `Checked: ${examples} ${count === 1 ? "gives" : "give"} the answers that Python gave ` +
    `(largest difference ${largest === 0 ? "0" : largest.toExponential(1)}).`;
}

function refuse(root, error) {
  root.replaceChildren(element("p", { class: "fault", role: "alert" }, String(error.message)));
  const proof = document.getElementById("proof");
  proof.className = "bad";
  proof.textContent = "The model was refused.";
}

async function start() {
  const root = document.getElementById("page");
  const read = location.protocol === "file:" ? readHeld : readBeside;
  try {
    if (typeof WebAssembly === "undefined") throw new Error("This browser has no WebAssembly.");
    const model = await load(read);
    prove(model);
    document.getElementById("loading").remove();
    const { page } = description;
    const bytes = page.bytes ? await intact("page.data", read) : null;
    if (page.kind === "digits") digitsPage(root, model, page, bytes);
    else if (page.kind === "characters") charactersPage(root, model, page);
    else formPage(root, model);
    globalThis.rushlight = { model, description }; // for the console
  } catch (error) {
    refuse(root, error);
  }
  root.setAttribute("aria-busy", "false");
}

start();
