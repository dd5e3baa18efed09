"""PyTorch files, ``.pt`` and ``.pth``: state dictionaries and training dictionaries, read without running anything that a file names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.layouts.layout import Layout, Outline
from triptych.model import Panels

_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
"""The number that the stream of pickles begins with, as any protocol spells it."""


def _recognises(path: Path, head: bytes) -> bool:
    if head[:4] == b"PK\x03\x04":
        import mmap

        from triptych.layouts.torch_pickle import zipped

        with path.open("rb") as file:
            return zipped.is_torch(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
    if head[:1] == b"\x80" and _MAGIC in head[:32]:
        return True
    from triptych.layouts.torch_pickle import legacy

    return legacy.is_tar(head)


def read(path: Path, **options: Any) -> Panels:
    """The panels of the PyTorch file at `path`; see `reader.read`."""
    from triptych.layouts.torch_pickle import reader

    return reader.read(path, **options)


def write(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    """Write `panels` as a PyTorch file at `path`; see `writer.write`."""
    from triptych.layouts.torch_pickle import writer

    return writer.write(panels, path, **options)


def _outline(panels: Panels, path: Path) -> Outline:
    from triptych.layouts.torch_pickle import writer

    return writer.outline(panels, path)


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each thing of the PyTorch file that was read that `panels` do not hold."""
    from triptych.layouts.torch_pickle import facts

    return facts.left_out(panels)


def _renamed(panels: Panels, names: Mapping[str, str]) -> Panels:
    from triptych.layouts.torch_pickle import facts

    return facts.renamed(panels, names)


LAYOUT = Layout(
    name="torch",
    title="PyTorch",
    suffixes=(".pt", ".pth"),
    recognises=_recognises,
    read=read,
    write=write,
    outline=_outline,
    read_options=frozenset({"limits"}),
    renamed=_renamed,
)
