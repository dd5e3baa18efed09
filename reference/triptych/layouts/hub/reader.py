"""Reads a model hub's folder: weights of one file or of shards, and the files beside them as assets."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from triptych.errors import Findings, shorten
from triptych.layouts import torch_pickle
from triptych.layouts.hub import training
from triptych.layouts.hub.folder import Folder, scan
from triptych.layouts.problems import invalid, unsupported
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Json, Panels, Tensor, Weights
from triptych.package.safetensors_file import TensorFile, read_header

EXTENSION = "TRIPTYCH_hub"


def read(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Panels:
    """The panels of the folder at `path`; tensors and assets are read when they are used.

    Raises:
        InvalidModelError: A file is damaged, or the index and the shards do not agree.
        UnsupportedError: A limit is exceeded, or a pickle asks for more than data.
    """
    folder = scan(path, limits)
    shards = index_of(folder, limits) if folder.sharded else None
    panels = _pickled(folder, shards, limits) if folder.pickled else _plain(folder, shards, limits)
    taken = set(shards.values()) if shards is not None else set()
    if panels.training is None:
        state = tensor_file(folder, training.STATE, limits) if training.STATE in folder.left_out else None
        panels = replace(panels, training=training.training_in(folder, state, limits))
        taken |= set() if panels.training is None else set(training.SECTIONS.values())
    assets = {name: _asset(folder.file(name)) for name in folder.assets if name not in taken}
    left_out = [name for name in folder.left_out if name not in taken]
    notes: list[Json] = [f"{name}: hidden, a link, or weights in another form" for name in left_out]
    extensions = {**panels.extensions, EXTENSION: {"left_out": notes}} if notes else panels.extensions
    used = tuple(sorted({*panels.extensions_used, EXTENSION})) if notes else panels.extensions_used
    return replace(panels, assets=assets, extensions=extensions, extensions_used=used)


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each file of the folder that was read that `panels` do not hold."""
    data = panels.extensions.get(EXTENSION)
    notes = data.get("left_out") if isinstance(data, dict) else None
    return tuple(note for note in notes if isinstance(note, str)) if isinstance(notes, list | tuple) else ()


def index_of(folder: Folder, limits: Limits) -> dict[str, str]:
    """Tensor -> shard, as the index of `folder` says."""
    from triptych.documents import parse_json, schemas
    from triptych.documents.text import raise_problems

    findings = Findings(member=folder.weights)
    file = folder.file(folder.weights)
    if file.stat().st_size > limits.document_bytes:
        raise unsupported(folder.weights, f"expected an index of at most {limits.document_bytes:,} bytes, got more")
    data: Any = parse_json(file.read_bytes(), findings, limits=limits)
    schemas.check("shard_index", {name: data[name] for name in ("metadata", "weight_map") if name in data} if isinstance(data, dict) else data, findings)
    raise_problems(findings)
    placed: dict[str, str] = data["weight_map"]
    suffix = ".bin" if folder.pickled else ".safetensors"
    for shard in dict.fromkeys(placed.values()):
        if "/" in shard or "\\" in shard or not shard.endswith(suffix):
            raise invalid(folder.weights, f"expected the names of files {suffix} beside the index, got {shorten(shard)}")
    if len(set(placed.values())) > limits.shards:
        raise unsupported(folder.weights, f"expected at most {limits.shards:,} shards, got more")
    return placed


def _plain(folder: Folder, placed: dict[str, str] | None, limits: Limits) -> Panels:
    files = {name: tensor_file(folder, name, limits) for name in (dict.fromkeys(placed.values()) if placed is not None else [folder.weights])}
    metadata = next(iter(files.values())).header.metadata if files else {}
    if any(one.header.metadata != metadata for one in files.values()):
        metadata = {}
    weights = _joined(folder, placed, {name: (list(one), one.__getitem__) for name, one in files.items()})
    return Panels(weights=weights, metadata=metadata)


def tensor_file(folder: Folder, name: str, limits: Limits) -> TensorFile:
    """The safetensors file `name` of `folder`."""
    findings = Findings(member=name)
    data = mapped(folder.file(name))
    header = read_header(data, findings, limits=limits)
    findings.raise_if_any()
    return TensorFile(name, data, header, None)


def _pickled(folder: Folder, placed: dict[str, str] | None, limits: Limits) -> Panels:
    if placed is None:
        return torch_pickle.read(folder.file(folder.weights), limits=limits)
    shards = {name: torch_pickle.read(folder.file(name), limits=limits).weights or Weights({}) for name in dict.fromkeys(placed.values())}
    return Panels(weights=_joined(folder, placed, {name: (list(one), one.tensor) for name, one in shards.items()}))


def _joined(folder: Folder, placed: dict[str, str] | None, files: dict[str, tuple[list[str], Callable[[str], Tensor]]]) -> Weights:
    """The tensors of all shards; each must be in the one that the index says, and in no other."""
    found: dict[str, Tensor] = {}
    for shard, (names, get) in files.items():
        for name in names:
            said = shard if placed is None else placed.get(name, shard)
            if said != shard or name in found:
                raise invalid(folder.weights, f"expected tensor {shorten(name)} in {shorten(said)} alone, {shorten(shard)} has one too")
            found[name] = get(name)
    for name, shard in (placed or {}).items():
        if name not in found:
            raise invalid(folder.weights, f"expected tensor {shorten(name)} in {shorten(shard)}, it is not there")
    return Weights(found)


def mapped(file: Path) -> memoryview:
    """The bytes of `file`, mapped."""
    with file.open("rb") as opened:
        if not opened.seek(0, 2):
            return memoryview(b"")
        return memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))


def _asset(file: Path) -> Tensor:
    return Tensor("uint8", (file.stat().st_size,), lambda: mapped(file))
