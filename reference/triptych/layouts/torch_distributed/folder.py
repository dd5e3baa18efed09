"""The files of a distributed checkpoint: which there are, and the bytes of one, found by a name that must stay inside the folder."""

from __future__ import annotations

import mmap
import os
import re
from pathlib import Path

from triptych.errors import TriptychError, shorten
from triptych.layouts.nesting import leading_to
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.package import names

METADATA = ".metadata"
SUFFIX = ".distcp"
_OF_RANK = re.compile(r"__[0-9]+\.metadata")
"""What each process writes for itself where they do not speak with each other."""
SHARD = re.compile(r"shard-[0-9]+-model-[0-9]+-of-[0-9]+\.safetensors")
"""What each process writes in the form of the model hubs."""


def metadata_files(path: Path) -> list[str]:
    """The files in the folder `path` that say what is in the others: one for all processes, or one of each."""
    if (path / METADATA).is_file():
        return [METADATA]
    return sorted((name for name in _listed(path) if _OF_RANK.fullmatch(name)), key=lambda name: (len(name), name))


def hub_shards(path: Path) -> list[str]:
    """The shards in the form of the model hubs, where the folder `path` has nothing else that says what is in them."""
    listed = _listed(path)
    return [] if any(name.endswith(".index.json") for name in listed) else sorted(name for name in listed if SHARD.fullmatch(name))


def is_checkpoint(path: Path) -> bool:
    """Whether a distributed checkpoint stands at `path`."""
    return path.is_dir() and bool(metadata_files(path) or hub_shards(path))


def _listed(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        return [entry.name for _, entry in zip(range(DEFAULT_LIMITS.members), entries, strict=False)]


class Files:
    """The files of one folder, each mapped once."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._mapped: dict[str, memoryview] = {}

    def metadata(self, name: str) -> memoryview:
        """The bytes of `name`, one of `metadata_files`."""
        return self._content(name, name)

    def content(self, name: str, place: str) -> memoryview:
        """The bytes of the file `name`, which something at `place` says.

        Raises:
            InvalidModelError: It is no name of a file in the folder, or there is none.
            UnsupportedError: It is a link, or there are too many.
        """
        if names.member_name_fault(name) is not None:
            raise invalid(place, f"expected the name of a file in the folder, got {shorten(name)}")
        return self._content(name, place)

    def _content(self, name: str, place: str) -> memoryview:
        if name in self._mapped:
            return self._mapped[name]
        if len(self._mapped) >= self._limits.members:
            raise unsupported(place, f"expected at most {self._limits.members:,} files, got more")
        file = self._path / name
        inside = [file, *list(file.parents)[: name.count("/")]]
        if any(one.is_symlink() for one in inside):
            raise unsupported(place, f"expected a file of the folder, {shorten(name)} is a link")
        if not file.is_file():
            raise invalid(place, f"expected the file {shorten(name)}, it is not there")
        self._mapped[name] = _mapped(file)
        return self._mapped[name]

    def others(self) -> list[str]:
        """Names of what is in the folder and was not looked at."""
        seen = leading_to(self._mapped)
        return sorted(name for name in _listed(self._path) if name not in seen)

    def part(self, name: str, offset: int, length: int, place: str) -> memoryview:
        """`length` bytes of the file `name` from `offset`; raises what `content` does, and where they are not there."""
        content = self.content(name, place)
        if offset + length > len(content):
            raise truncated(place, f"expected {length:,} bytes at {offset:,} of {shorten(name)}, it has {len(content):,}")
        return content[offset : offset + length]


def _mapped(file: Path) -> memoryview:
    with file.open("rb") as opened:
        if not opened.seek(0, 2):
            return memoryview(b"")
        return memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))


def located(error: TriptychError, place: str) -> TriptychError:
    """`error`, which was found inside the part of a file at `place`, with that in front of its own places."""
    from dataclasses import replace

    from triptych.errors import InvalidModelError, UnsupportedError

    if isinstance(error, InvalidModelError | UnsupportedError):
        return type(error)(tuple(replace(one, place=f"{place}/{one.place}") for one in error.problems))
    return error
