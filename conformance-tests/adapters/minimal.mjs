// A second independent reader of directory packages, in JavaScript, and its adapter. Node's own modules only.
// Documents are kept as the text of their values, because JavaScript's numbers know neither 1.0 nor 2^63.

import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";

const START = { protocol: 1, name: "minimal-mjs", version: "1.0.0", language: "javascript", spec: ["1.0"],
  roles: ["reader"], profiles: ["core", "training"], extensions: [] };
const BITS = { BOOL: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8, I16: 16, U16: 16, F16: 16, BF16: 16, I32: 32, U32: 32, F32: 32, C64: 64, F64: 64, I64: 64, U64: 64 };
const NAMES = { F4: "float4_e2m1fn", F6_E2M3: "float6_e2m3fn", F6_E3M2: "float6_e3m2fn", F8_E4M3: "float8_e4m3fn",
  F8_E8M0: "float8_e8m0fnu", F8_E5M2: "float8_e5m2", F8_E4M3FNUZ: "float8_e4m3fnuz", F8_E5M2FNUZ: "float8_e5m2fnuz",
  BF16: "bfloat16", BOOL: "bool" };
const LONG = { U: "uint", I: "int", F: "float", C: "complex" };

const MANIFEST = ["format", "format_version", "name", "sections", "members", "producer", "license", "provenance", "metadata",
  "extensions_used", "extensions_required", "extensions"];

class Rejected extends Error {
  constructor(place, message) { super(message); this.place = place; }
}
const require = (condition, place, message) => { if (!condition) throw new Rejected(place, message); };
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

// --- JSON: objects are Maps, numbers are {number: TEXT}

function parse(data, place) {
  const fail = (message) => { throw new Rejected(place, message); };
  let text;
  try { text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data); } catch { fail("not UTF-8"); }
  let at = 0;
  const space = () => { while (" \t\n\r".includes(text[at] ?? "x")) at++; };
  const token = (pattern, what) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text) ?? fail(`expected ${what} at ${at}`);
    at = pattern.lastIndex;
    return match[0];
  };
  const string = () => {
    const value = JSON.parse(token(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y, "a string"));
    return value.isWellFormed() ? value : fail("a lone surrogate");
  };
  const number = () => {
    const literal = token(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y, "a value");
    if (literal.length > 64 || !Number.isFinite(Number(literal))) fail("a number out of range");
    if (/^-?\d+$/.test(literal) && (BigInt(literal) < -(2n ** 63n) || BigInt(literal) >= 2n ** 64n)) fail("an integer out of range");
    return { number: /[.eE]/.test(literal) ? floating(Number(literal)) : BigInt(literal).toString() };
  };
  const list = (open, close, item) => {
    at++;
    for (space(); text[at] !== close; space()) {
      item();
      space();
      if (text[at] === close) break;
      token(/,/y, "a comma");
      space();
      if (text[at] === close) fail("a trailing comma");
    }
    at++;
  };
  const value = (depth) => {
    space();
    if (depth > 128) fail("nested too deep");
    if (text[at] === "{") {
      const found = new Map();
      list("{", "}", () => {
        const name = string();
        if (found.has(name) || Buffer.byteLength(name) > 1024) fail("a name stands twice, or is too long");
        space();
        token(/:/y, "a colon");
        found.set(name, value(depth + 1));
      });
      return found;
    }
    if (text[at] === "[") {
      const found = [];
      list("[", "]", () => found.push(value(depth + 1)));
      return found;
    }
    if (text[at] === '"') return string();
    if ("tfn".includes(text[at] ?? "x")) return { true: true, false: false, null: null }[token(/true|false|null/y, "a value")];
    return number();
  };
  const result = value(1);
  space();
  if (at !== text.length) fail("something follows the document");
  require(result instanceof Map, place, "no object");
  return result;
}

const floating = (value) => (Object.is(value, -0) ? "-0.0" : /[.e]/.test(String(value)) ? String(value) : `${value}.0`);

function write(value) {
  if (value instanceof Map) return `{${[...value].map(([name, item]) => `${JSON.stringify(name)}:${write(item)}`).join(",")}}`;
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  return value?.number ?? JSON.stringify(value);
}

// --- safetensors

