// Layers of attention: what a query takes of the values whose keys it resembles.

import { attentionAxes } from "../sequence_shapes.js";
import { UnsupportedError } from "../problems.js";
import { Tensor, finish, numbers, product, sizeOf, transposed } from "./arrays.js";

/** The softmax of a row over the keys that count; where none does, all have equal parts. */
function attended(scores, counts) {
  const some = counts.some(Boolean), used = scores.map((score, i) => (!some ? 0 : counts[i] ? score : -Infinity));
  const most = used.reduce((a, b) => Math.max(a, b), -Infinity), powers = used.map((score) => Math.exp(score - most)), sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Scores by dot products or sums, softmaxed, and what they take of the values; batch, steps, features. */
const Additive = (scoreOf) => (task) => {
  const { inputs: [query, value, key = value], masks: [queryMask, valueMask], call, dtype } = task;
  const batch = sizeOf(query.shape.slice(0, -2)), [tq, d] = query.shape.slice(-2), tk = key.shape.at(-2), dv = value.shape.at(-1);
  const [q, k, v] = [query, key, value].map(numbers), score = scoreOf(task), weights = new Float64Array(batch * tq * tk), data = new Float64Array(batch * tq * dv);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < tq; i++) {
      const row = q.subarray((n * tq + i) * d, (n * tq + i + 1) * d);
      const scores = Array.from({ length: tk }, (_, j) => score(row, k.subarray((n * tk + j) * d, (n * tk + j + 1) * d)));
      const counts = scores.map((_, j) => (!valueMask || valueMask.data[n * tk + j]) && !(call.use_causal_mask && j > i));
      const found = attended(scores, counts), hidden = queryMask && !queryMask.data[n * tq + i];
      weights.set(found, (n * tq + i) * tk);
      if (!hidden) for (let j = 0; j < tk; j++) for (let f = 0; f < dv; f++) data[(n * tq + i) * dv + f] += found[j] * v[(n * tk + j) * dv + f];
    }
  }
  const result = { tensor: finish(dtype, [...query.shape.slice(0, -1), dv], data), mask: queryMask ?? null };
  return call.return_attention_scores ? [result, { tensor: finish(dtype, [...query.shape.slice(0, -1), tk], weights), mask: null }] : [result];
};

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const Attention = Additive(({ c, w }) => {
  const scale = w.scale ? w.scale.data[0] : 1;
  if (c.score_mode === "dot") return (q, k) => scale * dot(q, k);
  return (q, k) => w.concat_score_weight.data[0] * q.reduce((sum, x, i) => sum + Math.tanh(scale * (x + k[i])), 0);
});
const AdditiveAttention = Additive(({ w }) => {
  const scale = w.scale ? numbers(w.scale) : undefined;
  return (q, k) => q.reduce((sum, x, i) => sum + (scale ? scale[i] : 1) * Math.tanh(x + k[i]), 0);
});

/** Rows of features times a kernel [features, heads, size], with a bias [heads, size]. */
function projected(rows, kernel, bias) {
  const [features, heads, size] = kernel.shape, data = product(rows, numbers(kernel), features, heads * size);
  if (bias) { const added = numbers(bias); for (let i = 0; i < data.length; i++) data[i] += added[i % added.length]; }
  return data;
}

/** A tensor with the axes attended over as one: [batch, steps, features]. */
function gathered(tensor, axes) {
  const rest = tensor.shape.map((_, i) => i).filter((i) => !axes.includes(i) && i !== tensor.rank - 1), order = [...rest, ...axes, tensor.rank - 1], moved = transposed(tensor, order);
  return { data: numbers(moved), batch: sizeOf(rest.map((i) => tensor.shape[i])), steps: sizeOf(axes.map((i) => tensor.shape[i])), rest, order };
}

/** Whether a mask of the first axes of a tensor lets step t of row n count, as `gathered` has rows and steps. */
function letsOf(mask, tensor, { order, steps }) {
  if (!mask) return () => true;
  const wide = tensor.shape.slice(0, -1), stretched = sizeOf(wide.slice(mask.rank));
  if (mask.shape.some((extent, axis) => extent !== wide[axis])) throw new UnsupportedError(`a mask of [${mask.shape}] is none of the first axes of [${tensor.shape}]`);
  const each = Float64Array.from({ length: sizeOf(wide) }, (_, i) => Number(mask.data[Math.floor(i / stretched)]));
  const { data } = transposed(new Tensor("float64", [...wide, 1], each), order);
  return (n, t) => data[n * steps + t] !== 0;
}

