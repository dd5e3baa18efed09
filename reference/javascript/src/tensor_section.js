// Reads a section of tensors: one safetensors member, or shards that an index joins; every digest is verified.

import { readDocument } from "./documents.js";
import { spelled } from "./names.js";
import { problem, quoted, step } from "./problems.js";
import { headerSize, readTensors } from "./safetensors.js";
import { digestOf } from "./sha256.js";
import { has } from "./values.js";

/** Whether the header of a member has the recorded digest, with a problem if not; one without end has faults of its own. */
export function headerHolds(name, { members, records, limits, hash, problems }) {
  const blob = members.get(name), member = spelled(name), { header_digest: recorded } = records[name];
  const size = headerSize(blob, { member, limits, problems: [] });
  if (size === undefined) return true;
  const digest = digestOf(blob, 0, size, hash);
  if (digest !== recorded) problems.push(problem("PKG-009", member, `expected the header to have the digest ${recorded}, got ${digest}`));
  return digest === recorded;
}

/** The tensors of one member whose header has its digest, with problems of header, ranges and tensors. */
function readMember(name, { members, records, sound, limits, hash, problems }) {
  const found = [], blob = members.get(name), record = records[name], member = spelled(name);
  if (!sound.has(name)) return undefined;
  const size = headerSize(blob, { member, limits, problems: found });
  const read = found.length === 0 ? readTensors(blob, size, { member, limits, problems: found }) : undefined;
  problems.push(...found);
  if (!read) return undefined;
  const { tensors } = read, digests = record.tensor_digests;
  const odd = [...new Set([...tensors.keys(), ...Object.keys(digests)])].filter((one) => !tensors.has(one) || !has(digests, one));
  if (odd.length) problems.push(problem("PKG-011", `manifest.json#${step("/members", name)}/tensor_digests`, `expected one digest for each tensor of ${quoted(name)}, got a difference at ${quoted(odd[0])}`));
  for (const tensor of tensors.values()) {
    if (!has(digests, tensor.name)) continue;
    const digest = digestOf(blob, tensor.begin, tensor.begin + tensor.size, hash);
    if (digest !== digests[tensor.name]) problems.push(problem("PKG-010", `${member}#${step("", tensor.name)}`, `expected the bytes of ${quoted(tensor.name)} to have the digest ${digests[tensor.name]}, got ${digest}`));
  }
  return tensors;
}

/** The members that hold the tensors of a section; undefined, with problems, where its index is none. */
function readIndex(name, { members, records, limits, problems }) {
  const member = spelled(name), { value, problems: found } = readDocument(members.get(name).slice(), { member, schema: "shard_index.schema.json", limits });
  problems.push(...found);
  if (found.length) return undefined;
  const shards = new Set();
  for (const [tensor, shard] of Object.entries(value.weight_map)) {
    if (has(records, shard) && has(records[shard], "tensor_digests")) shards.add(shard);
    else problems.push(problem("WGT-014", `${member}#${step("/weight_map", tensor)}`, `expected a member that the manifest lists with tensor digests, got ${quoted(shard)}`));
  }
  if (shards.size > limits.shards) problems.push(problem("SEC-016", `${member}#/weight_map`, `expected at most ${limits.shards} shards, got ${shards.size}`));
  return { map: value.weight_map, shards };
}

function readShards(name, { map, shards }, context) {
  const { problems } = context, before = problems.length, tensors = new Map(), owners = new Map(), member = spelled(name);
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
      problems.push(problem("WGT-015", `${member}#${step("/weight_map", tensor)}`, `expected tensor ${quoted(tensor)} in ${quoted(shard)} alone, got it in ${found.length ? found.map(quoted).join(", ") : "none"}`));
    }
  }
  const lost = [...owners.keys()].find((tensor) => !has(map, tensor));
  if (lost !== undefined) problems.push(problem("WGT-015", `${member}#/weight_map`, `expected every tensor of the shards, ${quoted(lost)} is not mapped`));
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
