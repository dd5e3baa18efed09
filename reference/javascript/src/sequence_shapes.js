// What recurrent layers, wrappers around steps, attention and positions yield, and whether their inputs fit.

import { Several, agree, axisOf, expect, firstKnown, known, plus } from "./shapes.js";
import { windowExtents, assemble } from "./spatial_shapes.js";

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
/** Whether there is a step to take. */
const stepped = (x) => expect(x[1] !== 0, "a step at least, got none");
const RECURRENT = (c, [x, ...given], layer) => {
  stepped(x);
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
  stepped(x);
  const one = [x[0], ...x.slice(2)];
  const state = assemble(c, [x[0]], windowExtents(c, one, c.kernel_size, c.strides), c.filters);
  states(given, [state, state]);
  const result = c.return_sequences ? [state[0], x[1], ...state.slice(1)] : state;
  return c.return_state ? new Several([result, state, state]) : result;
};

const STACKED = (c, [x, ...given], layer, visit) => {
  const all = [];
  let value = x;
  for (const cell of layer.sublayers.values()) {
    const results = visit(cell, [value]);
    if (!results?.length || results.includes(undefined)) return undefined;
    value = results[0];
    all.push(...results.slice(1));
  }
  states(given, all);
  return new Several([value, ...all]);
};
const RNN = (c, [x, ...given], layer, visit) => {
  stepped(x);
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
  return results?.every((one) => one !== undefined) ? new Several(results.map((one) => [one[0], x[1], ...one.slice(1)])) : undefined;
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
  const axes = c.attention_axes ? [c.attention_axes].flat().map((axis) => axisOf(axis, rank)) : Array.from({ length: rank - 2 }, (_, i) => i + 1);
  expect(new Set(axes).size === axes.length && !axes.includes(rank - 1) && !axes.includes(0), `attention over axes other than the batch and the last, each once, got ${axes.join(", ")}`);
  return axes;
}
const GROUPED = (c, inputs, layer, visit, call) => {
  for (const shape of inputs) expect(shape.length === 3, `inputs of rank 3, got ${shape.length}`);
  expect(c.num_query_heads % c.num_key_value_heads === 0, `num_key_value_heads that divide ${c.num_query_heads}, got ${c.num_key_value_heads}`);
  return HEADS({ ...c, attention_axes: null }, inputs, layer, visit, call);
};

const ROTARY = (c, [x]) => {
  const features = x[axisOf(c.feature_axis, x.length)], turned = c.rotary_dim ?? features;
  const axes = [c.sequence_axis, c.feature_axis].map((axis) => axisOf(axis, x.length));
  expect(axes[0] !== axes[1] && !axes.includes(0), `two axes behind the batch, got ${axes.join(" and ")}`);
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

/** Type -> its rule. */
export const RULES = {
  SimpleRNN: RECURRENT, GRU: RECURRENT, LSTM: RECURRENT, SimpleRNNCell: CELL, GRUCell: CELL, LSTMCell: CELL, StackedRNNCells: STACKED, RNN, Bidirectional: BIDIRECTIONAL,
  TimeDistributed: DISTRIBUTED, SpectralNormalization: WRAPPED, ConvLSTM1D: CONV_LSTM, ConvLSTM2D: CONV_LSTM, ConvLSTM3D: CONV_LSTM, Attention: ATTENTION, AdditiveAttention: ATTENTION,
  MultiHeadAttention: HEADS, GroupQueryAttention: GROUPED, RotaryEmbedding: ROTARY, SinePositionEncoding: SINES, PositionEmbedding: POSITIONS,
};
