"""Reads what a distributed checkpoint says of itself: a pickle of a few classes, each taken as data and none of them made.

The classes have moved and grown from PyTorch 1.13 to 2.13; a member that none of them has is refused, for it may say that bytes mean
something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from triptych.errors import shorten
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.torch_pickle import bounds, elements, refusals
from triptych.layouts.torch_pickle.constructors import CONSTRUCTORS, integers
from triptych.layouts.torch_pickle.machine import Constructor, Machine
from triptych.layouts.torch_pickle.values import Global, Record, Tagged

_Path = tuple[str | int, ...]
_OLD = "torch.distributed._shard.checkpoint"
_NOW = "torch.distributed.checkpoint"
_SHARDED = "torch.distributed._shard.sharded_tensor.metadata"
_FORMATS = ("TORCH_CONTIGUOUS_FORMAT", "TORCH_CHANNELS_LAST", "TORCH_PRESERVE_FORMAT")
_MEMBERS = {
    "Metadata": {"state_dict_metadata", "planner_data", "storage_data", "storage_meta", "version"},
    "TensorStorageMetadata": {"properties", "size", "chunks"},
    "BytesStorageMetadata": set[str](),
    "ChunkStorageMetadata": {"offsets", "sizes"},
    "MetadataIndex": {"fqn", "offset", "index"},
    "_StorageInfo": {"relative_path", "offset", "length", "transform_descriptors"},
    "StorageMeta": {"checkpoint_id", "save_id", "load_id", "modules"},
}
"""Class -> the members that any version of it has."""
_VERSIONS = ("1.0.0",)
_Position = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """Where the bytes of a chunk or of an object are."""

    file: str
    offset: int
    length: int
    place: str
    """Where the metadata say so."""

    @property
    def where(self) -> str:
        """The place in the folder."""
        return f"{self.file}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A box of a tensor's elements, and where they are."""

    offsets: _Position
    sizes: _Position
    location: Location


@dataclass(frozen=True, slots=True)
class Whole:
    """A tensor as it was before it was divided."""

    dtype: str
    """PyTorch's name of it."""
    shape: _Position
    chunks: tuple[Chunk, ...]
    place: str


@dataclass(slots=True)
class Described:
    """What the metadata say is in the checkpoint."""

    entries: dict[str, Whole | Location] = field(default_factory=dict)
    """Name -> a tensor, or where an object is."""
    paths: dict[str, _Path] = field(default_factory=dict)
    """Name -> the keys under which it stood in the state dictionary."""


# --- the pickle

def _memory_format(arguments: tuple[Any, ...], place: str) -> Tagged:
    (number,) = arguments if len(arguments) == 1 else (None,)
    if type(number) is not int or not 0 <= number < len(_FORMATS):
        raise invalid(place, f"expected the number of a memory format, got {refusals.brief(arguments)}")
    return Tagged("memory_format", number)


def _named_format(arguments: tuple[Any, ...], place: str) -> Tagged:
    """The same by its name, as ``enum.pickle_by_enum_name`` pickles it: by ``getattr``, which is no call of anything else here."""
    kind, name = arguments if len(arguments) == 2 else (None, None)
    if not isinstance(kind, Global) or (kind.module, kind.name) not in _ENUMERATIONS or name not in _FORMATS:
        raise unsupported(place, f"expected data, got a call: {refusals.call(Global('builtins', 'getattr', place), arguments)}")
    return Tagged("memory_format", _FORMATS.index(name))


_ENUMERATIONS = ((f"{_NOW}.metadata", "_MEM_FORMAT_ENCODING"), (_SHARDED, "MEM_FORMAT_ENCODING"))
_ALLOWED: Mapping[tuple[str, str], Constructor] = {
    **{
        key: make for key, make in CONSTRUCTORS.items()
        if key in (("torch", "Size"), ("torch.serialization", "_get_layout"), ("collections", "OrderedDict")) or key[0] in ("pathlib", "pathlib._local")
    },
    **dict.fromkeys(_ENUMERATIONS, _memory_format),
    ("builtins", "getattr"): _named_format,
}  # fmt: skip


def _outside(_: Any, place: str) -> Any:
    raise unsupported(place, "expected plain data, got a reference to something outside the pickle")


