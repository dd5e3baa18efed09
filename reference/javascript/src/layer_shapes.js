// What a call of a layer of each type yields, and whether its inputs fit (chapters 25 and 26).
//
// A rule takes the settings of the layer and the shapes of its inputs, which are known here, and yields a shape, or a list of
// shapes in a Several. An unknown extent is null. What does not fit is thrown as a Misfit.

import { equationParts, evaluateShape, namesOf, placesOf } from "./expressions.js";
import { channelsAxis, spatialAxes, transposedExtent, windowCount } from "./windows.js";

export class Misfit extends Error {}

/** The shapes of several results. */
export class Several {
  constructor(shapes) {
    this.shapes = shapes;
  }
}

export const expect = (right, message) => { if (!right) throw new Misfit(message); };
const known = (value) => value !== null && value !== undefined;
export const agree = (a, b) => !known(a) || !known(b) || a === b;
export const times = (a, b) => (a === 0 || b === 0 ? 0 : known(a) && known(b) ? a * b : null);
export const plus = (a, b) => (known(a) && known(b) ? a + b : null);
export const product = (extents) => extents.reduce(times, 1);
export const axisOf = (axis, rank) => {
  const found = axis < 0 ? axis + rank : axis;
  expect(found >= 0 && found < rank, `an axis of an input of rank ${rank}, got ${axis}`);
  return found;
};
const replaced = (shape, axis, extent) => shape.map((one, i) => (i === axis ? extent : one));
export const firstKnown = (a, b) => (known(a) ? a : b);

/** Two extents as one: equal, or one of them 1. */
export function stretched(a, b) {
  if (a === 1) return b;
  if (b === 1 || !known(b)) return a;
  if (!known(a)) return b;
  expect(a === b, `two extents that agree, or one that is 1, got ${a} and ${b}`);
  return a;
}

/** Shapes aligned at the end, as one. */
export function broadcast(shapes) {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => shapes.map((shape) => shape[i - rank + shape.length] ?? (i - rank + shape.length < 0 ? 1 : null)).reduce(stretched));
}

const SAME = (c, [x]) => x;

/** The extents of windows along the spatial axes. */
function windows(c, x, sizes, strides) {
  return spatialAxes(x.length, c.data_format).map((axis, i) => {
    const rule = Array.isArray(c.padding) ? c.padding[i] : c.padding;
    const count = windowCount(rule, { n: x[axis], k: sizes[i], s: strides[i], d: c.dilation_rate?.[i] ?? 1, ceil: c.ceil_mode });
    expect(count === null || count >= 1, `at least one window of ${sizes[i]} along axis ${axis}, got an extent of ${x[axis]}`);
    return count;
  });
}

/** Batch, spatial extents and channels as a shape. */
export function assemble(c, batch, spatial, channels) {
  return c.data_format === "channels_first" ? [...batch, channels, ...spatial] : [...batch, ...spatial, channels];
}
const channelsOf = (c, x) => x[channelsAxis(x.length, c.data_format)];

function divided(c, channels) {
  expect(!known(channels) || channels % c.groups === 0, `channels that ${c.groups} groups divide, got ${channels}`);
  expect(c.filters % c.groups === 0, `filters that ${c.groups} groups divide, got ${c.filters}`);
}

const CONV = (c, [x]) => {
  if (c.groups !== undefined) divided(c, channelsOf(c, x));
  return assemble(c, [x[0]], windows(c, x, c.kernel_size, c.strides), c.filters);
};
const DEPTHWISE = (c, [x]) => assemble(c, [x[0]], windows(c, x, c.kernel_size, c.strides), times(channelsOf(c, x), c.depth_multiplier));
const TRANSPOSED = (c, [x]) => {
  divided(c, channelsOf(c, x));
  const spatial = spatialAxes(x.length, c.data_format).map((axis, i) => {
    const rule = Array.isArray(c.padding) ? c.padding[i] : c.padding;
    const { extent } = transposedExtent(rule, { n: x[axis], k: c.kernel_size[i], s: c.strides[i], d: c.dilation_rate[i], more: c.output_padding?.[i] ?? null });
    expect(extent === null || extent >= 1, `at least one element along axis ${axis}, got ${extent}`);
    return extent;
  });
  return assemble(c, [x[0]], spatial, c.filters);
};
const POOLING = (c, [x]) => assemble(c, [x[0]], windows(c, x, c.pool_size, c.strides ?? c.pool_size), channelsOf(c, x));
const GLOBAL = (c, [x]) => (c.keepdims ? assemble(c, [x[0]], spatialAxes(x.length, c.data_format).map(() => 1), channelsOf(c, x)) : [x[0], channelsOf(c, x)]);
const ADAPTIVE = (c, [x]) => assemble(c, [x[0]], spatialAxes(x.length, c.data_format).map((axis, i) => c.output_size[i] ?? x[axis]), channelsOf(c, x));

