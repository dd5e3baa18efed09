// Reads safetensors files as chapter 40 narrows them: header, entries, ranges.

import { dtypeOfCode } from "./dtypes.js";
import { decodeText, parseJson } from "./json.js";
import { problem, quoted, step } from "./problems.js";
import { has, isInteger, isObject, utf8Length } from "./values.js";

const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/** Whether a tensor may have this name (WGT-011). */
export const isTensorName = (name) => name !== "" && name.isWellFormed() && name.normalize("NFC") === name && utf8Length(name) <= 1024 && !UNFIT.test(name);

/** A stored tensor: dtype, shape and the bytes where they lie. */
export class StoredTensor {
  constructor({ name, dtype, shape, blob, begin, size }) {
    Object.assign(this, { name, dtype, shape, blob, begin, size });
  }

  /** The bytes as stored: little-endian, row-major. */
  bytes() {
    return this.blob.slice(this.begin, this.begin + this.size);
  }
}

/** The number of bytes of the header with its length and padding, with a problem where it begins or ends wrongly; undefined, with a problem, where there is none. */
export function headerSize(blob, { member, limits, problems }) {
  const outside = (found) => {
    problems.push(problem("WGT-001", member, `expected a header inside the ${blob.size} bytes of the file, got ${found}`));
  };
  if (blob.size < 8) return outside(`${blob.size} bytes`);
  const start = blob.slice(0, 8);
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(blob.size - 8)) return outside(`one of ${length} bytes`);
  if (length > BigInt(limits.headerBytes)) {
    problems.push(problem("SEC-016", member, `expected a header of at most ${limits.headerBytes} bytes, got ${length}`));
    return undefined;
  }
  const header = blob.slice(8, 8 + Number(length));
  if (header[0] !== 0x7b) {
    problems.push(problem("WGT-002", member, "expected the header to start with a brace at byte 8, got none"));
    return 8 + header.length;
  }
  const spaces = header.length - 1 - header.lastIndexOf(0x7d);
  if (spaces >= 64 || header.subarray(header.length - spaces).some((byte) => byte !== 0x20)) {
    problems.push(problem("WGT-003", member, "expected fewer than 64 spaces after the last brace of the header, got something else"));
  }
  return 8 + header.length;
}

const isCount = (value) => isInteger(value) && value >= 0;
const isEntry = (entry) => isObject(entry) && Object.keys(entry).length === 3 && typeof entry.dtype === "string"
  && Array.isArray(entry.shape) && entry.shape.every(isCount)
  && Array.isArray(entry.data_offsets) && entry.data_offsets.length === 2 && entry.data_offsets.every(isCount);

class Header {
  constructor(blob, size, { member, limits, problems }) {
    Object.assign(this, { blob, size, member, limits, problems, space: blob.size - size });
  }

  add(requirement, pointer, message) {
    this.problems.push(problem(requirement, `${this.member}#${pointer}`, message));
  }

  metadata(value) {
    const place = "/__metadata__";
    if (!isObject(value) || !Object.values(value).every((item) => typeof item === "string")) {
      this.add("WGT-012", place, `expected an object of strings, got ${quoted(value)}`);
      return;
    }
    const items = Object.entries(value);
    const bytes = items.reduce((sum, [name, item]) => sum + utf8Length(name) + utf8Length(item), 0);
    if (items.length > this.limits.metadataEntries) this.add("SEC-016", place, `expected at most ${this.limits.metadataEntries} entries, got ${items.length}`);
    if (bytes > this.limits.metadataBytes) this.add("SEC-016", place, `expected at most ${this.limits.metadataBytes} bytes, got ${bytes}`);
  }

