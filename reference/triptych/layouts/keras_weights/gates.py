"""The gates of recurrent layers, of which Keras 1 stored one array each: they become one when somebody reads it, and are taken apart again when written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from triptych.layouts.keras_weights.assignment import Array
from triptych.model import Tensor

_GATE = re.compile(r"(?P<stem>.+_[WUb])_(?P<gate>[icfozrh])(?P<counter>(_\d+)?(:\d+)?)")
_GATES = {frozenset("icfo"): "ifco", frozenset("zrh"): "zrh"}
"""Gates that a layer has -> their order in one array."""
GATE_LETTERS = "icfozrh"


def joined(
    arrays: Sequence[Array], tensors: Sequence[Tensor], *, filters_first: bool = False
) -> tuple[list[Array], list[Tensor]] | None:
    """The arrays of one layer with its gates joined; None if none of them is a gate.

    `filters_first` says that kernels of convolutions have the axis of what they yield first.
    """
    gates: dict[str, dict[str, int]] = {}
    for index, array in enumerate(arrays):
        if match := _GATE.fullmatch(array.name):
            gates.setdefault(match["stem"] + (match["counter"]), {})[match["gate"]] = index
    whole = {name: _GATES[key] for name, found in gates.items() if (key := frozenset(found)) in _GATES}
    if not whole:
        return None
    result: dict[str, tuple[Array, Tensor]] = {}
    for index, array in enumerate(arrays):
        match = _GATE.fullmatch(array.name)
        name = match["stem"] + (match["counter"]) if match else ""
        if name not in whole:
            result[array.name] = (array, tensors[index])
        elif name not in result:
            parts = [tensors[gates[name][gate]] for gate in whole[name]]
            tensor = _joined(parts, _axis(parts[0], filters_first=filters_first))
            result[name] = (Array(name, tensor.shape), tensor)
    return [array for array, _ in result.values()], [tensor for _, tensor in result.values()]


def gate_of(name: str) -> tuple[str, str] | None:
    """The name of the array that the gate called `name` is joined into, and the gate's letter; None if it is no gate."""
    match = _GATE.fullmatch(name)
    return None if match is None else (match["stem"] + (match["counter"]), match["gate"])


def slots_joined(state: Mapping[str, Tensor], *, filters_first: bool = False) -> dict[str, Tensor]:
    """An optimizer's `state` with slots of single gates, called ``<slot>@<gate>``, joined where there is one for each."""
    result = dict(state)
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        base, at, gate = name.rpartition("@")
        if at and gate in GATE_LETTERS:
            parts.setdefault(base, {})[gate] = tensor
    for base, found in parts.items():
        order = _GATES.get(frozenset(found))
        if order is not None and base not in state:
            held = [found[gate] for gate in order]
            result[base] = _joined(held, _axis(held[0], filters_first=filters_first))
            for gate in order:
                del result[f"{base}@{gate}"]
    return result


def slot_of(state: Mapping[str, Tensor], name: str, *, filters_first: bool = False) -> Tensor | None:
    """The tensor called `name` of a `state` after `slots_joined`; None if it is not there."""
    base, at, gate = name.rpartition("@")
    whole = state.get(base) if at and name not in state else None
    if whole is None:
        return state.get(name)
    order = next((order for order in _GATES.values() if gate in order), "")
    axis = _axis(whole, filters_first=filters_first)
    if not order or not whole.shape or whole.shape[axis] % len(order):
        return None
    return _part(whole, order.index(gate), len(order), axis)


def _axis(gate: Tensor, *, filters_first: bool) -> int:
    """The axis along which gates such as `gate` lie side by side."""
    return 0 if filters_first and len(gate.shape) > 2 else max(len(gate.shape) - 1, 0)


def _joined(parts: Sequence[Tensor], axis: int) -> Tensor:
    """One tensor of `parts` side by side along `axis`."""
    first = parts[0]
    shape = list(first.shape) or [len(parts)]
    if first.shape and all(len(part.shape) == len(shape) for part in parts):
        shape[axis] = sum(part.shape[axis] for part in parts)

    def read() -> memoryview:
        import numpy as np

        return Tensor.from_array(np.concatenate([part.array() for part in parts], axis=axis)).read()

    return Tensor(first.dtype, tuple(shape), read)


def taken_apart(names: Sequence[str], tensors: Mapping[str, Tensor], *, filters_first: bool = False) -> list[Tensor] | None:
    """The tensors that `joined` had before it, in the order of their `names`; None if `tensors`, by joined name, are not those."""
    result = []
    for name in names:
        match = _GATE.fullmatch(name)
        stem = match["stem"] + (match["counter"]) if match else name
        tensor = tensors.get(stem)
        if tensor is None:
            return None
        if match is None:
            result.append(tensor)
            continue
        order = next(order for key, order in _GATES.items() if match["gate"] in key)
        axis = _axis(tensor, filters_first=filters_first)
        if not tensor.shape or tensor.shape[axis] % len(order):
            return None
        result.append(_part(tensor, order.index(match["gate"]), len(order), axis))
    return result


def _part(tensor: Tensor, index: int, count: int, axis: int) -> Tensor:
    """The `index`-th of `count` equal parts of `tensor` along `axis`."""
    width = tensor.shape[axis] // count
    place = (slice(None),) * axis + (slice(index * width, (index + 1) * width),)

    def read() -> memoryview:
        return Tensor.from_array(tensor.array()[place]).read()

    return Tensor(tensor.dtype, (*tensor.shape[:axis], width, *tensor.shape[axis + 1 :]), read)
