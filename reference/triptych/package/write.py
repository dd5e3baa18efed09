"""Writes a package, as a folder or an archive: plans every byte, streams the tensors, commits by the save protocol."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from triptych.errors import Findings, UsageError, pointer_token, shorten
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Json, Panels, Tensor
from triptych.package import archive, atomic, manifest, names, safetensors_file, shards
from triptych.package.files import FileSystem
from triptych.package.safetensors_file import Plan
from triptych.package.streaming import Hashing, Output, Progress, Stream

Form = Literal["directory", "archive"]
SUFFIX = ".triptych"
"""A target with this suffix becomes an archive, where the caller does not say."""
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that goes into a package but its manifest."""

    documents: Mapping[str, bytes]
    """Documents and shard indexes."""
    files: Mapping[str, Plan]
    """safetensors members."""
    assets: Mapping[str, Tensor]
    sections: Mapping[str, str]

    def sizes(self) -> dict[str, int]:
        """Member -> bytes."""
        sizes = {name: len(content) for name, content in self.documents.items()}
        sizes.update((name, plan.size) for name, plan in self.files.items())
        sizes.update((name, asset.nbytes) for name, asset in self.assets.items())
        return sizes


def write_package(
    panels: Panels,
    path: str | os.PathLike[str],
    *,
    form: Form | None = None,
    max_shard_bytes: int | None = None,
    architecture_spelling: Literal["json", "yaml"] = "json",
    progress: Progress | None = None,
    overwrite: bool = True,
    durable: bool = True,
    fs: FileSystem | None = None,
) -> None:
    """Write `panels` to `path`, whole or not at all; what stood there is replaced when the new package is complete and durable.

    Args:
        panels: The model. Each tensor is read once, when its turn comes.
        path: The target. A folder is replaced only if it is a package with no other files in it.
        form: Folder or archive; None: an archive if `path` ends with ``.triptych``.
        max_shard_bytes: Tensor data of one safetensors member, at most, where it has more than one tensor; None: all in one.
        architecture_spelling: Spelling of the architecture and training documents.
        progress: Called as bytes are written.
        overwrite: Whether what stands at `path` may be replaced.
        durable: Whether the package is to survive a power cut from the moment this function returns.
        fs: The file operations; for tests.

    Raises:
        InvalidModelError: The model breaks the specification; nothing was touched.
        UsageError: The target may not be replaced, or an option is impossible.
        SaveError: The file system refused; what stood at `path` is unchanged.
    """
    fs = fs or FileSystem()
    target = Path(os.fspath(path))
    chosen = form or ("archive" if target.name.endswith(SUFFIX) else "directory")
    if chosen not in ("directory", "archive") or architecture_spelling not in ("json", "yaml"):
        raise UsageError(f"expected the form directory or archive and the spelling json or yaml, got {shorten(form)} and {shorten(architecture_spelling)}")
    if max_shard_bytes is not None and max_shard_bytes < 1:
        raise UsageError(f"expected max_shard_bytes from 1, got {max_shard_bytes}")
    contents = _contents(panels, architecture_spelling, max_shard_bytes)
    _check_panels(panels, contents)
    sizes = contents.sizes()
    sizes[names.MANIFEST] = len(_manifest(panels, contents, {}))
    if chosen == "archive":
        _write_archive(panels, contents, sizes, target, fs, progress, overwrite=overwrite, durable=durable)
    else:
        _check_replaceable(atomic.target_of(target))
        _write_folder(panels, contents, sizes, target, fs, progress, overwrite=overwrite, durable=durable)


# --- what to write

