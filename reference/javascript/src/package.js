// Reads a package from first byte to last: members, manifest, documents, tensors, and what they say about each other.

import { readArchive, MIMETYPE } from "./archive.js";
import { checkArchitecture } from "./architecture.js";
import { checkExtensions, readDocument } from "./documents.js";
import { checkLayers } from "./layers.js";
import { LIMITS } from "./limits.js";
import { checkManifest, checkTensorMembers, SECTIONS } from "./manifest.js";
import { checkNames, spelled } from "./names.js";
import { InvalidModelError, firstStage, problem, quoted } from "./problems.js";
import { digestOf } from "./sha256.js";
import { checkStoredWeights } from "./stored_weights.js";
import { headerHolds, readTensorSection } from "./tensor_section.js";
import { checkStateNames, checkTraining } from "./training.js";
import { checkVocabularies } from "./vocabularies.js";
import { byCodePoint, has } from "./values.js";

/** What a package holds. Documents are values of the data model; `layers` is the architecture with every type resolved. */
export class Model {
  manifest;
  architecture;
  layers;
  weights;
  training;
  state;
  assets = new Map();
}

class Reader {
  constructor({ members, known, limits, hash, problems }) {
    Object.assign(this, { members, known, limits, hash, problems, model: new Model(), named: new Set() });
  }

  /** Reads the manifest; false where there is nothing to go on with. */
  manifest() {
    const blob = this.members.get("manifest.json");
    if (blob === undefined) {
      this.problems.push(problem("PKG-001", "", "expected the member manifest.json, it is missing"));
      return false;
    }
    const manifest = this.document("manifest.json", "manifest.schema.json");
    if (manifest === undefined || this.problems.length) return false;
    const { problems, sound } = checkManifest(manifest, this.members, this.known);
    this.problems.push(...problems);
    this.model.manifest = manifest;
    this.sound = sound;
    return true;
  }

  /** The value of a document that keeps its schema; undefined, with problems, where it does not. */
  document(member, schema) {
    const blob = this.members.get(member);
    const bytes = blob.size > this.limits.documentBytes ? { length: blob.size } : blob.slice();
    const { value, problems } = readDocument(bytes, { member: spelled(member), schema, limits: this.limits });
    this.problems.push(...problems);
    return problems.every(({ stage }) => stage === "semantic") ? value : undefined;
  }

  /** Whether the digest of a document or an asset is the recorded one. */
  verified(member) {
    const blob = this.members.get(member), { digest } = this.model.manifest.members[member];
    const found = digestOf(blob, 0, blob.size, this.hash);
    if (found === digest) return true;
    this.problems.push(problem("PKG-008", spelled(member), `expected the content of ${quoted(member)} to have the digest ${digest}, got ${found}`));
    return false;
  }

  architecture(name) {
    const before = this.problems.length, architecture = this.document(name, "architecture.schema.json"), member = spelled(name);
    if (architecture === undefined) return;
    const { problems, used } = checkExtensions(architecture, { member, known: this.known });
    problems.push(...checkArchitecture(architecture, { member, used }));
    const broken = problems.length > 0 || this.problems.length > before;
    const { layers, problems: found } = checkLayers(architecture, { member, broken });
    const whole = this.problems.splice(before);
    this.problems.push(...firstStage([...whole, ...problems, ...found]));
    this.model.architecture = architecture;
    this.model.layers = layers;
  }

  training(name) {
    const before = this.problems.length, training = this.document(name, "training.schema.json"), member = spelled(name);
    if (training === undefined) return;
    const { problems, used } = checkExtensions(training, { member, known: this.known });
    problems.push(...checkTraining(training, { member, used, architecture: this.model.architecture }));
    const whole = this.problems.splice(before);
    this.problems.push(...firstStage([...whole, ...problems]));
    this.model.training = training;
  }

  /** What the reading of safetensors members needs. */
  get context() {
    const { members, sound, limits, hash, problems } = this;
    return { members, sound, records: this.model.manifest.members, limits, hash, problems };
  }

  tensors(member) {
    const { tensors, named } = readTensorSection(member, this.context);
    for (const name of named) this.named.add(name);
    return tensors;
  }

  /** Reads every section whose member is sound and of its kind, and every asset. */
  sections() {
    const { sections, members: records } = this.model.manifest, unfit = new Set(this.problems.map(({ place }) => place));
    for (const name of this.sound) if (has(records[name], "tensor_digests") && !headerHolds(name, this.context)) this.sound.delete(name);
    for (const section of SECTIONS.filter((one) => has(sections, one))) {
      const member = sections[section];
      if (unfit.has(`manifest.json#/sections/${section}`)) continue;
      this.named.add(member);
      if (!this.sound.has(member)) continue;
      const digest = has(records[member], "digest");
      if (digest && !this.verified(member)) continue;
      if (section === "weights") this.model.weights = this.tensors(member);
      else if (section === "training_state") this.model.state = this.tensors(member);
      else this[section](member);
    }
    if (this.problems.length === 0) this.problems.push(...checkTensorMembers(this.model.manifest, this.named));
    for (const name of [...this.sound].sort(byCodePoint)) {
      if (!this.named.has(name) && has(records[name], "digest") && this.verified(name)) this.model.assets.set(name, this.members.get(name));
    }
  }

  /** What two sections say about each other. */
  together() {
    const { model, problems } = this, { sections } = model.manifest;
    if (model.layers) problems.push(...checkVocabularies(model, spelled(sections.architecture)));
    if (model.layers && model.weights) problems.push(...checkStoredWeights(model, spelled(sections.weights)));
    if (model.state) problems.push(...checkStateNames(model, spelled(sections.training_state)));
  }

  read() {
    if (!this.manifest()) return;
    this.sections();
    if (this.problems.length === 0) this.together();
  }
}

function readMembers(source, limits) {
  if (source.archive) return readArchive(source.archive, { limits, checkNames });
  const names = [...source.members.keys()].sort(byCodePoint);
  const problems = [...checkNames(names), ...(source.problems ?? [])];
  if (names.length > limits.members) problems.push(problem("SEC-016", "", `expected at most ${limits.members} members, got ${names.length}`));
  return { members: source.members, problems };
}

function checkMimetype(members) {
  const blob = members.get("mimetype");
  if (blob === undefined) return [];
  const text = new TextDecoder("latin1").decode(blob.slice(0, Math.min(blob.size, 64)));
  return blob.size === MIMETYPE.length && text === MIMETYPE ? [] : [problem("PKG-016", "mimetype", `expected ${quoted(MIMETYPE)}, got ${quoted(text)}`)];
}

/** The model of a source, and every problem; the model is complete only where there are none. */
export function inspectPackage(source, { extensions = [], limits = {}, hash } = {}) {
  const allowed = { ...LIMITS, ...limits };
  const { members, problems } = readMembers(source, allowed);
  problems.push(...checkMimetype(members));
  for (const one of problems) one.place = spelled(one.place); // so far each is a member as a whole
  const reader = new Reader({ members, known: extensions, limits: allowed, hash, problems });
  if (problems.length === 0) reader.read();
  return { model: reader.model, problems };
}

/** The model that a package holds; throws InvalidModelError, with every problem, where it breaks the specification. */
export function readPackage(source, options) {
  const { model, problems } = inspectPackage(source, options);
  if (problems.length) throw new InvalidModelError(problems);
  return model;
}

/** The problems of a package; none where it keeps every requirement. */
export const validatePackage = (source, options) => inspectPackage(source, options).problems;
