// The operations of chapter 27 on arrays.

import { rangeOf, sliceEntries } from "../operation_shapes.js";
import { UnsupportedError, UsageError } from "../problems.js";
import { Float, isObject, toPlain } from "../values.js";
import { ELEMENTWISE, activate, alongAxes, erf, logSoftmax, softmax } from "./activations.js";
import { Tensor, axisOf, cast, commonShape, finish, indexIn, isBig, isFloating, moveAxis, numbers, places, reshaped, rowsAlong, sizeOf, stretchedTo, stridesOf, taken, transposed } from "./arrays.js";
import { einsum } from "./basic_layers.js";
import { joinedAlong } from "./merging_layers.js";
import { chosenAlong, padded } from "./spatial.js";

const KINDS = ["bool", "integer", "float"];
const kindOf = (dtype) => (dtype === "bool" ? "bool" : isFloating(dtype) ? "float" : "integer");
const bitsOf = (dtype) => Number(/[0-9]+$/.exec(dtype)?.[0] ?? 1);
const FLOAT = "float32";

/** The narrowest dtype of a kind that holds every number of two of that kind. */
function wider(a, b) {
  if (a === b) return a;
  if (kindOf(a) === "float") return bitsOf(a) === bitsOf(b) ? "float32" : bitsOf(a) > bitsOf(b) ? a : b;
  const [unsigned, signed] = a.startsWith("u") ? [a, b] : [b, a];
  if (unsigned.startsWith("u") === signed.startsWith("u")) return bitsOf(a) > bitsOf(b) ? a : b;
  if (bitsOf(signed) > bitsOf(unsigned)) return signed;
  return bitsOf(unsigned) === 64 ? "float64" : `int${2 * bitsOf(unsigned)}`;
}

/** Whether a literal is a float: written with a point, or not finite. */
const isFraction = (literal) => literal instanceof Float || isObject(literal);

/** The dtype in which operands are computed: the narrowest of the highest kind that holds all of them; a float among integers makes floats. */
export function commonDtype(tensors, literals) {
  const dtypes = tensors.map(({ dtype }) => dtype), kinds = dtypes.map((dtype) => KINDS.indexOf(kindOf(dtype))), highest = Math.max(-1, ...kinds);
  const found = dtypes.filter((_, i) => kinds[i] === highest), best = found.length ? found.reduce(wider) : "bool";
  if (highest < 2 && literals.some(isFraction)) return isFloating(best) ? best : FLOAT;
  return best === "bool" && literals.some((value) => typeof value === "number") ? "int32" : best;
}

const floatOf = (dtype) => (isFloating(dtype) ? dtype : FLOAT);
const remainder = (a, b) => { const rest = a % b; return rest !== 0 && (rest < 0) !== (b < 0) ? rest + b : rest; };
/** The exact quotient rounded down: a / b itself may have been rounded up to an integer. */
function floorDivide(a, b) {
  if (b === 0) return a / b;
  const rest = a % b, quotient = (a - rest) / b;
  return Math.round(rest !== 0 && (rest < 0) !== (b < 0) ? quotient - 1 : quotient);
}
/** The power of IEEE 754, where 1 to any power is 1, and -1 to an infinite one. */
const power = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);
const bigFloor = (a, b) => { if (b === 0n) return 0n; const q = a / b; return a % b !== 0n && (a < 0n) !== (b < 0n) ? q - 1n : q; };
/** A formula of integers that yields 0 where it divides by 0. */
const unless0 = (compute) => (a, b) => (b === 0 ? 0 : compute(a, b));
/** An integer to a negative power, rounded towards 0. */
const small = (a, b) => (a === 1 ? 1 : a === -1 ? 1 - 2 * Math.abs(b % 2) : 0);
const bigPower = (a, b) => (b >= 0n ? a ** b : BigInt(small(Number(a), Number(b))));
const nan = (compare) => (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : compare(a, b));

