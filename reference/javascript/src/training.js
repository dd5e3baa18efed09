// Checks of the training document and of the names of the training state (chapters 50 and 51).

import { checkExtensionData } from "./documents.js";
import { problem, quoted, step } from "./problems.js";
import { checkSchema } from "./schema.js";
import { VOCABULARY } from "./tables.js";
import { emptyObject, has, isObject, toPlain } from "./values.js";

const isExtensionType = (type) => type.includes(":");

function checkBoundaries(config, place) {
  const { boundaries, values } = toPlain(config);
  const right = values.length === boundaries.length + 1 && boundaries.every((one, i) => i === 0 || boundaries[i - 1] < one);
  return right ? [] : [problem("TRN-017", place, `expected rising boundaries, one fewer than the ${values.length} values, got ${quoted(boundaries)}`)];
}

/** The problems of an object with a type and a config, of a family such as `schedules`, and of the parts inside it. */
export function checkComponent(family, component, { member, place }) {
  if (isExtensionType(component.type) || !has(VOCABULARY.training[family], component.type)) return [];
  const config = component.config ?? emptyObject();
  const problems = checkSchema(`${family}/${component.type}.schema.json`, config, { member, place: `${place}/config` });
  if (component.type === "PiecewiseConstantDecay" && problems.length === 0) problems.push(...checkBoundaries(config, `${member}#${place}/config/boundaries`));
  return [...problems, ...checkParts(config, { member, place: `${place}/config` })];
}

const PARTS = [["learning_rate", "schedules"], ["_initializer", "initializers"], ["_regularizer", "regularizers"], ["_constraint", "constraints"], ["schedule", "schedules"], ["after", "schedules"]];

/** The problems of the schedules, initializers, regularizers and constraints in a config, by the names of its members. */
export function checkParts(config, { member, place }) {
  return Object.entries(config).flatMap(([name, part]) => {
    const family = PARTS.find(([end]) => name === end || (end.startsWith("_") && name.endsWith(end)))?.[1];
    const isPart = family && isObject(part) && typeof part.type === "string" && (!has(part, "config") || isObject(part.config));
    return isPart ? checkComponent(family, part, { member, place: step(place, name) }) : [];
  });
}

/** The names of the outputs of an architecture; undefined where it has none. */
function outputNames(architecture) {
  if (!architecture) return undefined;
  return architecture.outputs ?? architecture.layers.slice(-1).map(({ name }) => name);
}

/** The problems of a training document that keeps its schema. */
export function checkTraining(training, { member, used, architecture }) {
  const problems = [];
  const outputs = outputNames(architecture);
  checkExtensionData(training, `${member}#`, used, problems);
  const component = (one, family, place) => {
    checkExtensionData(one, `${member}#${place}`, used, problems);
    if (!isExtensionType(one.type) && !has(VOCABULARY.training[family], one.type)) {
      problems.push(problem("TRN-011", `${member}#${place}/type`, `expected one of the ${family} of chapter 51 or an extension type, got ${quoted(one.type)}`));
    }
    problems.push(...checkComponent(family, one, { member, place }));
    if (outputs && has(one, "output") && !outputs.includes(one.output)) {
      problems.push(problem("TRN-007", `${member}#${place}/output`, `expected the name of an output of the architecture, got ${quoted(one.output)}`));
    }
  };
  if (has(training, "optimizer")) component(training.optimizer, "optimizers", "/optimizer");
  (training.losses ?? []).forEach((loss, i) => component(loss, "losses", `/losses/${i}`));
  (training.metrics ?? []).forEach((metric, i) => component(metric, "metrics", `/metrics/${i}`));
  return problems;
}

const STATE_NAME = /^(?:optimizer\.[a-z][a-z0-9_]*(?:\..+)?|(?!optimizer\.)[a-z][a-z0-9_]*\..+)$/su;

/** The slot and the weight that a state tensor belongs to; undefined for one that belongs to no weight. */
export function slotOf(name) {
  const [, slot, tensor] = /^optimizer\.([a-z][a-z0-9_]*)\.(.+)$/su.exec(name) ?? [];
  return slot && { slot, tensor };
}

/** The problems of the names of the training state. */
export function checkStateNames({ state, weights, manifest }, member) {
  const sharded = member.endsWith(".json");
  const place = (name) => (sharded ? `${member}#${step("/weight_map", name)}` : `${member}#${step("", name)}`);
  return [...state.keys()].flatMap((name) => {
    if (!STATE_NAME.test(name)) return [problem("TRN-008", place(name), `expected optimizer.<slot>.<weight>, optimizer.<name> or <prefix>.<name>, got ${quoted(name)}`)];
    const slot = slotOf(name);
    const lost = slot && has(manifest.sections, "weights") && weights && !weights.has(slot.tensor);
    return lost ? [problem("TRN-009", place(name), `expected a slot of a tensor of the weights section, got ${quoted(name)}`)] : [];
  });
}
