// Saves a package in the file system of Node.js: whole or not at all, and durable before it says so (chapter 80).
//
// A private folder beside the target takes the new content, synchronised, and then the target's name. An archive replaces a
// file in one step; a folder is only ever made, never replaced, because Node.js cannot exchange two names.

import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync, statfsSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError } from "./problems.js";

const BOOT = "/proc/sys/kernel/random/boot_id";
const NO_BOOT = "00000000", DAY = 24 * 3600 * 1000;
const bootOf = () => (existsSync(BOOT) ? readFileSync(BOOT, "utf8").slice(0, 8) : NO_BOOT);
const PRIVATE = /^\.(.+)\.([0-9a-f]{8})-([0-9]+)-[0-9a-f]{16}\.saving$/;

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

/** Whether the save that made a private folder has ended for certain: in this boot its process is gone, or it is of another and a day old. */
function ended(path, boot, pid) {
  if (boot === bootOf() && boot !== NO_BOOT) return !alive(pid);
  return Date.now() - lstatSync(path).mtimeMs > DAY && !(boot === NO_BOOT && alive(pid)); // another host may write there, too
}

/** Removes what saves to the same target left behind whose processes have ended. */
function removeLeftovers(parent, name) {
  for (const entry of readdirSync(parent)) {
    const [, target, boot, pid] = PRIVATE.exec(entry) ?? [];
    if (target === name && ended(join(parent, entry), boot, Number(pid))) rmSync(join(parent, entry), { recursive: true });
  }
}

function synchronise(path) {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeFile(path, bytes) {
  const descriptor = openSync(path, "wx", 0o644);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeFolder(root, members) {
  const folders = new Set([root]);
  mkdirSync(root);
  for (const [name, bytes] of members) {
    const segments = name.split("/");
    for (let i = 1; i < segments.length; i++) {
      const folder = join(root, ...segments.slice(0, i));
      if (!folders.has(folder)) mkdirSync(folder);
      folders.add(folder);
    }
    writeFile(join(root, ...segments), bytes);
  }
  for (const folder of [...folders].reverse()) synchronise(folder);
}

/** Where a save to a path goes: the path itself, or where a symbolic link leads. */
function targetOf(path) {
  return existsSync(path) && lstatSync(path).isSymbolicLink() ? realpathSync(path) : path;
}

/** Saves an archive (bytes) or a folder (members, name -> bytes, the manifest last) at a path. */
export function save(path, content) {
  const target = targetOf(path), parent = dirname(target), name = basename(target), folder = content instanceof Map;
  if (existsSync(target) && (folder || !lstatSync(target).isFile())) throw new UsageError(`expected a path where nothing stands, got ${target}: a folder is not replaced`);
  const size = folder ? [...content.values()].reduce((sum, bytes) => sum + bytes.length, 0) : content.length;
  const { bavail, bsize } = statfsSync(parent);
  if (bavail * bsize < size) throw new UsageError(`expected room for ${size} bytes, got ${bavail * bsize}`);
  removeLeftovers(parent, name);
  const own = join(parent, `.${name}.${bootOf()}-${process.pid}-${randomBytes(8).toString("hex")}.saving`), fresh = join(own, "new");
  mkdirSync(own, 0o700);
  try {
    if (folder) writeFolder(fresh, content);
    else writeFile(fresh, content);
    synchronise(own);
    renameSync(fresh, target);
    synchronise(parent);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}
