// The type declarations, in the package as it is published and installed.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import * as everywhere from "../src/index.js";
import * as inNode from "../src/node.js";

const root = join(import.meta.dirname, ".."), example = join(import.meta.dirname, "every_name.ts");
const STRICT = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noPropertyAccessFromIndexSignature: true, noUnusedLocals: true };
const options = { ...STRICT, target: "es2023", module: "nodenext", lib: ["es2023", "dom"], types: [], outDir: "built", rootDir: "." };

/** A folder of somebody who has installed the package: what `files` names, and its one dependency. */
function install(folder) {
  const installed = join(folder, "node_modules", "triptych-format"), described = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  mkdirSync(installed, { recursive: true });
  for (const name of ["package.json", ...described.files]) cpSync(join(root, name), join(installed, name), { recursive: true });
  assert.deepEqual(Object.keys(described.dependencies), ["yaml"]);
  symlinkSync(join(root, "node_modules", "yaml"), join(folder, "node_modules", "yaml"), "junction");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["every_name.ts"] }));
  copyFileSync(example, join(folder, "every_name.ts"));
}

test("tsc --strict accepts an example with every public name, and the example runs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "triptych-types-"));
  try {
    install(folder);
    const done = spawnSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", folder], { encoding: "utf8" });
    assert.equal(done.status, 0, done.stdout);
    const { everyName } = await import(pathToFileURL(join(folder, "built", "every_name.js")));
    assert.deepEqual(everyName(join(folder, "model.triptych")), {
      count: 1, trainable: 2, nonTrainable: 0, path: "layers/dense/vars/0", y: Float64Array.of(11), kernel: Float64Array.of(0.5, 1.5), bits: Float64Array.of(1, 2), plain: null, digits: 64,
      invalid: 0, names: ["dense.kernel"], problems: 0,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the example and the declarations name all that is public, and nothing else", () => {
  const text = readFileSync(example, "utf8");
  for (const [from, module, file] of [["triptych-format", everywhere, "index.d.ts"], ["triptych-format/node", inNode, "node.d.ts"]]) {
    const imported = new RegExp(`import \\{([^}]*)\\} from "${from}";`).exec(text)[1].split(",").map((name) => name.trim()).filter((name) => name && !name.startsWith("type "));
    assert.deepEqual(imported.sort(), Object.keys(module).sort());
    const declared = [...readFileSync(join(root, "src", file), "utf8").matchAll(/^export (?:class|function) (\w+)/gm)].map(([, name]) => name);
    assert.deepEqual([...new Set(declared)].sort(), Object.keys(module).sort());
  }
});
