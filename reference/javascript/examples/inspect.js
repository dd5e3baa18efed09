// Shows what an archive holds, or what is wrong with it, in the page inspect.html.

import { archiveSource, inspectPackage } from "triptych-format";

const found = document.getElementById("found"), drop = document.getElementById("drop");

function element(name, { text, className, scope } = {}, ...children) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  if (scope) made.scope = scope;
  made.append(...children);
  return made;
}

/** A table; a column whose cells are numbers stands on the right. */
function table(caption, heads, rows) {
  const className = (i) => (rows.every((row) => typeof row[i] === "number") ? "number" : undefined);
  const head = element("tr", {}, ...heads.map((text, i) => element("th", { text, scope: "col", className: className(i) })));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell, i) => element("td", { text: typeof cell === "number" ? cell.toLocaleString("en") : cell, className: className(i) }))));
  return element("table", {}, element("caption", { text: caption }), element("thead", {}, head), element("tbody", {}, ...body));
}

async function digestOf(bytes) {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `sha256:${[...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function* parts(name, { manifest, layers, weights, training, state }) {
  yield element("h2", { text: `${name} keeps the specification` });
  const parameters = layers?.parameters(weights);
  if (parameters) yield element("p", { text: `${parameters.trainable.toLocaleString("en")} numbers are trained, ${parameters.nonTrainable.toLocaleString("en")} are not.` });
  if (layers) yield table("Layers", ["name", "type"], [...layers.graph.layers.values()].map((layer) => [layer.name, layer.composite ?? layer.type]));
  const tensors = (caption, all) => table(caption, ["name", "dtype", "shape", "bytes"], [...all.values()].map(({ name: one, dtype, shape, size }) => [one, dtype, `[${shape.join(", ")}]`, size]));
  if (weights) yield tensors("Weights", weights);
  if (training) yield element("p", { text: `Trained by ${training.optimizer?.type ?? "an optimizer that is not said"}; step ${training.progress?.step ?? "not said"}.` });
  if (state) yield tensors("Training state", state);
  yield table("Members", ["name", "bytes", "digest"], Object.entries(manifest.members).map(([member, { size, digest, header_digest: header }]) => [member, size, digest ?? `${header} (header)`]));
}

async function show(file) {
  const bytes = new Uint8Array(await file.arrayBuffer()), { model, problems } = inspectPackage(archiveSource(bytes));
  if (problems.length) {
    const rows = problems.map(({ code, requirement, place, message }) => [place, `${code} (${requirement})`, message]);
    found.replaceChildren(element("h2", { text: `${file.name} breaks the specification` }), table(`Problems: ${problems.length}`, ["place", "code", "what is wrong"], rows));
    return;
  }
  found.replaceChildren(...parts(file.name, model), element("p", { text: "The archive as a whole: " }, element("code", { text: await digestOf(bytes) })));
}

document.getElementById("file").addEventListener("change", ({ target }) => target.files[0] && show(target.files[0]));
for (const type of ["dragover", "dragleave", "drop"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", type === "dragover");
    if (type === "drop" && event.dataTransfer.files[0]) show(event.dataTransfer.files[0]);
  });
}
