"""A graph of layers: the ``layers``, ``input_layers`` and ``output_layers`` of a Keras model as ours, and back."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from triptych.layouts.keras_config import inputs as input_layers
from triptych.layouts.keras_config import nodes
from triptych.layouts.keras_config.edits import difference
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.layers import EXTENSION, Layers, Writing, extension_of
from triptych.layouts.keras_config.nodes import Node, Reference, Value
from triptych.layouts.keras_config.plain import name as plain_name
from triptych.layouts.keras_config.plain import unsayable
from triptych.model import Architecture, Call, Input, Json, Layer
from triptych.vocabulary import infer, layer_type

_ANY_ARGUMENT = frozenset({"training", "mask"})
_STATES = {"SimpleRNN": 1, "GRU": 1, "LSTM": 2}


@dataclass(slots=True)
class _Called:
    """A layer and its calls, before values have names."""

    layer: Layer
    original: Mapping[str, Json]
    calls: list[Node]
    first: int
    """Index by which references name its first call."""


def read_graph(
    config: Mapping[str, Json], layers: Layers, generation: Generation, opaque: frozenset[str] = frozenset()
) -> Architecture:
    """The architecture of the `config` of a Functional model; layers named in `opaque` stay extension types.

    Raises:
        Unsayable: The graph cannot be said.
    """
    originals = config.get("layers")
    if not isinstance(originals, list) or not all(
        isinstance(one, dict) and isinstance(one.get("inbound_nodes"), list) for one in originals
    ):
        unsayable("layers")
    inputs, called = _read_layers(originals, layers, generation, opaque)
    entering = [reference[0] for reference in _flat(config.get("input_layers"))]
    if sorted(entering) != sorted(inputs) or not entering:
        unsayable("inputs")
    leaving = _flat(config.get("output_layers"))
    if not leaving:
        unsayable("outputs")
    _find_first_calls(called, leaving, generation)
    graph = _Naming(inputs, called, leaving)
    architecture = Architecture(
        layers=tuple(one.layer for one in called.values()),
        inputs=tuple(_placed(inputs[name], originals, inputs, entering) for name in entering),
        calls=tuple(graph.calls()),
        outputs=tuple(graph.name(reference) for reference in leaving),
    )
    return _with_call_edits(architecture, called, generation)


def _read_layers(
    originals: list[Json], layers: Layers, generation: Generation, opaque: frozenset[str]
) -> tuple[dict[str, Input], dict[str, _Called]]:
    inputs: dict[str, Input] = {}
    called: dict[str, _Called] = {}
    names = frozenset(str(one.get("name")) for one in originals)
    if len(names) < len(originals):
        unsayable("two layers of one name")
    for original in originals:
        name = plain_name(original.get("name"))
        if original.get("class_name") == "InputLayer":
            if original["inbound_nodes"]:
                unsayable("an input that is called")
            inputs[name] = input_layers.read(original, generation, name=name)
            continue
        layer = layers.read(original, generation, name=name, opaque=name in opaque)
        calls = [nodes.read_node(entry, layer.type, names) for entry in original["inbound_nodes"]]
        if name not in opaque and not all(_is_ordinary(layer, node) for node in calls):
            layer = layers.read(original, generation, name=name, opaque=True)
            calls = [nodes.read_node(entry, layer.type, names) for entry in original["inbound_nodes"]]
        called[name] = _Called(layer, original, calls, 0)
    return inputs, called


def _is_ordinary(layer: Layer, node: Node) -> bool:
    """Whether the vocabulary's type covers the call."""
    found = layer_type(layer.type)
    if found is None:
        return True
    least, most = found.inputs
    known = all(key in _ANY_ARGUMENT or key in found.arguments for key in node.arguments)
    return known and node.plain and least <= len(node.inputs) and (most is None or len(node.inputs) <= most)


def _find_first_calls(called: dict[str, _Called], leaving: list[Reference], generation: Generation) -> None:
    """Settle by which index references name the first call of each nested model, and make those inside calls agree with it.

    The calls that Keras 3 writes count differently from its ``output_layers``, so that it cannot read such a model back.
    """
    inner: dict[str, set[int]] = defaultdict(set)
    outer: dict[str, set[int]] = defaultdict(set)
    for one in called.values():
        for node in one.calls:
            for name, index, _ in _mentioned(node):
                inner[name].add(index)
    for name, index, _ in leaving:
        outer[name].add(index)
    shifts: dict[str, int] = {}
    for name, one in called.items():
        if one.layer.architecture is None:
            continue
        default = default_first_call(one.layer, one.original, generation)
        count = len(one.calls)
        if generation >= (3,):
            first = _base(outer[name], default, count)
            shifts[name] = first - _base(inner[name], 0, count)
        else:
            first = _base(outer[name] | inner[name], default, count)
        one.first = first
        if first != default:
            one.layer = _keeping(one.layer, "first_call", first)
    if any(shifts.values()):
        for one in called.values():
            one.calls = [_shifted(node, shifts) for node in one.calls]


