"""PyTorch's distributed checkpoints: a folder of shards that many processes wrote, joined into whole tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triptych.layouts.layout import Layout, Outline
from triptych.model import Panels


def _recognises(path: Path, head: bytes) -> bool:
    from triptych.layouts.torch_distributed import folder

    return not head and folder.is_checkpoint(path)


def read(path: Path, **options: Any) -> Panels:
    """The panels of the checkpoint at `path`; see `reader.read`."""
    from triptych.layouts.torch_distributed import reader

    return reader.read(path, **options)


def write(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    """Write `panels` as a checkpoint at `path`; see `writer.write`."""
    from triptych.layouts.torch_distributed import writer

    return writer.write(panels, path, **options)


def _outline(panels: Panels, path: Path, **options: Any) -> Outline:
    from triptych.layouts.torch_distributed import writer

    return writer.outline(panels, path, **options)


LAYOUT = Layout(
    name="torch-distributed",
    title="PyTorch distributed checkpoint",
    suffixes=(),
    recognises=_recognises,
    read=read,
    write=write,
    outline=_outline,
    options=frozenset({"max_shard_bytes"}),
    read_options=frozenset({"limits"}),
)
