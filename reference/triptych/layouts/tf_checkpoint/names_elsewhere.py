"""The names that each Keras has for every weight of an architecture, in checkpoints and in HDF5: chapter 45 of the specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from triptych.errors import Findings
from triptych.layouts import keras_config
from triptych.layouts.keras_config.generations import KERAS2, KERAS3
from triptych.layouts.keras_v3.graph_order import in_keras_order
from triptych.layouts.keras_v3.object_paths import saved_objects
from triptych.layouts.keras_v3.reader import architecture_config
from triptych.layouts.keras_weights.places import default_names, top_layers
from triptych.layouts.tensorflow.object_graph import escape
from triptych.layouts.tf_checkpoint.keras_paths import held_weights
from triptych.model import Architecture


def names_elsewhere(architecture: Architecture, findings: Findings) -> dict[str, dict[str, dict[str, str]]]:
    """Tensor -> ``keras2`` and ``keras3`` -> form -> name: ``objects``, ``hdf5`` and, of Keras 3, ``paths``; those left out that it has not.

    Raises:
        InvalidModelError: A layer of unknown type has weights: only its class tells what it calls them.
        ConversionError: Keras has no place for the model.
    """
    plain, _ = keras_config.without_composites(architecture)
    for _, pointer, layer in plain.walk():
        if ":" in layer.type and layer.weights:
            findings.add("NAM-005", f"{pointer}/type", f"expected a type of chapter 26 of a layer with weights, got {layer.type!r}")
    findings.raise_if_any()
    found: dict[str, dict[str, dict[str, str]]] = {}
    for dialect in (KERAS2, KERAS3):
        for form, names in _forms(plain, dialect):
            for tensor, name in names.items():
                found.setdefault(tensor, {}).setdefault(dialect, {})[form] = name
    return found


def _forms(architecture: Architecture, dialect: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield "objects", {one.place.tensor: "/".join(map(escape, one.path)) for one in held_weights(architecture, dialect)}
    tops = top_layers(architecture).values()
    pairs = ((top.name, place.tensor, label) for top in tops for place, label in zip(top.places, default_names(top, architecture, dialect), strict=True))
    yield "hdf5", {tensor: f"{layer}/{label}" for layer, tensor, label in pairs}
    if dialect == KERAS3:
        config, generation = architecture_config(architecture, KERAS3)
        saved = saved_objects(in_keras_order(config, architecture), architecture, generation)
        yield "paths", {place.tensor: f"{one.other or one.path}/vars/{key}" for one in saved for key, place in one.keyed}


__all__ = ["names_elsewhere"]
