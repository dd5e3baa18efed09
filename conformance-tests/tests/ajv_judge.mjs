// Says of documents whether Ajv accepts them: node ajv_judge.mjs PACKAGE SCHEMAS LIST, where LIST is a file with [[schema, path], …].
// PACKAGE has Ajv and the YAML parser among its modules. Prints, as JSON, the messages about each document, or null for one without fault.

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, schemas, list] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const Ajv = require("ajv/dist/2020").default, { parse } = require("yaml");

// Strict: a keyword that Ajv does not know, or one that cannot act where it stands, is an error. Left out is what strict mode wants beyond
// 2020-12; and $anchor is one that Ajv follows, though its strict mode does not know the word.
const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).addVocabulary(["$anchor"]);
const within = readdirSync(schemas, { recursive: true }).filter((one) => one.endsWith(".schema.json"));
for (const name of within) ajv.addSchema(JSON.parse(readFileSync(join(schemas, name), "utf8")));

const verdicts = JSON.parse(readFileSync(list, "utf8")).map(([name, path]) => {
  const text = readFileSync(path, "utf8"), validate = ajv.getSchema(`https://triptych.dev/schemas/1.0/${name}.schema.json`);
  return validate(path.endsWith(".yaml") ? parse(text, { version: "1.2" }) : JSON.parse(text)) ? null : ajv.errorsText(validate.errors);
});
console.log(JSON.stringify(verdicts));