/** A rule that changes each spatial extent. */
const SPATIAL = (change) => (c, [x]) => {
  const axes = spatialAxes(x.length, c.data_format);
  return x.map((extent, axis) => (axes.includes(axis) ? change(c, extent, axes.indexOf(axis), axis) : extent));
};
const PADDED = SPATIAL((c, extent, i) => plus(extent, c.padding[i][0] + c.padding[i][1]));
const CROPPED = SPATIAL((c, extent, i, axis) => {
  const left = plus(extent, -c.cropping[i][0] - c.cropping[i][1]);
  expect(left === null || left >= 1, `at least one element along axis ${axis}, got ${left}`);
  return left;
});
const SCALED = SPATIAL((c, extent, i) => times(extent, c.size[i]));
const RESIZED = (c, [x]) => assemble(c, [x[0]], [c.height, c.width], channelsOf(c, x));
const RANDOM_EXTENT = (place) => SPATIAL((c, extent, i) => (i === place ? null : extent));

const MERGED = (c, inputs) => {
  const batch = inputs.map(([first]) => first).reduce((a, b) => { expect(agree(a, b), `batches that agree, got ${a} and ${b}`); return firstKnown(a, b); });
  return [batch, ...broadcast(inputs.map((shape) => shape.slice(1)))];
};

export function joined(inputs, axis) {
  const [first] = inputs, at = axisOf(axis, first.length);
  for (const shape of inputs) {
    expect(shape.length === first.length, `inputs of one rank, got ${first.length} and ${shape.length}`);
    shape.forEach((extent, i) => expect(i === at || agree(extent, first[i]), `extents that agree along axis ${i}, got ${first[i]} and ${extent}`));
  }
  return first.map((_, i) => (i === at ? inputs.map((shape) => shape[i]).reduce(plus) : inputs.map((shape) => shape[i]).reduce(firstKnown)));
}

const DOT = (c, [a, b]) => {
  const axes = Array.isArray(c.axes) ? c.axes : [c.axes, c.axes];
  const [i, j] = [axisOf(axes[0], a.length), axisOf(axes[1], b.length)];
  expect(i !== 0 && j !== 0, "axes other than the batch, got the batch");
  expect(agree(a[i], b[j]), `extents along the axes that agree, got ${a[i]} and ${b[j]}`);
  expect(agree(a[0], b[0]), `batches that agree, got ${a[0]} and ${b[0]}`);
  const shape = [firstKnown(a[0], b[0]), ...a.filter((_, axis) => axis !== 0 && axis !== i), ...b.filter((_, axis) => axis !== 0 && axis !== j)];
  return shape.length === 1 ? [...shape, 1] : shape;
};

/** The one axis of a shape with -1 filled in; `total` are the elements that it has to hold. */
export function filled(shape, total) {
  const open = shape.filter((extent) => extent === -1).length;
  expect(open <= 1, `-1 at most once, got it ${open} times`);
  const rest = product(shape.filter((extent) => extent !== -1));
  if (open === 0) {
    expect(!known(total) || !known(rest) || total === rest, `a shape of ${total} elements, got one of ${rest}`);
    return shape;
  }
  if (!known(total) || !known(rest)) return shape.map((extent) => (extent === -1 ? null : extent));
  expect(rest !== 0 && total % rest === 0, `a shape of ${total} elements, got one of a multiple of ${rest}`);
  return shape.map((extent) => (extent === -1 ? total / rest : extent));
}

