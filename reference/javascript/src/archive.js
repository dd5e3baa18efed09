// Reads an archive: a ZIP file in which nothing is left to choice (chapter 30), so that every byte is checked.

import { Part, crc32 } from "./blobs.js";
import { problem } from "./problems.js";
import { utf8, byCodePoint } from "./values.js";

const LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50, END64 = 0x06064b50, LOCATOR = 0x07064b50;
const MAX32 = 0xffffffff, MAX16 = 0xffff;
const DATE = 0x0021, MADE_BY = 0x0314, ATTRIBUTES = 0x81a40000;
export const MIMETYPE = "application/vnd.triptych+zip";

/** How a member of so many bytes is aligned in an archive. */
export const alignmentOf = (size) => (size >= 65_536 ? 4_096 : 64);
/** The general purpose flags of a member's name. */
export const flagsOf = (name) => (/^[\x00-\x7f]*$/.test(name) ? 0 : 0x0800);

const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function le(size, ...values) {
  const bytes = new Uint8Array(size * values.length), data = view(bytes);
  values.forEach((value, i) => {
    if (size === 2) data.setUint16(2 * i, value, true);
    else if (size === 4) data.setUint32(4 * i, value, true);
    else data.setBigUint64(8 * i, BigInt(value), true);
  });
  return bytes;
}

