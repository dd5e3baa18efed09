// The shape of every weight of any layer type, from schemas/1.0/vocabulary.json and the grammar in spec/25-layers.md alone.
//
//   node weight_shapes.mjs VOCABULARY < requests
//
// A request is one line of JSON, {"type": "Dense", "config": {"units": 3}, "inputs": [[null, 2]]}; its answer is one line,
// [["kernel", [2, 3], true], ["bias", [3], true]]: role, shape and whether it is trained. Unknown extents are null.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const TOKEN = /\s*(?:(\d+)|([A-Za-z_]\w*)|"([^"]*)"|(\/\/|==|[[\](),:*+-]))/y;

function tokens(text) {
  const found = [];
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.trimEnd().length; ) {
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`no expression: ${text}`);
    const [, number, name, string, sign] = match;
    found.push(number !== undefined ? { value: Number(number) } : name !== undefined ? { name } : string !== undefined ? { value: string } : { sign });
  }
  return found;
}

const at = (list, index) => {
  if (Array.isArray(index)) return index.map((i) => at(list, i));
  return index === null || list === null ? null : list[index < 0 ? index + list.length : index];
};

function letters(equation) {
  const [left, result] = equation.replaceAll(" ", "").split("->");
  const [input, kernel] = left.split(",");
  return { input, kernel, result };
}

const FUNCTIONS = {
  one_at: (shape, axes) => shape.map((extent, axis) => ((axes ?? []).some((a) => (a < 0 ? a + shape.length : a) === axis) ? 1 : extent)),
  einsum_kernel: (equation, input, given) => [...letters(equation).kernel].map((letter) => einsumExtents(equation, input, given).get(letter) ?? null),
  einsum_bias: (equation, input, given, axes) => {
    const extents = einsumExtents(equation, input, given);
    const { result } = letters(equation);
    const named = result.replaceAll(".", "");
    const first = Math.min(...[...axes].map((letter) => named.indexOf(letter)));
    const shape = [...named.slice(first)].map((letter) => (axes.includes(letter) ? (extents.get(letter) ?? null) : 1));
    return result.endsWith("...") ? [...shape, ...Array(input.length - letters(equation).input.replaceAll(".", "").length).fill(1)] : shape;
  },
};

function einsumExtents(equation, input, given) {
  const sides = letters(equation);
  const extents = new Map();
  const list = Array.isArray(given) ? given : [given];
  const result = sides.result.replaceAll(".", "");
  const shown = result.slice(result.length - list.length);
  [...shown].forEach((letter, i) => extents.set(letter, list[i]));
  const dots = sides.input.indexOf("...");
  const before = dots < 0 ? sides.input : sides.input.slice(0, dots);
  const after = dots < 0 ? "" : sides.input.slice(dots + 3);
  [...before].forEach((letter, i) => extents.set(letter, input[i]));
  [...after].forEach((letter, i) => extents.set(letter, input[input.length - after.length + i]));
  return extents;
}

// Evaluates while it parses: one function for each line of the grammar.
function evaluate(text, names) {
  const left = tokens(text);
  const sign = (...signs) => left.length && signs.includes(left[0].sign) && left.shift().sign;
  const word = (...words) => left.length && words.includes(left[0].name) && left.shift().name;
  const need = (expected) => sign(expected) || fail();
  const fail = () => { throw new Error(`no expression: ${text}`); };
  const known = (a, b, compute) => (a === null || b === null ? null : compute(a, b));
  const COMPUTE = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "//": (a, b) => Math.floor(a / b) };

  const chain = (part, ...signs) => {
    let value = part();
    for (let found; (found = sign(...signs)); ) value = known(value, part(), COMPUTE[found]);
    return value;
  };
  const either = () => {
    let value = sum();
    while (word("or")) { const next = sum(); value = value || next; }
    return value;
  };
  const sum = () => chain(product, "+", "-");
  const product = () => chain(signed, "*", "//");
  const signed = () => (sign("-") ? known(value(), 0, (a) => -a) : value());
  const list = () => {
    const items = [];
    while (!sign("]")) {
      if (sign("*")) items.push(...[either()].flat()); else items.push(either());
      sign(",");
    }
    return items;
  };
  const value = () => {
    let found;
    if (sign("(")) { found = either(); need(")"); }
    else if (sign("[")) found = list();
    else {
      const token = left.shift() ?? fail();
      if ("value" in token) found = token.value;
      else if (sign("(")) {
        const parts = [either()];
        while (sign(",")) parts.push(either());
        need(")");
        found = FUNCTIONS[token.name](...parts);
      } else found = token.name in names ? names[token.name] : fail();
    }
    while (sign("[")) {
      const from = left[0].sign === ":" ? 0 : sum();
      if (sign(":")) { found = found.slice(from, left[0].sign === "]" ? undefined : sum()); } else found = at(found, from);
      need("]");
    }
    return found;
  };
  const holds = (found) => found !== null && found !== false;
  const compared = () => {
    if (word("not")) return !holds(value());
    const found = value();
    return sign("==") ? found === left.shift().value : holds(found);
  };
  const condition = () => {
    let found = compared();
    for (let joined; (joined = word("and", "or")); ) { const next = compared(); found = joined === "and" ? found && next : found || next; }
    return found;
  };
  return { shape: () => either(), holds: () => condition() };
}

export function weightShapes(vocabulary, { type, config, inputs }) {
  const definition = vocabulary.types[type];
  const names = Object.fromEntries((definition.config ?? []).map((member) => [member.name, member.default ?? null]));
  Object.assign(names, config);
  const input = inputs[0];
  Object.assign(names, { input, inputs, in_channels: input[names.data_format === "channels_first" ? 1 : input.length - 1] ?? null });
  return (definition.weights ?? [])
    .filter((row) => row.when === undefined || evaluate(row.when, names).holds())
    .map((row) => [row.role, evaluate(row.shape, names).shape(), row.trainable]);
}

const vocabulary = JSON.parse(readFileSync(process.argv[2], "utf8"));
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(weightShapes(vocabulary, JSON.parse(line))));
