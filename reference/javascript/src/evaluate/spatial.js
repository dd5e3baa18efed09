// Layers that look at their input through windows: convolutions, their transposes, pools; and those that change spatial extents.
//
// All of them work on arrays whose channels are last: batch, spatial extents, channels.

import { paddingOf, transposedExtent, windowCount } from "../windows.js";
import { Tensor, finish, isFloating, numbers, sizeOf, stridesOf, transposed } from "./arrays.js";

/** A tensor with its channels last, and how to turn a result back. */
export function channelsLast(tensor, dataFormat, first = 1) {
  if (dataFormat !== "channels_first") return { x: tensor, back: (result) => result };
  const { rank } = tensor, order = [...Array(rank).keys()];
  const last = [...order.slice(0, first), ...order.slice(first + 1), first];
  return { x: transposed(tensor, last), back: (result) => (result.rank === rank ? transposed(result, [...order.slice(0, first), rank - 1, ...order.slice(first, -1)]) : result) };
}

const ruleOf = (padding, i) => (Array.isArray(padding) ? padding[i] : padding);

/** Every index of a shape, in row-major order. */
export function* indices(shape) {
  const index = Array(shape.length).fill(0);
  for (let left = sizeOf(shape); left > 0; left--) {
    yield index;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
}

function* indicesCopied(shape) {
  for (const index of indices(shape)) yield [...index];
}

/** Extents of the result and elements of padding before, along each spatial axis. */
function geometry(spatial, { sizes, strides, dilation, padding, ceil = false }) {
  const facts = spatial.map((n, i) => ({ n, k: sizes[i], s: strides[i], d: dilation[i], ceil }));
  return { extents: facts.map((one, i) => windowCount(ruleOf(padding, i), one)), pads: facts.map((one, i) => paddingOf(ruleOf(padding, i), one)) };
}

/**
 * The sums of a convolution: kernel [...sizes, channels / groups, filters]; or, depthwise, [...sizes, channels, multiplier].
 * Yields { shape, data } with the channels last.
 */
export function convolve(x, kernel, { strides, dilation, padding, groups = 1, depthwise = false }) {
  const [batch, ...rest] = x.shape, channels = rest.pop(), sizes = kernel.shape.slice(0, -2), [inner, outer] = kernel.shape.slice(-2);
  const { extents, pads } = geometry(rest, { sizes, strides, dilation, padding });
  const filters = depthwise ? channels * outer : outer, shape = [batch, ...extents, filters], data = new Float64Array(sizeOf(shape));
  const steps = stridesOf(x.shape), source = numbers(x), weights = numbers(kernel), taps = [...indicesCopied(sizes)];
  const perGroup = filters / groups;
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (const place of indices(extents)) {
      for (let t = 0; t < taps.length; t++) {
        let from = b * steps[0], inside = true;
        for (let i = 0; i < sizes.length && inside; i++) {
          const position = place[i] * strides[i] + taps[t][i] * dilation[i] - pads[i][0];
          inside = position >= 0 && position < rest[i];
          from += position * steps[i + 1];
        }
        if (!inside) continue;
        const base = t * inner * outer;
        if (depthwise) {
          for (let c = 0; c < channels; c++) for (let m = 0; m < outer; m++) data[at + c * outer + m] += source[from + c] * weights[base + c * outer + m];
        } else {
          for (let c = 0; c < channels; c++) {
            const group = Math.floor(c / inner), value = source[from + c], row = base + (c - group * inner) * outer;
            for (let f = group * perGroup; f < (group + 1) * perGroup; f++) data[at + f] += value * weights[row + f];
          }
        }
      }
      at += filters;
    }
  }
  return { shape, data };
}

