"""Optimizers: what one update makes of a weight, its gradient and its slots.

A formula gets an `Update` and yields the new weight and the new slots. What every optimizer does around it (clipping, decay,
averages) is in `step`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from triptych.model import Json
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.kinds import BOOLEAN, FRACTION, NOT_NEGATIVE, NUMBER, POSITIVE, SIZE, choice, optional
from triptych.vocabulary.training.definition import Slot, define
from triptych.vocabulary.training.kinds import BELOW_ONE, NOT_POSITIVE, SCHEDULED
from triptych.vocabulary.training.update import Update

FAMILY = "optimizers"
Slots = dict[str, Array]


def _decay(default: str = "decoupled", *more: str) -> Field:
    return Field("decay_mode", choice("decoupled", "l2", *more), "How `weight_decay` acts, see chapter 50.", default)


COMMON = (
    Field("decay", NOT_NEGATIVE, "The learning rate is divided by 1 + `decay` × (count - 1).", 0.0),
    Field("weight_decay", optional(NOT_NEGATIVE), "Strength of the decay of weights; null: none.", None),
    _decay(),
    Field("clipvalue", optional(NOT_NEGATIVE), "Largest magnitude of an element of a gradient; null: none.", None),
    Field("clipnorm", optional(NOT_NEGATIVE), "Largest norm of the gradient of one weight; null: none.", None),
    Field("global_clipnorm", optional(NOT_NEGATIVE), "Largest norm of all gradients together; null: none.", None),
    Field("clip_epsilon", NOT_NEGATIVE, "Added to a norm before the largest one is divided by it.", 0.0),
    Field("use_ema", BOOLEAN, "Whether a moving average of each weight is kept.", default=False),
    Field("ema_momentum", FRACTION, "Weight of the old average.", 0.99),
    Field(
        "ema_start",
        choice("update", "weight"),
        "Whether the average begins as the weight after the first update or before it.",
        "update",
    ),
    Field("ema_overwrite_frequency", optional(SIZE), "Every how many updates the averages become the weights; null: never.", None),
    Field(
        "loss_scale_factor", optional(POSITIVE), "Gradients are those of the loss times this, and are divided by it; null: 1.", None
    ),
    Field("gradient_accumulation_steps", optional(SIZE), "Of how many gradients an update takes the mean; null: 1.", None),
)
"""Members of every optimizer."""
RATE = Field("learning_rate", SCHEDULED, "The learning rate.")
EPSILON = Field("epsilon", NOT_NEGATIVE, "Keeps a denominator from 0.")
BETA_1 = Field("beta_1", BELOW_ONE, "Decay of the average of gradients.")
BETA_2 = Field("beta_2", BELOW_ONE, "Decay of the average of squares.")
RHO = Field("rho", BELOW_ONE, "Decay of the averages.")
MOMENTUM = Slot("momentum", "moving average of gradients")
VELOCITY = Slot("velocity", "moving average of squares of gradients")
SHARED_SLOTS = (
    Slot("average", "moving average of the weight, which it begins as: see `ema_start`", initial="weight", when="use_ema"),
    Slot("accumulated_gradient", "sum of the gradients since the last update", when="gradient_accumulation_steps"),
)
"""Slots of every optimizer."""


def _scaling(what: str) -> Field:
    return Field("momentum_scaling", choice("velocity", "buffer"), what, "velocity")


def _define(  # noqa: PLR0917 - a row of a table
    name: str, doc: str, equation: str, formula: object, fields: tuple[Field, ...], slots: tuple[Slot, ...] = (), **equivalents: str
) -> None:
    assert callable(formula)
    own = {one.name for one in fields}
    common = tuple(one for one in COMMON if one.name not in own)
    define(
        FAMILY,
        name,
        doc,
        equation,
        formula,
        fields=(RATE, *fields, *common),
        slots=(*slots, *SHARED_SLOTS),
        equivalents=equivalents,
    )


def _average(old: Array, new: Array, beta: float) -> Array:
    return old * beta + new * (1.0 - beta)


def _sgd(u: Update) -> tuple[Array, Slots]:
    momentum, g = u.config["momentum"], u.gradient
    if not momentum:
        return u.weight - u.rate * g, {}
    damped = g * (1.0 - u.config["dampening"]) if u.count > 1 else g
    if u.config["momentum_scaling"] == "velocity":
        v = momentum * u.slots["momentum"] - u.rate * damped
        return u.weight + (momentum * v - u.rate * g if u.config["nesterov"] else v), {"momentum": v}
    b = momentum * u.slots["momentum"] + damped
    return u.weight - u.rate * (g + momentum * b if u.config["nesterov"] else b), {"momentum": b}


_define(
    "SGD",
    "Gradient descent, with momentum.",
    """d = g × (1 - dampening), but g at count = 1
