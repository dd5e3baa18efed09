// Shapes whose extents need not be known: an unknown extent is null, a shape of unknown rank undefined.
//
// What does not fit is thrown as a Misfit, whose message says what was expected.

export class Misfit extends Error {}

/** The shapes of several results. */
export class Several {
  constructor(shapes) {
    this.shapes = shapes;
  }
}

/** Throws a Misfit unless something is right; the message goes on "expected". */
export const expect = (right, message) => { if (!right) throw new Misfit(message); };
export const known = (value) => value !== null && value !== undefined;
/** Whether two extents may be one. */
export const agree = (a, b) => !known(a) || !known(b) || a === b;
/** Sums and products of extents, unknown where one of them is. */
export const times = (a, b) => (known(a) && known(b) ? a * b : null);
export const plus = (a, b) => (known(a) && known(b) ? a + b : null);
export const product = (extents) => extents.reduce(times, 1);
/** An axis counted from the first; it has to be there. */
export const axisOf = (axis, rank) => {
  const found = axis < 0 ? axis + rank : axis;
  expect(found >= 0 && found < rank, `an axis of an input of rank ${rank}, got ${axis}`);
  return found;
};
/** Axes counted from the first, each once; null: all. */
export function axesOf(axes, rank) {
  const found = axes === null ? Array.from({ length: rank }, (_, i) => i) : axes.map((axis) => axisOf(axis, rank));
  expect(new Set(found).size === found.length, `each axis once, got [${(axes ?? []).join(", ")}]`);
  return found;
}
export const replaced = (shape, axis, extent) => shape.map((one, i) => (i === axis ? extent : one));
export const firstKnown = (a, b) => (known(a) ? a : b);

/** Two extents as one: equal, or one of them 1. */
export function stretched(a, b) {
  if (a === 1) return b;
  if (b === 1 || !known(b)) return a;
  if (!known(a)) return b;
  expect(a === b, `two extents that agree, or one that is 1, got ${a} and ${b}`);
  return a;
}

/** Shapes aligned at the end, as one. */
export function broadcast(shapes) {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => shapes.map((shape) => shape[i - rank + shape.length] ?? (i - rank + shape.length < 0 ? 1 : null)).reduce(stretched));
}

/** The shape of inputs one after the other along an axis. */
export function joined(inputs, axis) {
  const [first] = inputs, at = axisOf(axis, first.length);
  for (const shape of inputs) {
    expect(shape.length === first.length, `inputs of one rank, got ${first.length} and ${shape.length}`);
    shape.forEach((extent, i) => expect(i === at || agree(extent, first[i]), `extents that agree along axis ${i}, got ${first[i]} and ${extent}`));
  }
  return first.map((_, i) => (i === at ? inputs.map((shape) => shape[i]).reduce(plus) : inputs.map((shape) => shape[i]).reduce(firstKnown)));
}

/** The one axis of a shape with -1 filled in; `total` are the elements that it has to hold. */
export function filled(shape, total) {
  const open = shape.filter((extent) => extent === -1).length;
  expect(open <= 1, `-1 at most once, got it ${open} times`);
  const rest = product(shape.filter((extent) => extent !== -1));
  if (open === 0) {
    expect(!known(total) || !known(rest) || total === rest, `a shape of ${total} elements, got one of ${rest}`);
    return shape;
  }
  if (!known(total) || !known(rest)) return shape.map((extent) => (extent === -1 ? null : extent));
  expect(rest !== 0 && total % rest === 0, `a shape of ${total} elements, got one of a multiple of ${rest}`);
  return shape.map((extent) => (extent === -1 ? total / rest : extent));
}
