"""What a YAML scalar without quotes means, where YAML 1.1, YAML 1.2 and JSON agree; elsewhere nothing."""

from __future__ import annotations

import re

_WORDS = {"null": None, "true": True, "false": False}
_TAKEN = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<"})
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][+-][0-9]+)?", re.ASCII)
_NUMBER_FIRST = frozenset("0123456789+-.?:")
_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*", re.ASCII)


class AmbiguousScalar(Exception):  # noqa: N818 - caught where the place is known
    """A scalar that needs quotes, or another spelling, to mean the same everywhere; with the requirement that it breaks."""


def resolve_plain(text: str) -> str | int | float | bool | None:
    """The value of the scalar `text` that stands without quotes; integers of any size.

    Raises:
        AmbiguousScalar: YAML 1.1 and YAML 1.2 read it differently, or not as JSON would.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 400 else 10**400
    if _FLOAT.fullmatch(text):
        return float(text)
    if not text:
        return None
    if text.lower() in _TAKEN:
        raise AmbiguousScalar("DOC-024")
    if text[0] in _NUMBER_FIRST:
        raise AmbiguousScalar("DOC-029")
    return text


def reads_as_itself(text: str) -> bool:
    """Whether `text` can stand without quotes, in any place and for any YAML parser, and mean this string."""
    return _SAFE.fullmatch(text) is not None and text.lower() not in _TAKEN
