"""What a formula is given and what it yields: one call of one layer on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from triptych.model import Json, Layer, Tensor
from triptych.vocabulary.arrays import Array

Mask = Array | None
"""True for each step that counts, of shape (batch, steps); None: all do."""
Apply = Callable[..., tuple[list[Array], list[Mask]]]
"""``apply(role, inputs, masks=(), arguments={})``: what a sublayer makes of arrays, and which steps of it count."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One call of a layer, as its formula sees it; every call is as after training."""

    config: Mapping[str, Json]
    """With every default filled in."""
    inputs: tuple[Array, ...]
    """Batch first; floating-point ones are of `dtype`."""
    weights: Mapping[str, Array]
    """By role, in canonical axis order, of `dtype`."""
    dtype: Any
    """The numpy dtype that the formula computes in: float32 or float64."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Literals, or arrays where the call names values; ``mask`` and ``training`` are not among them."""
    masks: tuple[Mask, ...] = ()
    """One for each input."""
    sublayers: Mapping[str, Layer] = field(default_factory=dict)
    apply: Apply = lambda *_: ([], [])
    integers: str = "int64"
    """The dtype of integers that it makes, unless its config says one."""
    assets: Mapping[str, Tensor] = field(default_factory=dict)
    """Of the package, by name."""

    @property
    def input(self) -> Array:
        """The first input."""
        return self.inputs[0]

    @property
    def mask(self) -> Mask:
        """The first input's mask."""
        return self.masks[0] if self.masks else None


Formula = Callable[[Evaluation], Array | list[Array]]
"""What a layer yields: an array, or a list for a layer that yields several values. Changes no input."""
MaskRule = Callable[[Evaluation, Sequence[Array]], Sequence[Mask]]
"""The mask of each value that a formula has yielded."""


def keep_mask(call: Evaluation, outputs: Sequence[Array]) -> Sequence[Mask]:
    """The first input's mask, for every value whose first extents are the mask's."""
    return [call.mask if call.mask is not None and one.shape[: call.mask.ndim] == call.mask.shape else None for one in outputs]


def drop_mask(_: Evaluation, outputs: Sequence[Array]) -> Sequence[Mask]:
    """No mask."""
    return [None] * len(outputs)
