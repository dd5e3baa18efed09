// Where the checkout is that this package is part of, and the cases of its conformance suite.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export const tree = process.env.TRIPTYCH_TREE ?? join(import.meta.dirname, "..", "..", "..");
const folder = join(tree, "conformance-tests", "cases");

/** The path of a file or a folder of a case. */
export const inCase = (id, ...names) => join(folder, id.slice(0, 3), id, ...names);

/** Every case: its identifier and what case.json says. */
export function* cases(...areas) {
  for (const area of areas) {
    for (const id of readdirSync(join(folder, area))) yield { ...JSON.parse(readFileSync(inCase(id, "case.json"), "utf8")), id };
  }
}
