"""The forms before ZIP: the stream of pickles of PyTorch 0.2 to 1.5, with the storages behind them, and the tar archive of 0.1."""

from __future__ import annotations

import re
from struct import Struct
from typing import Any

from triptych.errors import shorten
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.layouts.torch_pickle import elements, refusals
from triptych.layouts.torch_pickle.constructors import CONSTRUCTORS, build, storage_kind
from triptych.layouts.torch_pickle.machine import Machine
from triptych.layouts.torch_pickle.opened import Opened, Parts, storage_of
from triptych.layouts.torch_pickle.values import Global, Storage, StoredTensor
from triptych.limits import Limits

MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
_PROTOCOL = 1001
_BLOCK = 512
_INT64 = Struct("<q")
_OCTAL = re.compile(rb"[0-7]+")
_NUMBER = re.compile(r"[0-9]{1,18}")


def _no_persistent(_: Any, place: str) -> Any:
    raise invalid(place, "expected plain data, got a reference to something outside it")


# --- the stream

def open_stream(data: memoryview, limits: Limits) -> Opened:
    """What a stream of pickles holds.

    Raises:
        InvalidModelError: It is damaged.
        UnsupportedError: It asks for more than data, or exceeds a limit.
    """
    header = Machine(data, "", CONSTRUCTORS, _no_persistent, build)
    magic, at = header.load()
    protocol, at = header.load(at)
    about, at = header.load(at)
    if magic != int.from_bytes(MAGIC, "little") or protocol != _PROTOCOL or not isinstance(about, dict):
        raise invalid("", f"expected the stream of protocol {_PROTOCOL}, got {refusals.brief(protocol)}")
    parts = Parts(limits)

    def persistent(identifier: Any, place: str) -> Any:
        if isinstance(identifier, tuple) and len(identifier) >= 2 and identifier[0] == "module":
            if not isinstance(identifier[1], Global):
                raise invalid(place, f"expected the name of a class, got {refusals.brief(identifier[1])}")
            return identifier[1]
        storage = storage_of(identifier, place)
        parts.meet(storage, place)
        view = identifier[5] if len(identifier) > 5 else None
        if view is None:
            return storage
        if not isinstance(view, tuple) or len(view) != 3 or not all(isinstance(n, int) and n >= 0 for n in view[1:]) or view[1] + view[2] > storage.elements:
            raise invalid(place, f"expected a view inside its storage, got {refusals.brief(view)}")
        return Storage(storage.key, storage.kind, view[2], view[1])

    root, at = Machine(data, "", CONSTRUCTORS, persistent, build).load(at)
    keys, at = header.load(at)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise invalid(f"@{at}", f"expected the keys of the storages, got {refusals.brief(keys)}")
    swapped = about.get("little_endian") is False
    for key in keys:
        at = _take_storage(data, at, key, parts, "<" if not swapped else ">")
    if at != len(data):
        raise invalid(f"@{at}", f"expected the end after the last storage, got {len(data) - at:,} bytes more")
    return Opened(root, parts, swapped=swapped, script=False)


def _take_storage(data: memoryview, at: int, key: str, parts: Parts, order: str) -> int:
    """Where the storage `key`, whose count stands at `at`, ends."""
    storage = parts.storages.get(key)
    if storage is None:
        raise invalid(f"@{at}", f"expected storages that the pickle names, got {shorten(key)}")
    if at + 8 > len(data):
        raise truncated(f"@{at}", f"expected the length of storage {shorten(key)}, the file ends before it")
    count: int = Struct(f"{order}q").unpack_from(data, at)[0]
    if count != storage.elements:
        raise invalid(f"@{at}", f"expected {storage.elements:,} elements of storage {shorten(key)}, its data say {count:,}")
    end = at + 8 + count * elements.storage_bytes(storage.kind)
    if end > len(data):
        raise truncated(f"@{at}", f"expected {end - at - 8:,} bytes of storage {shorten(key)}, {len(data) - at - 8:,} are left")
    part = data[at + 8 : end]
    parts.content[key] = lambda: part
    return end


# --- the tar archive

def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is a tar archive of PyTorch's: its first member is one of three names."""
    name = head[:100].rstrip(b"\0").removeprefix(b"./")
    return len(head) == _BLOCK and head[257:262] == b"ustar" and name in (b"storages", b"tensors", b"pickle", b"")