const whole = (value) => (/^\d{1,16}$/.test(value?.number ?? "") ? Number(value.number) : NaN);
const dtype = (code) => NAMES[code] ?? LONG[code[0]] + code.slice(1);

function elements(code, shape, data) {
  const facts = [["dtype", dtype(code)], ["shape", shape.map((extent) => ({ number: String(extent) }))]];
  const count = shape.reduce((a, b) => a * b, 1);
  if (count > 64) return new Map([...facts, ["sha256", sha256(data)]]);
  if (BITS[code] < 8) {
    const width = BigInt(BITS[code]), packed = BigInt(`0x0${Buffer.from(data).reverse().toString("hex")}`);
    const at = (i) => (packed >> (width * BigInt(i))) & ((1n << width) - 1n);
    return new Map([...facts, ["bits", Array.from({ length: count }, (_, i) => at(i).toString(16).padStart(width === 4n ? 1 : 2, "0"))]]);
  }
  const size = BITS[code] / 8, step = code === "C64" ? 4 : size, bits = [];
  for (let i = 0; i < data.length; i += size) {
    let word = "";
    for (let part = i; part < i + size; part += step) word += Buffer.from(data.subarray(part, part + step)).reverse().toString("hex");
    bits.push(word);
  }
  return new Map([...facts, ["bits", bits]]);
}

function readTensors(data, record, member) {
  require(data.length >= 8, member, "no header length");
  const length = data.readBigUInt64LE(0);
  require(length <= 2n ** 25n && 8n + length <= BigInt(data.length), member, "no header");
  const end = 8 + Number(length);
  require(data[8] === 0x7b && record.get("header_digest") === `sha256:${sha256(data.subarray(0, end))}`, member, "digest of the header");
  const text = data.subarray(8, end).toString("latin1").trimEnd().length; // the header without what is blank at its end
  require(data[7 + text] === 0x7d && end - 8 - text < 64 && data.subarray(8 + text, end).every((byte) => byte === 0x20), member, "header's end");
  const header = parse(data.subarray(8, end), member), digests = record.get("tensor_digests"), tensors = new Map(), ranges = [];
  if (header.has("__metadata__")) {
    const metadata = header.get("__metadata__");
    require(metadata instanceof Map && metadata.size <= 1024 && [...metadata.values()].every((entry) => typeof entry === "string"), member, "metadata");
  }
  header.delete("__metadata__");
  require(header.size === digests.size, member, "tensors that are not listed, or not there");
  for (const [name, entry] of header) {
    require(name && Buffer.byteLength(name) <= 1024 && name.normalize("NFC") === name && !/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u.test(name), member, "tensor name");
    require(entry.size === 3 && BITS[entry.get("dtype")], member, `entry of ${name}`);
    const shape = entry.get("shape").map(whole), [begin, stop] = entry.get("data_offsets").map(whole);
    require(shape.concat(begin, stop).every(Number.isSafeInteger) && entry.get("data_offsets").length === 2, member, `numbers of ${name}`);
    require(shape.length <= 32 && shape.reduce((a, b) => a * BigInt(b || 1), 1n) <= 2n ** 60n, member, `limits of ${name}`);
    ranges.push({ name, code: entry.get("dtype"), shape, begin, stop });
  }
  let place = 0;
  for (const { name, code, shape, begin, stop } of ranges.sort((a, b) => a.begin - b.begin || a.stop - b.stop)) {
    const bits = shape.reduce((a, b) => a * BigInt(b), 1n) * BigInt(BITS[code]);
    require(begin === place && BigInt(stop - begin) * 8n === bits && end + stop <= data.length, member, `range of ${name}`);
    const content = data.subarray(end + begin, end + stop);
    require(digests.get(name) === `sha256:${sha256(content)}`, member, `digest of ${name}`);
    tensors.set(name, elements(code, shape, content));
    place = stop;
  }
  require(end + place === data.length, member, "bytes after the last tensor");
  return tensors;
}

// --- packages

function list(folder, prefix = "") {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    require(!entry.isSymbolicLink(), prefix + entry.name, "a symbolic link");
    return entry.isDirectory() ? list(folder, `${prefix}${entry.name}/`) : [prefix + entry.name];
  });
}

