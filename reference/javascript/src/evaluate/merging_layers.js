// Layers that make one value of several, and what becomes of their masks.

import { Tensor, axisOf, finish, numbers, rowsAlong, sizeOf, stretchedTo } from "./arrays.js";

/** Inputs whose batches are the first axis and whose other axes are aligned at the end. */
function aligned(inputs) {
  const rank = Math.max(...inputs.map((one) => one.rank));
  return inputs.map((one) => new Tensor(one.dtype, [one.shape[0], ...Array(rank - one.rank).fill(1), ...one.shape.slice(1)], one.data));
}

/** Whether each step of a result counts; null: all do. */
function mergedMask(mode, masks, join) {
  const given = masks.filter((mask) => mask !== null);
  if (mode === "none" || given.length === 0 || (mode === "any" && given.length < masks.length)) return null;
  return join(given, (values) => (mode === "any" ? values.some(Boolean) : values.every(Boolean)));
}

const stepwise = (given, decide) => new Tensor("bool", given[0].shape, Float64Array.from(given[0].data, (_, i) => (decide(given.map((mask) => mask.data[i])) ? 1 : 0)));

/** For each step of the result how often its elements are repeated: the elements of one step. */
const stepOf = (mask, i, shape) => mask.data[Math.floor(i / sizeOf(shape.slice(mask.rank)))];

/** Types that take booleans as 0 and 1. */
const COUNTING = ["Add", "Subtract", "Multiply"];
const LEAVING_OUT = { Multiply: 1, Maximum: -Infinity, Minimum: Infinity };

const Merge = (compute) => ({ c, inputs, masks, dtype, layer }) => {
  const all = aligned(inputs), shape = all[0].shape.map((_, axis) => all.reduce((extent, one) => (one.shape[axis] === 1 ? extent : one.shape[axis]), 1));
  const data = all.map((one) => numbers(stretchedTo(one, shape))), result = new Float64Array(sizeOf(shape));
  const leaves = c.masks === "any" && layer.type in LEAVING_OUT ? LEAVING_OUT[layer.type] : undefined;
  for (let i = 0; i < result.length; i++) {
    const values = data.map((one, k) => (leaves !== undefined && masks[k] && !stepOf(masks[k], i, shape) ? undefined : one[i]));
    const counted = values.filter((value) => value !== undefined);
    if (counted.length < values.length) result[i] = counted.length ? compute(counted) : layer.type === "Multiply" ? 0 : data[0][i];
    else result[i] = compute(values);
  }
  const kind = dtype === "bool" && COUNTING.includes(layer.type) ? "int32" : dtype;
  return [{ tensor: finish(kind, shape, result), mask: mergedMask(c.masks, masks, stepwise) }];
};

const nan = (compare) => (values) => values.reduce((a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : compare(a, b)));

function Concatenate({ c, inputs, masks }) {
  const axis = axisOf(c.axis, inputs[0].rank), joined = joinedAlong(inputs, axis);
  const given = masks.some((mask) => mask !== null);
  if (c.masks === "none" || !given) return [{ tensor: joined, mask: null }];
  const rank = masks.find((mask) => mask !== null).rank;
  if (axis >= rank) return [{ tensor: joined, mask: mergedMask(c.masks, masks, stepwise) }];
  const full = masks.map((mask, i) => mask ?? new Tensor("bool", inputs[i].shape.slice(0, rank), new Float64Array(sizeOf(inputs[i].shape.slice(0, rank))).fill(1)));
  return [{ tensor: joined, mask: joinedAlong(full, axis) }];
}

/** Tensors one after the other along an axis. */
export function joinedAlong(tensors, axis) {
  const [first] = tensors, before = sizeOf(first.shape.slice(0, axis)), result = new Tensor(first.dtype, first.shape.map((extent, i) => (i === axis ? tensors.reduce((sum, one) => sum + one.shape[axis], 0) : extent)));
  let at = 0;
  for (let b = 0; b < before; b++) {
    for (const one of tensors) {
      const width = one.size / before;
      for (let i = 0; i < width; i++) result.data[at++] = one.data[b * width + i];
    }
  }
  return result;
}

function Dot({ c, inputs: [a, b] }) {
  const axes = Array.isArray(c.axes) ? c.axes : [c.axes, c.axes];
  const rows = [a, b].map((one, i) => {
    const axis = axisOf(axes[i], one.rank), { data, width, stay } = rowsAlong(one, [axis]), parts = [];
    for (let at = 0; at < data.length; at += width) {
      const row = data.subarray(at, at + width), root = c.normalize ? Math.sqrt(Math.max(row.reduce((sum, x) => sum + x * x, 0), 1e-12)) : 1;
      parts.push(row.map((x) => x / root));
    }
    return { parts, stay };
  });
  const batch = a.shape[0], counts = rows.map(({ parts }) => parts.length / batch), data = [];
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < counts[0]; i++) for (let j = 0; j < counts[1]; j++) data.push(rows[0].parts[n * counts[0] + i].reduce((sum, x, k) => sum + x * rows[1].parts[n * counts[1] + j][k], 0));
  }
  const shape = [batch, ...rows[0].stay.slice(1), ...rows[1].stay.slice(1)];
  return { shape: shape.length === 1 ? [batch, 1] : shape, data: Float64Array.from(data) };
}

export const LAYERS = {
  Add: Merge((values) => values.reduce((a, b) => a + b)), Subtract: Merge(([a, b]) => a - b), Multiply: Merge((values) => values.reduce((a, b) => a * b)),
  Average: Merge((values) => values.reduce((a, b) => a + b) / values.length), Maximum: Merge(nan(Math.max)), Minimum: Merge(nan(Math.min)), Concatenate, Dot,
};

