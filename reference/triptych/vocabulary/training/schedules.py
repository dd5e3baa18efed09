"""Learning-rate schedules: the learning rate of each update, as a function of the updates or epochs before it.

A formula gets the resolved config and the count, and yields the rate; counting begins at 0. `ReduceOnPlateau` depends on what
training yields, so its formula gets and yields a state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from triptych.errors import UsageError, shorten
from triptych.model import Json
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.kinds import BOOLEAN, FRACTION, NOT_NEGATIVE, POSITIVE, SIZE, choice, optional
from triptych.vocabulary.training.definition import TYPES, component_type, define
from triptych.vocabulary.training.kinds import AT_LEAST_ONE, BOUNDARIES, COUNT, RATES, SCHEDULED, TEXT

FAMILY = "schedules"
Config = Mapping[str, Json]
UNIT = Field("unit", choice("step", "epoch"), "What is counted: updates or completed epochs.", "step")
RATE = Field("initial_learning_rate", NOT_NEGATIVE, "The rate at the start.")
DECAY_STEPS = Field("decay_steps", POSITIVE, "How many steps the decay takes.")
STAIRCASE = Field("staircase", BOOLEAN, "Whether the rate falls in stairs: n / decay_steps is rounded down.", default=False)


def rate_of(value: Json, *, step: int, epoch: int = 0, state: Mapping[str, Array] | None = None) -> float:
    """The learning rate that a number or a schedule gives after `step` updates and `epoch` epochs.

    Args:
        value: A number, or a schedule as a document says it.
        step: Updates made so far.
        epoch: Epochs completed.
        state: Of the training, for a schedule that has one.

    Raises:
        UsageError: The schedule is none of the vocabulary.
    """
    if not isinstance(value, Mapping):
        return float(value)
    kind = component_type(FAMILY, value["type"])
    if kind is None:
        raise UsageError(f"expected a schedule of the vocabulary, got {shorten(value['type'])}")
    config = kind.resolve(value.get("config", {}))
    if value["type"] == "ReduceOnPlateau":
        return plateau_of_state(config, state or {}).rate
    count = epoch if config.get("unit") == "epoch" else step
    return _warm_up(config, count, state) if value["type"] == "LinearWarmup" else float(kind.formula(config, count))


def _define(name: str, doc: str, equation: str, formula: object, *fields: Field, **equivalents: str) -> None:
    assert callable(formula)
    define(FAMILY, name, doc, equation, formula, fields=(*fields, UNIT), equivalents=equivalents)


_define(
    "Constant",
    "Always the same.",
    "rate(n) = learning_rate",
    lambda c, _: c["learning_rate"],
    Field("learning_rate", NOT_NEGATIVE, "The rate."),
    keras="a number",
    optax="constant_schedule",
)


def _portion(c: Config, n: int) -> float:
    portion = n / c["decay_steps"]
    return math.floor(portion) if c["staircase"] else portion


_define(
    "ExponentialDecay",
    "Falls by a factor every so many steps.",
    "rate(n) = initial_learning_rate × decay_rate^(n / decay_steps)",
    lambda c, n: c["initial_learning_rate"] * float(np.float64(c["decay_rate"]) ** _portion(c, n)),
    RATE,
    DECAY_STEPS,
    Field("decay_rate", POSITIVE, "The factor."),
    STAIRCASE,
    keras="ExponentialDecay",
    torch="ExponentialLR: decay_steps 1, unit epoch; StepLR: staircase",
    optax="exponential_decay",
)
_define(
    "InverseTimeDecay",
    "Falls as one over the count.",
    "rate(n) = initial_learning_rate / (1 + decay_rate × n / decay_steps)",
    lambda c, n: c["initial_learning_rate"] / (1.0 + c["decay_rate"] * _portion(c, n)),
    RATE,
    DECAY_STEPS,
    Field("decay_rate", NOT_NEGATIVE, "How fast."),
    STAIRCASE,
    keras="InverseTimeDecay",
)


def _polynomial(c: Config, n: int) -> float:
    total = c["decay_steps"]
    total, n = (total * max(1, math.ceil(n / total)), n) if c["cycle"] else (total, min(n, total))
    start, end = c["initial_learning_rate"], c["end_learning_rate"]
    return float((start - end) * (1.0 - n / total) ** c["power"] + end)


_define(
    "PolynomialDecay",
    "Falls to an end along a polynomial; a line with power 1.",
    """rate(n) = (initial_learning_rate - end_learning_rate) × (1 - k / d)^power + end_learning_rate
