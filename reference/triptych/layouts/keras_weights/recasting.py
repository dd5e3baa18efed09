"""One array of a weight as another generation of Keras lays it out: a few steps, each with its way back.

Steps are plain data, so that a file's extension can say how a tensor came about and a writer go the same way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from triptych.model import Json, Tensor

Step = Sequence[Json]
"""A word and what it needs: ``["reshape", from, to]``, ``["transpose", axes]``, ``["flip", axes]``, ``["cudnn", gates]``, ``["cudnn_recurrent", gates]``."""


def is_step(value: Json) -> bool:
    """Whether `value` is a step; extensions are edited by hand."""
    if not isinstance(value, list) or not value:
        return False
    word, *numbers = value
    if word in ("cudnn", "cudnn_recurrent"):
        return len(numbers) == 1 and numbers[0] in (3, 4)
    lists = len(numbers) == (2 if word == "reshape" else 1) and all(map(_naturals, numbers))
    if word == "transpose":
        return lists and sorted(numbers[0]) == list(range(len(numbers[0])))
    return lists and word in ("reshape", "flip")


def _naturals(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in value)


def recast(tensor: Tensor, steps: Sequence[Step]) -> Tensor:
    """`tensor` after `steps`; computed when it is read, or the tensor itself where there is none."""
    for step in steps:
        tensor = _taken(tensor, step)
    return tensor


def recast_back(tensor: Tensor, steps: Sequence[Step]) -> Tensor:
    """What `tensor` was before `steps`; the tensor itself if it cannot come from them."""
    result = tensor
    for step in reversed(steps):
        back = _back(step)
        if not _bears(result.shape, back):
            return tensor
        result = _taken(result, back)
    return result


def shape_before(shape: Sequence[int], steps: Sequence[Step]) -> tuple[int, ...]:
    """The shape that a tensor of `shape` had before `steps`."""
    result = tuple(shape)
    for word, first, *_ in reversed(steps):
        if word == "reshape":
            result = tuple(first)
        elif word == "transpose":
            result = tuple(result[first.index(axis)] for axis in range(len(first)))
    return result


def _back(step: Step) -> Step:
    word, *numbers = step
    if word == "reshape":
        return ["reshape", numbers[1], numbers[0]]
    if word == "transpose":
        return ["transpose", sorted(range(len(numbers[0])), key=numbers[0].__getitem__)]
    return ["uncudnn", *numbers] if word == "cudnn" else step  # the others are their own way back


def _bears(shape: Sequence[int], step: Step) -> bool:
    """Whether a tensor of `shape` can take `step`."""
    word, first, *_ = step
    if word == "reshape":
        return prod(shape) == prod(first)
    if word == "transpose":
        return len(shape) == len(first)
    if word == "flip":
        return all(axis < len(shape) for axis in first)
    return len(shape) == 2 and shape[1] % first == 0


def _taken(tensor: Tensor, step: Step) -> Tensor:
    word, first, *rest = step
    if word == "reshape":
        return Tensor(tensor.dtype, tuple(rest[0]), tensor.read)
    shape = tuple(tensor.shape[axis] for axis in first) if word == "transpose" else tensor.shape

    def read() -> memoryview:
        return Tensor.from_array(_moved(tensor.array(), word, first)).read()

    return Tensor(tensor.dtype, shape, read)


def _moved(array: Any, word: Json, argument: Any) -> Any:
    import numpy as np

    if word == "transpose":
        return array.transpose(argument)
    if word == "flip":
        return np.flip(array, argument)
    blocks = np.split(array, argument, axis=1)
    rows, columns = blocks[0].shape
    if word == "cudnn_recurrent":
        return np.concatenate([block.T for block in blocks], axis=1)
    if word == "cudnn":
        # CuDNN reads the memory of each block as that of a matrix with as many rows as it has columns here.
        return np.concatenate([block.reshape(columns, rows).T for block in blocks], axis=1)
    return np.concatenate([block.T.reshape(rows, columns) for block in blocks], axis=1)
