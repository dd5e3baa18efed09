// Walks a resolved architecture: types, configs, sublayers, calls, the shape of every value and of every weight (chapter 25).

import { valuesOf } from "./architecture.js";
import { evaluateCondition, evaluateShape, namesOf } from "./expressions.js";
import { Misfit, resultShapes } from "./layer_shapes.js";
import { operandsOf, operationShapes } from "./operation_shapes.js";
import { problem, quoted, step } from "./problems.js";
import { namesParameters, resolveArchitecture, written } from "./resolve.js";
import { checkSchema } from "./schema.js";
import { VOCABULARY } from "./tables.js";
import { checkParts } from "./training.js";
import { emptyObject, has, isObject, toPlain } from "./values.js";

const MOST_AXES = 32;
const MOST_CALLS = 1_000_000; // nested graphs that are called twice at each level double; beyond so many, shapes stay unknown
const ALWAYS = ["training", "mask"];
const count = ({ minimum, maximum }) => (maximum === null ? `at least ${minimum}` : minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`);

/** The rows of the weight table that hold for a layer's config. */
export const weightRows = (layer) => (layer.definition?.weights ?? []).filter(({ when }) => evaluateCondition(when, layer.settings));

/** The layers of a graph in the order of LYR-018: each before those inside it. */
export function* layersOf(graph) {
  function* into(layer) {
    yield layer;
    for (const inner of layer.sublayers.values()) yield* into(inner);
    if (layer.graph) yield* layersOf(layer.graph);
  }
  for (const layer of graph.layers.values()) yield* into(layer);
}

function* callsOf(graph) {
  yield* graph.calls;
  for (const layer of layersOf(graph)) if (layer.graph) yield* layer.graph.calls;
}

const ACTIVATIONS = Object.entries(VOCABULARY.types).filter(([, { family }]) => family === "Activation").map(([name]) => name);

/** The problems of a config, and of activations and other parts in it. */
function checkConfig(file, config, { member, place }) {
  const problems = [...checkSchema(file, config, { member, place }), ...checkParts(config, { member, place })];
  for (const [name, value] of Object.entries(config)) {
    if (!name.endsWith("activation") || !isObject(value) || typeof value.type !== "string" || value.type.includes(":")) continue;
    const at = step(place, name);
    if (!ACTIVATIONS.includes(value.type)) problems.push(problem("LYR-003", `${member}#${at}/type`, `expected a type of the family Activation or an extension type, got ${quoted(value.type)}`));
    else if (!has(value, "config") || isObject(value.config)) problems.push(...checkConfig(`layers/${value.type}.schema.json`, value.config ?? emptyObject(), { member, place: `${at}/config` }));
  }
  return problems;
}

/** The problems of types, operations and sublayers as they are written, inside composites too. */
function checkWritten(architecture, member) {
  const problems = [], composites = architecture.composites ?? emptyObject();
  const add = (requirement, place, message) => problems.push(problem(requirement, `${member}#${place}`, message));
  const graphs = [[architecture, ""], ...Object.entries(composites).map(([name, composite]) => [composite, step("/composites", name)])];
  for (const [graph, pointer] of graphs) {
    for (const { layer, call, place } of written(graph, pointer)) {
      if (call) {
        if (!call.op.includes(":") && !has(VOCABULARY.operations, call.op)) add("LYR-030", `${place}/op`, `expected an operation of chapter 27 or an extension operation, got ${quoted(call.op)}`);
      } else if (!layer.type.includes(":") && !has(VOCABULARY.types, layer.type) && !has(composites, layer.type)) {
        add("LYR-001", `${place}/type`, `expected a type of chapter 26, a composite or an extension type, got ${quoted(layer.type)}`);
      } else if (!layer.type.includes(":")) {
        const wanted = has(VOCABULARY.types, layer.type) ? (VOCABULARY.types[layer.type].sublayers ?? []) : [];
        const found = Object.keys(layer.sublayers ?? {});
        if (!rolesFit(wanted, found)) add("LYR-004", has(layer, "sublayers") ? `${place}/sublayers` : place, `expected ${wanted.length ? wanted.join(" and ") : "no layers"} as sublayers, got ${found.length ? found.map(quoted).join(", ") : "none"}`);
      }
    }
  }
  return problems;
}

