// Arrays of texts as arrays of bytes: one axis more, the bytes of each text in UTF-8 followed by zeros (chapter 90).

import { utf8 } from "../values.js";
import { Tensor, sizeOf } from "./arrays.js";

export function textsOfBytes({ shape, data }) {
  const width = shape.at(-1), count = sizeOf(shape.slice(0, -1)), decoder = new TextDecoder();
  return new Tensor("string", shape.slice(0, -1), Array.from({ length: count }, (_, i) => {
    const bytes = Uint8Array.from(data.slice(i * width, (i + 1) * width));
    return decoder.decode(bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1));
  }));
}

export function bytesOfTexts({ shape, data }) {
  const texts = data.map(utf8), width = Math.max(0, ...texts.map((text) => text.length)), result = new Tensor("uint8", [...shape, width]);
  texts.forEach((text, i) => text.forEach((byte, at) => { result.data[i * width + at] = byte; }));
  return result;
}
