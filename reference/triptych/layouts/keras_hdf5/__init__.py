"""Keras HDF5: whole models and weights files of Keras 1 to 3, as ``model.save("x.h5")`` and ``save_weights`` write them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.layouts.layout import Fit, Layout, Outline
from triptych.model import Architecture, Panels

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def _recognises(path: Path, head: bytes) -> bool:
    if not head.startswith(_SIGNATURE):
        return False
    from triptych.layouts.keras_weights.probing import is_object_paths

    return not is_object_paths(path)


def read(path: Path, **options: Any) -> Panels:
    """The panels of the HDF5 file at `path`; see `reader.read`."""
    from triptych.layouts.keras_hdf5 import reader

    return reader.read(path, **options)


def write(panels: Panels, path: Path, **options: Any) -> tuple[str, ...]:
    """Write `panels` as an HDF5 file at `path`; see `writer.write`."""
    from triptych.layouts.keras_hdf5 import writer

    return writer.write(panels, path, **options)


def _outline(panels: Panels, _: Path, **options: Any) -> Outline:
    from triptych.layouts.keras_hdf5 import writer

    return writer.outline(panels, **options)


def layers(panels: Panels) -> list[tuple[str, list[str]]]:
    """The layers of weights without an architecture, as the HDF5 file that was read had them; empty for other panels."""
    from triptych.layouts.keras_hdf5 import facts
    from triptych.layouts.keras_weights import names

    known = facts.of_panels(panels)
    return names.tensors_of(known.layers) if known is not None else []


def fitting(panels: Panels, architecture: Architecture) -> Fit:
    """What makes the arrays of a weights file, of whatever generation, fit the layers of `architecture`."""
    from triptych.layouts.keras_hdf5 import loading

    return loading.fitting(panels, architecture)


def _renamed(panels: Panels, names: Mapping[str, str]) -> Panels:
    from triptych.layouts.keras_hdf5 import facts

    return facts.renamed(panels, names)


LAYOUT = Layout(
    name="keras-hdf5",
    title="Keras HDF5",
    suffixes=(".h5", ".hdf5"),
    recognises=_recognises,
    read=read,
    write=write,
    outline=_outline,
    options=frozenset({"dialect", "weights_only"}),
    read_options=frozenset({"allow_code", "limits"}),
    needs_architecture=True,
    layers=layers,
    fitting=fitting,
    renamed=_renamed,
)
