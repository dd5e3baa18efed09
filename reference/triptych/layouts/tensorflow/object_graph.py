"""The graph of objects in a TensorFlow checkpoint: which object holds which under what name, and under what key each one's tensors stand.

Objects may hold each other in circles and be held by many; object 0 is the root. Keys are a consequence of the graph, and only for
people: they follow the shortest way from the root, and tell no two ways apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from triptych.errors import shorten
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.tensorflow import messages
from triptych.limits import DEFAULT_LIMITS, Limits

KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""The key in a checkpoint under which its graph stands, as a scalar string."""
VALUE = "VARIABLE_VALUE"
"""The name of the attribute that holds the value of a variable."""
_SUFFIX = "/.ATTRIBUTES/"
_SLOT = "/.OPTIMIZER_SLOT/"
_NODES_PER_TENSOR = 4
"""Objects are at most so many times as many as tensors: Keras has two or three for each."""
_ROOT_FIELD = 0x0A
"""How each object begins in the message: field 1, with a length."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One tensor of an object."""

    name: str
    """Within the object: `VALUE` for a variable."""
    full_name: str
    """What the framework calls the variable, without its counter; may be empty, and need not be unique."""
    key: str
    """Where the tensor stands in the checkpoint."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What an optimizer keeps for one variable."""

    variable: int
    """The object for which it is kept."""
    name: str
    """What the optimizer calls it: ``m``."""
    node: int
    """The object that it is."""


@dataclass(frozen=True, slots=True)
class Node:
    """One object."""

    children: Mapping[str, int] = field(default_factory=dict)
    """Local name -> object."""
    attributes: tuple[Attribute, ...] = ()
    slots: tuple[Slot, ...] = ()
    saver: tuple[str, str] | None = None
    """The registered saver that wrote the object, and what it calls it; its tensors are no attributes."""
    has_values: bool | None = None
    """Whether the object or one below it has tensors; None: the writer did not say it."""

    def value(self) -> Attribute | None:
        """The value of the object if it is a variable."""
        return next((one for one in self.attributes if one.name == VALUE), None)


@dataclass(frozen=True, slots=True)
class ObjectGraph:
    """All objects of a checkpoint."""

    nodes: tuple[Node, ...]

    def at(self, node: int, *names: str) -> int | None:
        """The object that the one at `node` holds under `names`, one inside the other; None if there is none."""
        for name in names:
            found = self.nodes[node].children.get(name)
            if found is None:
                return None
            node = found
        return node

    def paths(self, root: int = 0, *, through: Callable[[int, str], bool] | None = None, limits: Limits = DEFAULT_LIMITS) -> dict[int, tuple[str, ...]]:
        """Each object that `root` leads to -> the local names that lead there: the shortest way, of several the one said first.

        Args:
            root: Where the ways begin.
            through: Called with an object and the name of a child: whether a way may lead there; None: every way may be gone.
            limits: How many steps a way may have.

        Raises:
            UnsupportedError: An object is further away.
        """
        found: dict[int, tuple[str, ...]] = {root: ()}
        waiting = deque([root])
        while waiting:
            node = waiting.popleft()
            for name, child in self.nodes[node].children.items():
                if child not in found and (through is None or through(node, name)):
                    if len(found[node]) == limits.depth:
                        raise unsupported(KEY, f"expected objects at most {limits.depth} steps from the root, object {child} is further")
                    found[child] = (*found[node], name)
                    waiting.append(child)
        return found


def key_of(path: Sequence[str], attribute: str = VALUE) -> str:
    """The key under which TensorFlow stores an attribute of the object at `path`."""
    return "/".join(map(escape, path)) + _SUFFIX + escape(attribute)


def slot_key_of(variable: Sequence[str], optimizer: Sequence[str], slot: str) -> str:
    """The key under which TensorFlow stores what the object at `optimizer` keeps as `slot` for the one at `variable`."""
    return "/".join(map(escape, variable)) + _SLOT + "/".join(map(escape, (*optimizer, slot))) + _SUFFIX + VALUE


def escape(name: str) -> str:
    """A local name as it stands in keys."""
    return name.replace(".", "..").replace("/", ".S")


