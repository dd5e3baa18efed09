"""Finds the line of a text on which the value of a JSON Pointer stands, in JSON and YAML alike."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.errors import pointer_token

TEXT_LIMIT = 4 << 20
"""Characters of the longest text that is searched; a line number is a convenience."""


@dataclass(slots=True)
class _Level:
    """An object or array that the search is in."""

    place: str
    index: int | None
    """Of the next item of an array; None in an object."""
    name: str | None = None
    """Of the member whose value comes next, in an object."""


def line_of(text: str, pointer: str) -> int | None:
    """The line, counted from 1, where the value at `pointer` starts, or its name if it has one; None where that cannot be told."""
    import yaml

    if len(text) > TEXT_LIMIT:
        return None
    levels: list[_Level] = []
    try:
        for event in yaml.parse(text, yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionEndEvent):
                levels.pop()
            elif isinstance(event, yaml.NodeEvent) and event.start_mark is not None:
                line: int = event.start_mark.line + 1
                is_name = bool(levels) and levels[-1].index is None and levels[-1].name is None
                if is_name:
                    levels[-1].name = getattr(event, "value", "")
                    place = f"{levels[-1].place}/{pointer_token(levels[-1].name or '')}"
                else:
                    place = _next(levels)
                if place == pointer:
                    return line
                if isinstance(event, yaml.CollectionStartEvent):
                    levels.append(_Level(place, None if isinstance(event, yaml.MappingStartEvent) else 0))
    except yaml.YAMLError:
        return None
    return None


def _next(levels: list[_Level]) -> str:
    """The pointer of the value that comes now."""
    if not levels:
        return ""
    level = levels[-1]
    if level.index is None:
        name, level.name = level.name, None
        return f"{level.place}/{pointer_token(name or '')}"
    level.index += 1
    return f"{level.place}/{level.index - 1}"
