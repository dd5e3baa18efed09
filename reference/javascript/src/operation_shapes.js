// What an operation yields, and whether its operands fit (chapters 25 and 27).
//
// A rule takes the settings and the shapes of the operands, a literal's being [], and yields a shape, or several.

import { equationParts } from "./expressions.js";
import { Several, agree, axesOf, axisOf, broadcast, expect, filled, firstKnown, joined, plus, product, times } from "./shapes.js";

const known = (value) => value !== null && value !== undefined;

const SAME = (c, [x]) => x;
const STRETCHED = (c, operands) => broadcast(operands);
const reduced = (x, axes, keepdims) => (keepdims ? x.map((extent, i) => (axes.includes(i) ? 1 : extent)) : x.filter((_, i) => !axes.includes(i)));
const REDUCED = (c, [x]) => reduced(x, axesOf(c.axes, x.length), c.keepdims);
const ARG = (c, [x]) => reduced(x, filledAxes(x, [axisOf(c.axis, x.length)]), c.keepdims);
/** Axes that hold something to choose from. */
const filledAxes = (x, axes) => { for (const axis of axes) expect(x[axis] !== 0, `at least one element along axis ${axis}, got none`); return axes; };
const CHOSEN = (c, [x]) => reduced(x, filledAxes(x, axesOf(c.axes, x.length)), c.keepdims);
const ALONG = (c, [x]) => { axisOf(c.axis, x.length); return x; };
const ALONG_AXES = (c, [x]) => { axesOf(c.axes, x.length); return x; };

const TOP = (c, [x]) => {
  expect(x.length >= 1 && (!known(x.at(-1)) || x.at(-1) >= c.k), `a last axis of at least ${c.k} elements, got ${x.at(-1)}`);
  return new Several([[...x.slice(0, -1), c.k], [...x.slice(0, -1), c.k]]);
};
const RESHAPE = (c, [x]) => {
  const kept = c.shape.map((extent, i) => extent === null && i);
  for (const i of kept) expect(i === false || i < x.length, `an axis ${i} of the input, got none`);
  const said = [...filled(c.shape.filter((extent) => extent !== null), product(x.filter((_, i) => !kept.includes(i))))]; // axes that stay fill themselves
  return c.shape.map((extent, i) => (extent === null ? x[i] : said.shift()));
};
const FLATTEN = (c, [x]) => {
  const start = axisOf(c.start_axis, x.length), end = axisOf(c.end_axis, x.length);
  expect(start <= end, `a start_axis before end_axis, got ${start} and ${end}`);
  return [...x.slice(0, start), product(x.slice(start, end + 1)), ...x.slice(end + 1)];
};
const TRANSPOSE = (c, [x]) => {
  if (c.axes === null) return [...x].reverse();
  const axes = axesOf(c.axes, x.length);
  expect(axes.length === x.length, `all ${x.length} axes, got ${axes.length}`);
  return axes.map((axis) => x[axis]);
};
const SQUEEZE = (c, [x]) => {
  if (c.axes === null) {
    expect(x.every(known), "axes that are said where an extent is not known, got null");
    return x.filter((extent) => extent !== 1);
  }
  const axes = axesOf(c.axes, x.length);
  for (const axis of axes) expect(agree(x[axis], 1), `an axis ${axis} of extent 1, got ${x[axis]}`);
  return x.filter((_, i) => !axes.includes(i));
};
const EXPAND = (c, [x]) => {
  const axes = axesOf(c.axes, x.length + c.axes.length), left = [...x];
  return Array.from({ length: x.length + axes.length }, (_, i) => (axes.includes(i) ? 1 : left.shift()));
};
const BROADCAST = (c, [x]) => {
  expect(c.shape.length >= x.length, `a shape of at least ${x.length} axes, got ${c.shape.length}`);
  return c.shape.map((extent, i) => {
    const own = i - c.shape.length + x.length;
    if (extent === null) {
      expect(own >= 0, `an axis of the input for null, got none`);
      return x[own];
    }
    expect(own < 0 || x[own] === 1 || agree(x[own], extent), `an extent of ${extent} or 1, got ${x[own]}`);
    return extent;
  });
};

/** The range of a slice [begin, end, step] of an axis of n elements: where it begins, its step and its count. */
export function rangeOf([begin, end, step], n) {
  const by = step ?? 1;
  const clamp = (value, low, high) => Math.min(Math.max(value < 0 ? value + n : value, low), high);
  const from = by > 0 ? (begin === null ? 0 : clamp(begin, 0, n)) : begin === null ? n - 1 : clamp(begin, -1, n - 1);
  const to = by > 0 ? (end === null ? n : clamp(end, 0, n)) : end === null ? -1 : clamp(end, -1, n - 1);
  return { begin: from, step: by, count: Math.max(Math.ceil((to - from) / by), 0) };
}

