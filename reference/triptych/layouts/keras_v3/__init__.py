"""Keras 3's own files: `.keras` archives, zipped or not, and weights by object path, whole or in shards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.layouts.layout import Layout, Outline
from triptych.model import Architecture, Panels, Training, Weights

_MEMBERS = frozenset({"config.json", "model.weights.h5", "model.weights.npz"})
_FIRST = ("metadata.json", "config.json", "model.weights.h5")


def _is_archive(path: Path, head: bytes) -> bool:
    from triptych.layouts import zip_archive

    if not head:
        there = [name for name in _MEMBERS if (path / name).is_file()]
        return "config.json" in there and len(there) > 1 and not (path / "manifest.json").exists()
    if not head.startswith(zip_archive.LOCAL_SIGNATURE):
        return False
    names = zip_archive.names_of(path)
    if names is None:
        return zip_archive.first_name(head) in _FIRST  # cut off, or garbled
    return "config.json" in names and not _MEMBERS.isdisjoint(set(names) - {"config.json"})


def _is_weights(path: Path, head: bytes) -> bool:
    from triptych.layouts.keras_v3 import shards
    from triptych.layouts.keras_weights import probing

    return probing.is_object_paths(path) if head.startswith(probing.SIGNATURE) else shards.is_index(head)


def _read_archive(path: Path, **options: Any) -> Panels:
    from triptych.layouts.keras_v3 import reader

    return reader.read_archive(path, **options)


def _read_weights(path: Path, **options: Any) -> Panels:
    from triptych.layouts.keras_v3 import reader

    return reader.read_weights(path, **options)


def _write_archive(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    from triptych.layouts.keras_v3 import writer

    return writer.write_archive(panels, path, **options)


def _write_weights(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    from triptych.layouts.keras_v3 import writer

    return writer.write_weights(panels, path, **options)


def _outline_archive(panels: Panels, _: Path, **options: Any) -> Outline:
    from triptych.layouts.keras_v3 import writer

    return writer.outline_archive(panels, **options)


def _outline_weights(panels: Panels, path: Path, **options: Any) -> Outline:
    from triptych.layouts.keras_v3 import writer

    return writer.outline_weights(panels, path, **options)


def _layers(panels: Panels) -> list[tuple[str, list[str]]]:
    from triptych.layouts.keras_v3 import transfer

    return transfer.layers(panels)


def _placed(panels: Panels, architecture: Architecture) -> Weights | None:
    from triptych.layouts.keras_v3 import transfer

    return transfer.placed(panels, architecture)


def _resumed(training: Training, architecture: Architecture, weights: Weights) -> Training | None:
    from triptych.layouts.keras_v3 import transfer

    return transfer.resumed(training, architecture, weights)


def _renamed(panels: Panels, _: Mapping[str, str]) -> Panels:
    from triptych.layouts.keras_v3 import facts

    return facts.renamed(panels)


ARCHIVE_LAYOUT = Layout(
    name="keras-archive",
    title="Keras archive",
    suffixes=(".keras",),
    recognises=_is_archive,
    read=_read_archive,
    write=_write_archive,
    outline=_outline_archive,
    options=frozenset({"dialect"}),
    read_options=frozenset({"allow_code", "limits"}),
    needs_architecture=True,
)
WEIGHTS_LAYOUT = Layout(
    name="keras-weights",
    title="Keras weights by object path",
    suffixes=(".weights.h5", ".weights.json"),
    recognises=_is_weights,
    read=_read_weights,
    write=_write_weights,
    outline=_outline_weights,
    options=frozenset({"dialect", "weights_only", "max_shard_bytes"}),
    read_options=frozenset({"limits"}),
    needs_architecture=True,
    layers=_layers,
    placed=_placed,
    resumed=_resumed,
    renamed=_renamed,
)
