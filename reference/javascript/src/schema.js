// Holds a value to a schema of the specification: the part of JSON Schema 2020-12 that the schemas use.
//
// A program of its own rather than a library, for three reasons: 1.0 is no integer here (DOC-027), every problem has to
// know the requirement that the nearest "req:" above it names, and a browser page may forbid generated code.

import { problem, quoted, step } from "./problems.js";
import { SCHEMAS } from "./tables.js";
import { Float, has, isInteger, isObject, sameValue } from "./values.js";

const TYPES = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
  integer: isInteger,
  number: (value) => isInteger(value) || value instanceof Float,
};
const patterns = new Map();
const anchors = new Map();

function pattern(text) {
  if (!patterns.has(text)) patterns.set(text, new RegExp(text, "u"));
  return patterns.get(text);
}

function resolve(reference, file) {
  const [name, fragment] = reference.split("#");
  const target = name.replace("../", "") || file; // schemas of types lie one folder down and refer to those above them only
  if (fragment.startsWith("/")) return [fragment.slice(1).split("/").reduce((schema, part) => schema[part], SCHEMAS[target]), target];
  if (!anchors.has(target)) {
    anchors.set(target, new Map(Object.values(SCHEMAS[target].$defs ?? {}).map((schema) => [schema.$anchor, schema])));
  }
  return [anchors.get(target).get(fragment), target];
}

const number = (value) => (value instanceof Float ? value.value : value);
const characters = (text) => [...text].length;

/** Whether a float stands where one of the integers is asked for that it equals. */
const wholeFloat = (value) => value instanceof Float && Number.isInteger(value.value);

class Check {
  constructor(file, member, problems) {
    Object.assign(this, { file, member, problems });
  }

  add(place, message, value, context) {
    this.problems.push({ ...problem(context.requirement, `${this.member}#${place}`, `expected ${message}, got ${value === undefined ? "none" : quoted(value)}`), integer: false });
  }

  addInteger(place, value) {
    this.problems.push({ ...problem("DOC-027", `${this.member}#${place}`, `expected an integer, got ${value.value.toFixed(1)}`), integer: true });
  }

  /** The problems of a trial, apart from those found so far. */
  trial(schema, value, place, context) {
    const check = new Check(this.file, this.member, []);
    const seen = check.value(schema, value, place, context);
    return { problems: check.problems, seen };
  }

  /** Checks a value; the names of its members that the schema says something about. */
  value(schema, value, place, outer) {
    const requirement = /^req: (\S+)/.exec(schema.$comment ?? "")?.[1] ?? outer.requirement;
    const context = { requirement, file: outer.file, title: schema.title ?? outer.title };
    const seen = new Set();
    const also = (names) => { for (const name of names) seen.add(name); };
    if (schema.$ref) {
      const [target, file] = resolve(schema.$ref, context.file);
      also(this.value(target, value, place, { ...context, file }));
    }
    if (!this.kind(schema, value, place, context)) return seen;
    for (const part of schema.allOf ?? []) also(this.value(part, value, place, context));
    if (schema.anyOf) also(this.anyOf(schema, value, place, context));
    if (schema.if) {
      const trial = this.trial(schema.if, value, place, context);
      const branch = trial.problems.length === 0 ? schema.then : schema.else;
      if (branch) also(this.value(branch, value, place, context));
    }
    if (schema.not) {
      const fits = Object.keys(schema.not).length === 0 || this.trial(schema.not, value, place, context).problems.length === 0;
      if (fits) this.add(place, schema.title ?? context.title ?? "no value", value, context);
    }
    if (typeof value === "string") this.text(schema, value, place, context);
    else if (Array.isArray(value)) this.array(schema, value, place, context);
    else if (isObject(value)) this.object(schema, value, place, context, seen);
    else this.number(schema, value, place, context);
    return seen;
  }