momentum_scaling velocity: m ← momentum × m - rate × d;  w ← w + m;           nesterov: w ← w + momentum × m - rate × g
momentum_scaling buffer:   m ← momentum × m + d;         w ← w - rate × m;    nesterov: w ← w - rate × (g + momentum × m)
momentum = 0: w ← w - rate × g""",
    _sgd,
    (
        Field("momentum", FRACTION, "Weight of what the slot holds; 0: no slot.", 0.0),
        Field("nesterov", BOOLEAN, "Whether the gradient is taken ahead.", default=False),
        Field("dampening", FRACTION, "How much less than all of a gradient enters the slot, after the first.", 0.0),
        _scaling(
            "Whether the slot holds steps (`velocity`: with the sign and the learning rate of their time) or gradients (`buffer`)."
        ),
    ),
    (Slot("momentum", "steps or gradients, as `momentum_scaling` says", when="not (momentum == 0)"),),
    keras="SGD: momentum_scaling velocity, dampening 0",
    torch="torch.optim.SGD: momentum_scaling buffer, decay_mode l2",
    optax="optax.sgd: momentum_scaling buffer",
)


def _rmsprop(u: Update) -> tuple[Array, Slots]:
    config, g, rho = u.config, u.gradient, u.config["rho"]
    v = _average(u.slots["velocity"], g * g, rho)
    slots, squares = {"velocity": v}, v
    if config["centered"]:
        slots["average_gradient"] = mean = _average(u.slots["average_gradient"], g, rho)
        squares = v - mean * mean
    epsilon = config["epsilon"]
    direction = g / (np.sqrt(squares + epsilon) if config["epsilon_mode"] == "inside" else np.sqrt(squares) + epsilon)
    if not config["momentum"]:
        return u.weight - u.rate * direction, slots
    velocity = config["momentum_scaling"] == "velocity"
    m = config["momentum"] * u.slots["momentum"] + (u.rate * direction if velocity else direction)
    return u.weight - (m if velocity else u.rate * m), {**slots, "momentum": m}


_define(
    "RMSprop",
    "Divides gradients by the root of the moving average of their squares.",
    """v ← rho × v + (1 - rho) × g²
