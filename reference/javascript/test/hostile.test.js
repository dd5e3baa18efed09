// Packages that are made to take for ever, to take all memory, or to be taken for something else: each is judged at once.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { archiveSource, evaluateModel, folderSource, fromPlain, readPackage, Tensor, validatePackage, writeArchive, writeMembers } from "../src/index.js";
import { parseJson } from "../src/json.js";
import { LIMITS } from "../src/limits.js";

const codes = (architecture) => validatePackage(folderSource(writeMembers({ architecture: fromPlain({ format_version: "1.0", ...architecture }) }))).map(({ code }) => code);
const x = [{ name: "x", shape: [null, 4] }];

test("composites that follow each other, or end where they began", () => {
  const chain = (last) => Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`C${i}`, { layers: [{ name: "a", type: i < 2999 ? `C${i + 1}` : last }] }]));
  assert.deepEqual(codes({ layers: [], composites: chain("Flatten") }), []);
  assert.deepEqual(codes({ layers: [], composites: chain("C1500") }), Array(1500).fill("COMPOSITE_RECURSIVE"));
});

test("nested graphs that call each other twice, 39 levels deep", () => {
  let nested = { inputs: x, layers: [] };
  for (let i = 0; i < 39; i++) nested = { inputs: x, layers: [{ name: "m", type: "Model", architecture: nested }], calls: [{ layer: "m", inputs: ["x"], outputs: ["a"] }, { layer: "m", inputs: ["a"], outputs: ["b"] }], outputs: ["b"] };
  assert.deepEqual(codes(nested), []);
});

test("a split into more parts than there are numbers of bytes", () => {
  assert.equal(codes({ inputs: x, layers: [], calls: [{ op: "split", config: { parts: 2 ** 40, axis: 1 }, inputs: ["x"], outputs: ["a"] }], outputs: ["a"] }).length, 1);
});

test("a composite with a thousand layers whose weights its use names", () => {
  const weights = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`l${i}.w`, { tensor: `t${i}` }]));
  const layers = Array.from({ length: 1000 }, (_, i) => ({ name: `l${i}`, type: "example:T", weights: { w: { tensor: "s" } } }));
  assert.deepEqual(codes({ layers: [{ name: "x", type: "C", weights }], composites: { C: { layers } } }), []);
  assert.deepEqual(codes({ layers: [{ name: "x", type: "C", weights: { "l0.v.u": { tensor: "q" } } }], composites: { C: { layers: layers.slice(0, 1) } } }), ["LAYER_ROLE_UNKNOWN"]);
});

const INHERITED = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];

/** A small model with every section, whose names are those that objects of JavaScript inherit. */
function inherited() {
  const architecture = fromPlain({ format_version: "1.0", inputs: [{ name: "constructor", shape: [null, 1] }],
    layers: INHERITED.map((name) => ({ name, type: "Dense", config: { units: 1, use_bias: false }, weights: { kernel: { tensor: name } } })) });
  const text = '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}, "toString": 1}';
  const data = parseJson(text, { member: "m", limits: LIMITS, problems: [] });
  Object.assign(architecture, { extensions_used: ["constructor"], extensions: Object.assign(Object.create(null), { constructor: data }) });
  const one = new Uint8Array(Float32Array.of(2).buffer);
  const weights = new Map(INHERITED.map((name) => [name, { name, dtype: "float32", shape: [1, 1], size: 4, bytes: () => one }]));
  const metadata = parseJson('{"__proto__": "x", "valueOf": "y"}', { member: "m", limits: LIMITS, problems: [] });
  const training = fromPlain({ format_version: "1.0", optimizer: { type: "SGD", config: { learning_rate: 1 } } });
  const assets = new Map(INHERITED.map((name) => [`assets/${name}`, { size: 4, slice: () => one }]));
  return { manifest: { metadata }, architecture, weights, training, state: new Map([["optimizer.count", { ...weights.get("valueOf"), name: "optimizer.count" }]]), assets };
}

