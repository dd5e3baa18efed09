"""Activations that stand as layers of their own."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.activations import activate, elu, leaky_relu, softmax
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.extents import axis_of
from triptych.vocabulary.formula import Evaluation
from triptych.vocabulary.kinds import ACTIVATION, AXES, AXIS_OR_AXES, NOT_NEGATIVE, NUMBER, optional
from triptych.vocabulary.members import constraint, initializer, regularizer

FAMILY = "Activation"


def _softmax(call: LayerCall) -> Shape:
    axis = call.config["axis"]
    for one in axis if isinstance(axis, list) else [axis]:
        axis_of(one, call.input)
    return call.input


def _activation(call: Evaluation) -> Array:
    return activate(call.config["activation"], call.input)


def _relu(call: Evaluation) -> Array:
    x, config = call.input, call.config
    y = np.where(x >= config["threshold"], x, config["negative_slope"] * (x - config["threshold"]))
    return y if config["max_value"] is None else np.minimum(y, config["max_value"])


def _learned_slope(call: Evaluation) -> Array:
    return np.where(call.input >= 0, call.input, call.weights["alpha"] * call.input)


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
    "`max_value` where x ≥ `max_value`, x where x ≥ `threshold`, else `negative_slope` × (x - `threshold`).",
    output="input",
    fields=(
        Field("max_value", optional(NOT_NEGATIVE), "Largest result; null: none.", None),
        Field("negative_slope", NOT_NEGATIVE, "Slope below the threshold.", 0.0),
        Field("threshold", NUMBER, "Where the slope changes.", 0.0),
    ),
    torch="torch.nn.ReLU, ReLU6",
    equation="y = min(x where x ≥ threshold, else negative_slope × (x - threshold), max_value)",
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
    output="input",
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
    torch="torch.nn.Threshold",
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
