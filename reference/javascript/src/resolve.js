// The graph that an architecture stands for: composites put in the place of their uses, defaults filled in, each layer with
// its path and its place in the document (chapters 20 and 25).

import { problem, quoted, step } from "./problems.js";
import { VOCABULARY } from "./tables.js";
import { emptyObject, has, isObject, toPlain } from "./values.js";

const MOST = 65_536, DEEPEST = 32;

/** The settings of a config: plain values, with the defaults of a table filled in. */
export function settingsOf(rows, config) {
  const settings = emptyObject();
  for (const row of rows ?? []) settings[row.name] = row.default ?? null;
  return Object.assign(settings, toPlain(config ?? emptyObject()));
}

/** A layer of the graph. */
export class Layer {
  /** Its name, or the role of a sublayer. */
  name;
  type;
  config;
  settings;
  /** Its entry of the vocabulary; undefined for an extension type, a Model and a type that nobody knows. */
  definition;
  /** The names and roles from the outermost layer to it. */
  path;
  /** A JSON Pointer to it, or to the use of the composite that it comes from. */
  place;
  inComposite;
  /** Whether its config names parameters of a composite. */
  parameterized;
  /** role -> Layer, in the order of the type's table. */
  sublayers = new Map();
  /** The graph inside a layer of type Model. */
  graph;
  /** role -> entry of `weights`. */
  stored;
  /** Whether it and all layers around it are trainable. */
  trainable;
  dtype;
  computeDtype;
  get isExtension() {
    return this.type.includes(":");
  }
}

/** Layers, calls and values of one architecture. */
export class Graph {
  name;
  /** [{ name, shape, dtype, names }], or undefined where the inputs are not known; `names` are its named extents. */
  inputs;
  /** name -> Layer */
  layers = new Map();
  /** [{ layer, op, config, settings, inputs, arguments, outputs, place, inComposite }] */
  calls;
  outputs;
  sequential;
}

const isParameter = (value) => isObject(value) && Object.keys(value).length === 1 && typeof value.parameter === "string";

function substituted(value, parameters) {
  if (isParameter(value)) return parameters[value.parameter];
  if (Array.isArray(value)) return value.map((item) => substituted(item, parameters));
  if (!isObject(value)) return value;
  const result = emptyObject();
  for (const name of Object.keys(value)) result[name] = substituted(value[name], parameters);
  return result;
}

/** Every parameter that a value names, with its pointer. */
function* parametersIn(value, pointer) {
  if (isParameter(value)) yield [value.parameter, `${pointer}/parameter`];
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* parametersIn(item, `${pointer}/${i}`);
  else if (isObject(value)) for (const [name, item] of Object.entries(value)) yield* parametersIn(item, step(pointer, name));
}

/** Whether a config names parameters, however deep. */
export const namesParameters = (config) => !parametersIn(config ?? null, "").next().done;

/** Every layer and every call of an operation in a graph as written, with its pointer. */
export function* written(graph, pointer) {
  function* into(layer, place) {
    yield { layer, place };
    for (const [role, inner] of Object.entries(layer.sublayers ?? {})) yield* into(inner, step(`${place}/sublayers`, role));
    if (has(layer, "architecture")) yield* written(layer.architecture, `${place}/architecture`);
  }
  for (const [i, layer] of graph.layers.entries()) yield* into(layer, `${pointer}/layers/${i}`);
  for (const [i, call] of (graph.calls ?? []).entries()) if (has(call, "op")) yield { call, place: `${pointer}/calls/${i}` };
}

/** The problems of composites as written: names, parameters, uses of themselves. */
function checkComposites(architecture, composites, member) {
  const problems = [], add = (requirement, place, message) => problems.push(problem(requirement, `${member}#${place}`, message));
  const uses = (name, graph, pointer, parameters) => {
    const found = [];
    for (const { layer, call, place } of written(graph, pointer)) {
      if (parameters) {
        for (const [parameter, at] of parametersIn((layer ?? call).config ?? null, `${place}/config`)) {
          if (!has(parameters, parameter)) add("ARC-032", at, `expected a parameter of ${quoted(name)}, got ${quoted(parameter)}`);
        }
      }
      if (layer && has(composites, layer.type)) {
        found.push(layer.type);
        checkUse(layer, composites[layer.type].parameters ?? emptyObject(), place, add);
      }
    }
    return found;
  };
  uses(undefined, architecture, "", undefined);
  const inside = new Map(Object.entries(composites).map(([name, composite]) => {
    const place = step("/composites", name);
    if (has(VOCABULARY.types, name)) add("LYR-033", place, `expected a name that no type of the vocabulary has, got ${quoted(name)}`);
    return [name, new Set(uses(name, composite, place, composite.parameters ?? emptyObject()))];
  }));
  for (const name of cyclic(inside)) add("ARC-033", step("/composites", name), `expected ${quoted(name)} not to be part of itself, got a use of it inside`);
  return problems;
}

