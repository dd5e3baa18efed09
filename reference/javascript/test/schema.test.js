// The schemas: our reading of them beside Ajv's, and the generated tables beside their sources.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import Ajv2020 from "ajv/dist/2020.js";
import { tables } from "../scripts/tables.mjs";
import { decodeText, parseJson } from "../src/json.js";
import { LIMITS } from "../src/limits.js";
import { checkSchema } from "../src/schema.js";
import { Float } from "../src/values.js";
import { parseYaml } from "../src/yaml.js";
import { cases, inCase, tree } from "../scripts/tree.js";

const folder = join(tree, "schemas", "1.0");
const KINDS = ["manifest", "architecture", "training"];

test("the tables are what scripts/tables.mjs writes", () => {
  assert.equal(readFileSync(join(import.meta.dirname, "..", "src", "tables.js"), "utf8"), tables());
});

/** A value for Ajv: numbers are numbers, and objects have the usual prototype. */
const usual = (value) => JSON.parse(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item instanceof Float ? item.value : item)));

function* documents() {
  for (const { id } of cases("arc", "cnf", "doc", "ext", "lyr", "pkg", "sec", "trn", "ver", "wgt")) {
    for (const kind of KINDS) {
      for (const [suffix, parse] of [["json", parseJson], ["yaml", parseYaml]]) {
        const path = inCase(id, "input", `${kind}.${suffix}`), problems = [];
        if (!existsSync(path)) continue;
        const text = decodeText(readFileSync(path), kind, problems);
        const value = text === undefined ? undefined : parse(text, { member: kind, limits: LIMITS, problems });
        if (problems.length === 0 && value !== undefined) yield { id, kind, value };
      }
    }
  }
}

test("Ajv accepts exactly the documents of the suite in which we find no problem", () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".schema.json"))) ajv.addSchema(JSON.parse(readFileSync(join(folder, name), "utf8")));
  let accepted = 0, rejected = 0;
  for (const { id, kind, value } of documents()) {
    const validate = ajv.getSchema(`https://triptych.dev/schemas/1.0/${kind}.schema.json`);
    const ours = checkSchema(`${kind}.schema.json`, value, { member: kind }).filter(({ stage }) => stage === "schema");
    assert.equal(ours.length === 0, validate(usual(value)), `${id} ${kind}: ${JSON.stringify(ours.slice(0, 2))} ${ajv.errorsText(validate.errors)}`);
    if (ours.length) rejected++;
    else accepted++;
  }
  assert.ok(accepted > 500 && rejected > 60, `${accepted} accepted, ${rejected} rejected`);
});