s = v;  centered: a ← rho × a + (1 - rho) × g,  s = v - a²
epsilon_mode inside: d = g / sqrt(s + epsilon);  outside: d = g / (sqrt(s) + epsilon)
momentum = 0: w ← w - rate × d
momentum_scaling velocity: m ← momentum × m + rate × d;  w ← w - m
momentum_scaling buffer:   m ← momentum × m + d;         w ← w - rate × m""",
    _rmsprop,
    (
        RHO,
        Field("momentum", FRACTION, "Weight of what the slot holds; 0: no slot.", 0.0),
        EPSILON,
        Field("centered", BOOLEAN, "Whether the average gradient's square is taken off.", default=False),
        Field("epsilon_mode", choice("inside", "outside"), "Whether `epsilon` stands inside the root.", "inside"),
        _scaling("Whether the momentum slot holds steps with the learning rate of their time (`velocity`) or not (`buffer`)."),
    ),
    (
        VELOCITY,
        Slot("momentum", "steps or directions, as `momentum_scaling` says", when="not (momentum == 0)"),
        Slot("average_gradient", "moving average of gradients", when="centered"),
    ),
    keras="RMSprop: epsilon_mode inside, momentum_scaling velocity; until TensorFlow 2.10 outside unless there is momentum",
    torch="torch.optim.RMSprop: epsilon_mode outside, momentum_scaling buffer, decay_mode l2",
    optax="optax.rmsprop: epsilon_mode inside (eps_in_sqrt), momentum_scaling buffer",
)


def _adam(u: Update) -> tuple[Array, Slots]:
    config, g = u.config, u.gradient
    m = _average(u.slots["momentum"], g, config["beta_1"])
    v = _average(u.slots["velocity"], g * g, config["beta_2"])
    slots = {"momentum": m, "velocity": v}
    first, second = (u.corrected("beta_1"), u.corrected("beta_2")) if config["bias_correction"] else (1.0, 1.0)
    if config["amsgrad"]:
        corrected = config["amsgrad_on"] == "corrected"
        slots["velocity_hat"] = highest = np.maximum(u.slots["velocity_hat"], v / second if corrected else v)
        v = highest * second if corrected else highest
    epsilon, root = config["epsilon"], config["epsilon_root"]
    if config["epsilon_mode"] == "hat":
        return u.weight - (u.rate * math.sqrt(second) / first) * m / (np.sqrt(v + root) + epsilon), slots
    return u.weight - u.rate * (m / first) / (np.sqrt(v / second + root) + epsilon), slots


_ADAM = """m ← beta_1 × m + (1 - beta_1) × g
v ← beta_2 × v + (1 - beta_2) × g²
c1 = 1 - beta_1^count, c2 = 1 - beta_2^count;  without bias_correction both are 1
s = v;  amsgrad, amsgrad_on raw: h ← max(h, v), s = h;  amsgrad, amsgrad_on corrected: h ← max(h, v / c2), s = h × c2
epsilon_mode hat:   w ← w - rate × sqrt(c2) / c1 × m / (sqrt(s + epsilon_root) + epsilon)
epsilon_mode plain: w ← w - rate × (m / c1) / (sqrt(s / c2 + epsilon_root) + epsilon)"""
_ADAM_FIELDS = (
    BETA_1,
    BETA_2,
    EPSILON,
    Field("amsgrad", BOOLEAN, "Whether the largest average of squares so far takes the place of the present one.", default=False),
    Field(
        "epsilon_mode",
        choice("hat", "plain"),
        "Whether `epsilon` is added before the bias of v is corrected (`hat`) or after.",
        "hat",
    ),
    Field("epsilon_root", NOT_NEGATIVE, "Added inside the root.", 0.0),
    Field("amsgrad_on", choice("raw", "corrected"), "Which v the largest is kept of.", "raw"),
    Field("bias_correction", BOOLEAN, "Whether averages that began at 0 are corrected.", default=True),
)
_ADAM_SLOTS = (MOMENTUM, VELOCITY, Slot("velocity_hat", "largest average of squares", when="amsgrad"))
_define(
    "Adam",
    "Adaptive moments.",
    _ADAM,
    _adam,
    _ADAM_FIELDS,
    _ADAM_SLOTS,
    keras="Adam: epsilon_mode hat, decay_mode decoupled, amsgrad_on raw",
    torch="torch.optim.Adam: epsilon_mode plain, decay_mode l2, amsgrad_on raw",
    optax="optax.adam, amsgrad: epsilon_mode plain, amsgrad_on corrected",
)
_define(
    "AdamW",
    "Adaptive moments, with decoupled decay of weights.",
    _ADAM,
    _adam,
    (*_ADAM_FIELDS, Field("weight_decay", optional(NOT_NEGATIVE), "Strength of the decay of weights; null: none.")),
    _ADAM_SLOTS,
    keras="AdamW: epsilon_mode hat",
    torch="torch.optim.AdamW: epsilon_mode plain",
    optax="optax.adamw: epsilon_mode plain",
)


def _adamax(u: Update) -> tuple[Array, Slots]:
    config, g, epsilon = u.config, u.gradient, u.config["epsilon"]
    m = _average(u.slots["momentum"], g, config["beta_1"])
    inside = config["epsilon_mode"] == "inside"
    n = np.maximum(config["beta_2"] * u.slots["norm"], np.abs(g) + (epsilon if inside else 0.0))
    return u.weight - (u.rate / u.corrected("beta_1")) * m / (n if inside else n + epsilon), {"momentum": m, "norm": n}


_define(
    "Adamax",
    "Adam with the largest gradient in place of the root of squares.",
    """m ← beta_1 × m + (1 - beta_1) × g
