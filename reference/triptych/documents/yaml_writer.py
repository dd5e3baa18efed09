"""Plain data to YAML text that YAML 1.1 and YAML 1.2 parsers read alike (specification chapter 10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.documents.json_writer import dump_json, scalar_text
from triptych.documents.plain_scalars import reads_as_itself
from triptych.documents.scalars import DEEPEST, nonfinite_name
from triptych.errors import UsageError, shorten
from triptych.model import Json

_LONGEST_KEY = 1000
"""Characters of a simple key; YAML parsers stop looking for its colon after 1,024."""


def dump_yaml(data: Json) -> str:
    """`data` as YAML text in block style, members in the order given, strings in double quotes unless they are plain words.

    Raises:
        UsageError: As `triptych.documents.json_writer.dump_json`.
    """
    parts: list[str] = []
    _write_block(data, 0, "", parts)
    return "".join(parts)


def _scalar(value: Any) -> str | None:
    if isinstance(value, str):
        return _string(value)
    text = scalar_text(value)
    if text is not None:
        return text
    return None if isinstance(value, float) or value else "{}" if isinstance(value, Mapping) else "[]"


def _string(text: str) -> str:
    if reads_as_itself(text):
        return text
    quoted = dump_json(text)[:-1]
    # Printable ASCII and what no YAML version treats as a break or a mark stays as it is.
    return quoted if quoted.isascii() else "".join(c if _stays(c) else f"\\u{ord(c):04x}" for c in quoted)


def _stays(character: str) -> bool:
    return " " <= character <= "~" or (character >= "\xa0" and character != "\ufeff" and not "\ufff0" <= character <= "\uffff")


def _key(name: object) -> str:
    if not isinstance(name, str):
        raise UsageError(f"expected names of members to be strings, got {shorten(name)}")
    text = _string(name)
    return text + ":" if len(text) <= _LONGEST_KEY else f"? {text}\n\0:"


def _line(value: Any) -> str | None:
    """`value` on one line: a scalar, an empty collection or an array of scalars; None if it needs a block."""
    text = _scalar(value)
    if text is not None or not isinstance(value, (list, tuple)):
        return text
    texts = [scalar_text(item) if not isinstance(item, str) else _string(item) for item in value]
    return None if None in texts else f"[{', '.join(texts)}]"  # type: ignore[arg-type]


def _write_block(value: Any, depth: int, first: str, parts: list[str]) -> None:
    """Write `value`, whose first line begins with `first` and whose other lines are indented by `depth` levels."""
    if isinstance(value, float) and value - value != 0.0:
        value = {"float": nonfinite_name(value)}
    if depth >= DEEPEST and isinstance(value, (list, tuple, Mapping)):
        raise UsageError(f"expected at most {DEEPEST} nested arrays and objects, got more")
    line = _line(value)
    if line is not None:
        parts.append(f"{first}{line}\n")
        return
    indent = "  " * depth
    if isinstance(value, Mapping):
        for name, item in value.items():
            key = _key(name).replace("\0", indent)
            text = _scalar(item)
            if text is not None or _line(item) is not None:
                _write_block(item, depth + 1, f"{first}{key} ", parts)
            else:
                parts.append(f"{first}{key}\n")
                _write_block(item, depth + 1, indent + "  ", parts)
            first = indent
        return
    for item in value:
        _write_block(item, depth + 1, f"{first}- ", parts)
        first = indent
