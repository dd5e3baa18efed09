// Writes a model: the bytes of every member of its package, and of the archive (chapters 10, 30 and 40).

import { MIMETYPE, centralHeader, endRecords, join, localHeader } from "./archive.js";
import { Bytes, crc32 } from "./blobs.js";
import { dtypeOfName } from "./dtypes.js";
import { VERSION } from "./documents.js";
import { canonicalJson, compactJson } from "./json_text.js";
import { SECTIONS } from "./manifest.js";
import { ordered } from "./ordered.js";
import { digestOf } from "./sha256.js";
import { byCodePoint, has, utf8 } from "./values.js";
import { canonicalYaml } from "./yaml_text.js";

const FILES = { weights: "model", training_state: "training" };
const sorted = (names) => [...names].sort(byCodePoint);
const document = (kind, value, spelling) => {
  const members = ordered(kind, value);
  return utf8(spelling === "yaml" ? canonicalYaml(members) : `${canonicalJson(members)}\n`);
};

/** The bytes of a safetensors file, and of its header, with the tensors in the order of WGT-017. */
function safetensors(tensors) {
  const inOrder = [...tensors].sort((a, b) => dtypeOfName(b.dtype).order - dtypeOfName(a.dtype).order || byCodePoint(a.name, b.name));
  let end = 0;
  const entries = inOrder.map(({ name, dtype, shape, size }) => [name, new Map([["dtype", dtypeOfName(dtype).code], ["shape", shape], ["data_offsets", [end, (end += size)]]])]);
  const text = utf8(compactJson(new Map(entries))), padded = new Uint8Array(Math.ceil((8 + text.length) / 64) * 64 - 8).fill(0x20);
  padded.set(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  const header = join(length, padded);
  return { bytes: join(header, ...inOrder.map((tensor) => tensor.bytes())), header };
}

/** Tensors by name, in parts whose bytes do not exceed the limit. */
function shardsOf(tensors, limit) {
  const shards = [];
  let size = Infinity;
  for (const tensor of [...tensors.values()].sort((a, b) => byCodePoint(a.name, b.name))) {
    if (size + tensor.size > limit || shards.length === 0) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1).push(tensor);
    size += tensor.size;
  }
  return shards;
}

class Writer {
  constructor(hash) {
    this.hash = hash;
    this.members = new Map();
    this.records = new Map();
  }

  digest(bytes) {
    return digestOf(new Bytes(bytes), 0, bytes.length, this.hash);
  }

  plain(name, bytes) {
    this.members.set(name, bytes);
    this.records.set(name, new Map([["size", bytes.length], ["digest", this.digest(bytes)]]));
    return name;
  }

  tensorMember(name, tensors) {
    const { bytes, header } = safetensors(tensors);
    const digests = sorted(tensors.map((one) => one.name)).map((one) => [one, this.digest(tensors.find((tensor) => tensor.name === one).bytes())]);
    this.members.set(name, bytes);
    this.records.set(name, new Map([["size", bytes.length], ["header_digest", this.digest(header)], ["tensor_digests", new Map(digests)]]));
    return name;
  }

  tensors(section, tensors, limit) {
    const stem = FILES[section], shards = limit === undefined ? [[...tensors.values()]] : shardsOf(tensors, limit);
    if (shards.length <= 1) return this.tensorMember(`${stem}.safetensors`, shards[0] ?? []);
    const number = (n) => String(n).padStart(5, "0"), map = new Map();
    let total = 0;
    shards.forEach((shard, i) => {
      const name = this.tensorMember(`${stem}-${number(i + 1)}-of-${number(shards.length)}.safetensors`, shard);
      for (const tensor of shard) {
        map.set(tensor.name, name);
        total += tensor.size;
      }
    });
    const index = new Map([["metadata", new Map([["total_size", total]])], ["weight_map", new Map(sorted(map.keys()).map((name) => [name, map.get(name)]))]]);
    return this.plain(`${stem}.safetensors.index.json`, utf8(`${canonicalJson(index)}\n`));
  }
}

function manifestOf(model, sections, records) {
  const given = model.manifest ?? {}, manifest = new Map([["format", "triptych"], ["format_version", VERSION]]);
  if (has(given, "name")) manifest.set("name", given.name);
  manifest.set("sections", new Map(SECTIONS.filter((name) => sections.has(name)).map((name) => [name, sections.get(name)])));
  manifest.set("members", new Map(sorted(records.keys()).map((name) => [name, records.get(name)])));
  if (has(given, "producer")) manifest.set("producer", new Map(["name", "version"].filter((name) => has(given.producer, name)).map((name) => [name, given.producer[name]])));
  if (has(given, "license")) manifest.set("license", given.license);
  for (const [name, value] of ordered("annotations", given)) manifest.set(name, value);
  return utf8(`${canonicalJson(manifest)}\n`);
}

/** The members of the package of a model, name -> bytes, the manifest last. */
export function writeMembers(model, { spelling = "json", maxShardBytes, hash } = {}) {
  const writer = new Writer(hash), sections = new Map();
  if (model.architecture) sections.set("architecture", writer.plain(`architecture.${spelling}`, document("architecture", model.architecture, spelling)));
  if (model.weights) sections.set("weights", writer.tensors("weights", model.weights, maxShardBytes));
  if (model.training) sections.set("training", writer.plain(`training.${spelling}`, document("training", model.training, spelling)));
  if (model.state) sections.set("training_state", writer.tensors("training_state", model.state, maxShardBytes));
  for (const [name, blob] of model.assets ?? []) writer.plain(name, blob.slice());
  writer.members.set("manifest.json", manifestOf(model, sections, writer.records));
  return writer.members;
}

/** The bytes of the archive of members. */
export function writeArchive(members) {
  const all = [["mimetype", utf8(MIMETYPE)], ...sorted([...members.keys()].filter((name) => name !== "manifest.json")).map((name) => [name, members.get(name)]), ["manifest.json", members.get("manifest.json")]];
  const parts = [], central = [];
  let offset = 0;
  for (const [name, bytes] of all) {
    const facts = { name, size: bytes.length, crc: crc32(new Bytes(bytes)), offset }, header = localHeader(facts);
    parts.push(header, bytes);
    central.push(centralHeader(facts));
    offset += header.length + bytes.length;
  }
  const directory = join(...central);
  return join(...parts, directory, endRecords(all.length, directory.length, offset));
}
