// Lets the optimizer of a model update its weights by given gradients, in the order of chapter 50.

import { UnsupportedError, UsageError } from "../problems.js";
import { toPlain } from "../values.js";
import { alongAxes } from "./activations.js";
import { Tensor, finish, fromBytes, numbers, rounder, sizeOf, transposed } from "./arrays.js";
import { OPTIMIZERS, constrained, norm } from "./optimizers.js";
import { componentSettings, isHeard, plateauAfter, plateauOf, rateOf, unitOf } from "./schedules.js";

/** One weight that is trained: its elements and its slots, rounded to its dtype. */
class Trained {
  constructor(name, tensor, state) {
    Object.assign(this, { name, shape: tensor.shape, dtype: tensor.dtype, data: Float64Array.from(numbers(tensor)), state, slots: new Map() });
    this.round = rounder(tensor.dtype);
  }

  /** A slot: what the training state holds, or else its value at first. */
  slot(name, first = 0, size = this.data.length) {
    if (!this.slots.has(name)) {
      const stored = this.state?.get(`optimizer.${name}.${this.name}`);
      this.slots.set(name, stored ? Float64Array.from(numbers(fromBytes(stored.dtype, stored.shape, stored.bytes()))) : typeof first === "number" ? new Float64Array(size).fill(first) : Float64Array.from(first));
    }
    return this.slots.get(name);
  }

  settle() {
    for (const array of [this.data, ...this.slots.values()]) for (let i = 0; i < array.length; i++) array[i] = this.round(array[i]);
  }
}

/** What the config of its layer says that a weight is projected to; `roles` are those of all its weights. */
function constraintOf({ layer, role }, roles) {
  for (const [member, constraint] of Object.entries(layer.settings)) {
    const subject = member.endsWith("_constraint") ? member.slice(0, -"_constraint".length) : undefined;
    if (!subject || !constraint) continue;
    const depthwise = layer.type.startsWith("DepthwiseConv") && subject === "depthwise" && role === "kernel";
    const speaks = roles.includes(subject) ? role === subject : depthwise || role.startsWith(`${subject}_`) || role.endsWith(`_${subject}`);
    if (speaks) return constraint;
  }
  return undefined;
}

class Updates {
  constructor(model, names) {
    const { optimizer, progress } = toPlain(model.training);
    if (!optimizer) throw new UsageError("expected a training document with an optimizer, got none");
    if (!Object.hasOwn(OPTIMIZERS, optimizer.type)) throw new UnsupportedError(`the optimizer ${optimizer.type} cannot be computed here`);
    this.rule = OPTIMIZERS[optimizer.type];
    this.c = componentSettings("optimizers", optimizer);
    this.step = progress?.step ?? 0;
    this.epoch = progress?.epoch ?? 0;
    this.model = model;
    this.weights = names.map((name) => {
      const stored = model.weights.get(name);
      return new Trained(name, fromBytes(stored.dtype, stored.shape, stored.bytes()), model.state);
    });
    this.settings = new Map(); // dtype -> the config with its numbers rounded to it
    this.constraints = this.constraintsOf(model);
    this.plateau = plateauOf(this.c.learning_rate, (name) => this.scalar(`schedule.${name}`));
    this.product = 1;
    this.multiplied = 0;
  }

  /** The config, its numbers rounded to the dtype of the arithmetic. */
  settingsFor({ dtype, round }) {
    if (!this.settings.has(dtype)) this.settings.set(dtype, Object.fromEntries(Object.entries(this.c).map(([name, value]) => [name, typeof value === "number" ? round(value) : value])));
    return this.settings.get(dtype);
  }

  /** The number that the training state holds under a name, or undefined. */
  scalar(name) {
    const stored = this.model.state?.get(name);
    return stored && Number(numbers(fromBytes(stored.dtype, stored.shape, stored.bytes()))[0]);
  }

  get every() {
    return this.c.gradient_accumulation_steps ?? 1;
  }

  /** Weight name -> what it is projected to: { type, settings, axes }. */
  constraintsOf(model) {
    const found = new Map();
    for (const weight of model.layers?.allWeights() ?? []) {
      const constraint = constraintOf(weight, model.layers.weights.get(weight.layer).map(({ role }) => role));
      if (constraint) found.set(weight.tensor, { type: constraint.type, settings: componentSettings("constraints", constraint), axes: weight.axes });
    }
    return found;
  }

  /** The learning rate of this step. */
  rate() {
    const { learning_rate: schedule, decay } = this.c;
    return rateOf(schedule, this.counted(schedule), this.plateau) / (1 + decay * this.step);
  }

  /** The updates or epochs so far, whichever a schedule counts. */
  counted(schedule) {
    return unitOf(schedule) === "epoch" ? this.epoch : this.step;
  }

  /** The product of u(k) up to this update, which follows from the count. */
  productUpTo(count, u) {
    for (; this.multiplied < count; ) this.product *= u(++this.multiplied);
    return this.product;
  }

