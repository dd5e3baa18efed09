"""Writes what a distributed checkpoint says of itself, as the objects of PyTorch's classes that its reader unpickles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triptych.layouts.torch_distributed.nesting import Path
from triptych.layouts.torch_pickle.pickling import Leaf, Pickler
from triptych.layouts.torch_pickle.values import Global, Record, Tagged

_METADATA, _FILES = "torch.distributed.checkpoint.metadata", "torch.distributed.checkpoint.filesystem"
_VERSION = "1.0.0"
_NEW, _BUILD = b"\x81", b"b"


@dataclass(frozen=True, slots=True)
class Part:
    """An entry of the checkpoint, and where its bytes are."""

    path: Path
    file: str
    offset: int
    length: int
    dtype: str | None
    """PyTorch's name, of a tensor; None of an object."""
    shape: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The keys of its path, joined."""
        return ".".join(map(str, self.path))


class _Pickler(Pickler):
    """Writes objects of classes, too: the name, and the state that is set."""

    def _value(self, value: Any) -> None:
        if isinstance(value, Record):
            self._global(value.kind.module, value.kind.name)
            self._out += b")" + _NEW
            self._value(value.state)
            self._out += _BUILD
        elif isinstance(value, Tagged) and value.kind == "memory_format":
            self._call(_METADATA, "_MEM_FORMAT_ENCODING", value.value)
        else:
            super()._value(value)


def _no_tensor(leaf: Leaf) -> str:
    raise TypeError(f"expected metadata without tensors, got {leaf.name}")


def _object(module: str, name: str, state: Any) -> Record:
    return Record(Global(module, name, ""), state)


def _size(shape: tuple[int, ...]) -> Tagged:
    return Tagged("size", list(shape))


def dump(parts: Sequence[Part]) -> bytes:
    """The metadata of a checkpoint of `parts`, in their order; each is one chunk."""
    said = {
        "state_dict_metadata": {part.name: _described(part) for part in parts},
        "planner_data": {part.name: part.path for part in parts},
        "storage_data": {_index(part): _info(part) for part in parts},
        "version": _VERSION,
    }
    return _Pickler(_no_tensor).dump(_object(_METADATA, "Metadata", said))


def _described(part: Part) -> Record:
    if part.dtype is None:
        return _object(_METADATA, "BytesStorageMetadata", {})
    properties = (Tagged("dtype", part.dtype), Tagged("layout", "torch.strided"), False, Tagged("memory_format", 0), False)
    chunk = _object(_METADATA, "ChunkStorageMetadata", {"offsets": _size((0,) * len(part.shape)), "sizes": _size(part.shape)})
    said = {"properties": _object(_METADATA, "TensorProperties", properties), "size": _size(part.shape), "chunks": [chunk]}
    return _object(_METADATA, "TensorStorageMetadata", said)


def _index(part: Part) -> Record:
    of_tensor = {"offset": _size((0,) * len(part.shape)), "index": 0}
    return _object(_METADATA, "MetadataIndex", {"fqn": part.name, **(of_tensor if part.dtype is not None else {"offset": None, "index": None})})


def _info(part: Part) -> Record:
    return _object(_FILES, "_StorageInfo", {"relative_path": part.file, "offset": part.offset, "length": part.length})
