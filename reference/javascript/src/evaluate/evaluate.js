// Evaluates a model: arrays in, arrays out, layer by layer (chapter 28).

import { isObject, toPlain } from "../values.js";
import { UnsupportedError, UsageError } from "../problems.js";
import { evaluateCondition, evaluateShape, namesOf } from "../expressions.js";
import { checkLayers } from "../layers.js";
import { operandsOf } from "../operation_shapes.js";
import { vocabularyOf } from "../vocabularies.js";
import { activationLayer } from "./activations.js";
import { cast, finish, fromBytes, isFloating, keptMask, transposed } from "./arrays.js";
import { LAYERS as ATTENTION } from "./attention_layers.js";
import { LAYERS as BASIC } from "./basic_layers.js";
import { LAYERS as LOOKUP } from "./lookup_layers.js";
import { LAYERS as MERGING } from "./merging_layers.js";
import { commonDtype, operate } from "./operations.js";
import { LAYERS as RECURRENT } from "./recurrent_layers.js";
import { LAYERS as SPATIAL } from "./spatial_layers.js";

const LAYERS = { ...BASIC, ...SPATIAL, ...MERGING, ...RECURRENT, ...ATTENTION, ...LOOKUP };
/** Types that yield their input once training is over. */
const IDLE = /^(?:Identity|Dropout|SpatialDropout[123]D|GaussianNoise|GaussianDropout|AlphaDropout|ActivityRegularization|Random[A-Z]\w*)$/;

/** The inputs of a layer as it takes them, and the dtype of what it yields (chapter 28). */
function entering({ definition, settings, computeDtype: dtype }, inputs) {
  if (!isFloating(dtype)) return { dtype, entered: inputs };
  const floats = inputs.map((tensor) => (isFloating(tensor.dtype) ? cast(tensor, dtype) : tensor)), { keeps_dtype: keeps, takes_as_given: given } = definition;
  if (typeof keeps === "string" ? evaluateCondition(keeps, settings) : keeps) {
    const common = commonDtype(floats, []);
    return { dtype: common, entered: floats.map((tensor) => cast(tensor, common)) };
  }
  return { dtype, entered: given ? floats : floats.map((tensor) => cast(tensor, dtype)) };
}

class Evaluation {
  constructor(model) {
    this.model = model;
    this.weights = new Map();
  }

  /** The weights of a layer by role, in canonical order of axes. */
  weightsOf(layer, inputs) {
    if (!this.weights.has(layer)) {
      const found = {}, names = namesOf(layer.settings, inputs.map(({ shape }) => shape));
      for (const { role, tensor, axes, row } of this.model.layers.weights.get(layer)) {
        const stored = this.model.weights?.get(tensor);
        if (stored === undefined) throw new UnsupportedError(`the package holds no weights: ${tensor} is missing`);
        const array = fromBytes(stored.dtype, stored.shape, stored.bytes());
        const weight = axes ? transposed(array, axes) : array, shape = row && evaluateShape(row.shape, names);
        if (shape?.every((extent) => extent !== null && extent !== undefined) && (shape.length !== weight.rank || shape.some((extent, i) => extent !== weight.shape[i]))) {
          throw new UsageError(`layer ${layer.path}: expected a ${role} of shape [${shape.join(", ")}], got [${weight.shape.join(", ")}]`);
        }
        found[role] = isFloating(weight.dtype) && isFloating(layer.computeDtype) ? cast(weight, layer.computeDtype) : weight;
      }
      this.weights.set(layer, found);
    }
    return this.weights.get(layer);
  }

