"""Changes of JSON that stay JSON: a value replaced, a member renamed, repeated, removed, moved, nested, taken from elsewhere in the document."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from fuzz.mutators import blind

_ATOMS: tuple[Any, ...] = (None, True, False, 0, -1, 1, 1.5, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 1e308, "", [], {}, [[]], [None], {"": None}, "nan", 64.0)
_WORDS = tuple(one.encode() for one in ('"', "{", "}", "[", "]", ",", ":", "null", "true", "NaN", "Infinity", "1e999", "-0", "0.0", "\\u0000", "\\ud800", "\\u00e9", "\ufeff", "//", "1" * 70, "[" * 130))


def mutated(data: bytes, rng: Random) -> bytes:
    """A document like `data`; one that is no JSON any more now and then."""
    if rng.random() < 0.25:
        return blind.mutated(data, rng, _WORDS)
    try:
        return dumped(changed(json.loads(data), rng), rng)
    except (ValueError, RecursionError):  # no JSON, or too many levels for this one
        return blind.mutated(data, rng, _WORDS)


def dumped(value: Any, rng: Random) -> bytes:
    """The text of a value, in one of several spellings."""
    text = json.dumps(value, indent=rng.choice((None, None, 2)), ensure_ascii=rng.random() < 0.3)
    return text.encode("utf-8", "surrogatepass")


def changed(value: Any, rng: Random, *, names: Callable[[Random], str] | None = None) -> Any:
    """`value` after one to three changes."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = _places(value)
        if not places:
            return rng.choice(_ATOMS)
        _change(rng.choice(places), places, rng, names)
    return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Each container with each of its keys."""
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending and len(found) < 5000:
        one = pending.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            pending.append(one[key])
    return found


def _change(place: tuple[Any, Any], places: list[tuple[Any, Any]], rng: Random, names: Callable[[Random], str] | None) -> None:
    holder, key = place
    if key not in holder if isinstance(holder, dict) else key >= len(holder):
        return  # went away with an earlier change
    value = holder[key]
    kind = rng.randrange(8)
    if kind == 0:
        holder[key] = _copy(rng.choice(_ATOMS))
    elif kind == 1:
        del holder[key]
    elif kind == 2:
        other, from_key = rng.choice(places)
        found = _copy(other[from_key]) if (from_key in other if isinstance(other, dict) else from_key < len(other)) else None
        holder[key] = found
    elif kind == 3:
        nested = value
        for _ in range(rng.choice((1, 1, 2, 60, 130))):
            nested = [nested] if rng.random() < 0.5 else {"config": nested}
        holder[key] = nested
    elif kind == 4 and isinstance(holder, dict):
        holder[names(rng) if names is not None and rng.random() < 0.5 else blind.text(str(key), rng)] = _copy(value)
    elif kind == 5 and isinstance(holder, list):
        holder.insert(rng.randrange(len(holder) + 1), _copy(value))
    else:
        holder[key] = _atom(value, rng)


def _atom(value: Any, rng: Random) -> Any:
    """A value of the same kind."""
    if isinstance(value, bool) or value is None:
        return rng.choice((True, False, None))
    if isinstance(value, int):
        return rng.choice((value + rng.choice((-1, 1)), -value, blind.number(rng), float(value) if abs(value) < 2**1000 else value))
    if isinstance(value, float):
        return rng.choice((-value, value * 2, 0.0, 1e-310, 1e308, int(value) if abs(value) < 1e300 else 0))
    if isinstance(value, str):
        return blind.text(value, rng)
    if isinstance(value, list):
        return rng.sample(value, len(value)) if rng.random() < 0.5 else value[: rng.randrange(len(value) + 1)]
    return {}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value
