// Reads JSON text into the data model, with every problem that chapter 10 knows and the place of each.

import { DEPTH, NUMBER_CHARACTERS } from "./limits.js";
import { problem, quoted, step } from "./problems.js";
import { Float, emptyObject, has, integer, utf8Length } from "./values.js";

const LARGEST = 2n ** 64n, SMALLEST = -(2n ** 63n);
const WORDS = { true: true, false: false, null: null };
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const WORD = /(?:true|false|null)(?![A-Za-z0-9_])/y;
const BARE = /(?:NaN|-?Infinity)(?![A-Za-z0-9_])/y;

/** Text of bytes in UTF-8; undefined, with a problem, where they are not, or begin with a byte order mark. */
export function decodeText(bytes, member, problems) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    problems.push(problem("DOC-001", member, "expected UTF-8 text, got bytes that are none"));
    return undefined;
  }
  if (!text.startsWith("\ufeff")) return text;
  problems.push(problem("DOC-002", member, "expected UTF-8 text, got a byte order mark"));
  return undefined;
}

/** The problem of a number's text, or its value. */
export function readNumber(text, place, problems) {
  if (text.length > NUMBER_CHARACTERS) {
    problems.push(problem("DOC-008", place, `expected a number of at most ${NUMBER_CHARACTERS} characters, got ${text.length}`));
    return 0;
  }
  if (/[.eE]/.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return new Float(value);
    problems.push(problem("DOC-007", place, `expected a number that binary64 holds, got ${text}`));
    return new Float(0);
  }
  const value = integer(text);
  if (typeof value === "number" || (value >= SMALLEST && value < LARGEST)) return value;
  problems.push(problem("DOC-006", place, `expected an integer from -2^63 to 2^64 - 1, got ${text}`));
  return 0;
}

/** Looks after the limits on names, strings and the number of values while a document is read. */
export class Meter {
  constructor(limits, member, problems) {
    this.limits = limits;
    this.member = member;
    this.problems = problems;
    this.values = 0;
  }

  name(text, place) {
    this.#measure(text, place, this.limits.nameBytes, "a name");
  }

  string(text, place) {
    this.#measure(text, place, this.limits.stringBytes, "a string");
  }

  #measure(text, place, limit, what) {
    if (text.length * 3 <= limit || utf8Length(text) <= limit) return;
    this.problems.push(problem("DOC-010", place, `expected ${what} of at most ${limit} bytes, got ${utf8Length(text)}`));
  }

  /** Counts a value; false where there are too many to go on. */
  value() {
    if (++this.values <= this.limits.documentValues) return true;
    this.problems.push(problem("DOC-010", this.member, `expected at most ${this.limits.documentValues} values, got more`));
    return false;
  }
}

class Stop extends Error {}

class Parser {
  constructor(text, member, limits, problems) {
    Object.assign(this, { text, member, problems, at: 0, meter: new Meter(limits, member, problems) });
  }

  fail(reason) {
    const before = this.text.slice(0, this.at);
    const line = before.split("\n").length, column = this.at - before.lastIndexOf("\n");
    this.problems.push(problem("DOC-003", this.member, `expected JSON text, got an error at line ${line}, column ${column}: ${reason}`));
    throw new Stop();
  }

  add(requirement, pointer, message) {
    this.problems.push(problem(requirement, `${this.member}#${pointer()}`, message));
  }

  space() {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  string() {
    if (this.text[this.at] !== '"') this.fail("a string was expected");
    this.at++;
    let result = "";
    for (;;) {
      result += this.match(PLAIN);
      const character = this.text[this.at++];
      if (character === '"') return result;
      if (character !== "\\") this.fail(character === undefined ? "a string has no end" : "a control character stands in a string");
      const escape = this.text[this.at++];
      if (escape === "u") {
        const digits = this.text.slice(this.at, this.at + 4);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("four hexadecimal digits were expected");
        result += String.fromCharCode(Number.parseInt(digits, 16));
        this.at += 4;
      } else if (escape !== undefined && has(ESCAPES, escape)) result += ESCAPES[escape];
      else this.fail("an escape that JSON does not know");
    }
  }

  scalarText(pointer) {
    const text = this.string();
    if (!text.isWellFormed()) this.add("DOC-005", pointer, "expected Unicode text, got a surrogate that stands alone");
    return text;
  }

  value(depth, pointer) {
    if (!this.meter.value()) throw new Stop();
    const character = this.text[this.at];
    if (character === "{" || character === "[") {
      if (depth > DEPTH) {
        this.problems.push(problem("DOC-009", this.member, `expected at most ${DEPTH} nested arrays and objects, got one more at character ${this.at}`));
        throw new Stop();
      }
      return character === "{" ? this.object(depth, pointer) : this.array(depth, pointer);
    }
    if (character === '"') {
      const text = this.scalarText(pointer);
      this.meter.string(text, `${this.member}#${text.length > 64 ? pointer() : ""}`);
      return text;
    }
    const word = this.match(WORD);
    if (word !== undefined) return WORDS[word];
    const bare = this.match(BARE);
    if (bare !== undefined) {
      this.add("DOC-013", pointer, `expected a JSON value, got ${bare}`);
      return new Float(0);
    }
    const number = this.match(NUMBER);
    if (number === undefined) this.fail(this.at < this.text.length ? "a value was expected" : "the text ends");
    return readNumber(number, `${this.member}#${number.length > 15 ? pointer() : ""}`, { push: (one) => this.problems.push({ ...one, place: `${this.member}#${pointer()}` }) });
  }

  object(depth, pointer) {
    const result = emptyObject();
    this.at++;
    this.space();
    if (this.text[this.at] === "}") return this.close(result);
    for (;;) {
      const name = this.scalarText(pointer);
      this.meter.name(name, `${this.member}#${name.length > 300 ? pointer() : ""}`);
      if (has(result, name)) this.add("DOC-004", pointer, `expected each name once in an object, got ${quoted(name)} again`);
      this.space();
      if (this.text[this.at++] !== ":") this.back("a colon was expected");
      this.space();
      result[name] = this.value(depth + 1, () => step(pointer(), name));
      this.space();
      if (this.text[this.at] === "}") return this.close(result);
      if (this.text[this.at++] !== ",") this.back("a comma or a brace was expected");
      this.space();
    }
  }

  array(depth, pointer) {
    const result = [];
    this.at++;
    this.space();
    if (this.text[this.at] === "]") return this.close(result);
    for (;;) {
      const index = result.length;
      result.push(this.value(depth + 1, () => step(pointer(), index)));
      this.space();
      if (this.text[this.at] === "]") return this.close(result);
      if (this.text[this.at++] !== ",") this.back("a comma or a bracket was expected");
      this.space();
    }
  }

  close(result) {
    this.at++;
    return result;
  }

  back(reason) {
    this.at--;
    this.fail(reason);
  }
}

/** The value of a JSON text; undefined where it could not be read to its end. Problems are added to `problems`. */
export function parseJson(text, { member, limits, problems }) {
  const parser = new Parser(text, member, limits, problems);
  try {
    parser.space();
    const value = parser.value(1, () => "");
    parser.space();
    if (parser.at < text.length) parser.fail("something follows the value");
    return value;
  } catch (error) {
    if (error instanceof Stop) return undefined;
    throw error;
  }
}
