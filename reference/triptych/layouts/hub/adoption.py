"""Makes a package of a model hub's folder where it lies: a manifest is added, and no other byte is written."""

from __future__ import annotations

import os
from pathlib import Path

from triptych.errors import InvalidModelError, SaveError, UsageError, naming, shorten
from triptych.layouts.hub import training
from triptych.layouts.hub.folder import MANIFEST, Folder, scan
from triptych.layouts.hub.reader import index_of, mapped, read, tensor_file
from triptych.layouts.problems import inexpressible
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Json, Panels
from triptych.package import manifest, names, validate_package
from triptych.package.atomic import sweep, target_of, write_file
from triptych.package.files import FileSystem


def adopt(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Panels:
    """Add a manifest to the hub's folder at `path`, and return what the package holds.

    Every file becomes a member: the weights with a digest for each tensor, all others as assets. Nothing is removed or rewritten.

    Raises:
        UsageError: There is a manifest already, or no such folder.
        ConversionError: The weights are PyTorch's, or a file cannot be a member of a package.
        InvalidModelError: A file is damaged, or the package would not be valid; the folder is as before.
        SaveError: The manifest could not be written.
    """
    target = Path(path)
    with naming(path):
        return _adopted(target, limits)


def _adopted(target: Path, limits: Limits) -> Panels:
    from triptych.documents import dump_json

    sweep(target_of(target / MANIFEST), FileSystem())  # what an adoption left that died is no part of the model
    if not target.is_dir() or (target / MANIFEST).exists():
        raise UsageError(f"expected a folder of weights without {MANIFEST} at {str(target)!r}")
    folder = scan(target, limits)
    if folder.pickled:
        raise inexpressible(folder.weights, "expected safetensors to adopt them where they lie; `triptych convert` makes them of PyTorch's files")
    panels = read(target, limits=limits)
    records = _records(folder, set(_training_sections(panels).values()) - {training.DOCUMENT}, limits)
    sections = {"weights": folder.weights, **_training_sections(panels)}
    content = dump_json(manifest.to_data(Panels(metadata=panels.metadata), sections, records)).encode()
    write_file(target / MANIFEST, content, overwrite=False)
    problems = validate_package(target, limits=limits)
    if problems:
        try:
            FileSystem().unlink(os.fspath(target / MANIFEST))
        except OSError as error:
            reason = f"expected to remove {str(target / MANIFEST)!r} again, since no valid package would come of it, got: {error.strerror}"
            raise SaveError(error.errno, reason) from error
        raise InvalidModelError(problems)
    return panels


def _training_sections(panels: Panels) -> dict[str, str]:
    """Which files say the training, where the folder has one."""
    if panels.training is None:
        return {}
    return {name: member for name, member in training.SECTIONS.items() if name == "training" or panels.training.state is not None}


def _records(folder: Folder, states: set[str], limits: Limits) -> dict[str, Json]:
    """Member -> its record, of every file in the folder; `states` are safetensors beside the weights."""
    parts = states | set(index_of(folder, limits).values()) if folder.sharded else {folder.weights}
    records: dict[str, Json] = {}
    for root, inner, files in os.walk(folder.path, onerror=_raised):
        inner.sort()
        for name in (*files, *(one for one in inner if (Path(root) / one).is_symlink())):
            file = Path(root) / name
            member = file.relative_to(folder.path).as_posix()
            fault = names.member_name_fault(member)
            if fault is not None or file.is_symlink():
                raise inexpressible(shorten(member), fault or "expected plain files, got a link: copy what it leads to into its place")
            records[member] = _record(folder, member, limits, has_tensors=member in parts)
    return records


def _raised(error: OSError) -> None:
    raise error


def _record(folder: Folder, member: str, limits: Limits, *, has_tensors: bool) -> Json:
    content = mapped(folder.path / member)
    if not has_tensors:
        return {"size": len(content), "digest": manifest.digest(content)}
    tensors = tensor_file(folder, member, limits)
    digests = {name: manifest.digest(tensors.view(name)) for name in tensors}
    return manifest.tensor_record(len(content), manifest.digest(content[: tensors.header.start]), digests)