def _base(indices: set[int], default: int, count: int) -> int:
    """The index of the first of `count` calls, 0 or 1, for which all `indices` mean one; `default` if both do."""
    fitting = [base for base in (default, 1 - default) if all(base <= index < base + count for index in indices)]
    return fitting[0] if fitting else default


def _shifted(node: Node, shifts: Mapping[str, int]) -> Node:
    def shift(reference: Reference) -> Reference:
        name, index, number = reference
        return name, index + shifts.get(name, 0), number

    arguments = {
        key: nodes.map_arguments(item, lambda reference: {"value": shift(reference)}) for key, item in node.arguments.items()
    }
    return Node([shift(reference) for reference in node.inputs], arguments, node.plain)


def default_first_call(layer: Layer, original: Mapping[str, Json], generation: Generation) -> int:
    """The index by which references name the first call of a nested model: its own making may count as call 0."""
    if layer.architecture is None:
        return 0
    if original.get("class_name") == "Sequential" and (generation >= (3,) or not layer.architecture.inputs):
        return 0
    return 1


def _keeping(layer: Layer, key: str, value: Json) -> Layer:
    return replace(layer, extensions={**layer.extensions, EXTENSION: {**extension_of(layer.extensions), key: value}})


def _mentioned(node: Node) -> Iterator[Reference]:
    yield from node.inputs
    found: list[Reference] = []

    def note(reference: Json) -> Json:
        found.append(reference)
        return None

    for key, item in node.arguments.items():
        if key != nodes.ARGUMENTS:
            nodes.map_arguments(item, note)
    yield from found


def _flat(value: Json) -> list[Reference]:
    """The references in ``input_layers`` or ``output_layers``: one, a list, or an object of them."""
    value = nodes.unwrap(value)
    if isinstance(value, dict):
        return [found for item in value.values() for found in _flat(item)]
    if isinstance(value, list) and value and isinstance(value[0], str):
        return [nodes.read_reference(value)]
    if not isinstance(value, list):
        unsayable("inputs or outputs")
    return [found for item in value for found in _flat(item)]


def _placed(value: Input, originals: list[Json], inputs: Mapping[str, Input], entering: list[str]) -> Input:
    """`value` with a note of the layer that its InputLayer stands before, unless it is one of those at the head."""
    order = [one["name"] for one in originals]
    if order[: len(entering)] == entering:
        return value
    following = next((name for name in order[order.index(value.name) + 1 :] if name not in inputs), None)
    extensions = {
        **value.extensions,
        EXTENSION: {**extension_of(value.extensions), "before": following, "rank": order.index(value.name)},
    }
    return replace(value, extensions=extensions)


