// The formulas of the optimizers of chapter 51: each takes one weight, its gradient and its slots one update further.
//
// A rule gets { c: settings, w, g, rate, count, slot, shape, product } and yields the new weight; `slot(name, at first)` is an array
// that the rule changes in place.

const norm = (x) => Math.sqrt(x.reduce((sum, one) => sum + one * one, 0));
const rms = (x) => Math.sqrt(x.reduce((sum, one) => sum + one * one, 0) / x.length);
/** Changes an array element by element. */
const update = (array, compute) => { for (let i = 0; i < array.length; i++) array[i] = compute(array[i], i); return array; };
const average = (array, decay, of) => update(array, (old, i) => decay * old + (1 - decay) * of(i));

function SGD({ c, w, g, rate, count, slot }) {
  if (c.momentum === 0) return w.map((x, i) => x - rate * g[i]);
  const m = slot("momentum"), d = count === 1 ? g : g.map((x) => x * (1 - c.dampening));
  if (c.momentum_scaling === "velocity") {
    update(m, (old, i) => c.momentum * old - rate * d[i]);
    return w.map((x, i) => (c.nesterov ? x + c.momentum * m[i] - rate * g[i] : x + m[i]));
  }
  update(m, (old, i) => c.momentum * old + d[i]);
  return w.map((x, i) => x - rate * (c.nesterov ? g[i] + c.momentum * m[i] : m[i]));
}

function RMSprop({ c, w, g, rate, slot }) {
  const v = average(slot("velocity"), c.rho, (i) => g[i] * g[i]), a = c.centered ? average(slot("average_gradient"), c.rho, (i) => g[i]) : undefined;
  const d = g.map((x, i) => { const s = a ? v[i] - a[i] * a[i] : v[i]; return x / (c.epsilon_mode === "inside" ? Math.sqrt(s + c.epsilon) : Math.sqrt(s) + c.epsilon); });
  if (c.momentum === 0) return w.map((x, i) => x - rate * d[i]);
  const velocity = c.momentum_scaling === "velocity", m = update(slot("momentum"), (old, i) => c.momentum * old + (velocity ? rate * d[i] : d[i]));
  return w.map((x, i) => x - (velocity ? m[i] : rate * m[i]));
}

function Adam({ c, w, g, rate, count, slot }) {
  const m = average(slot("momentum"), c.beta_1, (i) => g[i]), v = average(slot("velocity"), c.beta_2, (i) => g[i] * g[i]);
  const [c1, c2] = c.bias_correction ? [1 - c.beta_1 ** count, 1 - c.beta_2 ** count] : [1, 1];
  let s = v;
  if (c.amsgrad) {
    const raw = c.amsgrad_on === "raw", h = update(slot("velocity_hat"), (old, i) => Math.max(old, raw ? v[i] : v[i] / c2));
    s = raw ? h : h.map((x) => x * c2);
  }
  if (c.epsilon_mode === "hat") return w.map((x, i) => x - (((rate * Math.sqrt(c2)) / c1) * m[i]) / (Math.sqrt(s[i] + c.epsilon_root) + c.epsilon));
  return w.map((x, i) => x - (rate * (m[i] / c1)) / (Math.sqrt(s[i] / c2 + c.epsilon_root) + c.epsilon));
}

function Adamax({ c, w, g, rate, count, slot }) {
  const m = average(slot("momentum"), c.beta_1, (i) => g[i]), inside = c.epsilon_mode === "inside";
  const n = update(slot("norm"), (old, i) => Math.max(c.beta_2 * old, Math.abs(g[i]) + (inside ? c.epsilon : 0)));
  return w.map((x, i) => x - ((rate / (1 - c.beta_1 ** count)) * m[i]) / (inside ? n[i] : n[i] + c.epsilon));
}

function Nadam({ c, w, g, rate, count, slot, product }) {
  const u = (k) => c.beta_1 * (1 - 0.5 * 0.96 ** (k * c.momentum_decay)), m = average(slot("momentum"), c.beta_1, (i) => g[i]), v = average(slot("velocity"), c.beta_2, (i) => g[i] * g[i]);
  const done = product(u);
  return w.map((x, i) => {
    const a = (u(count + 1) * m[i]) / (1 - done * u(count + 1)) + ((1 - u(count)) * g[i]) / (1 - done);
    return x - (rate * a) / (Math.sqrt(v[i] / (1 - c.beta_2 ** count)) + c.epsilon);
  });
}

function Adagrad({ c, w, g, rate, slot }) {
  const a = update(slot("accumulator", c.initial_accumulator_value), (old, i) => old + g[i] * g[i]);
  return w.map((x, i) => x - (rate * g[i]) / (c.epsilon_mode === "inside" ? Math.sqrt(a[i] + c.epsilon) : Math.sqrt(a[i]) + c.epsilon));
}

