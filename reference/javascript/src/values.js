// The data model of chapter 10 in JavaScript: integers and floats stay apart, and objects have no inherited names.
//
// null, true, false and strings are themselves; an integer is a number, or a BigInt beyond 2^53; a float is a Float;
// an array is an Array; an object is an object without a prototype, so that "__proto__" is a name like any other.

/** A float of a document: 1.0 is not the integer 1. */
export class Float {
  constructor(value) {
    this.value = value;
  }
}

export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Float);
export const isInteger = (value) => typeof value === "number" || typeof value === "bigint";
export const emptyObject = () => Object.create(null);
export const has = (object, name) => Object.hasOwn(object, name);

/** The integer that a decimal text says, as a number where that is exact. */
export function integer(text) {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number + 0 || 0 : BigInt(text);
}

const NOT_FINITE = { NaN, Infinity, "-Infinity": -Infinity };

/** Whether a value is one of the three objects that stand for floats that are not finite. */
export const isNotFinite = (value) => isObject(value) && Object.keys(value).length === 1 && typeof value.float === "string" && has(NOT_FINITE, value.float);

/** The number that a value says, in whichever spelling; undefined where it says none. */
export function numberOf(value) {
  if (value instanceof Float) return value.value;
  if (isInteger(value)) return Number(value);
  return isNotFinite(value) ? NOT_FINITE[value.float] : undefined;
}

/** Whether two values are the same; 1 and 1.0 are not. */
export function sameValue(left, right) {
  if (left instanceof Float) return right instanceof Float && Object.is(left.value, right.value);
  if (Array.isArray(left)) return Array.isArray(right) && left.length === right.length && left.every((item, i) => sameValue(item, right[i]));
  if (!isObject(left)) return left === right;
  const names = Object.keys(left);
  return isObject(right) && names.length === Object.keys(right).length && names.every((name) => has(right, name) && sameValue(left[name], right[name]));
}

/** A value of the data model from plain JavaScript: a number with a fraction becomes a Float. */
export function fromPlain(value) {
  if (typeof value === "number") return Number.isInteger(value) ? value : new Float(value);
  if (Array.isArray(value)) return value.map(fromPlain);
  if (!isObject(value)) return value;
  const result = emptyObject();
  for (const [name, item] of Object.entries(value)) result[name] = fromPlain(item);
  return result;
}

/** A value as plain JavaScript: floats become numbers, the three spelled ones too. */
export function toPlain(value) {
  const number = numberOf(value);
  if (number !== undefined) return number;
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isObject(value)) return value;
  const result = emptyObject();
  for (const name of Object.keys(value)) result[name] = toPlain(value[name]);
  return result;
}

const encoder = new TextEncoder();
export const utf8 = (text) => encoder.encode(text);

/** Compares two texts by the bytes of their UTF-8, which is by code point. */
export function byCodePoint(left, right) {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i), b = right.charCodeAt(i);
    if (a !== b) return (a >= 0xd800 && a < 0xe000 ? a + 0x10000 : a) - (b >= 0xd800 && b < 0xe000 ? b + 0x10000 : b) || a - b;
  }
  return left.length - right.length;
}

/** The length of a text's UTF-8 in bytes. */
export function utf8Length(text) {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) bytes += code > 0x7ff ? (code >= 0xd800 && code < 0xe000 ? 1 : 2) : 1;
  }
  return bytes;
}
