"""The bytes of a file as libhdf5 gets to see them: mapped once, read through here, and looked at before it believes them.

libhdf5 1.14 walks through damaged structures without end: in a global heap, where the texts of attributes lie, an object of size 0 leads
it to itself; in a local one, where the names of links lie, free space may, and takes memory for each step; in a tree, a node's neighbour
or child may be the node. Whatever it reads of those comes past here first.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

HEAP = b"GCOL\x01"
"""How a heap begins, with the version, which no name can hold."""
LOCAL_HEAP = b"HEAP\0"
"""How a local heap begins, with the version; nobody looks at what is reserved."""
TREE = b"TREE"
"""How a node of a tree begins; its kind, level, entries and two neighbours follow."""
_FIRST_CHILD, _CHILD_STEP = 32, 16
"""Where the children of a node of a group's tree are said, after a key each."""
_NO_MORE = 1
"""Where the last free space of a local heap says that the next is."""
_FREE_BYTES = 16
"""Bytes of the smallest free space: where the next is, and its size."""
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HEADER = 16
"""Bytes before the first object of a heap, and before the content of each."""
_LEAST = 4096
"""Bytes of the smallest heap."""


def mapped(path: Path) -> memoryview:
    """The bytes of the file at `path`, mapped; empty for an empty file."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if size else memoryview(b"")


class Window:
    """Bytes in memory as the file that libhdf5 reads its own structures from."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0
        self._sound: set[int] = set()
        self._trusting = False
        self._checked = ((HEAP, "global heap", heap_fault), (LOCAL_HEAP, "local heap", local_heap_fault), (TREE, "tree", partial(tree_fault, ended=set())))

    @contextmanager
    def trusted(self) -> Iterator[None]:
        """Reads elements of arrays, in which the first bytes of a heap may stand by chance."""
        self._trusting = True
        try:
            yield
        finally:
            self._trusting = False

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to `offset` from the start, from here or from the end."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._data)}[whence]
        return self._at

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or all."""
        found = bytes(self._data[self._at :] if size < 0 else self._data[self._at : self._at + size])
        self._at += len(found)
        return found

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer`; libhdf5 never asks for bytes behind the end of a sound file."""
        size = len(buffer)
        part = self._data[self._at : self._at + size]
        if len(part) < size:
            raise OSError(f"truncated file: {size} bytes at {self._at}, it has {len(self._data)}")
        if not self._trusting:
            self._check(self._at, self._at + size)
        buffer[:] = part
        self._at += size
        return size

    def _check(self, start: int, end: int) -> None:
        """Refuse a heap or a node that begins in, or on the edge of, what is about to be read."""
        for beginning, what, fault_of in self._checked:
            first = max(start - len(beginning) + 1, 0)
            seen = bytes(self._data[first : end + len(beginning) - 1])
            at = seen.find(beginning)
            while at >= 0:
                if first + at not in self._sound:
                    if fault := fault_of(self._data, first + at):
                        raise OSError(f"{fault} in the {what} at {first + at}")
                    self._sound.add(first + at)
                at = seen.find(beginning, at + 1)


def heap_fault(data: memoryview, start: int) -> str | None:
    """What is wrong with the global heap that begins at `start`; None if each of its objects lies inside it and leads to the next."""
    size = _number(data, start + 8)
    if not _LEAST <= size <= len(data) - start:
        return f"expected a size from {_LEAST} to {len(data) - start}, got {size}"
    for number, length in heap_objects(data, start):
        if length < 0:
            return f"expected object {number} to end inside and to have {_HEADER} bytes at least"
    return None


def local_heap_fault(data: memoryview, start: int) -> str | None:
    """What is wrong with the local heap that begins at `start`; None if its list of free space ends, or leads out of it, which libhdf5 sees."""
    size, free, content = (_number(data, start + at) for at in (8, 16, 24))
    content += _base(data)
    seen: set[int] = set()
    while free != _NO_MORE and free + _FREE_BYTES <= size and content + free + _FREE_BYTES <= len(data):
        if free in seen:
            return f"expected a list of free space that ends, it comes back to {free}"
        seen.add(free)
        free = _number(data, content + free)
    return None


def tree_fault(data: memoryview, start: int, *, ended: set[int]) -> str | None:
    """What is wrong with the node of a tree that begins at `start`; None if its row ends, and its children, of a group's tree, are each one of the level below.

    `ended` are nodes whose row is known to end; those that are seen are added.
    """
    base, row, at = _base(data), set[int](), start
    while at not in ended and at + _FIRST_CHILD <= len(data) and data[at : at + 4] == TREE:
        if at in row:
            return f"expected a row of nodes that ends, it comes back to {at}"
        row.add(at)
        at = base + _number(data, at + 16)  # behind the end of every file where there is none
    ended |= row
    if start + _FIRST_CHILD > len(data):
        return None
    kind, level, count = data[start + 4], data[start + 5], int.from_bytes(data[start + 6 : start + 8], "little")
    if kind or not level:
        return None
    children = [base + _number(data, start + _FIRST_CHILD + _CHILD_STEP * number) for number in range(count)]
    if len(set(children)) < count:
        return "expected each child once"
    if any(data[child : child + 4] == TREE and data[child + 5 : child + 6] != bytes([level - 1]) for child in children):
        return f"expected children of level {level - 1}"
    return None


def _base(data: memoryview) -> int:
    """Where addresses count from: the file's own head, before which a program may have put something."""
    at = 0
    while at + len(_SIGNATURE) <= len(data) and data[at : at + len(_SIGNATURE)] != _SIGNATURE:
        at = at * 2 or 512
    return at


def heap_objects(data: memoryview, start: int) -> Iterator[tuple[int, int]]:
    """Number and bytes of each object of the heap at `start`; the last has -1 bytes if it leads nowhere."""
    at, end = start + _HEADER, min(start + _number(data, start + 8), len(data))
    while end - at >= _HEADER:
        number, length = int.from_bytes(data[at : at + 2], "little"), _number(data, at + 8)
        # The space that is left counts its own header; the length of an object does not, and is rounded up to a multiple of 8.
        taken = length if number == 0 else _HEADER + -(-length // 8) * 8
        if not _HEADER <= taken <= end - at:
            yield number, -1
            return
        yield number, length
        at += taken


def _number(data: memoryview, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")
