"""Emitters of types that hold no window and no recurrence, and of those that only do something while training."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.layouts.saved_model.graph.activations import activate
from triptych.layouts.saved_model.graph.elementary import biased, cast, einsum, matmul, not_equal, reduce
from triptych.layouts.saved_model.graph.emission import Emission, Mask, emits
from triptych.layouts.saved_model.graph.shaping import expand, take
from triptych.layouts.saved_model.graph.values import Value
from triptych.vocabulary.einsum import analyze


@emits("Dense")
def _dense(call: Emission) -> Value:
    y = matmul(call.input, call.weights["kernel"])
    return activate(call.config["activation"], biased(y, call.weights["bias"]) if call.config["use_bias"] else y)


@emits("EinsumDense")
def _einsum_dense(call: Emission) -> Value:
    config = call.config
    shape = tuple(analyze(config["equation"], call.input.shape, config["output_shape"], config["bias_axes"] or "")[0])
    y = einsum(config["equation"], [call.input, call.weights["kernel"]], shape)
    return activate(config["activation"], y + call.weights["bias"] if config["bias_axes"] else y)


def _embedding_mask(call: Emission, outputs: Sequence[Value]) -> Sequence[Mask]:
    return [not_equal(call.input, 0)] if call.config["mask_zero"] else [None] * len(outputs)


@emits("Embedding", mask=_embedding_mask)
def _embedding(call: Emission) -> Value:
    return take(call.weights["embeddings"], cast(call.input, "int64"), 0)


@emits(
    *("Identity", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout", "AlphaDropout"),
    "ActivityRegularization",
)
def _identity(call: Emission) -> Value:
    return call.input


@emits("Rescaling")
def _rescaling(call: Emission) -> Value:
    scale, offset = call.config["scale"], call.config["offset"]
    y: Value = cast(call.input, call.dtype) * scale + offset
    return y


def _counts(call: Emission) -> Value:
    """Whether a step holds an element that differs from the value."""
    return reduce("Any", not_equal(call.input, call.config["mask_value"]), [-1])


def _masking_mask(call: Emission, _: Sequence[Value]) -> Sequence[Mask]:
    return [_counts(call)]


@emits("Masking", mask=_masking_mask)
def _masking(call: Emission) -> Value:
    return call.input * cast(expand(_counts(call), -1), call.input.dtype)
