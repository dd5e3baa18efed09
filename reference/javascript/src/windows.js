// Windows along a spatial axis (chapter 25): how many there are, what padding stands before and after, and their transposes.

/** Elements that a window of size k with dilation d spans. */
export const spanOf = (k, d) => (k - 1) * d + 1;

/** The padding [before, after] of an axis of n elements for windows of size k, stride s and dilation d; `rule` is a name or a pair. */
export function paddingOf(rule, { n, k, s, d }) {
  if (Array.isArray(rule)) return rule;
  const e = spanOf(k, d);
  if (rule === "valid") return [0, 0];
  if (rule === "causal") return [e - 1, 0];
  const total = Math.max((Math.ceil(n / s) - 1) * s + e - n, 0), half = Math.floor(total / 2);
  return rule === "same_upper" ? [half, total - half] : [total - half, half];
}

/** The number of windows along an axis of n elements; null where n is. */
export function windowCount(rule, { n, k, s, d, ceil = false }) {
  if (n === null) return null;
  const e = spanOf(k, d);
  if (rule === "same_upper" || rule === "same_lower" || rule === "causal") return Math.ceil(n / s);
  const [p, q] = paddingOf(rule, { n, k, s, d }), room = n + p + q - e;
  const count = (ceil ? Math.ceil(room / s) : Math.floor(room / s)) + 1;
  return ceil ? Math.min(count, Math.ceil((n + p) / s)) : count; // a window that starts behind the input does not count
}

/** The extent of a transposed convolution along an axis, and how many elements of the full result are taken off before it. */
export function transposedExtent(rule, { n, k, s, d, more }) {
  if (n === null) return { extent: null, before: 0 };
  const e = spanOf(k, d), full = (n - 1) * s + e;
  if (Array.isArray(rule)) return { extent: full - rule[0] - rule[1] + (more ?? 0), before: rule[0] };
  if (rule === "valid") return { extent: more === null ? n * s + Math.max(e - s, 0) : full + more, before: 0 };
  const extent = more === null ? n * s : (n - 1) * s + e - 2 * Math.floor(e / 2) + more;
  const total = Math.max(full - extent, 0), half = Math.floor(total / 2);
  return { extent, before: rule === "same_upper" ? half : total - half };
}

/** The spatial axes of an input of a rank. */
export function spatialAxes(rank, dataFormat, first = 1) {
  const start = dataFormat === "channels_first" ? first + 1 : first;
  return Array.from({ length: rank - first - 1 }, (_, i) => start + i);
}

/** The channels axis of an input of a rank. */
export const channelsAxis = (rank, dataFormat, first = 1) => (dataFormat === "channels_first" ? first : rank - 1);
