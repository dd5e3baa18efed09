// From the bytes of a document to a value that keeps its schema: limits, text, spelling, version, schema.

import { decodeText, parseJson } from "./json.js";
import { firstStage, problem, quoted } from "./problems.js";
import { checkSchema } from "./schema.js";
import { parseYaml } from "./yaml.js";
import { has, isObject } from "./values.js";

export const VERSION = "1.0";
const VERSION_SYNTAX = /^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})$/;

/** The most bytes that a member of a kind may have. */
export function documentLimit(schema, member, limits) {
  if (member.endsWith(".yaml")) return limits.yamlBytes;
  return schema === "training.schema.json" ? limits.trainingBytes : limits.documentBytes;
}

/** The value of a document's bytes, and its problems up to the schema; a float in the place of an integer is one of a later stage. */
export function readDocument(bytes, { member, schema, limits }) {
  const problems = [];
  const limit = documentLimit(schema, member, limits);
  if (bytes.length > limit) {
    return { problems: [problem("DOC-010", member, `expected a document of at most ${limit} bytes, got ${bytes.length}`)] };
  }
  const text = decodeText(bytes, member, problems);
  if (text === undefined) return { problems };
  const parse = member.endsWith(".yaml") ? parseYaml : parseJson;
  const value = parse(text, { member, limits, problems });
  if (problems.length) return { problems };
  const isDocument = schema !== "shard_index.schema.json"; // an index is text like one, without its form
  if (isDocument && !isObject(value)) return { problems: [problem("DOC-011", `${member}#`, `expected a document to be an object, got ${quoted(value)}`)] };
  const version = isDocument ? value.format_version : undefined;
  if (typeof version === "string" && VERSION_SYNTAX.test(version) && version !== VERSION) {
    return { problems: [problem("VER-003", `${member}#/format_version`, `expected version ${VERSION}, got ${quoted(version)}`)] };
  }
  const found = checkSchema(schema, value, { member });
  const ofVersion = found.filter(({ requirement }) => requirement === "VER-001" || requirement === "VER-002");
  return { value, problems: ofVersion.length ? ofVersion : firstStage(found) };
}

/** The problems of the extensions of a document (chapter 60); `known` are the names that the caller understands. */
export function checkExtensions(value, { member, known }) {
  const problems = [];
  const used = new Set(Array.isArray(value.extensions_used) ? value.extensions_used : []);
  const required = Array.isArray(value.extensions_required) ? value.extensions_required : [];
  required.forEach((name, i) => {
    const place = `${member}#/extensions_required/${i}`;
    if (!used.has(name)) problems.push(problem("EXT-003", place, `expected ${quoted(name)} in extensions_used too`));
    if (!known.includes(name)) problems.push(problem("EXT-004", place, `expected an extension that this reader knows, got ${quoted(name)}`));
  });
  return { problems, used };
}

/** Adds the problems of one member `extensions`: each of its names has to be listed. */
export function checkExtensionData(holder, place, used, problems) {
  if (!has(holder, "extensions")) return;
  for (const name of Object.keys(holder.extensions)) {
    if (!used.has(name)) problems.push(problem("EXT-002", `${place}/extensions/${name}`, `expected ${quoted(name)} to be listed in extensions_used`));
  }
}
