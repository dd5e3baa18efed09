// Arrays of numbers, and how they are moved: reading and writing bytes, rounding to a dtype, axes, stretching.
//
// Elements are computed in binary64 and rounded to the dtype where a value is finished; 64-bit integers are BigInts, texts
// strings. An array is row-major.

import { dtypeOfName } from "../dtypes.js";
import { UnsupportedError, UsageError } from "../problems.js";

export const sizeOf = (shape) => shape.reduce((product, extent) => product * extent, 1);
export const isFloating = (dtype) => dtype.startsWith("float") || dtype === "bfloat16";
export const isInteger = (dtype) => /^u?int/.test(dtype);
export const isBig = (dtype) => dtype === "int64" || dtype === "uint64";

function storage(dtype, size) {
  if (dtype === "string") return Array(size).fill("");
  if (dtype === "int64") return new BigInt64Array(size);
  return dtype === "uint64" ? new BigUint64Array(size) : new Float64Array(size);
}

export class Tensor {
  constructor(dtype, shape, data = storage(dtype, sizeOf(shape))) {
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  get rank() {
    return this.shape.length;
  }

  get size() {
    return this.data.length;
  }
}

// --- numbers and bits

/** A finite number rounded to `bits` binary digits after the first, exponents from `least`, ties to even. */
function rounded(x, bits, least, greatest) {
  if (!Number.isFinite(x) || x === 0) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), least);
  let unit = 2 ** (exponent - bits);
  if (Math.abs(x) / unit >= 2 ** (bits + 1)) unit *= 2;
  const scaled = x / unit, floor = Math.floor(scaled), rest = scaled - floor;
  const nearest = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  const result = nearest * unit;
  return Math.abs(result) > greatest ? Math.sign(result) * Infinity : result;
}

const RANGES = { int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767], uint16: [0, 65535], int32: [-2147483648, 2147483647], uint32: [0, 4294967295] };

/** The function that rounds a number to a dtype. */
export function rounder(dtype) {
  switch (dtype) {
    case "float64": return (x) => x;
    case "float32": return Math.fround;
    case "float16": return (x) => rounded(x, 10, -14, 65504);
    case "bfloat16": return (x) => rounded(x, 7, -126, 3.3895313892515355e38);
    case "bool": return (x) => (x ? 1 : 0);
    default:
      throw new UnsupportedError(`no arithmetic in ${dtype}`);
  }
}

function wrap(x, [low, high]) {
  const span = high - low + 1;
  return x >= low && x <= high ? x : x - Math.floor((x - low) / span) * span;
}

/** Numbers as a tensor of a dtype, each rounded to it; integers are cut towards 0 and wrap around. */
export function finish(dtype, shape, numbers) {
  if (isBig(dtype)) return new Tensor(dtype, shape, (dtype === "int64" ? BigInt64Array : BigUint64Array).from(numbers, (x) => (typeof x === "bigint" ? x : Number.isFinite(x) ? BigInt(Math.trunc(x)) : 0n)));
  const data = new Float64Array(numbers.length);
  if (dtype in RANGES) for (let i = 0; i < data.length; i++) data[i] = wrap(Math.trunc(Number(numbers[i])), RANGES[dtype]);
  else {
    const round = rounder(dtype);
    for (let i = 0; i < data.length; i++) data[i] = round(Number(numbers[i]));
  }
  return new Tensor(dtype, shape, data);
}

/** A tensor in another dtype. */
export const cast = (tensor, dtype) => (tensor.dtype === dtype ? tensor : finish(dtype, tensor.shape, dtype === "bool" ? Array.from(tensor.data, (x) => (Number(x) !== 0 ? 1 : 0)) : tensor.data));

/** The elements as binary64 numbers. */
export const numbers = (tensor) => (tensor.data instanceof Float64Array ? tensor.data : Float64Array.from(tensor.data, Number));

const SMALL = { // bits of the exponent and the fraction, bias, and which patterns are no finite number
  float8_e5m2: [5, 2, 15, "ieee"], float8_e4m3fn: [4, 3, 7, "last"], float8_e4m3fnuz: [4, 3, 8, "zero"], float8_e5m2fnuz: [5, 2, 16, "zero"], float16: [5, 10, 15, "ieee"],
};