export function join(...parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A ZIP64 field with the values that need it. */
const zip64 = (...values) => (values.length ? join(le(2, 1, 8 * values.length), le(8, ...values)) : new Uint8Array(0));

/** The extra field of a member's local header that begins at `offset`. */
function localExtra(name, nameLength, size, offset) {
  const sizes = size >= MAX32 ? zip64(size, size) : new Uint8Array(0);
  const alignment = alignmentOf(size), at = offset + 30 + nameLength + sizes.length;
  let fill = (alignment - (at % alignment)) % alignment;
  if (name === "mimetype" || fill === 0) return sizes;
  if (fill < 6) fill += alignment;
  return join(sizes, le(2, 0xd935, fill - 4, alignment), new Uint8Array(fill - 6));
}

const version = (needs64) => (needs64 ? 45 : 20);

/** The bytes of a local header. */
export function localHeader({ name, size, crc, offset }) {
  const text = utf8(name), extra = localExtra(name, text.length, size, offset), short = Math.min(size, MAX32);
  const needed = version(size >= MAX32 || offset >= MAX32);
  return join(le(4, LOCAL), le(2, needed, flagsOf(name), 0, 0, DATE), le(4, crc, short, short), le(2, text.length, extra.length), text, extra);
}

/** The bytes of a central header. */
export function centralHeader({ name, size, crc, offset }) {
  const text = utf8(name), large = [...(size >= MAX32 ? [size, size] : []), ...(offset >= MAX32 ? [offset] : [])];
  const extra = zip64(...large), short = Math.min(size, MAX32);
  return join(le(4, CENTRAL), le(2, MADE_BY, version(large.length > 0), flagsOf(name), 0, 0, DATE), le(4, crc, short, short),
    le(2, text.length, extra.length, 0, 0, 0), le(4, ATTRIBUTES, Math.min(offset, MAX32)), text, extra);
}

/** The bytes of the end of an archive whose central directory has `count` headers in `size` bytes from `offset`. */
export function endRecords(count, size, offset) {
  const large = count >= MAX16 || size >= MAX32 || offset >= MAX32;
  const end64 = large ? join(le(4, END64), le(8, 44), le(2, MADE_BY, 45), le(4, 0, 0), le(8, count, count, size, offset),
    le(4, LOCATOR, 0), le(8, offset + size), le(4, 1)) : new Uint8Array(0);
  const short = Math.min(count, MAX16);
  return join(end64, le(4, END), le(2, 0, 0, short, short), le(4, Math.min(size, MAX32), Math.min(offset, MAX32)), le(2, 0));
}

class Broken extends Error {
  constructor(requirement, place, message) {
    super(message);
    this.problem = problem(requirement, place, message);
  }
}

const fail = (requirement, place, message) => { throw new Broken(requirement, place, message); };

/** Where the end record begins. */
function findEnd(blob) {
  const reach = Math.min(blob.size, 22 + MAX16), start = blob.size - reach, bytes = blob.slice(start, blob.size), data = view(bytes);
  for (let at = reach - 4; at >= 0; at--) {
    if (data.getUint32(at, true) !== END) continue;
    if (at + 22 > reach) fail("PKG-020", "", `expected an end record of 22 bytes, got ${reach - at}`);
    const comment = data.getUint16(at + 20, true), left = reach - at - 22;
    if (comment > left) fail("PKG-020", "", "expected a complete end record, got a part of one");
    if (comment < left) fail("PKG-021", "", `expected nothing after the end record, got ${left - comment} bytes`);
    if (comment) fail("PKG-025", "", `expected no comment, got one of ${comment} bytes`);
    return start + at;
  }
  const starts = blob.size >= 4 && view(blob.slice(0, 4)).getUint32(0, true) === LOCAL;
  return starts ? fail("PKG-020", "", "expected an end record, got none") : fail("PKG-017", "", "expected a folder or an archive, got another file");
}

/** Count, size and offset of the central directory, and where what follows it begins. */
function directoryOf(blob, end) {
  const data = view(blob.slice(end, end + 22));
  const found = { disks: data.getUint32(4, true), here: data.getUint16(8, true), count: data.getUint16(10, true), size: data.getUint32(12, true), offset: data.getUint32(16, true), stop: end };
  const asks = found.count === MAX16 || found.here === MAX16 || found.size === MAX32 || found.offset === MAX32;
  const locator = end >= 20 ? view(blob.slice(end - 20, end)) : undefined;
  const present = locator?.getUint32(0, true) === LOCATOR;
  if (present !== asks) fail("PKG-030", "", "expected ZIP64 records exactly where they are needed, got others");
  if (asks) {
    const at = Number(locator.getBigUint64(8, true));
    if (at !== end - 76 || at < 0) fail("PKG-030", "", "expected the ZIP64 end record directly before its locator, got something else");
    const large = view(blob.slice(at, at + 56));
    Object.assign(found, { here: Number(large.getBigUint64(24, true)), count: Number(large.getBigUint64(32, true)), size: Number(large.getBigUint64(40, true)), offset: Number(large.getBigUint64(48, true)), stop: at });
  }
  if (found.disks !== 0) fail("PKG-028", "", "expected disk number 0, got another");
  if (found.here !== found.count) fail("PKG-020", "", "expected one count of members, got two");
  if (found.offset + found.size > found.stop) fail("PKG-020", "", "expected a central directory inside the archive, got one beyond");
  if (found.offset + found.size < found.stop) fail("PKG-021", "", "expected nothing between central directory and end, got something");
  const [wanted, got] = [endRecords(found.count, found.size, found.offset), blob.slice(found.stop, blob.size)];
  if (wanted.length !== got.length || wanted.some((byte, i) => byte !== got[i])) fail("PKG-030", "", "expected end records of the fixed form, got others");
  return found;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function nameOf(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return fail("PKG-002", "", "expected a member name in UTF-8, got bytes that are none");
  }
}

/** The headers of the central directory, each with its own problems. */
function readCentral(blob, { count, size, offset, stop }, limits) {
  if (count > limits.members) fail("SEC-016", "", `expected at most ${limits.members} members, got ${count}`);
  const entries = [];
  let at = offset;
  for (let i = 0; i < count; i++) {
    if (at + 46 > stop) fail("PKG-020", "", "expected another central header, got the end of the directory");
    const data = view(blob.slice(at, at + 46));
    if (data.getUint32(0, true) !== CENTRAL) fail("PKG-020", "", `expected a central header at byte ${at}, got something else`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((place) => data.getUint16(place, true));
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > stop) fail("PKG-020", "", "expected a central header inside the directory, got one beyond");
    const name = nameOf(blob.slice(at + 46, at + 46 + nameLength));
    const entry = { name, madeBy: data.getUint16(4, true), needed: data.getUint16(6, true), flags: data.getUint16(8, true), method: data.getUint16(10, true),
      time: data.getUint16(12, true), date: data.getUint16(14, true), crc: data.getUint32(16, true), packed: data.getUint32(20, true), size: data.getUint32(24, true),
      disk: data.getUint16(34, true), internal: data.getUint16(36, true), external: data.getUint32(38, true), offset: data.getUint32(42, true), commentLength };
    largeValues(entry, blob.slice(at + 46 + nameLength, at + 46 + nameLength + extraLength));
    entries.push(entry);
    at = next;
  }
  if (at !== offset + size) fail("PKG-021", "", "expected nothing after the last central header, got something");
  return entries;
}

function largeValues(entry, extra) {
  const wants = ["size", "packed", "offset"].filter((name) => entry[name] === MAX32);
  if (wants.length && !(extra.length === 4 + 8 * wants.length && view(extra).getUint16(0, true) === 1)) fail("PKG-030", entry.name, "expected the ZIP64 values that are needed, got others");
  if (!wants.length && extra.length) {
    const needless = extra.length >= 2 && view(extra).getUint16(0, true) === 1;
    fail(needless ? "PKG-030" : "PKG-026", entry.name, `expected no extra field, got ${extra.length} bytes`);
  }
  wants.forEach((name, i) => {
    entry[name] = Number(view(extra).getBigUint64(4 + 8 * i, true));
    if (entry[name] < MAX32) fail("PKG-030", entry.name, "expected ZIP64 only where it is needed, got it elsewhere");
  });
}

/** The problems of a central header alone. */
function checkEntry(entry) {
  const { name } = entry, problems = [];
  const expect = (right, requirement, message) => { if (!right) problems.push(problem(requirement, name, message)); };
  expect(entry.method === 0 && entry.packed === entry.size, "PKG-022", `expected a stored member, got method ${entry.method}`);
  expect(entry.flags === flagsOf(name), "PKG-023", `expected the flags 0x${flagsOf(name).toString(16)}, got 0x${entry.flags.toString(16)}`);
  expect(entry.commentLength === 0, "PKG-025", `expected no comment, got one of ${entry.commentLength} bytes`);
  const fixed = entry.time === 0 && entry.date === DATE && entry.madeBy === MADE_BY && entry.external === ATTRIBUTES && entry.internal === 0 && entry.disk === 0;
  expect(fixed && entry.needed === version(entry.size >= MAX32 || entry.offset >= MAX32), "PKG-028", "expected the fixed versions, time, date and attributes, got others");
  return problems;
}

/** The blob of a member, whose local header has to begin at `position` and to repeat the central one. */
function readLocal(blob, entry, position, stop, problems) {
  const { name, size, offset } = entry;
  if (offset !== position) fail("PKG-021", name, `expected the local header at byte ${position}, got ${offset}`);
  if (offset + 30 > stop || view(blob.slice(offset, offset + 4)).getUint32(0, true) !== LOCAL) fail("PKG-020", name, `expected a local header at byte ${offset}, got something else`);
  const head = blob.slice(offset, offset + 30), data = view(head);
  const nameLength = data.getUint16(26, true), extraLength = data.getUint16(28, true), begin = offset + 30 + nameLength + extraLength;
  if (begin + entry.packed > stop) fail("PKG-021", name, "expected the member to end before the central directory, got one beyond");
  const rest = blob.slice(offset + 30, begin);
  const wanted = localHeader({ ...entry, needed: entry.needed });
  const text = utf8(name), short = Math.min(entry.packed, MAX32), shortSize = Math.min(size, MAX32);
  const repeated = join(le(2, entry.needed, entry.flags, entry.method, entry.time, entry.date), le(4, entry.crc, short, shortSize), le(2, text.length));
  const differs = repeated.some((byte, i) => byte !== head[4 + i]) || text.some((byte, i) => byte !== rest[i]);
  if (differs) problems.push(problem("PKG-024", name, "expected the local header to repeat the central directory, got another"));
  else {
    const extra = rest.subarray(nameLength), right = wanted.subarray(30 + text.length);
    if (extra.length !== right.length || extra.some((byte, i) => byte !== right[i])) problems.push(problem("PKG-026", name, "expected an extra field that aligns the data and nothing else, got another"));
  }
  entry.end = begin + entry.packed;
  return new Part(blob, begin, entry.packed);
}

const rank = (name) => (name === "mimetype" ? 0 : name === "manifest.json" ? 2 : 1);

function checkOrder(entries) {
  if (entries[0]?.name !== "mimetype" && !entries.some(({ name }) => name === "mimetype")) return [problem("PKG-027", "", "expected mimetype first, got none")];
  const out = entries.find(({ name }, i) => i > 0 && (rank(entries[i - 1].name) - rank(name) || byCodePoint(entries[i - 1].name, name)) > 0);
  return out ? [problem("PKG-027", out.name, "expected mimetype, the members by name and the manifest last, got another order")] : [];
}

/** The members of an archive: name -> blob, in order; empty, with problems, where the archive breaks chapter 30. */
export function readArchive(blob, { limits, checkNames }) {
  const problems = [];
  try {
    if (blob.size === 0) fail("PKG-017", "", "expected a folder or an archive, got an empty file");
    const directory = directoryOf(blob, findEnd(blob));
    const entries = readCentral(blob, directory, limits);
    problems.push(...checkNames(entries.map(({ name }) => name)));
    if (problems.length) return { members: new Map(), problems };
    problems.push(...entries.flatMap(checkEntry), ...checkOrder(entries));
    const members = new Map();
    let position = 0;
    for (const entry of problems.length ? [] : entries) {
      members.set(entry.name, readLocal(blob, entry, position, directory.offset, problems));
      position = entry.end;
    }
    if (!problems.length && position !== directory.offset) fail("PKG-021", "", "expected the central directory after the last member, got something between");
    for (const entry of problems.length ? [] : entries) {
      const found = crc32(members.get(entry.name));
      if (found !== entry.crc) problems.push(problem("PKG-029", entry.name, `expected content with the CRC-32 ${entry.crc.toString(16)}, got ${found.toString(16)}`));
    }
    return { members, problems };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { members: new Map(), problems: [...problems, error.problem] };
  }
}

