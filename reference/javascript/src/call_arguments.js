// What a call says to its layer beside inputs: which arguments the layer knows, and what each may be (chapter 25).

import { has, isInteger, isObject } from "./values.js";
import { quoted } from "./problems.js";

const ALWAYS = ["training", "mask"];
const BOOLEANS = ["training", "use_causal_mask", "return_attention_scores"];

const isValue = (argument) => isObject(argument) && has(argument, "value");

/** What an argument that is not null would have to be; undefined where it is that. */
function wanted(name, value, inputs) {
  if (BOOLEANS.includes(name)) return typeof value === "boolean" ? undefined : "a boolean or null";
  if (name === "initial_state") return [value].flat().every(isValue) ? undefined : "a value, null or an array of values";
  if (name === "mask" && Array.isArray(value)) {
    return value.length === inputs && value.every((one) => one === null || isValue(one)) ? undefined : `a value, null or an array of ${inputs} of these`;
  }
  if (name === "start_index" && isInteger(value) && value >= 0) return undefined;
  return isValue(value) ? undefined : `a value${name === "start_index" ? ", an integer from 0 on" : ""} or null`;
}

/** [requirement, argument, message] for each argument that a layer that knows `known`, called with so many inputs, does not take. */
export function argumentFaults(given, known, inputs) {
  return Object.entries(given).flatMap(([name, value]) => {
    if (!ALWAYS.includes(name) && !known.includes(name)) return [["LYR-010", name, `expected the layer to know the argument, got ${quoted(name)}`]];
    const kind = value === null ? undefined : wanted(name, value, inputs);
    return kind ? [["LYR-041", name, `expected ${kind} as ${name}, got ${quoted(value)}`]] : [];
  });
}
