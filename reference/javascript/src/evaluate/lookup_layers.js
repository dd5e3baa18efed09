// Layers that turn texts and integers into indices: lookups, bins, encodings, texts taken apart.

import { UnsupportedError } from "../problems.js";
import { utf8 } from "../values.js";
import { Tensor, finish, isInteger, numbers } from "./arrays.js";
import { fingerprint64 } from "./fingerprint.js";

/** Indices, null for those that are encoded as nothing, encoded as CategoryEncoding does. */
function encoded(mode, { shape, indices, count, weights }) {
  if (mode === "one_hot") {
    const out = shape.length > 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape, data = new Float64Array(indices.length * count);
    indices.forEach((index, i) => { if (index !== null) data[i * count + index] = 1; });
    return { shape: [...out, count], data };
  }
  const [batch, width = 1] = shape, data = new Float64Array(batch * count);
  indices.forEach((index, i) => {
    if (index === null) return;
    const at = Math.floor(i / width) * count + index;
    data[at] = mode === "multi_hot" ? 1 : data[at] + (weights ? weights[i] : 1);
  });
  return { shape: [batch, count], data };
}

const indexDtype = (c, layer) => c.output_dtype ?? (isInteger(layer.dtype) ? layer.dtype : c.output_mode === "int" ? "int64" : layer.dtype);

function CategoryEncoding({ c, x, call, dtype }) {
  const weights = call.count_weights instanceof Tensor ? numbers(call.count_weights) : undefined;
  const indices = Array.from(numbers(x), (index) => (Number.isInteger(index) && index >= 0 && index < c.num_tokens ? index : null));
  const { shape, data } = encoded(c.output_mode, { shape: x.shape, indices, count: c.num_tokens, weights });
  return [{ tensor: finish(dtype, shape, data), mask: null }];
}

function Discretization({ c, x, layer }) {
  const bounds = c.bin_boundaries, indices = Array.from(numbers(x), (value) => bounds.filter((bound) => bound <= value).length);
  if (c.output_mode === "int") return [{ tensor: finish(indexDtype(c, layer), x.shape, indices), mask: null }];
  const { shape, data } = encoded(c.output_mode, { shape: x.shape, indices, count: bounds.length + 1 });
  return [{ tensor: finish(layer.dtype, shape, data), mask: null }];
}

const floorMod = (a, b) => ((a % b) + b) % b;

/** What a lookup knows: its tokens, what stands before them, and how unknown ones are shared out. */
class Table {
  constructor({ c, layer, vocabulary }) {
    if (!Array.isArray(vocabulary)) throw new UnsupportedError(`the vocabulary of ${layer.path} is not known`);
    const text = layer.type === "TextVectorization", mask = text ? "" : layer.config.mask_token ?? null;
    this.c = c;
    this.integers = layer.type === "IntegerLookup";
    this.tokens = vocabulary;
    this.mask = mask === null || !this.integers ? mask : BigInt(mask);
    this.m = this.mask !== null && c.output_mode === "int" ? 1 : 0;
    this.unknown = text ? 1 : c.num_oov_indices;
    this.places = new Map(vocabulary.map((token, i) => [token, i]));
    this.oov = this.integers ? BigInt(layer.config.oov_token ?? -1) : c.oov_token;
    this.count = this.m + this.unknown + vocabulary.length;
  }

  /** The index of a token; null for one that is masked and encoded. */
  index(token) {
    if (this.mask !== null && token === this.mask) return this.m ? 0 : null;
    const place = this.places.get(token);
    if (place !== undefined) return this.m + this.unknown + place;
    if (this.unknown === 0) throw new UnsupportedError("a token that is not in the vocabulary has no index");
    if (this.unknown === 1) return this.m;
    const hash = this.integers && this.c.oov_method === "floormod" ? token : fingerprint64(utf8(String(token)));
    return this.m + Number(floorMod(hash, BigInt(this.unknown)));
  }

  /** The token of an index. */
  token(index) {
    if (this.m && index === 0) return this.mask;
    return this.tokens[index - this.m - this.unknown] ?? this.oov;
  }
}

function indexed(task, table, { shape, tokens }) {
  const { c, w, layer, dtype } = task, indices = tokens.map((token) => table.index(token));
  if (c.output_mode === "int") return [{ tensor: finish(indexDtype(c, layer), shape, indices), mask: null }];
  const count = c.pad_to_max_tokens ? c.max_tokens : table.count;
  const mode = c.output_mode === "tf_idf" ? "count" : c.output_mode, found = encoded(mode, { shape, indices, count });
  if (c.output_mode !== "tf_idf") return [{ tensor: finish(indexDtype(c, layer), found.shape, found.data), mask: null }];
  const idf = c.idf_weights ?? numbers(w.idf_weights);
  return [{ tensor: finish(dtype, found.shape, found.data.map((value, i) => value * (idf[i % count] ?? 0))), mask: null }];
}

function Lookup(task) {
  const { c, x } = task, table = new Table(task);
  if (c.invert) {
    const tokens = Array.from(x.data, (index) => table.token(Math.trunc(Number(index))));
    if (table.integers) return [{ tensor: finish(indexDtype(c, task.layer), x.shape, tokens), mask: null }];
    return [{ tensor: new Tensor("string", x.shape, tokens), mask: null }];
  }
  return indexed(task, table, { shape: x.shape, tokens: Array.from(x.data, (token) => (table.integers ? BigInt(token) : token)) });
}

const STANDARDS = {
  lower: (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  strip_punctuation: (text) => text.replace(/[!-/:-@[-`{-~]/g, ""),
};
STANDARDS.lower_and_strip_punctuation = (text) => STANDARDS.strip_punctuation(STANDARDS.lower(text));

/** All neighbouring tokens of each width, joined with a space. */
const ngramsOf = (tokens, widths) => widths.flatMap((width) => Array.from({ length: Math.max(tokens.length - width + 1, 0) }, (_, i) => tokens.slice(i, i + width).join(" ")));

function TextVectorization(task) {
  const { c, x } = task, table = new Table(task), standard = c.standardize === null ? (text) => text : STANDARDS[c.standardize];
  const texts = Array.from(x.data, standard), width = x.shape[1] ?? 1;
  let rows;
  if (c.split === "whitespace") rows = texts.map((text) => text.split(/[ \t\n\v\f\r]+/).filter((token) => token !== ""));
  else if (c.split === "character") rows = texts.map((text) => [...text]);
  else rows = Array.from({ length: x.shape[0] }, (_, i) => texts.slice(i * width, (i + 1) * width));
  if (c.ngrams !== null) rows = rows.map((row) => ngramsOf(row, c.ngrams));
  const length = c.output_sequence_length ?? Math.max(0, ...rows.map((row) => row.length));
  const tokens = rows.flatMap((row) => Array.from({ length }, (_, i) => row[i] ?? ""));
  return indexed(task, table, { shape: [rows.length, length], tokens });
}

export const LAYERS = { CategoryEncoding, Discretization, StringLookup: Lookup, IntegerLookup: Lookup, TextVectorization };

