"""Types that tell layers after them where in a sequence an element stands."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import text
from triptych.vocabulary.formula import Evaluation
from triptych.vocabulary.kinds import AXIS, POSITIVE, SIZE, choice, optional
from triptych.vocabulary.members import constraint, initializer, regularizer
from triptych.vocabulary.operations.operands import axes_of

FAMILY = "Position"


def _rotated(call: LayerCall) -> Shape:
    config, shape = call.config, call.input
    axes = axes_of([config["sequence_axis"], config["feature_axis"]], shape)
    if 0 in axes:
        raise ShapeError(f"expected axes behind the batch, got {config['sequence_axis']} and {config['feature_axis']}")
    extent = shape[axes[1]]
    turned = config["rotary_dim"] or extent
    if turned is not None and (turned % 2 or (extent is not None and turned > extent)):
        raise ShapeError(
            f"expected an even number of features to turn, at most those along the axis, got {turned} of {text(shape)}"
        )
    return shape


def _even(call: LayerCall) -> Shape:
    if call.input[-1] is not None and call.input[-1] % 2:
        raise ShapeError(f"expected an even last extent, got {text(call.input)}")
    return call.input


def _within(call: LayerCall) -> Shape:
    start, steps, length = call.arguments.get("start_index", 0), call.input[-2], call.config["sequence_length"]
    if steps is not None and isinstance(start, int) and not 0 <= start <= start + steps <= length:
        raise ShapeError(f"expected at most {length} steps, got {text(call.input)} from {start}")
    return call.input


def _angles(call: Evaluation, steps: int, features: int) -> Array:
    """Position times frequency, in float64: of each of `steps`, for each of `features` // 2 pairs."""
    positions = np.arange(steps, dtype=np.float64) + call.arguments.get("start_index", 0)
    frequencies = call.config["max_wavelength"] ** (-np.arange(0, features, 2, dtype=np.float64) / features)
    return np.multiply.outer(positions, frequencies)


def _put(first: Array, second: Array, layout: str) -> Array:
    """The two elements of each pair, as `layout` places them along the last axis."""
    if layout == "halves":
        return np.concatenate([first, second], axis=-1)
    return np.stack([first, second], axis=-1).reshape(*first.shape[:-1], -1)


def _rotate(call: Evaluation) -> Array:
    config = call.config
    x = np.moveaxis(call.input, (config["sequence_axis"], config["feature_axis"]), (-2, -1))
    count = config["rotary_dim"] or x.shape[-1]
    turned, rest = x[..., :count], x[..., count:]
    if config["layout"] == "halves":
        first, second = turned[..., : count // 2], turned[..., count // 2 :]
    else:
        first, second = turned[..., 0::2], turned[..., 1::2]
    angles = _angles(call, x.shape[-2], count) / config["scaling_factor"]
    cos, sin = np.cos(angles).astype(call.dtype), np.sin(angles).astype(call.dtype)
    turned = _put(first * cos - second * sin, second * cos + first * sin, config["layout"])
    y = np.concatenate([turned, rest], axis=-1)
    return np.moveaxis(y, (-2, -1), (config["sequence_axis"], config["feature_axis"]))


def _waves(call: Evaluation) -> Array:
    angles = _angles(call, *call.input.shape[-2:])
    waves = _put(np.sin(angles), np.cos(angles), call.config["layout"]).astype(call.dtype)
    return np.broadcast_to(waves, call.input.shape)


def _rows(call: Evaluation) -> Array:
    start = call.arguments.get("start_index", 0)
    rows = call.weights["embeddings"][start : start + call.input.shape[-2]]
    return np.broadcast_to(rows, call.input.shape)


_WAVELENGTH = Field(
    "max_wavelength", POSITIVE, "The base of the wavelengths, of which the longest is nearly 2π times it; often 10000."
)
_LAYOUT = Field(
    "layout", choice("halves", "pairs"), "Where a pair stands: elements i and i + n / 2 of n, or elements 2 × i and 2 × i + 1."
)
define(
    "RotaryEmbedding",
    FAMILY,
    "Turns pairs of features by an angle that grows with the position.",
    words="input",
    rule=_rotated,
    fields=(
        _WAVELENGTH,
        _LAYOUT,
        Field("scaling_factor", POSITIVE, "What positions are divided by.", 1.0),
        Field("rotary_dim", optional(SIZE), "How many of the first features are turned, an even number; null: all.", None),
        Field("sequence_axis", AXIS, "The axis of the positions.", 1),
        Field("feature_axis", AXIS, "The axis of the features.", -1),
    ),
    rank=(3, None),
    arguments=("start_index",),
    keras="",
    equation="with n = rotary_dim and a = (start_index + position) / scaling_factor × max_wavelength^(-2 × i / n), the pair (u, v) number i "
    "becomes (u × cos(a) - v × sin(a), v × cos(a) + u × sin(a)); start_index is 0 unless the call says it",
    formula=_rotate,
)
define(
    "SinePositionEncoding",
    FAMILY,
    "Sines and cosines of the position, whatever the elements of its input.",
    words="input",
    rule=_even,
    fields=(_WAVELENGTH, _LAYOUT),
    rank=(3, None),
    arguments=("start_index",),
    keras="",
    equation="with n features and a = (start_index + position) × max_wavelength^(-2 × i / n), pair number i is (sin(a), cos(a)); "
    "positions are along the axis before the last; start_index is 0 unless the call says it",
    formula=_waves,
)
define(
    "PositionEmbedding",
    FAMILY,
    "A row of a table for each position, whatever the elements of its input.",
    words="input",
    rule=_within,
    fields=(
        Field("sequence_length", SIZE, "Number of rows: no sequence is longer."),
        initializer("embeddings"),
        regularizer("embeddings"),
        constraint("embeddings"),
    ),
    weights=(Weight("embeddings", "[sequence_length, input[-1]]"),),
    rank=(3, None),
    arguments=("start_index",),
    keras="",
    equation="y[…, t, :] = embeddings[start_index + t]; start_index is 0 unless the call says it",
    formula=_rows,
)
