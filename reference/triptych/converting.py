"""What the conformance adapter does for foreign layouts: reads one into panels, writes panels as one, and says what was not kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from triptych.model import Json, Panels

NAMES = {"tensorflow-checkpoint": "tf-checkpoint", "pytorch": "torch", "pytorch-distributed": "torch-distributed", "numpy": "npz"}
"""Profile of the suite -> the layout's name here, where it is another."""
PROFILES = (
    "keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "saved-model", "pytorch", "pytorch-distributed", "safetensors", "numpy", "hub",
)


def read_foreign(request: Mapping[str, Json]) -> tuple[Panels, tuple[str, ...]]:
    """The panels of the foreign file in `request`, and sentences that name what they do not hold."""
    from triptych.surface.model import Model
    from triptych.surface.opening import fitted, read

    panels = read(Path(request["input"]), verify="full")
    if "architecture" in request:
        panels = fitted(panels, architecture=request["architecture"])
    return panels, Model(panels).notes


def write_foreign(panels: Panels, request: Mapping[str, Json]) -> tuple[str, ...]:
    """Writes `panels` as the foreign file that `request` asks for; sentences that name what it does not hold."""
    from triptych.layouts import LAYOUTS
    from triptych.surface.model import Model
    from triptych.surface.saving import save

    name = NAMES.get(request["layout"], request["layout"])
    options = {"dialect": request["generation"]} if "generation" in request else {}
    (layout,) = (one for one in LAYOUTS if one.name == name)
    return save(Model(panels), request["output"], layout=name, overwrite=False, **{key: value for key, value in options.items() if key in layout.options})