def _contents(panels: Panels, spelling: str, max_shard_bytes: int | None) -> Contents:
    from triptych.documents import architecture_to_data, dump_json, dump_yaml, training_to_data

    documents: dict[str, bytes] = {}
    files: dict[str, Plan] = {}
    sections: dict[str, str] = {}

    def add_document(section: str, data: Json) -> None:
        sections[section] = f"{section}.{spelling}"
        documents[sections[section]] = (dump_json(data) if spelling == "json" else dump_yaml(data)).encode()

    def add_tensors(section: str, stem: str, tensors: Mapping[str, Tensor]) -> None:
        parts = shards.split(tensors, stem, max_shard_bytes)
        files.update((name, safetensors_file.plan(part)) for name, part in parts.items())
        sections[section] = next(iter(parts))
        if len(parts) > 1:
            sections[section] = f"{stem}{manifest.INDEX_SUFFIX}"
            documents[sections[section]] = dump_json(shards.index_data(parts)).encode()

    if panels.architecture is not None:
        add_document("architecture", architecture_to_data(panels.architecture))
    if panels.weights is not None:
        add_tensors("weights", "model", panels.weights.tensors)
    if panels.training is not None:
        add_document("training", training_to_data(panels.training))
        if panels.training.state is not None:
            add_tensors("training_state", "training", panels.training.state.tensors)
    return Contents(documents, files, dict(panels.assets), sections)


def _check_panels(panels: Panels, contents: Contents) -> None:
    """Refuse a model that no reader would accept, before anything on disk is touched."""
    from triptych.checks import check_panels
    from triptych.documents import architecture_to_data, schemas, training_to_data

    if not contents.sections:
        raise UsageError("expected a model with an architecture, weights or training, got none of them")
    findings = Findings()
    if panels.architecture is not None:
        schemas.check("architecture", architecture_to_data(panels.architecture), findings.at(contents.sections["architecture"]))
    if panels.training is not None:
        schemas.check("training", training_to_data(panels.training), findings.at(contents.sections["training"]))
    for member, plan in contents.files.items():
        for name in plan.tensors:
            fault = names.tensor_name_fault(name, DEFAULT_LIMITS)
            if fault is not None or name == safetensors_file.METADATA:
                findings.at(member).add("WGT-011", f"/{pointer_token(name)}", f"{fault or 'expected another name'}, got {shorten(name)}")
    own = {*contents.documents, *contents.files, names.MANIFEST, names.MIMETYPE}
    for name in contents.assets:
        fault = names.member_name_fault(name, DEFAULT_LIMITS)
        if fault is not None or name in own:
            raise UsageError(f"{fault or 'expected an asset name that no other member has'}, got {shorten(name)}")
    for name, other in names.clashes([*sorted(own), *sorted(contents.assets)]):
        raise UsageError(f"expected member names that every file system keeps apart, got {shorten(name)} beside {shorten(other)}")
    findings.raise_if_any()
    check_panels(panels, findings, contents.sections)
    findings.raise_if_any()


def _manifest(panels: Panels, contents: Contents, records: Mapping[str, Json]) -> bytes:
    """The manifest; members without a record get one of the same length."""
    from triptych.documents import dump_json

    blank = manifest.DIGEST_PLACEHOLDER
    sizes = contents.sizes()
    complete: dict[str, Json] = {}
    for name, size in sizes.items():
        if name in contents.files:
            stand_in = manifest.tensor_record(size, blank, dict.fromkeys(contents.files[name].tensors, blank))
        else:
            stand_in = {"size": size, "digest": blank}
        complete[name] = records.get(name, stand_in)
    return dump_json(manifest.to_data(panels, contents.sections, complete)).encode()


# --- how to write it

def _stream_member(name: str, contents: Contents, stream: Stream, output: Output, records: dict[str, Json]) -> int:
    """Append member `name` to `output`, note its record, and return its CRC-32."""
    if name in contents.files:
        plan = contents.files[name]
        crc, digests = stream.tensors(name, plan, output)
        records[name] = manifest.tensor_record(plan.size, manifest.digest(plan.header), digests)
        return crc
    content = memoryview(contents.documents[name]) if name in contents.documents else contents.assets[name].read()
    records[name] = {"size": len(content), "digest": manifest.digest(content)}
    return stream.content(name, content, output)


