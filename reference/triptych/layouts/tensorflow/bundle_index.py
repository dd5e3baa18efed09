"""Reads what the index of a tensor bundle says of its tensors, and finds them in its data files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from triptych import dtypes
from triptych.errors import shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.layouts.tensorflow import element_types, messages, sorted_table, string_elements
from triptych.layouts.tensorflow.checksums import masked_crc32c
from triptych.layouts.tensorflow.mapped_file import map_file
from triptych.layouts.tensorflow.partitions import Effort, check_fill, part_of
from triptych.layouts.tensorflow.stored import Partitioned, Stored, dtype_of, key_of, shape_of
from triptych.limits import Limits
from triptych.package.mappings import Copied

SUFFIX = ".index"
PART = b"\0"
"""What keys of parts begin with, and no other does."""
VERSION = 1
"""Of the format; there has been one."""


def shard_name(prefix: str, shard: int, shards: int) -> str:
    """The name of one data file."""
    return f"{prefix}.data-{shard:05}-of-{shards:05}"


@dataclass(frozen=True, slots=True)
class _Header:
    shards: int
    big_endian: bool


@dataclass(slots=True)
class _Whole:
    """One entry: elements or strings that lie together in a data file."""

    dtype: str
    shape: tuple[int, ...]
    data: memoryview
    crc: int
    key: bytes
    file: str
    offset: int
    big_endian: bool
    most: int
    copied: Copied
    checked: bool = False

    @property
    def place(self) -> str:
        """Where it lies."""
        return f"{self.file}@{self.offset}"

    def read(self) -> memoryview:
        """Its elements: a view on the file where their order of bytes is ours."""
        if not self.checked:
            found = masked_crc32c(self.data)
            if found != self.crc:
                raise invalid(self.place, f"expected {shorten(self.key)} with the checksum {self.crc:08x}, got {found:08x}: the file was damaged")
            self.checked = True
        if not self.big_endian:
            return self.data
        swapped = _swapped(self.data, self.dtype)
        self.copied.note(self.data)
        return swapped

    def strings(self) -> tuple[bytes, ...]:
        """Its strings."""
        return string_elements.parse(self.data, prod(self.shape), self.crc, self.place, big_endian=self.big_endian, most=self.most)


def _swapped(data: memoryview, dtype: str) -> memoryview:
    import numpy as np

    # A complex number is two reals, each swapped for itself.
    item = dtypes.BY_NAME[dtype].item_bits // (16 if dtype.startswith("complex") else 8)
    return memoryview(np.frombuffer(data, f">u{item}").astype(f"<u{item}").view(np.uint8).data)


def read_index(prefix: Path, limits: Limits) -> Mapping[str, Stored]:
    """What the bundle at `prefix` holds, by key and in the order of keys.

    Raises:
        InvalidModelError: The index is damaged, or says what cannot be.
        UnsupportedError: It is of a later format, or exceeds a limit.
        OSError: A file cannot be read.
    """
    name = prefix.name + SUFFIX
    data = map_file(prefix.parent / name)
    if len(data) > limits.header_bytes:
        raise unsupported(name, f"expected an index of at most {limits.header_bytes:,} bytes, got {len(data):,}")
    return _Reader(prefix, name, limits, dict(sorted_table.entries(data, name, limits))).contents()


class _Reader:
    """One index becoming what it describes."""

    def __init__(self, prefix: Path, name: str, limits: Limits, entries: dict[bytes, memoryview]) -> None:
        self._prefix = prefix
        self._name = name
        self._limits = limits
        self._header = self._header_of(entries.pop(b"", None))
        self._entries = entries
        self._joined: set[bytes] = set()
        self._shards: dict[int, memoryview] = {}
        self._spans: list[tuple[int, int, int, bytes]] = []
        self._effort = Effort()
        self._copied = Copied()

    def _place(self, key: bytes) -> str:
        return f"{self._name}#{shorten(key.decode(errors='backslashreplace'))[1:-1]}"

    def _entry(self, key: bytes) -> tuple[Any, str]:
        place = self._place(key)
        return messages.parse("BundleEntry", self._entries[key], place), place

    def _header_of(self, value: memoryview | None) -> _Header:
        if value is None:
            raise invalid(self._name, "expected a header under the empty key, there is none")
        header = messages.parse("BundleHeader", value, self._name)
        version = header.version
        if version.min_consumer > VERSION or VERSION in version.bad_consumers:
            raise unsupported(self._name, f"expected a bundle for readers of version {VERSION}, it is for {version.min_consumer} and later")
        if header.endianness not in (0, 1):
            raise invalid(self._name, f"expected an order of bytes, 0 or 1, got {header.endianness}")
        if header.num_shards < 0:
            raise invalid(self._name, f"expected a number of data files, got {header.num_shards}")
        if header.num_shards > self._limits.shards:
            raise unsupported(self._name, f"expected at most {self._limits.shards:,} data files, got {header.num_shards:,}")
        return _Header(header.num_shards, header.endianness == 1)

    def contents(self) -> dict[str, Stored]:
        """What is stored under each key."""
        found: dict[str, Stored] = {}
        for key in self._entries:
            if key[:1] != PART:
                text = key_of(key, self._limits, self._name)
                entry, place = self._entry(key)
                found[text] = self._partitioned(text, entry, place) if entry.slices else self._whole(key, entry, place)
        if len(found) > self._limits.tensors:
            raise unsupported(self._name, f"expected at most {self._limits.tensors:,} tensors, got {len(found):,}")
        left = next((key for key in self._entries if key[:1] == PART and key not in self._joined), None)
        if left is not None:
            raise invalid(self._place(left), "expected parts of tensors that are there, got one of another")
        self._check_spans()
        return found

    def _whole(self, key: bytes, entry: Any, place: str) -> _Whole:
        dtype = dtype_of(entry.dtype, place)
        shape = shape_of(entry.shape, self._limits, place)
        shards = self._header.shards
        if not 0 <= entry.shard_id < shards:
            raise invalid(place, f"expected one of {shards:,} data files, got number {entry.shard_id:,}")
        if entry.offset < 0 or entry.size < 0:
            raise invalid(place, f"expected a place in a data file, got {entry.size:,} bytes at {entry.offset:,}")
        if element_types.is_readable(dtype) and entry.size != dtypes.nbytes(dtype, prod(shape)):
            raise invalid(place, f"expected {dtypes.nbytes(dtype, prod(shape)):,} bytes of {dtype}{list(shape)}, got {entry.size:,}")
        file = shard_name(self._prefix.name, entry.shard_id, shards)
        data = self._shard(entry.shard_id, file)
        end = entry.offset + entry.size
        if end > len(data):
            raise truncated(file, f"expected {entry.size:,} bytes at {entry.offset:,} for {shorten(key)}, the file has {len(data):,}")
        if entry.size:
            self._spans.append((entry.shard_id, entry.offset, end, key))
        view = data[entry.offset : end]
        return _Whole(dtype, shape, view, entry.crc32c, key, file, entry.offset, self._header.big_endian, self._limits.values, self._copied)

    def _shard(self, shard: int, file: str) -> memoryview:
        if shard not in self._shards:
            self._shards[shard] = map_file(self._prefix.parent / file)
        return self._shards[shard]

    def _partitioned(self, name: str, entry: Any, place: str) -> Partitioned:
        dtype = dtype_of(entry.dtype, place)
        shape = shape_of(entry.shape, self._limits, place)
        if entry.size:
            raise invalid(place, f"expected a tensor in parts to have no bytes of its own, got {entry.size:,}")
        parts = [part_of(one, name, shape, place) for one in entry.slices]
        check_fill(parts, shape, place, self._effort)
        contents = []
        for part in parts:
            if part.key not in self._entries:
                raise invalid(place, f"expected the part at {part.starts} under the key {shorten(part.key)}, it is not there")
            self._joined.add(part.key)
            whole = self._whole(part.key, *self._entry(part.key))
            if (whole.dtype, whole.shape) != (dtype, part.extents):
                raise invalid(place, f"expected a part {dtype}{list(part.extents)}, got {whole.dtype}{list(whole.shape)}")
            contents.append(whole)
        return Partitioned(dtype, shape, parts, contents, place)

    def _check_spans(self) -> None:
        self._spans.sort()
        for (shard, _, end, key), (other_shard, start, _, other) in zip(self._spans, self._spans[1:], strict=False):
            if shard == other_shard and start < end:
                file = shard_name(self._prefix.name, shard, self._header.shards)
                raise invalid(f"{file}@{start}", f"expected tensors that do not overlap, got {shorten(other)} inside {shorten(key)}")
