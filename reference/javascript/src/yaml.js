// Reads the part of YAML on which all parsers agree into the data model (chapter 10).

import { Composer, Parser, isAlias, isMap, isScalar, isSeq } from "yaml";
import { Meter, readNumber } from "./json.js";
import { DEPTH } from "./limits.js";
import { problem, quoted, step } from "./problems.js";
import { emptyObject, has } from "./values.js";

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+][0-9]+)?)?$/;
const NOT_FINITE = /^[-+]?\.(?:inf|nan)$/i;
const AMBIGUOUS = /^(?:y|n|yes|no|on|off|true|false|null|~|=|<<)$/i;
const NUMBER_FIRST = /^[-0-9+.?:]/;
const BLANK = /\t|\r(?!\n)/;
const SURROGATE = /(?<!\\)(?:\\\\)*\\(?:u|U0000)[dD][89a-fA-F]/;
const SLASH = /(?<!\\)(?:\\\\)*\\\//;
const LINE_BREAKS = { "\u0085": "U+0085", "\u2028": "U+2028", "\u2029": "U+2029" };
const UNPRINTABLE = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/** What a scalar without quotes is: "null", "boolean", "number", "string", "infinite", or the requirement that it breaks. */
function plainKind(text) {
  if (text === "" || text === "null") return "null";
  if (text === "true" || text === "false") return "boolean";
  if (NUMBER.test(text)) return "number";
  if (NOT_FINITE.test(text)) return "infinite";
  if (AMBIGUOUS.test(text)) return "DOC-024";
  return NUMBER_FIRST.test(text) ? "DOC-029" : "string";
}

/** Where a parser is laxer than the specification: about colons in a flow collection and escapes; undefined where it is not. */
function laxness(tokens, text) {
  const open = tokens.filter(({ type }) => type === "document").map(({ value }) => value);
  while (open.length) {
    const token = open.pop();
    if (token?.type === "double-quoted-scalar" && SURROGATE.test(token.source)) return "an escape of a surrogate";
    if (token?.type === "double-quoted-scalar" && SLASH.test(token.source)) return "a slash behind a backslash";
    for (const { start, key, sep, value } of token?.items ?? []) {
      const colon = token.type === "flow-collection" && key ? sep?.find(({ type }) => type === "map-value-ind") : undefined;
      if (colon !== undefined && key.type === "scalar" && !/[ \n\r]/.test(text[colon.offset + 1])) return "a colon without a space behind it";
      if (colon !== undefined && !start.some(({ type }) => type === "explicit-key-ind") && text.slice(key.offset, colon.offset).includes("\n")) return "a name and its colon on two lines";
      open.push(key, value);
    }
  }
  return undefined;
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
    const text = textOf(node);
    if (node.type !== "PLAIN") {
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
      case "DOC-024":
      case "DOC-029":
        this.add(plainKind(text), pointer, `expected a scalar that every YAML parser reads alike, got ${quoted(text)}`);
        return null;
      default:
        this.meter.string(text, `${this.member}#${pointer}`);
        return text;
    }
  }

  mapping(node, pointer) {
    const result = emptyObject();
    for (const { key, value } of node.items) {
      const { name, sound } = this.name(key, pointer);
      if (sound && has(result, name)) this.add("DOC-004", pointer, `expected each name once in a mapping, got ${quoted(name)} again`);
      result[name] = this.value(value, step(pointer, name));
    }
    return result;
  }

  /** A name, and whether it is one; what stands behind one that is none is read for its own problems. */
  name(key, pointer) {
    if (isAlias(key) || !isScalar(key)) {
      if (isAlias(key) || key?.anchor) this.add("DOC-020", pointer, "expected no anchors and aliases, got one at a name");
      else if (key?.tag) this.add("DOC-021", pointer, `expected no tags, got ${quoted(key.tag)} at a name`);
      else this.add("DOC-023", pointer, "expected a name to be a string, got none");
      return { name: "", sound: false };
    }
    const name = textOf(key), plain = key.type === "PLAIN", kind = plain ? plainKind(name) : "string";
    if (key.anchor) this.add("DOC-020", pointer, "expected no anchors and aliases, got one at a name");
    if (key.tag) this.add("DOC-021", pointer, `expected no tags, got ${quoted(key.tag)} at a name`);
    if (plain && name === "<<") this.add("DOC-022", pointer, "expected no merge keys, got <<");
    else if (kind.startsWith("DOC-")) this.add(kind, pointer, `expected a scalar that every YAML parser reads alike, got ${quoted(name)}`);
    else if (kind === "infinite") this.add("DOC-013", pointer, `expected a number that is finite, got ${name}`);
    else if (kind !== "string") this.add("DOC-023", pointer, `expected a name to be a string, got ${quoted(name)}`);
    else if (!name.isWellFormed()) this.add("DOC-005", pointer, "expected Unicode text, got a surrogate that stands alone");
    this.meter.name(name, `${this.member}#${pointer}`);
    return { name, sound: kind === "string" || kind.startsWith("DOC-") };
  }
}

