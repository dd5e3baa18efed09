// What layers of windows, padding and spatial extents yield, and whether their inputs fit.

import { expect, known, plus, times } from "./shapes.js";
import { channelsAxis, spatialAxes, transposedExtent, windowCount } from "./windows.js";

/** The extents of windows along the spatial axes. */
export function windowExtents(c, x, sizes, strides) {
  return spatialAxes(x.length, c.data_format).map((axis, i) => {
    const rule = Array.isArray(c.padding) ? c.padding[i] : c.padding;
    const count = windowCount(rule, { n: x[axis], k: sizes[i], s: strides[i], d: c.dilation_rate?.[i] ?? 1, ceil: c.ceil_mode });
    expect(count === null || count >= 1, `at least one window of ${sizes[i]} along axis ${axis}, got an extent of ${x[axis]}`);
    return count;
  });
}

/** Batch, spatial extents and channels as a shape. */
export function assemble(c, batch, spatial, channels) {
  return c.data_format === "channels_first" ? [...batch, channels, ...spatial] : [...batch, ...spatial, channels];
}
const channelsOf = (c, x) => x[channelsAxis(x.length, c.data_format)];

function divided(c, channels) {
  expect(!known(channels) || channels % c.groups === 0, `channels that ${c.groups} groups divide, got ${channels}`);
  expect(c.filters % c.groups === 0, `filters that ${c.groups} groups divide, got ${c.filters}`);
}

const CONV = (c, [x]) => {
  if (c.groups !== undefined) divided(c, channelsOf(c, x));
  return assemble(c, [x[0]], windowExtents(c, x, c.kernel_size, c.strides), c.filters);
};
const DEPTHWISE = (c, [x]) => assemble(c, [x[0]], windowExtents(c, x, c.kernel_size, c.strides), times(channelsOf(c, x), c.depth_multiplier));
const TRANSPOSED = (c, [x]) => {
  divided(c, channelsOf(c, x));
  const spatial = spatialAxes(x.length, c.data_format).map((axis, i) => {
    const rule = Array.isArray(c.padding) ? c.padding[i] : c.padding;
    const { extent } = transposedExtent(rule, { n: x[axis], k: c.kernel_size[i], s: c.strides[i], d: c.dilation_rate[i], more: c.output_padding?.[i] ?? null });
    expect(extent === null || extent >= 1, `at least one element along axis ${axis}, got ${extent}`);
    return extent;
  });
  return assemble(c, [x[0]], spatial, c.filters);
};
/** An input with an element along every spatial axis. */
const filled = (c, x) => {
  for (const axis of spatialAxes(x.length, c.data_format)) expect(x[axis] !== 0, `an element along axis ${axis}, got none`);
  return x;
};
const POOLING = (c, [x]) => assemble(c, [x[0]], windowExtents(c, x, c.pool_size, c.strides ?? c.pool_size), channelsOf(c, x));
const GLOBAL = (c, [x]) => (filled(c, x), c.keepdims ? assemble(c, [x[0]], spatialAxes(x.length, c.data_format).map(() => 1), channelsOf(c, x)) : [x[0], channelsOf(c, x)]);
const ADAPTIVE = (c, [x]) => assemble(c, [filled(c, x)[0]], spatialAxes(x.length, c.data_format).map((axis, i) => c.output_size[i] ?? x[axis]), channelsOf(c, x));

/** A rule that changes each spatial extent. */
const SPATIAL = (change) => (c, [x]) => {
  const axes = spatialAxes(x.length, c.data_format);
  return x.map((extent, axis) => (axes.includes(axis) ? change(c, extent, axes.indexOf(axis), axis) : extent));
};
const PADDED = SPATIAL((c, extent, i) => plus(extent, c.padding[i][0] + c.padding[i][1]));
const MIRRORED = (c, inputs) => {
  spatialAxes(inputs[0].length, c.data_format).forEach((axis, i) => {
    const n = inputs[0][axis], most = c.mode === "reflect" ? n - 1 : ["symmetric", "circular"].includes(c.mode) ? n : Infinity;
    expect(!known(n) || Math.max(...c.padding[i]) <= most, `padding of at most ${most} in mode ${c.mode} along axis ${axis}, got ${c.padding[i].join(" and ")}`);
    expect(!known(n) || n > 0 || c.mode === "constant" || Math.max(...c.padding[i]) === 0, `an element to repeat along axis ${axis}, got none`);
  });
  return PADDED(c, inputs);
};
const CROPPED = SPATIAL((c, extent, i, axis) => {
  const left = plus(extent, -c.cropping[i][0] - c.cropping[i][1]);
  expect(left === null || left >= 1, `at least one element along axis ${axis}, got ${left}`);
  return left;
});
const SCALED = (c, [x]) => SPATIAL((settings, extent, i) => times(extent, settings.size[i]))(c, [filled(c, x)]);
const RESIZED = (c, [x]) => assemble(c, [filled(c, x)[0]], [c.height, c.width], channelsOf(c, x));
const RANDOM_EXTENT = (place) => SPATIAL((c, extent, i) => (i === place ? null : extent));

const SHUFFLED = (c, [x], out) => {
  const b = c.block_size, axes = spatialAxes(x.length, c.data_format), channels = channelsAxis(x.length, c.data_format);
  return x.map((extent, axis) => {
    const isSpatial = axes.includes(axis), factor = axis === channels ? b * b : isSpatial ? b : 1;
    if ((axis === channels) === out || factor === 1) {
      expect(!known(extent) || extent % factor === 0, `an extent along axis ${axis} that ${factor} divides, got ${extent}`);
      return known(extent) ? extent / factor : extent;
    }
    return times(extent, factor);
  });
};

/** Type -> its rule. */
export const RULES = {
  Resizing: RESIZED, CenterCrop: RESIZED, PixelShuffle: (c, x) => SHUFFLED(c, x, true), PixelUnshuffle: (c, x) => SHUFFLED(c, x, false), RandomHeight: RANDOM_EXTENT(0), RandomWidth: RANDOM_EXTENT(1),
};
for (const n of ["1D", "2D", "3D"]) {
  Object.assign(RULES, { [`Conv${n}`]: CONV, [`Conv${n}Transpose`]: TRANSPOSED, [`SeparableConv${n}`]: CONV, [`DepthwiseConv${n}`]: DEPTHWISE,
    [`ZeroPadding${n}`]: PADDED, [`Padding${n}`]: MIRRORED, [`Cropping${n}`]: CROPPED, [`UpSampling${n}`]: SCALED });
  for (const kind of ["Max", "Average"]) Object.assign(RULES, { [`${kind}Pooling${n}`]: POOLING, [`Global${kind}Pooling${n}`]: GLOBAL, [`Adaptive${kind}Pooling${n}`]: ADAPTIVE });
}