/** The sums of a transposed convolution: kernel [...sizes, filters / groups, channels]. */
export function convolveTransposed(x, kernel, { strides, dilation, padding, outputPadding, groups }) {
  const [batch, ...rest] = x.shape, channels = rest.pop(), sizes = kernel.shape.slice(0, -2), perGroup = kernel.shape.at(-2), filters = perGroup * groups;
  const facts = rest.map((n, i) => transposedExtent(ruleOf(padding, i), { n, k: sizes[i], s: strides[i], d: dilation[i], more: outputPadding?.[i] ?? null }));
  const extents = facts.map(({ extent }) => extent), shape = [batch, ...extents, filters], data = new Float64Array(sizeOf(shape));
  const steps = stridesOf(shape), source = numbers(x), weights = numbers(kernel), taps = [...indicesCopied(sizes)];
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (const place of indices(rest)) {
      for (let t = 0; t < taps.length; t++) {
        let to = b * steps[0], inside = true;
        for (let i = 0; i < sizes.length && inside; i++) {
          const position = place[i] * strides[i] + taps[t][i] * dilation[i] - facts[i].before;
          inside = position >= 0 && position < extents[i];
          to += position * steps[i + 1];
        }
        if (!inside) continue;
        for (let c = 0; c < channels; c++) {
          const group = Math.floor(c / (channels / groups));
          for (let f = 0; f < perGroup; f++) data[to + group * perGroup + f] += source[at + c] * weights[(t * perGroup + f) * channels + c];
        }
      }
      at += channels;
    }
  }
  return { shape, data };
}

/** What no number of a dtype is below. */
function least(dtype) {
  if (isFloating(dtype)) return -Infinity;
  return /^int/.test(dtype) ? -(2 ** (Number(dtype.slice(3)) - 1)) : 0;
}

/** The largest or the mean element under each window, channel by channel. */
export function pool(x, { kind, sizes, strides, dilation = sizes.map(() => 1), padding, ceil, countPadding }) {
  const [batch, ...rest] = x.shape, channels = rest.pop();
  const { extents, pads } = geometry(rest, { sizes, strides, dilation, padding, ceil });
  const shape = [batch, ...extents, channels], data = new Float64Array(sizeOf(shape)), steps = stridesOf(x.shape), source = numbers(x), taps = [...indicesCopied(sizes)];
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (const place of indices(extents)) {
      let count = 0;
      const values = [];
      for (const tap of taps) {
        let from = b * steps[0], inside = true, padded = true;
        for (let i = 0; i < sizes.length; i++) {
          const position = place[i] * strides[i] + tap[i] * dilation[i] - pads[i][0];
          inside &&= position >= 0 && position < rest[i];
          padded &&= position < rest[i] + pads[i][1];
          from += position * steps[i + 1];
        }
        if (inside) values.push(from);
        if (inside || (countPadding && padded)) count++;
      }
      for (let c = 0; c < channels; c++) {
        let found = kind === "max" ? least(x.dtype) : 0;
        for (const from of values) found = kind === "max" ? (source[from + c] > found || Number.isNaN(source[from + c]) ? source[from + c] : found) : found + source[from + c];
        data[at + c] = kind === "max" ? found : found / count;
      }
      at += channels;
    }
  }
  return { shape, data };
}

/** Along each axis of n elements that become m: the largest or the mean of those from i × n / m to (i + 1) × n / m. */
export function poolAdaptively(x, kind, sizes) {
  const [batch, ...rest] = x.shape, channels = rest.pop(), shape = [batch, ...sizes, channels], data = new Float64Array(sizeOf(shape));
  const steps = stridesOf(x.shape), source = numbers(x);
  let at = 0;
  for (let b = 0; b < batch; b++) {
    for (const place of indices(sizes)) {
      const begins = place.map((i, axis) => Math.floor((i * rest[axis]) / sizes[axis])), counts = place.map((i, axis) => Math.ceil(((i + 1) * rest[axis]) / sizes[axis]) - begins[axis]);
      const from = [...indicesCopied(counts)].map((offset) => offset.reduce((sum, one, axis) => sum + (begins[axis] + one) * steps[axis + 1], b * steps[0]));
      for (let c = 0; c < channels; c++) {
        const values = from.map((one) => source[one + c]);
        data[at + c] = kind === "max" ? values.reduce((a, v) => (v > a || Number.isNaN(v) ? v : a), -Infinity) : values.reduce((a, v) => a + v, 0) / values.length;
      }
      at += channels;
    }
  }
  return { shape, data };
}