/** The nodes of a graph (node -> its successors) that lie on a cycle, by Tarjan's algorithm without recursion. */
function cyclic(graph) {
  const order = new Map(), low = new Map(), open = [], isOpen = new Set(), found = [];
  for (const root of graph.keys()) {
    if (order.has(root)) continue;
    const path = [];
    const enter = (node) => {
      order.set(node, order.size);
      low.set(node, order.get(node));
      open.push(node);
      isOpen.add(node);
      path.push([node, graph.get(node).values()]);
    };
    enter(root);
    while (path.length) {
      const [node, successors] = path.at(-1), { value: next, done } = successors.next();
      if (!done) {
        if (!order.has(next)) enter(next);
        else if (isOpen.has(next)) low.set(node, Math.min(low.get(node), order.get(next)));
        continue;
      }
      path.pop();
      if (path.length) low.set(path.at(-1)[0], Math.min(low.get(path.at(-1)[0]), low.get(node)));
      if (low.get(node) !== order.get(node)) continue;
      const component = open.splice(open.lastIndexOf(node));
      for (const one of component) isOpen.delete(one);
      if (component.length > 1 || graph.get(node).has(node)) found.push(...component);
    }
  }
  return found;
}

function checkUse(layer, parameters, place, add) {
  const config = layer.config ?? emptyObject();
  for (const name of Object.keys(config)) {
    if (!has(parameters, name)) add("LYR-034", step(`${place}/config`, name), `expected a parameter of ${quoted(layer.type)}, got ${quoted(name)}`);
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    if (!has(parameter, "default") && !has(config, name)) add("LYR-034", `${place}/config`, `expected a value of ${quoted(name)}, got none`);
  }
}

/** One use of a composite: its parameters, its place, and what its `weights` say of the layers inside it. */
class Use {
  constructor({ path, parameters, place, stored, outer }) {
    Object.assign(this, { path, parameters, place, stored, outer, taken: new Set(), byPath: new Map() });
    for (const key of stored.keys()) {
      const [, inner, role] = /^(?:(.*)\.)?([^.]*)$/su.exec(key);
      this.byPath.set(inner ?? "", [...(this.byPath.get(inner ?? "") ?? []), role]);
    }
  }

  /** Gives a layer inside what this use says of its weights. */
  hand(layer) {
    const inner = layer.path.slice(this.path.length + 1);
    for (const role of [...(this.byPath.get(inner) ?? []), ...[...layer.stored.keys()].filter((role) => role.includes("."))]) {
      const key = `${inner}.${role}`;
      if (!this.stored.has(key)) continue;
      layer.stored.set(role, this.stored.get(key));
      this.taken.add(key);
    }
  }

  /** What it says that no layer inside has taken. */
  left() {
    return [...this.stored.keys()].filter((key) => !this.taken.has(key));
  }
}

/** Layers and calls of a graph as it is written, those inside layers included. */
function held(graph) {
  const inside = (layer) => 1 + Object.values(layer.sublayers ?? {}).reduce((sum, one) => sum + inside(one), 0) + (has(layer, "architecture") ? held(layer.architecture) : 0);
  return graph.layers.reduce((sum, layer) => sum + inside(layer), graph.calls?.length ?? 0);
}

class TooLarge extends Error {}

class Resolver {
  constructor(composites) {
    this.composites = composites;
    this.count = 0;
  }

  graph(written, pointer, around) {
    const graph = new Graph(), { scope } = around, at = (place) => scope?.place ?? place;
    graph.name = written.name;
    graph.inputs = written.inputs?.map((input) => (typeof input === "string" ? { name: input, dtype: undefined }
      : { name: input.name, shape: input.shape.map((extent) => (typeof extent === "string" || extent === null ? null : Number(extent))), names: input.shape.map((extent) => (typeof extent === "string" ? extent : undefined)), dtype: input.dtype ?? "float32" }));
    written.layers.forEach((layer, i) => graph.layers.set(layer.name, this.layer(layer.name, layer, `${pointer}/layers/${i}`, around)));
    graph.sequential = !has(written, "calls");
    if (graph.sequential) this.sequence(graph);
    else {
      graph.calls = written.calls.map((call, i) => this.call(graph, call, at(`${pointer}/calls/${i}`), scope));
      graph.outputs = written.outputs;
    }
    return graph;
  }

