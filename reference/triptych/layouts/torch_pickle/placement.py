"""Tells which weight each numbered parameter of an optimizer is, where order and shapes leave no doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")
"""Last words of names that PyTorch's own modules give to what is no parameter."""
Shape = tuple[int, ...]
Key = int | str
"""What an optimizer calls a parameter: its number, or in distributed state dictionaries its name."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A weight that an optimizer may have slots for."""

    name: str
    shape: Shape


def may_be_trained(name: str, dtype: str) -> bool:
    """Whether a tensor may be a parameter, by its name and dtype."""
    return name.rpartition(".")[2] not in _BUFFERS and ("float" in dtype or "complex" in dtype)


def placed(groups: Sequence[Sequence[Key]], shapes: Mapping[Key, Shape], candidates: Sequence[Candidate]) -> dict[Key, str] | None:
    """Number -> weight; None where it could be otherwise.

    Args:
        groups: The numbers of each group of parameters.
        shapes: Of those parameters whose slots tell.
        candidates: The weights in the order of the state dictionary.
    """
    numbers = [number for group in groups for number in group]
    if len(set(numbers)) != len(numbers):
        return None
    if len(numbers) == len(candidates):
        if _agree(numbers, candidates, shapes):
            return {number: one.name for number, one in zip(numbers, candidates, strict=True)}
        return _by_rank(groups, shapes, candidates)
    first = _leftmost(numbers, candidates, shapes)
    last = _leftmost(numbers[::-1], candidates[::-1], shapes)
    return first if first == last else None


def _agree(numbers: Sequence[Key], candidates: Sequence[Candidate], shapes: Mapping[Key, Shape]) -> bool:
    return all(shapes.get(number, one.shape) == one.shape for number, one in zip(numbers, candidates, strict=True))


def _leftmost(numbers: Sequence[Key], candidates: Sequence[Candidate], shapes: Mapping[Key, Shape]) -> dict[Key, str] | None:
    """Each number at the first candidate that it can have, in order; from both ends the same where there is one way only."""
    found: dict[Key, str] = {}
    waiting = iter(candidates)
    for number in numbers:
        one = next((one for one in waiting if shapes.get(number, one.shape) == one.shape), None)
        if one is None:
            return None
        found[number] = one.name
    return found


def _by_rank(groups: Sequence[Sequence[Key]], shapes: Mapping[Key, Shape], candidates: Sequence[Candidate]) -> dict[Key, str] | None:
    """The same where matrices are one group and vectors another, as they are for decay; in each the order is the model's."""
    if len(groups) != 2:
        return None
    matrices = [one for one in candidates if len(one.shape) > 1]
    vectors = [one for one in candidates if len(one.shape) <= 1]
    for first, second in ((matrices, vectors), (vectors, matrices)):
        if (len(first), len(second)) == (len(groups[0]), len(groups[1])):
            numbers, ordered = [*groups[0], *groups[1]], [*first, *second]
            if all(number in shapes for number in numbers) and _agree(numbers, ordered, shapes):
                return {number: one.name for number, one in zip(numbers, ordered, strict=True)}
    return None
