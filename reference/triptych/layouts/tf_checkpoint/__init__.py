"""TensorFlow checkpoints, of objects and of names: read by walking the objects, written so that TensorFlow restores and consumes all of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.layouts.layout import Layout, Outline
from triptych.model import Architecture, Panels, Weights


def _recognises(path: Path, _: bytes) -> bool:
    from triptych.errors import InvalidModelError
    from triptych.layouts.tensorflow import bundle_index, saved_slices
    from triptych.layouts.tensorflow.locate import locate

    try:
        locate(path)
    except FileNotFoundError:
        return False
    except InvalidModelError:
        # Reading says what is wrong, if there is a checkpoint at all.
        return path.is_dir() and any(saved_slices.is_table(one) for one in path.glob(f"*{bundle_index.SUFFIX}"))
    return True


def read(path: Path, **options: Any) -> Panels:
    """The panels of the checkpoint at `path`; see `reader.read`."""
    from triptych.layouts.tf_checkpoint import reader

    return reader.read(path, **options)


def write(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    """Write `panels` as the checkpoint `path`; see `writer.write`."""
    from triptych.layouts.tf_checkpoint import writer

    return writer.write(panels, path, **options)


def _outline(panels: Panels, path: Path, **options: Any) -> Outline:
    from triptych.layouts.tf_checkpoint import writer

    return writer.outline(panels, path, **options)


def _stands_at(path: Path) -> bool:
    from triptych.layouts.tensorflow.bundle_index import SUFFIX

    return path.exists() or path.with_name(path.name + SUFFIX).exists()


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each thing of the checkpoint that was read that `panels` do not hold."""
    from triptych.layouts.tf_checkpoint import facts

    return facts.left_out(panels)


def _layers(panels: Panels) -> list[tuple[str, list[str]]]:
    from triptych.layouts.tf_checkpoint import placing

    return placing.layers(panels)


def _placed(panels: Panels, architecture: Architecture) -> Weights | None:
    from triptych.layouts.tf_checkpoint import placing

    return placing.placed(panels, architecture)


def _renamed(panels: Panels, names: Mapping[str, str]) -> Panels:
    from triptych.layouts.tf_checkpoint import facts

    return facts.renamed(panels, names)


LAYOUT = Layout(
    name="tf-checkpoint",
    title="TensorFlow checkpoint",
    suffixes=(".ckpt",),
    recognises=_recognises,
    read=read,
    write=write,
    outline=_outline,
    options=frozenset({"dialect", "legacy_optimizer", "max_shard_bytes", "weights_only"}),
    stands_at=_stands_at,
    is_prefix=True,
    read_options=frozenset({"limits"}),
    needs_architecture=True,
    layers=_layers,
    placed=_placed,
    renamed=_renamed,
)
