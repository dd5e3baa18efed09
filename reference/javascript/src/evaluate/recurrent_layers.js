// Layers that go from step to step: recurrent ones, their cells, convolutional LSTMs, and wrappers around steps.

import { activate } from "./activations.js";
import { Tensor, finish, keptMask, moveAxis, numbers, product, sizeOf, transposed } from "./arrays.js";
import { weighted } from "./basic_layers.js";
import { channelsLast, chosenAlong, convolve } from "./spatial.js";
import { joinedAlong } from "./merging_layers.js";

const active = (name, data, width) => activate(name, new Tensor("float64", [data.length / width, width], data));
/** A bias, both rows of one of two added. */
const biasOf = (w, width) => {
  const bias = weighted(w, "bias");
  return bias === undefined ? new Float64Array(width) : Float64Array.from({ length: width }, (_, i) => bias[i] + (bias.length > width ? bias[width + i] : 0));
};
/** Part number i of rows of several parts. */
const part = (rows, i, units, parts) => Float64Array.from({ length: rows.length / parts }, (_, at) => rows[Math.floor(at / units) * units * parts + i * units + (at % units)]);
const plus = (a, b) => a.map((x, i) => x + b[i]);
const withBias = (rows, bias) => rows.map((x, i) => x + bias[i % bias.length]);

function simpleStep({ c, w }, x, [h], width) {
  const sum = plus(product(x, numbers(w.kernel), width, c.units), product(h, numbers(w.recurrent_kernel), c.units, c.units));
  const next = active(c.activation, withBias(sum, biasOf(w, c.units)), c.units);
  return { result: next, states: [next] };
}

/** The gates of an LSTM, whatever made their sums. */
function lstmGates(c, sums, cell, units) {
  const [i, f, g, o] = [0, 1, 2, 3].map((gate) => part(sums, gate, units, 4));
  const s = (rows) => active(c.recurrent_activation, rows, units), [input, forget, output] = [s(i), s(f), s(o)], candidate = active(c.activation, g, units);
  const next = cell.map((x, at) => forget[at] * x + input[at] * candidate[at]), shown = active(c.activation, next, units);
  const h = shown.map((x, at) => output[at] * x);
  return { result: h, states: [h, next] };
}

function lstmStep({ c, w }, x, [h, cell], width) {
  const sums = plus(product(x, numbers(w.kernel), width, 4 * c.units), product(h, numbers(w.recurrent_kernel), c.units, 4 * c.units));
  return lstmGates(c, withBias(sums, biasOf(w, 4 * c.units)), cell, c.units);
}

function gruStep({ c, w }, x, [h], width) {
  const { units } = c, recurrent = numbers(w.recurrent_kernel), bias = weighted(w, "bias") ?? new Float64Array(6 * units), s = (rows) => active(c.recurrent_activation, rows, units);
  const rows = (matrix, from) => Float64Array.from({ length: units * units }, (_, i) => matrix[Math.floor(i / units) * 3 * units + from * units + (i % units)]);
  const fromX = withBias(product(x, numbers(w.kernel), width, 3 * units), bias.subarray(0, 3 * units));
  const [xz, xr, xh] = [0, 1, 2].map((i) => part(fromX, i, units, 3));
  let z, hidden;
  if (c.reset_after) {
    const fromH = withBias(product(h, recurrent, units, 3 * units), bias.subarray(3 * units, 6 * units));
    const [hz, hr, hh] = [0, 1, 2].map((i) => part(fromH, i, units, 3));
    z = s(plus(xz, hz));
    const r = s(plus(xr, hr));
    hidden = hh.map((value, i) => r[i] * value);
  } else {
    z = s(plus(xz, product(h, rows(recurrent, 0), units, units)));
    const r = s(plus(xr, product(h, rows(recurrent, 1), units, units)));
    hidden = product(h.map((value, i) => r[i] * value), rows(recurrent, 2), units, units);
  }
  const g = active(c.activation, plus(xh, hidden), units), next = h.map((value, i) => z[i] * value + (1 - z[i]) * g[i]);
  return { result: next, states: [next] };
}

const STEPS = { SimpleRNN: [simpleStep, 1], LSTM: [lstmStep, 2], GRU: [gruStep, 1] };

