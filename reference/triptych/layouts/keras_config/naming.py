"""Names for the values of a graph that Keras refers to by layer, call and index, and an order in which they exist before their use."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from triptych.layouts.keras_config import nodes
from triptych.layouts.keras_config.nodes import Node, Reference
from triptych.layouts.keras_config.operations import Constant, Said, config_of
from triptych.layouts.keras_config.plain import unsayable
from triptych.model import Call, Input, Json, Layer
from triptych.vocabulary import layer_type

_STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}


@dataclass(slots=True)
class Called:
    """A layer, or an operation that Keras keeps as one, and its calls, before values have names."""

    layer: Layer
    original: Mapping[str, Json]
    calls: list[Node]
    first: int
    """Index by which references name its first call."""
    said: Said | None = None
    """The operation that it is; its only node then holds the values of the graph among the operands."""


def mentioned(node: Node) -> Iterator[Reference]:
    """Every value of the graph that a call takes."""
    yield from node.inputs
    found: list[Reference] = []

    def note(reference: Json) -> Json:
        found.append(reference)
        return None

    for key, item in node.arguments.items():
        if key != nodes.ARGUMENTS:
            nodes.map_arguments(item, note)
    yield from found


class Naming:
    """Gives every value of a graph a name, and every call its place in an order in which values exist before their use."""

    def __init__(self, inputs: Mapping[str, Input], called: dict[str, Called], leaving: list[Reference]) -> None:
        self._called = called
        self._names: dict[Reference, str] = {(name, 0, 0): name for name in inputs}
        self._outputs: dict[tuple[str, int], tuple[str, ...]] = {}
        self._taken = set(inputs) | set(called)
        counts: dict[tuple[str, int], int] = defaultdict(lambda: 1)
        for reference in (*leaving, *(found for one in called.values() for node in one.calls for found in mentioned(node))):
            counts[reference[:2]] = max(counts[reference[:2]], reference[2] + 1)
        for name, one in called.items():
            for number in range(len(one.calls)):
                key = (name, one.first + number)
                base = name if number == 0 else f"{name}@{number + 1}"
                known = known_outputs(one.layer, one.calls[number].arguments) if one.said is None else one.said.outputs
                count = max(counts[key], known)
                if count > 1024:
                    unsayable("a call that yields too many values")
                outputs = []
                for index in range(count):
                    wanted = base if index == 0 else f"{base}:{index}"
                    outputs.append(wanted if wanted == name else self._fresh(wanted))
                    self._names[name, one.first + number, index] = outputs[-1]
                self._outputs[key] = tuple(outputs)

    def _fresh(self, wanted: str) -> str:
        """`wanted`, changed as long as it is taken."""
        while wanted in self._taken:
            wanted += "'"
        self._taken.add(wanted)
        return wanted

    def name(self, reference: Reference) -> str:
        """The name of the value that `reference` means."""
        found = self._names.get(reference)
        return found if found is not None else unsayable("a reference to nothing")

    def calls(self) -> Iterator[Call]:
        """All calls, each after those whose values it uses, otherwise as the layers are listed."""
        position = {name: number for number, name in enumerate(self._called)}
        waiting: dict[tuple[str, int], int] = {}
        after: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
        for name, one in self._called.items():
            for number, node in enumerate(one.calls):
                key = (name, one.first + number)
                needed = {reference[:2] for reference in mentioned(node) if reference[0] in self._called}
                if number:
                    needed.add((name, one.first + number - 1))
                waiting[key] = len(needed)
                for other in needed:
                    after[other].append(key)
        ready = [(position[key[0]], key[1]) for key, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        order = list(self._called)
        done = 0
        while ready:
            place, index = heapq.heappop(ready)
            key = (order[place], index)
            done += 1
            yield from self._calls(key)
            for other in after[key]:
                waiting[other] -= 1
                if waiting[other] == 0:
                    heapq.heappush(ready, (position[other[0]], other[1]))
        if done < len(waiting):
            unsayable("a graph with a cycle")

    def _calls(self, key: tuple[str, int]) -> Iterator[Call]:
        """The call `key`; that of an operation after those that make the arrays it takes."""
        one = self._called[key[0]]
        node = one.calls[key[1] - one.first]
        outputs = self._outputs[key]
        if one.said is not None:
            names = iter(map(self.name, node.inputs))
            operands = []
            for operand in one.said.operands:
                if isinstance(operand, Constant):
                    operands.append(self._fresh(f"{key[0]}:constant"))
                    yield Call("", (), outputs=(operands[-1],), op="constant", config=config_of(operand))
                else:
                    operands.append(next(names))
            yield Call("", tuple(operands), outputs=outputs, op=one.said.op, config=one.said.config)
            return
        yield Call(
            layer=key[0],
            inputs=tuple(map(self.name, node.inputs)),
            arguments={
                name: nodes.map_arguments(item, lambda reference: {"value": self.name(reference)})
                for name, item in node.arguments.items()
            },
            outputs=() if outputs == (key[0],) else outputs,
        )


def known_outputs(layer: Layer, arguments: Mapping[str, Json]) -> int:
    """How many values a call of `layer` yields, as far as its type tells; at least 1."""
    if layer.architecture is not None:
        return 1 if layer.architecture.calls is None else len(layer.architecture.outputs)
    if layer.type == "Bidirectional":
        forward, backward = layer.sublayers["forward"], layer.sublayers["backward"]
        merged = 2 if layer.config.get("merge_mode") == "none" else 1
        return merged + known_outputs(forward, {}) + known_outputs(backward, {}) - 2
    if layer.type in _STATES and layer.config.get("return_state"):
        return 1 + _STATES[layer.type]
    return 2 if arguments.get("return_attention_scores") and layer_type(layer.type) is not None else 1
