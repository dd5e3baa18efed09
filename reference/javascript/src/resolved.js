// An architecture with every type resolved: its layers in order, and its weights with shape and tensor (chapter 25).

import { evaluateCondition } from "./expressions.js";

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

/** The calls of a graph, those inside its layers too. */
export function* callsOf(graph) {
  yield* graph.calls;
  for (const layer of layersOf(graph)) if (layer.graph) yield* layer.graph.calls;
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