function rolesFit(wanted, found) {
  const left = new Set(found);
  for (const role of wanted) {
    if (!role.includes("{n}")) {
      if (!left.delete(role)) return false;
      continue;
    }
    let number = 0;
    while (left.delete(role.replace("{n}", number))) number++;
    if (number === 0) return false;
  }
  return left.size === 0;
}

/** The problems of configs: of those that name no parameters where they are written, of the others at each use of the composite. */
function checkConfigs(architecture, graph, member) {
  const problems = [], composites = Object.entries(architecture.composites ?? emptyObject());
  for (const [one, pointer] of [[architecture, ""], ...composites.map(([name, composite]) => [composite, step("/composites", name)])]) {
    for (const { layer, call, place } of written(one, pointer)) {
      const { config = emptyObject() } = layer ?? call, [folder, table, type] = layer ? ["layers", VOCABULARY.types, layer.type] : ["operations", VOCABULARY.operations, call.op];
      if (has(table, type) && type !== "Model" && (pointer === "" || !namesParameters(config))) problems.push(...checkConfig(`${folder}/${type}.schema.json`, config, { member, place: `${place}/config` }));
    }
  }
  const uses = [...[...layersOf(graph)].map((layer) => [layer, `layers/${layer.type}`, layer.path]), ...[...callsOf(graph)].map((call) => [call, `operations/${call.op}`, call.op])];
  for (const [holder, file, what] of uses) {
    if (!holder.definition || !holder.inComposite || !holder.parameterized) continue;
    const [first] = checkConfig(`${file}.schema.json`, holder.config, { member, place: "" });
    if (first) problems.push({ ...first, place: `${member}#${holder.place}`, message: `${what}: ${first.message}` });
  }
  return problems;
}

function checkRoles(graph, member) {
  const problems = [];
  for (const layer of layersOf(graph)) {
    for (const key of layer.unknownStored ?? []) problems.push(problem("LYR-005", `${member}#${step(`${layer.place}/weights`, key)}`, `expected the path and role of a weight inside ${quoted(layer.path)}, got ${quoted(key)}`));
    if (layer.isExtension || (layer.composite && !layer.definition)) continue;
    const roles = weightRows(layer).map(({ role }) => role);
    for (const role of layer.stored.keys()) {
      if (!roles.includes(role)) problems.push(problem("LYR-005", `${member}#${layer.inComposite ? layer.place : step(`${layer.place}/weights`, role)}`, `expected ${quoted(layer.path)} to own ${roles.length ? roles.join(", ") : "no weights"}, got ${quoted(role)}`));
    }
  }
  return problems;
}

/** A weight: its layer and role, the tensor that holds it, and its shape as far as it is known. */
class Weight {
  constructor(layer, role, { row, entry }) {
    Object.assign(this, { layer, role, row, entry, tensor: entry?.tensor ?? `${layer.path}.${role}`, shape: undefined, seen: false,
      trainable: layer.trainable && (entry?.trainable ?? row?.trainable ?? true), dtype: row?.dtype ?? layer.dtype });
  }

  get axes() {
    return this.entry?.axes;
  }
}

/** An architecture with every type resolved: its graph, and its weights in the order of LYR-018. */
export class ResolvedArchitecture {
  constructor(graph) {
    this.graph = graph;
    this.weights = new Map(); // Layer -> [Weight]
    for (const layer of layersOf(graph)) {
      const rows = layer.isExtension ? [...layer.stored.keys()].map((role) => ({ role })) : weightRows(layer);
      this.weights.set(layer, rows.map((row) => new Weight(layer, row.role, { row: layer.isExtension ? undefined : row, entry: layer.stored.get(row.role) })));
    }
  }