def read_graph(data: bytes | memoryview, place: str = KEY, *, limits: Limits = DEFAULT_LIMITS) -> ObjectGraph:
    """The graph that the message `data` holds, read at `place`.

    Raises:
        InvalidModelError: The bytes are no such message, a reference leads to no object, or two children of one have the same name.
        UnsupportedError: It exceeds a limit.
    """
    if len(data) > limits.document_bytes:
        raise unsupported(place, f"expected an object graph of at most {limits.document_bytes:,} bytes, got {len(data):,}")
    most = _NODES_PER_TENSOR * limits.tensors
    if _has_more(data, most):
        raise unsupported(place, f"expected at most {most:,} objects, got more")
    message = messages.parse("TrackableObjectGraph", data, place)
    references = sum(len(node.children) + len(node.slot_variables) + len(node.attributes) for node in message.nodes)
    if references > limits.values:
        raise unsupported(place, f"expected at most {limits.values:,} references among objects, got {references:,}")
    if not message.nodes:
        raise invalid(place, "expected a root object, the graph has none")
    count = len(message.nodes)
    return ObjectGraph(tuple(_node(node, number, count, place) for number, node in enumerate(message.nodes)))


def _has_more(data: bytes | memoryview, most: int) -> bool:
    """Whether the message has more than `most` objects; said before they are made. What is no message is left to the parser."""
    view = memoryview(data)
    position = found = 0
    while position < len(view) and view[position] == _ROOT_FIELD:
        position += 1
        length = shift = 0
        while position < len(view):
            byte = view[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 63:
                break
        position += length
        found += 1
        if found > most:
            return True
    return False


def _node(message: Any, number: int, count: int, place: str) -> Node:
    here = f"{place}, object {number}"
    children: dict[str, int] = {}
    for child in message.children:
        name = child.local_name
        if children.setdefault(name, _known(child.node_id, count, f"{here}, child {shorten(name)}")) != child.node_id:
            raise invalid(here, f"expected children of different names, {shorten(name)} is object {children[name]} and {child.node_id}")
    saver = message.registered_saver if message.HasField("registered_saver") else None
    return Node(
        children,
        tuple(Attribute(one.name, one.full_name, one.checkpoint_key) for one in message.attributes),
        tuple(_slot(one, count, here) for one in message.slot_variables),
        None if saver is None else (saver.name, saver.object_name),
        message.has_checkpoint_values.value if message.HasField("has_checkpoint_values") else None,
    )


def _slot(message: Any, count: int, here: str) -> Slot:
    place = f"{here}, slot {shorten(message.slot_name)}"
    variable = _known(message.original_variable_node_id, count, place)
    return Slot(variable, message.slot_name, _known(message.slot_variable_node_id, count, place))


def _known(node: int, count: int, place: str) -> int:
    if not 0 <= node < count:
        raise invalid(place, f"expected an object from 0 to {count - 1}, got {node}")
    return node


def graph_bytes(graph: ObjectGraph) -> bytes:
    """The message that holds `graph`."""
    return messages.to_bytes(messages.new("TrackableObjectGraph", nodes=list(_messages(graph))))


def _messages(graph: ObjectGraph) -> Iterator[Any]:
    for node in graph.nodes:
        message = messages.new(
            "TrackableObject",
            children=[messages.new("ObjectReference", node_id=child, local_name=name) for name, child in node.children.items()],
            attributes=[messages.new("SerializedTensor", name=a.name, full_name=a.full_name, checkpoint_key=a.key) for a in node.attributes],
            slot_variables=[
                messages.new("SlotVariable", original_variable_node_id=slot.variable, slot_name=slot.name, slot_variable_node_id=slot.node)
                for slot in node.slots
            ],
        )
        if node.saver is not None:
            message.registered_saver.name, message.registered_saver.object_name = node.saver
        if node.has_values is not None:
            message.has_checkpoint_values.SetInParent()
            message.has_checkpoint_values.value = node.has_values
        yield message


__all__ = [
    "KEY",
    "VALUE",
    "Attribute",
    "Node",
    "ObjectGraph",
    "Slot",
    "escape",
    "graph_bytes",
    "key_of",
    "read_graph",
    "slot_key_of",
]