/** The entries of a slice, one for each axis of the input, an undefined one for a whole axis, and those that are new. */
export function sliceEntries(entries, rank) {
  const taking = entries.filter((entry) => entry !== "new" && entry !== "rest").length;
  expect(taking <= rank, `at most ${rank} entries, got ${taking}`);
  expect(entries.filter((entry) => entry === "rest").length <= 1, "rest at most once, got it twice");
  const whole = Array(rank - taking).fill(undefined), all = [];
  for (const entry of entries.includes("rest") ? entries : [...entries, "rest"]) all.push(...(entry === "rest" ? whole : [entry]));
  return all;
}

const SLICE = (c, [x]) => {
  let axis = 0;
  return sliceEntries(c.entries, x.length).flatMap((entry) => {
    if (entry === "new") return [1];
    const n = x[axis++];
    if (entry === undefined) return [n];
    if (typeof entry === "number") {
      expect(!known(n) || (entry >= -n && entry < n), `an index inside an axis of ${n} elements, got ${entry}`);
      return [];
    }
    expect(entry[2] !== 0, "a step other than 0, got 0");
    if (known(n)) return [rangeOf(entry, n).count];
    return [entry.every((part, i) => part === null || (i === 2 && part === 1) || (i === 0 && part === 0)) ? n : null];
  });
};
const STACK = (c, inputs) => {
  const shape = inputs.reduce((a, b) => {
    expect(a.length === b.length && a.every((extent, i) => agree(extent, b[i])), "inputs of one shape, got two");
    return a.map((extent, i) => firstKnown(extent, b[i]));
  });
  const axis = axisOf(c.axis, shape.length + 1);
  return [...shape.slice(0, axis), inputs.length, ...shape.slice(axis)];
};
const SPLIT = (c, [x], { outputs }) => {
  const axis = axisOf(c.axis, x.length), n = x[axis];
  const sizes = Array.isArray(c.parts) ? c.parts : Array(Math.min(c.parts, outputs.length + 1)).fill(known(n) ? n / c.parts : null); // no more than tell that there are too many
  expect(!known(n) || (Array.isArray(c.parts) ? sizes.reduce((a, b) => a + b, 0) === n : n % c.parts === 0), `parts that fill ${n} elements, got others`);
  return new Several(sizes.map((size) => x.map((extent, i) => (i === axis ? size : extent))));
};
const TILE = (c, [x]) => {
  const rank = Math.max(x.length, c.repeats.length);
  return Array.from({ length: rank }, (_, i) => times(i - rank + x.length < 0 ? 1 : x[i - rank + x.length], c.repeats[i - rank + c.repeats.length] ?? 1));
};
const REPEAT = (c, [x]) => { const axis = axisOf(c.axis, x.length); return x.map((extent, i) => (i === axis ? times(extent, c.repeats) : extent)); };
const ROLL = (c, [x]) => {
  const axes = axesOf(c.axes, x.length);
  expect(axes.length === c.shifts.length, `a shift for each of ${axes.length} axes, got ${c.shifts.length}`);
  return x;
};
const PAD = (c, [x]) => {
  expect(c.padding.length === x.length, `a pair for each of ${x.length} axes, got ${c.padding.length}`);
  return x.map((extent, i) => {
    const [before, after] = c.padding[i], most = c.mode === "reflect" ? extent - 1 : c.mode === "symmetric" ? extent : Infinity;
    expect(!known(extent) || Math.max(before, after) <= most, `at most ${most} mirrored elements, got ${Math.max(before, after)}`);
    expect(c.mode !== "edge" || extent !== 0 || before + after === 0, "an outermost element, got none");
    return plus(extent, before + after);
  });
};
const GATHER = (c, [x, indices]) => {
  const axis = axisOf(c.axis, x.length), n = x[axis];
  const shape = c.indices === null ? indices : [c.indices.length];
  if (c.indices !== null && known(n)) for (const index of c.indices) expect(index >= -n && index < n, `an index inside an axis of ${n} elements, got ${index}`);
  return [...x.slice(0, axis), ...shape, ...x.slice(axis + 1)];
};
const TAKE = (c, [x, indices]) => {
  const axis = axisOf(c.axis, x.length);
  expect(x.length === indices.length && x.every((extent, i) => i === axis || agree(extent, indices[i])), `inputs that agree but along axis ${axis}, got others`);
  return x.map((extent, i) => (i === axis ? indices[i] : firstKnown(extent, indices[i])));
};
const ONE_HOT = (c, [x]) => { const axis = axisOf(c.axis, x.length + 1); return [...x.slice(0, axis), c.depth, ...x.slice(axis)]; };
const CONSTANT = (c) => {
  if (Array.isArray(c.value)) expect(c.value.length === product(c.shape), `${product(c.shape)} elements, got ${c.value.length}`);
  return c.shape;
};
const MATMUL = (c, [a, b]) => {
  expect(a.length >= 1 && b.length >= 1, "operands with axes, got one without");
  const [left, right] = [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b];
  expect(agree(left.at(-1), right.at(-2)), `a last extent of the first that is the last but one of the second, got ${left.at(-1)} and ${right.at(-2)}`);
  const batch = broadcast([left.slice(0, -2), right.slice(0, -2)]);
  return [...batch, ...(a.length === 1 ? [] : [left.at(-2)]), ...(b.length === 1 ? [] : [right.at(-1)])];
};

