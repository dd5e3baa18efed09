"""Finds what is to be checked at a path: the file or package itself, or everything beneath a folder that looks like a model."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from triptych import layouts
from triptych.errors import Problem
from triptych.layouts import Layout, architecture_text, hub, own, tf_checkpoint
from triptych.limits import DEFAULT_LIMITS

_TEXTS = (architecture_text.JSON_LAYOUT, architecture_text.YAML_LAYOUT)
_LAYERS_OF_JSON = re.compile(rb"\b(layers|class_name)\\?[\"']?\s*:")
_LAYERS_OF_YAML = re.compile(rb"^[\"']?(layers|class_name)[\"']?\s*:", re.MULTILINE)
"""What tells text with an architecture from any other JSON or YAML of a project; in JSON, where it is a member of the outermost object."""
_SPEAKS_OF_US = re.compile(rb'"format"\s*:\s*"triptych"')
_HEAD_BYTES = 65536
_SHARED = (hub.LAYOUT, tf_checkpoint.LAYOUT)
"""Layouts of folders that may hold other things as well."""
_OF_PACKAGES = ("architecture.json", "architecture.yaml", "training.json", "model.safetensors", "model.safetensors.index.json")
_OF_HUBS = ("config.json", "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
_SUFFIXES = tuple(sorted({suffix for one in layouts.LAYOUTS if one not in _TEXTS for suffix in one.suffixes} - {"", ".json", ".yaml", ".yml"}))
"""Names that promise a model: what has one is looked at whatever it holds."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing to be checked."""

    path: Path
    problem: Problem | None = None
    """Why it cannot be checked, where that is known already."""


def gather(paths: Iterable[Path], *, members: bool = False) -> list[Thing]:
    """What is to be checked at `paths`, each once, in their order and within a folder by name.

    A file that was named is taken whatever it is. A folder is walked: packages and folders of foreign layouts are one thing each, of
    other files those count whose content is a model's or whose name promises one. Beside the files of a hub's folder or of a checkpoint
    there may be more, which is looked at too. Folders whose name starts with a dot are passed over, and links lead nowhere: a link to a
    model outside the folder is a thing that cannot be checked.

    Args:
        paths: Files and folders.
        members: Whether a file inside a package stands for that package.
    """
    things: dict[str, Thing] = {}
    for path in paths:
        target = (package_around(path) or path) if members else path
        for thing in _at(target):
            things.setdefault(os.path.realpath(thing.path) if thing.problem is None else str(thing.path), thing)
    return list(things.values())


def package_around(path: Path) -> Path | None:
    """The outermost package folder that the file at `path` lies in; None if it lies in none."""
    found = None
    for folder in path.parents:
        if _says_package(folder):
            found = folder
    return found


def _at(path: Path) -> Iterator[Thing]:
    """What is to be checked at a path that somebody named."""
    if not path.is_dir():
        yield _special(path) if path.exists() and not path.is_file() else Thing(path)
        return
    found = list(_in_folder(path, os.path.realpath(path)))
    yield from found or [Thing(path, Problem("LAYOUT_UNKNOWN", "", "", "expected a package or a folder with models in it, got neither"))]


def _in_folder(folder: Path, root: str) -> Iterator[Thing]:
    """The folder as one thing, or what is in it."""
    try:
        layout = layouts.recognise(folder)
    except OSError as error:
        yield _unreadable(folder, error)
        return
    if (layout is own.LAYOUT and not _says_package(folder)) or (layout is hub.LAYOUT and not _says_hub(folder)):
        layout = None
    if layout is not None:
        yield Thing(folder)
    if layout is None or layout in _SHARED:
        yield from _beneath(folder, root, layout)


def _says_hub(folder: Path) -> bool:
    """Whether `folder` is one model: a file of weights alone does not make it one."""
    return any((folder / name).is_file() for name in _OF_HUBS)


def _says_package(folder: Path) -> bool:
    """Whether `folder` is meant as a package: other programs too have a manifest.json."""
    try:
        with (folder / "manifest.json").open("rb") as file:
            if _SPEAKS_OF_US.search(file.read(_HEAD_BYTES)):
                return True
        return any((folder / name).is_file() for name in _OF_PACKAGES)
    except OSError:
        return False


def _beneath(folder: Path, root: str, layout: Layout | None) -> Iterator[Thing]:
    """The things in a folder, without those that the `layout` of the folder reads with it."""
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield _unreadable(folder, error)
        return
    for entry in ordered:
        path = folder / entry.name
        try:
            if entry.is_symlink():
                yield from _link(path, root)
            elif entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    yield from _in_folder(path, root)
            elif not entry.is_file(follow_symlinks=False):
                if path.name.endswith(_SUFFIXES):
                    yield _special(path)
            elif not _belongs(path, layout) and _is_meant(path):
                yield Thing(path)
        except OSError as error:
            yield _unreadable(path, error)


def _link(path: Path, root: str) -> Iterator[Thing]:
    """A link that leads out or nowhere is said where its name promises a model; what one inside leads to is met on its own."""
    target = os.path.realpath(path)
    if not path.name.endswith(_SUFFIXES):
        return
    if os.path.commonpath((root, target)) != root:
        yield Thing(path, Problem("FILE_UNREADABLE", "", "", "expected a file inside the folder, got a symbolic link that leads out of it"))
    elif not Path(target).exists():
        yield Thing(path, Problem("FILE_UNREADABLE", "", "", "expected a file, got a symbolic link to what is not there"))


def _belongs(path: Path, layout: Layout | None) -> bool:
    """Whether the file is read with its folder."""
    if layout is hub.LAYOUT:
        return path.name.endswith((".safetensors", ".bin", ".json"))
    return layout is tf_checkpoint.LAYOUT and layouts.recognise(path) is layout


def _is_meant(path: Path) -> bool:
    """Whether the file at `path` is a model by its content, or promises to be one by its name."""
    if path.name.endswith(_SUFFIXES):
        return True
    layout = layouts.recognise(path)
    if layout not in _TEXTS:
        return layout is not None
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if layout is architecture_text.YAML_LAYOUT:
            return _LAYERS_OF_YAML.search(head) is not None
        return _LAYERS_OF_JSON.search(head) is not None and _is_of_layers(head + file.read(DEFAULT_LIMITS.training_bytes), path.name)


def _is_of_layers(text: bytes, name: str) -> bool:
    """Whether JSON is an object with layers; so is a broken or long ``.json``, of which reading says what is wrong, and what is in a string."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return name.endswith(".json")
    return isinstance(value, str) or (isinstance(value, dict) and not value.keys().isdisjoint(("layers", "class_name")))


def _special(path: Path) -> Thing:
    return Thing(path, Problem("FILE_UNREADABLE", "", "", "expected a file or a folder, got a pipe, a socket or a device"))


def _unreadable(path: Path, error: OSError) -> Thing:
    return Thing(path, Problem("FILE_UNREADABLE", "", "", f"expected what can be read, got {error.strerror or error}"))