def _tar_members(data: memoryview) -> dict[str, memoryview]:
    """The files of a tar archive."""
    found: dict[str, memoryview] = {}
    at = 0
    while at + _BLOCK <= len(data):
        header = bytes(data[at : at + _BLOCK])
        if header == bytes(_BLOCK):
            break
        name = header[:100].rstrip(b"\0").decode("latin-1").removeprefix("./")
        digits, sum_digits = header[124:136].strip(b" \0"), header[148:156].strip(b" \0")
        plain = header[:148] + b" " * 8 + header[156:]
        if not _OCTAL.fullmatch(digits) or len(found) > 16 or not _OCTAL.fullmatch(sum_digits) or int(sum_digits, 8) != sum(plain):
            raise invalid(f"@{at}", "expected the header of a file in a tar archive")
        size = int(digits, 8)
        start = at + _BLOCK
        if start + size > len(data):
            raise truncated(name, f"expected {size:,} bytes at {start:,}, the file ends at {len(data):,}")
        if header[156:157] in (b"0", b"\0"):
            if name in found:
                raise invalid(name, "expected each member once, got it twice")
            found[name] = data[start : start + size]
        elif header[156:157] not in (b"5", b"x", b"g"):
            raise unsupported(name, "expected plain files, got a link or a device")
        at = start + -(-size // _BLOCK) * _BLOCK
    missing = {"storages", "tensors", "pickle"} - found.keys()
    if missing:
        raise invalid("", f"expected the members storages, tensors and pickle; {', '.join(sorted(missing))} is not there")
    return found


def open_tar(data: memoryview, limits: Limits) -> Opened:
    """What the tar archive of PyTorch 0.1 holds; raises what `open_stream` raises."""
    members = _tar_members(data)
    parts = Parts(limits)
    known: dict[Any, Any] = dict(_tar_storages(members["storages"], parts))
    known |= dict(_tar_tensors(members["tensors"], known, limits))

    def persistent(identifier: Any, place: str) -> Any:
        if isinstance(identifier, tuple) and identifier and isinstance(identifier[0], Global):
            return identifier[0]
        number = int(identifier) if isinstance(identifier, str) and _NUMBER.fullmatch(identifier) else identifier
        if type(number) is not int or number not in known:
            raise invalid(place, f"expected a tensor or storage of the archive, got {refusals.brief(identifier)}")
        return known[number]

    root, _ = Machine(members["pickle"], "pickle", CONSTRUCTORS, persistent, build).load()
    return Opened(root, parts, swapped=False, script=False)


def _count(value: Any, limits: Limits, member: str) -> int:
    if not isinstance(value, int) or not 0 <= value <= limits.tensors:
        raise unsupported(member, f"expected at most {limits.tensors:,} of them, got {refusals.brief(value)}")
    return value


def _tar_storages(data: memoryview, parts: Parts) -> dict[Any, Storage]:
    machine = Machine(data, "storages", CONSTRUCTORS, _no_persistent, build)
    count, at = machine.load()
    found: dict[Any, Storage] = {}
    for _ in range(_count(count, parts.limits, "storages")):
        about, at = machine.load(at)
        if not isinstance(about, tuple) or len(about) != 3 or not isinstance(about[0], int) or at + 8 > len(data):
            raise invalid(f"storages@{at}", f"expected a key, a location and a class, got {refusals.brief(about)}")
        kind = storage_kind(about[2], f"storages@{at}")
        (elements_,) = _INT64.unpack_from(data, at)
        storage = Storage(str(about[0]), kind, max(elements_, 0))
        parts.meet(storage, f"storages@{at}")
        at = _take_storage(data, at, storage.key, parts, "<")
        found[about[0]] = storage
    views, _ = machine.load(at)
    for view in views if isinstance(views, list) else ():
        if not isinstance(view, tuple) or len(view) != 4 or not all(isinstance(n, int) and n >= 0 for n in view) or view[1] not in found:
            raise invalid(f"storages@{at}", f"expected a view of a storage, got {refusals.brief(view)}")
        target, root, offset, size = view
        base = found[root]
        if offset + size > base.elements:
            raise invalid(f"storages@{at}", f"expected a view inside {base.elements:,} elements, got one that ends at {offset + size:,}")
        found[target] = Storage(base.key, base.kind, size, base.offset + offset)
    return found


def _tar_tensors(data: memoryview, known: dict[Any, Any], limits: Limits) -> list[tuple[int, StoredTensor]]:
    machine = Machine(data, "tensors", CONSTRUCTORS, _no_persistent, build)
    count, at = machine.load()
    found: list[tuple[int, StoredTensor]] = []
    for _ in range(_count(count, limits, "tensors")):
        about, at = machine.load(at)
        place = f"tensors@{at}"
        storage = known.get(about[1]) if isinstance(about, tuple) and len(about) == 3 and isinstance(about[1], int) else None
        if not isinstance(storage, Storage) or not isinstance(about[0], int):
            raise invalid(place, f"expected a key, a storage and a class, got {refusals.brief(about)}")
        rank = int.from_bytes(data[at : at + 4], "little")
        if rank > limits.rank or at + 16 * (rank + 1) > len(data):
            raise invalid(place, f"expected a shape of at most {limits.rank} axes, got {rank}")
        numbers = [n for (n,) in _INT64.iter_unpack(data[at + 8 : at + 16 + 16 * rank])]
        at += 16 + 16 * rank
        if min(numbers) < 0:
            raise invalid(place, "expected a shape, strides and an offset from 0")
        shape, strides = tuple(numbers[:rank]), tuple(numbers[rank : 2 * rank])
        found.append((about[0], StoredTensor(storage, elements.dtype_of_storage(storage.kind), numbers[-1], shape, strides, place)))
    return found
