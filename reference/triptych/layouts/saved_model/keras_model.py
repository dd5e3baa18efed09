"""The Keras model in a SavedModel: its architecture by its configuration, its weights by the objects that hold them.

A layer's object is found by its name among the layers that the object of its model holds, a part of it (the cell of an RNN, the forward
layer of a Bidirectional) by its attribute; each holds a list of its variables. Keys of the checkpoint are not looked at, nor does it matter
which layers were frozen when the model was saved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from triptych.errors import shorten
from triptych.layouts import keras_config
from triptych.layouts.keras_config.generations import KERAS2
from triptych.layouts.keras_config.layers import MODEL_CLASSES
from triptych.layouts.keras_weights.assignment import Array, Place, assign
from triptych.layouts.keras_weights.matching import with_unknown_weights
from triptych.layouts.keras_weights.optimizer import Trained
from triptych.layouts.keras_weights.places import TopLayer, top_layers
from triptych.layouts.problems import mismatch
from triptych.layouts.saved_model.keras_objects import KerasObjects
from triptych.layouts.saved_model.variables import Variables
from triptych.layouts.tf_checkpoint.keras_paths import steps_within
from triptych.model import Architecture, Json, Layer, Tensor

_LAYER = re.compile(r"layer(_with_weights)?-\d+")
_PARTS = {"forward": ("forward_layer",), "backward": ("backward_layer",), "layer": ("layer",), "cell": ("cell",)}
"""Sublayer role -> the attributes that lead from the wrapper to the part."""
_LOOKUPS = ("_lookup_layer", "_index_lookup_layer")
_NUMBERED = re.compile(r"cell_(\d+)")


def model_config(said: Mapping[str, Json]) -> dict[str, Json] | None:
    """The configuration of the whole model among what is `said` of its object; None if it is no graph of layers.

    A class of somebody's own that is made of a graph of layers is read as that graph.
    """
    config = said.get("model_config")
    if not isinstance(config, dict):
        config = {"class_name": said.get("class_name"), "config": said.get("config")}
    inner = config.get("config")
    if not isinstance(inner, dict) or not isinstance(inner.get("layers"), list):
        return None
    if config.get("class_name") in MODEL_CLASSES:
        return config
    return {**config, "class_name": "Functional"} if "input_layers" in inner and said.get("is_graph_network") else None


@dataclass(slots=True)
class Placed:
    """The weights in their places, and which variable is which tensor."""

    architecture: Architecture
    tensors: dict[str, Tensor] = field(default_factory=dict)
    of_variable: dict[int, str] = field(default_factory=dict)
    trained: list[Trained] = field(default_factory=list)
    """In the order in which the optimizer lists them, then those that it does not train."""


def place_weights(architecture: Architecture, root: int, keras: KerasObjects, variables: Variables) -> Placed:
    """The weights of `architecture`, whose model is object `root`.

    Raises:
        InvalidModelError: A layer or a value is missing, or does not fit.
    """
    walk = _Walk(keras, variables, root)
    numbers = walk.model(architecture, root)
    arrays = {layer.name: walk.arrays(numbers.get(f"/layers/{index}")) for index, layer in enumerate(architecture.layers)}
    architecture = with_unknown_weights(architecture, {name: [array for array, _ in found] for name, found in arrays.items()})
    placed, trainable = Placed(architecture), list[int]()
    for top in top_layers(architecture).values():
        for place, number in _assigned(top, numbers, walk, arrays[top.name]):
            if not place.fits(variables.shape(number)):
                raise mismatch(place.tensor, f"expected shape {place.shape}, its variable has {variables.shape(number)}")
            placed.tensors[place.tensor] = variables.tensor(number)
            if number not in placed.of_variable:
                placed.of_variable[number] = place.tensor
                trainable += [number] if place.trainable else []
    if (listed := variables.objects.at(root, "trainable_variables")) is not None:
        trainable = variables.objects.listed(listed)
    placed.trained = list(trained_of(placed.tensors, placed.of_variable, trainable, variables))
    return placed


def trained_of(tensors: Mapping[str, Tensor], of_variable: Mapping[int, str], trainable: Sequence[int], variables: Variables) -> Iterator[Trained]:
    """The weights of a model in the order in which its optimizer lists them, which is that of the variables `trainable`, then those that it does not train."""
    objects = variables.objects
    flagged = dict.fromkeys(n for n in trainable if n in of_variable)
    for number in (*flagged, *(n for n in of_variable if n not in flagged)):
        tensor = of_variable[number]
        yield Trained(objects.all[number].name, tensor, tensors[tensor].shape, number in flagged)


def _assigned(
    top: TopLayer, numbers: Mapping[str, int], walk: _Walk, stored: Sequence[tuple[Array, int]]
) -> Iterator[tuple[Place, int]]:
    """Each weight of `top` with its variable: owner by owner where each has an object, else all at once by position and name."""
    groups: dict[str, list[Place]] = {}
    for place in top.places:
        groups.setdefault(place.owner.pointer, []).append(place)
    if all(pointer in numbers for pointer in groups):
        for pointer, places in groups.items():
            parts = [numbers[one.pointer] for one in top.owners if one.pointer.startswith(f"{pointer}/") and one.pointer in numbers]
            own = walk.arrays(numbers[pointer], without=parts)
            if not (own and walk.has_lists) and (named := walk.named(numbers[pointer], places)):
                yield from zip(places, named, strict=True)
                continue
            chosen = assign(places[0].owner.path, [array for array, _ in own], places)
            yield from ((place, own[index][1]) for place, index in zip(places, chosen, strict=True))
        return
    chosen = assign(top.name, [array for array, _ in stored], top.places)
    yield from ((place, stored[index][1]) for place, index in zip(top.places, chosen, strict=True))


class _Walk:
    """Finds the objects of layers."""

    def __init__(self, keras: KerasObjects, variables: Variables, root: int) -> None:
        self._keras = keras
        self._variables = variables
        self._objects = variables.objects
        self.has_lists = self._objects.at(root, "variables") is not None
        """Whether objects list their variables, as they do unless the model was saved without the traces of its layers."""

    def model(self, architecture: Architecture, number: int, pointer: str = "") -> dict[str, int]:
        """JSON Pointer of each layer that has an object -> the object."""
        known = layers_of(number, self._keras, self._variables)
        found: dict[str, int] = {}
        for index, layer in enumerate(architecture.layers):
            inside = known.get(keras_config.name_of(layer), known.get(layer.name))
            if inside is not None:
                found |= self._layer(layer, inside, f"{pointer}/layers/{index}")
        return found

    def _layer(self, layer: Layer, number: int, pointer: str) -> dict[str, int]:
        found = {pointer: number}
        if layer.architecture is not None:
            return found | self.model(layer.architecture, number, f"{pointer}/architecture")
        for role, part in layer.sublayers.items():
            numbered = _NUMBERED.fullmatch(role)
            way = ("cells", numbered[1]) if numbered else _PARTS.get(role, (role,))
            inside = self._objects.at(number, *way)
            if inside is not None:
                found |= self._layer(part, inside, f"{pointer}/sublayers/{role}")
        return found

    def arrays(self, number: int | None, without: Sequence[int] = ()) -> list[tuple[Array, int]]:
        """The variables of an object in its own order, as arrays and as objects, but for those of the objects `without`."""
        inside = {one for inner in without for one in self._numbers(inner)}
        return [
            (Array(self._objects.all[one].name, self._variables.shape(one), self._objects.all[one].trainable), one)
            for one in self._numbers(number)
            if one not in inside
        ]

    def named(self, number: int, places: Sequence[Place]) -> list[int]:
        """The variables that an object holds under the names of roles, one for each of `places`; none if one is missing.

        What only prepares data lists no variables, and a TextVectorization leaves them to the lookup inside.
        """
        found = [next((child for child in self._ways(number, place) if self._variables.has(child)), None) for place in places]
        return [one for one in found if one is not None] if None not in found else []

    def _ways(self, number: int, place: Place) -> Iterator[int]:
        """The objects that an object may hold `place` as: where Keras' own paths lead, and in lookups."""
        steps = [names[0] for names in steps_within(place.owner.layer, place.role, KERAS2)]
        for way in (steps, [place.role], *([name, place.role] for name in _LOOKUPS)):
            child = self._objects.at(number, *way)
            if child is not None:
                yield child

    def _numbers(self, number: int | None) -> list[int]:
        if number is None:
            return []
        if self.has_lists:
            listed = self._objects.listed(self._objects.at(number, "variables"))
        else:
            listed = [one for one, _ in self._objects.walk(number) if self._objects.all[one].kind == "variable"]
        if missing := [one for one in listed if not self._variables.has(one)]:
            name = self._objects.all[missing[0]].name
            raise mismatch(shorten(name), f"expected a value of variable {missing[0]} in the checkpoint, there is none")
        return list(dict.fromkeys(listed))


def layers_of(number: int, keras: KerasObjects, variables: Variables) -> dict[str, int]:
    """The layers that the model at object `number` holds, by name."""
    objects = variables.objects
    held = [child for name, child in objects.all[number].children.items() if _LAYER.fullmatch(name)]
    held += objects.listed(objects.at(number, "keras_api", "layers"))
    found: dict[str, int] = {}
    for child in dict.fromkeys(held):
        name = keras.name(child)
        if name is not None:
            found.setdefault(name, child)
    return found


__all__ = ["Placed", "layers_of", "model_config", "place_weights", "trained_of"]
