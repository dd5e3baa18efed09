"""Tensors spread over several safetensors members, joined by an index in the manner of the model hubs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from triptych.errors import Findings, UnsupportedError, pointer_token, shorten
from triptych.limits import Limits
from triptych.model import Json, Tensor
from triptych.package.manifest import Manifest
from triptych.package.safetensors_file import TensorFile


class ShardedTensors(Mapping[str, Tensor]):
    """The tensors of several files as one mapping."""

    __slots__ = ("_files",)

    def __init__(self, files: Mapping[str, TensorFile]) -> None:
        """`files` says for each tensor which file holds it."""
        self._files = files

    def __getitem__(self, name: str) -> Tensor:
        return self._files[name][name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files


def parse_index(content: memoryview, manifest: Manifest, findings: Findings, limits: Limits) -> dict[str, list[str]]:
    """Shard member -> names of its tensors, as the index `content` says.

    Raises:
        InvalidModelError: The index cannot be read; a shard that the manifest does not list is added to `findings`.
    """
    from triptych.documents import parse_json, schemas
    from triptych.documents.text import raise_problems

    data: Any = parse_json(bytes(content), findings, limits=limits)
    schemas.check("shard_index", data, findings)
    raise_problems(findings)
    shards: dict[str, list[str]] = {}
    for tensor, shard in data["weight_map"].items():
        if shard not in shards and not manifest.holds_tensors(shard):
            findings.add("WGT-014", f"/weight_map/{pointer_token(tensor)}", f"expected a member that the manifest lists with tensor digests, got {shorten(shard)}")
        shards.setdefault(shard, []).append(tensor)
    if len(shards) > limits.shards:
        findings.fatal("SEC-018", "/weight_map", f"expected at most {limits.shards} shards, got {len(shards)}", error=UnsupportedError)
    return shards


def check_shard(file: TensorFile, mapped: list[str], findings: Findings) -> None:
    """Add a problem for every tensor that the index puts into `file` and is not there, or the other way round."""
    for name in sorted(set(mapped) - set(file)):
        findings.add("WGT-015", f"/weight_map/{pointer_token(name)}", f"expected tensor {shorten(name)} in {shorten(file.member)}, it is not there")
    for name in sorted(set(file) - set(mapped)):
        findings.add("WGT-015", "/weight_map", f"expected tensor {shorten(name)} of {shorten(file.member)} to be mapped to it, it is not")


def split(tensors: Mapping[str, Tensor], stem: str, max_bytes: int | None) -> dict[str, dict[str, Tensor]]:
    """Member -> its tensors: one file, or shards filled by name with up to `max_bytes` of data each."""
    if max_bytes is None or sum(tensor.nbytes for tensor in tensors.values()) <= max_bytes:
        return {f"{stem}.safetensors": dict(tensors)}
    parts: list[dict[str, Tensor]] = [{}]
    filled = 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        if parts[-1] and filled + size > max_bytes:
            parts.append({})
            filled = 0
        parts[-1][name] = tensors[name]
        filled += size
    return {f"{stem}-{number:05}-of-{len(parts):05}.safetensors": part for number, part in enumerate(parts, 1)}


def index_data(shards: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Json]:
    """The index of `shards`."""
    total = sum(tensor.nbytes for part in shards.values() for tensor in part.values())
    placed = {name: member for member, part in shards.items() for name in part}
    return {"metadata": {"total_size": total}, "weight_map": {name: placed[name] for name in sorted(placed)}}
