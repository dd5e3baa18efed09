"""Reads TensorFlow's V1 checkpoints: tables that hold the tensors themselves, each part a message of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from triptych.errors import shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.layouts.tensorflow import messages, packed_numbers, sorted_table
from triptych.layouts.tensorflow.mapped_file import map_file
from triptych.layouts.tensorflow.partitions import Effort, Part, check_fill, part_of
from triptych.layouts.tensorflow.stored import Partitioned, Stored, dtype_of, key_of, shape_of
from triptych.limits import Limits
from triptych.package.mappings import Copied, give_back, mapping_of

VERSION = 1
"""Of the format; there has been one."""
_ANY = re.compile(r"(.+)-\?{5}-of-(\d{5})")
"""How TensorFlow writes the prefix of several files."""
_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})")


def files_of(prefix: Path) -> tuple[Path, ...]:
    """The files of the V1 checkpoint at `prefix`; none where there is no such checkpoint.

    Raises:
        InvalidModelError: There are some of its files and not all.
    """
    said = _ANY.fullmatch(prefix.name)
    stem = said[1] if said else prefix.name
    if said is None and prefix.is_file():
        # No checkpoint of several files has one of its prefix's name; and a folder of very many files is not listed for each of them.
        return (prefix,) if is_table(prefix) else ()
    found: dict[int, list[str]] = {}
    for name in sorted(_names(prefix.parent)):
        one = _SHARD.fullmatch(name)
        if one and one[1] == stem and (said is None or said[2] == one[3]):
            found.setdefault(int(one[3]), []).append(name)
    if not found:
        return ()
    count, names = min(found.items())
    if len(found) > 1 or names != [f"{stem}-{number:05}-of-{count:05}" for number in range(count)]:
        raise truncated(prefix.name, f"expected all of the files {stem}-00000-of-{count:05} … and no others, got {sum(map(len, found.values())):,}")
    paths = tuple(prefix.parent / name for name in names)
    return paths if any(map(is_table, paths)) else ()


def _names(folder: Path) -> list[str]:
    try:
        return [one.name for one in folder.iterdir()]
    except OSError:
        return []


def is_table(path: Path) -> bool:
    """Whether the file at `path` ends as a table does."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            file.seek(-min(sorted_table.FOOTER_BYTES, file.seek(0, 2)), 2)
            return sorted_table.is_table(file.read())
    except OSError:
        return False


@dataclass(slots=True)
class _Tensor:
    """What the files together say of one tensor."""

    dtype: str
    shape: tuple[int, ...]
    place: str
    parts: list[Part] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Slice:
    """One entry: a message with the elements, or strings, of a part."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: memoryview
    place: str
    most: int
    copied: Copied

    def read(self) -> memoryview:
        """Its elements; the block that they are in has had its checksum compared."""
        message = messages.parse("SavedTensorSlices", self.data, self.place)
        self.copied.note(self.data)
        return packed_numbers.elements(self._of(message), self.dtype, prod(self.shape), self.place)

    def strings(self) -> tuple[bytes, ...]:
        """Its strings."""
        if prod(self.shape) > self.most:
            raise unsupported(self.place, f"expected at most {self.most:,} strings, got {prod(self.shape):,}")
        message = messages.parse("SavedTensorSlices", self.data, self.place)
        strings = tuple(self._of(message).string_val)
        if len(strings) != prod(self.shape):
            raise invalid(self.place, f"expected {prod(self.shape):,} strings, got {len(strings):,}")
        return strings

    def _of(self, message: Any) -> Any:
        data = message.data
        if data.name != self.name:
            raise invalid(self.place, f"expected a part of {shorten(self.name)}, got one of {shorten(data.name)}")
        return data.data


def read_slices(files: Sequence[Path], limits: Limits) -> Mapping[str, Stored]:
    """What the V1 checkpoint in `files` holds, by name and in the order of names.

    Raises:
        InvalidModelError: A file is damaged, or says what cannot be.
        UnsupportedError: It is of a later format, or exceeds a limit.
        OSError: A file cannot be read.
    """
    if len(files) > limits.shards:
        raise unsupported(files[0].name, f"expected at most {limits.shards:,} files, got {len(files):,}")
    found: dict[str, _Tensor] = {}
    data: dict[bytes, tuple[memoryview, str]] = {}
    for path in files:
        table = map_file(path)
        entries = dict(sorted_table.entries(table, path.name, limits))
        give_back(mapping_of(table))  # every block has been read for its checksum
        _take_meta(entries.pop(b"", None), path.name, limits, found)
        for key, value in entries.items():
            if key in data:
                raise invalid(path.name, f"expected each part once, got {shorten(key)} in {data[key][1]}, too")
            data[key] = value, path.name
    contents: dict[str, Stored] = {}
    effort, copied = Effort(), Copied()
    for name in sorted(found, key=str.encode):
        tensor = found[name]
        check_fill(tensor.parts, tensor.shape, tensor.place, effort)
        slices = [_slice(name, tensor, part, data, limits, copied=copied) for part in tensor.parts]
        whole = len(slices) == 1
        contents[name] = slices[0] if whole else Partitioned(tensor.dtype, tensor.shape, tensor.parts, slices, tensor.place)
    if data:
        key, (_, file) = next(iter(data.items()))
        raise invalid(file, f"expected parts of tensors that are there, got {shorten(key)}")
    return contents


def _take_meta(value: memoryview | None, name: str, limits: Limits, found: dict[str, _Tensor]) -> None:
    """Add to `found` what the file called `name` says of its tensors."""
    if value is None:
        raise invalid(name, "expected what the tensors are under the empty key, there is none")
    meta = messages.parse("SavedTensorSlices", value, name).meta
    if meta.versions.min_consumer > VERSION or VERSION in meta.versions.bad_consumers:
        raise unsupported(name, f"expected a file for readers of version {VERSION}, it is for {meta.versions.min_consumer} and later")
    for one in meta.tensor:
        title = key_of(one.name.encode(), limits, name)
        place = f"{name}#{shorten(title)[1:-1]}"
        tensor = _Tensor(dtype_of(one.type, place), shape_of(one.shape, limits, place), place)
        known = found.setdefault(title, tensor)
        if (known.dtype, known.shape) != (tensor.dtype, tensor.shape):
            raise invalid(place, f"expected {known.dtype}{list(known.shape)} as in another file, got {tensor.dtype}{list(tensor.shape)}")
        known.parts += [part_of(each, title, tensor.shape, place) for each in one.slice]
    if len(found) > limits.tensors:
        raise unsupported(name, f"expected at most {limits.tensors:,} tensors, got {len(found):,}")


def _slice(name: str, tensor: _Tensor, part: Part, data: dict[bytes, tuple[memoryview, str]], limits: Limits, *, copied: Copied) -> _Slice:
    """The entry of `part`, taken out of `data`."""
    value, file = data.pop(part.key, (None, ""))
    if value is None:
        raise invalid(tensor.place, f"expected the part at {part.starts} under the key {shorten(part.key)}, it is not there")
    place = f"{file}#{shorten(name)[1:-1]}"
    return _Slice(name, tensor.dtype, part.extents, value, place, limits.values, copied)