test("names that objects inherit are names like any other", () => {
  for (const spelling of ["json", "yaml"]) {
    const members = writeMembers(inherited(), { spelling }), model = readPackage(folderSource(members));
    assert.deepEqual([...model.weights.keys()].sort(), [...INHERITED].sort());
    assert.deepEqual(model.layers.parameters(model.weights), { trainable: 5, nonTrainable: 0 });
    assert.deepEqual(evaluateModel(model, { constructor: new Tensor("float32", [1, 1], Float64Array.of(1)) }).valueOf.data, Float64Array.of(32));
    assert.deepEqual([...writeMembers(model, { spelling })].sort(), [...members].sort());
  }
  assert.equal({}.polluted, undefined);
});

test("an architecture may call its types and operations after what objects inherit, and is told that there are none", () => {
  for (const name of INHERITED.slice(1)) {
    assert.deepEqual(codes({ layers: [{ name: "a", type: name }] }), ["LAYER_TYPE_UNKNOWN"]);
    assert.equal(codes({ inputs: x, layers: [], calls: [{ op: name.toLowerCase(), inputs: ["x"], outputs: ["a"] }], outputs: ["a"] }).length, 1);
    assert.equal(codes({ inputs: x, layers: [{ name: "a", type: "Dense", config: { units: 1, activation: name } }] }).length, 1);
  }
});

/** How many problems a source has; any error is the test's. */
const count = (source) => validatePackage(source).length;

test("every cut of a small archive, and a flipped bit in every byte, is a problem and nothing else", () => {
  const archive = writeArchive(writeMembers(inherited()));
  assert.equal(count(archiveSource(archive)), 0);
  for (let at = 0; at < archive.length; at++) {
    assert.notEqual(count(archiveSource(archive.subarray(0, at))), 0, `cut at byte ${at}`);
    const bytes = archive.slice();
    bytes[at] ^= 1 << (at % 8);
    assert.notEqual(count(archiveSource(bytes)), 0, `changed at byte ${at}`);
  }
});

test("a cut of a member of a folder is a problem, and a changed manifest is one or keeps the specification", () => {
  const members = writeMembers(inherited(), { spelling: "yaml" });
  for (const [name, bytes] of members) {
    for (let at = 0; at < bytes.length - 1; at += 7) {
      assert.notEqual(count(folderSource([...members, [name, bytes.subarray(0, at)]])), 0, `${name} cut at byte ${at}`);
      if (name !== "manifest.json") continue;
      const changed = bytes.slice();
      changed[at] ^= 1 << (at % 8);
      count(folderSource([...members, [name, changed]]));
    }
  }
});

test("no size that a file declares is allocated before it is held against the file", () => {
  const text = (header) => new TextEncoder().encode(header), head = (length) => new Uint8Array(BigUint64Array.of(length).buffer);
  const shape = (one) => text(`{"a":{"dtype":"F32","shape":${one},"data_offsets":[0,4]}}`);
  const files = [[head(2n ** 62n)], [head(33_554_433n)], ...["[9007199254740991]", "[4294967296,268435456]", `[${Array(33).fill(1)}]`].map((one) => [head(BigInt(shape(one).length)), shape(one), new Uint8Array(4)])];
  const members = writeMembers(inherited());
  for (const parts of files) {
    const file = Uint8Array.from(parts.flatMap((part) => [...part])), before = process.memoryUsage().arrayBuffers;
    assert.notEqual(count(folderSource([...members, ["model.safetensors", file]])), 0);
    assert.ok(process.memoryUsage().arrayBuffers - before < 50e6);
  }
});

test("nothing generates code", () => {
  const folder = join(import.meta.dirname, "..", "src");
  for (const name of readdirSync(folder, { recursive: true }).filter((one) => one.endsWith(".js"))) {
    assert.doesNotMatch(readFileSync(join(folder, name), "utf8"), /\beval\(|\bFunction\(|\bimport\(|require\(|setTimeout|WebAssembly/, name);
  }
});