function smallFloat(word, [exponentBits, fractionBits, bias, special]) {
  const sign = word >> (exponentBits + fractionBits) ? -1 : 1, exponent = (word >> fractionBits) & ((1 << exponentBits) - 1), fraction = word & ((1 << fractionBits) - 1);
  const top = (1 << exponentBits) - 1;
  if (special === "zero" && sign < 0 && exponent === 0 && fraction === 0) return NaN;
  if (special === "ieee" && exponent === top) return fraction ? NaN : sign * Infinity;
  if (special === "last" && exponent === top && fraction === (1 << fractionBits) - 1) return NaN;
  return sign * (exponent ? (1 + fraction / (1 << fractionBits)) * 2 ** (exponent - bias) : (fraction / (1 << fractionBits)) * 2 ** (1 - bias));
}

/** The tensor of stored bytes, little-endian. */
export function fromBytes(dtype, shape, bytes) {
  const count = sizeOf(shape), view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), tensor = new Tensor(dtype, shape), { data } = tensor;
  const fill = (read) => { for (let i = 0; i < count; i++) data[i] = read(i); };
  switch (dtype) {
    case "bool": fill((i) => (bytes[i] ? 1 : 0)); break;
    case "uint8": fill((i) => bytes[i]); break;
    case "int8": fill((i) => view.getInt8(i)); break;
    case "uint16": fill((i) => view.getUint16(2 * i, true)); break;
    case "int16": fill((i) => view.getInt16(2 * i, true)); break;
    case "uint32": fill((i) => view.getUint32(4 * i, true)); break;
    case "int32": fill((i) => view.getInt32(4 * i, true)); break;
    case "float32": fill((i) => view.getFloat32(4 * i, true)); break;
    case "float64": fill((i) => view.getFloat64(8 * i, true)); break;
    case "int64": fill((i) => view.getBigInt64(8 * i, true)); break;
    case "uint64": fill((i) => view.getBigUint64(8 * i, true)); break;
    case "float16": fill((i) => smallFloat(view.getUint16(2 * i, true), SMALL.float16)); break;
    case "float8_e8m0fnu": fill((i) => (bytes[i] === 255 ? NaN : 2 ** (bytes[i] - 127))); break;
    case "bfloat16": {
      const wide = new DataView(new ArrayBuffer(4));
      fill((i) => { wide.setUint32(0, view.getUint16(2 * i, true) * 65536); return wide.getFloat32(0); });
      break;
    }
    default:
      if (!(dtype in SMALL)) throw new UnsupportedError(`no arithmetic with elements of ${dtype}`);
      fill((i) => smallFloat(bytes[i], SMALL[dtype]));
  }
  return tensor;
}

function halfBits(x) {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0, size = Math.abs(x);
  if (size === Infinity) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | Math.round((size / 2 ** exponent - 1) * 1024);
}

/** The bytes of a tensor, little-endian. */
export function toBytes({ dtype, data }) {
  const size = dtypeOfName(dtype).bits / 8, bytes = new Uint8Array(data.length * size), view = new DataView(bytes.buffer);
  const each = (write) => { for (let i = 0; i < data.length; i++) write(i * size, data[i]); };
  switch (dtype) {
    case "bool": case "uint8": each((at, x) => view.setUint8(at, x)); break;
    case "int8": each((at, x) => view.setInt8(at, x)); break;
    case "uint16": each((at, x) => view.setUint16(at, x, true)); break;
    case "int16": each((at, x) => view.setInt16(at, x, true)); break;
    case "uint32": each((at, x) => view.setUint32(at, x, true)); break;
    case "int32": each((at, x) => view.setInt32(at, x, true)); break;
    case "float32": each((at, x) => view.setFloat32(at, x, true)); break;
    case "float64": each((at, x) => view.setFloat64(at, x, true)); break;
    case "int64": each((at, x) => view.setBigInt64(at, x, true)); break;
    case "uint64": each((at, x) => view.setBigUint64(at, x, true)); break;
    case "float16": each((at, x) => view.setUint16(at, halfBits(x), true)); break;
    case "bfloat16": {
      const wide = new DataView(new ArrayBuffer(4));
      each((at, x) => { wide.setFloat32(0, x); view.setUint16(at, wide.getUint16(0), true); });
      break;
    }
    default: throw new UnsupportedError(`no bytes of ${dtype}`);
  }
  return bytes;
}

/** The mask of an input, for a value whose first extents are the mask's. */
export const keptMask = (mask, { shape }) => (mask && mask.rank <= shape.length && mask.shape.every((extent, i) => extent === shape[i]) ? mask : null);

// --- axes

export const stridesOf = (shape) => {
  const strides = Array(shape.length);
  for (let axis = shape.length - 1, step = 1; axis >= 0; step *= shape[axis--]) strides[axis] = step;
  return strides;
};
export const axisOf = (axis, rank) => (axis < 0 ? axis + rank : axis);

