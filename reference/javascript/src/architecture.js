// Checks of an architecture that need no knowledge of layer types: names, calls, values, axes (chapter 20).

import { checkExtensionData } from "./documents.js";
import { problem, quoted, step } from "./problems.js";
import { has, isObject } from "./values.js";

/** Calls `visit` with every layer of a graph, those inside layers too, and the pointer of each. */
export function eachLayer(graph, pointer, visit) {
  const into = (layer, place) => {
    visit(layer, place);
    for (const [role, inner] of Object.entries(layer.sublayers ?? {})) into(inner, step(`${place}/sublayers`, role));
    if (has(layer, "architecture")) eachLayer(layer.architecture, `${place}/architecture`, visit);
  };
  graph.layers.forEach((layer, i) => into(layer, `${pointer}/layers/${i}`));
}

/** The names of values in an argument of a call, with their pointers. */
export function valuesOf(argument, pointer) {
  if (Array.isArray(argument)) return argument.flatMap((item, i) => valuesOf(item, `${pointer}/${i}`));
  return isObject(argument) && has(argument, "value") ? [[argument.value, `${pointer}/value`]] : [];
}

class Graph {
  constructor(graph, pointer, add) {
    Object.assign(this, { graph, pointer, add });
  }

  name(name, pointer) {
    if (name.normalize("NFC") !== name) this.add("ARC-006", pointer, `expected a name in Unicode normalisation form C, got ${quoted(name)}`);
  }

  layers() {
    const first = new Map();
    this.graph.layers.forEach(({ name }, i) => {
      const place = `${this.pointer}/layers/${i}/name`;
      this.name(name, place);
      if (first.has(name)) this.add("ARC-004", place, `expected each layer to have a name of its own, got ${quoted(name)}, as layer ${first.get(name)} has`);
      else first.set(name, i);
    });
    return first;
  }

  value(values, name, pointer) {
    this.name(name, pointer);
    if (values.has(name)) this.add("ARC-014", pointer, `expected each value to have a name of its own, got ${quoted(name)} again`);
    values.add(name);
  }

  check() {
    const { graph, pointer } = this, layers = this.layers(), values = new Set();
    const inputs = graph.inputs ?? [];
    inputs.forEach((input, i) => (typeof input === "string" ? this.value(values, input, `${pointer}/inputs/${i}`) : this.value(values, input.name, `${pointer}/inputs/${i}/name`)));
    if (!has(graph, "calls")) {
      if (inputs.length > 1) this.add("ARC-013", `${pointer}/inputs`, `expected at most one input without calls, got ${inputs.length}`);
      return;
    }
    graph.calls.forEach((call, i) => this.call(call, `${pointer}/calls/${i}`, layers, values));
    graph.outputs.forEach((name, i) => {
      if (!values.has(name)) this.add("ARC-017", `${pointer}/outputs/${i}`, `expected the name of an input or of a value of a call, got ${quoted(name)}`);
    });
  }

  call(call, pointer, layers, values) {
    if (has(call, "layer") && !layers.has(call.layer)) this.add("ARC-015", `${pointer}/layer`, `expected the name of a layer of the same architecture, got ${quoted(call.layer)}`);
    const taken = [...call.inputs.map((name, i) => [name, `${pointer}/inputs/${i}`]),
      ...Object.entries(call.arguments ?? {}).flatMap(([name, argument]) => valuesOf(argument, step(`${pointer}/arguments`, name)))];
    for (const [name, place] of taken) {
      if (!values.has(name)) this.add("ARC-016", place, `expected the name of an input or of a value of an earlier call, got ${quoted(name)}`);
    }
    if (has(call, "outputs")) call.outputs.forEach((name, i) => this.value(values, name, `${pointer}/outputs/${i}`));
    else this.value(values, call.layer, `${pointer}/layer`);
  }
}

/** The problems of an architecture that keeps its schema; `used` are the extensions that it lists. */
export function checkArchitecture(architecture, { member, used }) {
  const problems = [];
  const add = (requirement, pointer, message) => problems.push(problem(requirement, `${member}#${pointer}`, message));
  const extensions = (holder, pointer) => checkExtensionData(holder, `${member}#${pointer}`, used, problems);
  const graph = (one, pointer) => {
    new Graph(one, pointer, add).check();
    if (pointer !== "") extensions(one, pointer);
    (one.inputs ?? []).forEach((input, i) => isObject(input) && extensions(input, `${pointer}/inputs/${i}`));
    (one.calls ?? []).forEach((call, i) => extensions(call, `${pointer}/calls/${i}`));
  };
  const all = (one, pointer) => {
    graph(one, pointer);
    eachLayer(one, pointer, (layer, place) => {
      extensions(layer, place);
      if (has(layer, "architecture")) graph(layer.architecture, `${place}/architecture`);
      for (const [role, weight] of Object.entries(layer.weights ?? {})) {
        if (!has(weight, "axes")) continue;
        const right = new Set(weight.axes).size === weight.axes.length && weight.axes.every((axis) => axis < weight.axes.length);
        if (!right) add("ARC-019", `${step(`${place}/weights`, role)}/axes`, `expected axes to hold each of 0 to ${weight.axes.length - 1} once, got ${quoted(weight.axes)}`);
      }
    });
  };
  extensions(architecture, "");
  all(architecture, "");
  for (const [name, composite] of Object.entries(architecture.composites ?? {})) all(composite, step("/composites", name));
  return problems;
}
