"""Tensors spread over several safetensors members, joined by an index in the manner of the model hubs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from triptych.errors import Findings, UnsupportedError, pointer_token, shorten
from triptych.limits import Limits
from triptych.model import Json, Tensor
from triptych.package.manifest import Manifest, refuse_to_go_on
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


def parse_index(content: memoryview, manifest: Manifest, findings: Findings, limits: Limits) -> dict[str, str]:
    """Tensor name -> shard member, as the index `content` says.

    Raises:
        InvalidModelError: The index cannot be read; a shard that the manifest does not list is added to `findings`.
        UnsupportedError: There are more shards than the limit.
    """
    from triptych.documents import parse_json, schemas
    from triptych.documents.text import raise_problems

    data: Any = parse_json(bytes(content), findings, limits=limits)
    schemas.check("shard_index", data, findings)
    raise_problems(findings)
    refuse_to_go_on(findings, "WGT-013", "shard_index", data)
    placed: dict[str, str] = data["weight_map"]
    first = {shard: tensor for tensor, shard in reversed(placed.items())}
    for shard in dict.fromkeys(placed.values()):
        if not manifest.holds_tensors(shard):
            at = f"/weight_map/{pointer_token(first[shard])}"
            findings.add("WGT-014", at, f"expected a member that the manifest lists with tensor digests, got {shorten(shard)}")
    if len(first) > limits.shards:
        findings.fatal("SEC-016", "/weight_map", f"expected at most {limits.shards} shards, got {len(first)}", error=UnsupportedError)
    return placed


def check_shards(files: Mapping[str, TensorFile], placed: Mapping[str, str], findings: Findings) -> None:
    """Add a problem for every tensor that is not in the one shard that the index says."""
    for name, shard in placed.items():
        if shard in files and name not in files[shard]:
            findings.add("WGT-015", f"/weight_map/{pointer_token(name)}", f"expected tensor {shorten(name)} in {shorten(shard)}, it is not there")
    for member, file in files.items():
        for name in file:
            said = placed.get(name)
            if said is None:
                findings.add("WGT-015", "/weight_map", f"expected tensor {shorten(name)} of {shorten(member)} to be mapped, it is not")
            elif said != member and name in files.get(said, ()):
                at = f"/weight_map/{pointer_token(name)}"
                findings.add("WGT-015", at, f"expected tensor {shorten(name)} in {shorten(said)} alone, {shorten(member)} has one too")


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
    if len(parts) == 1:
        return {f"{stem}.safetensors": parts[0]}
    return {f"{stem}-{number:05}-of-{len(parts):05}.safetensors": part for number, part in enumerate(parts, 1)}


def index_data(shards: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Json]:
    """The index of `shards`."""
    total = sum(tensor.nbytes for part in shards.values() for tensor in part.values())
    placed = {name: member for member, part in shards.items() for name in part}
    return {"metadata": {"total_size": total}, "weight_map": {name: placed[name] for name in sorted(placed)}}
