// Reads the part of YAML on which all parsers agree into the data model (chapter 10).

import { Composer, Parser, isAlias, isMap, isScalar, isSeq } from "yaml";
import { Meter, readNumber } from "./json.js";
import { DEPTH } from "./limits.js";
import { problem, quoted, step } from "./problems.js";
import { emptyObject, has } from "./values.js";

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+][0-9]+)?)?$/;
const NOT_FINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const AMBIGUOUS = [
  /^(?:y|n|yes|no|on|off|true|false|null|~|=|<<)$/i,
  /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-f_]+|[0-9][0-9_]*)$/i, // integers of either version
  /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/, // base 60
  /^[-+]?(?:[0-9][0-9_]*)?\.[0-9._]*(?:e[-+]?[0-9]+)?$/i, // floats with a point
  /^[-+]?[0-9][0-9_]*e[-+]?[0-9]+$/i, // and without
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?$/,
];
const LINE_BREAKS = { "\u0085": "U+0085", "\u2028": "U+2028", "\u2029": "U+2029" };
const UNPRINTABLE = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** What a scalar without quotes is: null, boolean, "number", "string", or why it is nothing. */
function plainKind(text) {
  if (text === "" || text === "null") return "null";
  if (text === "true" || text === "false") return "boolean";
  if (NUMBER.test(text)) return "number";
  if (NOT_FINITE.test(text)) return "infinite";
  return AMBIGUOUS.some((pattern) => pattern.test(text)) ? "ambiguous" : "string";
}

/** How deep collections are nested in the tokens of a parser, without recursion. */
function depthOf(tokens) {
  let deepest = 0;
  const open = tokens.filter(({ type }) => type === "document").map(({ value }) => [value, 1]);
  while (open.length) {
    const [token, depth] = open.pop();
    if (!token?.items) continue;
    deepest = Math.max(deepest, depth);
    for (const { key, value } of token.items) open.push([key, depth + 1], [value, depth + 1]);
  }
  return deepest;
}

class Builder {
  constructor(member, limits, problems) {
    Object.assign(this, { member, problems, meter: new Meter(limits, member, problems) });
  }

  add(requirement, pointer, message) {
    this.problems.push(problem(requirement, `${this.member}#${pointer}`, message));
  }

  value(node, pointer) {
    if (!this.meter.value()) return null;
    if (node === null || node === undefined) return null;
    if (isAlias(node)) {
      this.add("DOC-020", pointer, `expected no anchors and aliases, got *${quoted(node.source)}`);
      return null;
    }
    if (node.anchor) this.add("DOC-020", pointer, `expected no anchors and aliases, got &${quoted(node.anchor)}`);
    if (node.tag) this.add("DOC-021", pointer, `expected no tags, got ${quoted(node.tag)}`);
    if (isMap(node)) return this.mapping(node, pointer);
    if (isSeq(node)) return node.items.map((item, i) => this.value(item, step(pointer, i)));
    return this.scalar(node, pointer);
  }

  scalar(node, pointer) {
    const text = String(node.value ?? "");
    if (node.type !== "PLAIN" || node.tag) {
      if (!text.isWellFormed()) this.add("DOC-005", pointer, "expected Unicode text, got a surrogate that stands alone");
      this.meter.string(text, `${this.member}#${pointer}`);
      return text;
    }
    switch (plainKind(text)) {
      case "null": return null;
      case "boolean": return text === "true";
      case "number": return readNumber(text, `${this.member}#${pointer}`, this.problems);
      case "infinite":
        this.add("DOC-013", pointer, `expected a number that is finite, got ${text}`);
        return null;
      case "ambiguous":
        this.add("DOC-024", pointer, `expected a scalar that every YAML parser reads alike, got ${quoted(text)}`);
        return null;
      default:
        this.meter.string(text, `${this.member}#${pointer}`);
        return text;
    }
  }

  mapping(node, pointer) {
    const result = emptyObject();
    for (const { key, value } of node.items) {
      const name = this.name(key, pointer);
      if (name === undefined) continue;
      if (has(result, name)) this.add("DOC-004", pointer, `expected each name once in a mapping, got ${quoted(name)} again`);
      result[name] = this.value(value, step(pointer, name));
    }
    return result;
  }

  name(key, pointer) {
    if (isAlias(key) || key?.anchor) this.add("DOC-020", pointer, "expected no anchors and aliases, got one at a name");
    else if (key?.tag) this.add("DOC-021", pointer, `expected no tags, got ${quoted(key.tag)} at a name`);
    else if (isScalar(key)) {
      const text = String(key.value ?? "");
      const kind = key.type === "PLAIN" ? plainKind(text) : "string";
      if (key.type === "PLAIN" && text === "<<") this.add("DOC-022", pointer, "expected no merge keys, got <<");
      else if (kind === "ambiguous") this.add("DOC-024", pointer, `expected a scalar that every YAML parser reads alike, got ${quoted(text)}`);
      else if (kind !== "string") this.add("DOC-023", pointer, `expected a name to be a string, got ${quoted(text)}`);
      else {
        if (!text.isWellFormed()) this.add("DOC-005", pointer, "expected Unicode text, got a surrogate that stands alone");
        this.meter.name(text, `${this.member}#${pointer}`);
        return text;
      }
    } else this.add("DOC-023", pointer, "expected a name to be a string, got none");
    return undefined;
  }
}

/** The value of a YAML text; undefined where there is none. Problems are added to `problems`. */
export function parseYaml(text, { member, limits, problems }) {
  const syntax = (reason) => problems.push(problem("DOC-018", member, `expected well-formed YAML, got ${reason}`));
  for (const [character, name] of Object.entries(LINE_BREAKS)) {
    if (text.includes(character)) problems.push(problem("DOC-025", member, `expected ${name} to be escaped in double quotes, got it as it is`));
  }
  const strange = UNPRINTABLE.exec(text)?.[0];
  if (strange !== undefined) syntax(`the character ${quoted(strange)}`);
  if (problems.length) return undefined;
  const tokens = [...new Parser().parse(text)];
  if (depthOf(tokens) > DEPTH) {
    problems.push(problem("DOC-009", member, `expected at most ${DEPTH} nested arrays and objects, got more`));
    return undefined;
  }
  const composer = new Composer({ version: "1.2", schema: "failsafe", strict: true, uniqueKeys: false, stringKeys: false, merge: false, logLevel: "silent" });
  const documents = [...composer.compose(tokens, true, text.length)];
  const [document] = documents;
  const errors = documents.flatMap((one) => [...one.errors, ...one.warnings.filter(({ code }) => code !== "TAG_RESOLVE_FAILED")])
    .filter(({ code }) => code !== "TAG_RESOLVE_FAILED" && code !== "BAD_ALIAS");
  if (tokens.some(({ type }) => type === "directive")) problems.push(problem("DOC-019", `${member}#`, "expected no directive, got one"));
  else if (errors.length) syntax(`an error at character ${errors[0].pos?.[0] ?? 0}: ${errors[0].code}`);
  else if (documents.length > 1) problems.push(problem("DOC-019", member, `expected one document, got ${documents.length}`));
  else if (document?.contents === null || document === undefined) syntax("no document");
  if (problems.length) return undefined;
  return new Builder(member, limits, problems).value(document.contents, "");
}