/** For each element of an array of a shape the place `start` + sum of index × stride. */
export function places(shape, strides, start = 0) {
  const found = new Int32Array(sizeOf(shape)), index = Array(shape.length).fill(0);
  let place = start;
  for (let i = 0; i < found.length; i++) {
    found[i] = place;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis];
      if (++index[axis] < shape[axis]) break;
      place -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return found;
}

/** The elements of a tensor at places, as an array of a shape. */
export function taken({ dtype, data }, shape, found) {
  const result = storage(dtype, found.length);
  for (let i = 0; i < found.length; i++) result[i] = data[found[i]];
  return new Tensor(dtype, shape, result);
}

export function reshaped(tensor, shape) {
  if (sizeOf(shape) !== tensor.size) throw new UsageError(`expected a shape of ${tensor.size} elements, got [${shape.join(", ")}]`);
  return new Tensor(tensor.dtype, shape, tensor.data);
}

/** An index, from the end where it is negative, that lies inside an axis of n elements. */
export function indexIn(index, n) {
  const found = index < 0 ? index + n : index;
  if (!(found >= 0 && found < n)) throw new UsageError(`expected an index inside an axis of ${n} elements, got ${index}`);
  return found;
}

/** A tensor with its axes in another order: axis i of the result is axis `order[i]`. */
export function transposed(tensor, order) {
  if (order.every((axis, i) => axis === i)) return tensor;
  const strides = stridesOf(tensor.shape), shape = order.map((axis) => tensor.shape[axis]);
  return taken(tensor, shape, places(shape, order.map((axis) => strides[axis])));
}

export const moveAxis = (rank, from, to) => {
  const order = Array.from({ length: rank }, (_, i) => i).filter((axis) => axis !== from);
  order.splice(to, 0, from);
  return order;
};

/** A tensor stretched to a shape, aligned at the end. */
export function stretchedTo(tensor, shape) {
  const own = stridesOf(tensor.shape), ahead = shape.length - tensor.rank;
  if (ahead < 0 || !tensor.shape.every((extent, i) => extent === 1 || extent === shape[i + ahead])) throw new UsageError(`expected an array that stretches to [${shape.join(", ")}], got [${tensor.shape.join(", ")}]`);
  if (ahead === 0 && shape.every((extent, i) => extent === tensor.shape[i])) return tensor;
  return taken(tensor, shape, places(shape, shape.map((extent, i) => (i < ahead || tensor.shape[i - ahead] === 1 ? 0 : own[i - ahead]))));
}

export const commonShape = (shapes) => {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => shapes.reduce((extent, shape) => {
    const own = shape[i - rank + shape.length] ?? 1;
    if (own !== extent && own !== 1 && extent !== 1) throw new UsageError(`expected arrays that fit each other, got extents ${extent} and ${own}`);
    return own === 1 ? extent : own;
  }, 1));
};

/** Numbers of `compute` on the elements of tensors that are stretched to one shape. */
export function zipped(tensors, compute) {
  const shape = commonShape(tensors.map((tensor) => tensor.shape)), data = tensors.map((tensor) => numbers(stretchedTo(tensor, shape)));
  const result = new Float64Array(sizeOf(shape));
  for (let i = 0; i < result.length; i++) result[i] = compute(...data.map((one) => one[i]));
  return { shape, data: result };
}

/** Parts of an array along axes: the axes in front that stay, and rows of the elements along the axes, last. */
export function rowsAlong(tensor, axes) {
  const along = axes.map((axis) => axisOf(axis, tensor.rank)), stay = tensor.shape.map((_, i) => i).filter((axis) => !along.includes(axis));
  const order = [...stay, ...along], moved = transposed(tensor, order), width = sizeOf(along.map((axis) => tensor.shape[axis]));
  const inverse = order.map((_, i) => order.indexOf(i));
  return { data: numbers(moved), width, count: sizeOf(stay.map((axis) => tensor.shape[axis])), stay: stay.map((axis) => tensor.shape[axis]),
    back: (data) => transposed(new Tensor("float64", order.map((axis) => tensor.shape[axis]), data), inverse).data };
}

/** x × matrix over the last axis of x: rows of k elements times [k, n]. */
export function product(x, matrix, k, n) {
  const rows = k === 0 ? 0 : x.length / k, result = new Float64Array(rows * n);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < k; i++) {
      const factor = x[row * k + i];
      for (let j = 0; j < n; j++) result[row * n + j] += factor * matrix[i * n + j];
    }
  }
  return result;
}