def _changed(target: Any, _: Any, place: str) -> Any:
    raise unsupported(place, f"expected data, got a state for {refusals.brief(target)}")


def parse(data: memoryview, member: str) -> Described:
    """What the metadata `data`, the file `member`, say.

    Raises:
        InvalidModelError: They are damaged, or contradict themselves.
        UnsupportedError: They ask for more than data, or say what no version of PyTorch says.
    """
    if len(data) > bounds.PICKLE_BYTES:
        raise unsupported(member, f"expected metadata of at most {bounds.PICKLE_BYTES:,} bytes, got {len(data):,}")
    value, end = Machine(data, member, _ALLOWED, _outside, _changed).load()
    if end != len(data):
        raise invalid(f"{member}@{end}", f"expected the end after the pickle, got {len(data) - end:,} bytes more")
    said = _state(value, "Metadata", member)
    _check_about(said, member)
    stored = _storage(said.get("storage_data"), member)
    described = Described()
    for name, one in _entries(said.get("state_dict_metadata"), member):
        described.entries[name] = _whole(name, one, stored) if _is(one, "TensorStorageMetadata") else _bytes(name, one, stored, member)
    if stored:
        name, offset = next(iter(stored))
        raise invalid(stored[name, offset].place, f"expected bytes of what the metadata describe, got those of {shorten(name)} at {offset}")
    described.paths = _paths(said.get("planner_data"), member)
    return described


# --- classes as data

def _is(value: Any, name: str) -> bool:
    modules = {"_StorageInfo": (f"{_NOW}.filesystem", f"{_OLD}.filesystem"), "TensorProperties": (f"{_NOW}.metadata", _SHARDED)}
    return isinstance(value, Record) and value.kind.name == name and value.kind.module in modules.get(name, (f"{_NOW}.metadata", f"{_OLD}.metadata"))


def _state(value: Any, name: str, place: str) -> dict[str, Any]:
    """The members of `value`, an object of PyTorch's class `name`."""
    if not _is(value, name):
        what = f"an object of {value.kind}, whose code decides what it is and does when it is made" if isinstance(value, Record) else refusals.brief(value)
        raise unsupported(value.kind.place if isinstance(value, Record) else place, f"expected PyTorch's {name}, got {what}")
    state = {} if value.state is None else value.state
    if not isinstance(state, dict) or value.items:
        raise invalid(value.kind.place, f"expected the members of {name}, got {refusals.brief(state)}")
    for member, one in state.items():
        if member not in _MEMBERS[name] and one is not None:
            raise unsupported(value.kind.place, f"expected no other members of {name} than those that PyTorch has, got {refusals.brief(member)}")
    return state