/**
 * Goes through the steps of a sequence: `take(x, states)` yields { result, states } of one step as tensors, states undefined at
 * first where none were given. What a mask excludes leaves states and result as they were.
 */
function unrolled({ c, x, masks: [mask], dtype }, take, initial) {
  const steps = x.shape[1], order = Array.from({ length: steps }, (_, t) => (c.go_backwards ? steps - 1 - t : t)), results = [];
  let states = initial, last;
  const kept = (t, fresh, old) => {
    if (!mask) return fresh;
    const width = fresh.size / fresh.shape[0];
    return new Tensor(fresh.dtype, fresh.shape, fresh.data.map((value, i) => (mask.data[Math.floor(i / width) * steps + t] ? value : (old?.data[i] ?? 0))));
  };
  for (const t of order) {
    const one = chosenAlong(x, 1, [t]), found = take(new Tensor(x.dtype, [x.shape[0], ...x.shape.slice(2)], one.data), states);
    const result = kept(t, found.result, last);
    states = found.states.map((state, i) => kept(t, state, states?.[i]));
    last = result;
    results.push(c.zero_output_for_mask ? kept(t, found.result, undefined) : result);
  }
  const all = joinedAlong(results.map((one) => new Tensor(one.dtype, [one.shape[0], 1, ...one.shape.slice(1)], one.data)), 1);
  const finished = ({ shape, data }) => finish(dtype, shape, data);
  const value = c.return_sequences ? { tensor: finished(all), mask: mask ?? null } : { tensor: finished(c.zero_output_for_mask ? results.at(-1) : last), mask: null };
  return [value, ...(c.return_state ? states.map((state) => ({ tensor: finished(state), mask: null })) : [])];
}

const float = (shape, data) => new Tensor("float64", shape, data);
const zeros = (count, shape) => Array.from({ length: count }, () => float(shape, new Float64Array(sizeOf(shape))));

/** The states that a call gives, as inputs or arguments; zeros where it gives none. */
function statesOf({ inputs, call }, count, shape) {
  const given = [...inputs.slice(1), ...[call.initial_state ?? []].flat()];
  return given.length ? given.map((one) => float(one.shape, numbers(one))) : zeros(count, shape);
}

const Recurrent = (task) => {
  const { c, x, layer } = task, [step, count] = STEPS[layer.type], shape = [x.shape[0], c.units];
  const take = (one, states) => {
    const { result, states: next } = step(task, numbers(one), states.map(numbers), x.shape.at(-1));
    return { result: float(shape, result), states: next.map((state) => float(shape, state)) };
  };
  return unrolled(task, take, statesOf(task, count, shape));
};

const Cell = (task) => {
  const { c, x, layer, dtype } = task, [step, count] = STEPS[layer.type.replace("Cell", "")], shape = [x.shape[0], c.units];
  const { result, states } = step(task, numbers(x), statesOf(task, count, shape).map(numbers), x.shape.at(-1));
  return [result, ...states].map((data) => ({ tensor: finish(dtype, shape, data), mask: null }));
};

function StackedRNNCells({ layer, inputs: [x, ...given], apply }) {
  let value = x, left = given;
  const states = [];
  for (const cell of layer.sublayers.values()) {
    const own = left.slice(0, given.length ? statesIn(cell) : 0);
    left = left.slice(own.length);
    const [result, ...next] = apply(cell, [value, ...own], {}).map(({ tensor }) => tensor);
    value = result;
    states.push(...next);
  }
  return [value, ...states].map((tensor) => ({ tensor, mask: null }));
}

/** How many states a cell has. */
function statesIn(cell) {
  if (cell.type === "StackedRNNCells") return [...cell.sublayers.values()].reduce((sum, inner) => sum + statesIn(inner), 0);
  return cell.type === "LSTMCell" ? 2 : 1;
}

const RNN = (task) => {
  const given = [...task.inputs.slice(1), ...[task.call.initial_state ?? []].flat()], cell = task.layer.sublayers.get("cell");
  const take = (one, states) => {
    const [result, ...next] = task.apply(cell, [one, ...(states ?? [])], {}).map(({ tensor }) => tensor);
    return { result, states: next };
  };
  return unrolled(task, take, given.length ? given : undefined);
};

