// Evaluation, where the cases of the suite do not look: numbers and bits, and what cannot be computed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { erf } from "../src/evaluate/activations.js";
import { fromBytes, rounder, toBytes, finish } from "../src/evaluate/arrays.js";
import { fingerprint64 } from "../src/evaluate/fingerprint.js";
import { rateOf } from "../src/evaluate/schedules.js";
import { Tensor, UnsupportedError, evaluateModel, folderSource, fromPlain, readPackage, writeMembers } from "../src/index.js";
import { utf8 } from "../src/values.js";

test("numbers are rounded to float16 and bfloat16 as their definitions say", () => {
  const half = rounder("float16"), brain = rounder("bfloat16");
  for (const [x, y] of [[65519, 65504], [65520, Infinity], [2 ** -25, 0], [3 * 2 ** -26, 2 ** -24], [1 + 2 ** -11, 1], [1 + 3 * 2 ** -11, 1 + 2 ** -9], [0.1, 0.0999755859375], [-0.1, -0.0999755859375]]) assert.equal(half(x), y);
  for (const [x, y] of [[1 + 2 ** -8, 1], [1 + 3 * 2 ** -8, 1 + 2 ** -6], [0.1, 0.10009765625], [3.4e38, Infinity]]) assert.equal(brain(x), y);
});

test("every 16-bit pattern comes back from its number", () => {
  for (const dtype of ["float16", "bfloat16"]) {
    const bytes = new Uint8Array(new Uint16Array(65536).map((_, i) => i).buffer), tensor = fromBytes(dtype, [65536], bytes), again = toBytes(tensor);
    for (let i = 0; i < 65536; i++) if (!Number.isNaN(tensor.data[i])) assert.deepEqual([again[2 * i], again[2 * i + 1]], [bytes[2 * i], bytes[2 * i + 1]], `${dtype} ${i}`);
  }
});

test("integers wrap around, and 64 bits keep every digit", () => {
  assert.deepEqual([...finish("int8", [3], [127, 128, -129]).data], [127, -128, 127]);
  assert.equal(finish("int64", [1], [2n ** 62n + 1n]).data[0], 2n ** 62n + 1n);
});

test("the error function has 15 digits", () => {
  for (const [x, y] of [[0.5, 0.5204998778130465], [1, 0.8427007929497149], [2, 0.9953222650189527], [2.6, 0.9997639655834707], [-3, -0.9999779095030014]]) assert.ok(Math.abs(erf(x) - y) < 2e-15, `erf(${x})`);
});

test("fingerprints of every length of text are those of the formulas", () => {
  assert.equal(fingerprint64(utf8("")), 0x9ae16a3b2f90404fn);
  const seen = new Set(Array.from({ length: 300 }, (_, n) => fingerprint64(utf8("a".repeat(n)))));
  assert.equal(seen.size, 300);
});

test("schedules meet the points that they are made of", () => {
  const cycle = (config) => ({ type: "OneCycle", config: { max_learning_rate: 1, total_steps: 100, rise: 0.25, anneal: "linear", divisor: 10, final_divisor: 100, ...config } });
  for (const [n, rate] of [[0, 0.1], [24, 1], [99, 0.001]]) assert.ok(Math.abs(rateOf(cycle({}), n) - rate) < 1e-12);
  assert.ok(Math.abs(rateOf(cycle({ three_phase: true }), 48) - 0.1) < 1e-12);
  assert.equal(rateOf({ type: "LinearWarmup", config: { initial_learning_rate: 0, warmup_steps: 10, after: 2 } }, 5), 1);
  assert.equal(rateOf({ type: "CosineDecayRestarts", config: { initial_learning_rate: 1, first_decay_steps: 10 } }, 30), 1);
});

test("what cannot be computed is said, and not guessed", () => {
  const architecture = fromPlain({ format_version: "1.0", inputs: [{ name: "x", shape: [null, 2] }], layers: [{ name: "own", type: "example:Own" }] });
  const model = readPackage(folderSource(writeMembers({ architecture })));
  assert.throws(() => evaluateModel(model, { x: new Tensor("float32", [1, 2]) }), UnsupportedError);
});

test("a mask that does not fit what it hides is told apart from a fault of ours", () => {
  const architecture = fromPlain({ format_version: "1.0", inputs: [{ name: "x", shape: [null, 3, 1] }, { name: "m", shape: [null, 2], dtype: "bool" }], layers: [{ name: "mean", type: "GlobalAveragePooling1D" }],
    calls: [{ layer: "mean", inputs: ["x"], arguments: { mask: { value: "m" } } }], outputs: ["mean"] });
  const model = readPackage(folderSource(writeMembers({ architecture })));
  assert.throws(() => evaluateModel(model, { x: new Tensor("float32", [1, 3, 1]), m: new Tensor("bool", [1, 2]) }), UnsupportedError);
});