  *allWeights() {
    for (const weights of this.weights.values()) yield* weights;
  }

  /** Elements of the weights that are trained and of the others; undefined where a shape is known neither here nor by its tensor. */
  parameters(stored) {
    const tensors = new Map();
    for (const weight of this.allWeights()) {
      const shape = weight.shape?.every((extent) => extent !== null) ? weight.shape : stored?.get(weight.tensor)?.shape;
      if (shape === undefined) return undefined;
      const elements = shape.reduce((product, extent) => product * extent, 1);
      tensors.set(weight.tensor, { elements, trainable: weight.trainable || tensors.get(weight.tensor)?.trainable });
    }
    const sum = (trained) => [...tensors.values()].filter(({ trainable }) => Boolean(trainable) === trained).reduce((total, { elements }) => total + elements, 0);
    return { trainable: sum(true), nonTrainable: sum(false) };
  }
}

class Walk {
  constructor(resolved, member) {
    Object.assign(this, { resolved, member, problems: [], said: new Set(), calls: 0, walked: new Map() });
  }

  /** Adds a problem, once: what is called twice is walked twice. */
  add(requirement, place, message) {
    const key = `${requirement} ${place}`;
    if (!this.said.has(key)) this.problems.push(problem(requirement, `${this.member}#${place}`, message));
    this.said.add(key);
  }

  /** Works out every value of a graph; the values of its outputs, undefined where nothing is known. */
  graph(graph, given) {
    const values = new Map();
    if (graph.inputs) graph.inputs.forEach((input, i) => values.set(input.name, given[i] ?? { shape: input.shape, text: input.dtype === undefined ? undefined : input.dtype === "string" }));
    else values.set(graph.entry, given[0] ?? {});
    for (const call of graph.calls) {
      const results = this.call(call, call.inputs.map((name) => values.get(name) ?? {}), values);
      call.outputs.forEach((name, i) => values.set(name, results?.[i] ?? {}));
      if (results && results.length !== call.outputs.length) {
        this.add("LYR-009", call.place, `expected names for the ${results.length} values that ${quoted(call.op ?? call.layer.name)} yields, got ${call.outputs.length}`);
      }
    }
    return graph.outputs.map((name) => values.get(name) ?? {});
  }

  call(call, inputs, values) {
    if (++this.calls > MOST_CALLS) return undefined;
    if (call.op !== undefined) return call.definition && this.operation(call, inputs);
    if (!call.layer) return undefined;
    const { layer } = call, literal = emptyObject();
    if (layer.definition || layer.graph) {
      const allowed = [...ALWAYS, ...(layer.definition?.arguments ?? [])];
      for (const [name, value] of Object.entries(call.arguments)) {
        if (!allowed.includes(name)) this.add("LYR-010", step(`${call.place}/arguments`, name), `expected ${quoted(layer.name)} to know the argument, got ${quoted(name)}`);
        else if (!valuesOf(value, "").length) literal[name] = toPlain(value);
      }
    }
    const states = valuesOf(call.arguments.initial_state ?? null, "").map(([name]) => values.get(name) ?? {});
    return this.layer(layer, [...inputs, ...states], { call: literal, place: call.place, given: inputs.length });
  }

  operation(call, inputs) {
    const operands = operandsOf(call), { minimum, maximum } = call.definition.operands;
    if (operands.length < minimum || (maximum !== null && operands.length > maximum) || operands.some(({ input }) => input >= inputs.length)) {
      this.add("LYR-006", call.place, `expected ${count(call.definition.operands)} operands for ${call.op}, got ${operands.filter(({ input }) => input === undefined || input < inputs.length).length}`);
      return undefined;
    }
    if (inputs.some(({ text }) => text)) {
      this.add("LYR-040", call.place, `expected numbers for ${call.op}, got strings`);
      return undefined;
    }
    return this.attempt(call.place, call.op, () => operationShapes(call, inputs.map(({ shape }) => shape)))?.map((shape) => ({ shape, text: false }));
  }

