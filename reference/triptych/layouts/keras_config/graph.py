"""A graph of layers: the ``layers``, ``input_layers`` and ``output_layers`` of a Keras model as ours, and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from triptych.layouts.keras_config import inputs as input_layers
from triptych.layouts.keras_config import nodes
from triptych.layouts.keras_config.edits import difference
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.graph_writing import GraphWriter, default_first_call, default_listing
from triptych.layouts.keras_config.layers import EXTENSION, Layers, Writing, extension_of
from triptych.layouts.keras_config.naming import Called, Naming, mentioned
from triptych.layouts.keras_config.nodes import Node, Reference
from triptych.layouts.keras_config.operations import (
    Context,
    Lacking,
    Tensor,
    dtype_of_layer,
    dtypes_yielded,
    read_operation,
    stands_for_operation,
)
from triptych.layouts.keras_config.plain import Unsayable, unsayable
from triptych.layouts.keras_config.plain import name as plain_name
from triptych.model import Architecture, Call, Input, Json, Layer
from triptych.vocabulary import layer_type

_ANY_ARGUMENT = frozenset({"training", "mask"})


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
    graph = Naming(inputs, called, leaving)
    architecture = Architecture(
        layers=tuple(one.layer for one in called.values() if one.said is None),
        inputs=tuple(_placed(inputs[name], originals, inputs, entering) for name in entering),
        calls=tuple(graph.calls()),
        outputs=tuple(graph.name(reference) for reference in leaving),
    )
    try:
        found = _with_call_edits(architecture, called, generation)
    except _Unwritable as error:
        # What cannot be written is not read, either: it would not come back.
        return read_graph(config, layers, generation, opaque | {str(error)})
    listed = [one["name"] for one in originals if one["name"] in called]
    if listed == default_listing(found):
        return found
    kept = {**extension_of(found.extensions), "listed": listed}
    return replace(found, extensions={**found.extensions, EXTENSION: kept})


class _Unwritable(Exception):  # noqa: N818 - tells which operation stays a layer; nobody outside sees it
    """Our writer does not write an operation, that of this name."""


def _read_layers(
    originals: list[Json], layers: Layers, generation: Generation, opaque: frozenset[str]
) -> tuple[dict[str, Input], dict[str, Called]]:
    inputs: dict[str, Input] = {}
    called: dict[str, Called] = {}
    names = frozenset(str(one.get("name")) for one in originals)
    dtypes: dict[str, tuple[str | None, ...]] = {}
    if len(names) < len(originals):
        unsayable("two layers of one name")
    for original in originals:
        name = plain_name(original.get("name"))
        if original.get("class_name") == "InputLayer":
            if original["inbound_nodes"]:
                unsayable("an input that is called")
            inputs[name] = input_layers.read(original, generation, name=name)
            dtypes[name] = (inputs[name].dtype,)
            continue
        if stands_for_operation(original):
            layer = layers.read(original, generation, name=name, opaque=True)
            called[name], dtypes[name] = _read_operation(original, layer, Context(names, dtypes), as_layer=name in opaque)
            continue
        layer = layers.read(original, generation, name=name, opaque=name in opaque)
        calls = [nodes.read_node(entry, layer.type, names) for entry in original["inbound_nodes"]]
        if name not in opaque and not all(_is_ordinary(layer, node) for node in calls):
            layer = layers.read(original, generation, name=name, opaque=True)
            calls = [nodes.read_node(entry, layer.type, names) for entry in original["inbound_nodes"]]
        called[name] = Called(layer, original, calls, 0)
        dtypes[name] = (dtype_of_layer(layer),)
    return inputs, called


def _read_operation(
    original: Mapping[str, Json], layer: Layer, context: Context, *, as_layer: bool
) -> tuple[Called, tuple[str | None, ...]]:
    """An operation of Keras as one of ours, or as `layer`, which is of an extension type; and the dtypes of what it yields."""
    if not as_layer:
        try:
            said = read_operation(original, context)
        except Unsayable:
            pass
        else:
            dtypes = dtypes_yielded(said.op, said.config, [one.dtype for one in said.operands], said.outputs)
            node = Node([one.reference for one in said.operands if isinstance(one, Tensor)])
            return Called(layer, original, [node], 0, said), dtypes
    calls = [nodes.read_node(entry, layer.type, context.names) for entry in original["inbound_nodes"]]
    return Called(layer, original, calls, 0), (None,)


def _is_ordinary(layer: Layer, node: Node) -> bool:
    """Whether the vocabulary's type covers the call."""
    found = layer_type(layer.type)
    if found is None:
        return True
    least, most = found.inputs
    known = all(key in _ANY_ARGUMENT or key in found.arguments for key in node.arguments)
    return known and node.plain and least <= len(node.inputs) and (most is None or len(node.inputs) <= most)


def _find_first_calls(called: dict[str, Called], leaving: list[Reference], generation: Generation) -> None:
    """Settle by which index references name the first call of each nested model, and make those inside calls agree with it.

    The calls that Keras 3 writes count differently from its ``output_layers``, so that it cannot read such a model back.
    """
    inner: dict[str, set[int]] = defaultdict(set)
    outer: dict[str, set[int]] = defaultdict(set)
    for one in called.values():
        for node in one.calls:
            for name, index, _ in mentioned(node):
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


def _keeping(layer: Layer, key: str, value: Json) -> Layer:
    return replace(layer, extensions={**layer.extensions, EXTENSION: {**extension_of(layer.extensions), key: value}})


def _flat(value: Json) -> list[Reference]:
    """The references in ``input_layers`` or ``output_layers``: one, a list, or an object of them, which Keras orders by its keys."""
    value = nodes.unwrap(value)
    if isinstance(value, dict):
        return [found for _, item in sorted(value.items()) for found in _flat(item)]
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


def _with_call_edits(architecture: Architecture, called: Mapping[str, Called], generation: Generation) -> Architecture:
    """`architecture` with the edits that lead from the calls it implies back to the original ones."""
    assert architecture.calls is not None
    writer = GraphWriter(architecture, Writing(generation, edits_apply=True), {name: one.first for name, one in called.items()})
    position: dict[str, int] = defaultdict(int)
    calls = []
    for index, call in enumerate(architecture.calls):
        if call.op is None:
            original = called[call.layer].original["inbound_nodes"][position[call.layer]]
            position[call.layer] += 1
            found = difference(writer.node(call), original)
            calls.append(replace(call, extensions={EXTENSION: {"edits": found}}) if found else call)
        elif index in writer.operations:
            calls.append(_with_edits(call, index, writer, called))
        else:
            calls.append(call)
    return replace(architecture, calls=tuple(calls))


def _with_edits(call: Call, index: int, writer: GraphWriter, called: Mapping[str, Called]) -> Call:
    """The call of an operation with the edits that lead from the object it implies back to the original one."""
    name = call.outputs[0]
    original = {key: value for key, value in called[name].original.items() if key != "name"}
    kept: dict[str, Json] = {} if writer.operations[index] == name else {"layer": name}
    try:
        found = difference(writer.operation(index, name), original)
    except Lacking:
        raise _Unwritable(name) from None
    if found:
        kept["edits"] = found
    return replace(call, extensions={EXTENSION: kept}) if kept else call
