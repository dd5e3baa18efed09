// The adapter of the conformance suite: answers each line of JSON on standard input with one on standard output.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { modelOfObservation } from "./src/given.js";
import { saveModel, validate, withModel } from "./src/node.js";
import { observe } from "./src/observe.js";
import { InvalidModelError, UnsupportedError } from "./src/problems.js";

const roles = process.argv[2]?.split(",") ?? ["reader", "validator", "writer"];
const START = { protocol: 1, name: "triptych-javascript", version: "1.0.0-draft.1", language: "javascript", spec: ["1.0"], roles,
  profiles: ["core", "yaml", "archive", "sharded", "training", "layers"], extensions: [] };

const shown = ({ code, place, message }) => ({ code, place, message });

/** Writes a model as a request says, and says what it holds. */
function written(model, { output, form, spelling, max_shard_bytes: maxShardBytes }) {
  saveModel(output, model, { form, spelling, maxShardBytes });
  return { outcome: "accepted", observed: withModel(output, observe) };
}

const OPERATIONS = {
  rewrite: (request) => withModel(request.input, (model) => written(model, request)),
  write: (request) => written(modelOfObservation(readFileSync(request.input)), request),
  read: ({ input }) => ({ outcome: "accepted", observed: withModel(input, observe) }),
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
