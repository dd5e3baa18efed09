// The adapter of the conformance suite: answers each line of JSON on standard input with one on standard output.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Bytes } from "./src/blobs.js";
import { dtypeOfName } from "./src/dtypes.js";
import { fromBytes, toBytes } from "./src/evaluate/arrays.js";
import { evaluateModel } from "./src/evaluate/evaluate.js";
import { bytesOfTexts, textsOfBytes } from "./src/evaluate/texts.js";
import { updateWeights } from "./src/evaluate/update.js";
import { modelOfObservation } from "./src/given.js";
import { saveModel, validate, withModel } from "./src/node.js";
import { compactJson } from "./src/json_text.js";
import { LIMITS } from "./src/limits.js";
import { bitsOf, observe } from "./src/observe.js";
import { namesElsewhere } from "./src/names_elsewhere.js";
import { InvalidModelError, UnsupportedError, UsageError } from "./src/problems.js";
import { headerSize, readTensors } from "./src/safetensors.js";

const roles = process.argv[2]?.split(",") ?? ["reader", "validator", "writer", "evaluator"];
const START = { protocol: 1, name: "triptych-javascript", version: "1.0.0-draft.1", language: "javascript", spec: ["1.0"], roles,
  profiles: ["core", "yaml", "archive", "sharded", "training", "layers", "evaluate", "names"], extensions: [] };

const shown = ({ code, place, message }) => ({ code, place, message });

/** Writes a model as a request says, and says what it holds. */
function written(model, { output, form, spelling, max_shard_bytes: maxShardBytes }) {
  saveModel(output, model, { form, spelling, maxShardBytes });
  return { outcome: "accepted", observed: withModel(output, observe) };
}

/** The arrays of a safetensors file by name. */
function arraysOf(path) {
  const blob = new Bytes(new Uint8Array(readFileSync(path))), problems = [], context = { member: path, limits: LIMITS, problems };
  const { tensors } = readTensors(blob, headerSize(blob, context), context);
  return Object.fromEntries([...tensors.values()].map((tensor) => [tensor.name, fromBytes(tensor.dtype, tensor.shape, tensor.bytes())]));
}

/** Arrays as the suite compares them, every element in bits. */
function shownArrays(member, arrays) {
  const tensors = Object.entries(arrays).map(([name, array]) => {
    const one = array.dtype === "string" ? bytesOfTexts(array) : array;
    return [name, new Map([["dtype", one.dtype], ["shape", one.shape], ["bits", bitsOf(toBytes(one), dtypeOfName(one.dtype))]])];
  });
  return compactJson(new Map([[member, new Map(tensors)]]));
}

function evaluate({ input, inputs }) {
  return withModel(input, (model) => {
    const arrays = arraysOf(inputs);
    for (const { name, dtype } of model.layers.graph.inputs ?? []) if (dtype === "string") arrays[name] = textsOfBytes(arrays[name]);
    return { outcome: "accepted", observed: shownArrays("outputs", evaluateModel(model, arrays)) };
  });
}

const OPERATIONS = {
  evaluate,
  update: ({ input, gradients, values }) => withModel(input, (model) => ({ outcome: "accepted", observed: shownArrays("tensors", updateWeights(model, arraysOf(gradients), values)) })),
  rewrite: (request) => withModel(request.input, (model) => written(model, request)),
  write: (request) => written(modelOfObservation(readFileSync(request.input)), request),
  read: ({ input }) => ({ outcome: "accepted", observed: withModel(input, observe) }),
  names: ({ input }) => withModel(input, (model) => ({ outcome: "accepted", observed: compactJson(new Map([["names", namesElsewhere(model)]])) })),
  validate: ({ input }) => {
    const problems = validate(input);
    return problems.length ? { outcome: "rejected", problems: problems.slice(0, 100).map(shown) } : { outcome: "accepted" };
  },
};

function answer(request) {
  const operation = OPERATIONS[request.op];
  if (operation === undefined) return { outcome: "skipped", reason: `no ${request.op} here` };
  try {
    return operation(request);
  } catch (error) {
    if (error instanceof InvalidModelError) return { outcome: "rejected", problems: error.problems.map(shown) };
    if (error instanceof UsageError) return { outcome: "rejected", problems: [] }; // a target that may not be replaced
    if (error instanceof UnsupportedError) return { outcome: "skipped", reason: error.message };
    return { outcome: "errored", detail: String(error?.stack ?? error).slice(0, 4000) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.cmd === "start") console.log(JSON.stringify(START));
  else {
    const { observed, ...rest } = answer(request);
    const head = JSON.stringify({ seq: request.seq, ...rest });
    console.log(observed === undefined ? head : `${head.slice(0, -1)},"observed":${observed}}`);
  }
}
