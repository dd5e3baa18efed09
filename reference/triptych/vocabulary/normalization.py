"""Normalisation by batch, layer, group or unit length."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of
from triptych.vocabulary.kinds import AXIS, AXIS_OR_AXES, BOOLEAN, FRACTION, Kind, choice
from triptych.vocabulary.members import EPSILON, constraint, initializer, regularizer

FAMILY = "Normalization"


def _along_axis(call: LayerCall) -> Shape:
    axis = call.config["axis"]
    for one in axis if isinstance(axis, list) else [axis]:
        axis_of(one, call.input)
    return call.input


def _groups(call: LayerCall) -> Shape:
    shape, groups = call.input, call.config["groups"]
    channels = shape[axis_of(call.config["axis"], shape)]
    if channels is not None and groups != -1 and channels % groups:
        raise ShapeError(f"expected a number of channels that {groups} groups divide, got {channels}")
    return shape


CENTER = Field("center", BOOLEAN, "Whether `beta` is added.", default=True)
SCALE = Field("scale", BOOLEAN, "Whether the result is multiplied by `gamma`.", default=True)
_AFFINE = (*map(initializer, ("beta", "gamma")), *map(regularizer, ("beta", "gamma")), *map(constraint, ("beta", "gamma")))

define(
    "BatchNormalization",
    FAMILY,
    "While training, normalises each channel by mean and variance of the batch and updates the moving ones; else by the moving ones.",
    words="input",
    rule=_along_axis,
    fields=(
        Field("axis", AXIS, "The axis that holds the channels.", -1),
        Field("momentum", FRACTION, "Weight of the old value in an update of the moving mean and variance."),
        EPSILON,
        CENTER,
        SCALE,
        *map(initializer, ("beta", "gamma", "moving_mean", "moving_variance")),
        *map(regularizer, ("beta", "gamma")),
        *map(constraint, ("beta", "gamma")),
        Field(
            "variance",
            choice("population", "sample"),
            "Which variance of a batch enters the moving one: divided by n, or by n - 1.",
            "population",
        ),
        Field("synchronized", BOOLEAN, "Whether replicas share the statistics of a batch.", default=False),
    ),
    weights=(
        Weight("gamma", "[input[axis]]", when="scale"),
        Weight("beta", "[input[axis]]", when="center"),
        Weight("moving_mean", "[input[axis]]", trainable=False),
        Weight("moving_variance", "[input[axis]]", trainable=False),
    ),
    rank=(2, None),
    torch="torch.nn.BatchNorm1d, BatchNorm2d, BatchNorm3d",
)
define(
    "LayerNormalization",
    FAMILY,
    "Normalises each element of the batch by mean and variance along axes.",
    words="input",
    rule=_along_axis,
    fields=(Field("axis", AXIS_OR_AXES, "The axes that are normalised together.", -1), EPSILON, CENTER, SCALE, *_AFFINE),
    weights=(Weight("gamma", "[*input[axis]]", when="scale"), Weight("beta", "[*input[axis]]", when="center")),
    rank=(2, None),
    torch="torch.nn.LayerNorm",
)
define(
    "RMSNormalization",
    FAMILY,
    "Divides by the root of the mean square along axes and multiplies by `scale`.",
    words="input",
    rule=_along_axis,
    fields=(
        Field("axis", AXIS_OR_AXES, "The axes that are normalised together.", -1),
        Field("epsilon", EPSILON.kind, "Added to the mean square before its root is taken."),
    ),
    weights=(Weight("scale", "[*input[axis]]"),),
    rank=(2, None),
    torch="torch.nn.RMSNorm",
)
define(
    "GroupNormalization",
    FAMILY,
    "Normalises each group of channels of each element of the batch by its mean and variance.",
    words="input",
    rule=_groups,
    fields=(
        Field(
            "groups",
            Kind("integer ≥ 1 \\| -1", {"type": "integer", "minimum": -1, "not": {"const": 0}}),
            "Number of groups; -1: one for each channel.",
        ),
        Field("axis", AXIS, "The axis that holds the channels.", -1),
        EPSILON,
        CENTER,
        SCALE,
        *_AFFINE,
    ),
    weights=(Weight("gamma", "[input[axis]]", when="scale"), Weight("beta", "[input[axis]]", when="center")),
    rank=(3, None),
    torch="torch.nn.GroupNorm",
)
define(
    "UnitNormalization",
    FAMILY,
    "Divides by the Euclidean length along axes.",
    words="input",
    rule=_along_axis,
    fields=(Field("axis", AXIS_OR_AXES, "The axes that are normalised together.", -1),),
)
