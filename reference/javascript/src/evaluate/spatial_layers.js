// The layers of windows, padding, extents and axes.

import { Tensor, numbers, reshaped, sizeOf, transposed } from "./arrays.js";
import { UnsupportedError } from "../problems.js";
import { finishDense, weighted } from "./basic_layers.js";
import { channelsLast, chosenAlong, convolve, convolveTransposed, padded, pool, poolAdaptively, resized } from "./spatial.js";

const spatialOf = (x) => x.shape.slice(1, -1);

/** A layer that computes with the channels last, whatever its data_format says. */
const lastly = (compute) => (task) => {
  const { x, back } = channelsLast(task.x, task.c.data_format);
  const { shape, data } = compute({ ...task, x });
  const result = back(new Tensor("float64", shape, data));
  return { shape: result.shape, data: result.data };
};

const windowsOf = (c) => ({ strides: c.strides, dilation: c.dilation_rate, padding: c.padding });
const Convolution = lastly(({ c, w, x }) => finishDense(convolve(x, w.kernel, { ...windowsOf(c), groups: c.groups }), weighted(w, "bias"), c.activation));
const Depthwise = lastly(({ c, w, x }) => finishDense(convolve(x, w.kernel, { ...windowsOf(c), depthwise: true }), weighted(w, "bias"), c.activation));
const Transpose = lastly(({ c, w, x }) => finishDense(convolveTransposed(x, w.kernel, { ...windowsOf(c), outputPadding: c.output_padding, groups: c.groups }), weighted(w, "bias"), c.activation));
const Separable = lastly(({ c, w, x }) => {
  const { shape, data } = convolve(x, w.depthwise_kernel, { ...windowsOf(c), depthwise: true });
  const one = shape.slice(1, -1).map(() => 1);
  return finishDense(convolve(new Tensor("float64", shape, data), w.pointwise_kernel, { strides: one, dilation: one, padding: "valid" }), weighted(w, "bias"), c.activation);
});

const Pooling = (kind) => lastly(({ c, x }) => pool(x, { kind, sizes: c.pool_size, strides: c.strides ?? c.pool_size, dilation: c.dilation_rate, padding: c.padding, ceil: c.ceil_mode, countPadding: c.count_include_pad }));
const Adaptive = (kind) => lastly(({ c, x }) => poolAdaptively(x, kind, spatialOf(x).map((n, i) => c.output_size[i] ?? n)));

const Global = (kind) => ({ c, x: input, masks: [mask] }) => {
  const { x, back } = channelsLast(input, c.data_format), [batch, channels] = [x.shape[0], x.shape.at(-1)], positions = sizeOf(spatialOf(x)), source = numbers(x);
  const counts = mask && kind === "mean" && x.rank === 3 ? mask : undefined;
  if (counts && (counts.shape[0] !== batch || counts.shape[1] !== positions)) throw new UnsupportedError(`a mask of [${counts.shape}] is none of ${positions} positions`);
  const data = new Float64Array(batch * channels);
  for (let b = 0; b < batch; b++) {
    for (let f = 0; f < channels; f++) {
      let found = kind === "max" ? -Infinity : 0, count = 0;
      for (let p = 0; p < positions; p++) {
        const value = source[(b * positions + p) * channels + f];
        if (kind === "max") found = value > found || Number.isNaN(value) ? value : found;
        else if (!counts || counts.data[b * positions + p]) {
          found += value;
          count++;
        }
      }
      data[b * channels + f] = kind === "max" ? found : found / count;
    }
  }
  if (!c.keepdims) return { shape: [batch, channels], data };
  const kept = back(new Tensor("float64", [batch, ...spatialOf(x).map(() => 1), channels], data));
  return { shape: kept.shape, data: kept.data };
};

/** The first spatial axis, and how many there are. */
const firstSpatial = (c) => (c.data_format === "channels_first" ? 2 : 1);

