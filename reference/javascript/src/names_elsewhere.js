// What weights are called in files of Keras and TensorFlow (chapter 45), by how objects lead to them.

import { orderOf } from "./keras_order.js";
import { spelled } from "./names.js";
import { InvalidModelError, UsageError, problem, quoted } from "./problems.js";
import { has } from "./values.js";

const ATTRIBUTES = { forward: "forward_layer", backward: "backward_layer" };
const RECURRENT = /^(?:SimpleRNN|LSTM|GRU)$/;
const CONVOLUTIONAL = /^ConvLSTM[123]D$/;
const DEPTHWISE = /^DepthwiseConv[12]D$/;
const UNDERSCORED = /^(?:Dense|EinsumDense|Conv[123]D)$/;
const PROJECTION = /^(query|key|value|output)_(kernel|bias)$/;

/** The name of a class in snake case: `p_re_lu` of PReLU. */
export const snakeCase = (name) => name.replace(/(.)([A-Z][a-z]+)/g, "$1_$2").replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();

/** The way to an object in each form; a form without a way is null from there on. */
class Way {
  constructor(steps) {
    Object.assign(this, { objects2: [], objects3: [], outermost: undefined, named: [], parts2: [], parts3: [], paths: [] }, steps);
  }

  /** The way further on; a step is an array of what is added, or null. */
  then(steps) {
    const added = Object.entries(steps).map(([form, more]) => [form, this[form] && more && [...this[form], ...more]]);
    return new Way({ ...this, ...Object.fromEntries(added) });
  }

  /** The way into a layer that has a name. */
  into(name, steps) {
    const way = this.then({ ...steps, named: [name] });
    return Object.assign(way, { outermost: this.outermost ?? name, parts2: [], parts3: this.parts3 && [...this.parts3, name] });
  }

  attribute(name, { elsewhere = name, part2 = [], part3 = part2 } = {}) {
    return this.then({ objects2: [name], objects3: [name], paths: [elsewhere], parts2: part2, parts3: part3 });
  }
}

class Namer {
  constructor(layers) {
    this.layers = layers;
    this.names = new Map();
    this.problems = [];
  }

  holdsWeights(layer) {
    const inner = [...layer.sublayers.values(), ...(layer.graph?.layers.values() ?? [])];
    return this.layers.weights.get(layer).length > 0 || inner.some((one) => this.holdsWeights(one));
  }

  graph(graph, way) {
    const counts = new Map(), start = graph.sequential ? ["_functional", "_operations"] : ["_operations"];
    let weighted = 0;
    for (const [number, layer] of orderOf(graph).entries()) {
      if (!layer) continue;
      const name = counted(snakeCase(classOf(layer)), counts);
      if (!this.holdsWeights(layer)) continue;
      this.layer(layer, way.into(layer.name, {
        objects2: [`layer_with_weights-${weighted++}`], objects3: [...start, String(number)], paths: ["layers", name] }));
    }
  }

  layer(layer, way) {
    if (layer.isExtension && this.holdsWeights(layer)) {
      this.problems.push(["NAM-005", layer]);
      return;
    }
    this.weights(layer, cellOf(layer, way));
    const counts = new Map();
    for (const [role, inner] of layer.sublayers) this.layer(inner, sublayerOf(role, snakeCase(inner.type), { way, counts }));
    if (layer.graph) this.graph(layer.graph, way);
  }

  /** Names the weights that a layer owns, where they stand on the way to the object that keeps them. */
  weights(layer, way) {
    const counts = new Map();
    for (const { role, tensor } of this.layers.weights.get(layer)) {
      const [, projection, part] = PROJECTION.exec(role) ?? [];
      const at = projection ? way.attribute(`_${projection}_dense`, { elsewhere: layer.type === "MultiHeadAttention" ? `${projection}_dense` : `_${projection}_dense`, part2: [projection === "output" ? "attention_output" : projection] }) : way;
      const index = counts.get(projection) ?? 0;
      counts.set(projection, index + 1);
      if (!this.names.has(tensor)) this.names.set(tensor, this.spelled(at, { second: second(layer, part ?? role), third: third(layer, part ?? role, projection), role: part ?? role, index }));
    }
  }

  spelled(way, { second: name2, third: name3, role, index }) {
    const keras2 = new Map(), keras3 = new Map();
    const { objects2, objects3, outermost, named, parts2, parts3, paths } = way;
    if (objects2) keras2.set("objects", [...objects2, name2].join("/"));
    if (parts2) keras2.set("hdf5", [outermost, named.at(-1), ...parts2, `${name2}:0`].join("/"));
    if (objects3) keras3.set("objects", [...objects3, name3].join("/"));
    if (parts3) keras3.set("hdf5", [outermost, ...parts3, role].join("/"));
    if (paths) keras3.set("paths", [...paths, "vars", String(index)].join("/"));
    return new Map([["keras2", keras2], ["keras3", keras3]]);
  }
}

/** The class of a layer in Keras. */
function classOf({ type, graph }) {
  if (graph) return graph.sequential ? "Sequential" : "Functional";
  return type === "GroupQueryAttention" ? "GroupedQueryAttention" : type;
}

/** A name, followed from the second time on by its number. */
function counted(name, counts) {
  const before = counts.get(name) ?? 0;
  counts.set(name, before + 1);
  return before ? `${name}_${before}` : name;
}

/** The way to the object that keeps a layer's own weights. */
function cellOf({ type }, way) {
  if (CONVOLUTIONAL.test(type)) return way.attribute("cell", { part2: [], part3: ["conv_lstm_cell"] });
  return RECURRENT.test(type) ? way.attribute("cell", { part2: [`${snakeCase(type)}_cell`] }) : way;
}

/** The way to a sublayer, whose class in snake case is `name`; `counts` are of the cells before it. */
function sublayerOf(role, name, { way, counts }) {
  const [, number] = /^cell_([0-9]+)$/.exec(role) ?? [];
  if (number) {
    const cell = counted(name, counts);
    return way.then({ objects2: ["cells", number], objects3: null, paths: ["cells", cell], parts2: [cell], parts3: [cell] });
  }
  if (has(ATTRIBUTES, role)) return way.attribute(ATTRIBUTES[role], { part2: [`${role}_${name}`] });
  return way.attribute(role, role === "cell" ? { part2: [name] } : { part2: [], part3: [name] });
}

const second = ({ type }, role) => (role === "kernel" && DEPTHWISE.test(type) ? "depthwise_kernel" : role);

function third({ type }, role, projection) {
  if (type === "Normalization" && (role === "mean" || role === "variance")) return `adapt_${role}`;
  const underscored = (role === "embeddings" && type === "Embedding") || (role === "kernel" && (projection || UNDERSCORED.test(type)));
  return underscored ? `_${role}` : role;
}

/** Tensor -> keras2 and keras3 -> form -> name, for each weight of a model's architecture; throws where a layer has weights and a type outside the vocabulary. */
export function namesElsewhere({ layers, manifest }) {
  if (!layers) throw new UsageError("expected a model with an architecture, got one without");
  const namer = new Namer(layers), { graph } = layers;
  namer.graph(graph, new Way({ parts3: graph.sequential && graph.name !== undefined ? [graph.name] : [] }));
  if (namer.problems.length === 0) return namer.names;
  throw new InvalidModelError(namer.problems.map(([requirement, { type, place }]) => problem(requirement, `${spelled(manifest.sections.architecture)}#${place}/type`, `expected a type of chapter 26 for a layer with weights, got ${quoted(type)}`)));
}
