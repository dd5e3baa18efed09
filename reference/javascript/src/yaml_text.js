// YAML text of values: the canonical form of chapter 10.

import { entriesOf, isFlat, scalarText, stringText } from "./json_text.js";

const PLAIN = /^[A-Za-z_][A-Za-z0-9_./+-]*$/;
const WORDS = new Set(["y", "n", "yes", "no", "on", "off", "true", "false", "null"]);
const ESCAPED = "\\u0080-\\u009f\\ufeff\\ufff0-\\uffff";
const LONGEST_NAME = 1000;

const text = (string) => (PLAIN.test(string) && !WORDS.has(string.toLowerCase()) ? string : stringText(string, ESCAPED));
const scalar = (value) => (typeof value === "string" ? text(value) : scalarText(value));

/** The text of a value that stands on the line of its name or dash; undefined for one that does not. */
function inline(value) {
  const found = scalar(value);
  if (found !== undefined) return found;
  if (isFlat(value)) return `[${value.map(scalar).join(", ")}]`;
  return !Array.isArray(value) && [...entriesOf(value)].length === 0 ? "{}" : undefined;
}

const characters = (string) => [...string].length;

/** The lines of a collection, its first without indentation. */
function block(value, indent) {
  const inner = `${indent}  `;
  if (Array.isArray(value)) return value.map((item) => `- ${inline(item) ?? block(item, inner)}`).join(`\n${indent}`);
  return [...entriesOf(value)].map(([name, item]) => {
    const key = text(name), found = inline(item);
    const start = characters(key) > LONGEST_NAME ? `? ${key}\n${indent}:` : `${key}:`;
    return found === undefined ? `${start}\n${inner}${block(item, inner)}` : `${start} ${found}`;
  }).join(`\n${indent}`);
}

/** The canonical text of a document whose members are in the right order. */
export const canonicalYaml = (value) => `${inline(value) ?? block(value, "")}\n`;
