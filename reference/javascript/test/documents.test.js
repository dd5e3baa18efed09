// Documents: text to values and back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "../src/json.js";
import { canonicalJson, floatText } from "../src/json_text.js";
import { LIMITS } from "../src/limits.js";
import { Float } from "../src/values.js";
import { parseYaml } from "../src/yaml.js";
import { canonicalYaml } from "../src/yaml_text.js";

const read = (parse, text) => {
  const problems = [];
  return { value: parse(text, { member: "m", limits: LIMITS, problems }), codes: problems.map(({ code, place }) => `${code} ${place}`) };
};

test("floats are written with the fewest digits and always with a point", () => {
  const texts = { 1: "1.0", 0.1: "0.1", 1e-4: "0.0001", 1e-5: "1.0e-5", 1e16: "1.0e+16", 1.5e16: "1.5e+16", 123456: "123456.0", "9007199254740993": "9007199254740992.0", 5e-324: "5.0e-324", 1.5e-7: "1.5e-7" };
  for (const [number, text] of Object.entries(texts)) assert.equal(floatText(Number(number)), text);
  assert.equal(floatText(-0), "-0.0");
  assert.equal(floatText(-1234.5), "-1234.5");
});

test("1 and 1.0 are two values, and integers beyond 2^53 keep every digit", () => {
  const { value } = read(parseJson, '{"a": 1, "b": 1.0, "c": 18446744073709551615, "d": -0, "__proto__": 2}');
  assert.equal(value.a, 1);
  assert.ok(value.b instanceof Float);
  assert.equal(value.c, 18446744073709551615n);
  assert.ok(Object.is(value.d, 0));
  assert.equal(Object.getPrototypeOf(value), null);
  assert.equal(canonicalJson(value), '{\n  "a": 1,\n  "b": 1.0,\n  "c": 18446744073709551615,\n  "d": 0,\n  "__proto__": 2\n}');
});

test("every problem of the JSON stage is reported with its place", () => {
  const { codes } = read(parseJson, '{"a": NaN, "b": [1e999, 18446744073709551616], "a": 1, "c/d": "\\ud800"}');
  assert.deepEqual(codes, ["NUMBER_NOT_FINITE m#/a", "NUMBER_OUT_OF_RANGE m#/b/0", "NUMBER_OUT_OF_RANGE m#/b/1", "OBJECT_DUPLICATE_NAME m#", "STRING_LONE_SURROGATE m#/c~1d"]);
});

test("nesting is counted and not found out by the end of the stack", () => {
  const deep = (n) => "[".repeat(n) + "]".repeat(n);
  assert.deepEqual(read(parseJson, deep(128)).codes, []);
  assert.deepEqual(read(parseJson, deep(129)).codes, ["NESTING_TOO_DEEP m"]);
  assert.deepEqual(read(parseJson, deep(1_000_000)).codes, ["NESTING_TOO_DEEP m"]);
  assert.deepEqual(read(parseYaml, deep(100_000)).codes, ["NESTING_TOO_DEEP m"]);
});

test("canonical YAML reads back as the same value", () => {
  const { value } = read(parseJson, '{"no": "no", "a": [[1, 2.0], {"b": {}, "c": []}, []], "d e": "x: y", "f": null, "g": "\\u0085\\ufeff", "h": {"float": "NaN"}}');
  const text = canonicalYaml(value);
  assert.deepEqual(read(parseYaml, text), { value, codes: [] });
});
