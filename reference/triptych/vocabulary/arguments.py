"""What a call says to its layer beside inputs: which arguments the layer knows, and what each may be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from triptych.errors import shorten
from triptych.model import Json

ALWAYS_ACCEPTED = frozenset({"training", "mask"})
"""Call arguments that every type accepts."""
_BOOLEANS = frozenset({"training", "use_causal_mask", "return_attention_scores"})


def misfits(arguments: Mapping[str, Json], known: Collection[str], *, inputs: int) -> Iterator[tuple[str, str, str]]:
    """(requirement, argument, message) for each of `arguments` that a layer that knows `known`, called with so many `inputs`, does not take."""
    for name, value in arguments.items():
        if name not in ALWAYS_ACCEPTED and name not in known:
            yield "LYR-010", name, f"expected the layer to know the argument, got {shorten(name)}"
        elif value is not None and (wanted := _wanted(name, value, inputs)):
            yield "LYR-041", name, f"expected {wanted} as {name}, got {shorten(value)}"


def _wanted(name: str, value: Json, inputs: int) -> str | None:
    """What `value` would have to be; None where it is that."""
    if name in _BOOLEANS:
        return None if isinstance(value, bool) else "a boolean or null"
    if name == "start_index" and type(value) is int and value >= 0:
        return None
    listed = isinstance(value, list | tuple)
    if name == "initial_state":
        return None if all(map(_is_value, value if listed else [value])) else "a value, null or an array of values"
    if name == "mask" and listed:
        fits = len(value) == inputs and all(one is None or _is_value(one) for one in value)
        return None if fits else f"a value, null or an array of {inputs} of these"
    return None if _is_value(value) else f"a value{', an integer from 0 on' if name == 'start_index' else ''} or null"


def _is_value(argument: Json) -> bool:
    return isinstance(argument, Mapping) and set(argument) == {"value"}


__all__ = ["ALWAYS_ACCEPTED", "misfits"]