/** name -> [result: "same", "float" or "bool", on numbers, on BigInts, on integers where that differs] */
const BINARY = {
  add: ["count", (a, b) => a + b, (a, b) => a + b],
  subtract: ["count", (a, b) => a - b, (a, b) => a - b],
  multiply: ["count", (a, b) => a * b, (a, b) => a * b],
  divide: ["float", (a, b) => a / b],
  floor_divide: ["count", floorDivide, bigFloor, unless0(floorDivide)],
  remainder: ["count", remainder, (a, b) => (b === 0n ? 0n : a - b * bigFloor(a, b)), unless0(remainder)],
  power: ["count", power, bigPower, (a, b) => (b < 0 ? small(a, b) : Number(BigInt.asIntN(64, BigInt(a) ** BigInt(b))))],
  maximum: ["same", nan(Math.max), (a, b) => (a > b ? a : b)],
  minimum: ["same", nan(Math.min), (a, b) => (a < b ? a : b)],
  equal: ["bool", (a, b) => a === b, (a, b) => a === b],
  not_equal: ["bool", (a, b) => a !== b, (a, b) => a !== b],
  less: ["bool", (a, b) => a < b, (a, b) => a < b],
  less_equal: ["bool", (a, b) => a <= b, (a, b) => a <= b],
  greater: ["bool", (a, b) => a > b, (a, b) => a > b],
  greater_equal: ["bool", (a, b) => a >= b, (a, b) => a >= b],
  logical_and: ["bool", (a, b) => a !== 0 && b !== 0, (a, b) => a !== 0n && b !== 0n],
  logical_or: ["bool", (a, b) => a !== 0 || b !== 0, (a, b) => a !== 0n || b !== 0n],
};

const literalTensor = (value, dtype) => finish(dtype, [], [Number(toPlain(value))]);

function binary(op, operands) {
  const [kind, onNumbers, computeBig, onIntegers = onNumbers] = BINARY[op], tensors = operands.filter((one) => one instanceof Tensor);
  const common = commonDtype(tensors, operands.filter((one) => !(one instanceof Tensor)));
  const counted = kind === "count" && common === "bool" ? "int32" : common, dtype = kind === "float" ? floatOf(counted) : counted;
  const [a, b] = operands.map((one) => (one instanceof Tensor ? cast(one, dtype) : literalTensor(one, dtype))), shape = commonShape([a.shape, b.shape]);
  const [left, right] = [a, b].map((one) => stretchedTo(one, shape).data), big = isBig(dtype), compute = isFloating(dtype) ? onNumbers : onIntegers, result = Array(sizeOf(shape));
  for (let i = 0; i < result.length; i++) {
    const found = (big ? computeBig : compute)(left[i], right[i]);
    result[i] = typeof found === "boolean" ? Number(found) : found;
  }
  return finish(kind === "bool" ? "bool" : dtype, shape, result);
}

const evenRound = (x) => { const floor = Math.floor(x), rest = x - floor; return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor === 0 && x < 0 ? -0 : floor; };
const SAME = {
  negative: (x) => -x, absolute: Math.abs, sign: Math.sign, square: (x) => x * x, floor: Math.floor, ceil: Math.ceil, round: evenRound, relu: ELEMENTWISE.relu,
};
const FLOATING = {
  reciprocal: (x) => 1 / x, sqrt: Math.sqrt, rsqrt: (x) => 1 / Math.sqrt(x), exp: Math.exp, expm1: Math.expm1, log: Math.log, log1p: Math.log1p, log2: Math.log2, log10: Math.log10, sin: Math.sin,
  cos: Math.cos, tan: Math.tan, arctan: Math.atan, sinh: Math.sinh, cosh: Math.cosh, tanh: Math.tanh, sigmoid: ELEMENTWISE.sigmoid, erf,
};
const BOOLEAN = { logical_not: (x) => Number(x) === 0, is_nan: (x) => Number.isNaN(Number(x)), is_finite: (x) => Number.isFinite(Number(x)) };

const allAxes = (axes, rank) => (axes === null ? Array.from({ length: rank }, (_, i) => i) : axes.map((axis) => axisOf(axis, rank)));

