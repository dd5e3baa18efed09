"""Types that turn raw numbers into what a network takes."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.errors import UsageError
from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of, text
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.kinds import AXIS, BOOLEAN, INTEGER, SIZE, Kind, choice, optional

FAMILY = "Preprocessing"
LEAST = 1e-7
"""What a standard deviation counts as at least."""


def _listed(axis: Json) -> list[int]:
    """The axes that a config says."""
    return [] if axis is None else axis if isinstance(axis, list) else [axis]


def _normal(call: LayerCall) -> Shape:
    for axis in _listed(call.config["axis"]):
        axis_of(axis, call.input)
    if (call.config["mean"] is None) != (call.config["variance"] is None):
        raise ShapeError("expected mean and variance, or neither, got one of them")
    return call.input


def _normalize(call: Evaluation) -> Array:
    x, config = call.input, call.config
    kept = sorted(axis % x.ndim for axis in _listed(config["axis"]))

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


def _coded(depth: int, call: LayerCall) -> Shape:
    mode = call.config["output_mode"]
    if mode == "int":
        return call.input
    if mode == "one_hot":
        shape = call.input[:-1] if len(call.input) > 1 and call.input[-1] == 1 else call.input
        return (*shape, depth)
    if len(call.input) != 2:
        raise ShapeError(f"expected an input of rank 2 for {mode}, got {text(call.input)}")
    return (call.input[0], depth)


def _code(indices: Array, depth: int, call: Evaluation) -> Array:
    """`indices` as the config's `output_mode` says."""
    mode = call.config["output_mode"]
    if mode == "int":
        return indices.astype(np.int64)
    hot = (indices[..., None] == np.arange(depth)).astype(call.dtype)
    if mode == "one_hot":
        return hot[..., 0, :] if indices.ndim > 1 and indices.shape[-1] == 1 else hot
    if mode == "multi_hot":
        return np.asarray(hot.max(axis=1))
    weights = call.arguments.get("count_weights")
    return np.asarray((hot if weights is None else hot * np.asarray(weights, call.dtype)[..., None]).sum(axis=1))


def _bins(call: LayerCall) -> Shape:
    return _coded(len(call.config["bin_boundaries"]) + 1, call)


def _discretize(call: Evaluation) -> Array:
    boundaries = np.asarray(call.config["bin_boundaries"], call.input.dtype if call.input.dtype.kind == "f" else np.float64)
    return _code(np.searchsorted(boundaries, call.input, side="right"), len(boundaries) + 1, call)


def _categories(call: LayerCall) -> Shape:
    return _coded(call.config["num_tokens"], call)


def _encode(call: Evaluation) -> Array:
    return _code(call.input, call.config["num_tokens"], call)


def _looked_up(call: LayerCall) -> Shape:
    if call.config["invert"] and call.config["output_mode"] != "int":
        raise ShapeError(f"expected output_mode int to invert, got {call.config['output_mode']}")
    return _coded(_depth(call.config), call)


def _depth(config: Mapping[str, Json]) -> int:
    """How many indices there are, without that of the mask."""
    return len(config["vocabulary"]) + config["num_oov_indices"]


def _look_up(call: Evaluation) -> Array:
    config, x = call.config, call.input
    unknown, masked = config["num_oov_indices"], config["mask_token"]
    first = 1 if masked is not None and config["output_mode"] == "int" else 0
    words = np.array(config["vocabulary"], np.int64)
    if config["invert"]:
        place = x - first - unknown
        known = (place >= 0) & (place < len(words))
        found = np.where(known, words[np.where(known, place, 0)], config["oov_token"])
        return np.where(x == 0, masked, found) if first else found
    order = np.argsort(words, kind="stable")
    place = np.minimum(np.searchsorted(words, x, sorter=order), len(words) - 1)
    known = words[order[place]] == x
    excluded = x == masked if masked is not None else np.zeros(x.shape, bool)
    if not unknown and not (known | excluded).all():
        raise UsageError("expected integers of the vocabulary only, as there is no index for others, got one of those")
    indices = np.where(known, first + unknown + order[place], first + x % max(unknown, 1))
    return _code(np.where(excluded, 0 if first else -1, indices), _depth(config), call)


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
_MODE = (
    "indices as they are, a 1 at each index, a 1 at every index that occurs, or how often each occurs; the last two along axis 1."
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
            "Between the bins, in ascending order.",
        ),
        Field("output_mode", choice("int", "one_hot", "multi_hot", "count"), f"What is yielded: {_MODE}", "int"),
    ),
    equation="index = number of boundaries ≤ x; encoded as CategoryEncoding does",
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
        Field("output_mode", choice("one_hot", "multi_hot", "count"), f"What is yielded: {_MODE}", "multi_hot"),
    ),
    arguments=("count_weights",),
    equation="hot[…, i] = 1 where x = i, else 0; one_hot is hot, multi_hot its largest and count its sum along axis 1, the latter of "
    "hot × count_weights if the call says them",
    formula=_encode,
    mask=drop_mask,
)
define(
    "IntegerLookup",
    FAMILY,
    "Replaces an integer by its place in a vocabulary.",
    words="`int`: input; else as CategoryEncoding, with as many tokens as `vocabulary` has and `num_oov_indices`",
    rule=_looked_up,
    fields=(
        Field(
            "vocabulary",
            Kind("integers", {"type": "array", "items": INTEGER.schema, "minItems": 1}),
            "The integers that have a place.",
        ),
        Field(
            "num_oov_indices",
            Kind("integer ≥ 0", {**SIZE.schema, "minimum": 0}),
            "How many indices stand for all other integers.",
            1,
        ),
        Field(
            "mask_token", optional(INTEGER), "An integer that becomes 0, before all others, or, encoded, nothing; null: none.", None
        ),
        Field("oov_token", INTEGER, "What an inverted lookup yields for an index of no integer of the vocabulary.", -1),
        Field("invert", BOOLEAN, "Whether indices are replaced by integers instead.", default=False),
        Field("output_mode", choice("int", "one_hot", "multi_hot", "count"), f"What is yielded: {_MODE}", "int"),
    ),
    equation="index = m + num_oov_indices + place in vocabulary, or m + x mod num_oov_indices for an x that is not in it; m is 1 if there is a "
    "mask_token and output_mode is int, else 0; encoded as CategoryEncoding does",
    formula=_look_up,
    mask=drop_mask,
)