const PERMUTED = (c, [x]) => {
  const right = c.dims.length === x.length - 1 && [...c.dims].sort((a, b) => a - b).every((axis, i) => axis === i + 1);
  expect(right, `each of 1 to ${x.length - 1} once in dims, got [${c.dims.join(", ")}]`);
  return [x[0], ...c.dims.map((axis) => x[axis])];
};

const SHUFFLED = (c, [x], out) => {
  const b = c.block_size, axes = spatialAxes(x.length, c.data_format), channels = channelsAxis(x.length, c.data_format);
  return x.map((extent, axis) => {
    const isSpatial = axes.includes(axis), factor = axis === channels ? b * b : isSpatial ? b : 1;
    if ((axis === channels) === out || factor === 1) {
      expect(!known(extent) || extent % factor === 0, `an extent along axis ${axis} that ${factor} divides, got ${extent}`);
      return known(extent) ? extent / factor : extent;
    }
    return times(extent, factor);
  });
};

const GATED = (c, [x]) => {
  const axis = axisOf(c.axis, x.length);
  expect(!known(x[axis]) || x[axis] % 2 === 0, `an even extent along axis ${axis}, got ${x[axis]}`);
  return replaced(x, axis, known(x[axis]) ? x[axis] / 2 : null);
};

/** Given states have to be all that there are, of their shapes; without any, they are zeros. */
function states(given, wanted) {
  expect(given.length === 0 || given.length === wanted.length, `no state or ${wanted.length}, got ${given.length}`);
  given.forEach((state, i) => {
    if (state === undefined) return;
    const fits = state.length === wanted[i].length && state.every((extent, axis) => agree(extent, wanted[i][axis]));
    expect(fits, `a state of shape [${wanted[i].map(String).join(", ")}], got [${state.map(String).join(", ")}]`);
  });
}

const STATES = { SimpleRNN: 1, GRU: 1, LSTM: 2, SimpleRNNCell: 1, GRUCell: 1, LSTMCell: 2 };
const RECURRENT = (c, [x, ...given], layer) => {
  const all = Array(STATES[layer.type]).fill([x[0], c.units]);
  states(given, all);
  const result = c.return_sequences ? [x[0], x[1], c.units] : [x[0], c.units];
  return c.return_state ? new Several([result, ...all]) : result;
};
const CELL = (c, [x, ...given], layer) => {
  const all = Array(STATES[layer.type]).fill([x[0], c.units]);
  states(given, all);
  return new Several([all[0], ...all]);
};
const CONV_LSTM = (c, [x, ...given]) => {
  const one = [x[0], ...x.slice(2)];
  const state = assemble(c, [x[0]], windows(c, one, c.kernel_size, c.strides), c.filters);
  states(given, [state, state]);
  const result = c.return_sequences ? [state[0], x[1], ...state.slice(1)] : state;
  return c.return_state ? new Several([result, state, state]) : result;
};

const STACKED = (c, [x, ...given], layer, visit) => {
  const cells = [...layer.sublayers.values()], all = [];
  let value = x, left = given;
  for (const cell of cells) {
    const own = left.slice(0, given.length ? (STATES[cell.type] ?? Math.max(left.length, 1)) : 0);
    left = left.slice(own.length);
    const results = visit(cell, [value, ...own]);
    if (results === undefined) return undefined;
    value = results[0];
    all.push(...results.slice(1));
  }
  expect(left.length === 0, `the states of all cells, got ${left.length} more`);
  return new Several([value, ...all]);
};
const RNN = (c, [x, ...given], layer, visit) => {
  const cell = layer.sublayers.get("cell");
  const results = visit(cell, [[x[0], ...x.slice(2)], ...given]);
  if (results === undefined) return undefined;
  const [result, ...last] = results;
  const shape = c.return_sequences ? result && [result[0], x[1], ...result.slice(1)] : result;
  return c.return_state ? new Several([shape, ...last]) : shape;
};
const BIDIRECTIONAL = (c, [x, ...given], layer, visit) => {
  expect(given.length % 2 === 0, `as many states for each direction, got ${given.length}`);
  const half = given.length / 2;
  const forward = visit(layer.sublayers.get("forward"), [x, ...given.slice(0, half)]), backward = visit(layer.sublayers.get("backward"), [x, ...given.slice(half)]);
  if (!forward || !backward) return undefined;
  const [[a, ...aStates], [b, ...bStates]] = [forward, backward];
  if (!a || !b) return undefined;
  const last = a.length - 1;
  expect(a.length === b.length && a.every((extent, i) => (c.merge_mode === "concat" && i === last) || agree(extent, b[i])), "results of both directions that agree, got others");
  const result = c.merge_mode === "concat" ? [...a.slice(0, -1), plus(a[last], b[last])] : a;
  const results = [...(c.merge_mode === "none" ? [a, b] : [result]), ...aStates, ...bStates];
  return results.length > 1 ? new Several(results) : result;
};
const DISTRIBUTED = (c, [x], layer, visit) => {
  const results = visit(layer.sublayers.get("layer"), [[x[0], ...x.slice(2)]]);
  return results?.[0] && [results[0][0], x[1], ...results[0].slice(1)];
};
const WRAPPED = (c, [x], layer, visit) => {
  const results = visit(layer.sublayers.get("layer"), [x]);
  return results && (results.length > 1 ? new Several(results) : results[0]);
};

