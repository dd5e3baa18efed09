"""Sharded weights: an index that says which files hold the variables of which object, beside those files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from triptych.errors import TriptychError, shorten
from triptych.layouts.keras_v3.groups import VARS
from triptych.layouts.problems import inexpressible, invalid, unsupported
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Tensor
from triptych.package.names import can_be_file

SUFFIX = ".weights.json"
_FILE = re.compile(r"[^./\\:][^/\\:]*\.h5")
"""A file beside the index, not hidden."""
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def is_index(head: bytes) -> bool:
    """Whether text that starts with `head` is the index of shards."""
    return head.lstrip().startswith(b"{") and b'"weight_map"' in head and b".weights.h5" in head


def shard_files(path: Path, limits: Limits) -> Sequence[Path]:
    """The files that hold the variables: `path` itself, or those beside it that it lists.

    Raises:
        InvalidModelError: It is no index.
        UnsupportedError: It lists a file elsewhere, or too many.
    """
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) == _SIGNATURE:
            return [path]
        file.seek(0)
        text = file.read(limits.document_bytes + 1)
    if len(text) > limits.document_bytes:
        raise unsupported("", f"expected an index of at most {limits.document_bytes:,} bytes, got more")
    return [path.with_name(name) for name in _listed(text, limits)]


def shards_beside(path: Path) -> frozenset[str]:
    """Names of the files that the index at `path` lists; none where nothing stands there or it is no index."""
    try:
        return frozenset(file.name for file in shard_files(path, DEFAULT_LIMITS) if file != path)
    except (FileNotFoundError, IsADirectoryError, TriptychError):
        return frozenset()


def _listed(text: bytes, limits: Limits) -> list[str]:
    try:
        index = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid("", f"expected an index of shards in JSON, got {shorten(str(error))}") from error
    map_ = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(map_, dict):
        raise invalid("#/weight_map", f"expected an object of paths and files, got {shorten(map_)}")
    names: dict[str, None] = {}
    for path, files in map_.items():
        for name in files if isinstance(files, list) else [files]:
            if not isinstance(name, str) or not _FILE.fullmatch(name) or not name.isprintable() or not can_be_file(name):
                raise unsupported(f"#/weight_map/{shorten(path)}", f"expected the name of a file beside the index, got {shorten(name)}")
            names[name] = None
    if len(names) > limits.shards:
        raise unsupported("#/weight_map", f"expected at most {limits.shards:,} files, got {len(names):,}")
    return sorted(names)


@dataclass(slots=True)
class Shard:
    """The variables that go into one file: path of the object -> key -> variable."""

    groups: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    nbytes: int = 0


def split(groups: Mapping[str, Mapping[str, Tensor]], most: int) -> Iterator[Shard]:
    """The groups over files of at most `most` bytes of variables each, as Keras fills them: variable after variable.

    Raises:
        ConversionError: One variable alone has more.
    """
    shard = Shard()
    for path, tensors in groups.items():
        shard.groups.setdefault(path, {})
        for key, tensor in tensors.items():
            if tensor.nbytes > most:
                raise inexpressible(f"{path}/{VARS}/{key}", f"expected variables of at most {most:,} bytes, got {tensor.nbytes:,}")
            if shard.nbytes + tensor.nbytes > most:
                yield shard
                shard = Shard()
            shard.groups.setdefault(path, {})[key] = tensor
            shard.nbytes += tensor.nbytes
    yield shard


def index_of(shards: Sequence[Shard], names: Sequence[str]) -> bytes:
    """The index of `shards`, which are in the files `names`, as Keras writes it."""
    files: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for shard, name in zip(shards, names, strict=True):
        for path, tensors in shard.groups.items():
            if tensors:
                key = f"/{path}/{VARS}" if path else f"/{VARS}"
                files.setdefault(key, []).append(name)
                counts[key] += len(tensors)
    map_ = {path: found[0] if counts[path] == 1 else found for path, found in files.items()}
    total = float(sum(shard.nbytes for shard in shards))
    return json.dumps({"metadata": {"total_size": total}, "weight_map": map_}, indent=4).encode()


__all__ = ["SUFFIX", "Shard", "index_of", "is_index", "shard_files", "shards_beside", "split"]
