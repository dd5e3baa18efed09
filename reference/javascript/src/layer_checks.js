// Checks of layers and operations as they are written: types, sublayers, configs, roles of weights, tensors that collide.

import { problem, quoted, step } from "./problems.js";
import { callsOf, layersOf, weightRows } from "./resolved.js";
import { namesParameters, written } from "./resolve.js";
import { checkSchema } from "./schema.js";
import { VOCABULARY } from "./tables.js";
import { checkParts } from "./training.js";
import { emptyObject, has, isObject } from "./values.js";

const ACTIVATIONS = Object.entries(VOCABULARY.types).filter(([name, { family, weights }]) => family === "Activation" && !weights && name !== "GLU").map(([name]) => name);

/** The problems of a config, and of activations and other parts in it. */
function checkConfig(file, config, { member, place }) {
  const problems = [...checkSchema(file, config, { member, place }), ...checkParts(config, { member, place })];
  for (const [name, value] of Object.entries(config)) {
    if (!name.endsWith("activation") || !isObject(value) || typeof value.type !== "string" || value.type.includes(":")) continue;
    const at = step(place, name);
    if (!ACTIVATIONS.includes(value.type)) problems.push(problem("LYR-003", `${member}#${at}/type`, `expected a type of the family Activation without weights that keeps a shape, or an extension type, got ${quoted(value.type)}`));
    else if (!has(value, "config") || isObject(value.config)) problems.push(...checkConfig(`layers/${value.type}.schema.json`, value.config ?? emptyObject(), { member, place: `${at}/config` }));
  }
  return problems;
}

/** The problems of types, operations and sublayers as they are written, inside composites too. */
export function checkWritten(architecture, member) {
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
        if (!rolesFit(wanted, found)) add("LYR-004", found.length ? `${place}/sublayers` : place, `expected ${wanted.length ? wanted.join(" and ") : "no layers"} as sublayers, got ${found.length ? found.map(quoted).join(", ") : "none"}`);
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
export function checkConfigs(architecture, graph, member) {
  const problems = [], composites = Object.entries(architecture.composites ?? emptyObject());
  for (const [one, pointer] of [[architecture, ""], ...composites.map(([name, composite]) => [composite, step("/composites", name)])]) {
    for (const { layer, call, place } of written(one, pointer)) {
      const { config = emptyObject() } = layer ?? call, [folder, table, type] = layer ? ["layers", VOCABULARY.types, layer.type] : ["operations", VOCABULARY.operations, call.op];
      if (has(table, type) && type !== "Model" && (pointer === "" || !namesParameters(config))) problems.push(...checkConfig(`${folder}/${type}.schema.json`, config, { member, place: `${place}/config` }));
    }
  }
  if (problems.length) return problems; // what a use puts into configs comes later
  const uses = [...[...layersOf(graph)].map((layer) => [layer, `layers/${layer.type}`, layer.path]), ...[...callsOf(graph)].map((call) => [call, `operations/${call.op}`, call.op])];
  for (const [holder, file, what] of uses) {
    if (!holder.definition || !holder.inComposite || !holder.parameterized) continue;
    const [first] = checkConfig(`${file}.schema.json`, holder.config, { member, place: "" });
    if (first) problems.push({ ...first, place: `${member}#${holder.place}`, message: `${what}: ${first.message}` });
  }
  return problems;
}

/** Roles in `weights` that a layer does not own. */
export function checkRoles(graph, member) {
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

/** Tensors that two weights would be stored in although neither names one (ARC-018). */
export function checkCollisions(resolved, member) {
  const problems = [], owners = new Map();
  for (const weight of resolved.allWeights()) {
    const other = owners.get(weight.tensor);
    if (other && !other.entry && !weight.entry) problems.push(problem("ARC-018", `${member}#${weight.layer.place}`, `expected weights to share a tensor only where one names it, got ${quoted(weight.tensor)} for ${quoted(other.layer.path)} and ${quoted(weight.layer.path)}`));
    if (!other || !weight.entry) owners.set(weight.tensor, weight);
  }
  return problems;
}
