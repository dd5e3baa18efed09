"""Files of tensors and archives of files: safetensors, ZIP as ours and as anybody's, numpy's arrays, folders of model hubs, TensorFlow.js."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random
from typing import Any

from fuzz import folders
from fuzz.mutators import blind, files, packages, tensors, zips
from fuzz.target import MISSING, Disagreement, Target
from fuzz.targets.reading import all_of, as_file, as_folder, read_one
from triptych import dtypes
from triptych.errors import Findings
from triptych.layouts import hub, numpy_arrays, safetensors_weights, tfjs
from triptych.layouts.numpy_arrays import header
from triptych.layouts.zip_archive import ZipArchive
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Panels
from triptych.package import archive
from triptych.package.safetensors_file import TensorFile, read_header

_MOST = 1 << 22


def _safetensors(data: memoryview) -> TensorFile:
    findings = Findings()
    found = read_header(data, findings)
    findings.raise_if_any()
    file = TensorFile("", data, found, None)
    for tensor in file.values():
        read_one(tensor)
    return file


def _as_safetensors_reads(data: bytes, _: Any, file: TensorFile) -> None:
    from safetensors import deserialize

    theirs = dict(deserialize(data))  # type: ignore[no-untyped-call]
    if set(theirs) != set(file):
        raise Disagreement(f"safetensors has the tensors {sorted(theirs)}, ours {sorted(file)}")
    for name, one in theirs.items():
        entry = file.header.entries[name]
        if (one["dtype"], list(one["shape"]), bytes(one["data"])) != (entry["dtype"], list(entry["shape"]), bytes(file.view(name))):
            raise Disagreement(f"safetensors reads tensor {name!r} otherwise")


def _framing(data: memoryview) -> dict[str, memoryview]:
    findings = Findings()
    entries = archive.read_entries(data, findings, DEFAULT_LIMITS)
    findings.raise_if_any()
    found = {}
    for one in entries:
        found[one.name] = data[one.start : one.start + one.size]
        if archive.crc_fault(one, found[one.name]) is not None:
            findings.add("PKG-022", one.name, "expected the checksum of its content")
    findings.raise_if_any()
    return found


def _as_python_unzips(data: bytes, _: Any, members: dict[str, Any]) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as theirs:
        if theirs.namelist() != list(members):
            raise Disagreement(f"zipfile has the members {theirs.namelist()}, ours {list(members)}")
        for name, content in members.items():
            if theirs.read(name) != bytes(content):
                raise Disagreement(f"zipfile reads member {name!r} otherwise")


def _members(path: Path) -> dict[str, Any]:
    found = ZipArchive(path, DEFAULT_LIMITS)
    return {name: _member(found, name) for name in found.names}


def _member(found: ZipArchive, name: str) -> Any:
    content = found.read(name, _MOST)
    view = found.view(name)
    found.check(name)()
    if content != bytes(view):
        raise AssertionError("expected the same bytes, whole and mapped")
    return content


def _as_python_unzips_files(data: bytes, path: Path, members: dict[str, Any]) -> None:
    with zipfile.ZipFile(path) as theirs:
        if [info.filename for info in theirs.infolist() if not info.is_dir()] != list(members):
            raise Disagreement(f"zipfile has the members {theirs.namelist()}, ours {list(members)}")
    del data


def _npy_header(data: memoryview) -> header.Header:
    return header.parse(data, "", DEFAULT_LIMITS)


def _as_numpy_reads(data: bytes, _: Any, found: header.Header) -> None:
    import numpy as np

    theirs = np.load(io.BytesIO(data), allow_pickle=False)
    if theirs.shape != found.shape or theirs.dtype.newbyteorder("=") != dtypes.numpy_dtype(found.dtype):
        raise Disagreement(f"numpy reads {theirs.dtype}{theirs.shape}, ours {found.dtype}{found.shape}")


_NPY = (b"\x93NUMPY", b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", b"'|O'", b"'>i8'", b"True", b"(2L,)", b"(L,)", b"(,)", b"9" * 4400, b"'shape': (", b"\x01\x00", b"\x03\x00")


def _npy(data: bytes, rng: Random) -> bytes:
    """A file like `data`, whose length of the header is put right most often."""
    found = blind.mutated(data, rng, _NPY)
    if rng.random() < 0.6 and found[:6] == b"\x93NUMPY" and len(found) > 12:
        end = found.find(b"\n", 10) + 1
        return found[:8] + (max(end, 10) - 10).to_bytes(2, "little") + found[10:] if end < 65536 else found
    return found


def _edit_npz(name: str, content: bytes, rng: Random) -> bytes:
    return _npy(content, rng) if name.endswith(".npy") else blind.mutated(content, rng)


def _same_arrays(data: bytes, path: Path, panels: Panels) -> None:
    import numpy as np

    assert panels.weights is not None
    if not data.startswith(b"PK\x03\x04"):
        return  # numpy takes it for something else; so does `triptych.load`, which asks for the layout first
    with np.load(path, allow_pickle=False) as theirs:
        for name, tensor in panels.weights.tensors.items():
            array = theirs[name]
            plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("="), copy=False)
            if tensor.nbytes <= _MOST and plain.tobytes() != bytes(tensor.read()):
                raise Disagreement(f"numpy reads {name!r} otherwise")


def _tfjs_folder(data: bytes, rng: Random) -> bytes:
    found = folders.unpack(data)
    if "model.json" in found and rng.random() < 0.7:
        return folders.pack({**found, "model.json": files.edit("model.json", found["model.json"], rng)})
    return files.mutated(data, rng)


TARGETS = (
    Target("safetensors", _safetensors, tensors.mutated, judge=_as_safetensors_reads, longest=1 << 13),
    Target("safetensors-file", all_of(safetensors_weights.LAYOUT.read), tensors.mutated, as_file("w.safetensors"), layouts=("safetensors",), longest=1 << 13),
    Target("archive-framing", _framing, zips.mutator(files.edit, packages.framed), judge=_as_python_unzips, longest=1 << 14),
    Target("zip", _members, zips.mutator(files.edit), as_file("m.zip"), judge=_as_python_unzips_files, longest=1 << 14),
    Target("npy", _npy_header, _npy, judge=_as_numpy_reads, longest=1 << 12),
    Target("npz", all_of(numpy_arrays.read), zips.mutator(_edit_npz), as_file("a.npz"), judge=_same_arrays, layouts=("npz",), longest=1 << 14),
    Target("npy-folder", all_of(numpy_arrays.read), files.mutated, as_folder(), short=200, layouts=("npy",), longest=1 << 13),
    Target("hub", all_of(hub.read), files.mutated, as_folder(), declared=MISSING, short=200, layouts=("hub",), longest=1 << 14),
    Target("tfjs", all_of(tfjs.LAYOUT.read), _tfjs_folder, as_folder("model.json"), declared=MISSING, short=200, layouts=("tfjs",), longest=1 << 14),
)
