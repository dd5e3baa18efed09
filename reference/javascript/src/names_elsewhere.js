// What weights are called in files of Keras and TensorFlow (chapter 45), by how objects lead to them.

import { orderOf } from "./keras_order.js";
import { spelled } from "./names.js";
import { InvalidModelError, UsageError, problem, quoted } from "./problems.js";
import { callsOf, layersOf } from "./resolved.js";
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

/** What Keras calls the cells and layers that have no name in the document: by class, counted over the model; backward like forward. */
function partNames(graph) {
  const names = new Map(), used = new Map();
  const inside = (layer, twin) => {
    for (const [role, inner] of layer.sublayers) {
      const like = role === "backward" ? layer.sublayers.get("forward") : twin?.sublayers.get(role);
      names.set(inner, names.get(like) ?? counted(snakeCase(classOf(inner)), used));
      inside(inner, like);
    }
    for (const inner of layer.graph?.layers.values() ?? []) inside(inner);
  };
  for (const layer of graph.layers.values()) inside(layer);
  return names;
}

class Namer {
  constructor(layers) {
    this.layers = layers;
    this.parts = partNames(layers.graph);
    this.names = new Map();
  }

  /** What only a class of somebody else's tells: how its weights are called, or of how many objects it consists. */
  strangers() {
    const at = (one, member) => (one.inComposite ? one.place : `${one.place}/${member}`);
    const layers = [...layersOf(this.layers.graph)].filter((layer) => layer.isExtension && this.holdsWeights(layer));
    const calls = [...callsOf(this.layers.graph)].filter(({ op }) => op?.includes(":"));
    return new Map([...layers.map((layer) => [at(layer, "type"), layer.type]), ...calls.map((call) => [at(call, "op"), call.op])]);
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

  /** Names the weights of a layer and of what is inside it; `keeper` leads to the wrapper that keeps the layer's kernel as its own. */
  layer(layer, way, keeper) {
    this.weights(layer, cellOf(layer, way), keeper);
    const counts = new Map();
    for (const [role, inner] of layer.sublayers) {
      this.layer(inner, sublayerOf(role, inner.type, { name: this.parts.get(inner), way, counts }), layer.type === "SpectralNormalization" ? way : undefined);
    }
    if (layer.graph) this.graph(layer.graph, way);
  }

  /** Names the weights that a layer owns, where they stand on the way to the object that keeps them. */
  weights(layer, way, keeper) {
    const counts = new Map(layer.type === "SpectralNormalization" ? [[undefined, 1]] : []); // behind the kernel
    for (const { role, tensor } of this.layers.weights.get(layer)) {
      const [, projection, part] = PROJECTION.exec(role) ?? [];
      const at = projection ? way.attribute(`_${projection}_dense`, { elsewhere: layer.type === "MultiHeadAttention" ? `${projection}_dense` : `_${projection}_dense`, part2: [projection === "output" ? "attention_output" : projection] }) : way;
      const index = counts.get(projection) ?? 0;
      counts.set(projection, index + 1);
      if (this.names.has(tensor)) continue;
      const kept = keeper && (role === "kernel" || role === "embeddings"), said = { second: second(layer, part ?? role), third: third(layer, part ?? role, projection), role: part ?? role, index };
      this.names.set(tensor, kept ? spelledAt({ ...at, objects2: keeper.objects2, objects3: keeper.objects3, paths: keeper.paths }, { ...said, third: "kernel", index: 0 }) : spelledAt(at, said));
    }
  }

}

/** The names of the weight to whose object a way leads. */
function spelledAt({ objects2, objects3, outermost, named, parts2, parts3, paths }, { second: name2, third: name3, role, index }) {
  const keras2 = new Map(), keras3 = new Map(), ofTokens = role === "idf_weights"; // which HDF5 knows without a name, or not at all
  if (objects2) keras2.set("objects", [...objects2, name2].join("/"));
  if (parts2) keras2.set("hdf5", ofTokens ? `${outermost}/Variable:0` : [outermost, named.at(-1), ...parts2, `${name2}:0`].join("/"));
  if (objects3) keras3.set("objects", [...objects3, name3].join("/"));
  if (parts3 && !ofTokens) keras3.set("hdf5", [outermost, ...parts3, role].join("/"));
  if (paths) keras3.set("paths", [...paths, "vars", ofTokens ? role : String(index)].join("/"));
  return new Map([["keras2", keras2], ["keras3", keras3]]);
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
  if (type === "TextVectorization") return way.attribute("_lookup_layer");
  if (CONVOLUTIONAL.test(type)) return way.attribute("cell", { part2: [], part3: ["conv_lstm_cell"] });
  return RECURRENT.test(type) ? way.attribute("cell", { part2: [`${snakeCase(type)}_cell`] }) : way;
}

/** The way to a sublayer that is called `name`; `counts` are of the cells before it. */
function sublayerOf(role, type, { name, way, counts }) {
  const [, number] = /^cell_([0-9]+)$/.exec(role) ?? [];
  if (number) {
    return way.then({ objects2: ["cells", number], objects3: null, paths: ["cells", counted(snakeCase(type), counts)], parts2: [name], parts3: [name] });
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
  const namer = new Namer(layers), { graph } = layers, strangers = [...namer.strangers()];
  if (strangers.length) throw new InvalidModelError(strangers.map(([place, found]) => problem("NAM-005", `${spelled(manifest.sections.architecture)}#${place}`, `expected what chapters 26 and 27 know, got ${quoted(found)}`)));
  namer.graph(graph, new Way({ parts3: graph.sequential && graph.name !== undefined ? [graph.name] : [] }));
  return namer.names;
}
