// Layers that look at one element, row or channel at a time: dense, embedding, normalization, activations with weights.
//
// A layer takes a task { c: settings, w: role -> tensor, x: first input, inputs, masks, call: arguments, layer, apply } and yields
// numbers { shape, data }, which are rounded to its dtype afterwards, or tensors that are finished.

import { equationParts } from "../expressions.js";
import { UsageError } from "../problems.js";
import { activate, alongAxes } from "./activations.js";
import { Tensor, axisOf, finish, isFloating, numbers, places, product, rowsAlong, sizeOf, stretchedTo, stridesOf, zipped } from "./arrays.js";

export const weighted = (w, role) => (w[role] ? numbers(w[role]) : undefined);

/** Numbers with a bias along the last axis, activated. */
export function finishDense({ shape, data }, bias, activation) {
  if (bias) for (let i = 0; i < data.length; i++) data[i] += bias[i % bias.length];
  return { shape, data: activation === undefined || activation === "linear" ? data : activate(activation, new Tensor("float64", shape, data)) };
}

const Dense = ({ c, w, x }) => finishDense({ shape: [...x.shape.slice(0, -1), c.units], data: product(numbers(x), numbers(w.kernel), x.shape.at(-1), c.units) }, weighted(w, "bias"), c.activation);

/** The sum of products that an equation says, over operands whose `...` stand for axes aligned at the end. */
export function einsum(equation, operands) {
  const { terms, result } = equationParts(equation);
  const rest = Math.max(0, ...terms.map((term, i) => (term.includes("...") ? operands[i].rank - term.replace("...", "").length : 0)));
  const spread = (term, own) => { const [before, after] = term.split("..."); return after === undefined ? [...term] : [...before, ...Array.from({ length: own }, (_, i) => i + rest - own), ...after]; };
  const letters = terms.map((term, i) => spread(term, operands[i].rank - term.replace("...", "").length)), out = spread(result, rest);
  const extents = new Map();
  letters.forEach((names, i) => names.forEach((name, axis) => { if ((extents.get(name) ?? 1) === 1) extents.set(name, operands[i].shape[axis]); }));
  const summed = [...extents.keys()].filter((name) => !out.includes(name)), all = [...out, ...summed], shape = all.map((name) => extents.get(name));
  const found = operands.map((operand, i) => {
    const strides = stridesOf(operand.shape);
    return places(shape, all.map((name) => letters[i].reduce((sum, own, axis) => sum + (own === name && operand.shape[axis] > 1 ? strides[axis] : 0), 0)));
  });
  const data = operands.map(numbers), inner = sizeOf(summed.map((name) => extents.get(name))), results = new Float64Array(sizeOf(out.map((name) => extents.get(name))));
  for (let i = 0; i < results.length; i++) {
    let sum = 0;
    for (let j = i * inner; j < (i + 1) * inner; j++) {
      let term = 1;
      for (let k = 0; k < data.length; k++) term *= data[k][found[k][j]];
      sum += term;
    }
    results[i] = sum;
  }
  return { shape: out.map((name) => extents.get(name)), data: results };
}

function EinsumDense({ c, w, x }) {
  const { shape, data } = einsum(c.equation, [x, w.kernel]);
  const biased = w.bias ? zipped([new Tensor("float64", shape, data), w.bias], (a, b) => a + b) : { shape, data };
  return finishDense(biased, undefined, c.activation);
}

function Embedding({ c, w, x, dtype }) {
  const table = numbers(w.embeddings), width = c.output_dim, data = new Float64Array(x.size * width);
  for (let i = 0; i < x.size; i++) {
    const row = Math.trunc(Number(x.data[i]));
    if (!(row >= 0 && row < c.input_dim)) throw new UsageError(`expected an index from 0 to ${c.input_dim - 1}, got ${x.data[i]}`);
    data.set(table.subarray(row * width, (row + 1) * width), i * width);
  }
  const mask = c.mask_zero ? new Tensor("bool", x.shape, Float64Array.from(x.data, (one) => (Number(one) !== 0 ? 1 : 0))) : null;
  return [{ tensor: finish(dtype, [...x.shape, width], data), mask }];
}

const Rescaling = ({ c, x }) => zipped([x, ofSetting(c.scale), ofSetting(c.offset)], (a, scale, offset) => a * scale + offset);
const ofSetting = (value) => (Array.isArray(value) ? new Tensor("float64", [value.length], Float64Array.from(value)) : new Tensor("float64", [], Float64Array.of(value)));

