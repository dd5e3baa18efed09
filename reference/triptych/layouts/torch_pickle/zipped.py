"""The members of PyTorch's archive: the pickle, the storages beside it, and what TorchScript adds."""

from __future__ import annotations

import re
from typing import Any

from triptych.errors import shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.layouts.torch_pickle import bounds, elements
from triptych.layouts.torch_pickle.archive import Archive, glimpse
from triptych.layouts.torch_pickle.constructors import CONSTRUCTORS, build
from triptych.layouts.torch_pickle.machine import Machine
from triptych.layouts.torch_pickle.opened import Opened, Parts, storage_of
from triptych.layouts.torch_pickle.values import Storage
from triptych.limits import Limits

PICKLE = "data.pkl"
_CONSTANTS = "constants.pkl"
_VERSIONS = range(1, 11)
"""What today's PyTorch takes."""


def is_torch(data: memoryview) -> bool:
    """Whether the archive `data` has a pickle where PyTorch puts it."""
    return any(re.fullmatch(r"[^/]+/data\.pkl", name) for name in glimpse(data))


def open_zip(data: memoryview, limits: Limits, parts: Parts | None = None, prefix: str = "") -> Opened:
    """What PyTorch's archive holds.

    Args:
        data: The archive.
        limits: What may be spent on it.
        parts: Takes its storages; None for those of this archive alone.
        prefix: What the keys of its storages begin with, where `parts` has those of others.

    Raises:
        InvalidModelError: It is damaged.
        UnsupportedError: It asks for more than data, or exceeds a limit.
    """
    archive = Archive(data, limits)
    version = _text(archive, "version") if "version" in archive else _text(archive, ".data/version")
    if not (version.isascii() and version.isdigit()) or int(version) not in _VERSIONS:
        raise unsupported(f"{archive.root}/version", f"expected a version from {_VERSIONS[0]} to {_VERSIONS[-1]}, got {shorten(version)}")
    order = _text(archive, "byteorder") if "byteorder" in archive else "little"
    if order not in ("little", "big"):
        raise unsupported(f"{archive.root}/byteorder", f"expected the byte order little or big, got {shorten(order)}")
    parts = parts if parts is not None else Parts(limits)
    script = _CONSTANTS in archive or any(name.startswith("code/") for name in archive.names)
    constants: Any = ()
    if script and _CONSTANTS in archive:
        constants = _unpickled(archive, _CONSTANTS, "constants/", parts, prefix)
    root = _unpickled(archive, PICKLE, "data/", parts, prefix)
    return Opened(root, parts, swapped=order == "big", script=script, constants=constants)


def _text(archive: Archive, name: str) -> str:
    """A member of a few characters."""
    if archive.size(name) > 64:
        raise invalid(f"{archive.root}/{name}", f"expected a few characters, got {archive.size(name):,} bytes")
    return bytes(archive.read(name)).decode("latin-1").strip()


def _unpickled(archive: Archive, name: str, folder: str, parts: Parts, prefix: str) -> Any:
    """The value of the pickle `name`, whose storages lie in `folder`."""
    if archive.size(name) > bounds.PICKLE_BYTES:
        raise unsupported(f"{archive.root}/{name}", f"expected a pickle of at most {bounds.PICKLE_BYTES:,} bytes, got {archive.size(name):,}")
    content = archive.read(name)
    member = f"{archive.root}/{name}"

    def persistent(identifier: Any, place: str) -> Storage:
        said = storage_of(identifier, place)
        file = f"{folder}{said.key}"
        storage = Storage(f"{prefix}{file}", said.kind, said.elements)
        if storage.key not in parts.storages:
            _check_size(archive, file, storage, place)
            parts.content[storage.key] = lambda: archive.read(file)
        parts.meet(storage, place)
        return storage

    value, end = Machine(content, member, CONSTRUCTORS, persistent, build).load()
    if end != len(content):
        raise invalid(f"{member}@{end}", f"expected the end after the pickle, got {len(content) - end:,} bytes more")
    return value


def _check_size(archive: Archive, file: str, storage: Storage, place: str) -> None:
    size = storage.elements * elements.storage_bytes(storage.kind)
    if archive.size(file) != size:
        make = truncated if archive.size(file) < size else invalid
        raise make(place, f"expected {size:,} bytes in the member {shorten(file)}, it has {archive.size(file):,}")
