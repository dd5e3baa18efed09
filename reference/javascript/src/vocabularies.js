// The vocabularies of lookups: tokens in a config or an asset, and whether they may be one (chapter 25).

import { problem, quoted } from "./problems.js";
import { layersOf } from "./resolved.js";
import { isObject } from "./values.js";

const LOOKUPS = ["StringLookup", "IntegerLookup", "TextVectorization"];
const LIMITS = [-(2n ** 63n), 2n ** 63n - 1n];

/** The tokens in the bytes of an asset, texts or BigInts; a text that says what is wrong where they are none. */
export function tokensOfAsset(bytes, integers) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "bytes that are no UTF-8";
  }
  if (!text.endsWith("\n")) return text === "" ? "no token" : "a last token without a line feed";
  const tokens = text.slice(0, -1).split("\n");
  if (!integers) return tokens;
  const wrong = tokens.find((token) => !/^(?:0|-?[1-9][0-9]{0,18})$/.test(token) || BigInt(token) < LIMITS[0] || BigInt(token) > LIMITS[1]);
  return wrong === undefined ? tokens.map(BigInt) : quoted(wrong);
}

const keyOf = (token) => (typeof token === "string" ? token : BigInt(token));

/** The tokens of a lookup with where they stand; undefined where they are not known. */
export function vocabularyOf(layer, assets) {
  const { vocabulary } = layer.config;
  if (Array.isArray(vocabulary)) return vocabulary.map(keyOf);
  if (!isObject(vocabulary)) return undefined;
  return tokensOfAsset(assets.get(vocabulary.asset).slice(), layer.type === "IntegerLookup");
}

class Check {
  constructor(layer, { assets, member, problems }) {
    Object.assign(this, { layer, assets, problems, at: `${member}#${layer.place}${layer.inComposite ? "" : "/config"}` });
  }

  add(requirement, place, message) {
    this.problems.push(problem(requirement, place, message));
  }

  place(pointer) {
    return this.layer.inComposite ? this.at : `${this.at}${pointer}`;
  }

  run() {
    const { layer } = this, { vocabulary } = layer.config, asset = isObject(vocabulary) ? vocabulary.asset : undefined;
    if (vocabulary === undefined || vocabulary === null) return;
    if (asset !== undefined && !this.assets.has(asset)) {
      this.add("LYR-036", this.place("/vocabulary/asset"), `expected the name of an asset of the package, got ${quoted(asset)}`);
      return;
    }
    const tokens = vocabularyOf(layer, this.assets);
    if (typeof tokens === "string") {
      this.add("LYR-037", asset, `expected at least one token, each followed by a line feed, got ${tokens}`);
      return;
    }
    this.distinct(tokens, (i) => asset ?? this.place(`/vocabulary/${i}`));
    this.size(tokens.length);
  }

  distinct(tokens, place) {
    const { layer } = this, { settings } = layer, seen = new Map();
    const mask = layer.type === "TextVectorization" ? "" : settings.mask_token;
    if (mask !== null) seen.set(keyOf(mask), "the mask_token");
    tokens.forEach((token, i) => {
      if (seen.has(token)) this.add("LYR-038", place(i), `expected tokens that differ from each other and from the mask_token, got ${quoted(token)} as token ${i} and ${seen.get(token)}`);
      else seen.set(token, `token ${i}`);
    });
  }

  size(tokens) {
    const { type, settings } = this.layer, text = type === "TextVectorization";
    if (settings.vocabulary_size === null) return;
    const masked = settings.output_mode === "int" && (text || settings.mask_token !== null) ? 1 : 0;
    const count = tokens + (text ? 1 : settings.num_oov_indices) + masked;
    if (count !== settings.vocabulary_size) this.add("LYR-039", this.place("/vocabulary_size"), `expected ${count} indices, as the vocabulary gives, got ${settings.vocabulary_size}`);
  }
}

/** The problems of the vocabularies of an architecture beside the assets of its package. */
export function checkVocabularies({ layers, assets }, member) {
  const problems = [];
  for (const layer of layersOf(layers.graph)) if (LOOKUPS.includes(layer.type)) new Check(layer, { assets, member, problems }).run();
  return problems;
}