function Adadelta({ c, w, g, rate, slot }) {
  const a = average(slot("accumulated_grad"), c.rho, (i) => g[i] * g[i]), b = slot("accumulated_delta_var");
  const d = g.map((x, i) => (Math.sqrt(b[i] + c.epsilon) / Math.sqrt(a[i] + c.epsilon)) * x);
  average(b, c.rho, (i) => d[i] * d[i]);
  return w.map((x, i) => x - rate * d[i]);
}

function Ftrl({ c, w, g, rate, slot }) {
  const p = -c.learning_rate_power, l2 = c.l2_regularization_strength + c.beta / (2 * rate), l1 = c.l1_regularization_strength;
  const a = slot("accumulator", c.initial_accumulator_value), z = slot("linear"), n = a.map((x, i) => x + g[i] * g[i]);
  update(z, (old, i) => old + g[i] + 2 * c.l2_shrinkage_regularization_strength * w[i] - ((n[i] ** p - a[i] ** p) / rate) * w[i]);
  a.set(n);
  return w.map((_, i) => (Math.min(Math.max(z[i], -l1), l1) - z[i]) / (n[i] ** p / rate + 2 * l2));
}

function Lion({ c, w, g, rate, slot }) {
  const m = slot("momentum"), next = w.map((x, i) => x - rate * Math.sign(c.beta_1 * m[i] + (1 - c.beta_1) * g[i]));
  average(m, c.beta_2, (i) => g[i]);
  return next;
}

function Lamb({ c, w, g, rate, count, slot }) {
  const m = average(slot("momentum"), c.beta_1, (i) => g[i]), v = average(slot("velocity"), c.beta_2, (i) => g[i] * g[i]), decay = c.decay_mode === "direction" ? (c.weight_decay ?? 0) : 0;
  const d = w.map((x, i) => m[i] / (1 - c.beta_1 ** count) / (Math.sqrt(v[i] / (1 - c.beta_2 ** count) + c.epsilon_root) + c.epsilon) + decay * x);
  const [own, step] = [norm(w), norm(d)], t = own === 0 || step === 0 ? 1 : own / step;
  return w.map((x, i) => x - rate * t * d[i]);
}

function Adafactor({ c, w, g, rate, count, slot, shape }) {
  const root = 1 / Math.sqrt(count), q = c.relative_step ? Math.min(rate, root) : rate, s = Math.max(c.epsilon_2, rms(w)) * Math.min(q, root);
  const b = 1 - count ** c.beta_2_decay, added = c.epsilon_mode === "added", x = g.map((one) => one * one + (added ? c.epsilon_1 : 0));
  const v = shape.length >= 2 ? factored({ c, x, b, slot, shape, added }) : average(slot("velocity"), b, (i) => x[i]);
  const d = g.map((one, i) => one / Math.sqrt(added ? v[i] : Math.max(v[i], c.epsilon_1 ** 2))), scale = Math.max(1, rms(d) / c.clip_threshold);
  return w.map((one, i) => one - (s * d[i]) / scale);
}

/** Squares as products of averages along the last axis and the one before. */
function factored({ c, x, b, slot, shape, added }) {
  const [rows, columns] = shape.slice(-2), count = x.length / (rows * columns);
  const r = slot("row", 0, count * rows), k = slot("column", 0, count * columns), v = new Float64Array(x.length);
  const mean = (length, at) => { let sum = 0; for (let i = 0; i < length; i++) sum += at(i); return sum / length; };
  average(r, b, (i) => mean(columns, (j) => x[i * columns + j]));
  average(k, b, (i) => mean(rows, (j) => x[(Math.floor(i / columns) * rows + j) * columns + (i % columns)]));
  for (let n = 0; n < count; n++) {
    const all = mean(rows, (i) => r[n * rows + i]), divisor = added ? all : Math.max(all, c.epsilon_1);
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) v[(n * rows + i) * columns + j] = (r[n * rows + i] * k[n * columns + j]) / divisor;
  }
  return v;
}

export const OPTIMIZERS = { SGD, RMSprop, Adam, AdamW: Adam, Adamax, Nadam, Adagrad, Adadelta, Ftrl, Lion, Lamb, Adafactor };

const CONSTRAINTS = {
  MaxNorm: (c, n) => Math.min(n, c.max_value) / (c.epsilon + n),
  UnitNorm: (c, n) => 1 / (c.epsilon + n),
  MinMaxNorm: (c, n) => (c.rate * Math.min(Math.max(n, c.min_value), c.max_value) + (1 - c.rate) * n) / (c.epsilon + n),
};

/** What a constraint makes of the elements of a weight whose norm is taken together; undefined for one that is not known. */
export function constrained(type, c, row) {
  if (type === "NonNeg") return row.map((x) => Math.max(x, 0));
  return Object.hasOwn(CONSTRAINTS, type) ? row.map((x) => x * CONSTRAINTS[type](c, norm(row))) : undefined;
}
export { norm };
