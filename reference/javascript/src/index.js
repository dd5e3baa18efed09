// What the package offers wherever JavaScript runs; `triptych-format/node` adds the file system.

import { Bytes } from "./blobs.js";

export { Bytes } from "./blobs.js";
export { Tensor, fromBytes, toBytes } from "./evaluate/arrays.js";
export { evaluateModel } from "./evaluate/evaluate.js";
export { updateWeights } from "./evaluate/update.js";
export { namesElsewhere } from "./names_elsewhere.js";
export { Model, inspectPackage, readPackage, validatePackage } from "./package.js";
export { InvalidModelError, TriptychError, UnreadableError, UnsupportedError, UsageError } from "./problems.js";
export { Float, fromPlain, toPlain } from "./values.js";
export { writeArchive, writeMembers } from "./write.js";

/** The source of a package whose members lie in memory: name -> bytes. */
export const folderSource = (members) => ({ members: new Map([...members].map(([name, bytes]) => [name, new Bytes(bytes)])) });

/** The source of a package that is an archive in memory. */
export const archiveSource = (bytes) => ({ archive: new Bytes(bytes) });