class _Naming:
    """Gives every value of a graph a name, and every call its place in an order in which values exist before their use."""

    def __init__(self, inputs: Mapping[str, Input], called: dict[str, _Called], leaving: list[Reference]) -> None:
        self._called = called
        self._names: dict[Reference, str] = {(name, 0, 0): name for name in inputs}
        self._outputs: dict[tuple[str, int], tuple[str, ...]] = {}
        taken = set(inputs) | set(called)
        counts: dict[tuple[str, int], int] = defaultdict(lambda: 1)
        for reference in (*leaving, *(found for one in called.values() for node in one.calls for found in _mentioned(node))):
            counts[reference[:2]] = max(counts[reference[:2]], reference[2] + 1)
        for name, one in called.items():
            for number in range(len(one.calls)):
                key = (name, one.first + number)
                base = name if number == 0 else f"{name}@{number + 1}"
                count = max(counts[key], known_outputs(one.layer, one.calls[number].arguments))
                if count > 1024:
                    unsayable("a call that yields too many values")
                outputs = []
                for index in range(count):
                    wanted = base if index == 0 else f"{base}:{index}"
                    while wanted in taken and wanted != name:
                        wanted += "'"
                    taken.add(wanted)
                    outputs.append(wanted)
                    self._names[name, one.first + number, index] = wanted
                self._outputs[key] = tuple(outputs)

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
                needed = {reference[:2] for reference in _mentioned(node) if reference[0] in self._called}
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
            yield self._call(key)
            for other in after[key]:
                waiting[other] -= 1
                if waiting[other] == 0:
                    heapq.heappush(ready, (position[other[0]], other[1]))
        if done < len(waiting):
            unsayable("a graph with a cycle")

    def _call(self, key: tuple[str, int]) -> Call:
        one = self._called[key[0]]
        node = one.calls[key[1] - one.first]
        outputs = self._outputs[key]
        return Call(
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


def _with_call_edits(architecture: Architecture, called: Mapping[str, _Called], generation: Generation) -> Architecture:
    """`architecture` with the edits that lead from the calls it implies back to the original ones."""
    assert architecture.calls is not None
    writer = _Writer(architecture, Writing(generation, edits_apply=False), {name: one.first for name, one in called.items()})
    position: dict[str, int] = defaultdict(int)
    calls = []
    for call in architecture.calls:
        original = called[call.layer].original["inbound_nodes"][position[call.layer]]
        position[call.layer] += 1
        found = difference(writer.node(call), original)
        calls.append(replace(call, extensions={EXTENSION: {"edits": found}}) if found else call)
    return replace(architecture, calls=tuple(calls))


class _Writer:
    """Writes the calls of one architecture."""

    def __init__(self, architecture: Architecture, writing: Writing, first: Mapping[str, int]) -> None:
        self._writing = writing
        self._types = {layer.name: layer.type for layer in architecture.layers}
        self._dtypes = {layer.name: layer.compute_dtype or layer.dtype for layer in architecture.layers}
        self._values: dict[str, Reference] = {value.name: (value.name, 0, 0) for value in architecture.inputs}
        self._given = {value.name: value.dtype for value in architecture.inputs}
        counts: dict[str, int] = defaultdict(int)
        for call in architecture.calls or ():
            index = first.get(call.layer, 0) + counts[call.layer]
            counts[call.layer] += 1
            for number, name in enumerate(call.output_names):
                self._values[name] = (call.layer, index, number)
        self._first = first if writing.generation >= (3,) else {}
        self._shapes = infer(architecture).values if writing.generation >= (3,) else {}

    def value(self, name: str) -> Value:
        """The value called `name`, as calls refer to it: in Keras 3 the making of a nested model does not count there."""
        layer, index, number = self._values[name]
        reference = (layer, index - self._first.get(layer, 0), number)
        dtype = self._given.get(name) or self._dtypes.get(reference[0], "float32")
        return Value(reference, self._shapes.get(name), dtype)

    def node(self, call: Call) -> Json:
        """The entry of ``inbound_nodes`` for `call`, before edits."""
        inputs = [self.value(name) for name in call.inputs]
        return nodes.write_node(self._types.get(call.layer, ""), inputs, call.arguments, self.value, self._writing.generation)

    def outputs(self, names: Iterable[str]) -> list[Json]:
        """References to the values `names`."""
        return [list(self._values[name]) for name in names]


def write_graph(architecture: Architecture, layers: Layers, writing: Writing) -> dict[str, Json]:
    """``layers``, ``input_layers`` and ``output_layers`` of a Functional model's config."""
    generation = writing.generation
    first = {}
    objects: dict[str, dict[str, Json]] = {}
    for layer in architecture.layers:
        objects[layer.name] = layers.write(layer, writing)
        kept = extension_of(layer.extensions).get("first_call")
        default = default_first_call(layer, objects[layer.name], generation)
        first[layer.name] = kept if writing.edits_apply and kept in (0, 1) and layer.architecture is not None else default
    writer = _Writer(architecture, writing, first)
    entries: dict[str, list[Json]] = {name: [] for name in objects}
    for call in architecture.calls or ():
        entries[call.layer].append(writing.finish(writer.node(call), call.extensions, f"call of {call.layer}"))
    listed: list[Json] = []
    heads = _heads(architecture, objects, writing)
    listed += _input_objects(heads.pop(None, []), writing)
    for name, generated in objects.items():
        listed += _input_objects(heads.pop(name, []), writing)
        listed.append({**generated, "name": name, "inbound_nodes": entries[name]})
    listed += _input_objects(heads.pop("", []), writing)
    entering = writer.outputs(value.name for value in architecture.inputs)
    leaving = writer.outputs(architecture.outputs)
    if generation >= (3, 9):
        entering = entering[0] if len(entering) == 1 else entering
        leaving = leaving[0] if len(leaving) == 1 else leaving
    return {"layers": listed, "input_layers": entering, "output_layers": leaving}


def _input_objects(values: Iterable[Input], writing: Writing) -> list[Json]:
    return [{**input_layers.write(value, writing), "name": value.name, "inbound_nodes": []} for value in values]


def _heads(architecture: Architecture, objects: Mapping[str, Json], writing: Writing) -> dict[str | None, list[Input]]:
    """Name of a layer -> the inputs listed right before it; None: at the head, "": at the end."""
    heads: dict[str | None, list[tuple[int, Input]]] = defaultdict(list)
    for value in architecture.inputs:
        kept = extension_of(value.extensions)
        before = kept.get("before") if writing.edits_apply else None
        place: str | None = before if isinstance(before, str) and before in objects else None
        if writing.edits_apply and "before" in kept and before is None:
            place = ""
        rank = kept.get("rank")
        heads[place].append((rank if isinstance(rank, int) else 0, value))
    return {place: [value for _, value in sorted(found, key=lambda pair: pair[0])] for place, found in heads.items()}
