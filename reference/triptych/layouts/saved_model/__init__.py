"""TensorFlow SavedModel: directories that ``tf.saved_model.save``, Keras' ``save`` and ``export``, estimators and hubs write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.layouts.layout import Layout, Outline
from triptych.model import Architecture, Panels, Weights


def _recognises(path: Path, head: bytes) -> bool:
    from triptych.layouts.saved_model import folder

    return not head and folder.is_saved_model(path)


def read(path: Path, **options: Any) -> Panels:
    """The panels of the directory at `path`; see `reader.read`."""
    from triptych.layouts.saved_model import reader

    return reader.read(path, **options)


def write(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    """Write `panels` as a directory at `path`; see `writer.write`."""
    from triptych.layouts.saved_model import writer

    return writer.write(panels, path, **options)


def _outline(panels: Panels, path: Path) -> Outline:
    from triptych.layouts.saved_model import writer

    return writer.outline(panels, path)


def layers(panels: Panels) -> Sequence[tuple[str, Sequence[str]]]:
    """The layers of weights without an architecture, as far as the directory told them; empty for other panels."""
    from triptych.layouts.keras_weights import names
    from triptych.layouts.saved_model import facts

    rows = facts.layers_of(panels)
    return names.tensors_of(rows) if rows else []


def placed(panels: Panels, architecture: Architecture) -> Weights | None:
    """Variables that go by their names alone, under the names that `architecture` has for them; None for other panels."""
    from triptych.layouts.saved_model import bare, facts

    if panels.weights is None or facts.member(panels, "tags") is None or facts.layers_of(panels):
        return None
    return bare.placed(panels.weights, architecture)


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each thing of the directory that was read that `panels` do not hold."""
    from triptych.layouts.saved_model import facts

    return facts.left_out(panels)


LAYOUT = Layout(
    name="saved-model",
    title="TensorFlow SavedModel",
    suffixes=(),
    recognises=_recognises,
    read=read,
    write=write,
    outline=_outline,
    read_options=frozenset({"allow_code", "limits"}),
    layers=layers,
    placed=placed,
)
