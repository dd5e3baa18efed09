"""How layers that yield indices yield them: as they are, or encoded as vectors of zeros, ones and counts."""

from __future__ import annotations

from typing import Any

from triptych.layouts.saved_model.graph.elementary import cast, equal, is_floating, maximum, reduce, total
from triptych.layouts.saved_model.graph.emission import Emission
from triptych.layouts.saved_model.graph.shaping import expand, squeeze
from triptych.layouts.saved_model.graph.values import Value
from triptych.vocabulary.arrays import np


def encode(call: Emission, indices: Value, depth: int, dtype: str | None = None) -> Value:
    """`indices` as the config's `output_mode` says; an index outside 0 to `depth` - 1 is none.

    What is encoded is of `dtype`, or of the layer's.
    """
    mode = call.config["output_mode"]
    if mode == "int":
        return cast(indices, call.config["output_dtype"] or call.integers)
    compared = indices if is_floating(indices) else cast(indices, "int64")
    hot = cast(equal(expand(compared, -1), np.arange(depth)), dtype or call.dtype)
    if mode == "one_hot":
        return squeeze(hot, [-2]) if indices.ndim > 1 and indices.shape[-1] == 1 else hot
    if mode == "multi_hot":
        return maximum(reduce("Max", hot, [1]), 0)
    weights: Any = call.arguments.get("count_weights")
    if weights is not None:
        hot *= expand(cast(call.body.made(weights, call.dtype), hot.dtype), -1)
    return total(hot, [1])