/** `compute` on the elements along axes: row of numbers -> number. */
function reduced(x, axes, keepdims, dtype, compute) {
  const along = allAxes(axes, x.rank), { data, width, count } = rowsAlong(x, along);
  const found = Float64Array.from({ length: count }, (_, i) => compute(data.subarray(i * width, (i + 1) * width)));
  return finish(dtype, keepdims ? x.shape.map((extent, i) => (along.includes(i) ? 1 : extent)) : x.shape.filter((_, i) => !along.includes(i)), found);
}

const total = (row) => row.reduce((a, b) => a + b, 0);
const most = (row) => row.reduce((a, b) => (b > a || Number.isNaN(b) ? b : a), -Infinity);
const summed = (dtype) => (dtype === "bool" ? "int32" : dtype);
const REDUCTIONS = {
  sum: [summed, total], product: [summed, (row) => row.reduce((a, b) => a * b, 1)], mean: [floatOf, (row) => total(row) / row.length], max: [(dtype) => dtype, most],
  min: [(dtype) => dtype, (row) => -most(row.map((x) => -x))], any: [() => "bool", (row) => Number(row.some((x) => x !== 0))], all: [() => "bool", (row) => Number(row.every((x) => x !== 0))],
  logsumexp: [floatOf, (row) => { const m = most(row); return Number.isFinite(m) ? m + Math.log(total(row.map((x) => Math.exp(x - m)))) : m; }],
};
const argument = (better) => (row) => row.reduce((best, x, i) => (!Number.isNaN(row[best]) && (better(x, row[best]) || Number.isNaN(x)) ? i : best), 0);

/** Elements along an axis put in place by `change`, row by row, in the dtype that the tensor has. */
const along = (x, axis, change) => finish(x.dtype, x.shape, alongAxes(x, [axis], change));

function cumulative({ axis, exclusive, reverse }, [x]) {
  return along(cast(x, summed(x.dtype)), axis, (row) => {
    const ordered = reverse ? [...row].reverse() : [...row];
    let sum = 0;
    const found = ordered.map((value) => { const before = sum; sum += value; return exclusive ? before : sum; });
    return reverse ? found.reverse() : found;
  });
}

function normalized({ axes, epsilon, epsilon_on: on }, [x]) {
  const dtype = floatOf(x.dtype);
  return finish(dtype, x.shape, alongAxes(x, allAxes(axes, x.rank), (row) => {
    const s = total(row.map((value) => value * value)), divisor = on === "norm" ? Math.max(Math.sqrt(s), epsilon) : Math.sqrt(Math.max(s, epsilon));
    return row.map((value) => value / divisor);
  }));
}

/** NaN before all, then the larger first. */
const falling = (a, b) => (a < b ? 1 : a > b ? -1 : Number(Number.isNaN(b)) - Number(Number.isNaN(a)));

function topK({ k }, [x]) {
  const n = x.shape.at(-1), rows = x.size / n, shape = [...x.shape.slice(0, -1), k], values = [], found = [];
  for (let row = 0; row < rows; row++) {
    const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => falling(x.data[row * n + a], x.data[row * n + b]) || a - b).slice(0, k);
    found.push(...order);
    values.push(...order.map((i) => row * n + i));
  }
  return [taken(x, shape, values), finish("int32", shape, found)];
}

function reshape({ shape }, [x]) {
  const kept = shape.map((extent, i) => (extent === null ? x.shape[i] : extent)), rest = sizeOf(kept.filter((extent) => extent !== -1));
  return reshaped(x, kept.map((extent) => (extent === -1 ? x.size / rest : extent)));
}

function slice({ entries }, [x]) {
  let axis = 0, start = 0;
  const shape = [], steps = [], strides = stridesOf(x.shape);
  for (const entry of sliceEntries(entries, x.rank)) {
    if (entry === "new") {
      shape.push(1);
      steps.push(0);
      continue;
    }
    const n = x.shape[axis], stride = strides[axis++];
    if (typeof entry === "number") start += indexIn(entry, n) * stride;
    else {
      const { begin, step, count } = entry === undefined ? { begin: 0, step: 1, count: n } : rangeOf(entry, n);
      start += begin * stride;
      shape.push(count);
      steps.push(step * stride);
    }
  }
  return taken(x, shape, places(shape, steps, start));
}