  /** The shapes that `work` yields; undefined, with a problem, where the inputs do not fit. */
  attempt(place, name, work) {
    try {
      const shapes = work();
      for (const shape of shapes ?? []) {
        if (shape && (shape.length > MOST_AXES || shape.some((extent) => extent !== null && extent > Number.MAX_SAFE_INTEGER))) throw new Misfit("a result of at most 32 axes, and of extents of at most 2^53 - 1, got more");
      }
      return shapes;
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      this.add("LYR-007", place, `${name}: expected ${error.message}`);
      return undefined;
    }
  }

  /** The values that a call of a layer yields. */
  layer(layer, inputs, { call, place, given = inputs.length }) {
    if (layer.graph) return this.nested(layer, inputs, place);
    if (!layer.definition) return this.extension(layer);
    const limits = layer.definition.inputs;
    if (given < limits.minimum || (limits.maximum !== null && inputs.length > limits.maximum)) {
      this.add("LYR-006", place, `expected ${count(limits)} inputs for ${quoted(layer.name)}, got ${inputs.length}`);
      return undefined;
    }
    const texts = this.texts(layer, inputs, place);
    if (texts === undefined) return undefined;
    const before = this.problems.length;
    const shapes = this.attempt(place, layer.name, () => resultShapes(layer, inputs.map(({ shape }) => shape), {
      call, visit: (inner, shapesInside) => this.layer(inner, shapesInside.map((shape) => ({ shape, text: false })), { call: emptyObject(), place: inner.place })?.map(({ shape }) => shape) }));
    if (this.problems.length === before) this.weigh(layer, inputs.map(({ shape }) => shape), place);
    return shapes?.map((shape) => ({ shape, text: texts.yields }));
  }

  /** Whether a layer takes and yields strings, or undefined, with a problem, where its inputs are of the other kind. */
  texts(layer, inputs, place) {
    const { definition, settings } = layer;
    const says = (condition) => (typeof condition === "string" ? evaluateCondition(condition, settings) : Boolean(condition));
    const takes = says(definition.takes_strings);
    const wrappers = ["TimeDistributed", "RNN", "Bidirectional", "SpectralNormalization"];
    if (!wrappers.includes(layer.type) && inputs.some(({ text }) => text !== undefined && text !== takes)) {
      this.add("LYR-040", place, `expected ${takes ? "strings" : "numbers"} for ${quoted(layer.name)}, got ${takes ? "numbers" : "strings"}`);
      return undefined;
    }
    if (wrappers.includes(layer.type) && inputs.some(({ text }) => text)) {
      this.add("LYR-040", place, `expected numbers for ${quoted(layer.name)}, got strings`);
      return undefined;
    }
    return { takes, yields: says(definition.yields_strings) };
  }

  extension(layer) {
    for (const inner of layer.sublayers.values()) this.layer(inner, [{}], { call: emptyObject(), place: inner.place });
    return undefined;
  }

  /** The shapes of a layer's weights, which all calls have to give alike. */
  weigh(layer, shapes, place) {
    const names = namesOf(layer.settings, shapes);
    for (const weight of this.resolved.weights.get(layer) ?? []) {
      const shape = evaluateShape(weight.row.shape, names);
      if (weight.seen && weight.shape && shape && (weight.shape.length !== shape.length || shape.some((extent, i) => extent !== null && weight.shape[i] !== null && extent !== weight.shape[i]))) {
        this.add("LYR-008", place, `expected ${quoted(layer.name)} to need a ${weight.role} of [${weight.shape.map(String).join(", ")}], as in an earlier call, got inputs that need [${shape.map(String).join(", ")}]`);
        return;
      }
      weight.shape = weight.shape && shape ? weight.shape.map((extent, i) => extent ?? shape[i]) : (weight.shape ?? shape);
      weight.seen = true;
    }
  }

