// What a call of a layer of each type yields, and whether its inputs fit (chapters 25 and 26).
//
// A rule takes the settings of the layer and the shapes of its inputs, which are known here, and yields a shape, or a list of
// shapes in a Several. An unknown extent is null. What does not fit is thrown as a Misfit.

import { equationParts, evaluateShape, namesOf, placesOf } from "./expressions.js";
import { RULES as LOOKUPS } from "./lookup_shapes.js";
import { RULES as SEQUENCE } from "./sequence_shapes.js";
import { RULES as SPATIAL } from "./spatial_shapes.js";
import { Several, agree, axesOf, axisOf, broadcast, expect, filled, firstKnown, joined, known, product, replaced } from "./shapes.js";

const SAME = (c, [x]) => x;

const MERGED = (c, inputs) => {
  const batch = inputs.map(([first]) => first).reduce((a, b) => { expect(agree(a, b), `batches that agree, got ${a} and ${b}`); return firstKnown(a, b); });
  return [batch, ...broadcast(inputs.map((shape) => shape.slice(1)))];
};

const DOT = (c, [a, b]) => {
  const axes = Array.isArray(c.axes) ? c.axes : [c.axes, c.axes];
  const [i, j] = [axisOf(axes[0], a.length), axisOf(axes[1], b.length)];
  expect(i !== 0 && j !== 0, "axes other than the batch, got the batch");
  expect(agree(a[i], b[j]), `extents along the axes that agree, got ${a[i]} and ${b[j]}`);
  expect(agree(a[0], b[0]), `batches that agree, got ${a[0]} and ${b[0]}`);
  const shape = [firstKnown(a[0], b[0]), ...a.filter((_, axis) => axis !== 0 && axis !== i), ...b.filter((_, axis) => axis !== 0 && axis !== j)];
  return shape.length === 1 ? [...shape, 1] : shape;
};

const PERMUTED = (c, [x]) => {
  const right = c.dims.length === x.length - 1 && [...c.dims].sort((a, b) => a - b).every((axis, i) => axis === i + 1);
  expect(right, `each of 1 to ${x.length - 1} once in dims, got [${c.dims.join(", ")}]`);
  return [x[0], ...c.dims.map((axis) => x[axis])];
};

const GATED = (c, [x]) => {
  const axis = axisOf(c.axis, x.length);
  expect(!known(x[axis]) || x[axis] % 2 === 0, `an even extent along axis ${axis}, got ${x[axis]}`);
  return replaced(x, axis, known(x[axis]) ? x[axis] / 2 : null);
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

const RESCALED = (c, [x]) => {
  const extent = x.at(-1);
  for (const name of ["scale", "offset"]) expect(!Array.isArray(c[name]) || !known(extent) || [1, extent].includes(c[name].length), `1 number or ${extent} as ${name}, got ${c[name]?.length}`);
  return x;
};

const RULES = {
  Rescaling: RESCALED, ...SPATIAL, ...SEQUENCE, ...LOOKUPS,
  EinsumDense: EINSUM_DENSE, Flatten: (c, [x]) => [x[0], product(x.slice(1))], Reshape: (c, [x]) => [x[0], ...filled(c.target_shape, product(x.slice(1)))], Permute: PERMUTED,
  Concatenate: (c, inputs) => joined(inputs, c.axis), Dot: DOT, GLU: GATED, GroupNormalization: GROUP_NORMALIZATION,
};
for (const name of ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]) RULES[name] = MERGED;
const AXES = ["axis", "shared_axes", "sequence_axis", "feature_axis", "attention_axes"];

/** The shapes of what a call yields, each undefined where its rank is not known; undefined where their number is not. */
export function resultShapes(layer, inputs, { visit, call = {} }) {
  const { definition, settings } = layer, [x] = inputs;
  const { minimum, maximum } = definition.rank;
  if (x !== undefined) {
    expect(x.length >= minimum && (maximum === null || x.length <= maximum), `a first input of rank ${minimum === maximum ? minimum : `${minimum} or more`}, got ${x.length}`);
    if (layer.type !== "Concatenate") for (const name of AXES) axesOf([settings[name] ?? []].flat(), x.length);
  }
  for (const shape of inputs) expect(shape === undefined || shape.length >= 1, "inputs with a batch, got one without axes");
  if (inputs.some((shape) => shape === undefined)) return undefined;
  const rule = Object.hasOwn(RULES, layer.type) ? RULES[layer.type] : undefined;
  const result = rule ? rule(settings, inputs, layer, visit, call) : definition.output === undefined ? SAME(settings, inputs) : evaluateShape(definition.output, namesOf(settings, inputs));
  if (result instanceof Several) return result.shapes;
  return [result];
}
