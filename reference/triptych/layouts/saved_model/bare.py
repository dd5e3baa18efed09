"""Weights of a SavedModel whose architecture cannot be read: a module of TensorFlow, an export of Keras 3, a graph of TensorFlow 1.

Layers of Keras are known by their objects. Elsewhere a variable goes by the way that leads to its object; where that only counts, as in
the lists of all variables that exports hold, by its own name; and in TensorFlow 1 by its name, as there is no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from triptych.layouts.keras_weights.names import tensors_of, unique
from triptych.layouts.saved_model.keras_objects import KerasObjects
from triptych.layouts.saved_model.variables import Variables
from triptych.model import Architecture, Tensor, Weights
from triptych.vocabulary import weight_slots

_ENUMERATIONS = frozenset({"variables", "trainable_variables", "non_trainable_variables", "_all_variables", "weights"})
"""Children of a root that list all of its variables."""
_COPIES = "_all_variables"
"""The list in which Keras 3 exports each variable once more."""
_RANDOM = "seed_generator_state"


@dataclass(slots=True)
class Bare:
    """Weights by name, and what else is known of them."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    state: dict[str, Tensor] = field(default_factory=dict)
    layers: list[list[str]] = field(default_factory=list)
    """For each layer its name and the names of its weights."""
    classes: dict[str, str] = field(default_factory=dict)
    """Layer -> its class, where the file says it."""
    of_variable: dict[int, str] = field(default_factory=dict)
    """The tensor that each variable is."""


def goes_by_objects(variables: Variables) -> bool:
    """Whether the variables are known as those of a checkpoint are: there are no texts of Keras about them, and no list of all of them."""
    root = variables.objects.all[0]
    return bool(variables.keys) and not root.is_keras and _ENUMERATIONS.isdisjoint(root.children)


def bare_weights(keras: KerasObjects, variables: Variables) -> Bare:
    """The variables as weights; of a Keras model those that it calls so. Those that count the draws of random numbers are state.

    Raises:
        InvalidModelError: What is said of a layer is damaged.
    """
    objects = variables.objects
    found = Bare()
    _drop_copies(variables)
    layers: dict[str, list[tuple[str, int]]] = {}
    taken: set[int] = set()
    for name, number in _layers(keras, variables):
        held = [one for one in _held(number, variables) if one not in taken]
        taken.update(held)
        layers[name] = [(_from_layer(name, objects.all[one].name), one) for one in held]
        class_name = keras.of(number).get("class_name")
        if isinstance(class_name, str):
            found.classes[name] = class_name
    wanted = set(_held(0, variables)) if objects.all[0].is_keras else None
    ways = {
        number: way
        for number, way in objects.walk()
        if number not in taken and _is_there(number, variables) and (wanted is None or number in wanted)
    }
    counted = [number for number, way in ways.items() if way and way[0] in _ENUMERATIONS]
    for name, number in zip(_own_names(counted, variables), counted, strict=True):
        del ways[number]
        if name.endswith(_RANDOM):
            found.state[f"random.{name}"] = variables.tensor(number)
        else:
            layers.setdefault(name.partition("/")[0], []).append((name, number))
    found.layers = [[layer, *(label for label, _ in held)] for layer, held in layers.items()]
    names = [name for _, of_layer in tensors_of(found.layers) for name in of_layer]
    numbers = [number for held in layers.values() for _, number in held]
    names = unique([*names, *(".".join(way) for way in ways.values())])
    found.of_variable = dict(zip([*numbers, *ways], names, strict=True))
    found.tensors = {name: variables.tensor(number) for number, name in found.of_variable.items()}
    return found


def placed(weights: Weights, architecture: Architecture) -> Weights | None:
    """`weights` under the names of `architecture`, of those that are called by way and role with slashes; None if none is."""
    found = {}
    for slot in weight_slots(architecture):
        name = f"{slot.path}.{slot.role}".replace(".", "/")
        if name in weights.tensors and slot.tensor not in weights.tensors:
            found[name] = slot.tensor
    return Weights({found.get(name, name): tensor for name, tensor in weights.tensors.items()}) if found else None


def _layers(keras: KerasObjects, variables: Variables) -> Iterator[tuple[str, int]]:
    """The layers of a Keras model at the root, by name."""
    objects = variables.objects
    root = objects.all[0]
    if not root.is_keras:
        return
    ways = {child: name for name, child in root.children.items()}
    held = [child for child, name in ways.items() if objects.all[child].is_keras and objects.all[child].identifier != "_tf_keras_metric"]
    seen: set[str] = set()
    for number in dict.fromkeys((*objects.listed(objects.at(0, "keras_api", "layers")), *held)):
        name = keras.name(number) or _named_by_variables(number, variables) or ways.get(number, f"layer_{number}")
        if name not in seen:
            seen.add(name)
            yield name, number


def _named_by_variables(number: int, variables: Variables) -> str | None:
    """The word that the names of all variables of a layer begin with."""
    words = {variables.objects.all[one].name.partition("/")[0] for one in _held(number, variables)}
    return words.pop() if len(words) == 1 else None


def _held(number: int, variables: Variables) -> list[int]:
    objects = variables.objects
    return [one for one in dict.fromkeys(objects.listed(objects.at(number, "variables"))) if _is_there(one, variables)]


def _is_there(number: int, variables: Variables) -> bool:
    return variables.has(number) and variables.is_readable(variables.objects.keys[number])


def _from_layer(layer: str, name: str) -> str:
    """The name of a variable from its layer on."""
    words = name.split("/")
    return "/".join([layer, *(words[words.index(layer) + 1 :] if layer in words else words)])


def _own_names(numbers: Sequence[int], variables: Variables) -> list[str]:
    """What variables are called, without the name of the model that all of them begin with."""
    words = [(variables.objects.all[number].name or f"variable_{number}").split("/") for number in numbers]
    own = [one for one in words if one[-1] != _RANDOM]
    first = own[0][0] if own and all(len(one) > 2 for one in own) and len({one[0] for one in own}) == 1 else None
    return ["/".join(one[1:] if one[0] == first else one) for one in words]


def _drop_copies(variables: Variables) -> None:
    """Take those variables out that an export holds once more: of the name, shape and checksum of one in its list of variables."""
    objects = variables.objects
    originals = [one for one in objects.listed(objects.at(0, "variables")) if variables.has(one)]
    there = {_looks(one, variables) for one in originals}
    for one in objects.listed(objects.at(0, _COPIES)):
        if variables.has(one) and one not in originals and _looks(one, variables) in there:
            variables.drop(one)


def _looks(number: int, variables: Variables) -> tuple[object, ...]:
    return variables.objects.all[number].name, variables.shape(number), variables.checksum(number)


__all__ = ["Bare", "bare_weights", "goes_by_objects", "placed"]
