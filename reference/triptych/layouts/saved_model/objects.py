"""The objects of a SavedModel: what each is, whom it holds, and where in the checkpoint beside it its value stands.

The checkpoint has a graph of its own with the same objects; the two are paired from their roots on, by local names, so that neither
numbers nor keys have to agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from triptych.errors import shorten
from triptych.layouts.numerals import is_position
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.tensorflow import messages, wire
from triptych.layouts.tensorflow.object_graph import VALUE, ObjectGraph, Slot
from triptych.limits import Limits

_NODES = 1
_TABLE = "table"
"""The attribute of an object that holds a table."""
_PER_TENSOR = 10
"""Objects are at most so many times as many as tensors: a Keras layer of two has some twenty, functions and lists among them."""


@dataclass(frozen=True, slots=True)
class Object:
    """One object."""

    children: Mapping[str, int] = field(default_factory=dict)
    """Local name -> object."""
    slots: tuple[Slot, ...] = ()
    kind: str = ""
    """``user_object``, ``variable``, ``function`` …"""
    identifier: str = ""
    """Of a user's object: ``_tf_keras_layer``, ``optimizer`` …"""
    metadata: str = ""
    """What Keras before TensorFlow 2.5 says of it, as JSON."""
    name: str = ""
    """Of a variable: what its framework calls it, without a counter."""
    trainable: bool = False
    operation: str = ""
    """Of a constant: the node of the graph that yields it."""
    asset: int | None = None
    """Of a file: its place among the graph's."""
    functions: tuple[str, ...] = ()
    """Of a function: its traces."""

    @property
    def is_keras(self) -> bool:
        """Whether it is a layer, model or metric of Keras."""
        return self.identifier.startswith("_tf_keras_")


@dataclass(frozen=True, slots=True)
class Objects:
    """All objects; number 0 is the root."""

    all: tuple[Object, ...] = (Object(),)
    keys: Mapping[int, str] = field(default_factory=dict)
    """Variable -> its key in the checkpoint."""
    tables: Mapping[int, str] = field(default_factory=dict)
    """Table -> how the keys of its keys and values in the checkpoint begin."""
    bound: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Trace of a function -> the objects that it uses."""

    def at(self, number: int, *names: str) -> int | None:
        """The object that the one of this number holds under `names`, one inside the other; None if there is none."""
        for name in names:
            found = self.all[number].children.get(name)
            if found is None:
                return None
            number = found
        return number

    def listed(self, number: int | None) -> list[int]:
        """What a list holds, in its order; nothing of what is none."""
        if number is None:
            return []
        children = self.all[number].children
        return [children[name] for name in sorted((name for name in children if is_position(name)), key=int)]

    def walk(self, root: int = 0) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Each object that `root` leads to, near ones first, with the shortest way to it."""
        ways: dict[int, tuple[str, ...]] = {root: ()}
        level = [root]
        while level:
            following = []
            for number in level:
                yield number, ways[number]
                for name, child in self.all[number].children.items():
                    if child not in ways:
                        ways[child] = (*ways[number], name)
                        following.append(child)
            level = following


def read_objects(view: memoryview, place: str, limits: Limits) -> Objects:
    """The objects in the message at `view`, without keys; an absent message has one object that is nothing.

    Raises:
        InvalidModelError: The message is damaged, or refers to objects that are not there.
        UnsupportedError: A limit is exceeded.
    """
    if not len(view):
        return Objects()
    place = f"{place}, object_graph_def"
    if len(view) > limits.document_bytes:
        raise unsupported(place, f"expected an object graph of at most {limits.document_bytes:,} bytes, got {len(view):,}")
    most = _PER_TENSOR * limits.tensors
    if any(number >= most for number, _ in enumerate(wire.parts(view, _NODES, place))):
        raise unsupported(place, f"expected at most {most:,} objects, got more")
    message = messages.parse("SavedObjectGraph", view, place)
    count = len(message.nodes)
    bound = {
        name: tuple(_known(number, count, f"{place}, function {shorten(name)}") for number in function.bound_inputs)
        for name, function in message.concrete_functions.items()
    }
    return Objects(tuple(_object(node, number, count, place) for number, node in enumerate(message.nodes)) or (Object(),), bound=bound)


def _object(node: Any, number: int, count: int, place: str) -> Object:
    here = f"{place}, object {number}"
    kind = node.WhichOneof("value") or ""
    children: dict[str, int] = {}
    for child in node.children:
        if children.setdefault(child.local_name, _known(child.node_id, count, here)) != child.node_id:
            raise invalid(here, f"expected children of different names, {shorten(child.local_name)} is two")
    slots = tuple(
        Slot(_known(one.original_variable_node_id, count, here), one.slot_name, _known(one.slot_variable_node_id, count, here))
        for one in node.slot_variables
    )
    user = node.user_object if kind == "user_object" else None
    variable = node.variable if kind == "variable" else None
    return Object(
        children,
        slots,
        kind,
        user.identifier if user is not None else "",
        user.metadata if user is not None else "",
        variable.name.removesuffix(":0") if variable is not None else "",
        variable is not None and variable.trainable,
        node.constant.operation if kind == "constant" else "",
        node.asset.asset_file_def_index if kind == "asset" else None,
        tuple(node.function.concrete_functions) if kind == "function" else (),
    )


def _known(number: int, count: int, here: str) -> int:
    if not 0 <= number < count:
        raise invalid(here, f"expected a reference to one of {count} objects, got {number}")
    return number


def paired(objects: Objects, graph: ObjectGraph) -> Objects:
    """`objects` with the keys of variables and tables, as the checkpoint's `graph` says them."""
    partner: dict[int, int] = {0: 0}
    pending = [0]
    while pending:
        here = pending.pop()
        there = graph.nodes[partner[here]].children
        for name, child in objects.all[here].children.items():
            if name in there and child not in partner:
                partner[child] = there[name]
                pending.append(child)
    for number, other in list(partner.items()):
        slots = {(slot.variable, slot.name): slot.node for slot in graph.nodes[other].slots}
        for slot in objects.all[number].slots:
            found = slots.get((partner.get(slot.variable, -1), slot.name))
            if found is not None:
                partner.setdefault(slot.node, found)
    keys: dict[str, dict[int, str]] = {VALUE: {}, _TABLE: {}}
    for number, other in partner.items():
        for attribute in graph.nodes[other].attributes:
            keys.get(attribute.name, {})[number] = attribute.key
    return replace(objects, keys=keys[VALUE], tables=keys[_TABLE])


__all__ = ["Object", "Objects", "paired", "read_objects"]
