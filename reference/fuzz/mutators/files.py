"""Changes of inputs of several files: one of them is edited as what it is, renamed, removed, exchanged for another, or cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from fuzz import folders
from fuzz.mutators import blind, json_values, pickles, tables, tensors, texts, wire

BY_ENDING: Mapping[str, Callable[[bytes, Random], bytes]] = {
    ".json": json_values.mutated,
    ".yaml": texts.mutated,
    ".safetensors": tensors.mutated,
    ".pb": wire.mutated,
    ".pbtxt": texts.mutated,
    ".index": tables.mutated,
    ".metadata": pickles.mutated,
    "checkpoint": texts.mutated,
    ".txt": texts.mutated,
}


def edit(name: str, content: bytes, rng: Random) -> bytes:
    """Content like that of the file `name`."""
    change = next((change for ending, change in BY_ENDING.items() if name.endswith(ending)), None)
    return blind.mutated(content, rng) if change is None else change(content, rng)


def mutated(data: bytes, rng: Random) -> bytes:
    """A folder like the one in `data`."""
    files = folders.unpack(data)
    if not files or rng.random() < 0.03:
        return blind.mutated(data, rng)
    return folders.pack(changed(files, rng))


def changed(files: dict[str, bytes], rng: Random) -> dict[str, bytes]:
    """Files like these."""
    name = rng.choice(list(files))
    kind = rng.randrange(20)
    if kind == 0 and len(files) > 1:
        del files[name]
    elif kind == 1:
        files[blind.text(name, rng).replace("\n", "")[:150] or "x"] = files.pop(name)
    elif kind == 2:
        files[name] = files[rng.choice(list(files))]
    elif kind == 3:
        files[name] = files[name][: rng.randrange(len(files[name]) + 1)]
    else:
        files[name] = edit(name, files[name], rng)
    return files


def of_bundles(data: bytes, rng: Random) -> bytes:
    """A folder like the one in `data`, which holds a bundle of TensorFlow's, or several: checksums of tensors fit most often."""
    files = folders.unpack(data)
    if not files:
        return blind.mutated(data, rng)
    return folders.pack(tables.bundle(files, rng, tables.mutated) if rng.random() < 0.6 else changed(files, rng))
