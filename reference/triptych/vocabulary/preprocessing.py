"""Types that turn raw numbers into what a network takes."""

from __future__ import annotations

from itertools import pairwise

from triptych.errors import shorten
from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.encoding import encode, encoded, output_dtype, output_mode
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.kinds import AXIS, BOOLEAN, SIZE, Kind, optional
from triptych.vocabulary.operations.operands import axes_of

FAMILY = "Preprocessing"
LEAST = 1e-7
"""What a standard deviation counts as at least."""


def listed(axis: Json) -> list[int]:
    """The axes that a config says."""
    return [] if axis is None else axis if isinstance(axis, list) else [axis]


def _normal(call: LayerCall) -> Shape:
    axes_of(listed(call.config["axis"]), call.input)
    if (call.config["mean"] is None) != (call.config["variance"] is None):
        raise ShapeError("expected mean and variance, or neither, got one of them")
    axes = listed(call.config["axis"])
    extent = call.input[axes[-1]] if axes else 1
    for name in ("mean", "variance"):
        said = call.config[name]
        if isinstance(said, list) and extent is not None and len(said) not in {1, extent}:
            raise ShapeError(f"expected 1 number or {extent} as {name}, got {len(said)}")
    return call.input


def _normalize(call: Evaluation) -> Array:
    x, config = call.input, call.config
    kept = sorted(axis % x.ndim for axis in listed(config["axis"]))

    def along(name: str) -> Array:
        given = config[name]
        value = call.weights[name] if given is None else np.asarray(given, call.dtype)
        if value.ndim == 0:
            return value
        shape = [1] * x.ndim
        for axis, extent in zip(reversed(kept), reversed(value.shape), strict=False):
            shape[axis] = extent
        return value.reshape(shape)

    mean, deviation = along("mean"), np.maximum(np.sqrt(along("variance")), call.dtype.type(LEAST))
    return x * deviation + mean if config["invert"] else (x - mean) / deviation


def _bins(call: LayerCall) -> Shape:
    boundaries = call.config["bin_boundaries"]
    if any(one > two for one, two in pairwise(boundaries)):
        raise ShapeError(f"expected bin_boundaries none of which is below the one before, got {shorten(boundaries)}")
    return encoded(len(call.config["bin_boundaries"]) + 1, call)


def _discretize(call: Evaluation) -> Array:
    boundaries = np.asarray(call.config["bin_boundaries"], call.input.dtype if call.input.dtype.kind == "f" else np.float64)
    return encode(np.searchsorted(boundaries, call.input, side="right"), len(boundaries) + 1, call)


def _categories(call: LayerCall) -> Shape:
    return encoded(call.config["num_tokens"], call)


def _encode(call: Evaluation) -> Array:
    return encode(call.input, call.config["num_tokens"], call)


_AXES = Kind(
    "axis, axes or null",
    {"type": ["integer", "array", "null"], "minimum": -32, "maximum": 31, "items": AXIS.schema, "maxItems": 32},
)
_NUMBERS = optional(Kind("number or numbers", {"type": ["number", "array"], "items": {"type": "number"}, "minItems": 1}))
define(
    "Normalization",
    FAMILY,
    "Subtracts a mean and divides by a standard deviation, both given or found in data beforehand.",
    words="input",
    rule=_normal,
    fields=(
        Field("axis", _AXES, "The axes along which statistics differ; null or none: they are numbers.", -1),
        Field("mean", _NUMBERS, "The mean; null: a weight.", None),
        Field("variance", _NUMBERS, "The variance; null: a weight.", None),
        Field("invert", BOOLEAN, "Whether it multiplies by the standard deviation and adds the mean instead.", default=False),
    ),
    weights=(
        Weight("mean", "[*input[axis]]", when="axis and not mean", trainable=False),
        Weight("mean", "[]", when="not axis and not mean", trainable=False),
        Weight("variance", "[*input[axis]]", when="axis and not mean", trainable=False),
        Weight("variance", "[]", when="not axis and not mean", trainable=False),
        Weight("count", "[]", when="not mean", trainable=False, dtype="int64"),
    ),
    rank=(2, None),
    equation="y = (x - mean) / max(sqrt(variance), 1e-7), inverted y = x × max(sqrt(variance), 1e-7) + mean; given lists belong to the last of the axes; "
    "count, of the data that was seen, is not used",
    formula=_normalize,
)
define(
    "Discretization",
    FAMILY,
    "Replaces a number by the index of the bin it falls into.",
    words="`int`: input; `one_hot`: input, without a last extent of 1, and the number of bins; `multi_hot` and `count`: batch and number of bins",
    rule=_bins,
    fields=(
        Field(
            "bin_boundaries",
            Kind("numbers", {"type": "array", "items": {"type": "number"}}),
            "Between the bins, none below the one before.",
        ),
        output_mode("int", "one_hot", "multi_hot", "count", default="int"),
        output_dtype("indices, where they are not encoded"),
    ),
    equation="index = number of boundaries ≤ x; encoded as CategoryEncoding does",
    takes_as_given=True,
    formula=_discretize,
    mask=drop_mask,
)
define(
    "CategoryEncoding",
    FAMILY,
    "Encodes indices as vectors.",
    words="`one_hot`: input, without a last extent of 1, and `num_tokens`; `multi_hot` and `count`: batch and `num_tokens`",
    rule=_categories,
    fields=(
        Field("num_tokens", SIZE, "Number of indices: they are below it."),
        output_mode("one_hot", "multi_hot", "count", default="multi_hot"),
    ),
    arguments=("count_weights",),
    equation="hot[…, i] = 1 where x = i, else 0; one_hot is hot, multi_hot its largest and count its sum along axis 1, the latter of "
    "hot × count_weights if the call says them",
    takes_as_given=True,
    formula=_encode,
    mask=drop_mask,
)