function Masking({ c, x, dtype }) {
  const width = x.shape.at(-1), steps = x.shape.slice(0, -1), source = numbers(x), data = source.slice(), mask = new Tensor("bool", steps);
  const value = isFloating(x.dtype) ? finish(x.dtype, [1], [c.mask_value]).data[0] : c.mask_value;
  for (let i = 0; i < mask.size; i++) {
    const row = source.subarray(i * width, (i + 1) * width);
    if (row.some((one) => one !== value)) mask.data[i] = 1;
    else data.fill(0, i * width, (i + 1) * width);
  }
  return [{ tensor: finish(isFloating(x.dtype) ? dtype : x.dtype, x.shape, data), mask }];
}

/** A tensor of one axis, or of several, as one that is stretched along the axes of x where it belongs. */
export function alongAxis(tensor, axes, x) {
  const at = axes.map((axis) => axisOf(axis, x.rank));
  if (tensor.size !== sizeOf(at.map((axis) => x.shape[axis]))) throw new UsageError(`expected numbers for axes ${axes.join(", ")} of an array of shape [${x.shape.join(", ")}], got ${tensor.size}`);
  return new Tensor(tensor.dtype, x.shape.map((_, i) => (at.includes(i) ? x.shape[i] : 1)), at.every((axis, i) => i === 0 || at[i - 1] < axis) ? tensor.data : reordered(tensor, at));
}

function reordered(tensor, at) {
  const order = at.map((_, i) => i).sort((a, b) => at[a] - at[b]), strides = stridesOf(tensor.shape);
  return places(order.map((i) => tensor.shape[i]), order.map((i) => strides[i])).reduce((data, place, i) => { data[i] = tensor.data[place]; return data; }, new Float64Array(tensor.size));
}

/** y × gamma + beta, each where the config has it. */
function scaled(numbersOf, axes, { w }, roles = ["gamma", "beta"]) {
  const y = new Tensor("float64", numbersOf.shape, numbersOf.data), [scale, shift] = roles;
  const parts = [y, w[scale] ? alongAxis(w[scale], axes, y) : ofSetting(1), w[shift] ? alongAxis(w[shift], axes, y) : ofSetting(0)];
  return w[scale] || w[shift] ? zipped(parts, (a, gamma, beta) => a * gamma + beta) : numbersOf;
}

function byStatistics(task, mean, variance) {
  const { c, x } = task, axes = [c.axis];
  return scaled(zipped([x, alongAxis(mean, axes, x), alongAxis(variance, axes, x)], (a, m, v) => (a - m) / Math.sqrt(v + c.epsilon)), axes, task);
}
const BatchNormalization = (task) => byStatistics(task, task.w.moving_mean, task.w.moving_variance);

/** Rows made to have mean 0 and variance 1. */
export const standardize = (epsilon) => (row) => {
  const mean = row.reduce((a, b) => a + b, 0) / row.length, variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
  return row.map((a) => (a - mean) / Math.sqrt(variance + epsilon));
};
const LayerNormalization = (task) => {
  const { c, x } = task, axes = [c.axis].flat();
  return scaled({ shape: x.shape, data: alongAxes(x, axes, standardize(c.epsilon)) }, axes, task);
};
const RMSNormalization = (task) => {
  const { c, x } = task, axes = [c.axis].flat();
  const data = alongAxes(x, axes, (row) => { const root = Math.sqrt(row.reduce((a, b) => a + b * b, 0) / row.length + c.epsilon); return row.map((a) => a / root); });
  return scaled({ shape: x.shape, data }, axes, task, ["scale", "none"]);
};
const UnitNormalization = ({ c, x }) => ({ shape: x.shape, data: alongAxes(x, [c.axis].flat(), (row) => { const root = Math.sqrt(Math.max(row.reduce((a, b) => a + b * b, 0), 1e-12)); return row.map((a) => a / root); }) });

function normalizedInGroups(task, groups) {
  const { c, x } = task, axis = axisOf(c.axis, x.rank), channels = x.shape[axis];
  const split = new Tensor(x.dtype, [...x.shape.slice(0, axis), groups, channels / groups, ...x.shape.slice(axis + 1)], x.data);
  const along = split.shape.map((_, i) => i).filter((i) => i !== 0 && i !== axis);
  return scaled({ shape: x.shape, data: alongAxes(split, along, standardize(c.epsilon)) }, [c.axis], task);
}
const GroupNormalization = (task) => normalizedInGroups(task, task.c.groups === -1 ? task.x.shape[axisOf(task.c.axis, task.x.rank)] : task.c.groups);
const InstanceNormalization = (task) => (task.c.track_statistics ? byStatistics(task, task.w.moving_mean, task.w.moving_variance) : normalizedInGroups(task, task.x.shape[axisOf(task.c.axis, task.x.rank)]));

const LocalResponseNormalization = ({ c, x }) => ({ shape: x.shape, data: alongAxes(x, [c.axis], (row) => row.map((value, channel) => {
  let sum = 0;
  for (let d = Math.max(channel - Math.floor(c.size / 2), 0); d <= Math.min(channel + Math.floor((c.size - 1) / 2), row.length - 1); d++) sum += row[d] * row[d];
  return value / (c.bias + (c.divide_by_size ? c.alpha / c.size : c.alpha) * sum) ** c.beta;
})) });

