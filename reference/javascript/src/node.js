// Packages in the file system of Node.js: opens a folder as one thing, and an archive in parts.

import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { inspectPackage, readPackage } from "./package.js";
import { TriptychError, UnreadableError, problem, quoted } from "./problems.js";
import { save } from "./save.js";
import { writeArchive, writeMembers } from "./write.js";

const ATTEMPTS = 3;

class NativeHash {
  #hash = createHash("sha256");
  update(bytes) {
    this.#hash.update(bytes);
    return this;
  }
  hex() {
    return this.#hash.digest("hex");
  }
}

export const hash = () => new NativeHash();

/** What `work` yields; errors of the file system become our own. */
function reading(work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof TriptychError || error?.syscall === undefined) throw error;
    throw new UnreadableError(`expected a file that can be read, got ${error.message}`, { cause: error });
  }
}

/** A blob over an open file. */
class OpenFile {
  constructor(path) {
    this.descriptor = openSync(path, "r");
    this.size = fstatSync(this.descriptor).size;
  }

  slice(begin = 0, end = this.size) {
    const bytes = new Uint8Array(end - begin);
    for (let at = 0; at < bytes.length; ) {
      const read = reading(() => readSync(this.descriptor, bytes, at, bytes.length - at, begin + at));
      if (read === 0) throw new UnreadableError(`the file ended at byte ${begin + at} while it was read`);
      at += read;
    }
    return bytes;
  }

  close() {
    closeSync(this.descriptor);
  }
}

function listFolder(folder, prefix, found) {
  for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true, encoding: "buffer" })) {
    const text = entry.name.toString("utf8"), name = prefix + text;
    if (!Buffer.from(text).equals(entry.name)) found.problems.push(problem("PKG-002", "", `expected a member name in UTF-8, got ${quoted(text)}`));
    else if (entry.isDirectory()) listFolder(folder, `${name}/`, found);
    else if (entry.isFile()) found.files.push(name);
    else found.problems.push(problem("PKG-004", name, `expected a regular file, got ${entry.isSymbolicLink() ? "a symbolic link" : "something else"}`));
  }
  return found;
}

/** Opens every member, and makes sure that all of them are of the folder that stood at the path. */
function openFolder(path) {
  for (let attempt = 1; ; attempt++) {
    const members = new Map(), before = statSync(path, { bigint: true });
    try {
      const { files, problems } = listFolder(path, "", { files: [], problems: [] });
      for (const name of files) members.set(name, new OpenFile(join(path, name)));
      const after = statSync(path, { bigint: true });
      if (after.ino === before.ino && after.dev === before.dev) return { members, problems };
    } catch (error) {
      if (error.code !== "ENOENT" || attempt === ATTEMPTS) {
        for (const file of members.values()) file.close();
        throw error;
      }
    }
    for (const file of members.values()) file.close();
    if (attempt === ATTEMPTS) throw new UnreadableError(`${path} is replaced again and again`);
  }
}

/** The source of a package at a path, and a function that closes its files. */
export const openPackage = (path) => reading(() => open(path));

function open(path) {
  const found = statSync(path);
  if (found.isDirectory()) {
    const source = openFolder(path);
    return { source, close: () => { for (const file of source.members.values()) file.close(); } };
  }
  const archive = new OpenFile(path);
  return { source: { archive }, close: () => archive.close() };
}

function within(path, work) {
  const { source, close } = openPackage(path);
  try {
    return work(source);
  } finally {
    close();
  }
}

/** Calls `work` with the model at a path; its tensors can be read until `work` returns. */
export const withModel = (path, work, options = {}) => within(path, (source) => work(readPackage(source, { hash, ...options })));

/** The problems of the package at a path. */
export const validate = (path, options = {}) => within(path, (source) => inspectPackage(source, { hash, ...options }).problems);

/** Writes a model to a path, as a folder or with `form: "archive"` as an archive. */
export function saveModel(path, model, { form = "directory", ...options } = {}) {
  const members = writeMembers(model, { hash, ...options });
  save(path, form === "archive" ? writeArchive(members) : members);
}
