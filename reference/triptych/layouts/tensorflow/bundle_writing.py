"""Writes a tensor bundle as TensorFlow does: the same bytes for the same items, one tensor in memory at a time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from triptych.errors import UsageError, shorten
from triptych.layouts.problems import inexpressible
from triptych.layouts.tensorflow import element_types, messages, string_elements
from triptych.layouts.tensorflow.bundle_index import PART, SUFFIX, VERSION, shard_name
from triptych.layouts.tensorflow.checksums import crc32c, masked
from triptych.layouts.tensorflow.state_file import read_state, write_state
from triptych.layouts.tensorflow.table_writing import table_of
from triptych.model import Tensor
from triptych.package.file_group import replacing_group
from triptych.package.files import FileSystem
from triptych.package.streaming import CHUNK_BYTES, Output, Progress

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Strings:
    """A tensor of byte strings, row-major."""

    values: tuple[bytes, ...]
    shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.values) != prod(self.shape):
            raise UsageError(f"expected {prod(self.shape):,} strings for the shape {self.shape}, got {len(self.values):,}")

    @property
    def nbytes(self) -> int:
        """Number of bytes that they take in a file, with their lengths."""
        return sum(piece.nbytes for piece in string_elements.pieces_of(self.values)[0])


def write_bundle(
    prefix: Path,
    items: Iterable[tuple[str, Tensor | Strings]],
    *,
    progress: Progress | None = None,
    overwrite: bool = True,
    max_shard_bytes: int | None = None,
    noted: bool = False,
    durable: bool = True,
    fs: FileSystem | None = None,
) -> None:
    """Write `items` as the checkpoint `prefix`: all of its files or none; a checkpoint that stood there is replaced when they are complete.

    Data come in the order of `items`, each read when its turn comes; the index sorts its keys. What a process that dies, or a power cut,
    can leave is said in `triptych.package.file_group`: at the worst a checkpoint whose checksums do not fit, so that every reader
    refuses it, beside a folder with what is missing, from which the next `write_bundle` completes it.

    Args:
        prefix: The path that the files' names begin with.
        items: Keys, each once, and what is stored under them.
        progress: Called with bytes done, bytes in all (those done, where `items` has no length) and the key being written.
        overwrite: Whether a checkpoint of this prefix may be replaced.
        max_shard_bytes: Bytes of one data file, at most, where it has more than one tensor; None: all in one.
        noted: Whether to note in the state file beside it that this checkpoint was written last, where ``tf.train.latest_checkpoint`` looks.
        durable: Whether the checkpoint is to survive a power cut from the moment this function returns.
        fs: The file operations; for tests.

    Raises:
        ConversionError: A dtype, or a key, that TensorFlow cannot have.
        UsageError: A key twice, a target that may not be replaced, or a tensor whose source does not give what it says.
        SaveError: The file system refused; what stood there is unchanged.
        InvalidModelError: `noted`, and what stands in the place of the state file is none; nothing was touched.
    """
    if max_shard_bytes is not None and max_shard_bytes < 1:
        raise UsageError(f"expected max_shard_bytes from 1, got {max_shard_bytes}")
    if noted:
        read_state(prefix.parent)
    fs = fs or FileSystem()
    total = sum(value.nbytes for _, value in items) if isinstance(items, Sequence) else 0
    pattern = re.compile(rf"{re.escape(prefix.name)}\.data-\d{{5}}-of-\d{{5}}")
    anchor = prefix.parent / (prefix.name + SUFFIX)
    belongs = lambda name: pattern.fullmatch(name) is not None  # noqa: E731 - a predicate, told from the name alone
    with replacing_group(anchor, belongs, fs, size=total, overwrite=overwrite, durable=durable) as folder:
        shards = _Shards(Path(folder), prefix.name, fs, max_shard_bytes, _Report(progress, total), durable=durable)
        try:
            for key, value in items:
                shards.add(key, value)
        finally:
            shards.close()
        shards.finish()
    if noted:
        write_state(prefix, fs)


@dataclass(slots=True)
class _Report:
    """Tells how far the write is."""

    progress: Progress | None
    total: int
    done: int = 0

    def add(self, size: int, key: str) -> None:
        self.done += size
        if self.progress is not None:
            self.progress(self.done, max(self.total, self.done), key)


class _Shards:
    """The data files, one open at a time, and what the index is going to say of them."""

    def __init__(self, folder: Path, prefix: str, fs: FileSystem, most: int | None, report: _Report, *, durable: bool) -> None:
        self._folder = folder
        self._prefix = prefix
        self._fs = fs
        self._most = most
        self._report = report
        self._durable = durable
        self._count = 0
        self._output: Output | None = None
        self._entries: dict[bytes, Any] = {}

    def add(self, key: str, value: Tensor | Strings) -> None:
        """Append what is stored under `key`."""
        encoded = _encoded(key)
        if encoded in self._entries:
            raise UsageError(f"expected each key once, got {shorten(key)} twice")
        dtype = value.dtype if isinstance(value, Tensor) else "string"
        number = element_types.number_of(dtype)
        if number is None:
            raise inexpressible(shorten(key), f"expected a dtype that TensorFlow stores, got {dtype}")
        if isinstance(value, Strings):
            pieces, crc = string_elements.pieces_of(value.values)
        else:
            pieces, crc = [value.read()], None
            if pieces[0].nbytes != value.nbytes:
                raise UsageError(f"expected {value.nbytes} bytes of {shorten(key)}, its source gave {pieces[0].nbytes}")
        size = sum(piece.nbytes for piece in pieces)
        output = self._output
        if output is None or (self._most is not None and output.position and output.position + size > self._most):
            output = self._begin()
        begin, found = output.position, 0
        for piece in pieces:
            for at in range(0, piece.nbytes, CHUNK_BYTES):
                chunk = piece[at : at + CHUNK_BYTES]
                found = crc32c([chunk], found)
                output.write([chunk])
                self._report.add(chunk.nbytes, key)
        # The checksum of strings is over more than their bytes.
        fields = {"dtype": number, "shard_id": self._count - 1, "offset": begin, "size": size, "crc32c": masked(found) if crc is None else crc}
        shape = messages.new("Shape", dim=[messages.new("Dim", size=extent) for extent in value.shape])
        self._entries[encoded] = messages.new("BundleEntry", shape=shape, **fields)

    def _begin(self) -> Output:
        """Begin a data file; its number of all is not known yet."""
        self.close()
        self._output = Output(self._fs.open(self._path(self._count, 0), _NEW_FILE), self._fs, durable=self._durable)
        self._count += 1
        return self._output

    def close(self) -> None:
        """Complete the file that is open, if one is."""
        output, self._output = self._output, None
        if output is not None:
            try:
                if self._durable:
                    self._fs.fsync(output.descriptor)
            finally:
                self._fs.close(output.descriptor)

    def finish(self) -> None:
        """Give the data files their names, and write the index."""
        if not self._count:
            self._begin()
            self.close()
        for shard in range(self._count):
            self._fs.rename(self._path(shard, 0), self._path(shard, self._count))
        version = messages.new("Versions", producer=VERSION)
        header = messages.new("BundleHeader", num_shards=self._count, version=version)
        entries = [(key, messages.to_bytes(self._entries[key])) for key in sorted(self._entries)]
        descriptor = self._fs.open(str(self._folder / (self._prefix + SUFFIX)), _NEW_FILE)
        try:
            self._fs.write_all(descriptor, [memoryview(table_of([(b"", messages.to_bytes(header)), *entries]))])
            if self._durable:
                self._fs.fsync(descriptor)
        finally:
            self._fs.close(descriptor)

    def _path(self, shard: int, shards: int) -> str:
        return str(self._folder / shard_name(self._prefix, shard, shards))


def _encoded(key: str) -> bytes:
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        encoded = b""
    if not encoded or encoded[:1] == PART:
        raise inexpressible(shorten(key), "expected a key of text that does not begin with a zero")
    return encoded