const same = (tensors) => { const dtype = commonDtype(tensors, []); return tensors.map((one) => cast(one, dtype)); };
const range = (n, of = (i) => i) => Array.from({ length: n }, (_, i) => of(i));

function stack({ axis }, inputs) {
  const at = axisOf(axis, inputs[0].rank + 1);
  return joinedAlong(same(inputs).map((one) => reshaped(one, [...one.shape.slice(0, at), 1, ...one.shape.slice(at)])), at);
}
function split({ parts, axis }, [x]) {
  const at = axisOf(axis, x.rank), sizes = Array.isArray(parts) ? parts : Array(parts).fill(x.shape[at] / parts);
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[at] || !sizes.every(Number.isInteger)) throw new UsageError(`expected parts that fill ${x.shape[at]} elements, got ${sizes.join(", ")}`);
  let begin = 0;
  return sizes.map((size) => { const from = range(size, (i) => begin + i); begin += size; return chosenAlong(x, at, from); });
}
function tile({ repeats }, [x]) {
  const rank = Math.max(x.rank, repeats.length), grown = reshaped(x, [...Array(rank - x.rank).fill(1), ...x.shape]);
  return range(rank).reduce((found, axis) => { const times = repeats[axis - rank + repeats.length] ?? 1, n = found.shape[axis]; return times === 1 ? found : chosenAlong(found, axis, range(n * times, (i) => i % n)); }, grown);
}
function gather({ axis, indices: literal }, [x, second]) {
  const at = axisOf(axis, x.rank), n = x.shape[at], indices = literal === null ? numbers(second) : literal, shape = literal === null ? second.shape : [literal.length];
  const found = chosenAlong(x, at, Array.from(indices, (i) => indexIn(Math.trunc(i), n)));
  return reshaped(found, [...x.shape.slice(0, at), ...shape, ...x.shape.slice(at + 1)]);
}
function takeAlong({ axis }, [x, indices]) {
  const at = axisOf(axis, x.rank), strides = stridesOf(x.shape), n = x.shape[at], all = places(indices.shape, strides.map((stride, i) => (i === at ? 0 : stride)));
  return taken(x, indices.shape, all.map((place, i) => { return place + indexIn(Math.trunc(Number(indices.data[i])), n) * strides[at]; }));
}
function oneHot({ depth, axis, dtype }, [x]) {
  const at = axisOf(axis, x.rank + 1), data = new Float64Array(x.size * depth);
  Array.from(x.data, Number).forEach((index, i) => { if (index >= 0 && index < depth) data[i * depth + index] = 1; });
  const last = new Tensor("float64", [...x.shape, depth], data), moved = transposed(last, moveAxis(x.rank + 1, x.rank, at));
  return finish(dtype, moved.shape, moved.data);
}
function matmul(c, inputs) {
  const dtype = commonDtype(inputs, []), [a, b] = inputs, left = a.rank === 1 ? reshaped(a, [1, ...a.shape]) : a, right = b.rank === 1 ? reshaped(b, [...b.shape, 1]) : b;
  const { shape, data } = einsum("...ij,...jk->...ik", [left, right]), out = shape.filter((_, i) => !(a.rank === 1 && i === shape.length - 2) && !(b.rank === 1 && i === shape.length - 1));
  return finish(summed(dtype), out, data);
}
function attention({ scale, causal }, [query, key, value, mask]) {
  const dtype = floatOf(commonDtype([query, key, value], [])), factor = scale ?? 1 / Math.sqrt(query.shape.at(-1));
  const products = einsum("...id,...jd->...ij", [query, key]), [tq, tk] = products.shape.slice(-2), added = mask && stretchedTo(mask, commonShape([mask.shape, products.shape]));
  const scores = new Tensor("float64", products.shape, products.data.map((score, i) => {
    if (causal && i % tk > Math.floor(i / tk) % tq) return -Infinity;
    if (!added) return score * factor;
    return added.dtype === "bool" ? (added.data[i] ? score * factor : -Infinity) : score * factor + Number(added.data[i]);
  }));
  const weights = new Tensor("float64", scores.shape, softmax(scores, [-1]));
  const { shape, data } = einsum("...ij,...jd->...id", [weights, value]);
  return finish(dtype, shape, data);
}
function triangle({ part, diagonal }, [x]) {
  const [rows, columns] = x.shape.slice(-2), zero = typeof x.data[0] === "bigint" ? 0n : 0;
  return new Tensor(x.dtype, x.shape, x.data.map((value, i) => {
    const column = i % columns, row = Math.floor(i / columns) % rows;
    return (part === "lower" ? column <= row + diagonal : column >= row + diagonal) ? value : zero;
  }));
}
function where(c, [condition, a, b]) {
  const both = [a, b], dtype = commonDtype(both.filter((one) => one instanceof Tensor), both.filter((one) => !(one instanceof Tensor)));
  const [yes, no] = both.map((one) => (one instanceof Tensor ? cast(one, dtype) : literalTensor(one, dtype))), shape = commonShape([condition.shape, yes.shape, no.shape]);
  const [when, left, right] = [condition, yes, no].map((one) => stretchedTo(one, shape).data);
  return finish(dtype, shape, Array.from(when, (value, i) => (Number(value) !== 0 ? left[i] : right[i])));
}
function clip({ minimum, maximum }, [x], config) {
  const bounds = [config.minimum ?? null, config.maximum ?? null], dtype = commonDtype([x], bounds.filter((bound) => bound !== null));
  const [low, high] = [minimum, maximum].map((bound) => (bound === null ? null : literalTensor(bound, dtype).data[0])), isNaN = Number.isNaN;
  return finish(dtype, x.shape, Array.from(cast(x, dtype).data, (value) => {
    const raised = low !== null && !isNaN(value) && (isNaN(low) || value < low) ? low : value;
    return high !== null && !isNaN(raised) && (isNaN(high) || raised > high) ? high : raised;
  }));
}
const activated = ({ activation, alpha }, [x]) => {
  if (alpha !== null && activation === "leaky_relu") return finish(floatOf(x.dtype), x.shape, Array.from(x.data, (v) => (v > 0 ? Number(v) : alpha * Number(v))));
  if (alpha !== null && activation === "elu") return finish(floatOf(x.dtype), x.shape, Array.from(x.data, (v) => (v > 0 ? Number(v) : alpha * Math.expm1(Number(v)))));
  return finish(floatOf(x.dtype), x.shape, activate(activation, x));
};