def _write_archive(
    panels: Panels, contents: Contents, sizes: dict[str, int], target: Path, fs: FileSystem, progress: Progress | None, *, overwrite: bool, durable: bool
) -> None:
    entries, start = archive.place([*sizes.items(), (names.MIMETYPE, len(names.MIMETYPE_CONTENT))])
    total = start + len(archive.tail(entries, start))
    place = atomic.target_of(target)
    with atomic.replacing(place, fs, folder=False, size=total, overwrite=overwrite, durable=durable) as staged, Hashing() as hashing:
        stream = Stream(hashing, total, progress, checksums=True)
        mode = atomic.mode_of(place, fs)
        descriptor = fs.open(staged, _NEW_FILE, 0o666 if mode is None else mode)
        try:
            output = Output(descriptor, fs, durable=durable)
            output.allocate(total)
            records: dict[str, Json] = {}
            for entry in entries:
                output.write([memoryview(entry.local_header())])
                if entry.name in (names.MIMETYPE, names.MANIFEST):
                    content = names.MIMETYPE_CONTENT if entry.name == names.MIMETYPE else _manifest(panels, contents, records)
                    entry.crc = stream.content(entry.name, memoryview(content), output)
                else:
                    entry.crc = _stream_member(entry.name, contents, stream, output, records)
                fs.pwrite_all(descriptor, entry.local_header()[: archive.LOCAL.size], entry.offset)
            output.write([memoryview(archive.tail(entries, start))])
            _finish(descriptor, mode, fs, durable=durable)
        finally:
            fs.close(descriptor)


def _write_folder(
    panels: Panels, contents: Contents, sizes: dict[str, int], target: Path, fs: FileSystem, progress: Progress | None, *, overwrite: bool, durable: bool
) -> None:
    place = atomic.target_of(target)
    total = sum(sizes.values())
    with atomic.replacing(place, fs, folder=True, size=total, overwrite=overwrite, durable=durable) as staged, Hashing() as hashing:
        stream = Stream(hashing, total, progress, checksums=False)
        folder_mode = atomic.mode_of(place, fs)
        file_mode = None if folder_mode is None else atomic.mode_of(os.path.join(place, names.MANIFEST), fs)
        folders = _make_folders(staged, sizes, folder_mode, fs)
        records: dict[str, Json] = {}
        for name in sorted(sizes, key=archive.member_order):
            descriptor = fs.open(os.path.join(staged, name), _NEW_FILE, 0o666 if file_mode is None else file_mode)
            try:
                output = Output(descriptor, fs, durable=durable)
                output.allocate(sizes[name])
                if name == names.MANIFEST:
                    stream.content(name, memoryview(_manifest(panels, contents, records)), output)
                else:
                    _stream_member(name, contents, stream, output, records)
                _finish(descriptor, file_mode, fs, durable=durable)
            finally:
                fs.close(descriptor)
        for folder in reversed(folders) if durable else ():
            atomic.sync_folder(folder, fs)


def _make_folders(staged: str, members: Mapping[str, int], mode: int | None, fs: FileSystem) -> list[str]:
    """Make the package's folder and those of its members; outermost first."""
    inner = {"/".join(name.split("/")[:depth]) for name in members for depth in range(1, name.count("/") + 1)}
    folders = [staged, *(os.path.join(staged, name) for name in sorted(inner))]
    for folder in folders:
        fs.mkdir(folder)
        if mode is not None:
            descriptor = fs.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fs.chmod(descriptor, mode)
            finally:
                fs.close(descriptor)
    return folders


def _finish(descriptor: int, mode: int | None, fs: FileSystem, *, durable: bool) -> None:
    if mode is not None:
        fs.chmod(descriptor, mode)
    if durable:
        fs.fsync(descriptor)


def _check_replaceable(target: str) -> None:
    """Refuse to replace a folder that is no package, or that holds files which are no part of it.

    Raises:
        UsageError: It is such a folder.
    """
    if not os.path.isdir(target):
        return
    found = {os.path.relpath(os.path.join(root, name), target) for root, _, files in os.walk(target) for name in files}
    if not found:
        return
    try:
        path = os.path.join(target, names.MANIFEST)
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise ValueError(path)
        data = json.loads(Path(path).read_bytes())
        members = set(data["members"]) if data["format"] == "triptych" else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        members = None
    if members is None:
        raise UsageError(f"expected a package or nothing at {target!r}, got a folder with other files; it is not replaced")
    foreign = sorted(found - members - {names.MANIFEST, names.MIMETYPE})
    if foreign:
        raise UsageError(f"expected a package and nothing else at {target!r}, got {shorten(foreign[0])}, which would be lost; it is not replaced")