  /** Gradients as they enter the formula; undefined while they are only gathered. */
  gathered(gradients) {
    const { c, every } = this, scaled = gradients.map((g) => (c.loss_scale_factor === null ? g : g.map((x) => x / c.loss_scale_factor)));
    if (c.gradient_accumulation_steps === null) return scaled;
    const sums = scaled.map((g, i) => { const sum = this.weights[i].slot("accumulated_gradient"); g.forEach((x, at) => { sum[at] += x; }); return sum; });
    if ((this.step + 1) % every !== 0) return undefined;
    return sums.map((sum) => { const mean = sum.map((x) => x / every); sum.fill(0); return mean; });
  }

  clipped(gradients) {
    const { clipnorm, global_clipnorm: together, clipvalue, clip_epsilon: epsilon } = this.c;
    let found = gradients;
    const shortened = (g, most, n) => { const factor = n + epsilon <= most ? 1 : most / (n + epsilon); return g.map((x) => x * factor); };
    if (clipnorm !== null) found = found.map((g) => shortened(g, clipnorm, norm(g)));
    if (together !== null) { const n = norm(found.map(norm)); found = found.map((g) => shortened(g, together, n)); }
    if (clipvalue !== null) found = found.map((g) => g.map((x) => Math.min(Math.max(x, -clipvalue), clipvalue)));
    return found;
  }

  averaged(weight, before, count) {
    const { c } = this, average = weight.slot("average", c.ema_start === "weight" ? before : weight.data);
    for (let i = 0; i < average.length; i++) average[i] = c.ema_momentum * average[i] + (1 - c.ema_momentum) * weight.data[i];
    if (c.ema_overwrite_frequency !== null && count % c.ema_overwrite_frequency === 0) weight.data.set(average);
  }

  constrain(weight) {
    const { type, settings, axes } = this.constraints.get(weight.name);
    const stored = new Tensor("float64", weight.shape, weight.data), canonical = axes ? transposed(stored, axes) : stored;
    const over = type === "NonNeg" ? canonical.shape.map((_, i) => i) : [settings.axis].flat();
    const data = alongAxes(canonical, over, (row) => {
      const found = constrained(type, settings, row);
      if (found === undefined) throw new UnsupportedError(`the constraint ${type} cannot be computed here`);
      return found;
    });
    const back = new Tensor("float64", canonical.shape, data);
    weight.data.set(axes ? transposed(back, axes.map((_, i) => axes.indexOf(i))).data : data);
  }

  take(gradients) {
    const found = this.gathered(gradients);
    if (found) this.update(this.clipped(found));
    this.step++;
  }

  /** An epoch ends, and yields a value that a schedule may follow. */
  end(value) {
    this.epoch++;
    const { learning_rate: schedule } = this.c;
    if (this.plateau && isHeard(schedule, this.counted(schedule))) this.plateau = plateauAfter(this.plateau, value);
  }

  update(gradients) {
    const { c } = this, count = Math.floor(this.step / this.every) + 1, rate = this.rate(), decay = c.weight_decay ?? 0;
    this.weights.forEach((weight, i) => {
      const before = weight.data.slice();
      let g = gradients[i];
      if (decay && c.decay_mode === "l2") g = g.map((x, at) => x + decay * weight.data[at]);
      else if (decay && c.decay_mode === "decoupled") weight.data = weight.data.map((x) => x - decay * rate * x);
      weight.data = this.rule({ c: this.settingsFor(weight), w: weight.data, g, rate, count, shape: weight.shape, slot: (...args) => weight.slot(...args), product: (u) => this.productUpTo(count, u) });
      if (c.use_ema) this.averaged(weight, before, count);
      if (this.constraints.has(weight.name)) this.constrain(weight);
      weight.settle();
    });
  }
}

/** The weights of a model, by name, after its optimizer has taken one step for each row of the gradients (name -> [steps, ...]); each of `values` ends an epoch. */
export function updateWeights(model, gradients, values = []) {
  if (!model.weights || !model.training) throw new UsageError("expected a model with weights and a training document, got one without");
  const names = Object.keys(gradients).filter((name) => model.weights.has(name)), updates = new Updates(model, names);
  const steps = names.length ? gradients[names[0]].shape[0] : 0;
  for (let t = 0; t < steps; t++) {
    updates.take(names.map((name) => { const { data, shape } = gradients[name], width = sizeOf(shape.slice(1)); return Float64Array.from(data.subarray(t * width, (t + 1) * width), Number); }));
    if (values.length) updates.end(values[t]);
  }
  const changed = new Map(updates.weights.map((weight) => [weight.name, finish(weight.dtype, weight.shape, weight.data)]));
  return Object.fromEntries([...model.weights.values()].map((stored) => [stored.name, changed.get(stored.name) ?? fromBytes(stored.dtype, stored.shape, stored.bytes())]));
}

