// What a model says, as the conformance suite compares it: documents as plain data, tensors as bits.

import { dtypeOfName } from "./dtypes.js";
import { compactJson } from "./json_text.js";
import { SECTIONS } from "./manifest.js";
import { ordered } from "./ordered.js";
import { digestOf } from "./sha256.js";
import { has } from "./values.js";

const SHOWN = 64;

/** The elements of a packed dtype, the first in the lowest bits (WGT-019). */
function packedBits(bytes, width) {
  const stored = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n), mask = (1n << BigInt(width)) - 1n;
  const element = (_, i) => ((stored >> BigInt(width * i)) & mask).toString(16).padStart(Math.ceil(width / 4), "0");
  return Array.from({ length: (bytes.length * 8) / width }, element);
}

/** Every element of bytes in hexadecimal, most significant digit first. */
export function bitsOf(bytes, dtype) {
  if (dtype.bits < 8) return packedBits(bytes, dtype.bits);
  const size = dtype.bits / 8, part = dtype.kind === "complex" ? size / 2 : size, words = [];
  for (let at = 0; at < bytes.length; at += size) {
    let word = "";
    for (let begin = at; begin < at + size; begin += part) {
      for (let i = begin + part - 1; i >= begin; i--) word += bytes[i].toString(16).padStart(2, "0");
    }
    words.push(word);
  }
  return words;
}

function tensor({ dtype: name, shape, blob, begin, size }) {
  const dtype = dtypeOfName(name), count = shape.reduce((product, extent) => product * extent, 1);
  return new Map([["dtype", name], ["shape", shape], count <= SHOWN ? ["bits", bitsOf(blob.slice(begin, begin + size), dtype)] : ["sha256", digestOf(blob, begin, begin + size).slice(7)]]);
}

const tensors = (found) => new Map([...found].map(([name, one]) => [name, tensor(one)]));

/** The observation of a model, as JSON text. */
export function observe(model) {
  const { sections } = model.manifest;
  const observed = new Map([["sections", SECTIONS.filter((name) => has(sections, name))]]);
  if (model.architecture) observed.set("architecture", ordered("architecture", model.architecture));
  if (model.weights) observed.set("tensors", tensors(model.weights));
  if (model.training) observed.set("training", ordered("training", model.training));
  if (model.state) observed.set("state", tensors(model.state));
  if (model.assets.size) observed.set("assets", new Map([...model.assets].map(([name, blob]) => [name, new Map([["size", blob.size], ["sha256", digestOf(blob, 0, blob.size).slice(7)]])])));
  const parameters = model.layers?.parameters(model.weights);
  if (parameters) observed.set("parameters", new Map([["trainable", parameters.trainable], ["non_trainable", parameters.nonTrainable]]));
  return compactJson(observed);
}
