"""A TensorFlow checkpoint as keys and what is stored under them: the one interface to both formats that TensorFlow has had.

V2, the tensor bundle (``PREFIX.index`` and ``PREFIX.data-00000-of-00001`` …), is read and written; V1 (one file, or
``PREFIX-00000-of-00002`` …), which TensorFlow wrote before 0.12 and on demand until today, is read.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

from triptych.errors import shorten
from triptych.layouts.problems import interrupted, invalid, unsupported
from triptych.layouts.tensorflow import element_types
from triptych.layouts.tensorflow.bundle_index import SUFFIX, read_index
from triptych.layouts.tensorflow.bundle_writing import Strings, write_bundle
from triptych.layouts.tensorflow.saved_slices import files_of, read_slices
from triptych.layouts.tensorflow.stored import Stored
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Tensor
from triptych.package.file_group import read_group

__all__ = ["Bundle", "Strings", "open_bundle", "write_bundle"]

_PATIENCE_SECONDS = 2.0
"""How long a save that is placing its files may take; it renames them and waits for the disk once."""


class Bundle:
    """What one checkpoint holds. Nothing of its data is read before it is asked for."""

    def __init__(self, name: str, contents: Mapping[str, Stored]) -> None:
        self._name = name
        self._contents = contents
        self.keys = tuple(contents)
        """Of all tensors, in order; those in parts once."""

    def __contains__(self, key: object) -> bool:
        return key in self._contents

    def dtype_of(self, key: str) -> str:
        """The dtype under `key`: a name of the specification, ``string``, or one of TensorFlow's that cannot be read.

        Raises:
            KeyError: Nothing is stored under `key`.
        """
        return self._contents[key].dtype

    def shape_of(self, key: str) -> tuple[int, ...]:
        """The extents of what is stored under `key`.

        Raises:
            KeyError: Nothing is.
        """
        return self._contents[key].shape

    def checksum_of(self, key: str) -> int | None:
        """The checksum of what is stored under `key`, as the index says it; None of a tensor in parts, and in V1.

        Raises:
            KeyError: Nothing is stored under `key`.
        """
        found: int | None = getattr(self._contents[key], "crc", None)
        return found

    def tensor(self, key: str) -> Tensor:
        """The tensor under `key`; its checksums are compared when it is read, and parts joined.

        Raises:
            KeyError: Nothing is stored under `key`.
            UnsupportedError: Its dtype is none of the specification.
        """
        stored = self._contents[key]
        if not element_types.is_readable(stored.dtype):
            raise unsupported(self._name, f"expected a dtype of the specification, got {stored.dtype} of {shorten(key)}")
        return Tensor(stored.dtype, stored.shape, stored.read)

    def strings(self, key: str) -> tuple[bytes, ...]:
        """The strings under `key`, row-major, their checksums compared.

        Raises:
            KeyError: Nothing is stored under `key`.
            InvalidModelError: Not strings are; or they were damaged.
        """
        stored = self._contents[key]
        if stored.dtype != "string":
            raise invalid(self._name, f"expected strings, got {stored.dtype} of {shorten(key)}")
        return stored.strings()


def open_bundle(prefix: Path, *, limits: Limits = DEFAULT_LIMITS) -> Bundle:
    """The checkpoint at `prefix`, the path that its files' names begin with.

    Raises:
        InvalidModelError: It is damaged, at the place said, or a save of it was interrupted.
        UnsupportedError: It exceeds a limit, or is of a format that TensorFlow had not when this was written.
        FileNotFoundError: It is not there.
        OSError: A file cannot be read.
    """
    anchor = prefix.parent / (prefix.name + SUFFIX)
    return read_group(
        anchor,
        lambda: Bundle(prefix.name, _contents(prefix, anchor.exists(), limits)),
        _PATIENCE_SECONDS,
        lambda waiting: interrupted(anchor.name, "a checkpoint", waiting),
    )


def _contents(prefix: Path, is_bundle: bool, limits: Limits) -> Mapping[str, Stored]:  # noqa: FBT001 - told by its name
    if is_bundle:
        return read_index(prefix, limits)
    files = files_of(prefix)
    if not files:
        raise FileNotFoundError(errno.ENOENT, "expected a TensorFlow checkpoint, there is none", str(prefix))
    return read_slices(files, limits)