k = min(n, decay_steps), d = decay_steps;  cycle: k = n, d = decay_steps × max(1, n / decay_steps rounded up)""",
    _polynomial,
    RATE,
    DECAY_STEPS,
    Field("end_learning_rate", NOT_NEGATIVE, "The rate at the end."),
    Field("power", POSITIVE, "The exponent."),
    Field("cycle", BOOLEAN, "Whether it begins again, over more steps.", default=False),
    keras="PolynomialDecay",
    torch="PolynomialLR, LinearLR",
    optax="polynomial_schedule",
)


def boundaries_fit(c: Config) -> bool:
    """Whether the boundaries of a PiecewiseConstantDecay rise, and are one fewer than its values."""
    values, boundaries = c["values"], c["boundaries"]
    return len(values) == len(boundaries) + 1 and all(one < two for one, two in pairwise(boundaries))


def _piecewise(c: Config, n: int) -> float:
    values, boundaries = c["values"], c["boundaries"]
    if not boundaries_fit(c):
        raise UsageError(f"expected rising boundaries, one fewer than the {len(values)} values, got {shorten(boundaries)}")
    return float(values[sum(n > boundary for boundary in boundaries)])


_define(
    "PiecewiseConstantDecay",
    "Constant between boundaries.",
    "rate(n) = values[i], i = how many boundaries are below n",
    _piecewise,
    Field("boundaries", BOUNDARIES, "Rising counts; at a boundary the value before it still holds."),
    Field("values", RATES, "One more than boundaries."),
    keras="PiecewiseConstantDecay",
    torch="MultiStepLR: boundaries one below its milestones",
    optax="piecewise_constant_schedule: boundaries one below",
)


def _cosine(c: Config, n: int) -> float:
    start, target, warm = c["initial_learning_rate"], c["warmup_target"], c["warmup_steps"]
    if target is not None:
        if n < warm:
            return float((target - start) * n / warm + start)
        start, n = target, n - warm
    portion = min(n, c["decay_steps"]) / c["decay_steps"]
    return float(start * ((1.0 - c["alpha"]) * 0.5 * (1.0 + math.cos(math.pi * portion)) + c["alpha"]))


_define(
    "CosineDecay",
    "Falls along half a cosine, after a linear rise if there is a target.",
    """decay(s, k) = s × ((1 - alpha) × 0.5 × (1 + cos(pi × min(k, decay_steps) / decay_steps)) + alpha)
warmup_target null: rate(n) = decay(initial_learning_rate, n)
else: n < warmup_steps: rate(n) = (warmup_target - initial_learning_rate) × n / warmup_steps + initial_learning_rate;  from there: decay(warmup_target, n - warmup_steps)""",
    _cosine,
    RATE,
    DECAY_STEPS,
    Field("alpha", NOT_NEGATIVE, "The rate at the end as a fraction of the highest.", 0.0),
    Field("warmup_target", optional(NOT_NEGATIVE), "The rate after the rise; null: no rise.", None),
    Field("warmup_steps", NOT_NEGATIVE, "How many steps the rise takes.", 0),
    keras="CosineDecay",
    torch="CosineAnnealingLR: alpha is eta_min over the rate",
    optax="cosine_decay_schedule; warmup_cosine_decay_schedule counts the rise among its decay_steps",
)


def _restarts(c: Config, n: int) -> float:
    length, begun, periods = float(c["first_decay_steps"]), 0.0, 0
    while n - begun >= length:
        begun, length, periods = begun + length, length * c["t_mul"], periods + 1
    wave = 0.5 * c["m_mul"] ** periods * (1.0 + math.cos(math.pi * (n - begun) / length))
    return float(c["initial_learning_rate"] * ((1.0 - c["alpha"]) * wave + c["alpha"]))


_define(
    "CosineDecayRestarts",
    "Falls along half a cosine, again and again.",
    """period i has first_decay_steps × t_mul^i steps; n lies in period i, k steps after its begin
