// The names of members: which are allowed (PKG-002), and which two file systems might take for one (PKG-003).

import { problem, quoted } from "./problems.js";
import { utf8Length } from "./values.js";

const FORBIDDEN = /[\\:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;
const DEVICE = /^(?:con|prn|aux|nul|(?:com|lpt)[1-9¹²³]) *(?:\.|$)/i;

const segmentIsFine = (segment) => segment !== "" && utf8Length(segment) <= 255 && !/^[. ]|[. ]$/.test(segment) && !FORBIDDEN.test(segment) && !DEVICE.test(segment);

/** Whether a member may have this name. */
export function isMemberName(name) {
  const segments = name.split("/");
  return name.isWellFormed() && name.normalize("NFC") === name && utf8Length(name) <= 1024 && segments.length <= 16 && segments.every(segmentIsFine);
}

const CHEROKEE = /[\u13f8-\u13fd\uab70-\uabbf]/u;

function caseFold(text) {
  let folded = "";
  for (const character of text) {
    if (!/\p{Changes_When_Casefolded}/u.test(character)) folded += character;
    else if (CHEROKEE.test(character)) folded += character.toUpperCase();
    else for (const upper of character.toUpperCase()) folded += upper.toLowerCase();
  }
  return folded;
}

/** The NFKC case folding of a text: what file systems may take for the same name is equal in it. */
export function foldName(text) {
  for (let folded = text; ; text = folded) {
    folded = caseFold(folded.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, "")).normalize("NFKC");
    if (folded === text) return folded;
  }
}

const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character) {
  const code = character.codePointAt(0), digits = code.toString(16);
  if (SHORT[character]) return SHORT[character];
  return code < 0x100 ? `\\x${digits.padStart(2, "0")}` : code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}

/** The name of a member as places spell it: a backslash, `#`, and what is not printable ASCII, escaped. */
export const spelled = (name) => name.replaceAll("\\", "\\\\").replace(/[^\x20-\x7e]|#/gu, escaped);

/** The problems of the names of members, in the order they are given. */
export function checkNames(names) {
  const problems = [];
  const folded = new Map(); // folding -> [name, whether it is a folder]
  for (const name of names) {
    if (!isMemberName(name)) {
      problems.push(problem("PKG-002", name, `expected a member name of chapter 30, got ${quoted(name)}`));
      continue;
    }
    const segments = name.split("/");
    for (let length = 1; length <= segments.length; length++) {
      const path = segments.slice(0, length).join("/"), folder = length < segments.length, key = foldName(path);
      const other = folded.get(key);
      if (other === undefined) folded.set(key, [path, folder]);
      else if (other[0] !== path || other[1] !== folder || !folder) {
        problems.push(problem("PKG-003", name, `expected names that every file system keeps apart, got ${quoted(name)} beside ${quoted(other[0])}`));
        break;
      }
    }
  }
  return problems;
}