/** Terms of an equation beside the shapes of the operands: extents of letters, and the axes that `...` stands for. */
export function einsumExtents(equation, operands) {
  const { terms, result } = equationParts(equation), extents = new Map(), dotted = [];
  expect(terms.length === operands.length, `${terms.length} inputs, as the equation says, got ${operands.length}`);
  terms.forEach((term, i) => {
    const shape = operands[i], letters = term.replace("...", "").length, dots = term.includes("...");
    expect(dots ? shape.length >= letters : shape.length === letters, `an input of the axes ${term}, got rank ${shape.length}`);
    const [before, after = ""] = term.split("...");
    const see = (letter, extent) => {
      expect(agree(extents.get(letter), extent), `one extent for ${letter}, got ${extents.get(letter)} and ${extent}`);
      extents.set(letter, firstKnown(extents.get(letter), extent) ?? null);
    };
    [...before].forEach((letter, place) => see(letter, shape[place]));
    [...after].forEach((letter, place) => see(letter, shape[shape.length - after.length + place]));
    if (dots) dotted.push(shape.slice(before.length, shape.length - after.length));
  });
  const letters = [...result.replace("...", "")];
  expect(new Set(letters).size === letters.length && letters.every((letter) => extents.has(letter)), "a result of letters of the inputs, each once, got others");
  expect(!dotted.some((axes) => axes.length) || result.includes("..."), "a result with the axes that ... stands for, got none");
  return { terms, result, extents, dots: dotted.length ? broadcast(dotted) : [] };
}
const EINSUM = (c, operands) => {
  const { result, extents, dots } = einsumExtents(c.equation, operands);
  const [before, after] = result.split("...");
  return [...[...before].map((letter) => extents.get(letter)), ...(after === undefined ? [] : dots), ...[...(after ?? "")].map((letter) => extents.get(letter))];
};
const ATTENTION = (c, [query, key, value, mask]) => {
  for (const shape of [query, key, value]) expect(shape.length >= 2, `operands of rank 2 or more, got ${shape.length}`);
  expect(agree(query.at(-1), key.at(-1)), `last extents of query and key that agree, got ${query.at(-1)} and ${key.at(-1)}`);
  expect(agree(key.at(-2), value.at(-2)), `as many keys as values, got ${key.at(-2)} and ${value.at(-2)}`);
  const batch = broadcast([query, key, value].map((shape) => shape.slice(0, -2)));
  const scores = [...batch, query.at(-2), key.at(-2)];
  if (mask) expect(mask.length <= scores.length && broadcast([mask, scores]).every((extent, i) => agree(extent, scores[i])), "a mask that stretches to queries and keys, got another");
  return [...batch, query.at(-2), value.at(-1)];
};
const TRIANGLE = (c, [x]) => { expect(x.length >= 2, `an input of rank 2 or more, got ${x.length}`); return x; };

const RULES = {
  argmax: ARG, argmin: ARG, softmax: ALONG, log_softmax: ALONG, cumulative_sum: ALONG, l2_normalize: ALONG_AXES, top_k: TOP, reshape: RESHAPE, flatten: FLATTEN, transpose: TRANSPOSE,
  squeeze: SQUEEZE, expand_dims: EXPAND, broadcast_to: BROADCAST, slice: SLICE, flip: ALONG_AXES, concatenate: (c, inputs) => joined(inputs, c.axis), stack: STACK, split: SPLIT,
  tile: TILE, repeat: REPEAT, roll: ROLL, pad: PAD, gather: GATHER, take_along_axis: TAKE, one_hot: ONE_HOT, constant: CONSTANT, matmul: MATMUL, einsum: EINSUM, attention: ATTENTION, triangle: TRIANGLE,
};
for (const name of ["sum", "product", "mean", "any", "all", "variance"]) RULES[name] = REDUCED;
for (const name of ["max", "min", "logsumexp"]) RULES[name] = CHOSEN;

/** The operands of a call: for each, the literal in its config or the index of the input that it is. */
export function operandsOf({ definition, settings, inputs }) {
  if (!definition.literals) return inputs.map((_, input) => ({ input }));
  const first = definition.operands.maximum - definition.literals.length;
  let next = 0;
  const operands = Array.from({ length: first }, () => ({ input: next++ }));
  for (const name of definition.literals) operands.push(settings[name] === null ? { input: next++ } : { literal: settings[name] });
  for (; next < inputs.length; next++) operands.push({ input: next });
  return operands;
}

/** The shapes of what an operation yields for the shapes of its inputs, each undefined where it is not known. */
export function operationShapes(call, inputs) {
  const { op, definition, settings } = call;
  const operands = operandsOf(call);
  const shapes = operands.map((operand) => ("literal" in operand ? (op === "gather" ? [operand.literal.length] : []) : inputs[operand.input]));
  if (shapes.some((shape) => shape === undefined)) return undefined;
  const rule = Object.hasOwn(RULES, op) ? RULES[op] : definition.operands.maximum > 1 ? STRETCHED : SAME;
  const result = rule(settings, shapes, call);
  return result instanceof Several ? result.shapes : [result];
}

