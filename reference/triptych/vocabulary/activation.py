"""Activations that stand as layers of their own."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.activations import activate, elu, leaky_relu, softmax, softplus
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of, text
from triptych.vocabulary.formula import Evaluation
from triptych.vocabulary.kinds import ACTIVATION, AXES, AXIS, AXIS_OR_AXES, NOT_NEGATIVE, NUMBER, POSITIVE, optional
from triptych.vocabulary.members import constraint, initializer, regularizer
from triptych.vocabulary.operations.operands import axes_of

FAMILY = "Activation"


def _softmax(call: LayerCall) -> Shape:
    axis = call.config["axis"]
    axes_of(axis if isinstance(axis, list) else [axis], call.input)
    return call.input


def _activation(call: Evaluation) -> Array:
    return activate(call.config["activation"], call.input)


def _relu(call: Evaluation) -> Array:
    x, config = call.input, call.config
    y = np.where(x > config["threshold"], x, config["negative_slope"] * (x - config["threshold"]))
    return y if config["max_value"] is None else np.minimum(y, config["max_value"])


def _learned_slope(call: Evaluation) -> Array:
    return np.where(call.input >= 0, call.input, call.weights["alpha"] * call.input)


def _shared(call: LayerCall) -> Shape:
    axes_of(call.config["shared_axes"], call.input)
    return call.input


def _gated(call: LayerCall) -> Shape:
    axis = axis_of(call.config["axis"], call.input)
    extent = call.input[axis]
    if extent is not None and extent % 2:
        raise ShapeError(f"expected an even extent along axis {axis}, got {text(call.input)}")
    return (*call.input[:axis], None if extent is None else extent // 2, *call.input[axis + 1 :])


def _gate(call: Evaluation) -> Array:
    kept, gate = np.split(call.input, 2, axis=call.config["axis"])
    return kept * activate(call.config["activation"], gate)


def _softplus_of(call: Evaluation) -> Array:
    scaled = call.input * call.config["beta"]
    return np.where(scaled > call.config["threshold"], call.input, softplus(scaled) / call.config["beta"])


def _hard_shrunk(call: Evaluation) -> Array:
    return np.where(np.abs(call.input) > call.config["threshold"], call.input, 0)


def _soft_shrunk(call: Evaluation) -> Array:
    return np.sign(call.input) * np.maximum(np.abs(call.input) - call.config["threshold"], 0)


def _celu(call: Evaluation) -> Array:
    alpha = call.config["alpha"]
    return np.where(call.input > 0, call.input, alpha * np.expm1(np.minimum(call.input, 0) / alpha))


def _threshold(call: Evaluation) -> Array:
    return np.where(call.input > call.config["threshold"], call.input, call.config["value"])


def _softmax_of(call: Evaluation) -> Array:
    axis = call.config["axis"]
    return softmax(call.input, tuple(axis) if isinstance(axis, list) else axis)


define(
    "Activation",
    FAMILY,
    "Applies an activation.",
    output="input",
    fields=(Field("activation", ACTIVATION, "The activation."),),
    equation="y = activation(x)",
    formula=_activation,
)
define(
    "ReLU",
    FAMILY,
    "`max_value` where x ≥ `max_value`, x where x > `threshold`, else `negative_slope` × (x - `threshold`).",
    output="input",
    fields=(
        Field("max_value", optional(NOT_NEGATIVE), "Largest result; null: none.", None),
        Field("negative_slope", NOT_NEGATIVE, "Slope below the threshold.", 0.0),
        Field("threshold", NUMBER, "Where the slope changes.", 0.0),
    ),
    torch="torch.nn.ReLU, ReLU6",
    equation="y = min(x where x > threshold, else negative_slope × (x - threshold), max_value)",
    formula=_relu,
)
define(
    "LeakyReLU",
    FAMILY,
    "x where x ≥ 0, else `negative_slope` × x.",
    output="input",
    fields=(Field("negative_slope", NUMBER, "Slope below 0."),),
    torch="torch.nn.LeakyReLU",
    equation="y = x where x ≥ 0, else negative_slope × x",
    formula=lambda call: leaky_relu(call.input, call.config["negative_slope"]),
)
define(
    "PReLU",
    FAMILY,
    "x where x ≥ 0, else `alpha` × x, with a learned `alpha`.",
    words="input",
    rule=_shared,
    fields=(
        initializer("alpha"),
        regularizer("alpha"),
        constraint("alpha"),
        Field("shared_axes", optional(AXES), "Axes along which `alpha` is shared; the batch is 0.", None),
    ),
    weights=(Weight("alpha", "one_at(input, shared_axes)[1:]"),),
    rank=(2, None),
    torch="torch.nn.PReLU",
    equation="y = x where x ≥ 0, else alpha × x",
    formula=_learned_slope,
)
define(
    "ELU",
    FAMILY,
    "x where x > 0, else `alpha` × (exp(x) - 1).",
    output="input",
    fields=(Field("alpha", NUMBER, "Factor below 0.", 1.0),),
    torch="torch.nn.ELU",
    equation="y = x where x > 0, else alpha × (exp(x) - 1)",
    formula=lambda call: elu(call.input, call.config["alpha"]),
)
define(
    "ThresholdedReLU",
    FAMILY,
    "x where x > `theta`, else 0.",
    output="input",
    fields=(Field("theta", NOT_NEGATIVE, "The threshold."),),
    keras="ThresholdedReLU (Keras 2)",
    torch="torch.nn.Threshold(value=0)",
    equation="y = x where x > theta, else 0",
    formula=lambda call: np.where(call.input > call.config["theta"], call.input, 0),
)
define(
    "Softmax",
    FAMILY,
    "exp(x) divided by its sum along axes.",
    words="input",
    rule=_softmax,
    fields=(Field("axis", AXIS_OR_AXES, "The axes.", -1),),
    torch="torch.nn.Softmax",
    equation="y = exp(x) / sum of exp(x) along `axis`",
    formula=_softmax_of,
)
define(
    "GLU",
    FAMILY,
    "The first half of its input along an axis, multiplied by an activation of the second half.",
    words="input, with half the extent along `axis`",
    rule=_gated,
    fields=(
        Field("axis", AXIS, "The axis.", -1),
        Field("activation", ACTIVATION, "Of the second half: `sigmoid` is GLU, `silu` SwiGLU, `gelu` GEGLU.", "sigmoid"),
    ),
    keras="",
    torch="torch.nn.GLU",
    equation="y = a × activation(b), a and b being the halves of x along `axis`",
    formula=_gate,
)
define(
    "CELU",
    FAMILY,
    "x where x > 0, else `alpha` × (exp(x / `alpha`) - 1).",
    output="input",
    fields=(Field("alpha", POSITIVE, "Factor below 0."),),
    keras="",
    torch="torch.nn.CELU",
    equation="y = x where x > 0, else alpha × (exp(x / alpha) - 1)",
    formula=_celu,
)
define(
    "HardTanh",
    FAMILY,
    "x, but at least `min_value` and at most `max_value`.",
    output="input",
    fields=(
        Field("min_value", NUMBER, "Smallest result.", -1.0),
        Field("max_value", NUMBER, "Largest result.", 1.0),
    ),
    keras="",
    torch="torch.nn.Hardtanh",
    equation="y = min(max(x, min_value), max_value)",
    formula=lambda call: np.minimum(np.maximum(call.input, call.config["min_value"]), call.config["max_value"]),
)
define(
    "HardShrink",
    FAMILY,
    "x where abs(x) > `threshold`, else 0.",
    output="input",
    fields=(Field("threshold", NOT_NEGATIVE, "The threshold."),),
    keras="",
    torch="torch.nn.Hardshrink",
    equation="y = x where abs(x) > threshold, else 0",
    formula=_hard_shrunk,
)
define(
    "SoftShrink",
    FAMILY,
    "x, moved towards 0 by `threshold`.",
    output="input",
    fields=(Field("threshold", NOT_NEGATIVE, "The threshold."),),
    keras="",
    torch="torch.nn.Softshrink",
    equation="y = sign(x) × max(abs(x) - threshold, 0)",
    formula=_soft_shrunk,
)
define(
    "Threshold",
    FAMILY,
    "x where x > `threshold`, else `value`.",
    output="input",
    fields=(Field("threshold", NUMBER, "The threshold."), Field("value", NUMBER, "The result elsewhere.")),
    keras="",
    torch="torch.nn.Threshold",
    equation="y = x where x > threshold, else value",
    formula=_threshold,
)
define(
    "Softplus",
    FAMILY,
    "log(1 + exp(`beta` × x)) / `beta`, and x where `beta` × x > `threshold`.",
    output="input",
    fields=(
        Field("beta", POSITIVE, "Steepness.", 1.0),
        Field("threshold", NUMBER, "Where it becomes x."),
    ),
    keras="",
    torch="torch.nn.Softplus",
    equation="y = x where beta × x > threshold, else log(1 + exp(beta × x)) / beta",
    formula=_softplus_of,
)