/** The text of a scalar; of one with a tag, before anybody made something else of it. */
const textOf = ({ tag, type, source, value }) => String((tag && type === "PLAIN" ? source : value) ?? "");

/** `tokens` without the documents that the parser sees before an end marker which follows no document: YAML 1.2 lets a document end twice. */
function documentsOf(tokens) {
  const isNone = (token) => token?.type === "document" && token.start.length === 0 && token.value === undefined;
  return tokens.filter((token, i) => !isNone(token) && !(token.type === "doc-end" && isNone(tokens[i - 1])));
}

/** The value of a YAML text; undefined where there is none. Problems are added to `problems`. */
export function parseYaml(text, { member, limits, problems }) {
  const syntax = (reason) => problems.push(problem("DOC-018", member, `expected well-formed YAML, got ${reason}`));
  for (const [character, name] of Object.entries(LINE_BREAKS)) {
    if (text.includes(character)) problems.push(problem("DOC-025", member, `expected ${name} to be escaped in double quotes, got it as it is`));
  }
  if (BLANK.test(text)) problems.push(problem("DOC-028", member, "expected no tabs and no carriage returns without line feeds, got one"));
  const strange = UNPRINTABLE.exec(text)?.[0];
  if (strange !== undefined) syntax(`the character ${quoted(strange)}`);
  if (problems.length) return undefined;
  const tokens = documentsOf([...new Parser().parse(text)]);
  if (depthOf(tokens) > DEPTH) {
    problems.push(problem("DOC-009", member, `expected at most ${DEPTH} nested arrays and objects, got more`));
    return undefined;
  }
  const composer = new Composer({ version: "1.2", schema: "failsafe", strict: true, uniqueKeys: false, stringKeys: false, merge: false, logLevel: "silent" });
  const documents = [...composer.compose(tokens, true, text.length)];
  const [document] = documents;
  const errors = documents.flatMap((one) => [...one.errors, ...one.warnings.filter(({ code }) => code !== "TAG_RESOLVE_FAILED")])
    .filter(({ code }) => code !== "TAG_RESOLVE_FAILED" && code !== "BAD_ALIAS");
  if (tokens.some(({ type }) => type === "directive")) problems.push(problem("DOC-019", member, "expected no directive, got one"));
  else if (errors.length) syntax(`an error at character ${errors[0].pos?.[0] ?? 0}: ${errors[0].code}`);
  else if (documents.length > 1) problems.push(problem("DOC-019", member, `expected one document, got ${documents.length}`));
  else if (document?.contents === null || document === undefined) syntax("no document");
  else if (laxness(tokens, text) !== undefined) syntax(laxness(tokens, text));
  if (problems.length) return undefined;
  const value = new Builder(member, limits, problems).value(document.contents, "");
  const unresolved = [...document.errors, ...document.warnings].some(({ code }) => code === "TAG_RESOLVE_FAILED"); // a tag that left no trace in its node
  if (problems.length === 0 && unresolved) problems.push(problem("DOC-021", `${member}#`, "expected no tags, got one"));
  return value;
}
