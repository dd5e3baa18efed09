// The activations of chapter 25, and the layer types of the family Activation.

import { UnsupportedError } from "../problems.js";
import { VOCABULARY } from "../tables.js";
import { rowsAlong } from "./arrays.js";

const withDefaults = ({ type, config }) => ({ ...Object.fromEntries((VOCABULARY.types[type]?.config ?? []).map((row) => [row.name, row.default ?? null])), ...config });

const clamp = (x, low, high) => (Number.isNaN(x) ? x : Math.min(Math.max(x, low), high));
const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const relu = (x) => (x > 0 || Number.isNaN(x) ? x : 0);
const hardSigmoid = (x) => clamp(x + 3, 0, 6) / 6;

/** The error function: its series near 0, a continued fraction of its complement elsewhere. */
export function erf(x) {
  if (Number.isNaN(x)) return NaN;
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let term = size, sum = size;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum) && n < 200; n++) {
      term *= -size * size / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * sum * 2 / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 80; n > 0; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction));
}

/** The distribution function of the normal distribution; its lower tail keeps its digits. */
function normal(x) {
  if (x > -2.5 * Math.SQRT2) return (1 + erf(x / Math.SQRT2)) / 2;
  const size = -x / Math.SQRT2;
  let fraction = 0;
  for (let n = 80; n > 0; n--) fraction = n / 2 / (size + fraction);
  return Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction) / 2;
}

const SELU = [1.0507009873554805, 1.6732632423543772];

export const ELEMENTWISE = {
  linear: (x) => x,
  relu,
  relu6: (x) => clamp(x, 0, 6),
  sigmoid,
  tanh: Math.tanh,
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  selu: (x) => SELU[0] * (x > 0 ? x : SELU[1] * Math.expm1(x)),
  gelu: (x) => x * normal(x),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  silu: (x) => x * sigmoid(x),
  mish: (x) => x * Math.tanh(softplus(x)),
  exponential: Math.exp,
  leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
  hard_sigmoid: hardSigmoid,
  hard_sigmoid_keras2: (x) => clamp(0.2 * x + 0.5, 0, 1),
  hard_silu: (x) => x * hardSigmoid(x),
  hard_tanh: (x) => clamp(x, -1, 1),
  hard_shrink: (x) => (Math.abs(x) > 0.5 ? x : 0),
  soft_shrink: (x) => Math.sign(x) * Math.max(Math.abs(x) - 0.5, 0),
  tanh_shrink: (x) => x - Math.tanh(x),
  log_sigmoid: (x) => -softplus(-x),
  squareplus: (x) => (x + Math.sqrt(x * x + 4)) / 2,
  sparse_plus: (x) => (x <= -1 ? 0 : x < 1 ? (x + 1) ** 2 / 4 : x),
  sparse_sigmoid: (x) => clamp((x + 1) / 2, 0, 1),
};

function softmaxRow(row, log) {
  let most = -Infinity, sum = 0;
  for (const x of row) if (x > most || Number.isNaN(x)) most = x;
  for (const x of row) sum += Math.exp(x - most);
  return log ? row.map((x) => x - most - Math.log(sum)) : row.map((x) => Math.exp(x - most) / sum);
}

function sparsemaxRow(row) {
  const falling = [...row].sort((a, b) => b - a);
  let sum = 0, bound = 0;
  falling.forEach((x, i) => {
    sum += x;
    if (1 + (i + 1) * x > sum) bound = (sum - 1) / (i + 1);
  });
  return row.map((x) => Math.max(x - bound, 0));
}

const ROWS = { softmax: (row) => softmaxRow(row, false), log_softmax: (row) => softmaxRow(row, true), sparsemax: sparsemaxRow };

/** `change` applied to the elements along axes. */
export function alongAxes(tensor, axes, change) {
  const { data, width, count, back } = rowsAlong(tensor, axes), result = new Float64Array(data.length);
  if (data.length === 0) return result;
  for (let i = 0; i < count; i++) result.set(change(data.subarray(i * width, (i + 1) * width)), i * width);
  return back(result);
}

export const softmax = (tensor, axes) => alongAxes(tensor, axes, ROWS.softmax);
export const logSoftmax = (tensor, axes) => alongAxes(tensor, axes, ROWS.log_softmax);

const TYPES = {
  ReLU: ({ max_value: most, negative_slope: slope, threshold }) => (x) => {
    const y = x > threshold ? x : slope * (x - threshold);
    return Number.isNaN(x) ? x : most === null ? y : Math.min(y, most);
  },
  LeakyReLU: ({ negative_slope: slope }) => (x) => (x >= 0 ? x : slope * x),
  ELU: ({ alpha }) => (x) => (x > 0 ? x : alpha * Math.expm1(x)),
  ThresholdedReLU: ({ theta }) => (x) => (x > theta ? x : 0),
  CELU: ({ alpha }) => (x) => (x > 0 ? x : alpha * Math.expm1(x / alpha)),
  HardTanh: ({ min_value: low, max_value: high }) => (x) => clamp(x, low, high),
  HardShrink: ({ threshold }) => (x) => (Math.abs(x) > threshold ? x : 0),
  SoftShrink: ({ threshold }) => (x) => Math.sign(x) * Math.max(Math.abs(x) - threshold, 0),
  Threshold: ({ threshold, value }) => (x) => (x > threshold ? x : value),
  Softplus: ({ beta, threshold }) => (x) => (beta * x > threshold ? x : softplus(beta * x) / beta),
};

/** The numbers that a layer type of the family Activation, without weights, yields; undefined for another type. */
export function activationLayer(type, settings, tensor) {
  if (type === "Activation") return activate(settings.activation, tensor);
  if (type === "Softmax") return softmax(tensor, [settings.axis].flat());
  return Object.hasOwn(TYPES, type) ? Float64Array.from(tensor.data, (x) => TYPES[type](settings)(Number(x))) : undefined;
}

/** The numbers that an activation makes of a tensor: a name, or an object with type and config. */
export function activate(activation, tensor) {
  if (typeof activation === "object") {
    const found = activationLayer(activation.type, withDefaults(activation), tensor);
    if (found === undefined) throw new UnsupportedError(`the activation ${activation.type} cannot be computed here`);
    return found;
  }
  if (Object.hasOwn(ROWS, activation)) return alongAxes(tensor, [-1], ROWS[activation]);
  if (!Object.hasOwn(ELEMENTWISE, activation)) throw new UnsupportedError(`the activation ${activation} cannot be computed here`);
  return Float64Array.from(tensor.data, (x) => ELEMENTWISE[activation](Number(x)));
}
