"""Says how a file's tensors lay in memory, where the panels do not keep it: in another order than by rows, or sharing elements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from triptych.errors import shorten
from triptych.layouts.torch_pickle import elements
from triptych.layouts.torch_pickle.tensors import in_rows
from triptych.layouts.torch_pickle.values import StoredTensor

_NAMED = 3
"""Tensors that a sentence names; of more it says how many."""


def notes_of(tensors: Mapping[str, StoredTensor]) -> Iterator[str]:
    """Sentences about the layout in memory of `tensors`, which is not kept; their elements are."""
    otherwise = [name for name, one in tensors.items() if not in_rows(one.shape, one.strides)]
    if otherwise:
        yield f"{_some(otherwise)} lay in memory otherwise than by rows, such as with channels last: the elements are kept by rows"
    overlapping = _overlapping(tensors)
    if overlapping:
        yield f"{_some(overlapping)} shared elements without being the same: each is kept with elements of its own"


def _some(names: list[str]) -> str:
    said = ", ".join(shorten(name) for name in names[:_NAMED])
    return said if len(names) <= _NAMED else f"{said} and {len(names) - _NAMED:,} more tensors"


def _overlapping(tensors: Mapping[str, StoredTensor]) -> list[str]:
    """Names of tensors that may share elements with others that are not the same tensor: the stretches of their storage overlap."""
    stretches = sorted((*_stretch(one), name) for name, one in tensors.items() if all(one.shape))
    found: dict[str, None] = {}
    last: tuple[str, int, str] | None = None
    for key, begin, end, name in stretches:
        if last is not None and last[0] == key and begin < last[1] and tensors[last[2]].identity != tensors[name].identity:
            found |= {last[2]: None, name: None}
        if last is None or last[0] != key or end > last[1]:
            last = (key, end, name)
    return [name for name in tensors if name in found]


def _stretch(one: StoredTensor) -> tuple[str, int, int]:
    """The storage of a tensor, and at which bytes of it the tensor begins and ends."""
    item = elements.item_bytes(one.dtype)
    begin = one.storage.offset * elements.storage_bytes(one.storage.kind) + one.offset * item
    return one.storage.key, begin, begin + (sum((extent - 1) * stride for extent, stride in zip(one.shape, one.strides, strict=True)) + 1) * item
