"""Cases of chapter 46, layout by layout."""

from __future__ import annotations

from collections.abc import Iterable

import _foreign_arrays
import _foreign_dtypes
import _foreign_keras
import _foreign_kinds
import _foreign_old
import _foreign_slots
import _foreign_tensorflow
import _foreign_torch
import _foreign_unknown
from kit import Case


def every() -> Iterable[Case]:
    """The cases of foreign layouts, whatever chapter they belong to first."""
    for room in (_foreign_keras, _foreign_tensorflow, _foreign_torch, _foreign_arrays, _foreign_old, _foreign_slots, _foreign_dtypes, _foreign_kinds, _foreign_unknown):
        yield from room.cases()


def cases() -> Iterable[Case]:
    yield from (case for case in every() if case.id.startswith("cnv-"))