epsilon_mode outside: n ← max(beta_2 × n, abs(g));            w ← w - rate / (1 - beta_1^count) × m / (n + epsilon)
epsilon_mode inside:  n ← max(beta_2 × n, abs(g) + epsilon);  w ← w - rate / (1 - beta_1^count) × m / n""",
    _adamax,
    (
        BETA_1,
        BETA_2,
        EPSILON,
        Field("epsilon_mode", choice("outside", "inside"), "Whether `epsilon` stands inside the maximum.", "outside"),
    ),
    (MOMENTUM, Slot("norm", "largest magnitude of gradients, decayed")),
    keras="Adamax: epsilon_mode outside",
    torch="torch.optim.Adamax: epsilon_mode inside, decay_mode l2",
    optax="optax.adamax: epsilon_mode inside",
)


NADAM_BASE = 0.96


def momentum_of(config: Mapping[str, Json], count: int) -> float:
    """What Nadam takes for beta_1 at update `count`."""
    return float(config["beta_1"]) * (1.0 - 0.5 * NADAM_BASE ** (count * float(config["momentum_decay"])))


def _nadam(u: Update) -> tuple[Array, Slots]:
    config, g = u.config, u.gradient
    now, following, product = momentum_of(config, u.count), momentum_of(config, u.count + 1), u.shared["u_product"]
    m = _average(u.slots["momentum"], g, config["beta_1"])
    v = _average(u.slots["velocity"], g * g, config["beta_2"])
    ahead = m * (following / (1.0 - product * following)) + g * ((1.0 - now) / (1.0 - product))
    return u.weight - u.rate * ahead / (np.sqrt(v / u.corrected("beta_2")) + config["epsilon"]), {"momentum": m, "velocity": v}


_define(
    "Nadam",
    "Adam with Nesterov momentum.",
    """u(k) = beta_1 × (1 - 0.5 × 0.96^(k × momentum_decay));  u_product ← u_product × u(count)
m ← beta_1 × m + (1 - beta_1) × g
v ← beta_2 × v + (1 - beta_2) × g²
a = u(count + 1) × m / (1 - u_product × u(count + 1)) + (1 - u(count)) × g / (1 - u_product)
w ← w - rate × a / (sqrt(v / (1 - beta_2^count)) + epsilon)""",
    _nadam,
    (BETA_1, BETA_2, EPSILON, Field("momentum_decay", NOT_NEGATIVE, "How fast the momentum rises to `beta_1`.", 1.0)),
    (MOMENTUM, VELOCITY, Slot("u_product", "product of all u(k) so far", "[]", "1", shared=True)),
    keras="Nadam: momentum_decay 1; until TensorFlow 2.10 0.004",
    torch="torch.optim.NAdam: momentum_decay as said there, decay_mode l2 unless decoupled_weight_decay",
)


def _adagrad(u: Update) -> tuple[Array, Slots]:
    g, epsilon = u.gradient, u.config["epsilon"]
    a = u.slots["accumulator"] + g * g
    below = np.sqrt(a + epsilon) if u.config["epsilon_mode"] == "inside" else np.sqrt(a) + epsilon
    return u.weight - u.rate * g / below, {"accumulator": a}


_define(
    "Adagrad",
    "Divides gradients by the root of the sum of their squares.",
    """a ← a + g²
epsilon_mode inside: w ← w - rate × g / sqrt(a + epsilon);  outside: w ← w - rate × g / (sqrt(a) + epsilon)""",
    _adagrad,
    (
        Field("initial_accumulator_value", NOT_NEGATIVE, "What the sum begins with."),
        EPSILON,
        Field("epsilon_mode", choice("inside", "outside"), "Whether `epsilon` stands inside the root.", "inside"),
    ),
    (Slot("accumulator", "sum of squares of gradients", initial="initial_accumulator_value"),),
    keras="Adagrad: epsilon_mode inside; until TensorFlow 2.10 outside",
    torch="torch.optim.Adagrad: epsilon_mode outside, decay_mode l2, lr_decay is decay",
    optax="optax.adagrad: epsilon_mode inside",
)


def _adadelta(u: Update) -> tuple[Array, Slots]:
    g, rho, epsilon = u.gradient, u.config["rho"], u.config["epsilon"]
    a = _average(u.slots["accumulated_grad"], g * g, rho)
    d = np.sqrt(u.slots["accumulated_delta_var"] + epsilon) * g / np.sqrt(a + epsilon)
    return u.weight - u.rate * d, {
        "accumulated_grad": a,
        "accumulated_delta_var": _average(u.slots["accumulated_delta_var"], d * d, rho),
    }


_define(
    "Adadelta",
    "Scales gradients by the ratio of the averages of past steps and past gradients.",
    """a ← rho × a + (1 - rho) × g²