  kind(schema, value, place, context) {
    if (schema.type !== undefined) {
      const types = [schema.type].flat();
      if (!types.some((type) => TYPES[type](value))) {
        const whole = types.includes("integer") && wholeFloat(value); // which may still be out of range
        if (whole) this.addInteger(place, value);
        else this.add(place, schema.title ?? context.title ?? types.join(" or "), value, context);
        return whole;
      }
    }
    const allowed = schema.enum ?? (has(schema, "const") ? [schema.const] : undefined);
    if (allowed === undefined || allowed.some((one) => sameValue(one, value))) return true;
    if (wholeFloat(value) && allowed.includes(value.value)) this.addInteger(place, value);
    else this.add(place, schema.title ?? `one of ${allowed.map(quoted).join(", ")}`, value, context);
    return false;
  }

  anyOf(schema, value, place, context) {
    const trials = schema.anyOf.map((part) => this.trial(part, value, place, context));
    const good = trials.find(({ problems }) => problems.length === 0);
    if (good) return good.seen;
    const close = trials.find(({ problems }) => problems.every(({ integer }) => integer));
    if (close) this.problems.push(...close.problems);
    else this.add(place, schema.title ?? context.title ?? "a value of another kind", value, context);
    return trials.flatMap(({ seen }) => [...seen]);
  }

  text(schema, value, place, context) {
    if ((schema.minLength !== undefined && characters(value) < schema.minLength)
      || (schema.maxLength !== undefined && value.length > schema.maxLength && characters(value) > schema.maxLength)
      || (schema.pattern !== undefined && !pattern(schema.pattern).test(value))) {
      this.add(place, schema.title ?? context.title ?? "another text", value, context);
    }
  }

  number(schema, value, place, context) {
    const found = number(value);
    if (typeof found !== "number" && typeof found !== "bigint") return;
    if (found < schema.minimum || found > schema.maximum || found <= schema.exclusiveMinimum || found >= schema.exclusiveMaximum) {
      this.add(place, schema.title ?? context.title ?? "another number", value, context);
    }
  }

  array(schema, value, place, context) {
    const distinct = () => value.every((item, i) => value.findIndex((other) => sameValue(item, other)) === i);
    if (value.length < schema.minItems || value.length > schema.maxItems || (schema.uniqueItems && !distinct())) { // the latter only of so many
      this.add(place, schema.title ?? context.title ?? "another number of elements", value, context);
    }
    if (schema.items) value.forEach((item, i) => this.value(schema.items, item, step(place, i), { ...context, title: undefined }));
  }

  object(schema, value, place, context, seen) {
    const names = Object.keys(value);
    for (const name of schema.required ?? []) {
      if (!has(value, name)) this.add(place, `the member ${name}`, undefined, context);
    }
    for (const [name, needed] of Object.entries(schema.dependentRequired ?? {})) {
      if (has(value, name)) for (const other of needed) if (!has(value, other)) this.add(place, `the member ${other} beside ${name}`, undefined, context);
    }
    if (names.length < schema.minProperties || names.length > schema.maxProperties) this.add(place, schema.title ?? context.title ?? "another number of members", value, context);
    for (const name of names) {
      const inner = step(place, name);
      if (schema.propertyNames) this.value(schema.propertyNames, name, inner, { ...context, title: undefined });
      if (schema.properties && has(schema.properties, name)) {
        seen.add(name);
        this.value(schema.properties[name], value[name], inner, { ...context, title: undefined });
      } else if (schema.additionalProperties === false) {
        this.add(inner, "no member of this name", name, context);
      } else if (schema.additionalProperties !== undefined) {
        seen.add(name);
        this.value(schema.additionalProperties, value[name], inner, { ...context, title: undefined });
      } else if (schema.unevaluatedProperties === false && !seen.has(name)) {
        this.add(inner, "no member of this name", name, context);
      }
    }
  }
}

/** The problems of a value with a schema, each with code and place; `place` is a JSON Pointer into the member. */
export function checkSchema(file, value, { member, place = "" }) {
  const problems = [];
  new Check(file, member, problems).value(SCHEMAS[file], value, place, { requirement: undefined, file, title: undefined });
  return problems.map(({ integer, ...one }) => one);
}
