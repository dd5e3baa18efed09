"""The order of members that the specification does not name."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.model import Json


def in_order(data: Json) -> Json:
    """`data` with the members of every object by code point."""
    if isinstance(data, Mapping):
        return {name: in_order(data[name]) for name in sorted(data)}
    return [in_order(item) for item in data] if isinstance(data, (list, tuple)) else data


def typed_object(data: Json) -> Json:
    """As `in_order`, but `type` and then `config` stand first: ``{"type": "HeNormal", "config": {"seed": 3}}``."""
    if isinstance(data, Mapping):
        names = sorted(data, key=lambda name: (name != "type", name != "config", name))
        return {name: typed_object(data[name]) for name in names}
    return [typed_object(item) for item in data] if isinstance(data, (list, tuple)) else data
