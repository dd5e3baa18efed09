"""Holds places of problems to the forms that the registry of error codes gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

NONE = "none"
"""The form of the empty place."""
FORM = re.compile(r"none|(?:MEMBER|manifest\.json)(?:#(?:…|/[^/…]+|/[^/…]+…)*)?")
"""``MEMBER`` is any member, ``*`` one token of a JSON Pointer, ``…`` any number of them; behind a colon stand words."""
_PARTS = {"MEMBER": r"[^#]+", "…": r"(?:/[^/]*)*", "*": r"[^/]*"}


def form_of(entry: str) -> str:
    """The form of a place, without the words behind it."""
    return entry.partition(": ")[0]


@cache
def _pattern(form: str) -> re.Pattern[str]:
    parts = re.split(r"(MEMBER|…|\*)", form)
    return re.compile("".join(_PARTS.get(part, re.escape(part)) for part in parts), re.DOTALL)


def fits(place: str, entries: Iterable[str]) -> bool:
    """Whether `place` has one of the forms of `entries`."""
    forms = map(form_of, entries)
    return any(place == "" if form == NONE else _pattern(form).fullmatch(place) is not None for form in forms)