rate(n) = initial_learning_rate × ((1 - alpha) × 0.5 × m_mul^i × (1 + cos(pi × k / (first_decay_steps × t_mul^i))) + alpha)""",
    _restarts,
    RATE,
    Field("first_decay_steps", SIZE, "Steps of the first period."),
    Field("t_mul", AT_LEAST_ONE, "Each period has this many times the steps of the one before.", 2.0),
    Field("m_mul", NOT_NEGATIVE, "Each period begins at this many times the rate of the one before.", 1.0),
    Field("alpha", NOT_NEGATIVE, "The lowest rate as a fraction of the first.", 0.0),
    keras="CosineDecayRestarts",
    torch="CosineAnnealingWarmRestarts: m_mul 1, alpha is eta_min over the rate",
    optax="sgdr_schedule",
)
_define(
    "StepDecay",
    "Falls by a factor at every so manyth step.",
    "rate(n) = initial_learning_rate × factor^(n / step_size rounded down)",
    lambda c, n: c["initial_learning_rate"] * c["factor"] ** (n // c["step_size"]),
    RATE,
    Field("step_size", SIZE, "Steps between falls."),
    Field("factor", POSITIVE, "The factor."),
    keras="ExponentialDecay: staircase",
    torch="StepLR",
)


def _warm_up(c: Config, n: int, state: Mapping[str, Array] | None = None) -> float:
    steps, after = c["warmup_steps"], c["after"]
    if n >= steps:
        return rate_of(after, step=n - steps, epoch=n - steps, state=state)
    goal = rate_of(after, step=0, epoch=0, state=state)
    return float(c["initial_learning_rate"] + (goal - c["initial_learning_rate"]) * n / steps)


_define(
    "LinearWarmup",
    "Rises along a line, and goes on with another schedule.",
    """after(k) = the rate of `after` at k
rate(n) = initial_learning_rate + (after(0) - initial_learning_rate) × n / warmup_steps for n < warmup_steps, then after(n - warmup_steps)""",
    _warm_up,
    RATE,
    Field("warmup_steps", NOT_NEGATIVE, "Steps of the rise."),
    Field("after", SCHEDULED, "What follows: a rate, or a schedule that counts from there in the same unit; a `ReduceOnPlateau` hears of the epochs at whose end n ≥ warmup_steps."),
    torch="LinearLR and SequentialLR",
    optax="join_schedules of a linear_schedule",
)


def _one_cycle(c: Config, n: int) -> float:
    total, top, up = c["total_steps"], c["max_learning_rate"], c["rise"]
    first, last = top / c["divisor"], top / c["divisor"] / c["final_divisor"]
    if c["three_phase"]:
        phases = [
            (0.0, up * total - 1, first, top),
            (up * total - 1, 2 * up * total - 2, top, first),
            (2 * up * total - 2, total - 1.0, first, last),
        ]
    else:
        phases = [(0.0, up * total - 1, first, top), (up * total - 1, total - 1.0, top, last)]
    begin, end, low, high = next((phase for phase in phases if n <= phase[1] > phase[0]), phases[-1])
    portion = min(1.0, (n - begin) / (end - begin)) if end > begin else 1.0
    if c["anneal"] == "linear":
        return float((high - low) * portion + low)
    return float(high + (low - high) / 2.0 * (math.cos(math.pi * portion) + 1.0))


_define(
    "OneCycle",
    "Rises to its highest, then falls far below where it began.",
    """s = max_learning_rate / divisor, e = s / final_divisor, T = total_steps
