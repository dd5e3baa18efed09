// The members of documents in the order that writers keep, without those that say their default (DOC-016, DOC-017).

import { VOCABULARY } from "./tables.js";
import { byCodePoint, has, isObject } from "./values.js";

const sortedNames = (object, first = []) => {
  const known = first.filter((name) => has(object, name));
  return [...known, ...Object.keys(object).filter((name) => !known.includes(name)).sort(byCodePoint)];
};

/** Plain data, its members by code point. */
const plain = (value) => {
  if (Array.isArray(value)) return value.map(plain);
  return isObject(value) ? new Map(sortedNames(value).map((name) => [name, plain(value[name])])) : value;
};

const asData = (value) => plain(value);

/** A value inside a config. */
const insideConfig = (value) => {
  if (Array.isArray(value)) return value.map(insideConfig);
  return isObject(value) ? new Map(sortedNames(value, ["type", "config"]).map((name) => [name, insideConfig(value[name])])) : value;
};

const config = (rows) => (value) => new Map(sortedNames(value, rows?.map(({ name }) => name)).map((name) => [name, insideConfig(value[name])]));

const asIs = (value) => value;
const sortedTexts = (value) => [...value].sort(byCodePoint);
const isEmpty = (value) => (Array.isArray(value) ? value : Object.keys(value)).length === 0;
const is = (fixed) => (value) => value === fixed;
const each = (kind) => (value) => value.map((item) => object(kind, item));
const named = (kind, first) => (value) => new Map(sortedNames(value, first).map((name) => [name, object(kind, value[name])]));
const configOf = (table) => (value, { type }) => config(has(table, type) ? table[type].config : undefined)(value);

const METADATA = { metadata: [asData, isEmpty] };
const EXTENSIONS = { extensions: [asData, isEmpty] };
const LISTS = { extensions_used: [sortedTexts, isEmpty], extensions_required: [sortedTexts, isEmpty], ...EXTENSIONS };
const component = { type: [], config: [config([]), isEmpty] }; // their members by code point: the order of a table is for configs of layers and operations

const layer = {
  type: [],
  config: [configOf(VOCABULARY.types), isEmpty],
  sublayers: [named("sublayer", ["forward"]), isEmpty],
  architecture: [(value) => object("architecture", value)],
  weights: [named("weight"), isEmpty],
  trainable: [asIs, is(true)],
  dtype: [asIs, is("float32")],
  compute_dtype: [],
  ...METADATA, ...EXTENSIONS,
};
/** Kind of object -> its members in order, each with how its value is ordered and when it is the default. */
const KINDS = {
  architecture: { format_version: [], name: [], inputs: [each("input")], layers: [each("layer")], calls: [each("call")], outputs: [], composites: [named("composite"), isEmpty], ...METADATA, ...LISTS },
  input: { name: [], shape: [], dtype: [asIs, is("float32")], ...METADATA, ...EXTENSIONS },
  layer: { name: [], ...layer },
  sublayer: layer,
  weight: { tensor: [], axes: [], trainable: [] },
  call: {
    layer: [], op: [],
    config: [(value, { op }) => config(has(VOCABULARY.operations, op) ? VOCABULARY.operations[op].config : undefined)(value), isEmpty],
    inputs: [], arguments: [asData, isEmpty],
    outputs: [asIs, (value, { layer: name }) => value.length === 1 && value[0] === name], ...EXTENSIONS,
  },
  composite: { parameters: [asData, isEmpty], inputs: [], layers: [each("layer")], calls: [each("call")], outputs: [], ...METADATA },
  training: { format_version: [], optimizer: [(value) => object("optimizer", value)], losses: [each("loss"), isEmpty], metrics: [each("metric"), isEmpty], progress: [(value) => object("progress", value)], ...METADATA, ...LISTS },
  optimizer: { ...component, ...EXTENSIONS },
  loss: { ...component, output: [], weight: [asIs, is(1)], ...EXTENSIONS },
  metric: { ...component, output: [], weighted: [asIs, is(false)], ...EXTENSIONS },
  annotations: { provenance: [asData, isEmpty], ...METADATA, ...LISTS }, // of a manifest
  progress: { step: [], epoch: [], samples: [], best: [asData, isEmpty] },
};

function object(kind, value) {
  const result = new Map();
  for (const [name, [order = asData, isDefault = () => false]] of Object.entries(KINDS[kind])) {
    if (has(value, name) && !isDefault(value[name], value)) result.set(name, order(value[name], value));
  }
  return result;
}

/** A document of a kind, `architecture` or `training`, as Maps in the order that writers keep. */
export const ordered = object;