function PReLU({ w, x }) {
  const alpha = stretchedTo(new Tensor("float64", [1, ...w.alpha.shape], numbers(w.alpha)), x.shape);
  return zipped([x, alpha], (a, slope) => (a >= 0 ? a : slope * a));
}

function GLU({ c, x }) {
  const axis = axisOf(c.axis, x.rank), half = x.shape[axis] / 2, shape = x.shape.map((extent, i) => (i === axis ? half : extent));
  if (!Number.isInteger(half)) throw new UsageError(`expected an even extent along axis ${axis}, got ${x.shape[axis]}`);
  const strides = stridesOf(x.shape), source = numbers(x), first = places(shape, strides), second = places(shape, strides, half * strides[axis]);
  const gate = activate(c.activation, new Tensor("float64", shape, Float64Array.from(second, (place) => source[place])));
  return { shape, data: gate.map((b, i) => source[first[i]] * b) };
}

function Normalization({ c, w, x }) {
  const axes = c.axis === null ? [] : [c.axis].flat();
  const last = (value) => (Array.isArray(value) && value.length > 1 ? (axes.length ? alongAxis(new Tensor("float64", [value.length], Float64Array.from(value)), [axes.at(-1)], x) : ofSetting(value.flat())) : ofSetting([value].flat()[0]));
  const own = (weight) => (weight.rank ? alongAxis(weight, axes, x) : weight);
  const mean = c.mean === null ? own(w.mean) : last(c.mean), variance = c.variance === null ? own(w.variance) : last(c.variance);
  const root = (v) => Math.max(Math.sqrt(v), 1e-7);
  return zipped([x, mean, variance], c.invert ? (a, m, v) => a * root(v) + m : (a, m, v) => (a - m) / root(v));
}

function rotated(c, x, start) {
  const sequence = axisOf(c.sequence_axis, x.rank), feature = axisOf(c.feature_axis, x.rank), n = c.rotary_dim ?? x.shape[feature];
  const { data, width, count, back } = rowsAlong(x, [sequence, feature]), features = x.shape[feature], result = data.slice();
  for (let row = 0; row < count; row++) {
    for (let t = 0; t < x.shape[sequence]; t++) {
      const base = row * width + t * features;
      for (let i = 0; i < n / 2; i++) {
        const a = ((start + t) / c.scaling_factor) * c.max_wavelength ** ((-2 * i) / n);
        const [p, q] = c.layout === "halves" ? [base + i, base + i + n / 2] : [base + 2 * i, base + 2 * i + 1];
        result[p] = data[p] * Math.cos(a) - data[q] * Math.sin(a);
        result[q] = data[q] * Math.cos(a) + data[p] * Math.sin(a);
      }
    }
  }
  return { shape: x.shape, data: back(result) };
}
const startOf = (call) => (call.start_index instanceof Tensor ? Number(call.start_index.data[0]) : Number(call.start_index ?? 0));
const RotaryEmbedding = ({ c, x, call }) => rotated(c, x, startOf(call));

function SinePositionEncoding({ c, x, call }) {
  const n = x.shape.at(-1), start = startOf(call), steps = x.shape.at(-2), data = new Float64Array(x.size);
  for (let i = 0; i < data.length; i++) {
    const f = i % n, t = Math.floor(i / n) % steps, pair = c.layout === "halves" ? f % (n / 2) : Math.floor(f / 2), second = c.layout === "halves" ? f >= n / 2 : f % 2 === 1;
    const a = (start + t) * c.max_wavelength ** ((-2 * pair) / n);
    data[i] = second ? Math.cos(a) : Math.sin(a);
  }
  return { shape: x.shape, data };
}

function PositionEmbedding({ w, x, call }) {
  const n = x.shape.at(-1), start = startOf(call), steps = x.shape.at(-2), table = numbers(w.embeddings), data = new Float64Array(x.size);
  for (let i = 0; i < data.length; i++) data[i] = table[(start + (Math.floor(i / n) % steps)) * n + (i % n)];
  return { shape: x.shape, data };
}

const SpectralNormalization = ({ layer, inputs, masks, apply }) => apply(layer.sublayers.get("layer"), inputs, { masks });

export const LAYERS = {
  Dense, EinsumDense, Embedding, Rescaling, Masking, BatchNormalization, LayerNormalization, RMSNormalization, UnitNormalization, GroupNormalization, InstanceNormalization,
  LocalResponseNormalization, PReLU, GLU, Normalization, RotaryEmbedding, SinePositionEncoding, PositionEmbedding, SpectralNormalization,
};