function reversedSteps({ tensor, mask }) {
  return { tensor: chosenAlong(tensor, 1, Array.from({ length: tensor.shape[1] }, (_, t) => tensor.shape[1] - 1 - t)), mask };
}

function Bidirectional({ c, layer, inputs: [x, ...given], masks: [mask = null], call, apply, dtype }) {
  const states = [...given, ...[call.initial_state ?? []].flat()], half = states.length / 2;
  const [forward, backward] = ["forward", "backward"].map((role) => layer.sublayers.get(role));
  const [a, ...aStates] = apply(forward, [x, ...states.slice(0, half)], { masks: [mask] });
  const [b, ...bStates] = apply(backward, [x, ...states.slice(half)], { masks: [mask] });
  const turned = backward.settings.return_sequences ? reversedSteps(b) : b, kept = forward.settings.return_sequences ? mask : null;
  const MERGES = { sum: (p, q) => p + q, mul: (p, q) => p * q, ave: (p, q) => (p + q) / 2 };
  const first = c.merge_mode === "none" ? [a, turned]
    : [{ tensor: c.merge_mode === "concat" ? joinedAlong([a.tensor, turned.tensor], a.tensor.rank - 1) : finish(dtype, a.tensor.shape, a.tensor.data.map((p, i) => MERGES[c.merge_mode](p, turned.tensor.data[i]))), mask: kept }];
  return [...first, ...aStates, ...bStates];
}

function TimeDistributed({ layer, x, masks: [mask = null], apply }) {
  const inner = layer.sublayers.get("layer"), steps = x.shape[1], shape = [x.shape[0], ...x.shape.slice(2)];
  const step = (t) => apply(inner, [new Tensor(x.dtype, shape, steps ? chosenAlong(x, 1, [t]).data : undefined)], {}).map(({ tensor }) => new Tensor(tensor.dtype, [tensor.shape[0], 1, ...tensor.shape.slice(1)], tensor.data));
  const results = Array.from({ length: Math.max(steps, 1) }, (_, t) => step(t)); // of no steps, one tells the shape
  return results[0].map((one, i) => {
    const tensor = steps ? joinedAlong(results.map((all) => all[i]), 1) : new Tensor(one.dtype, one.shape.map((extent, axis) => (axis === 1 ? 0 : extent)));
    return { tensor, mask: keptMask(mask, tensor) };
  });
}

function ConvLSTM(task) {
  const { c, w } = task, first = c.data_format === "channels_first", one = c.kernel_size.map(() => 1), units = c.filters;
  const bias = weighted(w, "bias") ?? new Float64Array(4 * units), last = (tensor) => channelsLast(tensor, c.data_format).x;
  const back = (tensor) => (first ? transposed(tensor, moveAxis(tensor.rank, tensor.rank - 1, 1)) : tensor);
  const take = (x, states) => {
    const sums = convolve(last(x), w.kernel, { strides: c.strides, dilation: c.dilation_rate, padding: c.padding }), shape = [...sums.shape.slice(0, -1), units];
    const [h, cell] = states ? states.map(last) : zeros(2, shape);
    const recurrent = convolve(h, w.recurrent_kernel, { strides: one, dilation: one, padding: "same_upper" });
    const { result, states: next } = lstmGates(c, withBias(plus(sums.data, recurrent.data), bias), numbers(cell), units);
    return { result: back(float(shape, result)), states: next.map((state) => back(float(shape, state))) };
  };
  const given = [...task.inputs.slice(1), ...[task.call.initial_state ?? []].flat()];
  return unrolled(task, take, given.length ? given : undefined);
}

export const LAYERS = {
  SimpleRNN: Recurrent, LSTM: Recurrent, GRU: Recurrent, SimpleRNNCell: Cell, LSTMCell: Cell, GRUCell: Cell, StackedRNNCells, RNN, Bidirectional, TimeDistributed,
  ConvLSTM1D: ConvLSTM, ConvLSTM2D: ConvLSTM, ConvLSTM3D: ConvLSTM,
};
