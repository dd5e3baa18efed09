// What lookups, bins, encodings and the normalization of data yield, and whether their inputs fit.

import { agree, axesOf, expect, known } from "./shapes.js";

const NORMALIZATION = (c, [x]) => {
  expect(known(c.mean) === known(c.variance), "mean and variance, or neither, got one of them");
  const axes = axesOf([c.axis ?? []].flat(), x.length), extent = axes.length ? x[axes.at(-1)] : 1;
  for (const name of ["mean", "variance"]) expect(!Array.isArray(c[name]) || !known(extent) || [1, extent].includes(c[name].length), `1 number or ${extent} as ${name}, got ${c[name]?.length}`);
  return x;
};

/** The shape of indices that are encoded as CategoryEncoding does. */
function encoded(mode, x, count) {
  if (mode === "int") return x;
  if (mode === "one_hot") return [...(x.length > 1 && x.at(-1) === 1 ? x.slice(0, -1) : x), count];
  expect(x.length === 2, `an input of rank 2 for ${mode}, got ${x.length}`);
  return [x[0], count];
}

const BINS = (c, [x]) => {
  expect(c.bin_boundaries.every((one, i) => i === 0 || c.bin_boundaries[i - 1] <= one), "bin_boundaries none of which is below the one before");
  return encoded(c.output_mode, x, c.bin_boundaries.length + 1);
};

/** How many indices a lookup has; null where its vocabulary is not known. */
export function indexCount(c, type) {
  if (!Array.isArray(c.vocabulary)) return c.vocabulary_size ?? null;
  const text = type === "TextVectorization", masked = text ? c.output_mode === "int" : known(c.mask_token) && c.output_mode === "int";
  return c.vocabulary.length + (text ? 1 : c.num_oov_indices) + (masked ? 1 : 0);
}

/** How many tokens a text of n tokens has once neighbouring ones are joined. */
const ngramCount = (widths, n) => (widths === null || !known(n) ? n : widths.reduce((sum, width) => sum + Math.max(n - width + 1, 0), 0));

const LOOKUP = (c, [x], layer) => {
  const count = indexCount(c, layer.type), mode = c.output_mode, text = layer.type === "TextVectorization";
  expect(!c.invert || mode === "int", `the mode int with invert, got ${mode}`);
  expect(!c.pad_to_max_tokens || known(c.max_tokens), "max_tokens with pad_to_max_tokens, got none");
  expect(!known(c.max_tokens) || !known(count) || count <= c.max_tokens, `at most ${c.max_tokens} indices, got ${count}`);
  expect(!known(c.idf_weights) || mode === "tf_idf", `idf_weights for tf_idf only, got ${mode}`);
  expect(!known(c.idf_weights) || !known(count) || c.idf_weights.length === count, `${count} idf_weights, got ${c.idf_weights?.length}`);
  const width = c.pad_to_max_tokens ? c.max_tokens : count;
  if (!text) return encoded(mode, x, width);
  const tokens = c.split === null;
  expect(tokens ? x.length === 2 : x.length === 1 || (x.length === 2 && agree(x[1], 1)), `${tokens ? "tokens of rank 2" : "texts of rank 1, or 2 with a last extent of 1"}, got rank ${x.length}`);
  expect(!known(c.output_sequence_length) || mode === "int", `an output_sequence_length for int only, got ${mode}`);
  if (mode !== "int") return [x[0], width];
  return [x[0], c.output_sequence_length ?? (tokens ? ngramCount(c.ngrams, x[1]) : null)];
};

/** Type -> its rule. */
export const RULES = {
  Normalization: NORMALIZATION, Discretization: BINS, CategoryEncoding: (c, [x]) => encoded(c.output_mode, x, c.num_tokens),
  StringLookup: LOOKUP, IntegerLookup: LOOKUP, TextVectorization: LOOKUP,
};
