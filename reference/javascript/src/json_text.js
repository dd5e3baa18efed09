// JSON text of values: the canonical form of chapter 10, and a compact one.

import { Float, has } from "./values.js";

/** The text of a float: fewest digits that read back as it, always with a point. */
export function floatText(value) {
  if (Object.is(value, -0)) return "-0.0";
  if (value === 0) return "0.0";
  const [, sign, first, rest = "", exponentText] = /^(-?)([0-9])(?:\.([0-9]+))?e([-+][0-9]+)$/.exec(value.toExponential());
  const exponent = Number(exponentText), digits = first + rest;
  if (exponent < -4 || exponent >= 16) return `${sign}${first}.${rest || "0"}e${exponent < 0 ? "-" : "+"}${Math.abs(exponent)}`;
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  return `${sign}${digits.slice(0, exponent + 1).padEnd(exponent + 1, "0")}.${digits.slice(exponent + 1) || "0"}`;
}

const SHORT = { '"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r" };
const escaped = (character) => (has(SHORT, character) ? SHORT[character] : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** The text of a string; `more` are further characters that are escaped. */
export const stringText = (text, more = "") => `"${text.replace(new RegExp(`["\\\\\\u0000-\\u001f\\u007f\\u2028\\u2029${more}]`, "g"), escaped)}"`;

/** The text of a value that holds no others; undefined for an array or an object. */
export function scalarText(value) {
  if (value === null || typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return stringText(value);
  return value instanceof Float ? floatText(value.value) : undefined;
}

/** Whether an array stands on one line: it holds nothing but scalars. */
export const isFlat = (value) => Array.isArray(value) && value.every((item) => scalarText(item) !== undefined);

/** The canonical text of a value whose members are in the right order; without the line feed at its end. */
export function canonicalJson(value, indent = "") {
  const scalar = scalarText(value);
  if (scalar !== undefined) return scalar;
  if (isFlat(value)) return `[${value.map(scalarText).join(", ")}]`;
  const inner = `${indent}  `;
  if (Array.isArray(value)) return `[\n${value.map((item) => inner + canonicalJson(item, inner)).join(",\n")}\n${indent}]`;
  const items = [...entriesOf(value)];
  return items.length ? `{\n${items.map(([name, item]) => `${inner}${stringText(name)}: ${canonicalJson(item, inner)}`).join(",\n")}\n${indent}}` : "{}";
}

/** The members of an object, or of an ordered one: a Map. */
export const entriesOf = (value) => (value instanceof Map ? value.entries() : Object.entries(value));

/** The text of a value on one line, its members in the order they have. */
export function compactJson(value) {
  const scalar = scalarText(value);
  if (scalar !== undefined) return scalar;
  if (Array.isArray(value)) return `[${value.map(compactJson).join(",")}]`;
  return `{${[...entriesOf(value)].map(([name, item]) => `${stringText(name)}:${compactJson(item)}`).join(",")}}`;
}

