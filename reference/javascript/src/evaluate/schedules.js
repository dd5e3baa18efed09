// Learning rates that change: the schedules of chapter 51.

import { UnsupportedError, UsageError } from "../problems.js";
import { VOCABULARY } from "../tables.js";

const stairs = (c, n) => (c.staircase ? Math.floor(n / c.decay_steps) : n / c.decay_steps);
const cosineDecay = (c, from, k) => from * ((1 - c.alpha) * 0.5 * (1 + Math.cos((Math.PI * Math.min(k, c.decay_steps)) / c.decay_steps)) + c.alpha);

function restarts(c, n) {
  let i = 0, begin = 0, length = c.first_decay_steps;
  while (n >= begin + length) {
    begin += length;
    length = c.first_decay_steps * c.t_mul ** ++i;
  }
  return c.initial_learning_rate * ((1 - c.alpha) * 0.5 * c.m_mul ** i * (1 + Math.cos((Math.PI * (n - begin)) / length)) + c.alpha);
}

function oneCycle(c, n) {
  const s = c.max_learning_rate / c.divisor, e = s / c.final_divisor, top = c.rise * c.total_steps - 1;
  const points = [[0, s], [top, c.max_learning_rate], ...(c.three_phase ? [[2 * c.rise * c.total_steps - 2, s]] : []), [c.total_steps - 1, e]];
  const next = points.findIndex(([end], i) => i > 0 && ((n <= end && end > points[i - 1][0]) || i === points.length - 1)), [[a, x], [b, y]] = [points[next - 1], points[next]], p = b > a ? Math.min(1, (n - a) / (b - a)) : 1;
  return c.anneal === "linear" ? x + (y - x) * p : y + ((x - y) / 2) * (1 + Math.cos(Math.PI * p));
}

const SCHEDULES = {
  Constant: (c) => c.learning_rate,
  ExponentialDecay: (c, n) => c.initial_learning_rate * c.decay_rate ** stairs(c, n),
  InverseTimeDecay: (c, n) => c.initial_learning_rate / (1 + c.decay_rate * stairs(c, n)),
  PolynomialDecay(c, n) {
    const [k, d] = c.cycle ? [n, c.decay_steps * Math.max(1, Math.ceil(n / c.decay_steps))] : [Math.min(n, c.decay_steps), c.decay_steps];
    return (c.initial_learning_rate - c.end_learning_rate) * (1 - k / d) ** c.power + c.end_learning_rate;
  },
  PiecewiseConstantDecay(c, n) {
    if (c.values.length !== c.boundaries.length + 1) throw new UsageError(`expected ${c.boundaries.length + 1} values, got ${c.values.length}`);
    return c.values[c.boundaries.filter((bound) => bound < n).length];
  },
  ReduceOnPlateau: (c, n, plateau) => plateau?.rate ?? c.initial_learning_rate,
  CosineDecay(c, n) {
    if (c.warmup_target === null) return cosineDecay(c, c.initial_learning_rate, n);
    if (n < c.warmup_steps) return ((c.warmup_target - c.initial_learning_rate) * n) / c.warmup_steps + c.initial_learning_rate;
    return cosineDecay(c, c.warmup_target, n - c.warmup_steps);
  },
  CosineDecayRestarts: restarts,
  StepDecay: (c, n) => c.initial_learning_rate * c.factor ** Math.floor(n / c.step_size),
  LinearWarmup(c, n, plateau) {
    if (n >= c.warmup_steps) return rateOf(c.after, n - c.warmup_steps, plateau);
    return c.initial_learning_rate + ((rateOf(c.after, 0, plateau) - c.initial_learning_rate) * n) / c.warmup_steps;
  },
  OneCycle: oneCycle,
};

/** The settings of a component of chapter 51, defaults filled in. */
export const componentSettings = (family, { type, config }) => ({ ...Object.fromEntries((VOCABULARY.training[family][type]?.config ?? []).map((row) => [row.name, row.default ?? null])), ...config });

/** The rate that a number or a schedule gives at a count; `plateau` is how far the ReduceOnPlateau in it got. */
export function rateOf(schedule, n, plateau) {
  if (typeof schedule === "number") return schedule;
  if (!Object.hasOwn(SCHEDULES, schedule.type)) throw new UnsupportedError(`the schedule ${schedule.type} cannot be computed here`);
  return SCHEDULES[schedule.type](componentSettings("schedules", schedule), n, plateau);
}

/** How far the ReduceOnPlateau in a schedule got: `stored` yields a number of the training state by the end of its name, or undefined. Undefined where none is in it. */
export function plateauOf(schedule, stored) {
  if (schedule.type === "LinearWarmup") return plateauOf(schedule.config.after, stored);
  if (schedule.type !== "ReduceOnPlateau") return undefined;
  const c = componentSettings("schedules", schedule);
  return { c, rate: stored("rate") ?? c.initial_learning_rate, best: stored("best"), waited: stored("waited") ?? 0, cooling: stored("cooling") ?? 0 };
}

/** Whether the ReduceOnPlateau in a schedule hears of an epoch that ends at a count: not during the rise before it. */
export const isHeard = (schedule, n) => schedule.type !== "LinearWarmup" || (n >= schedule.config.warmup_steps && isHeard(schedule.config.after, n - schedule.config.warmup_steps));

/** The plateau after an epoch that yielded `value`. */
export function plateauAfter({ c, rate, best, waited, cooling }, value) {
  const sign = c.mode === "max" ? -1 : 1, margin = () => c.threshold * (c.threshold_mode === "absolute" ? 1 : Math.abs(best));
  if (best === undefined || sign * value < sign * best - margin()) [best, waited] = [value, 0];
  else waited++;
  if (cooling > 0) [cooling, waited] = [cooling - 1, 0];
  if (waited > c.patience) {
    const lower = Math.max(rate * c.factor, c.min_learning_rate);
    if (rate - lower > c.min_change) rate = lower;
    [cooling, waited] = [c.cooldown, 0];
  }
  return { c, rate, best, waited, cooling };
}

/** What a schedule counts: updates or epochs. */
export const unitOf = (schedule) => (typeof schedule === "number" ? "step" : (schedule.config?.unit ?? "step"));