  /** [{ tensor, mask }] for what a layer yields. */
  layer(layer, inputs, { masks = [], call = {} }) {
    if (layer.graph) return this.graph(layer.graph, inputs.map((tensor, i) => ({ tensor, mask: masks[i] ?? null })));
    if (!layer.definition) throw new UnsupportedError(`layer ${layer.path}: expected a type that can be evaluated, got ${layer.type}`);
    const { dtype, entered } = entering(layer, inputs), [x] = entered, first = masks[0] ?? null;
    const yielded = (tensor) => [{ tensor, mask: layer.definition.mask === "none" ? null : keptMask(first, tensor) }];
    if (IDLE.test(layer.type)) return yielded(x);
    const activated = activationLayer(layer.type, layer.settings, x);
    if (activated) return yielded(finish(isFloating(dtype) ? dtype : x.dtype, x.shape, activated));
    if (!Object.hasOwn(LAYERS, layer.type)) throw new UnsupportedError(`layer ${layer.path}: the type ${layer.type} cannot be computed here`);
    const found = LAYERS[layer.type]({
      c: layer.settings, w: this.weightsOf(layer, inputs), x, inputs: entered, masks: entered.map((_, i) => masks[i] ?? null), call, layer, dtype,
      vocabulary: vocabularyOf(layer, this.model.assets), apply: (inner, given, options) => this.layer(inner, given, options),
    });
    if (Array.isArray(found)) return found.map(({ tensor, mask }) => ({ tensor: isFloating(tensor.dtype) && isFloating(layer.computeDtype) ? cast(tensor, layer.computeDtype) : tensor, mask }));
    return yielded(finish(dtype, found.shape, found.data));
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
      const operands = operandsOf({ ...call, settings: { ...call.settings, ...call.config } }).map(({ input, literal }) => (input === undefined ? literal : inputs[input].tensor));
      return operate(call, operands).map((tensor) => ({ tensor, mask: null }));
    }
    const given = Object.fromEntries(Object.entries(call.arguments).map(([name, argument]) => [name, this.argument(argument, values)]));
    const masks = inputs.map(({ mask }) => mask);
    if (given.mask !== undefined && given.mask !== null) [given.mask].flat().forEach((mask, i) => { masks[i] = mask && cast(mask, "bool"); });
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

/** Throws unless the inputs fit the architecture, shapes that it leaves open included. */
function checkFit({ architecture, layers: { graph } }, given) {
  const known = new Map();
  given.forEach(({ tensor }, i) => {
    const declared = graph.inputs?.[i];
    const fits = !declared || (declared.shape.length === tensor.rank && declared.shape.every((extent, axis) => extent === null || extent === tensor.shape[axis]));
    declared?.names.forEach((name, axis) => {
      if (name !== undefined && (known.get(name) ?? tensor.shape[axis]) !== tensor.shape[axis]) throw new UsageError(`expected one extent for ${name} in all inputs, got ${known.get(name)} and ${tensor.shape[axis]}`);
      known.set(name, tensor.shape[axis]);
    });
    if (!fits) throw new UsageError(`expected input ${declared.name} of shape [${declared.shape.map(String).join(", ")}], got [${tensor.shape.join(", ")}]`);
  });
  const inputs = given.map(({ tensor }, i) => ({ name: "input", dtype: tensor.dtype, ...architecture.inputs?.[i], shape: tensor.shape }));
  const [first] = checkLayers({ ...architecture, inputs }, { member: "", broken: false }).problems;
  if (first) throw new UsageError(`expected inputs that fit the architecture: ${first.place.slice(1)}: ${first.message}`);
}

/** The arrays that a model yields for an array for each of its inputs, by name. */
export function evaluateModel(model, inputs) {
  if (!model.layers) throw new UsageError("expected a model with an architecture, got one without");
  const { graph } = model.layers, names = graph.inputs?.map(({ name }) => name) ?? [Object.keys(inputs)[0]];
  const given = names.map((name, i) => {
    if (!Object.hasOwn(inputs, name)) throw new UsageError(`expected an array for the input ${name}, got none`);
    const tensor = inputs[name], dtype = graph.inputs?.[i].dtype;
    return { tensor: dtype && dtype !== "string" ? cast(tensor, dtype) : tensor, mask: null };
  });
  checkFit(model, given);
  const results = new Evaluation(model).graph(graph, given), outputs = graph.outputNames ?? graph.outputs;
  return Object.fromEntries(outputs.map((name, i) => [name, results[i].tensor]));
}
