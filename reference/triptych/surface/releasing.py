"""Keeps the memory of a save to a few tensors: what was written of a mapped file leaves the process's memory before the next is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from triptych.model import Panels, Tensor, Weights
from triptych.package.mappings import give_back, mapping_of

if TYPE_CHECKING:
    from mmap import mmap

_HELD_BYTES = 16 << 20
"""Bytes handed out before pages are given back: doing so for each small tensor would cost more than it saves."""


def releasing(panels: Panels) -> Panels:
    """`panels` whose tensors, when they are read one after the other, give back the mapped pages of those before."""
    held = _Held()
    weights, training = panels.weights, panels.training
    if training is not None and training.state is not None:
        training = replace(training, state=Weights(_Releasing(training.state.tensors, held)))
    return replace(
        panels,
        weights=None if weights is None else Weights(_Releasing(weights.tensors, held)),
        training=training,
        assets=_Releasing(panels.assets, held),
    )


class _Held:
    """Mappings of which something was handed out."""

    def __init__(self) -> None:
        self._mappings: dict[int, mmap] = {}
        self._bytes = 0

    def read(self, tensor: Tensor) -> memoryview:
        """The bytes of `tensor`; what was handed out before is given back."""
        if self._bytes >= _HELD_BYTES:
            for mapping in self._mappings.values():
                give_back(mapping)
            self._mappings, self._bytes = {}, 0
        view = tensor.read()
        self._bytes += view.nbytes
        if (found := mapping_of(view)) is not None:
            self._mappings[id(found)] = found
        return view


class _Releasing(Mapping[str, Tensor]):
    """Tensors that are read through what is held; made when they are asked for, as those of a file are."""

    __slots__ = ("_held", "_tensors")

    def __init__(self, tensors: Mapping[str, Tensor], held: _Held) -> None:
        self._tensors = tensors
        self._held = held

    def __getitem__(self, name: str) -> Tensor:
        tensor = self._tensors[name]
        return Tensor(tensor.dtype, tensor.shape, lambda: self._held.read(tensor))

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __contains__(self, name: object) -> bool:
        return name in self._tensors
