"""Gives back the memory of mapped files: pages that were touched stay in a process until somebody says that they are not needed.

They come back from the file if somebody needs them again, so that whoever still holds a view notices nothing.
"""

from __future__ import annotations

import mmap
from typing import Any

_LAYERS = 8
"""Views upon views that are looked through."""
_COPIED_BYTES = 16 << 20
"""Bytes copied before pages are given back: doing so for each small tensor would cost more than it saves."""


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


class Copied:
    """Gives back the pages of mapped files once what was on them has been copied to somewhere else."""

    def __init__(self) -> None:
        self._mappings: dict[int, mmap.mmap] = {}
        self._bytes = 0

    def note(self, view: memoryview) -> None:
        """The bytes of `view` have been copied and are not looked at any more."""
        if (found := mapping_of(view)) is None:
            return
        self._mappings[id(found)] = found
        self._bytes += view.nbytes
        if self._bytes >= _COPIED_BYTES:
            for mapping in self._mappings.values():
                give_back(mapping)
            self._mappings, self._bytes = {}, 0
