"""Cases of chapter 46, layout by layout."""

from __future__ import annotations

from collections.abc import Iterable

import _foreign_keras
from kit import Case


def every() -> Iterable[Case]:
    """The cases of foreign layouts, whatever chapter they belong to first."""
    yield from _foreign_keras.cases()


def cases() -> Iterable[Case]:
    yield from (case for case in every() if case.id.startswith("cnv-"))
