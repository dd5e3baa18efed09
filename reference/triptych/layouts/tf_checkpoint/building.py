"""Builds an object graph step by step, and gives every tensor in it the key that TensorFlow would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from triptych.layouts.tensorflow.object_graph import VALUE, Attribute, Node, ObjectGraph, Slot, key_of, slot_key_of
from triptych.layouts.tf_checkpoint.keras_paths import Step
from triptych.model import Tensor


@dataclass(slots=True)
class GraphBuilder:
    """Objects on the way to become a graph; 0 is the root."""

    children: list[dict[str, int]] = field(default_factory=lambda: [{}])
    values: dict[int, tuple[Tensor, str]] = field(default_factory=dict)
    """Variable -> its value and its full name."""
    slots: dict[int, list[Slot]] = field(default_factory=dict)

    def add(self) -> int:
        """A new object, which nothing leads to yet.

        It is said to lead to values. One that has none of its own then keeps what it has in a live model, and counts as restored.
        """
        self.children.append({})
        return len(self.children) - 1

    def step(self, node: int, names: Step) -> int:
        """The object that `node` holds under `names`, made if it is not there."""
        child = self.children[node].get(names[0])
        if child is None:
            child = self.add()
        for name in names:
            self.children[node][name] = child
        return child

    def walk(self, node: int, steps: Sequence[Step]) -> int:
        """The object at the end of `steps` from `node`, made if it is not there."""
        for names in steps:
            node = self.step(node, names)
        return node

    def variable(self, node: int, value: Tensor, full_name: str) -> int:
        """Make `node` a variable."""
        self.values[node] = (value, full_name)
        return node

    def finish(self) -> tuple[ObjectGraph, dict[str, Tensor]]:
        """The graph, and key -> tensor."""
        ways = ObjectGraph(tuple(map(Node, self.children))).paths()
        keys = {node: key_of(ways[node]) for node in self.values if node in ways}
        for optimizer, slots in self.slots.items():
            keys |= {slot.node: slot_key_of(ways[slot.variable], ways[optimizer], slot.name) for slot in slots}
        nodes = tuple(
            Node(children, self._attributes(number, keys), tuple(self.slots.get(number, ())), has_values=True)
            for number, children in enumerate(self.children)
        )
        return ObjectGraph(nodes), {keys[node]: value for node, (value, _) in self.values.items()}

    def _attributes(self, number: int, keys: dict[int, str]) -> tuple[Attribute, ...]:
        return (Attribute(VALUE, self.values[number][1], keys[number]),) if number in self.values else ()


__all__ = ["GraphBuilder"]
