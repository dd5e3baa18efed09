"""How a Keras configuration says what a layer is called with: five spellings of a call, read, and three written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.plain import unsayable
from triptych.model import Json, Shape

Reference = tuple[str, int, int]
"""Layer name, index of its call, index of the value among those the call yields."""
LISTING = frozenset(
    {
        "Add",
        "Subtract",
        "Multiply",
        "Average",
        "Maximum",
        "Minimum",
        "Concatenate",
        "Dot",
        "Attention",
        "AdditiveAttention",
        "Model",
    }
)
"""Types whose several inputs Keras 3 takes as one list."""
RECURRENT = frozenset({"SimpleRNN", "LSTM", "GRU", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional"})
"""Types whose inputs after the first are initial states."""
NAMED_INPUTS = {"MultiHeadAttention": ("query", "value", "key")}
"""Types whose inputs after the first Keras 2 takes by name."""
_FLAT = frozenset(
    {"keras:TFOpLambda", "keras:SlicingOpLambda", "keras:InstanceMethod", "keras:InstanceProperty", "keras:ClassMethod"}
)
"""Types whose single input Keras 2 writes without the list around it."""
ARGUMENTS = "args"
"""The argument that holds all positional arguments of a call, where some are no values of the graph."""


@dataclass(slots=True)
class Node:
    """One call as a Keras configuration says it."""

    inputs: list[Reference]
    arguments: dict[str, Json] = field(default_factory=dict)
    """Literals, ``{"value": Reference}``, and lists of those."""
    plain: bool = True
    """Whether all positional arguments are values of the graph."""


def read_reference(value: Json) -> Reference:
    """The value that ``[name, call, index]`` refers to, in any spelling.

    Raises:
        Unsayable: It refers to nothing.
    """
    value = unwrap(value)
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__" and isinstance(value.get("config"), dict):
        value = value["config"].get("keras_history")
    if not isinstance(value, list) or len(value) < 3 or not _is_reference(value[:3]):
        unsayable("a reference")
    return value[0], value[1], value[2]


def _is_reference(value: Sequence[Json]) -> bool:
    return isinstance(value[0], str) and all(
        isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in value[1:3]
    )


def unwrap(value: Json) -> Json:
    """`value` with the tuples of SavedModel metadata as lists."""
    if isinstance(value, dict) and value.get("class_name") in ("__tuple__", "TensorShape") and isinstance(value.get("items"), list):
        return [unwrap(item) for item in value["items"]]
    return [unwrap(item) for item in value] if isinstance(value, list) else value


def read_node(value: Json, type_name: str, names: frozenset[str]) -> Node:
    """The call that an entry of ``inbound_nodes`` describes; `names` are those of all layers.

    Raises:
        Unsayable: It has a shape that no Keras writes.
    """
    if isinstance(value, dict) and isinstance(value.get("args"), list):
        return _read_keras3(value, type_name)
    value = unwrap(value)
    if not isinstance(value, list) or not value:
        unsayable("a call")
    entries = [value] if isinstance(value[0], str) else value
    node = Node([])
    positional: list[Json] = []
    for number, entry in enumerate(entries):
        if not isinstance(entry, list) or len(entry) not in (3, 4):
            unsayable("a call")
        keywords = entry[3] if len(entry) == 4 else {}
        if not isinstance(keywords, dict):
            unsayable("keyword arguments")
        if entry[0] == "_CONSTANT_VALUE":
            node.plain = False
            positional.append(_legacy_argument(entry[2], frozenset()))
            if positional[-1] is None and entry[2] is not None:
                unsayable("a constant")
        else:
            node.inputs.append(read_reference(entry[:3]))
            positional.append({"value": node.inputs[-1]})
        if number == 0:
            _read_keywords(node, keywords, lambda item: _legacy_argument(item, names))
    if not node.plain:
        node.arguments[ARGUMENTS] = positional
    order = NAMED_INPUTS.get(type_name)
    if order and len(node.inputs) == 1:
        _take_named(node, order)
    return node


def _take_named(node: Node, order: tuple[str, ...]) -> None:
    """Turn arguments that are inputs of the type into inputs."""
    for name in order[len(node.inputs) :]:
        given = node.arguments.get(name)
        if not isinstance(given, dict):
            break
        node.inputs.append(given["value"])
        del node.arguments[name]


def _read_keywords(node: Node, keywords: Mapping[str, Json], argument: Callable[[Json], Json]) -> None:
    for key, item in keywords.items():
        if item is None or key == ARGUMENTS:
            continue
        found = argument(item)
        if found is not None:
            node.arguments[key] = found


def _legacy_argument(value: Json, names: frozenset[str]) -> Json:
    """A keyword argument of Keras 2; None if it is nothing that a call can say."""
    if isinstance(value, list):
        if len(value) == 3 and _is_reference(value) and value[0] in names:
            return {"value": (value[0], value[1], value[2])}
        items = [_legacy_argument(item, names) for item in value]
        return None if None in items else items
    return None if isinstance(value, dict) else value


def _keras3_argument(value: Json) -> Json:
    if isinstance(value, dict):
        return {"value": read_reference(value)} if value.get("class_name") == "__keras_tensor__" else None
    if isinstance(value, list):
        items = [_keras3_argument(item) for item in value]
        return None if None in items else items
    return value


def _read_keras3(value: Mapping[str, Json], type_name: str) -> Node:
    args, keywords = value["args"], value.get("kwargs", {})
    if not isinstance(keywords, dict):
        unsayable("keyword arguments")
    node = Node([])
    tensors = args[0] if len(args) == 1 and isinstance(args[0], list) else args
    if tensors and all(isinstance(item, dict) and item.get("class_name") == "__keras_tensor__" for item in tensors):
        node.inputs.extend(map(read_reference, tensors))
    else:
        node.plain = False
        positional = [_keras3_argument(item) for item in args]
        node.inputs.extend(_references(positional))
        if any(found is None and given is not None for found, given in zip(positional, args, strict=True)):
            if not node.inputs and args:
                unsayable("positional arguments")
        else:
            node.arguments[ARGUMENTS] = positional
    _read_keywords(node, keywords, _keras3_argument)
    states = node.arguments.get("initial_state")
    if type_name in RECURRENT and states is not None and len(node.inputs) == 1:
        references = list(_references(states))
        if references:
            node.inputs.extend(references)
            del node.arguments["initial_state"]
    if type_name in NAMED_INPUTS:
        _take_named(node, NAMED_INPUTS[type_name])
    return node


def _references(value: Json) -> list[Reference]:
    if isinstance(value, dict):
        return [value["value"]]
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []


def map_arguments(value: Json, change: Callable[[Json], Json]) -> Json:
    """`value` with `change` made to each ``{"value": …}`` in it."""
    if isinstance(value, Mapping):
        return change(value["value"]) if set(value) == {"value"} else value
    return [map_arguments(item, change) for item in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a graph as a configuration refers to it."""

    reference: Reference
    shape: Shape | None
    dtype: str | None
    """None where it is not known."""

    def spell(self, generation: Generation) -> Json:
        """The reference in the spelling of `generation`."""
        if generation < (3,):
            return list(self.reference)
        shape = None if self.shape is None else list(self.shape)
        return {
            "class_name": "__keras_tensor__",
            "config": {"shape": shape if shape is not None else [None], "dtype": self.dtype or "float32", "keras_history": list(self.reference)},
        }


