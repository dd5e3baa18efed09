"""Which files of a model hub's folder are its weights, and which travel with them."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from triptych.errors import shorten
from triptych.layouts.problems import unsupported
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.package.names import can_be_file

MANIFEST = "manifest.json"
INDEX = ".index.json"
_SUFFIXES = (".safetensors", ".bin")
_USUAL = ("model.safetensors", "pytorch_model.bin")
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".gguf", ".pkl", ".tflite", ".mlmodel", ".ot")
"""Endings of files that hold weights: those not chosen hold the same ones in another form, or the state of a training."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder's files by what they are for; names are relative, with "/"."""

    path: Path
    weights: str
    """The file with the weights, or the index of its shards."""
    assets: tuple[str, ...]
    """Configuration, tokenizer, model card …"""
    left_out: tuple[str, ...]
    """Files that are read by nobody: weights in other forms, links, what is hidden."""

    @property
    def sharded(self) -> bool:
        """Whether `weights` is an index."""
        return self.weights.endswith(INDEX)

    @property
    def pickled(self) -> bool:
        """Whether the weights are PyTorch's files."""
        return self.weights.removesuffix(INDEX).endswith(".bin")

    def file(self, name: str) -> Path:
        """Where the file `name` is: in the folder, or where the hub's cache links to from it.

        Raises:
            UnsupportedError: It is a link to somewhere else, or no file.
        """
        found = self.path / name
        if not can_be_file(name) or not _is_inside(self.path, found):
            raise unsupported(shorten(name), "expected a file of the folder, got none or a link to somewhere else")
        return found


def chosen(names: set[str]) -> str | None:
    """Which of the files `names` of a folder says where the weights are; None if none does, or none for certain."""
    for suffix, usual in zip(_SUFFIXES, _USUAL, strict=True):
        for name in (f"{usual}{INDEX}", usual):
            if name in names:
                return name
        for ending in (f"{suffix}{INDEX}", suffix):
            others = [name for name in names if name.endswith(ending)]
            if len(others) == 1 and suffix == ".safetensors":
                return others[0]
    return None


def is_hub(path: Path) -> bool:
    """Whether a folder of a model hub stands at `path`."""
    if not path.is_dir() or (path / MANIFEST).exists():
        return False
    with os.scandir(path) as entries:
        return chosen({entry.name for _, entry in zip(range(DEFAULT_LIMITS.members), entries, strict=False)}) is not None


def scan(path: Path, limits: Limits) -> Folder:
    """The folder at `path`, sorted into weights, assets and the rest.

    Raises:
        UnsupportedError: It has more files than the limit, or no weights.
    """
    files: list[str] = []
    left_out: list[str] = []
    pending = [""]
    while pending:
        prefix = pending.pop()
        for entry in sorted(os.scandir(path / prefix), key=lambda one: one.name):
            name = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                pending.append(f"{name}/")
            elif entry.name.startswith(".") or not _is_inside(path, path / name):
                left_out.append(name)
            else:
                files.append(name)
            if len(files) + len(left_out) + len(pending) > limits.members:
                raise unsupported("", f"expected at most {limits.members:,} files, got more")
    weights = chosen({name for name in files if "/" not in name})
    if weights is None:
        raise unsupported("", "expected one file of weights or one index of shards, got none or several")
    assets = [name for name in files if name != weights and not name.endswith((*_WEIGHTS, *(f"{suffix}{INDEX}" for suffix in _SUFFIXES)))]
    left_out += [name for name in files if name != weights and name not in assets]
    return Folder(path, weights, tuple(assets), tuple(left_out))


def _is_inside(folder: Path, file: Path) -> bool:
    """Whether `file` is a plain file, or the link that the hub's cache makes to one: from snapshots/NAME to blobs beside it."""
    try:
        if not stat.S_ISLNK(file.lstat().st_mode):
            return file.is_file()
        target = file.resolve(strict=True)
        blobs = (folder.resolve().parent.parent / "blobs").resolve()
        return target.is_file() and target.parent == blobs and folder.resolve().parent.name == "snapshots"
    except RuntimeError:  # how Python 3.11 tells links that lead to themselves
        return False
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
            return False
        raise  # a disk that fails must not make a smaller model of a folder
