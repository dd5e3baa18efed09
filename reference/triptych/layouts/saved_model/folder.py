"""The files of a SavedModel directory: which there are, and which of them may be opened at all."""

from __future__ import annotations

import mmap
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from triptych.errors import shorten
from triptych.layouts.problems import unsupported
from triptych.layouts.tensorflow import messages
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Tensor

BINARY, TEXT = "saved_model.pb", "saved_model.pbtxt"
METADATA, FINGERPRINT = "keras_metadata.pb", "fingerprint.pb"
VARIABLES = "variables/variables"
ASSETS = "assets/"
_LARGEST = 2**31
"""Bytes of a message; protobuf's own bound."""
_WORD = re.compile(r""" "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | \#.* | (:\s*) ([A-Z][A-Z0-9_]*)\b """, re.VERBOSE)
"""A text, a comment, or a word as a value."""
_NUMBERS = {
    "DT_FLOAT": 1, "DT_DOUBLE": 2, "DT_INT32": 3, "DT_UINT8": 4, "DT_INT16": 5, "DT_INT8": 6, "DT_STRING": 7, "DT_COMPLEX64": 8,
    "DT_INT64": 9, "DT_BOOL": 10, "DT_QINT8": 11, "DT_QUINT8": 12, "DT_QINT32": 13, "DT_BFLOAT16": 14, "DT_QINT16": 15, "DT_QUINT16": 16,
    "DT_UINT16": 17, "DT_COMPLEX128": 18, "DT_HALF": 19, "DT_RESOURCE": 20, "DT_VARIANT": 21, "DT_UINT32": 22, "DT_UINT64": 23,
    "DT_FLOAT8_E5M2": 24, "DT_FLOAT8_E4M3FN": 25, "V1": 1, "V2": 2,
}  # fmt: skip
"""Words of enumerations -> their numbers; text spells what a binary file numbers. ``DT_FLOAT_REF`` is 100 more than ``DT_FLOAT``."""


def is_saved_model(path: Path) -> bool:
    """Whether a SavedModel directory stands at `path`."""
    return not (path / "manifest.json").exists() and any((path / name).is_file() for name in (BINARY, TEXT))


@dataclass(frozen=True, slots=True)
class Folder:
    """The plain files of one directory."""

    path: Path
    files: Sequence[str]
    """Names from the directory on, in order."""
    left_out: Sequence[str]
    """What is no plain file of the directory: links, pipes."""

    def mapped(self, name: str) -> memoryview:
        """The bytes of a file, mapped."""
        with (self.path / name).open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if file.seek(0, 2) else memoryview(b"")

    def small(self, name: str, limit: int) -> bytes:
        """The bytes of a file of at most `limit`.

        Raises:
            UnsupportedError: It has more.
        """
        with (self.path / name).open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise unsupported(name, f"expected at most {limit:,} bytes, got more")
        return data

    def message(self, limits: Limits) -> tuple[str, memoryview]:
        """The file that holds the model's message, and its bytes; of a text, those of the message that it spells."""
        if BINARY in self.files:
            data = self.mapped(BINARY)
            if len(data) >= _LARGEST:
                raise unsupported(BINARY, f"expected a message of less than {_LARGEST:,} bytes, got {len(data):,}")
            return BINARY, data
        text = self.small(TEXT, limits.document_bytes).decode("utf-8", "replace")
        message = messages.parse_text("SavedModel", _WORD.sub(_number, text), TEXT)
        return TEXT, memoryview(messages.to_bytes(message))

    def asset(self, name: str) -> Tensor:
        """A file as a tensor of bytes, read when it is used."""
        file = self.path / name
        return Tensor("uint8", (file.lstat().st_size,), lambda: self.mapped(name))


def scan(path: Path, limits: Limits = DEFAULT_LIMITS) -> Folder:
    """The files of the directory at `path`; links lead out of it, so that none is followed.

    Raises:
        UnsupportedError: It has more files than the limit, or what should be its model is a link.
        OSError: It cannot be read.
    """
    files: list[str] = []
    left_out: list[str] = []
    pending = [""]
    while pending:
        prefix = pending.pop()
        for entry in sorted((path / prefix).iterdir()):
            name, mode = f"{prefix}{entry.name}", entry.lstat().st_mode
            if stat.S_ISDIR(mode):
                pending.append(f"{name}/")
            else:
                (files if stat.S_ISREG(mode) else left_out).append(name)
            if len(files) + len(left_out) + len(pending) > limits.members:
                raise unsupported("", f"expected at most {limits.members:,} files, got more")
    for name in left_out:
        if name in (BINARY, TEXT, METADATA, FINGERPRINT) or f"{name}/".startswith("variables/"):
            raise unsupported(shorten(name), "expected a file of the directory itself, got a link or a special file")
    return Folder(path, tuple(files), tuple(left_out))


def _number(match: re.Match[str]) -> str:
    word = match[2]
    if word is None:
        return match[0]
    found = _NUMBERS.get(word.removesuffix("_REF"))
    if found is None:
        return match[0] if word in ("NaN", "INF") else f"{match[1]}0"
    return f"{match[1]}{found + 100 * word.endswith('_REF')}"


__all__ = ["ASSETS", "BINARY", "FINGERPRINT", "METADATA", "TEXT", "VARIABLES", "Folder", "is_saved_model", "scan"]
