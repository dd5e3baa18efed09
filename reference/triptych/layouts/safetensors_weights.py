"""A lone safetensors file: weights without anything else."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from triptych.errors import Findings, UsageError
from triptych.layouts.layout import Layout, Outline, Stored
from triptych.model import Panels, Weights

if TYPE_CHECKING:
    from triptych.package.safetensors_file import Plan


def _recognises(path: Path, head: bytes) -> bool:  # noqa: ARG001 - every layout is asked with both
    return len(head) >= 10 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= 100_000_000


def _read(path: Path) -> Panels:
    from triptych.package.safetensors_file import TensorFile, read_header

    findings = Findings(member=path.name)
    with path.open("rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if file.seek(0, 2) else b"")
    header = read_header(data, findings)
    findings.raise_if_any()
    return Panels(weights=Weights(TensorFile(path.name, data, header, None)), metadata=header.metadata)


def _planned(panels: Panels) -> Plan:
    from triptych.package.safetensors_file import plan

    if panels.weights is None:
        raise UsageError("expected a model with weights to write a safetensors file, this one has none")
    return plan(panels.weights.tensors, panels.metadata)


def _outline(panels: Panels, _: Path) -> Outline:
    return Outline([Stored(name, tensor) for name, tensor in _planned(panels).tensors.items()], _left_out(panels))


def _write(
    panels: Panels, path: Path, *, overwrite: bool = True, progress: Callable[[int, int, str], None] | None = None
) -> tuple[str, ...]:
    from triptych.package.atomic import replace_file
    from triptych.package.files import FileSystem

    fs = FileSystem()
    planned = _planned(panels)
    with replace_file(path, fs, size=planned.size, overwrite=overwrite) as staged:
        descriptor = fs.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
        try:
            done = fs.write_all(descriptor, [memoryview(planned.header)])
            for name, tensor in planned.tensors.items():
                done += fs.write_all(descriptor, [tensor.read()])
                if progress is not None:
                    progress(done, planned.size, name)
        finally:
            fs.close(descriptor)
    return _left_out(panels)


def _left_out(panels: Panels) -> tuple[str, ...]:
    left = [("architecture", panels.architecture), ("training", panels.training), ("assets", panels.assets), ("license", panels.license)]
    return tuple(f"{name}: a safetensors file holds weights alone" for name, panel in left if panel)


LAYOUT = Layout(
    name="safetensors",
    title="safetensors weights",
    suffixes=(".safetensors",),
    recognises=_recognises,
    read=_read,
    write=_write,
    outline=_outline,
)