const OPERATIONS = {
  activate: activated, where, clip, cast: ({ dtype }, [x]) => cast(x, dtype),
  variance: ({ axes, keepdims, correction }, [x]) => reduced(x, axes, keepdims, floatOf(x.dtype), (row) => { const mean = total(row) / row.length; return total(row.map((value) => (value - mean) ** 2)) / (row.length - correction); }),
  argmax: ({ axis, keepdims }, [x]) => reduced(x, [axis], keepdims, "int32", argument((a, b) => a > b)),
  argmin: ({ axis, keepdims }, [x]) => reduced(x, [axis], keepdims, "int32", argument((a, b) => a < b)),
  softmax: ({ axis }, [x]) => finish(floatOf(x.dtype), x.shape, softmax(x, [axis])),
  log_softmax: ({ axis }, [x]) => finish(floatOf(x.dtype), x.shape, logSoftmax(x, [axis])),
  cumulative_sum: cumulative, l2_normalize: normalized, top_k: topK, reshape,
  flatten: ({ start_axis: start, end_axis: end }, [x]) => { const [a, b] = [axisOf(start, x.rank), axisOf(end, x.rank)]; return reshaped(x, [...x.shape.slice(0, a), sizeOf(x.shape.slice(a, b + 1)), ...x.shape.slice(b + 1)]); },
  transpose: ({ axes }, [x]) => transposed(x, axes === null ? range(x.rank).reverse() : axes.map((axis) => axisOf(axis, x.rank))),
  squeeze: ({ axes }, [x]) => { const gone = axes?.map((axis) => axisOf(axis, x.rank)); return reshaped(x, x.shape.filter((extent, i) => (gone ? !gone.includes(i) : extent !== 1))); },
  expand_dims: ({ axes }, [x]) => { const rank = x.rank + axes.length, fresh = axes.map((axis) => axisOf(axis, rank)), left = [...x.shape]; return reshaped(x, range(rank, (i) => (fresh.includes(i) ? 1 : left.shift()))); },
  broadcast_to: ({ shape }, [x]) => stretchedTo(x, shape.map((extent, i) => extent ?? x.shape[i - shape.length + x.rank])),
  slice, flip: ({ axes }, [x]) => allAxes(axes, x.rank).reduce((found, axis) => chosenAlong(found, axis, range(x.shape[axis]).reverse()), x),
  concatenate: ({ axis }, inputs) => joinedAlong(same(inputs), axisOf(axis, inputs[0].rank)), stack, split, tile,
  repeat: ({ repeats, axis }, [x]) => { const at = axisOf(axis, x.rank); return chosenAlong(x, at, range(x.shape[at] * repeats, (i) => Math.floor(i / repeats))); },
  roll: ({ shifts, axes }, [x]) => axes.reduce((found, axis, k) => { const at = axisOf(axis, x.rank), n = x.shape[at]; return chosenAlong(found, at, range(n, (i) => (((i - shifts[k]) % n) + n) % n)); }, x),
  pad: ({ padding, mode, fill }, [x]) => padded(x, padding, { mode, fill: Number(fill) }),
  gather, take_along_axis: takeAlong, one_hot: oneHot,
  constant: ({ value, shape, dtype }) => finish(dtype, shape, Array.isArray(value) ? value.map(Number) : Array(sizeOf(shape)).fill(Number(value))),
  identity: (c, [x]) => x, matmul, attention, triangle,
  einsum: ({ equation }, inputs) => { const { shape, data } = einsum(equation, inputs); return finish(summed(commonDtype(inputs, [])), shape, data); },
};

