"""Leaves out of a document what is not to be compared: members by their names, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triptych.errors import UsageError
from triptych.model import Json

EXTENSIONS = "extensions"
_LISTS = ("extensions_used", "extensions_required")

Path = tuple[str, ...]


def paths_of(ignored: Iterable[str]) -> tuple[Path, ...]:
    """The members that ``metadata`` or ``extensions.keras`` stand for, name by name from the outermost.

    Raises:
        UsageError: One names none.
    """
    found: list[Path] = []
    for text in ignored:
        path = tuple(text.split("."))
        if not all(path):
            raise UsageError(f"expected a member to ignore, such as metadata or extensions.keras, got {text!r}")
        found.append(path)
    return tuple(found)


def without(data: Json, paths: Sequence[Path]) -> Json:
    """A copy of `data` without the members at `paths`, each counted from any object on the way down; what gets empty by that goes too.

    The names of extensions are left out of the lists of extensions as well.
    """
    whole = [*paths, *((name,) for name in _LISTS if (EXTENSIONS,) in paths)]
    names = {path[1] for path in paths if len(path) == 2 and path[0] == EXTENSIONS}
    return _without(data, whole, whole, names)


def _without(data: Json, here: Sequence[Path], whole: Sequence[Path], names: set[str]) -> Json:
    if isinstance(data, list):
        return [_without(item, whole, whole, names) for item in data]
    if not isinstance(data, dict):
        return data
    kept: dict[str, Json] = {}
    for name, value in data.items():
        if (name,) in here:
            continue
        inner = [path[1:] for path in here if len(path) > 1 and path[0] == name]
        if name in _LISTS and isinstance(value, list):
            left: Json = [item for item in value if item not in names]
        else:
            left = _without(value, [*inner, *whole], whole, names)
        if left or left == value:
            kept[name] = left
    return kept