function document(data, member) {
  const found = parse(data, member);
  require(found.get("format_version") === "1.0", `${member}#/format_version`, "version");
  require((found.get("extensions_required") ?? []).length === 0, `${member}#/extensions_required/0`, "an extension this reader does not have");
  const used = found.get("extensions_used") ?? [];
  const good = Array.isArray(used) && used.length <= 256 && used.every((name) => /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name));
  require(good && new Set(used).size === used.length, `${member}#/extensions_used`, "names of extensions");
  for (const [name, part] of found.get("extensions") ?? []) {
    require(used.includes(name) && part instanceof Map, `${member}#/extensions`, "an extension that is not listed, or no object");
  }
  return found;
}

function readSection(member, files, records) {
  if (member.endsWith(".safetensors")) return readTensors(files.get(member), records.get(member), member);
  if (!member.endsWith(".index.json")) {
    require(member.endsWith(".json"), member, "this reader has no YAML");
    return document(files.get(member), member);
  }
  const shards = parse(files.get(member), member).get("weight_map"), found = new Map();
  for (const shard of new Set(shards.values())) {
    for (const [name, tensor] of readTensors(files.get(shard), records.get(shard), shard)) found.set(name, tensor);
  }
  require(found.size === shards.size, member, "tensors that the index does not name");
  return found;
}

function read(folder) {
  require(lstatSync(folder).isDirectory(), "", "no directory");
  const files = new Map(list(folder).map((name) => [name, readFileSync(join(folder, name))]));
  require(files.has("manifest.json"), "", "no manifest");
  require(!files.has("mimetype") || files.get("mimetype").toString("latin1") === "application/vnd.triptych+zip", "mimetype", "content");
  const manifest = document(files.get("manifest.json"), "manifest.json");
  require(manifest.get("format") === "triptych", "manifest.json#/format", "not a Triptych manifest");
  require([...manifest.keys()].every((name) => MANIFEST.includes(name)), "manifest.json", "an unknown member");
  const sections = manifest.get("sections"), records = manifest.get("members"), own = new Set(sections.values());
  require(sections.has("training") || !sections.has("training_state"), "manifest.json#/sections", "a training state without training");
  for (const name of sections.values()) {
    if (name.endsWith(".index.json")) for (const shard of parse(files.get(name), name).get("weight_map").values()) own.add(shard);
  }
  for (const name of files.keys()) require(name === "manifest.json" || name === "mimetype" || records.has(name), name, "not listed");
  for (const [name, record] of records) {
    require(files.has(name) && whole(record.get("size")) === files.get(name).length, name, "size");
    require(!record.has("digest") || record.get("digest") === `sha256:${sha256(files.get(name))}`, name, "digest");
    require(!record.has("tensor_digests") || own.has(name), name, "tensors of no section");
    require(name !== "mimetype" && name !== "manifest.json", `manifest.json#/members/${name}`, "may not be listed");
  }
  const order = ["architecture", "weights", "training", "training_state"];
  require(sections.size > 0 && [...sections.keys()].every((name) => order.includes(name)), "manifest.json#/sections", "sections");
  const observed = new Map([["sections", order.filter((name) => sections.has(name))]]);
  for (const [section, member] of sections) {
    require(records.has(member), `manifest.json#/sections/${section}`, "not there");
    observed.set({ weights: "tensors", training_state: "state" }[section] ?? section, readSection(member, files, records));
  }
  const assets = [...records.keys()].filter((name) => !own.has(name)).map((name) => [name, new Map([
    ["size", { number: String(files.get(name).length) }], ["sha256", sha256(files.get(name))]])]);
  if (assets.length) observed.set("assets", new Map(assets));
  return observed;
}

// --- the protocol

function answer({ seq, op, input }) {
  if (op !== "read") return JSON.stringify({ seq, outcome: "skipped", reason: `no ${op} here` });
  try {
    return `{"seq":${seq},"outcome":"accepted","observed":${write(read(input))}}`;
  } catch (error) {
    const wrongShape = error instanceof TypeError; // a document in which something is not what it has to be
    if (!(error instanceof Rejected) && !wrongShape) return JSON.stringify({ seq, outcome: "errored", detail: error.stack });
    return JSON.stringify({ seq, outcome: "rejected", problems: [{ code: "INVALID", place: error.place ?? "", message: error.message }] });
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  console.log(request.cmd === "start" ? JSON.stringify(START) : answer(request));
}