const BIG = { negative: (x) => -x, absolute: (x) => (x < 0n ? -x : x), sign: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n), square: (x) => x * x, relu: (x) => (x > 0n ? x : 0n) };
const bigOneByOne = (x, op) => finish(x.dtype, x.shape, Array.from(x.data, BIG[op] ?? ((value) => value)));
const oneByOne = (dtype, x, compute) => finish(dtype, x.shape, Array.from(x.data, (value) => compute(Number(value))));

/** What an operation yields: a tensor, or several; operands are tensors and literals. */
export function operate({ op, settings, config }, operands) {
  if (Object.hasOwn(BINARY, op)) return [binary(op, operands)];
  const [x] = operands;
  if (Object.hasOwn(SAME, op)) return [isBig(x.dtype) ? bigOneByOne(x, op) : oneByOne(x.dtype === "bool" ? "int32" : x.dtype, x, SAME[op])];
  if (Object.hasOwn(FLOATING, op)) return [oneByOne(floatOf(x.dtype), x, FLOATING[op])];
  if (Object.hasOwn(BOOLEAN, op)) return [finish("bool", x.shape, Array.from(x.data, (value) => Number(BOOLEAN[op](value))))];
  if (Object.hasOwn(REDUCTIONS, op)) {
    const [dtypeOf, compute] = REDUCTIONS[op];
    return [reduced(x, settings.axes, settings.keepdims, dtypeOf(x.dtype), compute)];
  }
  if (!Object.hasOwn(OPERATIONS, op)) throw new UnsupportedError(`the operation ${op} cannot be computed here`);
  return [OPERATIONS[op](settings, operands, config)].flat();
}

