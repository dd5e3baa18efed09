"""What a formula is given and what it yields: one call of one layer on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from triptych.model import Json, Layer, Tensor
from triptych.vocabulary.arrays import Array

Mask = Array | None
"""True for each step that counts, of shape (batch, steps); None: all do."""
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Computation(Generic[V]):
    """One call of a layer, as its formula sees it; every call is as after training."""

    config: Mapping[str, Json]
    """With every default filled in."""
    inputs: tuple[V, ...]
    """Batch first; floating-point ones are of `dtype`."""
    weights: Mapping[str, V]
    """By role, in canonical axis order, of `dtype`."""
    dtype: Any
    """What the layer computes in, float32 or float64: numpy's object for arrays, the word for a graph."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Literals, or values where the call names values; ``mask`` and ``training`` are not among them."""
    masks: tuple[V | None, ...] = ()
    """One for each input: booleans of shape (batch, steps), whether each step counts; None: all do."""
    sublayers: Mapping[str, Layer] = field(default_factory=dict)
    apply: Callable[..., tuple[list[V], list[V | None]]] = lambda *_: ([], [])
    """``apply(role, inputs, masks=(), arguments={})``: what a sublayer makes of values, and which steps of it count."""
    integers: str = "int64"
    """The dtype of integers that it makes, unless its config says one."""
    assets: Mapping[str, Tensor] = field(default_factory=dict)
    """Of the package, by name."""

    @property
    def input(self) -> V:
        """The first input."""
        return self.inputs[0]

    @property
    def mask(self) -> V | None:
        """The first input's mask."""
        return self.masks[0] if self.masks else None


@dataclass(frozen=True, slots=True)
class Evaluation(Computation[Array]):
    """One call of a layer on arrays."""


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
