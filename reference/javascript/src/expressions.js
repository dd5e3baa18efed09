// Shape expressions and conditions of the vocabulary (chapter 25): parsed once, evaluated for a config and its inputs.
//
// An unknown extent is null; a shape of unknown rank is undefined.

const TOKEN = /\s*(?:(\d+)|([A-Za-z_]\w*)|"([^"]*)"|(\/\/|==|[[\](),:*+-]))/y;

function tokensOf(text) {
  const found = [];
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.trimEnd().length; ) {
    const [, number, name, string, sign] = TOKEN.exec(text) ?? [];
    if (number !== undefined) found.push({ number: Number(number) });
    else if (name !== undefined) found.push({ name });
    else if (string !== undefined) found.push({ string });
    else found.push({ sign });
  }
  return found;
}

const known = (a, b, compute) => (a === null || b === null || a === undefined || b === undefined ? null : compute(a, b));
const ARITHMETIC = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "//": (a, b) => Math.floor(a / b) };
const holds = (value) => value !== null && value !== undefined && value !== false;

function elementAt(list, index) {
  if (Array.isArray(index)) return index.map((one) => elementAt(list, one));
  return list === undefined || list === null || index === null ? null : (list[index < 0 ? index + list.length : index] ?? null);
}

/** The letters of an equation, the dots apart: terms before the arrow, and the result. */
export function equationParts(equation) {
  const [left, result] = equation.replaceAll(" ", "").split("->");
  return { terms: left.split(","), result };
}

/** The letters of a term as [letter, place]: from the start, or from the end (negative) where `...` stands before. */
export function placesOf(term) {
  const [before, after] = term.split("...");
  const places = [...before].map((letter, i) => [letter, i]);
  return after === undefined ? places : [...places, ...[...after].map((letter, i) => [letter, i - after.length])];
}

function einsumExtents(equation, input, given) {
  const { terms: [term], result } = equationParts(equation), extents = new Map();
  const letters = [...result.replace("...", "")], list = [given].flat();
  letters.slice(letters.length - list.length).forEach((letter, i) => extents.set(letter, list[i]));
  for (const [letter, place] of placesOf(term)) extents.set(letter, elementAt(input, place));
  return extents;
}

const FUNCTIONS = {
  one_at: (shape, axes) => shape?.map((extent, axis) => ((axes ?? []).some((one) => (one < 0 ? one + shape.length : one) === axis) ? 1 : extent)),
  einsum_kernel(equation, input, given) {
    const extents = einsumExtents(equation, input, given);
    return [...equationParts(equation).terms[1]].map((letter) => extents.get(letter) ?? null);
  },
  einsum_bias(equation, input, given, axes) {
    const { terms: [term], result } = equationParts(equation), extents = einsumExtents(equation, input, given);
    const letters = [...result.replace("...", "")], first = Math.min(...[...axes].map((letter) => letters.indexOf(letter)));
    const shape = letters.slice(first).map((letter) => (axes.includes(letter) ? (extents.get(letter) ?? null) : 1));
    if (!result.endsWith("...")) return shape;
    return input === undefined ? undefined : [...shape, ...Array(input.length - term.replace("...", "").length).fill(1)];
  },
};

class Parser {
  constructor(text) {
    this.text = text;
    this.left = tokensOf(text);
  }

  sign(...signs) {
    return this.left.length && signs.includes(this.left[0].sign) ? this.left.shift().sign : undefined;
  }

  word(...words) {
    return this.left.length && words.includes(this.left[0].name) ? this.left.shift().name : undefined;
  }

  need(sign) {
    if (!this.sign(sign)) throw new Error(`no expression: ${this.text}`);
  }

  chain(part, ...signs) {
    let value = part();
    for (let sign = this.sign(...signs); sign; sign = this.sign(...signs)) {
      const left = value, right = part(), compute = ARITHMETIC[sign];
      value = (names) => known(left(names), right(names), compute);
    }
    return value;
  }

  either() {
    let value = this.sum();
    while (this.word("or")) {
      const left = value, right = this.sum();
      value = (names) => { const found = left(names); return holds(found) ? found : right(names); };
    }
    return value;
  }

  sum() {
    return this.chain(() => this.product(), "+", "-");
  }

  product() {
    return this.chain(() => this.signed(), "*", "//");
  }

  signed() {
    if (!this.sign("-")) return this.value();
    const value = this.value();
    return (names) => known(value(names), 0, (a) => -a);
  }

  list() {
    const items = [];
    while (!this.sign("]")) {
      const star = this.sign("*"), item = this.either();
      items.push([star, item]);
      this.sign(",");
    }
    return (names) => {
      const found = items.map(([star, item]) => [star, item(names)]);
      if (found.some(([star, item]) => star && item === undefined)) return undefined;
      return found.flatMap(([star, item]) => (star ? item : [item ?? null]));
    };
  }

  named(name) {
    if (!this.sign("(")) return (names) => names[name];
    const parts = [this.either()];
    while (this.sign(",")) parts.push(this.either());
    this.need(")");
    return (names) => FUNCTIONS[name](...parts.map((part) => part(names)));
  }

  value() {
    let found;
    if (this.sign("(")) {
      found = this.either();
      this.need(")");
    } else if (this.sign("[")) found = this.list();
    else {
      const token = this.left.shift();
      if (token.number !== undefined) found = () => token.number;
      else found = this.named(token.name);
    }
    while (this.sign("[")) found = this.index(found);
    return found;
  }

  index(list) {
    const from = this.left[0].sign === ":" ? undefined : this.sum();
    const range = this.sign(":"), to = range && this.left[0].sign !== "]" ? this.sum() : undefined;
    this.need("]");
    if (range) return (names) => list(names)?.slice(from?.(names) ?? 0, to?.(names));
    return (names) => elementAt(list(names), from(names));
  }

  term() {
    if (this.word("not")) {
      const value = this.value();
      return (names) => !holds(value(names));
    }
    const value = this.value();
    if (!this.sign("==")) return (names) => holds(value(names));
    const { string } = this.left.shift();
    return (names) => value(names) === string;
  }

  condition() {
    let value = this.term();
    while (this.word("and")) {
      const left = value, right = this.term();
      value = (names) => left(names) && right(names);
    }
    return value;
  }
}

const expressions = new Map(), conditions = new Map();

function parsed(cache, text, part) {
  if (!cache.has(text)) cache.set(text, part(new Parser(text)));
  return cache.get(text);
}

/** The shape that an expression gives for the names; undefined where its rank is not known. */
export const evaluateShape = (text, names) => parsed(expressions, text, (parser) => parser.either())(names);

/** Whether a condition holds for the names; one that is not there does. */
export const evaluateCondition = (text, names) => text === undefined || parsed(conditions, text, (parser) => parser.condition())(names);

/** The names of expressions: the settings of a layer, and its inputs. */
export function namesOf(settings, inputs) {
  const [input] = inputs, axis = settings.data_format === "channels_first" ? 1 : -1;
  return { ...settings, input, inputs, in_channels: input === undefined ? null : elementAt(input, axis) };
}