  /** The tensor of an entry, or undefined with a problem. */
  tensor(name, entry) {
    const pointer = step("", name), before = this.problems.length;
    if (!isTensorName(name)) this.add("WGT-011", pointer, `expected a tensor name of chapter 40, got ${quoted(name)}`);
    if (!isEntry(entry)) {
      this.add("WGT-004", pointer, "expected dtype, shape and data_offsets, and nothing else");
      return undefined;
    }
    const dtype = dtypeOfCode(entry.dtype);
    if (dtype === undefined) this.add("WGT-005", `${pointer}/dtype`, `expected a dtype of chapter 40, got ${quoted(entry.dtype)}`);
    const { axes, extent, elements } = this.limits;
    const place = `${pointer}/shape`, limited = this.problems.length;
    if (entry.shape.length > axes) this.add("SEC-016", place, `expected at most ${axes} axes, got ${entry.shape.length}`);
    else if (entry.shape.some((one) => one > extent)) this.add("SEC-016", place, `expected extents of at most ${extent}, got more`);
    else if (entry.shape.reduce((product, one) => product * BigInt(one || 1), 1n) > elements) this.add("SEC-016", place, `expected at most ${elements} elements, got more`);
    if (this.problems.length > limited) return undefined;
    const tensor = this.range(name, entry, dtype, pointer);
    return this.problems.length > before ? undefined : tensor;
  }

  range(name, { shape, data_offsets: [begin, end] }, dtype, pointer) {
    if (end < begin || end > this.space) {
      this.add("WGT-010", `${pointer}/data_offsets`, `expected a range inside the ${this.space} bytes of data, got [${begin}, ${end}]`);
      return undefined;
    }
    if (dtype === undefined) return undefined;
    const bits = shape.reduce((product, one) => product * BigInt(one), 1n) * BigInt(dtype.bits);
    if (bits % 8n) {
      this.add("WGT-006", `${pointer}/shape`, `expected elements that fill whole bytes, got ${bits} bits`);
      return undefined;
    }
    if (BigInt(end) - BigInt(begin) !== bits / 8n) {
      this.add("WGT-007", `${pointer}/data_offsets`, `expected ${bits / 8n} bytes for the dtype and shape, got ${BigInt(end) - BigInt(begin)}`);
      return undefined;
    }
    return new StoredTensor({ name, dtype: dtype.name, shape: shape.map(Number), blob: this.blob, begin: this.size + Number(begin), size: Number(end) - Number(begin) });
  }

  /** Tensors follow one another from the first byte of the data to the last. */
  contiguous(tensors) {
    let position = this.size;
    for (const { name, begin, size } of [...tensors].sort((a, b) => a.begin - b.begin || a.size - b.size)) {
      const place = `${step("", name)}/data_offsets`;
      if (begin < position) this.add("WGT-008", place, `expected tensor ${quoted(name)} to start at byte ${position - this.size}, got ${begin - this.size}`);
      else if (begin > position) this.add("WGT-009", place, `expected tensor ${quoted(name)} to start at byte ${position - this.size}, got ${begin - this.size}`);
      position = Math.max(position, begin + size);
    }
    if (position < this.blob.size) this.problems.push(problem("WGT-009", this.member, `expected ${position} bytes, got ${this.blob.size}`));
  }
}

/** The tensors of a safetensors blob by name, and its metadata; undefined, with problems, where it breaks chapter 40. */
export function readTensors(blob, size, context) {
  const { member, limits, problems } = context;
  const text = decodeText(blob.slice(8, size), member, problems);
  const value = text === undefined ? undefined : parseJson(text.trimEnd(), { member, limits: { ...limits, documentValues: Infinity, nameBytes: Infinity, stringBytes: Infinity }, problems });
  if (value === undefined || problems.length) return undefined;
  const header = new Header(blob, size, context);
  const names = Object.keys(value).filter((name) => name !== "__metadata__");
  if (names.length > limits.tensors) {
    problems.push(problem("SEC-016", member, `expected at most ${limits.tensors} tensors, got ${names.length}`));
    return undefined;
  }
  const metadata = has(value, "__metadata__") ? value.__metadata__ : undefined;
  if (metadata !== undefined) header.metadata(metadata);
  const tensors = names.map((name) => header.tensor(name, value[name]));
  if (!problems.length) header.contiguous(tensors);
  return problems.length ? undefined : { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata };
}
