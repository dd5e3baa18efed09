"""The nodes of a graph and of the functions in its library, one at a time; nothing here runs any of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.errors import UnsupportedError, shorten
from triptych.layouts.problems import unsupported
from triptych.layouts.tensorflow import messages, wire

MOST_NODES = 1_000_000
"""In all of a graph; the largest of published models have some tens of thousands."""
_NODE, _LIBRARY = 1, 2
_FUNCTION, _SIGNATURE, _FUNCTION_NODE = 1, 1, 3
_NAME, _OP, _INPUT = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Node:
    """One operation at one place."""

    function: str
    """The function that it is in; empty for the graph itself."""
    name: str
    op: str
    view: memoryview
    """Its message."""

    @property
    def path(self) -> str:
        """The name of the node, after that of its function."""
        return f"{self.function}/{self.name}" if self.function else self.name

    def parsed(self, place: str) -> Any:
        """The whole message."""
        return messages.parse("Node", self.view, f"{place}, node {shorten(self.path)}")


def nodes(graph: memoryview, place: str) -> Iterator[Node]:
    """Every node of `graph`, then those of each function.

    Raises:
        InvalidModelError: A message is damaged.
        UnsupportedError: There are more nodes than the limit.
    """
    if wire.has_more(graph, _NODE, MOST_NODES):
        raise _too_many(place)
    for number, node in enumerate(_nodes(graph, place)):
        if number >= MOST_NODES:
            raise _too_many(place)
        yield node


def _too_many(place: str) -> UnsupportedError:
    return unsupported(place, f"expected at most {MOST_NODES:,} nodes, got more")


def _nodes(graph: memoryview, place: str) -> Iterator[Node]:
    for view in wire.parts(graph, _NODE, place):
        yield _node("", view, place)
    for library in wire.parts(graph, _LIBRARY, place):
        for function in wire.parts(library, _FUNCTION, f"{place}, library"):
            title = name_of(function, place)
            for view in wire.parts(function, _FUNCTION_NODE, f"{place}, function {shorten(title)}"):
                yield _node(title, view, place)


def name_of(function: memoryview, place: str) -> str:
    """The name of a function, by its message."""
    found = ""
    for signature in wire.parts(function, _SIGNATURE, f"{place}, library"):
        found = wire.text(signature, _NAME, f"{place}, library")
    return found


def _node(function: str, view: memoryview, place: str) -> Node:
    name = op = ""
    for number, value in wire.fields(view, place):
        if number <= _OP and isinstance(value, memoryview):
            # A name that is no UTF-8 is only shown.
            if number == _NAME:
                name = str(value, "utf-8", "replace")
            else:
                op = str(value, "utf-8", "replace")
    return Node(function, name, op, view)


def leading_to(graph: memoryview, names: Iterable[str], place: str) -> set[str]:
    """The nodes of `graph`, those of functions left out, whose values the nodes called `names` use, and they themselves."""
    inputs = {}
    for view in wire.parts(graph, _NODE, place):
        node = _node("", view, place)
        inputs[node.name] = [_source(str(one, "utf-8", "replace")) for one in wire.parts(view, _INPUT, place)]
    found = set(names)
    pending = list(found)
    while pending:
        for source in inputs.get(pending.pop(), ()):
            if source not in found:
                found.add(source)
                pending.append(source)
    return found


def _source(name: str) -> str:
    """The node that an input names: without the mark of an order and the number of the output."""
    return name.lstrip("^").partition(":")[0]


def called(message: Any) -> Sequence[str]:
    """The functions that a node names among its attributes."""
    found = []
    for attribute in message.attr.values():
        kind = attribute.WhichOneof("value")
        if kind == "func":
            found.append(attribute.func.name)
        elif kind == "list":
            found += [one.name for one in attribute.list.func]
    return found


__all__ = ["MOST_NODES", "Node", "called", "leading_to", "name_of", "nodes"]
