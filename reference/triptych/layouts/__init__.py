"""Foreign layouts: one room each; recognised by content, read and written without the framework they come from.

Adding a layout is one new room and one line in `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from triptych.layouts import (
    architecture_text,
    hub,
    keras_hdf5,
    keras_v3,
    numpy_arrays,
    own,
    safetensors_weights,
    saved_model,
    tf_checkpoint,
    tfjs,
    torch_distributed,
    torch_pickle,
)
from triptych.layouts.layout import Fit, Layout
from triptych.model import Architecture, Panels, Training, Weights

LAYOUTS: tuple[Layout, ...] = (
    own.LAYOUT,
    keras_v3.ARCHIVE_LAYOUT,
    keras_v3.WEIGHTS_LAYOUT,
    keras_hdf5.LAYOUT,
    torch_pickle.LAYOUT,
    torch_distributed.LAYOUT,
    saved_model.LAYOUT,
    hub.LAYOUT,
    numpy_arrays.ARCHIVE_LAYOUT,
    numpy_arrays.FOLDER_LAYOUT,
    safetensors_weights.LAYOUT,
    tfjs.LAYOUT,
    tf_checkpoint.LAYOUT,
    architecture_text.JSON_LAYOUT,
    architecture_text.YAML_LAYOUT,
)
"""Every layout, in the order in which they are asked whether they know a file; no two may claim the same content."""


def recognise(path: Path) -> Layout | None:
    """The layout of what stands at `path`, by its content and never by its name; None if no layout is like this."""
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(512)
    return next((layout for layout in LAYOUTS if layout.recognises(path, head)), None)


def layers_of(panels: Panels) -> Sequence[tuple[str, Sequence[str]]]:
    """Each layer's name with its tensors' names, of panels without architecture whose file said so; empty for others."""
    return next((found for layout in LAYOUTS if layout.layers and (found := layout.layers(panels))), ())


def fitting_of(panels: Panels, architecture: Architecture) -> Fit | None:
    """What makes the weights of panels without architecture fit `architecture`, where their layout knows of older ways to lay them out."""
    return next((layout.fitting(panels, architecture) for layout in LAYOUTS if layout.layers and layout.fitting and layout.layers(panels)), None)


def placed_in(panels: Panels, architecture: Architecture) -> Weights | None:
    """Weights without an architecture under the names that `architecture` has for them, where their layout tells; else None."""
    found = (layout.placed(panels, architecture) for layout in LAYOUTS if layout.placed)
    return next((weights for weights in found if weights is not None), None)


def resumed(training: Training, architecture: Architecture, weights: Weights) -> Training | None:
    """A training that came with weights without an architecture, with its state by the weights of `architecture`, where its layout tells; else None."""
    found = (layout.resumed(training, architecture, weights) for layout in LAYOUTS if layout.resumed)
    return next((one for one in found if one is not None), None)


def under_names(panels: Panels, names: Mapping[str, str]) -> Panels:
    """`panels`, whose tensors were renamed as `names` says, with what each layout keeps by name in extensions under the new names."""
    for layout in LAYOUTS:
        if layout.renamed is not None:
            panels = layout.renamed(panels, names)
    return panels


__all__ = ["LAYOUTS", "Layout", "fitting_of", "layers_of", "placed_in", "recognise", "resumed", "under_names"]
