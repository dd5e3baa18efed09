"""Spells what a pickle holds as plain data and back, tensors by name: so that a file's own arrangement returns when it is written again.

Lists, texts, numbers, true, false and null stand for themselves. Everything else is an object: ``dict`` and ``ordered`` with pairs of
key and value (a key alone where the value is the tensor named by the path), ``tuple``, ``set``, ``bytes`` in base 64, ``size``,
``dtype`` …; a tensor is ``tensor`` with its name, ``same`` as the tensor whose storage it shares, ``requires_grad`` and ``parameter``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.torch_pickle import bounds, refusals, unusual
from triptych.layouts.torch_pickle.values import Ordered, Tagged
from triptych.model import Json

Path = tuple[Any, ...]
Spell = Callable[[Any, Path], Json | None]
"""Called with each value and its path: how it is spelled, or None for the rule."""
Unspell = Callable[[dict[str, Json], Path], Any]
"""Called with each object that no rule knows, and its path."""

_TEXT = 1 << 20
_TAGS = ("size", "device", "dtype", "layout", "complex")
_WITH_PARTS = ("Counter", *unusual.KINDS)


def joined(path: Path) -> str:
    """The name of what stands at `path`."""
    return ".".join(map(str, path))


def spell(value: Any, special: Spell, path: Path = ()) -> Json:
    """`value` as plain data.

    Raises:
        UnsupportedError: It cannot be said.
    """
    found = special(value, path)
    if found is not None:
        return found
    if len(path) > bounds.DEPTH:
        raise unsupported(joined(path[:8]), f"expected values nested at most {bounds.DEPTH} deep")
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else {"int": str(value)}
    if isinstance(value, str):
        if len(value.encode("utf-8", "surrogatepass")) > _TEXT or any("\ud800" <= c <= "\udfff" for c in value):
            return {"bytes": base64.b64encode(value.encode("utf-8", "surrogatepass")).decode(), "text": True}
        return value
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [spell(item, special, (*path, index)) for index, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"tuple": [spell(item, special, (*path, index)) for index, item in enumerate(value)]}
    if isinstance(value, set | frozenset):
        kind = "set" if isinstance(value, set) else "frozenset"
        return {kind: [spell(item, special, path) for item in sorted(value, key=lambda item: (str(type(item)), str(item)))]}
    if isinstance(value, Ordered):
        said = {"ordered": _pairs(value, special, path)}
        return said if value.attributes is None else {**said, "attributes": spell(value.attributes, special, (*path, ""))}
    if isinstance(value, dict):
        return {"dict": _pairs(value, special, path)}
    if isinstance(value, Tagged):
        return {value.kind: _pairs(value.value, special, path) if value.kind in _WITH_PARTS else value.value}
    raise unsupported(joined(path[:8]), f"expected data, got {refusals.brief(value)}")


def _pairs(value: dict[Any, Any], special: Spell, path: Path) -> list[Json]:
    pairs: list[Json] = []
    for key, item in value.items():
        below = (*path, key)
        said = spell(item, special, below)
        short = isinstance(key, str) and said == {"tensor": joined(below)}
        pairs.append(key if short else [spell(key, lambda *_: None), said])
    return pairs


def unspell(data: Json, special: Unspell, path: Path = ()) -> Any:
    """The value that `data` spells.

    Raises:
        InvalidModelError: It spells none: somebody has edited it.
    """
    if len(path) > bounds.DEPTH:
        raise invalid(joined(path[:8]), f"expected values nested at most {bounds.DEPTH} deep")
    if isinstance(data, list):
        return [unspell(item, special, (*path, index)) for index, item in enumerate(data)]
    if not isinstance(data, dict):
        return data
    try:
        return _object(data, special, path)
    except (TypeError, ValueError, KeyError, IndexError, binascii.Error) as error:
        raise invalid(f"extensions.torch {joined(path[:8])}", f"expected a value as PyTorch's reader spells them, got {refusals.brief(str(data))}") from error


def _object(data: dict[str, Json], special: Unspell, path: Path) -> Any:
    kind = next(iter(data))
    if "ordered" in data:
        made = Ordered(_unpaired(data["ordered"], special, path))
        made.attributes = unspell(data.get("attributes"), special, (*path, ""))
        return made
    if "bytes" in data:
        raw = base64.b64decode(data["bytes"], validate=True)
        return raw.decode("utf-8", "surrogatepass") if data.get("text") is True else raw
    if len(data) > 1:
        return special(data, path)
    body = data[kind]
    if kind == "int":
        return int(body)
    if kind == "dict":
        return dict(_unpaired(body, special, path))
    if kind in _WITH_PARTS:
        return Tagged(kind, dict(_unpaired(body, special, path)))
    if kind == "tuple":
        return tuple(unspell(body, special, path))
    if kind in ("set", "frozenset"):
        items = unspell(body, special, path)
        return set(items) if kind == "set" else frozenset(items)
    if kind in _TAGS:
        return Tagged(kind, body)
    return special(data, path)


def _unpaired(pairs: Json, special: Unspell, path: Path) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for pair in pairs:
        if isinstance(pair, str):
            below = (*path, pair)
            found.append((pair, special({"tensor": joined(below)}, below)))
        else:
            key, said = pair
            name = unspell(key, special, path)
            found.append((name, unspell(said, special, (*path, name))))
    return [pair for pair in found if pair[1] is not LEFT_OUT]


class LeftOut:
    """Stands for a value that is not written."""


LEFT_OUT = LeftOut()