function heads(task, { count, size, shared, axes }) {
  const { w, inputs: [query, value, key = value], masks, call, dtype } = task, [q, v, k] = [query, value, key].map((one) => gathered(one, axes));
  const projections = { q: projected(q.data, w.query_kernel, w.query_bias), k: projected(k.data, w.key_kernel, w.key_bias), v: projected(v.data, w.value_kernel, w.value_bias) };
  const keyHeads = w.key_kernel.shape[1], width = w.value_kernel.shape[2], { batch } = q, weights = new Float64Array(batch * count * q.steps * k.steps), taken = new Float64Array(batch * q.steps * count * width);
  const [queryMask, valueMask, keyMask] = [call.query_mask ?? masks[0], call.value_mask ?? masks[1], call.key_mask ?? masks[2]];
  const [asks, offers, shows] = [letsOf(queryMask, query, q), letsOf(valueMask, value, v), letsOf(keyMask, key, k)];
  const pair = pairMask(call.attention_mask, { batch, count, tq: q.steps, tk: k.steps });
  for (let n = 0; n < batch; n++) {
    for (let h = 0; h < count; h++) {
      const own = Math.floor(h / shared);
      for (let i = 0; i < q.steps; i++) {
        const row = projections.q.subarray(((n * q.steps + i) * count + h) * size, ((n * q.steps + i) * count + h + 1) * size);
        const scores = Array.from({ length: k.steps }, (_, j) => dot(row, projections.k.subarray(((n * k.steps + j) * keyHeads + own) * size, ((n * k.steps + j) * keyHeads + own + 1) * size)) / Math.sqrt(size));
        const counts = scores.map((_, j) => asks(n, i) && offers(n, j) && shows(n, j) && pair(n, h, i, j) && !(call.use_causal_mask && j > i));
        const found = attended(scores, counts);
        weights.set(found, ((n * count + h) * q.steps + i) * k.steps);
        for (let j = 0; j < k.steps; j++) for (let f = 0; f < width; f++) taken[((n * q.steps + i) * count + h) * width + f] += found[j] * projections.v[((n * k.steps + j) * keyHeads + own) * width + f];
      }
    }
  }
  const outs = w.output_kernel.shape.slice(2), data = product(taken, numbers(w.output_kernel), count * width, sizeOf(outs));
  if (w.output_bias) { const bias = numbers(w.output_bias); for (let i = 0; i < data.length; i++) data[i] += bias[i % bias.length]; }
  const order = q.order.slice(0, -1), moved = new Tensor("float64", [...order.map((i) => query.shape[i]), ...outs], data);
  const back = [...order.map((_, i) => order.indexOf(i)), ...outs.map((_, i) => order.length + i)], result = transposed(moved, back);
  const value0 = { tensor: finish(dtype, result.shape, result.data), mask: masks[0] ?? null };
  if (!call.return_attention_scores) return [value0];
  const shape = [...q.rest.map((i) => query.shape[i]), count, ...axes.map((i) => query.shape[i]), ...axes.map((i) => key.shape[i])];
  return [value0, { tensor: finish(dtype, shape, weights), mask: null }];
}

/** Whether an attention mask [batch, queries, keys], perhaps with heads behind the batch, lets a pair meet. */
function pairMask(mask, { batch, count, tq, tk }) {
  if (!(mask instanceof Tensor)) return () => true;
  const perHead = mask.size === batch * count * tq * tk && mask.size !== batch * tq * tk, rows = mask.size / (tq * tk);
  return (n, h, i, j) => Number(mask.data[((perHead ? n * count + h : Math.floor((n * rows) / batch)) * tq + i) * tk + j]) !== 0;
}

function MultiHeadAttention(task) {
  const axes = attentionAxes(task.c, task.x.rank);
  return heads(task, { count: task.c.num_heads, size: task.c.key_dim, shared: 1, axes });
}
const GroupQueryAttention = (task) => heads(task, { count: task.c.num_query_heads, size: task.c.head_dim, shared: task.c.num_query_heads / task.c.num_key_value_heads, axes: [1] });

export const LAYERS = { Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention };
