"""Plain data to the canonical JSON text: one model, one text (specification chapter 10)."""

from __future__ import annotations

from collections.abc import Mapping
from json.encoder import encode_basestring as quoted
from typing import Any

from triptych.documents.scalars import DEEPEST, nonfinite_name, number_text
from triptych.errors import UsageError, shorten
from triptych.model import Json


def dump_json(data: Json) -> str:
    """`data` as canonical JSON text, members in the order given, ending with a newline.

    A float that is not finite is written as ``{"float": "NaN"}`` and the like.

    Raises:
        UsageError: `data` holds something that no document can: another type, a huge integer, a lone surrogate, too deep nesting.
    """
    parts: list[str] = []
    _write(data, "\n", parts)
    parts.append("\n")
    return _checked("".join(parts))


def _checked(text: str) -> str:
    # These three stand for themselves in JSON, but are line breaks or invisible to others; they occur in strings only.
    text = text.replace("\x7f", "\\u007f").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"expected Unicode text, got the lone surrogate {text[error.start]!a}") from None
    return text


def scalar_text(value: Any) -> str | None:
    """`value` as JSON text without `_checked`'s escapes; None if it takes brackets."""
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return number_text(value)
    if isinstance(value, float):
        return number_text(value) if value - value == 0.0 else None
    if isinstance(value, (list, tuple, Mapping)):
        return None
    raise UsageError(f"expected plain data (null, booleans, numbers, strings, arrays, objects), got {shorten(value)}")


def _write(value: Any, newline: str, parts: list[str]) -> None:
    text = scalar_text(value)
    if text is not None:
        parts.append(text)
        return
    if len(newline) > 2 * DEEPEST:
        raise UsageError(f"expected at most {DEEPEST} nested arrays and objects, got more")
    inner = newline + "  "
    if isinstance(value, float):
        value = {"float": nonfinite_name(value)}
    if isinstance(value, Mapping):
        if not value:
            parts.append("{}")
            return
        before = "{" + inner
        for name, item in value.items():
            if not isinstance(name, str):
                raise UsageError(f"expected names of members to be strings, got {shorten(name)}")
            text = scalar_text(item)
            if text is not None:
                parts.append(f"{before}{quoted(name)}: {text}")
            else:
                parts.append(f"{before}{quoted(name)}: ")
                _write(item, inner, parts)
            before = "," + inner
        parts.append(newline + "}")
        return
    texts = [scalar_text(item) for item in value]
    if None not in texts:
        parts.append(f"[{', '.join(texts)}]")  # type: ignore[arg-type]
        return
    before = "[" + inner
    for item, text in zip(value, texts, strict=True):
        parts.append(before)
        if text is not None:
            parts.append(text)
        else:
            _write(item, inner, parts)
        before = "," + inner
    parts.append(newline + "]")
