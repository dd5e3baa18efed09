"""Layers under names that Keras 3 takes: it refuses slashes, which Keras 2 wrote and many of its published models have."""

from __future__ import annotations

from dataclasses import replace

from triptych.errors import shorten
from triptych.model import Architecture, Layer, Panels, Weights
from triptych.vocabulary import weight_slots


def without_slashes(panels: Panels) -> tuple[Panels, tuple[str, ...]]:
    """`panels` with "_" for each "/" in the names of layers, weights and slots with them, and a note for each new name."""
    if panels.architecture is None:
        return panels, ()
    notes: list[str] = []
    architecture = _renamed(panels.architecture, notes)
    if not notes:
        return panels, ()
    pairs = zip(weight_slots(panels.architecture), weight_slots(architecture), strict=True)
    names = {before.tensor: after.tensor for before, after in pairs}
    weights, training = panels.weights, panels.training
    if weights is not None:
        weights = Weights({names.get(name, name): tensor for name, tensor in weights.tensors.items()})
    if training is not None and training.state is not None:
        training = replace(training, state=Weights({_slot(name, names): tensor for name, tensor in training.state.tensors.items()}))
    return replace(panels, architecture=architecture, weights=weights, training=training), tuple(notes)


def _slot(name: str, names: dict[str, str]) -> str:
    start, dot, weight = name.partition(".")
    word, second, weight = weight.partition(".")
    return f"{start}{dot}{word}{second}{names.get(weight, weight)}"


def _renamed(architecture: Architecture, notes: list[str]) -> Architecture:
    taken = {layer.name for layer in architecture.layers} | {value.name for value in architecture.inputs}
    names: dict[str, str] = {}
    for layer in architecture.layers:
        if "/" in layer.name:
            wanted = name = layer.name.replace("/", "_")
            number = 1
            while name in taken:
                name, number = f"{wanted}_{number}", number + 1
            taken.add(name)
            names[layer.name] = name
            notes.append(f"layer {shorten(layer.name)}: Keras 3 takes no name with a slash, it is called {shorten(name)}")
    return replace(
        architecture,
        layers=tuple(_inside(replace(layer, name=names.get(layer.name, layer.name)), notes) for layer in architecture.layers),
        calls=None
        if architecture.calls is None
        else tuple(
            # The values keep their names, which the layer's no longer implies.
            replace(call, layer=names[call.layer], outputs=call.output_names) if call.layer in names else call
            for call in architecture.calls
        ),
    )


def _inside(layer: Layer, notes: list[str]) -> Layer:
    inner = layer.architecture
    return layer if inner is None else replace(layer, architecture=_renamed(inner, notes))
