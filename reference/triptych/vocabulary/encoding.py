"""How layers that yield indices yield them: as they are, or encoded as vectors of zeros, ones and counts."""

from __future__ import annotations

from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import Extent, text
from triptych.vocabulary.formula import Evaluation
from triptych.vocabulary.kinds import choice, optional

MODES = (
    "indices as they are, a 1 at each index, a 1 at every index that occurs, or how often each occurs; the last two along axis 1."
)


def output_dtype(what: str) -> Field:
    """The member that says of which dtype integers are that a layer yields, `what` being those it speaks of."""
    return Field(
        "output_dtype",
        optional(choice("int32", "int64")),
        f"Of {what}; null: the layer's if that is one of integers; else int64 where integers are yielded, and the layer's where they are encoded.",
        None,
    )


def output_mode(*names: str, default: Json, more: str = "") -> Field:
    """The member that says which of the modes `names` it is; `more` describes those beyond the usual ones."""
    return Field("output_mode", choice(*names), f"What is yielded: {MODES}{more}", default)


def encoded(depth: Extent, call: LayerCall) -> Shape:
    """The shape of indices below `depth` as the config's `output_mode` says.

    Raises:
        ShapeError: The mode does not take the input's rank.
    """
    mode = call.config["output_mode"]
    if mode == "int":
        return call.input
    if mode == "one_hot":
        shape = call.input[:-1] if len(call.input) > 1 and call.input[-1] == 1 else call.input
        return (*shape, depth)
    if len(call.input) != 2:
        raise ShapeError(f"expected an input of rank 2 for {mode}, got {text(call.input)}")
    return (call.input[0], depth)


def encode(indices: Array, depth: int, call: Evaluation, *, dtype: str | None = None) -> Array:
    """`indices` as the config's `output_mode` says; an index outside 0 to `depth` - 1 is none.

    What is encoded is of `dtype`, or of the layer's.
    """
    mode = call.config["output_mode"]
    if mode == "int":
        return indices.astype(call.config["output_dtype"] or call.integers)
    hot = (indices[..., None] == np.arange(depth)).astype(dtype or call.dtype)
    if mode == "one_hot":
        return hot[..., 0, :] if indices.ndim > 1 and indices.shape[-1] == 1 else hot
    if mode == "multi_hot":
        return hot.max(axis=1, initial=0)
    weights = call.arguments.get("count_weights")
    return np.asarray((hot if weights is None else hot * np.asarray(weights, call.dtype)[..., None]).sum(axis=1, dtype=hot.dtype))