const ATTENTION = (c, [query, value, key = value], layer, visit, call) => {
  expect(key.length === value.length && key.slice(0, -1).every((extent, i) => agree(extent, value[i])), "key and value that agree in all but their last extent");
  expect(query.length === key.length && query.every((extent, i) => i === query.length - 2 || agree(extent, key[i])), "query and key that agree in all but their second extent");
  const result = [...query.slice(0, -1), value.at(-1)];
  return call.return_attention_scores ? new Several([result, [...query.slice(0, -1), key.at(-2)]]) : result;
};
const HEADS = (c, [query, value, key = value], layer, visit, call) => {
  expect(key.length === value.length && key.slice(0, -1).every((extent, i) => agree(extent, value[i])), "key and value that agree in all but their last extent");
  expect(query.length === value.length, `query and value of one rank, got ${query.length} and ${value.length}`);
  const rank = query.length, axes = attentionAxes(c, rank);
  const batch = query.map((_, i) => i).filter((i) => !axes.includes(i) && i !== rank - 1);
  for (const i of batch) expect(agree(query[i], value[i]), `query and value that agree along axis ${i}, got ${query[i]} and ${value[i]}`);
  const last = layer.type === "GroupQueryAttention" ? [query.at(-1)] : (c.output_shape ? [c.output_shape].flat() : [query.at(-1)]);
  const heads = c.num_heads ?? c.num_query_heads;
  const scores = [...batch.map((i) => firstKnown(query[i], value[i])), heads, ...axes.map((i) => query[i]), ...axes.map((i) => key[i])];
  const result = [...query.slice(0, -1), ...last];
  return call.return_attention_scores ? new Several([result, scores]) : result;
};
/** The axes of the query that MultiHeadAttention attends over. */
export function attentionAxes(c, rank) {
  return c.attention_axes ? [c.attention_axes].flat().map((axis) => axisOf(axis, rank)) : Array.from({ length: rank - 2 }, (_, i) => i + 1);
}
const GROUPED = (c, inputs, layer, visit, call) => {
  for (const shape of inputs) expect(shape.length === 3, `inputs of rank 3, got ${shape.length}`);
  expect(c.num_query_heads % c.num_key_value_heads === 0, `num_key_value_heads that divide ${c.num_query_heads}, got ${c.num_key_value_heads}`);
  return HEADS({ ...c, attention_axes: null }, inputs, layer, visit, call);
};

const ROTARY = (c, [x]) => {
  const features = x[axisOf(c.feature_axis, x.length)], turned = c.rotary_dim ?? features;
  axisOf(c.sequence_axis, x.length);
  expect(!known(turned) || turned % 2 === 0, `an even number of features to turn, got ${turned}`);
  expect(!known(features) || !known(c.rotary_dim) || c.rotary_dim <= features, `at least ${c.rotary_dim} features, got ${features}`);
  return x;
};
const SINES = (c, [x]) => {
  expect(!known(x.at(-1)) || x.at(-1) % 2 === 0, `an even last extent, got ${x.at(-1)}`);
  return x;
};
const POSITIONS = (c, [x]) => {
  expect(!known(x.at(-2)) || x.at(-2) <= c.sequence_length, `at most ${c.sequence_length} steps, got ${x.at(-2)}`);
  return x;
};

