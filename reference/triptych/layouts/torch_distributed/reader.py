"""Reads a distributed checkpoint into panels: its state dictionary put together again, each tensor whole."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from triptych.errors import TriptychError, shorten
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.torch_distributed import hub_shards, nesting
from triptych.layouts.torch_distributed.folder import METADATA, Files, located, metadata_files
from triptych.layouts.torch_distributed.joining import check_tiling, joined
from triptych.layouts.torch_distributed.metadata import Chunk, Described, Location, Whole, parse
from triptych.layouts.torch_pickle import bounds, elements, unusual
from triptych.layouts.torch_pickle.opened import Opened, Parts
from triptych.layouts.torch_pickle.reader import panels_of
from triptych.layouts.torch_pickle.tensors import Tensors, row_major
from triptych.layouts.torch_pickle.values import Storage, StoredTensor, Tagged
from triptych.layouts.torch_pickle.zipped import open_zip
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Panels


def read(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Panels:
    """The panels of the checkpoint at `path`; elements are read when they are used, and their part of a file is checked then.

    Raises:
        InvalidModelError: A file is damaged, or chunks do not make up their tensor.
        UnsupportedError: A pickle asks for more than data: nothing of it was run; or a limit is exceeded.
    """
    files = Files(path, limits)
    found = metadata_files(path)
    if not found:
        return hub_shards.read(path, files, limits)
    described = _merged([parse(files.metadata(name), name) for name in found])
    opened = _Checkpoint(files, described, limits).opened()
    return panels_of(opened, limits, [f"{name}: nothing in the metadata says what is in this file" for name in files.others()])


def _merged(described: list[Described]) -> Described:
    """What all processes say, where each wrote for itself."""
    whole = described[0]
    for other in described[1:]:
        whole.paths |= other.paths
        for name, one in other.entries.items():
            known = whole.entries.setdefault(name, one)
            if isinstance(one, Whole) and isinstance(known, Whole) and (one.dtype, one.shape) == (known.dtype, known.shape):
                boxes = {(chunk.offsets, chunk.sizes) for chunk in known.chunks}
                more = tuple(chunk for chunk in one.chunks if (chunk.offsets, chunk.sizes) not in boxes)
                whole.entries[name] = Whole(known.dtype, known.shape, known.chunks + more, known.place)
            elif isinstance(one, Whole) or isinstance(known, Whole):
                raise invalid(one.place, f"expected {shorten(name)} to be what the process before says")
    return whole


class _Checkpoint:
    """One checkpoint's entries becoming one value of PyTorch's."""

    def __init__(self, files: Files, described: Described, limits: Limits) -> None:
        self._files = files
        self._described = described
        self._limits = limits
        self._parts = Parts(limits)

    def opened(self) -> Opened:
        """The state dictionary."""
        entries = self._described.entries
        if len(entries) > self._limits.tensors:
            raise unsupported(METADATA, f"expected at most {self._limits.tensors:,} entries, got {len(entries):,}")
        stored = self._checked_parts()
        # Entries stand in the order in which processes wrote them; their keys, in that of the state dictionary.
        names = [*(name for name in self._described.paths if name in entries), *(name for name in entries if name not in self._described.paths)]
        values = [(name, entries[name]) for name in names]
        root = nesting.nested([
            (self._described.paths.get(name, (name,)), self._tensor(name, one) if isinstance(one, Whole) else self._object(one)) for name, one in values
        ])
        self._check_declared(stored)
        return Opened(nesting.with_optimizers(root), self._parts, swapped=False, script=False)

    def _checked_parts(self) -> int:
        """The bytes of all parts of files, no two of which overlap."""
        stored = 0
        before: Location | None = None
        for one in sorted({(one.file, one.offset, one.length): one for one in self._locations()}.values(), key=lambda one: (one.file, one.offset, one.length)):
            if before is not None and before.file == one.file and one.offset < before.offset + before.length:
                raise invalid(one.place, f"expected parts of a file one after the other, got one at {one.offset:,} that overlaps that at {before.offset:,}")
            before = one
            stored += one.length
        return stored

    def _check_declared(self, stored: int) -> None:
        """What is declared must be about as much as what is stored: parts may be used twice, but not a thousand times."""
        declared = sum(prod(one.shape) * elements.item_bytes(one.dtype) for one in self._described.entries.values() if isinstance(one, Whole))
        if declared > bounds.AMPLIFICATION * stored + bounds.AMPLIFICATION_FLOOR:
            raise unsupported(METADATA, f"expected tensors of about the {stored:,} bytes that are stored, got {declared:,}")

    # --- entries

    def _tensor(self, name: str, whole: Whole) -> Any:
        item = elements.item_bytes(whole.dtype)
        chunks = [chunk for chunk in whole.chunks if all(chunk.sizes)]
        boxes = [(chunk.offsets, chunk.sizes) for chunk in chunks]
        check_tiling(name, whole.shape, boxes, whole.place)
        for chunk in chunks:
            self._check_size(chunk, item)
        legacy = elements.LEGACY.get(whole.dtype)
        count = prod(whole.shape) * (1 if legacy else item)
        alone = len(chunks) == 1 and chunks[0].location
        storage = Storage(alone.where if alone else f"{METADATA}#{name}", legacy or elements.UNTYPED, count)
        self._parts.meet(storage, whole.place)

        def content() -> memoryview:
            return self._chunk(chunks[0], whole.dtype) if alone else joined(whole.shape, item, boxes, lambda index: self._chunk(chunks[index], whole.dtype))

        self._parts.content[storage.key] = content
        tensor = StoredTensor(storage, whole.dtype, 0, whole.shape, row_major(whole.shape), whole.place)
        return unusual.pairs(tensor) if whole.dtype in unusual.PAIRS else tensor

    def _check_size(self, chunk: Chunk, item: int) -> None:
        at = chunk.location
        self._files.part(at.file, at.offset, at.length, at.place)
        if prod(chunk.sizes) * item > at.length:
            raise invalid(at.place, f"expected the elements of a chunk {chunk.sizes} in {at.length:,} bytes, they are {prod(chunk.sizes) * item:,}")

    def _chunk(self, chunk: Chunk, dtype: str) -> memoryview:
        """The elements of one chunk."""
        at = chunk.location
        try:
            file = open_zip(self._files.part(at.file, at.offset, at.length, at.place), self._limits)
            stored = file.root.value["pairs"] if isinstance(file.root, Tagged) and file.root.kind == "complex_pairs" else file.root
            found = file.root.value["dtype"].value if stored is not file.root else getattr(stored, "dtype", "")
            shape = stored.shape[: len(stored.shape) - (stored is not file.root)] if isinstance(stored, StoredTensor) else None
            if not isinstance(stored, StoredTensor) or found != dtype or shape != chunk.sizes:
                raise invalid("", f"expected a tensor of {dtype} and the shape {chunk.sizes}, got {found or 'something else'} and {shape}")
            return Tensors(file).tensor(stored).read()
        except TriptychError as error:
            raise located(error, at.where) from None

    def _object(self, at: Location) -> Any:
        part = self._files.part(at.file, at.offset, at.length, at.place)
        try:
            file = open_zip(part, self._limits, self._parts, f"{at.where}/")
        except TriptychError as error:
            raise located(error, at.where) from None
        if file.swapped and any(key.startswith(f"{at.where}/") for key in self._parts.storages):
            raise unsupported(at.where, "expected the tensors of an object in little-endian order")
        return file.root

    def _locations(self) -> list[Location]:
        found: list[Location] = []
        for one in self._described.entries.values():
            found += [chunk.location for chunk in one.chunks] if isinstance(one, Whole) else [one]
        return found
