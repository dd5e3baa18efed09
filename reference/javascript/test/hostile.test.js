// Documents that are made to take for ever: each is judged at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folderSource, fromPlain, validatePackage, writeMembers } from "../src/index.js";

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
