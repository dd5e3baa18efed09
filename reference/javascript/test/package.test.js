// Packages in memory and in the file system.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { test } from "node:test";
import { Bytes, InvalidModelError, UsageError, archiveSource, folderSource, readPackage, validatePackage, writeArchive, writeMembers } from "../src/index.js";
import { foldName, isMemberName } from "../src/names.js";
import { saveModel, validate, withModel } from "../src/node.js";
import { Sha256, digestOf } from "../src/sha256.js";
import { inCase } from "../scripts/tree.js";

const folderOf = (path, prefix = "") => readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory()
  ? folderOf(join(path, entry.name), `${prefix}${entry.name}/`) : [[prefix + entry.name, new Uint8Array(readFileSync(join(path, entry.name)))]]));

test("nothing that the browser imports needs Node.js", () => {
  const seen = new Set(), open = ["index.js"];
  while (open.length) {
    const name = open.pop();
    if (seen.has(name)) continue;
    seen.add(name);
    for (const [, from] of readFileSync(join(import.meta.dirname, "..", "src", name), "utf8").matchAll(/ from "([^"]+)";/g)) {
      assert.ok(from === "yaml" || from.startsWith("."), `${name} imports ${from}`);
      if (from.startsWith(".")) open.push(posix.join(posix.dirname(name), from));
    }
  }
  assert.ok(seen.has("package.js"));
});

test("SHA-256 in plain JavaScript is that of Node.js", () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000, 70_000]) {
    const bytes = new Uint8Array(randomBytes(length));
    assert.equal(new Sha256().update(bytes).hex(), createHash("sha256").update(bytes).digest("hex"), `${length} bytes`);
  }
  assert.equal(digestOf(new Bytes(new Uint8Array(2_500_000)), 0, 2_500_000), `sha256:${createHash("sha256").update(new Uint8Array(2_500_000)).digest("hex")}`);
});

test("a package in memory is read, written as an archive, and read again with the same digest of its manifest", () => {
  const members = folderOf(inCase("cnf-004-directory", "input"));
  const model = readPackage(folderSource(members));
  const again = writeMembers(model), archive = writeArchive(again);
  assert.deepEqual([...again].sort(), members.sort());
  const read = readPackage(archiveSource(archive));
  assert.deepEqual(read.manifest, model.manifest);
  assert.deepEqual(read.weights.get("dense.kernel").bytes(), model.weights.get("dense.kernel").bytes());
});

test("every flipped bit of a package is noticed", () => {
  const members = new Map(folderOf(inCase("cnf-004-directory", "input")));
  for (const name of ["model.safetensors", "architecture.json"]) {
    for (let at = 0; at < members.get(name).length; at += 7) {
      const broken = new Map(members), bytes = broken.get(name).slice();
      bytes[at] ^= 1 << (at % 8);
      broken.set(name, bytes);
      assert.notEqual(validatePackage(folderSource(broken)).length, 0, `${name}, byte ${at}`);
    }
  }
});

test("a cut or changed archive is a problem, never another error", () => {
  const archive = new Uint8Array(readFileSync(inCase("cnf-004-archive", "written", "model.triptych")));
  for (let at = 0; at < archive.length; at += 5) {
    assert.notEqual(validatePackage(archiveSource(archive.subarray(0, at))).length, 0, `cut at byte ${at}`);
    const bytes = archive.slice();
    bytes[at] ^= 0x55;
    assert.notEqual(validatePackage(archiveSource(bytes)).length, 0, `changed at byte ${at}`);
  }
});

test("names that file systems take for one fold to one", () => {
  for (const [a, b] of [["STRASSE", "straße"], ["ΣΑΣ", "σας"], ["ﬁ", "fi"], ["Ｋ", "k"], ["ꭰ", "Ꭰ"], ["a\u00adb", "ab"], ["ẞ", "SS"]]) assert.equal(foldName(a), foldName(b), `${a} ${b}`);
  assert.notEqual(foldName("ı"), foldName("i"));
  assert.ok(isMemberName("assets/con1.txt") && !isMemberName("assets/com1.txt") && !isMemberName("a/../b"));
});

test("a save is whole or nothing, leaves nothing else, and replaces no folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "triptych-"));
  try {
    withModel(inCase("cnf-004-training", "input"), (model) => {
      const path = join(folder, "model"), archive = join(folder, "model.triptych");
      saveModel(path, model);
      assert.deepEqual(validate(path), []);
      assert.throws(() => saveModel(path, model), UsageError);
      writeFileSync(archive, "something older");
      saveModel(archive, model, { form: "archive", spelling: "yaml" });
      assert.deepEqual(validate(archive), []);
      const broken = { ...model, assets: new Map([["a", { slice() { throw new Error("no such bytes"); } }]]) };
      assert.throws(() => saveModel(join(folder, "other"), broken), /no such bytes/);
      assert.ok(!existsSync(join(folder, "other")));
      assert.deepEqual(readdirSync(folder).sort(), ["model", "model.triptych"]);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a reader throws one kind of error, with every problem", () => {
  assert.throws(() => withModel(inCase("arc-004-two-layers-same-name", "input"), (model) => model), (error) => error instanceof InvalidModelError && error.problems[0].code === "LAYER_DUPLICATE_NAME");
});
