"""Puts a state dictionary together from the keys of its entries, and takes one apart, as PyTorch's planner does.

Dictionaries lose their kind and lists of plain values stay whole; keys become text, so an optimizer's numbers are made numbers again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from triptych.errors import shorten
from triptych.layouts.numerals import is_position
from triptych.layouts.problems import inexpressible, invalid, unsupported
from triptych.layouts.torch_distributed.folder import METADATA
from triptych.layouts.torch_pickle import bounds
from triptych.layouts.torch_pickle.pickling import Leaf

Path = tuple[str | int, ...]


class _List(dict[int, Any]):
    """A list that is being put together: number -> item."""


def nested(entries: Sequence[tuple[Path, Any]]) -> dict[Any, Any]:
    """The state dictionary whose values stand under the keys of `entries`.

    Raises:
        InvalidModelError: One stands under another, or under a key that is of another kind than before.
        UnsupportedError: Lists would be far longer than their items are many.
    """
    root: dict[Any, Any] = {}
    containers = {id(root)}
    for path, value in entries:
        place = f"{METADATA}#{'.'.join(map(str, path))[:200]}"
        inner: Any = root
        for key, following in zip(path, (*path[1:], None), strict=True):
            if id(inner) not in containers or isinstance(key, int) is not isinstance(inner, _List):
                raise invalid(place, f"expected an entry beside others, got one below {shorten(key)}, which is another's")
            if following is None:
                if key in inner:
                    raise invalid(place, f"expected each entry once, got {shorten(key)} twice")
                inner[key] = value
            else:
                if key not in inner:
                    inner[key] = _List() if isinstance(following, int) else {}
                    containers.add(id(inner[key]))
                inner = inner[key]
    filled = [0]
    return {key: _made(value, containers, filled) for key, value in root.items()}


def _made(value: Any, containers: set[int], filled: list[int]) -> Any:
    if id(value) not in containers:
        return value
    if not isinstance(value, _List):
        return {key: _made(item, containers, filled) for key, item in value.items()}
    length = max(value) + 1
    filled[0] += length - len(value)
    if filled[0] > bounds.DEPTH:
        raise unsupported(METADATA, f"expected lists with an entry for nearly each item, got one of {len(value):,} for {length:,}")
    return [_made(value[index], containers, filled) if index in value else None for index in range(length)]


def with_optimizers(value: Any) -> Any:
    """`value` with the numbers of optimizers' parameters, which became text, as numbers."""
    if not isinstance(value, dict):
        return value
    inner = {key: with_optimizers(item) for key, item in value.items()}
    groups = inner.get("param_groups")
    if not isinstance(groups, list) or not groups or not all(isinstance(group, dict) and isinstance(group.get("params"), list) for group in groups):
        return inner
    # Of an optimizer without state nothing is written.
    state = inner.get("state", {})
    numbered = all(type(key) is int for group in groups for key in group["params"])
    if isinstance(state, dict) and numbered and all(isinstance(key, str) and is_position(key) for key in state):
        state = {int(key): item for key, item in state.items()}
    return {"state": state, **{key: item for key, item in inner.items() if key != "state"}}


def flattened(root: dict[Any, Any]) -> Iterator[tuple[Path, Any]]:
    """Keys and value of each entry of the state dictionary `root`, as PyTorch from 2.4 divides it.

    Raises:
        ConversionError: Two entries would have the same name.
    """
    taken: set[str] = set()
    for path, value in _below((), root):
        name = ".".join(map(str, path))
        if name in taken:
            raise inexpressible(name[:200], "expected entries whose names differ once their keys are joined by dots, got two of this one")
        taken.add(name)
        yield path, value


def _below(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _below((*path, str(key)), item)
    elif isinstance(value, list) and _divided(value):
        for index, item in enumerate(value):
            yield from _below((*path, index), item)
    else:
        yield path, value


def _divided(value: list[Any]) -> bool:
    """Whether the items of a list are entries of their own: some are tensors or dictionaries."""
    return any(isinstance(item, Leaf | dict) or (isinstance(item, list) and _divided(item)) for item in value)
