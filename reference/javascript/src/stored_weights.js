// Holds the tensors of the weights section to the weights that the architecture needs (chapter 25).

import { dtypeOfName } from "./dtypes.js";
import { problem, quoted, step } from "./problems.js";

const shown = (shape) => `[${shape.map(String).join(", ")}]`;

/** The problems of the weights section beside a resolved architecture. */
export function checkStoredWeights({ layers, weights }, member) {
  const problems = [], owned = new Set(), sharded = member.endsWith(".json");
  const place = (name) => `${member}#${step(sharded ? "/weight_map" : "", name)}`;
  for (const weight of layers.allWeights()) {
    const { layer, role, tensor: name, shape, axes } = weight, tensor = weights.get(name);
    owned.add(name);
    if (tensor === undefined) {
      problems.push(problem("LYR-011", `${member}#`, `expected a tensor ${quoted(name)} for the ${role} of ${quoted(layer.path)}, got none`));
      continue;
    }
    if (axes && axes.length !== tensor.shape.length) {
      problems.push(problem("LYR-015", place(name), `expected ${quoted(name)} to have the ${axes.length} axes that ${quoted(layer.path)} orders, got ${tensor.shape.length}`));
      continue;
    }
    const found = axes ? axes.map((axis) => tensor.shape[axis]) : tensor.shape;
    const known = shape?.every((extent) => extent !== null);
    if (known && !(shape.length === found.length && shape.every((extent, i) => extent === found[i]))) {
      problems.push(problem("LYR-012", place(name), `expected ${quoted(name)}, the ${role} of ${quoted(layer.path)}, to have shape ${shown(shape)}, got ${shown(found)}`));
    }
    if (!layer.isExtension && dtypeOfName(tensor.dtype).kind !== dtypeOfName(weight.dtype).kind) {
      problems.push(problem("LYR-013", place(name), `expected ${quoted(name)} to hold elements like ${weight.dtype}, got ${tensor.dtype}`));
    }
  }
  for (const name of weights.keys()) {
    if (!owned.has(name)) problems.push(problem("LYR-014", place(name), `expected every tensor to be a weight of the architecture, got ${quoted(name)}`));
  }
  return problems;
}
