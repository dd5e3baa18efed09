"""Gives back the memory of mapped files: pages that were touched stay in a process until somebody says that they are not needed.

They come back from the file if somebody needs them again, so that whoever still holds a view notices nothing.
"""

from __future__ import annotations

import mmap
from typing import Any

_LAYERS = 8
"""Views upon views that are looked through."""


def mapping_of(view: Any) -> mmap.mmap | None:
    """The mapping of a file that `view` is a view on; None if it is on something else, or on a mapping that somebody may have written to."""
    for _ in range(_LAYERS):
        if isinstance(view, mmap.mmap):
            # A private mapping that can be written would lose what was written.
            return view if memoryview(view).readonly else None
        view = view.obj if isinstance(view, memoryview) else getattr(view, "base", None)
    return None


def give_back(mapping: mmap.mmap | None) -> None:
    """Take the pages of `mapping` out of the process's memory, where the system can."""
    if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)
