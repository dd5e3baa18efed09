"""The names that each Keras has for every weight of an architecture, in checkpoints and in HDF5: chapter 45 of the specification."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.errors import Findings
from triptych.layouts import keras_config
from triptych.layouts.keras_config.generations import KERAS2, KERAS3
from triptych.layouts.keras_v3.graph_order import in_keras_order, keras_order
from triptych.layouts.keras_v3.object_paths import INNER_LOOKUP, saved_objects
from triptych.layouts.keras_v3.reader import architecture_config
from triptych.layouts.keras_weights.assignment import Place
from triptych.layouts.keras_weights.places import default_names, top_layers
from triptych.layouts.nesting import leading_to
from triptych.layouts.tensorflow.object_graph import escape
from triptych.layouts.tf_checkpoint.keras_paths import held_weights
from triptych.model import Architecture, Layer
from triptych.model.composites import expand
from triptych.vocabulary import infer, weight_slots


def names_elsewhere(architecture: Architecture, findings: Findings) -> dict[str, dict[str, dict[str, str]]]:
    """Tensor -> ``keras2`` and ``keras3`` -> form -> name: ``objects``, ``hdf5`` and, of Keras 3, ``paths``; those left out that it has not.

    Raises:
        InvalidModelError: A layer of unknown type has weights, or a call an unknown operation: only its class tells what is called how.
        ConversionError: Keras has no place for the model.
    """
    _refuse_strangers(architecture, findings)
    plain, _ = keras_config.without_composites(architecture)
    found: dict[str, dict[str, dict[str, str]]] = {}
    naming = _naming_weights(plain)
    for dialect in (KERAS2, KERAS3):
        for form, places in _forms(plain, dialect):
            for place, name in places:
                if (place.owner.pointer, place.role) in naming:
                    found.setdefault(place.tensor, {}).setdefault(dialect, {}).setdefault(form, name)
    return found


def _refuse_strangers(architecture: Architecture, findings: Findings) -> None:
    """Say of each layer of unknown type with weights, its own or of layers inside it, and of each unknown operation that only its class tells names."""
    inference = infer(architecture)
    whole = expand(architecture)
    weighted = leading_to({slot.pointer for slot in weight_slots(architecture, inference)})
    strangers = [
        (f"{pointer}/type", f"expected a type of chapter 26 of a layer with weights, got {layer.type!r}")
        for _, pointer, layer in whole.walk()
        if ":" in layer.type and pointer in weighted
    ]
    graphs = [("", whole), *((f"{place}/architecture", layer.architecture) for _, place, layer in whole.walk())]
    for pointer, graph in graphs:
        for index, call in enumerate(graph.calls or () if graph else ()):
            if call.op is not None and ":" in call.op:
                strangers.append((f"{pointer}/calls/{index}/op", f"expected an operation of chapter 27, got {call.op!r}"))
    for place, message in {inference.place(pointer): message for pointer, message in strangers}.items():
        findings.add("NAM-005", place, message)
    findings.raise_if_any()


def _naming_weights(architecture: Architecture) -> set[tuple[str, str]]:
    """Of each tensor the weight whose names it has, as (JSON Pointer of the layer, role): the first of those that Keras builds."""
    rank = {pointer: number for number, pointer in enumerate(_part_of_keras(architecture, ""))}
    weights = sorted((slot for slot in weight_slots(architecture) if slot.pointer in rank), key=lambda slot: rank[slot.pointer])
    first = {slot.tensor: (slot.pointer, slot.role) for slot in reversed(weights)}
    return set(first.values())


def _part_of_keras(graph: Architecture, pointer: str) -> Iterator[str]:
    """The pointers of the layers of a graph that Keras builds, in its order, each before what is inside it."""
    place = {layer.name: index for index, layer in enumerate(graph.layers)}
    for name in place if graph.calls is None else keras_order(graph):
        if name in place:
            yield from _inside(graph.layers[place[name]], f"{pointer}/layers/{place[name]}")


def _inside(layer: Layer, pointer: str) -> Iterator[str]:
    yield pointer
    for role, sublayer in layer.sublayers.items():
        yield from _inside(sublayer, f"{pointer}/sublayers/{role}")
    if layer.architecture is not None:
        yield from _part_of_keras(layer.architecture, f"{pointer}/architecture")


def _forms(architecture: Architecture, dialect: str) -> Iterator[tuple[str, Iterator[tuple[Place, str]]]]:
    """Each form with the weights that have a name in it."""
    yield "objects", ((one.place, "/".join(map(escape, one.path))) for one in held_weights(architecture, dialect))
    tops = top_layers(architecture)
    names = default_names(tops, architecture, dialect)
    pairs = ((name, place, label) for name, top in tops.items() for place, label in zip(top.places, names[name], strict=True))
    yield "hdf5", ((place, f"{layer}/{label}") for layer, place, label in pairs if dialect == KERAS2 or place.role != "idf_weights")
    if dialect == KERAS3:
        config, generation = architecture_config(architecture, KERAS3)
        saved = saved_objects(in_keras_order(config, architecture), architecture, generation)
        # What a TextVectorization keeps, the lookup inside it keeps, too.
        inner = sorted(saved, key=lambda one: not one.path.endswith(f"/{INNER_LOOKUP}"))
        yield "paths", ((place, f"{one.other or one.path}/vars/{key}") for one in inner for key, place in one.keyed)


__all__ = ["names_elsewhere"]