  nested(layer, inputs, place) {
    const { graph } = layer, declared = graph.inputs?.length ?? 1;
    if (inputs.length !== declared) {
      this.add("LYR-006", place, `expected ${declared} inputs for ${quoted(layer.name)}, as its architecture declares, got ${inputs.length}`);
      return undefined;
    }
    const extents = new Map(), before = this.problems.length;
    const given = inputs.map((input, i) => this.enter(layer, graph.inputs?.[i], input, { extents, place }));
    if (this.problems.length > before) return undefined;
    const key = JSON.stringify(given), results = this.walked.get(layer) ?? new Map();
    this.walked.set(layer, results);
    if (!results.has(key)) results.set(key, this.graph(graph, given));
    return results.get(key);
  }

  /** What an input of a nested architecture is in a call. */
  enter(layer, declared, { shape, text }, { extents, place }) {
    if (!declared || declared.shape === undefined) return { shape, text };
    const wants = declared.dtype === "string";
    if (text !== undefined && text !== wants) this.add("LYR-040", place, `expected ${wants ? "strings" : "numbers"} for ${quoted(layer.name)}, got ${text ? "strings" : "numbers"}`);
    if (shape === undefined) return { shape: declared.shape, text: wants };
    const fits = shape.length === declared.shape.length && shape.every((extent, i) => extent === null || declared.shape[i] === null || extent === declared.shape[i]);
    if (!fits) {
      this.add("LYR-007", place, `${layer.name}: expected a value of shape [${declared.shape.map(String).join(", ")}], got [${shape.map(String).join(", ")}]`);
      return {};
    }
    declared.names.forEach((name, i) => {
      if (name === undefined || shape[i] === null) return;
      if (extents.has(name) && extents.get(name) !== shape[i]) this.add("LYR-035", place, `expected one extent for ${quoted(name)}, got ${extents.get(name)} and ${shape[i]}`);
      else extents.set(name, shape[i]);
    });
    return { shape: shape.map((extent, i) => extent ?? declared.shape[i]), text: wants };
  }
}

/** Tensors that two weights would be stored in although neither names one (ARC-018). */
function checkCollisions(resolved, member) {
  const problems = [], owners = new Map();
  for (const weight of resolved.allWeights()) {
    const other = owners.get(weight.tensor);
    if (other && !other.entry && !weight.entry) problems.push(problem("ARC-018", `${member}#${weight.layer.place}`, `expected weights to share a tensor only where one names it, got ${quoted(weight.tensor)} for ${quoted(other.layer.path)} and ${quoted(weight.layer.path)}`));
    if (!other || !weight.entry) owners.set(weight.tensor, weight);
  }
  return problems;
}

/** The architecture with its types resolved, and its problems; `broken` says that its names and calls cannot be followed. */
export function checkLayers(architecture, { member, broken }) {
  const problems = checkWritten(architecture, member);
  const { graph, problems: found } = resolveArchitecture(architecture, member);
  problems.push(...found);
  if (!graph) return { problems };
  problems.push(...checkConfigs(architecture, graph, member));
  if (problems.length || broken) return { problems };
  problems.push(...checkRoles(graph, member));
  const resolved = new ResolvedArchitecture(graph);
  problems.push(...checkCollisions(resolved, member));
  const walk = new Walk(resolved, member);
  walk.graph(graph, []);
  for (const layer of layersOf(graph)) {
    const untouched = (resolved.weights.get(layer) ?? []).some(({ seen, row }) => !seen && row);
    if (untouched && walk.problems.length === 0) walk.weigh(layer, [undefined], layer.place);
  }
  problems.push(...walk.problems);
  return { layers: resolved, problems };
}