  /** Calls of a graph without any: each layer takes what the one before it yields. */
  sequence(graph) {
    const layers = [...graph.layers.values()];
    const first = Symbol("input");
    graph.entry = graph.inputs ? graph.inputs[0].name : first;
    let value = graph.entry;
    const names = layers.map(({ name }) => (name === graph.entry ? Symbol(name) : name));
    graph.calls = layers.map((layer, i) => {
      const call = { layer, inputs: [value], arguments: emptyObject(), outputs: [names[i]], place: layer.place };
      value = names[i];
      return call;
    });
    graph.outputs = [value];
    graph.outputNames = layers.length ? [layers.at(-1).name] : [typeof value === "symbol" ? undefined : value];
  }

  call(graph, call, place, scope) {
    const common = { inputs: call.inputs, arguments: call.arguments ?? emptyObject(), outputs: call.outputs ?? [call.layer], place, inComposite: scope !== undefined };
    if (!has(call, "op")) return { ...common, layer: graph.layers.get(call.layer) };
    const config = substituted(call.config ?? emptyObject(), scope?.parameters ?? emptyObject());
    const definition = has(VOCABULARY.operations, call.op) ? VOCABULARY.operations[call.op] : undefined;
    return { ...common, op: call.op, config, definition, settings: settingsOf(definition?.config, config), parameterized: namesParameters(call.config) };
  }

  layer(name, written, pointer, { path, trainable, scope, depth }) {
    const layer = new Layer(), { composites } = this;
    Object.assign(layer, { name, type: written.type, path: path === "" ? name : `${path}.${name}`, place: scope?.place ?? pointer, inComposite: scope !== undefined,
      trainable: trainable && (written.trainable ?? true), dtype: written.dtype ?? "float32", computeDtype: written.compute_dtype ?? written.dtype ?? "float32" });
    layer.stored = new Map(Object.entries(written.weights ?? {}));
    const inside = { path: layer.path, trainable: layer.trainable, scope, depth: depth + 1 };
    if (has(composites, written.type) && !has(VOCABULARY.types, written.type)) return this.use(layer, written, inside);
    for (let use = scope; use; use = use.outer) use.hand(layer);
    const definition = has(VOCABULARY.types, written.type) ? VOCABULARY.types[written.type] : undefined;
    layer.parameterized = namesParameters(written.config);
    layer.config = substituted(written.config ?? emptyObject(), scope?.parameters ?? emptyObject());
    layer.settings = settingsOf(definition?.config, layer.config);
    layer.definition = written.type === "Model" ? undefined : definition;
    const roles = Object.keys(written.sublayers ?? {});
    for (const role of roles.sort((a, b) => rankOf(definition, a) - rankOf(definition, b))) {
      layer.sublayers.set(role, this.layer(role, written.sublayers[role], step(`${pointer}/sublayers`, role), inside));
    }
    if (has(written, "architecture")) layer.graph = this.graph(written.architecture, `${pointer}/architecture`, inside);
    return layer;
  }

  /** A layer whose type is a composite, as if it were of type Model. */
  use(layer, written, { path, trainable, scope, depth }) {
    const composite = this.composites[written.type], parameters = emptyObject();
    const config = substituted(written.config ?? emptyObject(), scope?.parameters ?? emptyObject());
    for (const [name, parameter] of Object.entries(composite.parameters ?? {})) parameters[name] = has(config, name) ? config[name] : parameter.default;
    this.count += held(composite);
    if (this.count > MOST || depth > DEEPEST + 1) throw new TooLarge();
    const inner = new Use({ path, parameters, place: layer.place, stored: layer.stored, outer: scope });
    layer.composite = written.type;
    layer.config = emptyObject();
    layer.settings = emptyObject();
    layer.graph = this.graph(composite, layer.place, { path, trainable, scope: inner, depth });
    layer.unknownStored = inner.left();
    layer.stored = new Map();
    return layer;
  }
}

/** The place of a role in the table of a type; `cell_10` stands behind `cell_9`. */
function rankOf(definition, role) {
  const [, stem, number] = /^(.*?)(?:_([0-9]+))?$/.exec(role);
  const exact = definition?.sublayers?.indexOf(role) ?? -1;
  return exact >= 0 ? exact * 1e6 : (definition?.sublayers?.indexOf(`${stem}_{n}`) ?? 0) * 1e6 + Number(number ?? 0);
}

/** The graph of an architecture; undefined, with problems, where its composites forbid it. */
export function resolveArchitecture(architecture, member) {
  const composites = architecture.composites ?? emptyObject();
  const problems = checkComposites(architecture, composites, member);
  if (problems.length) return { problems };
  try {
    const graph = new Resolver(composites).graph(architecture, "", { path: "", trainable: true, scope: undefined, depth: 0 });
    return { graph, problems };
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    return { problems: [problem("ARC-034", `${member}#/composites`, `expected uses of composites that make at most ${MOST} layers and calls, with at most ${DEEPEST} layers around each, got more`)] };
  }
}