d = sqrt(b + epsilon) / sqrt(a + epsilon) × g
b ← rho × b + (1 - rho) × d²
w ← w - rate × d""",
    _adadelta,
    (RHO, EPSILON),
    (
        Slot("accumulated_grad", "moving average a of squares of gradients"),
        Slot("accumulated_delta_var", "moving average b of squares of steps"),
    ),
    keras="Adadelta",
    torch="torch.optim.Adadelta: decay_mode l2",
    optax="optax.adadelta",
)


def _ftrl(u: Update) -> tuple[Array, Slots]:
    config, w, rate = u.config, u.weight, u.rate
    l1, power = config["l1_regularization_strength"], -config["learning_rate_power"]
    l2 = config["l2_regularization_strength"] + config["beta"] / np.float64(2.0 * rate)
    g = u.gradient + 2.0 * config["l2_shrinkage_regularization_strength"] * w
    old = u.slots["accumulator"]
    new = old + u.gradient * u.gradient
    z = u.slots["linear"] + g - (new**power - old**power) / rate * w
    return (np.clip(z, -l1, l1) - z) / (new**power / rate + 2.0 * l2), {"accumulator": new, "linear": z}


_define(
    "Ftrl",
    "Follow the regularized leader.",
    """p = -learning_rate_power;  l2 = l2_regularization_strength + beta / (2 × rate);  l1 = l1_regularization_strength
n = a + g²
z ← z + g + 2 × l2_shrinkage_regularization_strength × w - (n^p - a^p) / rate × w
w ← (min(max(z, -l1), l1) - z) / (n^p / rate + 2 × l2)
a ← n""",
    _ftrl,
    (
        Field("learning_rate_power", NOT_POSITIVE, "How the learning rate falls with the sum of squares."),
        Field("initial_accumulator_value", NOT_NEGATIVE, "What the sum begins with."),
        Field("l1_regularization_strength", NOT_NEGATIVE, "Strength of the absolute penalty.", 0.0),
        Field("l2_regularization_strength", NOT_NEGATIVE, "Strength of the squared penalty.", 0.0),
        Field("l2_shrinkage_regularization_strength", NOT_NEGATIVE, "Strength of the squared penalty on the present weight.", 0.0),
        Field("beta", NOT_NEGATIVE, "The beta of the paper.", 0.0),
    ),
    (
        Slot("accumulator", "sum a of squares of gradients", initial="initial_accumulator_value"),
        Slot("linear", "sum z of what pulls the weight"),
    ),
    keras="Ftrl",
)


def _lion(u: Update) -> tuple[Array, Slots]:
    config, g, m = u.config, u.gradient, u.slots["momentum"]
    return u.weight - u.rate * np.sign(_average(m, g, config["beta_1"])), {"momentum": _average(m, g, config["beta_2"])}


_define(
    "Lion",
    "Steps of one size in the direction of the sign of an average.",
    """w ← w - rate × sign(beta_1 × m + (1 - beta_1) × g)
m ← beta_2 × m + (1 - beta_2) × g""",
    _lion,
    (BETA_1, BETA_2),
    (MOMENTUM,),
    keras="Lion",
    optax="optax.lion",
)


def _lamb(u: Update) -> tuple[Array, Slots]:
    config, g, w = u.config, u.gradient, u.weight
    m = _average(u.slots["momentum"], g, config["beta_1"])
    v = _average(u.slots["velocity"], g * g, config["beta_2"])
    d = (m / u.corrected("beta_1")) / (np.sqrt(v / u.corrected("beta_2") + config["epsilon_root"]) + config["epsilon"])
    if config["decay_mode"] == "direction" and config["weight_decay"] is not None:
        d = d + config["weight_decay"] * w
    of_weight, of_step = np.sqrt(np.sum(w * w)), np.sqrt(np.sum(d * d))
    trust = of_weight / of_step if of_weight > 0 and of_step > 0 else 1.0
    return w - (u.rate * trust) * d, {"momentum": m, "velocity": v}


_define(
    "Lamb",
    "Adam whose step is as long as the weight is.",
    """m ← beta_1 × m + (1 - beta_1) × g
