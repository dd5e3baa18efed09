"""What Keras stores of a weight and of its slots: canonical order of axes, and one bias where two are added."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from triptych.layouts.keras_weights.assignment import Place
from triptych.layouts.keras_weights.recasting import recast
from triptych.model import Tensor


def as_stored(tensor: Tensor, place: Place, *, slot: bool = False) -> Tensor:
    """`tensor`, the weight at `place` or a `slot` of it, as Keras 2 and 3 store it."""
    if adds_two(place) and len(tensor.shape) == 2:
        # Both rows see the same gradients, so that the slots of either are those of their sum.
        return _row(tensor, (lambda rows: rows[0]) if slot else (lambda rows: rows[0] + rows[1]))
    axes = place.axes
    if axes is None or axes == tuple(range(len(axes))) or sorted(axes) != list(range(len(tensor.shape))):
        return tensor
    return recast(tensor, [["transpose", list(axes)]])


def state_as_stored(state: Mapping[str, Tensor], places: Iterable[Place]) -> dict[str, Tensor]:
    """The tensors of a training's `state`, slots of the weights at `places` as Keras stores them."""
    owners = {place.tensor: place for place in places}
    return {
        name: as_stored(tensor, owners[weight], slot=True) if (weight := name.split(".", 2)[-1]) in owners else tensor
        for name, tensor in state.items()
    }


def adds_two(place: Place) -> bool:
    """Whether the weight at `place` is two biases, one of them for the recurrent kernel, which Keras does not have apart."""
    return place.role == "bias" and bool(place.owner.layer.config.get("recurrent_bias"))


def _row(rows: Tensor, compute: Callable[[Any], Any]) -> Tensor:
    """One row computed of two."""

    def read() -> memoryview:
        return Tensor.from_array(compute(rows.array())).read()

    return Tensor(rows.dtype, rows.shape[1:], read)
