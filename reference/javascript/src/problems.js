// What is wrong with a package: problems with code, requirement, place and message, and the errors that carry them.
//
// TriptychError
//   InvalidModelError   the bytes break the specification      .problems
//   UnsupportedError    the bytes are fine, this reader is not able
//   UnreadableError     a file could not be opened or read    .cause
//   UsageError          the caller passed something impossible

import { CODES } from "./tables.js";
import { Float, isObject } from "./values.js";

const LISTED = 100;

export class TriptychError extends Error {
  name = this.constructor.name;
}

export class InvalidModelError extends TriptychError {
  constructor(problems) {
    super(problems.slice(0, LISTED).map(({ code, place, message }) => `${place}: ${message} (${code})`).join("\n").slice(0, 4096));
    this.problems = problems.slice(0, LISTED);
  }
}

export class UnsupportedError extends TriptychError {}

export class UnreadableError extends TriptychError {}

export class UsageError extends TriptychError {}

/** A problem: the requirement gives its code and stage. */
export function problem(requirement, place, message) {
  const { code, stage } = CODES[requirement];
  return { code, requirement, stage, place, message };
}

const STAGES = ["bytes", "json", "schema", "semantic", "resource"];

/** The problems of the first stage that has any; resource problems stand beside those of any stage. */
export function firstStage(problems) {
  const first = Math.min(...problems.map(({ stage }) => STAGES.indexOf(stage)));
  return problems.filter(({ stage }) => STAGES.indexOf(stage) === first || stage === "resource");
}

/** A value as messages quote it: at most 128 characters, control characters escaped. */
export function quoted(value) {
  let text;
  if (typeof value === "string") text = JSON.stringify(value);
  else if (value instanceof Float) text = String(value.value);
  else if (Array.isArray(value)) text = value.length < 9 && value.every((item) => typeof item !== "object" || item === null) ? `[${value.map(quoted).join(", ")}]` : "an array";
  else if (isObject(value)) text = "an object";
  else text = String(value);
  const safe = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (c) => `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`);
  return safe.length > 128 ? `${safe.slice(0, 125)}...` : safe;
}

/** A JSON Pointer one step further. */
export const step = (pointer, name) => `${pointer}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
