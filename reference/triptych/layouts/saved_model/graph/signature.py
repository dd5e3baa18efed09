"""The signature under which a graph is served: inputs and outputs by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from keyword import iskeyword
from typing import Any

from triptych.layouts.saved_model.graph.attributes import fill_shape, number_of
from triptych.layouts.saved_model.graph.values import Value
from triptych.model import Architecture, Json

SIGNATURE = "serving_default"
METHOD = "tensorflow/serving/predict"


def sign(meta: Any, architecture: Architecture, given: Sequence[Value], outputs: Sequence[Value]) -> None:
    """Let the meta graph take `given` and yield `outputs`, under the architecture's names for them."""
    signature = meta.signature_def[SIGNATURE]
    signature.method_name = METHOD
    for name, value in zip(input_names(architecture), given, strict=True):
        _inform(signature.inputs[name], value)
    for name, value in zip(output_names(architecture), outputs, strict=True):
        _inform(signature.outputs[name], value)


def input_names(architecture: Architecture) -> list[str]:
    """What a signature calls the inputs: as the dictionary did that a Keras model takes, else as the architecture does."""
    names = _named(architecture, "/config/input_layers", [one.name for one in architecture.inputs])
    # TensorFlow hands inputs on as arguments of a Python function.
    return [f"{name}_" if iskeyword(name) else name for name in names]


def output_names(architecture: Architecture) -> list[str]:
    """What a signature calls the outputs: as the dictionary does that a Keras model yields, else as the architecture does."""
    last = architecture.layers[-1].name if architecture.layers else architecture.inputs[0].name
    return _named(architecture, "/config/output_layers", list(architecture.outputs or (last,)))


def _named(architecture: Architecture, place: str, names: Sequence[str]) -> list[str]:
    """`names`, or a dictionary's keys for them, with numbers where one stands there twice."""
    edits = architecture.extensions.get("keras", {}).get("edits", ())
    for edit in edits if isinstance(edits, list | tuple) else ():
        if isinstance(edit, Mapping) and edit.get("at") == place:
            names = _keys(edit.get("to"), edit.get("from"), names)
    taken: dict[str, int] = {}
    unique = []
    for name in names:
        count = taken[name] = taken.get(name, -1) + 1
        unique.append(f"{name}_{count}" if count else name)
    return unique if len(set(unique)) == len(unique) else [f"{name}_{number}" for number, name in enumerate(names)]


def _keys(structure: Json, listed: Json, names: Sequence[str]) -> Sequence[str]:
    """The keys of `structure` in the order of the tensors in `listed`; `names` where it is no plain dictionary of these."""
    if not isinstance(structure, Mapping) or not isinstance(listed, list) or len(listed) != len(names):
        return names
    keys = {str(tensor): key for key, tensor in structure.items()}
    found = [keys.get(str(tensor)) for tensor in listed]
    known = [key for key in found if key is not None]
    return known if len(known) == len(names) else names


def _inform(target: Any, value: Value) -> None:
    target.name = f"{value.ref}:0"
    target.dtype = number_of(value.dtype)
    fill_shape(target.tensor_shape, value.shape)
