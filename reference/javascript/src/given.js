// A model from an observation of the conformance suite: documents as plain data, tensors as bits.

import { dtypeOfName } from "./dtypes.js";
import { Bytes } from "./blobs.js";
import { LIMITS } from "./limits.js";
import { InvalidModelError } from "./problems.js";
import { decodeText, parseJson } from "./json.js";
import { Model } from "./package.js";
import { StoredTensor } from "./safetensors.js";
import { emptyObject } from "./values.js";

/** The bytes of elements in hexadecimal, most significant digit first. */
function bytesOf(bits, { bits: width, kind }) {
  if (width < 8) {
    const stored = bits.reduceRight((sum, word) => (sum << BigInt(width)) | BigInt(`0x${word}`), 0n);
    return Uint8Array.from({ length: (bits.length * width) / 8 }, (_, i) => Number((stored >> BigInt(8 * i)) & 0xffn));
  }
  const size = width / 8, part = kind === "complex" ? size / 2 : size, bytes = new Uint8Array(bits.length * size);
  bits.forEach((word, element) => {
    for (let i = 0; i < size; i++) {
      const begin = Math.floor(i / part) * part, place = begin + part - 1 - (i - begin);
      bytes[element * size + place] = Number.parseInt(word.slice(2 * i, 2 * i + 2), 16);
    }
  });
  return bytes;
}

function tensors(given) {
  return new Map(Object.entries(given).map(([name, { dtype, shape, bits }]) => {
    const bytes = bytesOf(bits, dtypeOfName(dtype));
    return [name, new StoredTensor({ name, dtype, shape, blob: new Bytes(bytes), begin: 0, size: bytes.length })];
  }));
}

/** The model that the bytes of an observation describe. */
export function modelOfObservation(bytes) {
  const problems = [], member = "given.json";
  const text = decodeText(bytes, member, problems);
  const given = text === undefined ? undefined : parseJson(text, { member, limits: LIMITS, problems });
  if (problems.length) throw new InvalidModelError(problems);
  const model = new Model();
  model.manifest = emptyObject();
  model.architecture = given.architecture;
  model.training = given.training;
  if (given.tensors) model.weights = tensors(given.tensors);
  if (given.state) model.state = tensors(given.state);
  return model;
}
