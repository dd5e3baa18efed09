"""Constraints: what a weight is projected to after each update. A formula gets the resolved config and the weight."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.model import Json
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.kinds import AXIS_OR_AXES, FRACTION, NOT_NEGATIVE
from triptych.vocabulary.training.definition import define

FAMILY = "constraints"
AXIS = Field("axis", AXIS_OR_AXES, "Axes along which norms are taken: those of the inputs of a neuron.", 0)
EPSILON = Field("epsilon", NOT_NEGATIVE, "Added to a norm that divides.", 1e-7)
Config = Mapping[str, Json]


def _norms(c: Config, w: Array) -> Array:
    axis = tuple(c["axis"]) if isinstance(c["axis"], list | tuple) else c["axis"]
    return np.sqrt(np.sum(w * w, axis=axis, keepdims=True))


def _max_norm(c: Config, w: Array) -> Array:
    n = _norms(c, w)
    return w * (np.minimum(n, c["max_value"]) / (c["epsilon"] + n))


define(
    FAMILY,
    "MaxNorm",
    "No norm above a value.",
    "w × min(n, max_value) / (epsilon + n), n = norms of w along axis",
    _max_norm,
    fields=(Field("max_value", NOT_NEGATIVE, "The largest norm.", 2), AXIS, EPSILON),
    equivalents={"keras": "MaxNorm"},
)
define(FAMILY, "NonNeg", "No element below 0.", "max(w, 0)", lambda _, w: np.maximum(w, 0), equivalents={"keras": "NonNeg"})
define(
    FAMILY,
    "UnitNorm",
    "Norms of 1.",
    "w / (epsilon + n), n = norms of w along axis",
    lambda c, w: w / (c["epsilon"] + _norms(c, w)),
    fields=(AXIS, EPSILON),
    equivalents={"keras": "UnitNorm"},
)


def _min_max(c: Config, w: Array) -> Array:
    n = _norms(c, w)
    wanted = c["rate"] * np.clip(n, c["min_value"], c["max_value"]) + (1.0 - c["rate"]) * n
    return w * (wanted / (c["epsilon"] + n))


define(
    FAMILY,
    "MinMaxNorm",
    "Norms between two values.",
    "w × (rate × min(max(n, min_value), max_value) + (1 - rate) × n) / (epsilon + n), n = norms of w along axis",
    _min_max,
    fields=(
        Field("min_value", NOT_NEGATIVE, "The least norm.", 0.0),
        Field("max_value", NOT_NEGATIVE, "The largest norm.", 1.0),
        Field("rate", FRACTION, "How far one projection goes.", 1.0),
        AXIS,
        EPSILON,
    ),
    equivalents={"keras": "MinMaxNorm"},
)