const NORMALIZATION = (c, [x]) => {
  expect(known(c.mean) === known(c.variance), "mean and variance, or neither, got one of them");
  for (const axis of [c.axis ?? []].flat()) axisOf(axis, x.length);
  return x;
};

/** The shape of indices that are encoded as CategoryEncoding does. */
function encoded(mode, x, count) {
  if (mode === "int") return x;
  if (mode === "one_hot") return [...(x.length > 1 && x.at(-1) === 1 ? x.slice(0, -1) : x), count];
  expect(x.length === 2, `an input of rank 2 for ${mode}, got ${x.length}`);
  return [x[0], count];
}

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

const EINSUM_DENSE = (c, [x]) => {
  const { terms: [term], result } = equationParts(c.equation);
  const dots = term.includes("..."), letters = term.replace("...", "");
  expect(dots ? x.length >= letters.length : x.length === letters.length, `an input of rank ${letters.length}, got ${x.length}`);
  const extents = new Map();
  for (const [letter, place] of placesOf(term)) {
    const extent = x.at(place);
    expect(agree(extents.get(letter), extent), `one extent for ${letter}, got two`);
    extents.set(letter, firstKnown(extents.get(letter), extent));
  }
  const out = [...result.replace("...", "")], shown = result.startsWith("...") ? out : out.slice(1), own = new Map();
  expect(c.output_shape.length === shown.length, `an output_shape of ${shown.length} extents, got ${c.output_shape.length}`);
  shown.forEach((letter, i) => own.set(letter, c.output_shape[i]));
  for (const [letter, extent] of own) if (term.includes(letter)) expect(agree(extent, extents.get(letter)), `the extent ${extents.get(letter)} for ${letter}, got ${extent}`);
  const rest = dots ? x.slice(term.indexOf("..."), term.indexOf("...") + x.length - letters.length) : [];
  const extentOf = (letter) => firstKnown(extents.get(letter), own.get(letter)) ?? null;
  const [before, after = ""] = result.split("...");
  return [...[...before].map(extentOf), ...(result.includes("...") ? rest : []), ...[...after].map(extentOf)];
};

const GROUP_NORMALIZATION = (c, [x]) => {
  const extent = x[axisOf(c.axis, x.length)];
  expect(c.groups === -1 || !known(extent) || extent % c.groups === 0, `channels that ${c.groups} groups divide, got ${extent}`);
  return x;
};

const RULES = {
  EinsumDense: EINSUM_DENSE, Flatten: (c, [x]) => [x[0], product(x.slice(1))], Reshape: (c, [x]) => [x[0], ...filled(c.target_shape, product(x.slice(1)))],
  Permute: PERMUTED, Resizing: RESIZED, CenterCrop: RESIZED, PixelShuffle: (c, x) => SHUFFLED(c, x, true), PixelUnshuffle: (c, x) => SHUFFLED(c, x, false),
  Concatenate: (c, inputs) => joined(inputs, c.axis), Dot: DOT, SimpleRNN: RECURRENT, GRU: RECURRENT, LSTM: RECURRENT, SimpleRNNCell: CELL, GRUCell: CELL, LSTMCell: CELL,
  StackedRNNCells: STACKED, RNN, Bidirectional: BIDIRECTIONAL, TimeDistributed: DISTRIBUTED, SpectralNormalization: WRAPPED, Attention: ATTENTION, AdditiveAttention: ATTENTION,
  MultiHeadAttention: HEADS, GroupQueryAttention: GROUPED, RotaryEmbedding: ROTARY, SinePositionEncoding: SINES, PositionEmbedding: POSITIONS, Normalization: NORMALIZATION,
  Discretization: (c, [x]) => encoded(c.output_mode, x, c.bin_boundaries.length + 1), CategoryEncoding: (c, [x]) => encoded(c.output_mode, x, c.num_tokens),
  StringLookup: LOOKUP, IntegerLookup: LOOKUP, TextVectorization: LOOKUP, GLU: GATED, GroupNormalization: GROUP_NORMALIZATION, RandomHeight: RANDOM_EXTENT(0), RandomWidth: RANDOM_EXTENT(1),
};
for (const name of ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]) RULES[name] = MERGED;
for (const n of ["1D", "2D", "3D"]) {
  Object.assign(RULES, { [`Conv${n}`]: CONV, [`Conv${n}Transpose`]: TRANSPOSED, [`SeparableConv${n}`]: CONV, [`DepthwiseConv${n}`]: DEPTHWISE, [`ConvLSTM${n}`]: CONV_LSTM,
    [`ZeroPadding${n}`]: PADDED, [`Padding${n}`]: PADDED, [`Cropping${n}`]: CROPPED, [`UpSampling${n}`]: SCALED });
  for (const kind of ["Max", "Average"]) Object.assign(RULES, { [`${kind}Pooling${n}`]: POOLING, [`Global${kind}Pooling${n}`]: GLOBAL, [`Adaptive${kind}Pooling${n}`]: ADAPTIVE });
}
const AXES = ["axis", "shared_axes", "sequence_axis", "feature_axis", "attention_axes"];