/** Elements chosen along one axis: for each of the result the place in the input, or undefined for the fill. */
export function chosenAlong(tensor, axis, from, fill = 0) {
  const before = sizeOf(tensor.shape.slice(0, axis)), after = sizeOf(tensor.shape.slice(axis + 1)), n = tensor.shape[axis];
  const result = new Tensor(tensor.dtype, tensor.shape.map((extent, i) => (i === axis ? from.length : extent)));
  const empty = finish(tensor.dtype, [], [fill]).data[0];
  for (let b = 0; b < before; b++) {
    for (let i = 0; i < from.length; i++) {
      for (let a = 0; a < after; a++) result.data[(b * from.length + i) * after + a] = from[i] === undefined ? empty : tensor.data[(b * n + from[i]) * after + a];
    }
  }
  return result;
}

/** Where element p of a padded axis of n elements comes from; undefined: from the fill. */
export function paddedPlace(mode, q, n) {
  if (q >= 0 && q < n) return q;
  if (mode === "constant") return undefined;
  if (mode === "edge") return Math.min(Math.max(q, 0), n - 1);
  if (mode === "circular") return ((q % n) + n) % n;
  const period = mode === "reflect" ? 2 * (n - 1) : 2 * n;
  if (period === 0) return 0;
  const place = ((q % period) + period) % period;
  return place < n ? place : mode === "reflect" ? period - place : period - 1 - place;
}

/** A tensor padded along axes from `first` on, by pairs. */
export function padded(tensor, pairs, { mode = "constant", fill = 0, first = 0 }) {
  return pairs.reduce((found, [before, after], i) => {
    const n = found.shape[first + i];
    return before + after === 0 ? found : chosenAlong(found, first + i, Array.from({ length: n + before + after }, (_, p) => paddedPlace(mode, p - before, n)), fill);
  }, tensor);
}

function cubicWeights(t, a) {
  const near = (x) => ((a + 2) * x - (a + 3)) * x * x + 1, far = (x) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}

/** The places and weights that make element i of an axis of n elements that become m. */
function taps(i, n, m, { interpolation, alignCorners, coefficient, excludeOutside }) {
  if (interpolation === "nearest_floor") return [[Math.min(Math.floor((i * n) / m), n - 1), 1]];
  const position = alignCorners ? (m === 1 ? 0 : (i * (n - 1)) / (m - 1)) : ((i + 0.5) * n) / m - 0.5;
  const limited = (j) => Math.min(Math.max(j, 0), n - 1);
  if (interpolation === "nearest") return [[limited(Math.floor(position + 0.5)), 1]];
  const low = Math.floor(position), t = position - low;
  if (interpolation !== "bicubic") return [[limited(low), 1 - t], [limited(low + 1), t]];
  const all = cubicWeights(t, coefficient).map((weight, j) => [low - 1 + j, weight]);
  if (!excludeOutside) return all.map(([j, weight]) => [limited(j), weight]);
  const inside = all.filter(([j]) => j >= 0 && j < n), sum = inside.reduce((total, [, weight]) => total + weight, 0);
  return inside.map(([j, weight]) => [j, weight / sum]);
}

/** An array resized along its spatial axes. */
export function resized(x, extents, options) {
  return extents.reduce((found, m, i) => {
    const axis = i + 1, n = found.shape[axis], before = sizeOf(found.shape.slice(0, axis)), after = sizeOf(found.shape.slice(axis + 1));
    const result = new Tensor("float64", found.shape.map((extent, at) => (at === axis ? m : extent))), source = numbers(found);
    for (let p = 0; p < m; p++) {
      const from = taps(p, n, m, options);
      for (let b = 0; b < before; b++) {
        for (let a = 0; a < after; a++) result.data[(b * m + p) * after + a] = from.reduce((sum, [j, weight]) => sum + source[(b * n + j) * after + a] * weight, 0);
      }
    }
    return result;
  }, x);
}
