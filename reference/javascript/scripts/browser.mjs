// Runs the package, module by module, in a real browser on every package of the suite, and compares with Node.js: npm run browser.
//
// The browser is BROWSER, chromium or google-chrome; it is given pages from 127.0.0.1 alone, under a policy without eval.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { extname, join, relative, resolve, sep } from "node:path";
import * as api from "../src/index.js";
import { LIMITS } from "../src/limits.js";
import { headerSize, readTensors } from "../src/safetensors.js";
import { cases, inCase } from "./tree.js";
import { work } from "./work.js";

const SECONDS = 300;
const root = resolve(import.meta.dirname, "..");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".json": "application/json" };
const OPERATIONS = ["read", "validate", "rewrite", "evaluate", "update", "names"];
const page = readFileSync(join(root, "scripts", "browser.html"), "utf8");
const map = createHash("sha256").update(/<script type="importmap">(.*?)<\/script>/s.exec(page)[1]).digest("base64");
const POLICY = `default-src 'none'; script-src 'self' 'sha256-${map}'; connect-src 'self'`;

const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  .map((one) => join(one.parentPath, one.name)).map((path) => [relative(folder, path).split(sep).join("/"), readFileSync(path).toString("base64")]);

/** The arrays of a safetensors file, their bytes in base 64. */
function arrays(path) {
  const blob = new api.Bytes(new Uint8Array(readFileSync(path))), context = { member: path, limits: LIMITS, problems: [] };
  const { tensors } = readTensors(blob, headerSize(blob, context), context);
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, { dtype: tensor.dtype, shape: tensor.shape, bytes: Buffer.from(tensor.bytes()).toString("base64") }]));
}

/** The packages of the suite that are made of committed files, with the inputs of evaluations of numbers. */
function* packages() {
  for (const { id, op, generated, links } of cases("arc", "cnf", "doc", "evl", "ext", "lyr", "nam", "pkg", "sec", "trn", "ver", "wgt")) {
    if (!OPERATIONS.includes(op) || generated || links) continue;
    const computes = op === "evaluate" || op === "update", folder = computes ? inCase(id, "input", "model") : inCase(id, "input");
    if (!existsSync(folder)) continue;
    const members = Object.fromEntries(files(folder)), archive = members["model.triptych"];
    const texts = op === "evaluate" && readFileSync(join(folder, "architecture.json"), "utf8").includes('"string"');
    const inputs = op === "evaluate" && !texts ? arrays(inCase(id, "input", "inputs.safetensors")) : undefined;
    yield archive ? { id, archive } : { id, members, inputs };
  }
}

/** What the page sends back, in a browser that sees nothing but this server. */
async function inBrowser(command, given) {
  const profile = mkdtempSync(join(tmpdir(), "triptych-browser-"));
  let arrived;
  const answer = new Promise((done) => { arrived = done; });
  const server = createServer((request, response) => {
    const path = join(root, request.url);
    if (request.url === "/answer") {
      const parts = [];
      request.on("data", (part) => parts.push(part)).on("end", () => { response.end(); arrived(JSON.parse(Buffer.concat(parts))); });
    } else if (request.url === "/packages.json") response.end(given);
    else if (path.startsWith(root + sep) && has(TYPES, extname(path)) && existsSync(path)) response.writeHead(200, { "Content-Type": TYPES[extname(path)], "Content-Security-Policy": POLICY }).end(readFileSync(path));
    else response.writeHead(404).end();
  });
  await new Promise((done) => { server.listen(0, "127.0.0.1", done); });
  const url = `http://127.0.0.1:${server.address().port}/scripts/browser.html`;
  const options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", `--user-data-dir=${profile}`, url];
  const child = spawn(command, options, { stdio: "ignore" });
  const late = new Promise((_, fail) => { setTimeout(() => fail(new Error(`no answer in ${SECONDS} s`)), SECONDS * 1000).unref(); });
  try {
    return await Promise.race([answer, late]);
  } finally {
    const ended = new Promise((done) => { child.on("exit", done); });
    child.kill();
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

const LAST_DIGIT = { float64: 2 ** -50, float32: 2 ** -23, float16: 2 ** -10, bfloat16: 2 ** -7 };

/** Whether two evaluations agree; engines differ in the last digit of functions such as Math.exp. */
function sameTensors(found, wanted) {
  return isDeepStrictEqual(found.map((one) => one.slice(0, 3)), wanted.map((one) => one.slice(0, 3)))
    && found.every(([, dtype, , values], i) => values.every((value, k) => value === wanted[i][3][k] || Math.abs(value - wanted[i][3][k]) <= (LAST_DIGIT[dtype] ?? 0) * Math.abs(value)));
}

const has = (object, name) => Object.hasOwn(object, name);
const command = [process.env.BROWSER, "chromium", "google-chrome"].find((one) => one && spawnSync(one, ["--version"]).status === 0);
if (!command) throw new Error("expected a browser: BROWSER, chromium or google-chrome; on Debian: apt install chromium");
const list = [...packages()], ours = JSON.parse(JSON.stringify(await work(api, list)));
const said = await inBrowser(command, JSON.stringify(list));
assert.equal(said.error, undefined);
assert.ok(said.evalIsForbidden, "the policy allows eval");
assert.deepEqual(said.violations, []);
const different = Object.keys(ours).filter((id) => !(id.endsWith(", evaluated") ? sameTensors(said.seen[id], ours[id]) : isDeepStrictEqual(said.seen[id], ours[id])));
assert.deepEqual(different.map((id) => [id, said.seen[id], ours[id]]).slice(0, 20), []);
assert.deepEqual(Object.keys(said.seen), Object.keys(ours));
console.log(`${said.agent}\n${list.length} packages, ${Object.keys(ours).length - list.length} evaluations: as in Node.js ${process.versions.node}`);