def write_node(
    type_name: str, inputs: Sequence[Value], arguments: Mapping[str, Json], find: Callable[[str], Value], generation: Generation
) -> Json:
    """The entry of ``inbound_nodes`` for one call; `find` yields the value of a name."""
    keywords = {
        key: map_arguments(item, lambda name: find(name).spell(generation)) for key, item in arguments.items() if key != ARGUMENTS
    }
    positional = arguments.get(ARGUMENTS)
    if generation >= (3,):
        given = map_arguments(positional, lambda name: find(name).spell(generation))
        return _write_keras3(type_name, [value.spell(generation) for value in inputs], given, keywords)
    named = NAMED_INPUTS.get(type_name, ())
    direct = list(inputs[:1] if named else inputs)
    keywords.update({name: value.spell(generation) for name, value in zip(named[1:], inputs[1:], strict=False)})
    if positional is not None:
        entries = [
            ["_CONSTANT_VALUE", -1, item] if not isinstance(item, Mapping) else list(find(item["value"]).reference)
            for item in positional
        ]
    else:
        entries = [list(value.reference) for value in direct]
    if generation >= (2,):
        entries = [[*entry, dict(keywords)] for entry in entries]
    if type_name in _FLAT and len(entries) == 1 and positional is None:
        return entries[0]
    return entries


def _write_keras3(type_name: str, spelled: list[Json], positional: Json, keywords: dict[str, Json]) -> Json:
    if isinstance(positional, list):
        args = positional
    elif type_name in RECURRENT and len(spelled) > 1:
        args, keywords = spelled[:1], {**keywords, "initial_state": spelled[1:]}
    elif type_name in LISTING and (len(spelled) > 1 or type_name == "Concatenate"):
        args = [spelled]
    else:
        args = spelled
    return {"args": args, "kwargs": keywords}