/** The shapes of what a call yields, each undefined where its rank is not known; undefined where their number is not. */
export function resultShapes(layer, inputs, { visit, call = {} }) {
  const { definition, settings } = layer, [x] = inputs;
  if (x === undefined && !["StringLookup", "IntegerLookup", "TextVectorization", "Normalization"].includes(layer.type)) return unknownResults(layer, inputs, { visit, call });
  const { minimum, maximum } = definition.rank;
  if (x !== undefined) {
    expect(x.length >= minimum && (maximum === null || x.length <= maximum), `a first input of rank ${minimum === maximum ? minimum : `${minimum} or more`}, got ${x.length}`);
    for (const shape of inputs) expect(shape === undefined || shape.length >= 1, "inputs with a batch, got one without axes");
    if (layer.type !== "Concatenate") for (const name of AXES) for (const axis of [settings[name] ?? []].flat()) axisOf(axis, x.length);
  }
  if (inputs.some((shape) => shape === undefined)) return unknownResults(layer, inputs, { visit, call });
  const rule = Object.hasOwn(RULES, layer.type) ? RULES[layer.type] : undefined;
  const result = rule ? rule(settings, inputs, layer, visit, call) : definition.output === undefined ? SAME(settings, inputs) : evaluateShape(definition.output, namesOf(settings, inputs));
  if (result instanceof Several) return result.shapes;
  return [result];
}

/** Results where an input is not known: as many as there are, of shapes nobody knows. */
function unknownResults(layer, inputs, { visit, call }) {
  const c = layer.settings, count = (n) => Array(n).fill(undefined);
  switch (layer.type) {
    case "SimpleRNN": case "GRU": return count(c.return_state ? 2 : 1);
    case "LSTM": case "ConvLSTM1D": case "ConvLSTM2D": case "ConvLSTM3D": return count(c.return_state ? 3 : 1);
    case "SimpleRNNCell": case "GRUCell": return count(2);
    case "LSTMCell": return count(3);
    case "RNN": {
      const results = visit(layer.sublayers.get("cell"), [undefined]);
      return results && count(c.return_state ? results.length : 1);
    }
    case "StackedRNNCells": {
      const all = [...layer.sublayers.values()].map((cell) => visit(cell, [undefined]));
      return all.includes(undefined) ? undefined : count(1 + all.reduce((sum, results) => sum + results.length - 1, 0));
    }
    case "Bidirectional": {
      const [a, b] = ["forward", "backward"].map((role) => visit(layer.sublayers.get(role), [undefined]));
      return a && b && count((c.merge_mode === "none" ? 2 : 1) + a.length + b.length - 2);
    }
    case "TimeDistributed": case "SpectralNormalization": visit(layer.sublayers.get("layer"), [undefined]); return count(1);
    case "Attention": case "AdditiveAttention": case "MultiHeadAttention": case "GroupQueryAttention": return count(call.return_attention_scores ? 2 : 1);
    default: return count(1);
  }
}

