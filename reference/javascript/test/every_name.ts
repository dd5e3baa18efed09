// Every public name with its types, for tsc --strict; a test runs it too.

import {
  Bytes, Float, InvalidModelError, Model, Tensor, TriptychError, UnreadableError, UnsupportedError, UsageError, archiveSource, evaluateModel, folderSource,
  fromBytes, fromPlain, inspectPackage, namesElsewhere, readPackage, toBytes, toPlain, updateWeights, validatePackage, writeArchive, writeMembers,
  type Blob, type Document, type FormNames, type Hash, type Parameters, type Problem, type ReadOptions, type ResolvedArchitecture, type Source, type StoredTensor,
  type Value, type WriteOptions,
} from "triptych-format";
import { hash, openPackage, saveModel, validate, withModel } from "triptych-format/node";

const model = new Model();
model.architecture = fromPlain({
  format_version: "1.0", inputs: [{ name: "x", shape: [null, 2] }], layers: [{ name: "dense", type: "Dense", config: { units: 1, use_bias: false } }],
}) as Document;
const kernel: Blob = new Bytes(toBytes(new Tensor("float32", [2, 1], Float64Array.of(1, 2))));
const stored: StoredTensor = { name: "dense.kernel", dtype: "float32", shape: [2, 1], size: kernel.size, bytes: () => kernel.slice() };
model.weights = new Map([[stored.name, stored]]);
model.training = { format_version: "1.0", optimizer: { type: "SGD", config: { learning_rate: new Float(0.5) } } };

const writing: WriteOptions = { spelling: "json", maxShardBytes: 1_000_000, hash };
const members: Map<string, Uint8Array> = writeMembers(model, writing), archive: Uint8Array = writeArchive(members);
const reading: ReadOptions = { extensions: ["keras"], limits: { tensors: 10 }, hash };
const source: Source = archiveSource(archive), folder: Source = folderSource(members);
const problems: Problem[] = [...validatePackage(source), ...inspectPackage(folder, reading).problems];
for (const { code, requirement, stage, place, message } of problems) console.log(code, requirement, stage, place, message);

const read: Model = readPackage(source, reading), layers: ResolvedArchitecture | undefined = read.layers;
const counted: Parameters | undefined = layers?.parameters(read.weights);
const names: FormNames | undefined = namesElsewhere(read).get("dense.kernel")?.get("keras3");
const yielded: Record<string, Tensor> = evaluateModel(read, { x: new Tensor("float32", [1, 2], Float64Array.of(3, 4)) });
const weights: Record<string, Tensor> = updateWeights(read, { "dense.kernel": new Tensor("float32", [1, 2, 1], Float64Array.of(1, 1)) });
const bits: Tensor = fromBytes("float32", [2, 1], stored.bytes());
const value: Value = null;
const digester: Hash = hash().update(archive);

try {
  readPackage(archiveSource(archive.slice(1)));
} catch (error) {
  if (error instanceof InvalidModelError) console.log(error.problems.length);
  else if (error instanceof UnsupportedError || error instanceof UnreadableError || error instanceof UsageError || error instanceof TriptychError) console.log(error.message);
}

/** What all of this yields, at a path too. */
export function everyName(path: string): unknown {
  saveModel(path, read, { form: "archive", ...writing });
  const { source: opened, close } = openPackage(path);
  const count: number = readPackage(opened).weights?.size ?? 0;
  close();
  return {
    count, trainable: counted?.trainable, nonTrainable: counted?.nonTrainable, path: names?.get("paths"), y: yielded["dense"]?.data, kernel: weights["dense.kernel"]?.data, bits: bits.data,
    plain: toPlain(value), digits: digester.hex().length, invalid: validate(path).length, names: withModel(path, ({ weights: inside }) => [...(inside?.keys() ?? [])]), problems: problems.length,
  };
}
