"""Loads the arrays of a weights file into an architecture of another generation, as Keras' own ``load_weights`` does."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.layouts.keras_hdf5.facts import of_panels
from triptych.layouts.keras_weights.assignment import Array
from triptych.layouts.keras_weights.fitting import Origin, fitted
from triptych.layouts.keras_weights.names import tensors_of
from triptych.layouts.keras_weights.places import top_layers
from triptych.layouts.layout import Fit
from triptych.model import Architecture, Panels, Tensor


def fitting(panels: Panels, architecture: Architecture) -> Fit:
    """What makes the arrays of `panels`, read of a file without architecture, fit the layers of `architecture`."""
    facts = of_panels(panels)
    assert facts is not None
    assert panels.weights is not None
    held = panels.weights.tensors
    rows = {layer: stored for layer, *stored in facts.layers}
    tensors = dict(tensors_of(facts.layers))
    version, backend = facts.attributes.get("keras_version"), facts.attributes.get("backend")
    origin = Origin.of(
        version if isinstance(version, str) else None,
        backend if isinstance(backend, str) else None,
        [name for stored in rows.values() for name in stored],
    )
    tops = top_layers(architecture)

    def fit(here: str, there: str) -> Sequence[Tensor] | None:
        top = tops.get(here)
        found = [(label, held[name]) for label, name in zip(rows.get(there, ()), tensors.get(there, ()), strict=True) if name in held]
        if top is None or not found:
            return None
        return fitted([Array(label, t.shape) for label, t in found], [t for _, t in found], top, origin)

    return fit
