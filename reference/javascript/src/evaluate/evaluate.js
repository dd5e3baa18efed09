// Evaluates a model: arrays in, arrays out, layer by layer (chapter 28).

import { isObject, toPlain } from "../values.js";
import { UnsupportedError, UsageError } from "../problems.js";
import { operandsOf } from "../operation_shapes.js";
import { vocabularyOf } from "../vocabularies.js";
import { activationLayer } from "./activations.js";
import { cast, finish, fromBytes, isFloating, transposed } from "./arrays.js";
import { LAYERS as ATTENTION } from "./attention_layers.js";
import { LAYERS as BASIC } from "./basic_layers.js";
import { LAYERS as LOOKUP } from "./lookup_layers.js";
import { LAYERS as MERGING } from "./merging_layers.js";
import { operate } from "./operations.js";
import { LAYERS as RECURRENT } from "./recurrent_layers.js";
import { LAYERS as SPATIAL } from "./spatial_layers.js";

const LAYERS = { ...BASIC, ...SPATIAL, ...MERGING, ...RECURRENT, ...ATTENTION, ...LOOKUP };
/** Types that yield their input once training is over. */
const IDLE = /^(?:Identity|Dropout|SpatialDropout[123]D|GaussianNoise|GaussianDropout|AlphaDropout|ActivityRegularization|Random[A-Z]\w*)$/;
/** Types whose result belongs, step by step, to the steps of their input, so that a mask goes on with it. */
const STEPWISE = /^(?:Dense|EinsumDense|Rescaling|\w*Normalization|PReLU|GLU|RotaryEmbedding|SinePositionEncoding|PositionEmbedding)$/;

class Evaluation {
  constructor(model) {
    this.model = model;
    this.weights = new Map();
  }

  /** The weights of a layer by role, in canonical order of axes. */
  weightsOf(layer) {
    if (!this.weights.has(layer)) {
      const found = {};
      for (const { role, tensor, axes } of this.model.layers.weights.get(layer)) {
        const stored = this.model.weights?.get(tensor);
        if (stored === undefined) throw new UnsupportedError(`the package holds no weights: ${tensor} is missing`);
        const array = fromBytes(stored.dtype, stored.shape, stored.bytes());
        found[role] = axes ? transposed(array, axes) : array;
      }
      this.weights.set(layer, found);
    }
    return this.weights.get(layer);
  }

  /** [{ tensor, mask }] for what a layer yields. */
  layer(layer, inputs, { masks = [], call = {} }) {
    if (layer.graph) return this.graph(layer.graph, inputs.map((tensor, i) => ({ tensor, mask: masks[i] ?? null })));
    if (!layer.definition) throw new UnsupportedError(`layer ${layer.path}: expected a type that can be evaluated, got ${layer.type}`);
    const dtype = layer.computeDtype, cased = inputs.map((tensor) => (isFloating(tensor.dtype) && isFloating(dtype) ? cast(tensor, dtype) : tensor)), [x] = cased;
    const first = masks[0] ?? null;
    if (IDLE.test(layer.type)) return [{ tensor: x, mask: first }];
    const activated = activationLayer(layer.type, layer.settings, x);
    if (activated) return [{ tensor: finish(isFloating(dtype) ? dtype : x.dtype, x.shape, activated), mask: first }];
    if (!Object.hasOwn(LAYERS, layer.type)) throw new UnsupportedError(`layer ${layer.path}: the type ${layer.type} cannot be computed here`);
    const found = LAYERS[layer.type]({
      c: layer.settings, w: this.weightsOf(layer), x, inputs: cased, masks: cased.map((_, i) => masks[i] ?? null), call, layer, dtype,
      vocabulary: vocabularyOf(layer, this.model.assets), apply: (inner, given, options) => this.layer(inner, given, options),
    });
    return Array.isArray(found) ? found : [{ tensor: finish(dtype, found.shape, found.data), mask: STEPWISE.test(layer.type) ? first : null }];
  }

  /** An argument of a call with its values in their places. */
  argument(argument, values) {
    if (Array.isArray(argument)) return argument.map((item) => this.argument(item, values));
    return isObject(argument) && typeof argument.value === "string" ? values.get(argument.value).tensor : toPlain(argument);
  }

  call(call, values) {
    const inputs = call.inputs.map((name) => values.get(name));
    if (call.op !== undefined) {
      if (!call.definition) throw new UnsupportedError(`the operation ${call.op} cannot be computed here`);
      const operands = operandsOf(call).map(({ input, literal }) => (input === undefined ? literal : inputs[input].tensor));
      return operate(call.op, call.settings, operands).map((tensor) => ({ tensor, mask: null }));
    }
    const given = Object.fromEntries(Object.entries(call.arguments).map(([name, argument]) => [name, this.argument(argument, values)]));
    const masks = inputs.map(({ mask }) => mask);
    if (given.mask !== undefined && given.mask !== null) [given.mask].flat().forEach((mask, i) => { masks[i] = mask; });
    return this.layer(call.layer, inputs.map(({ tensor }) => tensor), { masks, call: given });
  }

  graph(graph, inputs) {
    const values = new Map();
    if (graph.inputs) graph.inputs.forEach(({ name }, i) => values.set(name, inputs[i]));
    else values.set(graph.entry, inputs[0]);
    for (const call of graph.calls) this.call(call, values).forEach((value, i) => values.set(call.outputs[i], value));
    return graph.outputs.map((name) => values.get(name));
  }
}

/** The arrays that a model yields for an array for each of its inputs, by name. */
export function evaluateModel(model, inputs) {
  if (!model.layers) throw new UsageError("expected a model with an architecture, got one without");
  const { graph } = model.layers, names = graph.inputs?.map(({ name }) => name) ?? [Object.keys(inputs)[0]];
  const given = names.map((name, i) => {
    if (!Object.hasOwn(inputs, name)) throw new UsageError(`expected an array for the input ${name}, got none`);
    const tensor = inputs[name], dtype = graph.inputs?.[i].dtype;
    return { tensor: dtype && isFloating(dtype) && isFloating(tensor.dtype) ? cast(tensor, dtype) : tensor, mask: null };
  });
  const results = new Evaluation(model).graph(graph, given), outputs = graph.outputNames ?? graph.outputs;
  return Object.fromEntries(outputs.map((name, i) => [name, results[i].tensor]));
}
