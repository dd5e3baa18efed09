// The order in which Keras counts the inputs, layers and operations of an architecture (chapter 45).

import { valuesOf } from "./architecture.js";
import { byCodePoint } from "./values.js";

/** What each value is made by, and every call with its index among the makers; inputs are makers without a call. */
function makersOf(graph) {
  const makers = new Map();
  for (const { name } of graph.inputs) makers.set(name, { owner: Symbol(name), takes: [] });
  for (const call of graph.calls) {
    if (call.op === "constant") continue; // an array among arguments
    const said = Object.keys(call.arguments).sort(byCodePoint).map((name) => call.arguments[name]);
    const taken = [...call.inputs, ...said.flatMap((argument) => valuesOf(argument, "").map(([name]) => name))];
    const maker = { owner: call.layer ?? Symbol(call.op), layer: call.layer, takes: taken.map((name) => makers.get(name)).filter(Boolean) };
    for (const name of call.outputs) makers.set(name, maker);
  }
  return makers;
}

/** The makers from the outputs on, each behind what it takes; owners are numbered as they are first met. */
function visit(outputs) {
  const behind = [], seen = new Set(), firstMet = new Map();
  const open = [...outputs].reverse().map((maker) => [maker, false]);
  while (open.length) {
    const [maker, done] = open.pop();
    if (done) behind.push(maker);
    else if (!seen.has(maker)) {
      seen.add(maker);
      if (!firstMet.has(maker.owner)) firstMet.set(maker.owner, firstMet.size);
      open.push([maker, true], ...[...maker.takes].reverse().map((one) => [one, false]));
    }
  }
  return { behind, firstMet };
}

/** The longest way of each owner to an output. */
function depthsOf(behind) {
  const ofMaker = new Map(), ofOwner = new Map();
  for (const maker of behind.reverse()) {
    const depth = Math.max(ofMaker.get(maker) ?? 0, ofOwner.get(maker.owner) ?? 0);
    ofOwner.set(maker.owner, depth);
    for (const taken of maker.takes) ofMaker.set(taken, Math.max(ofMaker.get(taken) ?? 0, depth + 1));
  }
  return ofOwner;
}

/** The layers of a graph in the order of Keras, undefined in the place of an input or an operation. */
export function orderOf(graph) {
  if (graph.sequential) return [undefined, ...graph.layers.values()];
  const makers = makersOf(graph), outputs = graph.outputs.map((name) => makers.get(name)).filter(Boolean);
  const { behind, firstMet } = visit(outputs), depths = depthsOf(behind);
  const unused = graph.inputs.map(({ name }) => makers.get(name).owner).filter((owner) => !firstMet.has(owner));
  for (const owner of unused) {
    firstMet.set(owner, -1);
    depths.set(owner, 0);
  }
  const owners = [...firstMet.keys()].sort((a, b) => depths.get(b) - depths.get(a) || firstMet.get(a) - firstMet.get(b));
  return owners.map((owner) => (typeof owner === "symbol" ? undefined : owner));
}