from s at 0 to max_learning_rate at rise × T - 1;  then to e at T - 1;  three_phase: first back to s at 2 × rise × T - 2
a phase that ends no later than it begins is left out; after T - 1 the rate stays e
from x to y, after a part p of a phase: anneal linear: x + (y - x) × p;  anneal cosine: y + (x - y) / 2 × (1 + cos(pi × p))""",
    _one_cycle,
    Field("max_learning_rate", NOT_NEGATIVE, "The highest rate."),
    Field("total_steps", SIZE, "Steps of the cycle."),
    Field("rise", FRACTION, "Which part of the steps rises."),
    Field("anneal", choice("cosine", "linear"), "The shape of rise and fall."),
    Field("divisor", POSITIVE, "The highest rate over the first."),
    Field("final_divisor", POSITIVE, "The first rate over the last."),
    Field("three_phase", BOOLEAN, "Whether the fall stops at the first rate before it goes on.", default=False),
    torch="OneCycleLR: pct_start is rise, anneal_strategy cos is cosine",
)


@dataclass(frozen=True, slots=True)
class Plateau:
    """What `ReduceOnPlateau` remembers."""

    rate: float
    best: float | None = None
    waited: int = 0
    """Epochs without an improvement."""
    cooling: int = 0
    """Epochs that are not counted yet."""


def reduce_on_plateau(c: Config, state: Plateau, value: float) -> Plateau:
    """`state` after an epoch that yielded `value`."""
    sign = 1.0 if c["mode"] == "min" else -1.0
    best, now = state.best, value
    if best is None:
        better = True
    else:
        margin = c["threshold"] * (abs(best) if c["threshold_mode"] == "relative" else 1.0)
        better = sign * now < sign * best - margin
    waited, best = (0, now) if better else (state.waited + 1, best)
    cooling = state.cooling
    if cooling > 0:
        cooling, waited = cooling - 1, 0
    rate = state.rate
    if waited > c["patience"]:
        lower = max(rate * c["factor"], c["min_learning_rate"])
        rate = lower if rate - lower > c["min_change"] else rate
        cooling, waited = c["cooldown"], 0
    return Plateau(rate, best, waited, cooling)


STATE = "schedule."
"""What the names of its state begin with."""


def plateau_to_state(plateau: Plateau) -> dict[str, Array]:
    """The tensors of the training state that hold `plateau`."""
    found: dict[str, Array] = {
        f"{STATE}rate": np.asarray(plateau.rate, np.float64),
        f"{STATE}waited": np.asarray(plateau.waited, np.int64),
        f"{STATE}cooling": np.asarray(plateau.cooling, np.int64),
    }
    return found if plateau.best is None else {**found, f"{STATE}best": np.asarray(plateau.best, np.float64)}


def plateau_of_state(c: Config, state: Mapping[str, Array]) -> Plateau:
    """The plateau that a training state holds; the first where it holds none."""
    best = state.get(f"{STATE}best")
    return Plateau(
        float(state.get(f"{STATE}rate", c["initial_learning_rate"])),
        None if best is None else float(best),
        int(state.get(f"{STATE}waited", 0)),
        int(state.get(f"{STATE}cooling", 0)),
    )


def state_after_epoch(value: Json, state: Mapping[str, Array], monitored: float, *, step: int, epoch: int) -> dict[str, Array]:
    """The tensors of the training state that an epoch which yielded `monitored` changes, where the learning rate `value` has a state.

    `step` and `epoch` are the updates and epochs completed, with those of this epoch.
    """
    if not isinstance(value, Mapping) or value["type"] not in ("ReduceOnPlateau", "LinearWarmup"):
        return {}
    kind = TYPES[FAMILY][value["type"]]
    config = kind.resolve(value.get("config", {}))
    if value["type"] == "LinearWarmup":
        over = (epoch if config["unit"] == "epoch" else step) - config["warmup_steps"]
        return state_after_epoch(config["after"], state, monitored, step=over, epoch=over) if over >= 0 else {}
    return plateau_to_state(kind.formula(config, plateau_of_state(config, state), monitored))


_define(
    "ReduceOnPlateau",
    "Falls by a factor when a value has not improved for some epochs; its state is rate, best, waited and cooling.",
    """at the end of each epoch, of the value x (best: the first x):
better if x < best - threshold × abs(best) (threshold_mode absolute: × 1; mode max: with the signs of x and best turned): best ← x, waited ← 0;  else waited ← waited + 1
if cooling > 0: cooling ← cooling - 1, waited ← 0
if waited > patience: r = max(rate × factor, min_learning_rate), rate ← r if rate - r > min_change;  cooling ← cooldown, waited ← 0""",
    reduce_on_plateau,
    RATE,
    Field("factor", FRACTION, "The factor."),
    Field("patience", COUNT, "How many epochs without an improvement are borne."),
    Field("threshold", NOT_NEGATIVE, "What counts as an improvement."),
    Field("threshold_mode", choice("relative", "absolute"), "Whether the threshold is a fraction of the best."),
    Field("mode", choice("min", "max"), "Whether low or high is good.", "min"),
    Field("cooldown", COUNT, "Epochs after a fall that are not counted.", 0),
    Field("min_learning_rate", NOT_NEGATIVE, "The lowest rate.", 0.0),
    Field("min_change", NOT_NEGATIVE, "A smaller fall is not made.", 0.0),
    Field("monitor", optional(TEXT), "Name of the value; null: the loss.", None),
    keras="the callback ReduceLROnPlateau: patience one less, threshold_mode absolute, threshold is min_delta",
    torch="ReduceLROnPlateau: min_change is eps; below zero its relative threshold has the other sign",
)
