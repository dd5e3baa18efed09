"""Folders of the model hubs: safetensors or PyTorch's files, whole or sharded with an index, with configuration and tokenizer beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from triptych.layouts.layout import Layout, Outline
from triptych.model import Panels


def _recognises(path: Path, head: bytes) -> bool:
    from triptych.layouts.hub import folder

    return not head and folder.is_hub(path)


def read(path: Path, **options: Any) -> Panels:
    """The panels of the folder at `path`; see `reader.read`."""
    from triptych.layouts.hub import reader

    return reader.read(path, **options)


def write(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    """Write `panels` as a folder at `path`; see `writer.write`."""
    from triptych.layouts.hub import writer

    return writer.write(panels, path, **options)


def _outline(panels: Panels, path: Path, **options: Any) -> Outline:
    from triptych.layouts.hub import writer

    return writer.outline(panels, path, **options)


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each file of the folder that was read that `panels` do not hold."""
    from triptych.layouts.hub import reader

    return reader.left_out(panels)


LAYOUT = Layout(
    name="hub",
    title="hub folder",
    suffixes=(),
    recognises=_recognises,
    read=read,
    write=write,
    outline=_outline,
    options=frozenset({"max_shard_bytes"}),
    read_options=frozenset({"limits"}),
)