def _entries(value: Any, member: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise invalid(member, f"expected a description of each entry by its name, got {refusals.brief(value)}")
    return list(value.items())


def _check_about(said: Mapping[str, Any], member: str) -> None:
    version, about = said.get("version"), said.get("storage_meta")
    if version is not None and version not in _VERSIONS:
        raise unsupported(member, f"expected metadata of version {' or '.join(_VERSIONS)}, got {refusals.brief(version)}")
    for name, one in (_state(about, "StorageMeta", member) if about is not None else {}).items():
        texts = one if isinstance(one, list) else [one]
        if not all(text is None or isinstance(text, str) for text in texts):
            raise unsupported(member, f"expected text as {name} of the storage, got {refusals.brief(one)}")


_Stored = dict[tuple[str, _Position | None], Location]


def _storage(value: Any, member: str) -> _Stored:
    """Name and offset of a chunk -> where its bytes are; the offset of an object is None."""
    if not isinstance(value, dict):
        raise invalid(member, f"expected where the bytes of each chunk are, got {refusals.brief(value)}")
    found: _Stored = {}
    for index, about in value.items():
        key, info = _state(index, "MetadataIndex", member), _state(about, "_StorageInfo", member)
        place = about.kind.place
        name, offset = key.get("fqn"), key.get("offset")
        file, begin, length = info.get("relative_path"), info.get("offset"), info.get("length")
        if info.get("transform_descriptors"):
            raise unsupported(place, f"expected bytes as they are, got bytes transformed by {refusals.brief(info['transform_descriptors'])}")
        if not isinstance(name, str) or not isinstance(file, str) or not isinstance(begin, int) or not isinstance(length, int) or min(begin, length) < 0:
            raise invalid(place, f"expected a name, a file, an offset and a length, got {', '.join(map(refusals.brief, (name, file, begin, length)))}")
        at = (name, None if offset is None else integers(offset, place))
        if at in found:
            raise invalid(place, f"expected each chunk once, got {shorten(name)} at {at[1]} twice")
        found[at] = Location(file, begin, length, place)
    return found


def _whole(name: str, record: Record, stored: _Stored) -> Whole:
    """The tensor `name`; its chunks are taken out of `stored`."""
    place = record.kind.place
    said = _state(record, "TensorStorageMetadata", place)
    shape, boxes = integers(said.get("size"), place), said.get("chunks")
    if not isinstance(boxes, list):
        raise invalid(place, f"expected the chunks of {shorten(name)}, got {refusals.brief(boxes)}")
    chunks: dict[tuple[_Position, _Position], Chunk] = {}
    for box in boxes:
        members = _state(box, "ChunkStorageMetadata", place)
        offsets, sizes = integers(members.get("offsets"), box.kind.place), integers(members.get("sizes"), box.kind.place)
        location = stored.get((name, offsets))
        if len(offsets) != len(shape) or len(sizes) != len(shape):
            raise invalid(box.kind.place, f"expected a chunk of {len(shape)} axes of {shorten(name)}, got {len(offsets)}")
        if location is None:
            raise invalid(box.kind.place, f"expected the bytes of the chunk of {shorten(name)} at {offsets}, nothing says where they are")
        if (offsets, sizes) in chunks:
            raise invalid(box.kind.place, f"expected each chunk once, got that of {shorten(name)} at {offsets} twice")
        chunks[offsets, sizes] = Chunk(offsets, sizes, location)
    for offsets, _ in chunks:
        stored.pop((name, offsets), None)
    return Whole(_dtype(said.get("properties"), place), shape, tuple(chunks.values()), place)


def _dtype(properties: Any, place: str) -> str:
    """PyTorch's dtype that `properties` name; what else they say is of memory and not of the elements."""
    if not _is(properties, "TensorProperties"):
        what = f"an object of {properties.kind}" if isinstance(properties, Record) else refusals.brief(properties)
        raise unsupported(place, f"expected PyTorch's TensorProperties, got {what}")
    state = properties.state
    if not isinstance(state, tuple) or len(state) != 5:
        raise invalid(properties.kind.place, f"expected five properties of a tensor, got {refusals.brief(state)}")
    dtype, layout, _, form, _ = state
    if not isinstance(dtype, Global) or dtype.module != "torch" or dtype.name not in elements.NAMES:
        raise unsupported(properties.kind.place, f"expected a dtype, got {refusals.brief(dtype)}")
    if not isinstance(layout, Tagged) or layout.value != "torch.strided" or not isinstance(form, Tagged):
        raise unsupported(properties.kind.place, f"expected a dense tensor, got one of the layout {refusals.brief(getattr(layout, 'value', layout))}")
    return elements.canonical(dtype.name)


def _bytes(name: str, record: Any, stored: _Stored, member: str) -> Location:
    _state(record, "BytesStorageMetadata", member)
    location = stored.pop((name, None), None)
    if location is None:
        raise invalid(record.kind.place, f"expected the bytes of {shorten(name)}, nothing says where they are")
    return location


def _paths(value: Any, member: str) -> dict[str, _Path]:
    """Name -> keys, of those that the planner flattened."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(member, f"expected the keys of each entry by its name, got {refusals.brief(value)}")
    found: dict[str, _Path] = {}
    for name, path in value.items():
        good = isinstance(path, tuple | list) and 0 < len(path) <= bounds.DEPTH and isinstance(name, str)
        if not good or not all(isinstance(key, str) or (type(key) is int and key >= 0) for key in path):
            raise invalid(member, f"expected the keys of {refusals.brief(name)}, text or the numbers of items, got {refusals.brief(path)}")
        found[name] = tuple(path)
    return found
