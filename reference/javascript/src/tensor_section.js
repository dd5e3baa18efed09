// Reads a section of tensors: one safetensors member, or shards that an index joins; every digest is verified.

import { readDocument } from "./documents.js";
import { problem, quoted, step } from "./problems.js";
import { headerSize, readTensors } from "./safetensors.js";
import { digestOf } from "./sha256.js";
import { has } from "./values.js";

/** The tensors of one member, with problems of digests, header and ranges. */
function readMember(name, { members, records, sound, limits, hash, problems }) {
  const found = [], blob = members.get(name), record = records[name];
  if (!sound.has(name)) return undefined;
  const size = headerSize(blob, { member: name, limits, problems: found });
  let read;
  if (size !== undefined) {
    const digest = digestOf(blob, 0, size, hash);
    if (digest !== record.header_digest) found.push(problem("PKG-009", name, `expected the header to have the digest ${record.header_digest}, got ${digest}`));
    else if (found.length === 0) read = readTensors(blob, size, { member: name, limits, problems: found });
  }
  problems.push(...found);
  if (!read) return undefined;
  const { tensors } = read, digests = record.tensor_digests;
  const odd = [...new Set([...tensors.keys(), ...Object.keys(digests)])].filter((one) => !tensors.has(one) || !has(digests, one));
  if (odd.length) problems.push(problem("PKG-011", `manifest.json#${step("/members", name)}/tensor_digests`, `expected one digest for each tensor of ${quoted(name)}, got a difference at ${quoted(odd[0])}`));
  for (const tensor of tensors.values()) {
    if (!has(digests, tensor.name)) continue;
    const digest = digestOf(blob, tensor.begin, tensor.begin + tensor.size, hash);
    if (digest !== digests[tensor.name]) problems.push(problem("PKG-010", `${name}#${step("", tensor.name)}`, `expected the bytes of ${quoted(tensor.name)} to have the digest ${digests[tensor.name]}, got ${digest}`));
  }
  return tensors;
}

/** The members that hold the tensors of a section; undefined, with problems, where its index is none. */
function readIndex(name, { members, records, limits, problems }) {
  const { value, problems: found } = readDocument(members.get(name).slice(), { member: name, schema: "shard_index.schema.json", limits });
  problems.push(...found);
  if (found.length) return undefined;
  const shards = new Set();
  for (const [tensor, shard] of Object.entries(value.weight_map)) {
    if (has(records, shard) && has(records[shard], "tensor_digests")) shards.add(shard);
    else problems.push(problem("WGT-014", `${name}#${step("/weight_map", tensor)}`, `expected a member that the manifest lists with tensor digests, got ${quoted(shard)}`));
  }
  if (shards.size > limits.shards) problems.push(problem("SEC-016", `${name}#/weight_map`, `expected at most ${limits.shards} shards, got ${shards.size}`));
  return { map: value.weight_map, shards };
}

function readShards(name, { map, shards }, context) {
  const { problems } = context, before = problems.length, tensors = new Map(), owners = new Map();
  for (const shard of shards) {
    for (const tensor of readMember(shard, context)?.values() ?? []) {
      owners.set(tensor.name, [...(owners.get(tensor.name) ?? []), shard]);
      if (map[tensor.name] === shard) tensors.set(tensor.name, tensor);
    }
  }
  if (problems.length > before || [...shards].some((shard) => !context.sound.has(shard))) return undefined;
  for (const [tensor, shard] of Object.entries(map)) {
    const found = owners.get(tensor) ?? [];
    if (found.length !== 1 || found[0] !== shard) {
      problems.push(problem("WGT-015", `${name}#${step("/weight_map", tensor)}`, `expected tensor ${quoted(tensor)} in ${quoted(shard)} alone, got it in ${found.length ? found.map(quoted).join(", ") : "none"}`));
    }
  }
  const lost = [...owners.keys()].find((tensor) => !has(map, tensor));
  if (lost !== undefined) problems.push(problem("WGT-015", `${name}#/weight_map`, `expected every tensor of the shards, ${quoted(lost)} is not mapped`));
  return problems.length > before ? undefined : tensors;
}

/** The tensors of the section that the member `name` stands for (name -> StoredTensor), and the members that hold them. */
export function readTensorSection(name, context) {
  if (!name.endsWith(".json")) return { tensors: readMember(name, context), named: [name] };
  const before = context.problems.length;
  const index = readIndex(name, context);
  if (context.problems.length > before) return { named: index ? [...index.shards] : [] };
  return { tensors: readShards(name, index, context), named: [...index.shards] };
}
