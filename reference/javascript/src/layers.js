// Walks a resolved architecture: types, configs, sublayers, calls, the shape of every value and of every weight (chapter 25).

import { valuesOf } from "./architecture.js";
import { argumentFaults } from "./call_arguments.js";
import { evaluateCondition, evaluateShape, namesOf } from "./expressions.js";
import { checkCollisions, checkConfigs, checkRoles, checkWritten } from "./layer_checks.js";
import { resultShapes } from "./layer_shapes.js";
import { operandsOf, operationShapes } from "./operation_shapes.js";
import { problem, quoted, step } from "./problems.js";
import { resolveArchitecture } from "./resolve.js";
import { ResolvedArchitecture, layersOf } from "./resolved.js";
import { Misfit } from "./shapes.js";
import { emptyObject, toPlain } from "./values.js";

const MOST_AXES = 32;
const MOST_CALLS = 1_000_000; // nested graphs that are called twice at each level double; beyond so many, shapes stay unknown
const count = ({ minimum, maximum }) => (maximum === null ? `at least ${minimum}` : minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`);

/** Requirements of shapes and counts, of which nothing is said where strings and numbers are mixed up. */
const OF_NUMBERS = ["LYR-006", "LYR-007", "LYR-008", "LYR-009", "LYR-035"];
/** Results of which neither number nor shapes are known, but whether they are strings. */
const unknown = (text) => Object.assign([], { text });

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
      call.outputs.forEach((name, i) => values.set(name, results?.[i] ?? { text: results?.text }));
      if (results?.length && results.length !== call.outputs.length) {
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
      for (const [requirement, name, message] of argumentFaults(call.arguments, layer.definition?.arguments ?? [], call.inputs.length)) {
        this.add(requirement, call.inComposite ? call.place : step(`${call.place}/arguments`, name), `${layer.name}: ${message}`);
      }
      for (const [name, value] of Object.entries(call.arguments)) if (!valuesOf(value, "").length) literal[name] = toPlain(value);
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
    }
    return this.attempt(call.place, call.op, () => operationShapes(call, inputs.map(({ shape }) => shape)))?.map((shape) => ({ shape, text: false })) ?? unknown(false);
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
    const before = this.problems.length;
    const shapes = this.attempt(place, layer.name, () => resultShapes(layer, inputs.map(({ shape }) => shape), {
      call, visit: (inner, shapesInside) => {
        const results = this.layer(inner, shapesInside.map((shape) => ({ shape, text: false })), { call: emptyObject(), place: inner.place });
        return results?.length ? results.map(({ shape }) => shape) : undefined;
      } }));
    if (this.problems.length === before) this.weigh(layer, inputs.map(({ shape }) => shape), place);
    return shapes?.map((shape) => ({ shape, text: texts })) ?? unknown(texts);
  }

  /** Whether a layer yields strings; a problem where its inputs are of the other kind than it takes. */
  texts({ name, definition, settings }, inputs, place) {
    const says = (condition) => (typeof condition === "string" ? evaluateCondition(condition, settings) : Boolean(condition));
    const takes = says(definition.takes_strings);
    if (inputs.some(({ text }) => text !== undefined && text !== takes)) {
      this.add("LYR-040", place, `expected ${takes ? "strings" : "numbers"} for ${quoted(name)}, got ${takes ? "numbers" : "strings"}`);
    }
    return says(definition.yields_strings);
  }

  extension(layer) {
    for (const inner of layer.sublayers.values()) this.layer(inner, [{}], { call: emptyObject(), place: inner.place });
    return undefined;
  }

  /** The shapes of a layer's weights, which all calls have to give alike. */
  weigh(layer, shapes, place) {
    const names = namesOf(layer.settings, shapes);
    for (const weight of this.resolved.weights.get(layer) ?? []) {
      const found = evaluateShape(weight.row.shape, names), shape = found?.every((extent) => extent !== null && extent !== undefined) ? found : undefined;
      if (weight.seen && weight.shape && shape && (weight.shape.length !== shape.length || shape.some((extent, i) => extent !== weight.shape[i]))) {
        this.add("LYR-008", place, `expected ${quoted(layer.name)} to need a ${weight.role} of [${weight.shape.map(String).join(", ")}], as in an earlier call, got inputs that need [${shape.map(String).join(", ")}]`);
        return;
      }
      weight.shape ??= shape;
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
  const mixed = walk.problems.some(({ requirement }) => requirement === "LYR-040");
  problems.push(...walk.problems.filter(({ requirement }) => !mixed || !OF_NUMBERS.includes(requirement)));
  return { layers: resolved, problems };
}

