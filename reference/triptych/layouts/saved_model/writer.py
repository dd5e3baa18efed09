"""Writes a model as a SavedModel folder, which TensorFlow serves: the graph, and beside it the bundle of its variables."""

# ruff: noqa: PTH118 - plain strings, each handed to the system as it is

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from triptych.errors import UsageError, shorten
from triptych.layouts.layout import Outline, Stored
from triptych.layouts.saved_model.documents import FILES, documents_of
from triptych.layouts.saved_model.graph import ModelGraph, Variable, graph_of
from triptych.layouts.tensorflow import messages
from triptych.layouts.tensorflow.bundle_writing import write_bundle
from triptych.model import Panels, Tensor
from triptych.package import atomic, names
from triptych.package.files import FileSystem

GRAPH = "saved_model.pb"
VARIABLES = "variables"
EXTRA = "assets.extra"
"""Where TensorFlow leaves room for what a graph does not ask for."""
SCHEMA_VERSION = 1
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def write(
    panels: Panels,
    path: Path,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    overwrite: bool = True,
    fs: FileSystem | None = None,
) -> tuple[str, ...]:
    """Write `panels` as a SavedModel at `path`, whole or not at all, whose signature ``serving_default`` predicts as the model does.

    Args:
        panels: The model, with an architecture whose layers a graph can be made of.
        path: Where nothing stands, an empty folder, or a SavedModel.
        progress: Called with bytes done, bytes in all and what is being written.
        overwrite: Whether a SavedModel that stands there may be replaced.
        fs: The file operations of the save.

    Returns:
        Sentences that name what a SavedModel does not hold.

    Raises:
        ConversionError: Layers or operations are none that a graph can be made of; all of them are named, and nothing is written.
        InvalidModelError: The architecture does not fit together.
        SaveError: The file system refused; what stood at `path` still does.
        UsageError: There is no architecture, or another folder stands at `path`.
    """
    graph = graph_of(panels)
    target = atomic.target_of(path)
    _check_target(target)
    for name in panels.assets:
        fault = names.member_name_fault(name)
        if fault is not None or f"{EXTRA}/{name}" in FILES:
            raise UsageError(f"{fault or 'expected an asset name that no other file has'}, got {shorten(name)}")
    saved = messages.new("SavedModel", saved_model_schema_version=SCHEMA_VERSION)
    saved.meta_graphs.append(graph.meta_graph)
    _write(target, messages.to_bytes(saved), graph, panels, progress, overwrite=overwrite, fs=fs or FileSystem())
    return _left_out(panels, graph)


def outline(panels: Panels, path: Path) -> Outline:
    """What `write` would store, and what it would leave."""
    graph = graph_of(panels)
    _check_target(atomic.target_of(path))
    stored = [Stored(key, tensor, f"{VARIABLES}/{VARIABLES}") for key, tensor in _items(panels, graph)]
    return Outline(stored, _left_out(panels, graph))


def _items(panels: Panels, graph: ModelGraph) -> list[tuple[str, Tensor]]:
    """Keys of the bundle with their tensors."""
    stored = panels.weights.tensors if panels.weights else {}
    return [(one.name, _in_its_order(stored[one.tensor], one)) for one in graph.variables]


def _check_target(target: str) -> None:
    place = Path(target)  # whose questions raise where the disk fails, and do not say no
    if place.is_dir() and any(place.iterdir()) and not (place / GRAPH).is_file():
        raise UsageError(f"expected nothing, an empty folder or a SavedModel at {target!r}, files are in it; it is not replaced")


def _write(
    target: str,
    graph_bytes: bytes,
    graph: ModelGraph,
    panels: Panels,
    progress: Callable[[int, int, str], None] | None,
    *,
    overwrite: bool,
    fs: FileSystem,
) -> None:
    items = _items(panels, graph)
    assert panels.architecture is not None
    beside = documents_of(panels.architecture, graph.variables)
    small = {name: memoryview(data) for name, data in {GRAPH: graph_bytes, **beside}.items()}
    tensors = [*(tensor for _, tensor in items), *panels.assets.values()]
    total = sum(one.nbytes for one in tensors) + sum(one.nbytes for one in small.values())
    with atomic.replacing(target, fs, folder=True, size=total, overwrite=overwrite) as staged:
        files: Mapping[str, Tensor | memoryview] = {**small, **{f"{EXTRA}/{name}": one for name, one in panels.assets.items()}}
        inner = {"/".join(name.split("/")[:depth]) for name in files for depth in range(1, name.count("/") + 1)}
        folders = [staged, *(os.path.join(staged, name) for name in sorted(inner | ({VARIABLES} if items else set())))]
        for folder in folders:
            fs.mkdir(folder)
        if items:
            write_bundle(Path(staged, VARIABLES, VARIABLES), items, progress=progress, fs=fs)
        for name, content in files.items():
            descriptor = fs.open(os.path.join(staged, name), _NEW_FILE)
            try:
                fs.write_all(descriptor, [content.read() if isinstance(content, Tensor) else content])
                fs.fsync(descriptor)
            finally:
                fs.close(descriptor)
        for folder in reversed(folders):
            atomic.sync_folder(folder, fs)


def _in_its_order(tensor: Tensor, variable: Variable) -> Tensor:
    """`tensor` with the axes in the order of `variable`, turned when it is read."""
    axes = variable.axes
    if axes is None:
        return tensor

    def read() -> memoryview:
        return Tensor.from_array(tensor.array().transpose(axes)).read()

    return Tensor(tensor.dtype, tuple(tensor.shape[axis] for axis in axes), read)


def _left_out(panels: Panels, graph: ModelGraph) -> tuple[str, ...]:
    """What a SavedModel has no place for, in sentences."""
    used = {one.tensor for one in graph.variables}
    unused = [name for name in (panels.weights.tensors if panels.weights else {}) if name not in used]
    notes = [f"the weights {', '.join(map(shorten, unused[:5]))}{' …' if len(unused) > 5 else ''}: no call uses them"] if unused else []
    if panels.training is not None:
        notes.append("training: a SavedModel that predicts holds none")
    return tuple(notes)