v ← beta_2 × v + (1 - beta_2) × g²
d = (m / (1 - beta_1^count)) / (sqrt(v / (1 - beta_2^count) + epsilon_root) + epsilon);  decay_mode direction: d = d + weight_decay × w
t = norm(w) / norm(d), or 1 where one of them is 0
w ← w - rate × t × d""",
    _lamb,
    (BETA_1, BETA_2, EPSILON, Field("epsilon_root", NOT_NEGATIVE, "Added inside the root.", 0.0), _decay("decoupled", "direction")),
    (MOMENTUM, VELOCITY),
    keras="Lamb: decay_mode decoupled",
    optax="optax.lamb: decay_mode direction",
)


def _rms(x: Array) -> Array:
    return np.sqrt(np.mean(x * x))


def _adafactor(u: Update) -> tuple[Array, Slots]:
    config, g, w, count = u.config, u.gradient, u.weight, u.count
    added = config["epsilon_mode"] == "added"
    epsilon = config["epsilon_1"]
    # `relative_step` bounds the rate as the next line does: q and s of the equation are one.
    size = np.maximum(config["epsilon_2"], _rms(w)) * min(u.rate, 1.0 / math.sqrt(count))
    beta = 1.0 - float(count) ** config["beta_2_decay"]
    squares = g * g + (epsilon if added else 0.0)
    slots: Slots = {}
    if w.ndim >= 2:
        slots["row"] = row = _average(u.slots["row"], squares.mean(axis=-1), beta)
        slots["column"] = column = _average(u.slots["column"], squares.mean(axis=-2), beta)
        mean = row.mean(axis=-1, keepdims=True)
        if added:
            v = (row / mean)[..., None] * column[..., None, :]
        else:
            v = row[..., None] * column[..., None, :] / np.maximum(mean, epsilon)[..., None]
    else:
        slots["velocity"] = v = _average(u.slots["velocity"], squares, beta)
    d = g / np.sqrt(v if added else np.maximum(v, epsilon * epsilon))
    return w - size * (d / np.maximum(1.0, _rms(d) / config["clip_threshold"])), slots


_define(
    "Adafactor",
    "Adaptive steps from averages over rows and columns.",
    """q = rate;  relative_step: q = min(rate, 1 / sqrt(count));  s = max(epsilon_2, rms(w)) × min(q, 1 / sqrt(count))
b = 1 - count^beta_2_decay;  epsilon_mode added: x = g² + epsilon_1;  clamped: x = g²
rank ≥ 2, over the last two axes: r ← b × r + (1 - b) × mean of x along the last;  c ← b × c + (1 - b) × mean of x along the one before
  added: v[i, j] = r[i] × c[j] / mean(r);  clamped: v[i, j] = r[i] × c[j] / max(mean(r), epsilon_1)
else: v ← b × v + (1 - b) × x
added: d = g / sqrt(v);  clamped: d = g / sqrt(max(v, epsilon_1²))
w ← w - s × d / max(1, rms(d) / clip_threshold)
where rms(x) = sqrt(mean(x²))""",
    _adafactor,
    (
        Field("beta_2_decay", NUMBER, "How fast the averages' decay tends to 1: below 0."),
        Field("epsilon_1", NOT_NEGATIVE, "Keeps squares from 0."),
        Field("epsilon_2", NOT_NEGATIVE, "Keeps the scale of weights from 0."),
        Field("clip_threshold", POSITIVE, "Largest root of the mean square of a step."),
        Field(
            "relative_step", BOOLEAN, "Whether the learning rate falls from the first update on, as 1 / sqrt(count).", default=True
        ),
        Field(
            "epsilon_mode",
            choice("added", "clamped"),
            "Whether `epsilon_1` is added to squares or is the least that divides.",
            "added",
        ),
    ),
    (
        Slot("row", "averages along the last axis", "weight[:-1]", rank=(2, None)),
        Slot("column", "averages along the last axis but one", "[*weight[:-2], weight[-1]]", rank=(2, None)),
        Slot("velocity", "moving average of squares", rank=(0, 1)),
    ),
    keras="Adafactor: epsilon_mode added",
    torch="torch.optim.Adafactor: epsilon_mode clamped, relative_step false",
)
