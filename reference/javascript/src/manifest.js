// Holds the manifest to the members of its package: what is listed, present, of the right size and kind.

import { checkExtensionData, checkExtensions } from "./documents.js";
import { isMemberName, spelled } from "./names.js";
import { problem, quoted, step } from "./problems.js";
import { has, numberOf } from "./values.js";

export const SECTIONS = ["architecture", "weights", "training", "training_state"];
const UNLISTED = ["manifest.json", "mimetype"];
const KINDS = {
  architecture: (name, record) => has(record, "digest") && /\.(?:json|yaml)$/.test(name),
  training: (name, record) => has(record, "digest") && /\.(?:json|yaml)$/.test(name),
  weights: (name, record) => (has(record, "digest") ? name.endsWith(".safetensors.index.json") : name.endsWith(".safetensors")),
};
KINDS.training_state = KINDS.weights;

/** The problems of a manifest that keeps its schema, beside the members that are there (name -> blob), and which of those are sound. */
export function checkManifest(manifest, members, known) {
  const at = (pointer) => `manifest.json#${pointer}`;
  const { problems, used } = checkExtensions(manifest, { member: "manifest.json", known });
  checkExtensionData(manifest, at(""), used, problems);
  const { sections, members: records } = manifest, sound = new Set();
  for (const [name, record] of Object.entries(records)) {
    const pointer = step("/members", name), blob = members.get(name);
    if (UNLISTED.includes(name)) problems.push(problem("PKG-018", at(pointer), `expected neither manifest.json nor mimetype to be listed, got ${quoted(name)}`));
    else if (!isMemberName(name)) problems.push(problem("PKG-002", at(pointer), `expected a member name of chapter 30, got ${quoted(name)}`));
    else if (blob === undefined) problems.push(problem("PKG-006", at(pointer), `expected the listed member ${quoted(name)} to be there, it is missing`));
    else if (numberOf(record.size) !== blob.size) problems.push(problem("PKG-007", at(`${pointer}/size`), `expected ${blob.size} bytes, got ${numberOf(record.size)}`));
    else sound.add(name);
  }
  for (const name of members.keys()) {
    if (!UNLISTED.includes(name) && !has(records, name)) problems.push(problem("PKG-019", spelled(name), `expected every file to be listed in the manifest, ${quoted(name)} is not`));
  }
  for (const section of SECTIONS.filter((one) => has(sections, one))) {
    const name = sections[section];
    if (!has(records, name) || !KINDS[section](name, records[name])) {
      problems.push(problem("PKG-013", at(`/sections/${section}`), `expected a listed member of the kind of ${section}, got ${quoted(name)}`));
    }
  }
  if (has(sections, "training_state") && !has(sections, "training")) {
    problems.push(problem("PKG-014", at("/sections"), "expected the section training beside training_state, got none"));
  }
  return { problems, sound };
}

/** Members with `tensor_digests` that neither a section nor a shard index names; `named` are those that one does. */
export function checkTensorMembers(manifest, named) {
  return Object.entries(manifest.members)
    .filter(([name, record]) => has(record, "tensor_digests") && !named.has(name))
    .map(([name]) => problem("PKG-015", `manifest.json#${step("/members", name)}`, `expected ${quoted(name)} to belong to a section, it does not`));
}
