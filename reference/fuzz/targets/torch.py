"""PyTorch's files: the pickle by itself, archives, streams, tar archives, distributed checkpoints and their metadata."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from fuzz.mutators import blind, files, pickles, zips
from fuzz.target import MISSING, Disagreement, Target
from fuzz.targets.reading import all_of, as_file, as_folder
from triptych.layouts import torch_distributed, torch_pickle
from triptych.layouts.torch_distributed import metadata
from triptych.layouts.torch_pickle.constructors import CONSTRUCTORS, build
from triptych.layouts.torch_pickle.machine import Machine
from triptych.layouts.torch_pickle.opened import storage_of


def _pickle(data: memoryview) -> Any:
    return Machine(data, "data.pkl", CONSTRUCTORS, storage_of, build).load()


def _metadata(data: memoryview) -> metadata.Described:
    return metadata.parse(data, ".metadata")


def _edit(name: str, content: bytes, rng: Random) -> bytes:
    return pickles.mutated(content, rng) if name.endswith(".pkl") else blind.mutated(content, rng, (b"big", b"little", b"3\n", "²".encode()))


def _tar(data: bytes, rng: Random) -> bytes:
    """A tar archive like `data`: the pickle in one of its members is changed and its size put right, or bytes are."""
    if rng.random() < 0.3 or len(data) < 1024:
        return blind.mutated(data, rng)
    parts, at = [], 0
    while at + 512 <= len(data) and data[at : at + 1] != b"\0":
        try:
            size = int(data[at + 124 : at + 135] or b"0", 8)
        except ValueError:
            return blind.mutated(data, rng)
        parts.append((data[at : at + 512], data[at + 512 : at + 512 + size]))
        at += 512 + -(-size // 512) * 512
    if not parts:
        return blind.mutated(data, rng)
    chosen = rng.randrange(len(parts))
    head, content = parts[chosen]
    parts[chosen] = (head, pickles.mutated(content, rng))
    return b"".join(_member(head, content) for head, content in parts) + bytes(1024)


def _member(head: bytes, content: bytes) -> bytes:
    head = head[:124] + f"{len(content):011o}\0".encode() + b" " * 8 + head[156:]
    head = head[:148] + f"{sum(head):06o}\0 ".encode() + head[156:]
    return head + content + bytes(-len(content) % 512)


def _as_torch_loads(_data: bytes, path: Path, panels: Any) -> None:
    """What we accept, PyTorch's own restricted loader accepts, but for what we take as data and it refuses."""
    import pickle

    import torch

    try:
        theirs = torch.load(path, weights_only=True, map_location="cpu")
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError, AttributeError, TypeError, KeyError, IndexError):
        return
    if isinstance(theirs, dict) and panels.weights is not None:
        ours = panels.weights.tensors
        for name, tensor in theirs.items():
            if isinstance(name, str) and name in ours and isinstance(tensor, torch.Tensor) and tuple(tensor.shape) != ours[name].shape:
                raise Disagreement(f"PyTorch reads {name!r} with the shape {tuple(tensor.shape)}, ours {ours[name].shape}")


TARGETS = (
    Target("pickle", _pickle, pickles.mutated, longest=1 << 13),
    Target("torch-archive", all_of(torch_pickle.read), zips.mutator(_edit), as_file("m.pt"), judge_long=_as_torch_loads, short=200, layouts=("torch",), longest=1 << 15),
    Target("torch-stream", all_of(torch_pickle.read), pickles.mutated, as_file("m.pt"), judge_long=_as_torch_loads, short=200, layouts=("torch",), longest=1 << 14),
    Target("torch-tar", all_of(torch_pickle.read), _tar, as_file("m.pt"), short=200, layouts=("torch",), longest=1 << 14),
    Target("torch-metadata", _metadata, pickles.mutated, short=200, longest=1 << 14),
    Target("torch-distributed", all_of(torch_distributed.read), files.mutated, as_folder(), declared=MISSING, short=200, layouts=("torch-distributed",), longest=1 << 16),
)
