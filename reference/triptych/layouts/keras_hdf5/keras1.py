"""How Keras 1 laid weights out that later versions lay out otherwise: one array per gate, kernels with other axes.

Gates become one array when somebody reads it and are taken apart again when written; axes are not moved at all, the architecture says
how they lie.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod

from triptych.layouts.keras_weights.assignment import Array
from triptych.layouts.keras_weights.lineage import owners
from triptych.model import Architecture, Tensor, WeightReference

_GATE = re.compile(r"(?P<stem>.+_[WUb])_(?P<gate>[icfozrh])(?P<counter>:\d+)?")
_GATES = {frozenset("icfo"): "ifco", frozenset("zrh"): "zrh"}
"""Gates that a layer has -> their order in one array."""
_FIRST_AXES: dict[str, dict[str, tuple[int, ...]]] = {
    "Conv2D": {"channels_first": (2, 3, 1, 0)},
    "Conv3D": {"channels_first": (2, 3, 4, 1, 0)},
    "Conv2DTranspose": {"channels_first": (2, 3, 0, 1), "channels_last": (0, 1, 3, 2)},
}
"""Layer type -> data format -> the stored axis of each axis of its kernel, where it is not the same."""


def is_keras_1(version: str | None) -> bool:
    """Whether a file of this ``keras_version`` has Keras 1's layout; the first releases wrote none."""
    return version is None or version.startswith(("0.", "1."))


def kernel_axes(architecture: Architecture) -> dict[str, dict[str, WeightReference]]:
    """Pointer of each layer whose kernel Keras 1 stored with other axes -> the reference that says so."""
    found = {}
    for index, layer in enumerate(architecture.layers):
        for owner in owners(layer, index):
            axes = _FIRST_AXES.get(owner.layer.type, {}).get(owner.layer.config.get("data_format", "channels_last"))
            if axes is not None and "kernel" not in owner.layer.weights:
                found[owner.pointer] = {"kernel": WeightReference(f"{owner.path}.kernel", axes=axes)}
    return found


def joined(arrays: Sequence[Array], tensors: Sequence[Tensor]) -> tuple[list[Array], list[Tensor]] | None:
    """The arrays of one layer with its gates joined; None if none of them is a gate."""
    gates: dict[str, dict[str, int]] = {}
    for index, array in enumerate(arrays):
        if match := _GATE.fullmatch(array.name):
            gates.setdefault(match["stem"] + (match["counter"] or ""), {})[match["gate"]] = index
    whole = {name: _GATES[key] for name, found in gates.items() if (key := frozenset(found)) in _GATES}
    if not whole:
        return None
    result: dict[str, tuple[Array, Tensor]] = {}
    for index, array in enumerate(arrays):
        match = _GATE.fullmatch(array.name)
        name = match["stem"] + (match["counter"] or "") if match else ""
        if name not in whole:
            result[array.name] = (array, tensors[index])
        elif name not in result:
            tensor = _joined([tensors[gates[name][gate]] for gate in whole[name]])
            result[name] = (Array(name, tensor.shape), tensor)
    return [array for array, _ in result.values()], [tensor for _, tensor in result.values()]


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """One tensor of `parts` side by side along the last axis."""
    first = parts[0]
    shape = (*first.shape[:-1], sum(part.shape[-1] for part in parts)) if first.shape else (len(parts),)

    def read() -> memoryview:
        import numpy as np

        return Tensor.from_array(np.concatenate([part.array() for part in parts], axis=-1)).read()

    return Tensor(first.dtype, shape, read)


def taken_apart(names: Sequence[str], tensors: Mapping[str, Tensor]) -> list[Tensor] | None:
    """The tensors that `joined` had before it, in the order of their `names`; None if `tensors`, by joined name, are not those."""
    result = []
    for name in names:
        match = _GATE.fullmatch(name)
        stem = match["stem"] + (match["counter"] or "") if match else name
        tensor = tensors.get(stem)
        if tensor is None:
            return None
        if match is None:
            result.append(tensor)
            continue
        order = next(order for key, order in _GATES.items() if match["gate"] in key)
        if not tensor.shape or tensor.shape[-1] % len(order):
            return None
        result.append(_part(tensor, order.index(match["gate"]), len(order)))
    return result


def _part(tensor: Tensor, index: int, count: int) -> Tensor:
    """The `index`-th of `count` equal parts of `tensor` along the last axis."""
    width = tensor.shape[-1] // count

    def read() -> memoryview:
        return Tensor.from_array(tensor.array()[..., index * width : (index + 1) * width]).read()

    return Tensor(tensor.dtype, (*tensor.shape[:-1], width), read)


def reshaped(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """The same bytes as `tensor` under another `shape` of as many elements; the tensor itself if there are not as many."""
    return Tensor(tensor.dtype, tuple(shape), tensor.read) if prod(shape) == tensor.size else tensor


def transposed(tensor: Tensor, axes: Sequence[int]) -> Tensor:
    """`tensor` with stored axis ``axes[i]`` as axis i."""

    def read() -> memoryview:
        return Tensor.from_array(tensor.array().transpose(axes)).read()

    return Tensor(tensor.dtype, tuple(tensor.shape[axis] for axis in axes), read)
