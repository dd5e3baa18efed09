"""What Keras on Theano makes of the padding ``same``: other amounts than every other backend, so that they are said for each end.

Convolutions add half the kernel at both ends, and what is too much of the result at its end is cut off; pooling adds what
``theano_backend.pool2d`` of Keras 1 and 2 says. With strides, and for even extents, that is not what TensorFlow adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.layouts.keras_config.plain import unsayable
from triptych.model import Json
from triptych.vocabulary import LayerType


def with_amounts(found: LayerType, config: Mapping[str, Json]) -> dict[str, Json]:
    """`config` of a layer of type `found` with padding said as Theano adds it, where that is not what ``same_upper`` means.

    Raises:
        Unsayable: It pads states, too, and cannot say how.
    """
    said = found.resolve(config)
    if said.get("padding") != "same_upper":
        return dict(config)
    if "Pooling" in found.name:
        ends = [_pooled(size) for size in said["pool_size"]]
        steps, spans = said["strides"] or said["pool_size"], said["pool_size"]
    else:
        spans = [(size - 1) * rate + 1 for size, rate in zip(said["kernel_size"], _dilation(said), strict=True)]
        steps = said["strides"]
        if found.name.endswith("Transpose"):
            return {**config, **_trimmed(said)}
        if found.name.startswith("ConvLSTM") and any(span % 2 == 0 for span in spans):
            unsayable("the padding of a state")
        cut = not found.name.startswith("SeparableConv")
        ends = [[span // 2, (span - 1) // 2 if cut else span // 2] for span in spans]
    usual = [[(span - 1) // 2, span // 2] for span in spans]
    return dict(config) if ends == usual and all(step == 1 for step in steps) else {**config, "padding": ends}


def _dilation(said: Mapping[str, Any]) -> list[int]:
    return said.get("dilation_rate") or [1] * len(said["kernel_size"])


def _pooled(size: int) -> list[int]:
    """What is added before and after for a window of `size`."""
    before = size - 2 if size > 2 and size % 2 else size - 1
    return [before, size - 1 - before]


def _trimmed(said: Mapping[str, Any]) -> dict[str, Json]:
    """The amounts that a transposed convolution leaves out, so that extents are multiplied by the strides."""
    ends = [[size // 2, size - step - size // 2] for size, step in zip(said["kernel_size"], said["strides"], strict=True)]
    more = [max(-after, 0) for _, after in ends]
    return {
        "padding": [[before, max(after, 0)] for before, after in ends],
        **({"output_padding": more} if any(more) else {}),
    }
