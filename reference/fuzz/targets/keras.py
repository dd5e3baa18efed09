"""Keras' files: HDF5 of every generation, archives, weights by object path, configurations as JSON and as YAML."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from fuzz.mutators import blind, files, json_values, texts, zips
from fuzz.target import MISSING, Disagreement, Target
from fuzz.targets.reading import all_of, as_file, as_folder, read_one, same
from triptych.errors import ConversionError
from triptych.layouts import architecture_text, keras_config, keras_hdf5
from triptych.layouts.hdf5.container import Container
from triptych.layouts.keras_v3 import reader
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Architecture, Training

_HDF5 = (
    b"\x89HDF\r\n\x1a\n", b"TREE", b"HEAP", b"SNOD", b"GCOL", b"OHDR", b"OCHK", b"FRHP", b"BTHD", b"layer_names", b"weight_names", b"model_config", b"training_config", b"keras_version",
    b"\xff" * 8, b"\0" * 8, b"optimizer_weights", b"vars",
)  # fmt: skip


def _hdf5(data: bytes, rng: Random) -> bytes:
    """A file like `data`: its text edited where it lies, a number of eight aligned bytes set, or bytes changed."""
    kind = rng.random()
    if kind < 0.25 and (start := data.find(b'{"')) >= 0:
        end = data.find(b"\0", start)
        text = data[start : end if end > 0 else len(data)]
        edited = json_values.mutated(text, rng)
        # The attribute keeps its size: what is longer is cut, what is shorter is followed by spaces.
        return data[:start] + edited[: len(text)].ljust(len(text)) + data[start + len(text) :]
    if kind < 0.7 and len(data) > 64:
        found = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 3))):
            at = rng.randrange(len(data) // 8) * 8
            value = rng.choice((rng.choice(blind.EDGES), rng.randrange(len(data)), int.from_bytes(found[at : at + 8], "little") + rng.choice((-8, -1, 1, 8)), rng.randrange(len(data)) & ~7))
            width = rng.choice((1, 2, 4, 8))
            found[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")
        return bytes(found)
    return blind.mutated(data, rng, _HDF5)


def _container(path: Path) -> None:
    """Everything in a file: names, attributes, datasets."""
    found = Container(path, DEFAULT_LIMITS)
    try:
        for name, kind in found.kinds.items():
            found.children(name)
            for attribute in found.attribute_names(name):
                found.attribute(name, attribute)
            if kind == "dataset":
                read_one(found.tensor(name))
    finally:
        found.close()


def _edit_archive(name: str, content: bytes, rng: Random) -> bytes:
    return _hdf5(content, rng) if name.endswith(".h5") else files.edit(name, content, rng)


def _shards(data: bytes, rng: Random) -> bytes:
    from fuzz import folders

    found = folders.unpack(data)
    name = rng.choice([*found, ""])
    if name.endswith(".h5") and rng.random() < 0.7:
        return folders.pack({**found, name: _hdf5(found[name], rng)})
    return files.mutated(data, rng)


def _config(data: memoryview) -> Architecture:
    return _architecture(bytes(data), "json")


def _config_yaml(data: memoryview) -> Architecture:
    return _architecture(bytes(data), "yaml")


def _architecture(data: bytes, spelling: Any) -> Architecture:
    architecture = architecture_text.architecture_from_text(data, spelling)
    for dialect in ("keras", "keras1", "keras2", "keras3"):
        try:
            architecture_text.architecture_to_text(architecture, "json", dialect)
        except ConversionError:
            continue
    return architecture


def _kept(_data: bytes, _: Any, architecture: Architecture) -> None:
    """Our own document holds what was read."""
    text, _notes = architecture_text.architecture_to_text(architecture, "json")
    if architecture_text.architecture_to_text(architecture_text.architecture_from_text(text, "json"), "json")[0] != text:
        raise Disagreement("the architecture is another one when it is written and read again")


def _training(data: memoryview) -> tuple[Any, Training] | None:
    try:
        value = json.loads(bytes(data))
    except (ValueError, RecursionError):
        return None
    return value, keras_config.read_training_config(value, None, keras_version=None)


def _training_again(_data: bytes, _: Any, found: tuple[Any, Training] | None) -> None:
    if found is not None and not found[1].extensions["keras"].get("code_omitted"):
        written, _notes = keras_config.write_training_config(found[1], None, dialect=None)
        if not _equal(written, found[0]):
            raise Disagreement("the configuration is another one when it is written again")


def _equal(one: Any, other: Any) -> bool:
    return same(json.loads(json.dumps(one, sort_keys=True)), json.loads(json.dumps(other, sort_keys=True)))


TARGETS = (
    Target("hdf5", _container, _hdf5, as_file("m.h5"), native=True, short=60, longest=1 << 15),
    Target("keras-hdf5", all_of(keras_hdf5.read), _hdf5, as_file("m.h5"), layouts=("keras-hdf5",), native=True, short=60, longest=1 << 16),
    Target("keras-archive", all_of(reader.read_archive), zips.mutator(_edit_archive), as_file("m.keras"), layouts=("keras-archive",), native=True, short=60, longest=1 << 16),
    Target("keras-weights", all_of(reader.read_weights), _hdf5, as_file("m.weights.h5"), layouts=("keras-weights",), native=True, short=60, longest=1 << 16),
    Target("keras-shards", all_of(reader.read_weights), _shards, as_folder("m.weights.json"), declared=MISSING, layouts=("keras-weights",), native=True, short=60, longest=1 << 16),
    Target("keras-json", _config, json_values.mutated, judge_long=_kept, short=150, layouts=("architecture-json",), longest=1 << 14),
    Target("keras-yaml", _config_yaml, texts.mutated, judge_long=_kept, short=150, layouts=("architecture-yaml",), longest=1 << 14),
    Target("keras-training", _training, json_values.mutated, judge=_training_again, longest=1 << 13),
)