const moved = (work) => (task) => [{ tensor: work(task), mask: null }];
const ZeroPadding = moved(({ c, x }) => padded(x, c.padding, { first: firstSpatial(c) }));
const Padding = moved(({ c, x }) => padded(x, c.padding, { mode: c.mode, fill: c.value, first: firstSpatial(c) }));
const Cropping = moved(({ c, x }) => c.cropping.reduce((found, [before, after], i) => {
  const axis = firstSpatial(c) + i;
  return chosenAlong(found, axis, Array.from({ length: found.shape[axis] - before - after }, (_, p) => p + before));
}, x));

const smooth = (c) => ({ interpolation: c.interpolation, alignCorners: c.align_corners, coefficient: c.cubic_coefficient, excludeOutside: c.exclude_outside });
const UpSampling = lastly(({ c, x }) => resized(x, spatialOf(x).map((n, i) => n * c.size[i]), smooth(c)));
const Resizing = lastly(({ c, x }) => resized(x, [c.height, c.width], smooth(c)));
const CenterCrop = lastly(({ c, x }) => {
  const [h, w] = spatialOf(x), { height, width } = c;
  const crop = (rows, columns) => [[1, h, rows], [2, w, columns]].reduce((found, [axis, n, m]) => chosenAlong(found, axis, Array.from({ length: m }, (_, i) => Math.floor((n - m) / 2) + i)), x);
  if (h >= height && w >= width) return crop(height, width);
  const part = crop(Math.max(Math.min(h, Math.floor((w * height) / width)), 1), Math.max(Math.min(w, Math.floor((h * width) / height)), 1));
  return resized(part, [height, width], { interpolation: "bilinear", alignCorners: false });
});

const Flatten = moved(({ c, x: input }) => {
  const x = input.rank > 2 ? channelsLast(input, c.data_format).x : input;
  return reshaped(x, [x.shape[0], sizeOf(x.shape.slice(1))]);
});
const Reshape = moved(({ c, x }) => {
  const total = sizeOf(x.shape.slice(1)), rest = sizeOf(c.target_shape.filter((extent) => extent !== -1));
  return reshaped(x, [x.shape[0], ...c.target_shape.map((extent) => (extent === -1 ? total / rest : extent))]);
});
const Permute = moved(({ c, x }) => transposed(x, [0, ...c.dims]));
const RepeatVector = moved(({ c, x }) => chosenAlong(reshaped(x, [x.shape[0], 1, x.shape[1]]), 1, Array(c.n).fill(0)));

const PixelShuffle = moved(({ c, x: input }) => {
  const { x, back } = channelsLast(input, c.data_format), [n, h, w, all] = x.shape, b = c.block_size, channels = all / (b * b);
  const split = c.order === "depth_first" ? [n, h, w, channels, b, b] : [n, h, w, b, b, channels], order = c.order === "depth_first" ? [0, 1, 4, 2, 5, 3] : [0, 1, 3, 2, 4, 5];
  return back(reshaped(transposed(reshaped(x, split), order), [n, h * b, w * b, channels]));
});
const PixelUnshuffle = moved(({ c, x: input }) => {
  const { x, back } = channelsLast(input, c.data_format), [n, h, w, channels] = x.shape, b = c.block_size;
  const order = c.order === "depth_first" ? [0, 1, 3, 5, 2, 4] : [0, 1, 3, 2, 4, 5];
  return back(reshaped(transposed(reshaped(x, [n, h / b, b, w / b, b, channels]), order), [n, h / b, w / b, channels * b * b]));
});

export const LAYERS = { Resizing, CenterCrop, Flatten, Reshape, Permute, RepeatVector, PixelShuffle, PixelUnshuffle };
for (const n of ["1D", "2D", "3D"]) {
  Object.assign(LAYERS, { [`Conv${n}`]: Convolution, [`Conv${n}Transpose`]: Transpose, [`DepthwiseConv${n}`]: Depthwise, [`SeparableConv${n}`]: Separable, [`ZeroPadding${n}`]: ZeroPadding,
    [`Padding${n}`]: Padding, [`Cropping${n}`]: Cropping, [`UpSampling${n}`]: UpSampling });
  for (const [name, kind] of [["Max", "max"], ["Average", "mean"]]) Object.assign(LAYERS, { [`${name}Pooling${n}`]: Pooling(kind), [`Adaptive${name}Pooling${n}`]: Adaptive(kind), [`Global${name}Pooling${n}`]: Global(kind) });
}

