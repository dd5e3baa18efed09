"""Writes a graph of layers and operations as the ``layers``, ``input_layers`` and ``output_layers`` of a Keras model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from triptych.errors import shorten
from triptych.layouts.keras_config import edits, nodes
from triptych.layouts.keras_config import inputs as input_layers
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.layers import Layers, Writing, extension_of
from triptych.layouts.keras_config.nodes import Reference, Value
from triptych.layouts.keras_config.operations import (
    Constant,
    Lacking,
    constant_of,
    dtype_of_layer,
    dtypes_yielded,
    repeated_elements,
    write_operation,
)
from triptych.layouts.problems import inexpressible
from triptych.model import Architecture, Call, Input, Json, Layer
from triptych.vocabulary import infer

MOST_REPEATED = 1 << 16
"""How often the constants of a graph may repeat their numbers: a few bytes of ours ask for any number of Keras'."""


def default_first_call(layer: Layer, original: Mapping[str, Json], generation: Generation) -> int:
    """The index by which references name the first call of a nested model: its own making may count as call 0."""
    if layer.architecture is None:
        return 0
    if original.get("class_name") == "Sequential" and (generation >= (3,) or not layer.architecture.inputs):
        return 0
    return 1


def names_of_operations(architecture: Architecture) -> dict[int, str]:
    """Index of an operation's call -> the name that Keras has for it, as for a layer; arrays have none."""
    taken = {layer.name for layer in architecture.layers} | {value.name for value in architecture.inputs}
    names = {}
    for index, call in enumerate(architecture.calls or ()):
        if call.op is None or call.op == "constant":
            continue
        kept = extension_of(call.extensions).get("layer")
        wanted = kept if isinstance(kept, str) and kept else _scope(call.outputs[0])
        number = 1
        name = wanted
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name)
        names[index] = name
    return names


def operation_name(architecture: Architecture, index: int) -> str | None:
    """The name that Keras has for the operation that call `index` calls; None if it calls none."""
    return names_of_operations(architecture).get(index)


def _scope(name: str) -> str:
    """`name` as TensorFlow takes it for a scope."""
    fit = re.sub(r"[^A-Za-z0-9_.\\-]", "_", name)
    return fit if fit[0].isalnum() else f"op{fit}"


def default_listing(architecture: Architecture) -> list[str]:
    """The order in which Keras lists layers and operations: each operation before the first layer that is called after it."""
    names = names_of_operations(architecture)
    first: dict[str, int] = {}
    for index, call in enumerate(architecture.calls or ()):
        if call.op is None:
            first.setdefault(call.layer, index)
    listed: list[str] = []
    waiting = sorted(names)
    for layer in architecture.layers:
        while waiting and waiting[0] < first.get(layer.name, -1):
            listed.append(names[waiting.pop(0)])
        listed.append(layer.name)
    return listed + [names[index] for index in waiting]


class GraphWriter:
    """Writes the calls of one architecture."""

    def __init__(self, architecture: Architecture, writing: Writing, first: Mapping[str, int]) -> None:
        self._generation = writing.generation
        self._architecture = architecture
        self._place = writing.path
        self._types = {layer.name: layer.type for layer in architecture.layers}
        layer_dtypes = {layer.name: dtype_of_layer(layer) for layer in architecture.layers}
        self._values: dict[str, Reference] = {value.name: (value.name, 0, 0) for value in architecture.inputs}
        self._dtypes: dict[str, str | None] = {value.name: value.dtype for value in architecture.inputs}
        self._constants: dict[str, Constant] = {}
        self.operations = names_of_operations(architecture)
        """Index of an operation's call -> its name among Keras' layers."""
        counts: dict[str, int] = defaultdict(int)
        repeated = 0
        for number, call in enumerate(architecture.calls or ()):
            if call.op == "constant":
                repeated += repeated_elements(call)
                if repeated > MOST_REPEATED:
                    message = f"expected constants that repeat one number at most {MOST_REPEATED:,} times together, since Keras writes each down, got {repeated:,}"
                    raise inexpressible(f"{self._place}calls/{number}", message)
                self._constants[call.outputs[0]] = constant_of(call)
                continue
            if call.op is None:
                name, index = call.layer, first.get(call.layer, 0) + counts[call.layer]
                counts[call.layer] += 1
                dtypes: tuple[str | None, ...] = (layer_dtypes.get(call.layer),) * len(call.output_names)
            else:
                name, index = self.operations[number], 0
                taken = [self._constants[one].dtype if one in self._constants else self._dtypes.get(one) for one in call.inputs]
                dtypes = dtypes_yielded(call.op, call.config, taken or [None], len(call.outputs))
            for output, value in enumerate(call.output_names):
                self._values[value] = (name, index, output)
                self._dtypes[value] = dtypes[output] if output < len(dtypes) else None
        self._first = first if writing.generation >= (3,) else {}
        self._shapes = infer(architecture).values if writing.generation >= (3,) or self.operations else {}

    def _refuse_constant(self, name: str) -> None:
        if name in self._constants:
            raise inexpressible(
                self._place, f"expected constants only among the inputs of operations, got {shorten(name)} as a value of its own"
            )

    def value(self, name: str) -> Value:
        """The value called `name`, as calls refer to it: in Keras 3 the making of a nested model does not count there."""
        self._refuse_constant(name)
        layer, index, number = self._values[name]
        reference = (layer, index - self._first.get(layer, 0), number)
        return Value(reference, self._shapes.get(name), self._dtypes.get(name))

    def node(self, call: Call) -> Json:
        """The entry of ``inbound_nodes`` for `call` of a layer, before edits."""
        inputs = [self.value(name) for name in call.inputs]
        return nodes.write_node(self._types.get(call.layer, ""), inputs, call.arguments, self.value, self._generation)

    def operation(self, index: int, name: str) -> dict[str, Json]:
        """The object of the operation that call `index` calls, under `name`, before edits.

        Raises:
            Lacking: Keras has no such operation.
        """
        call = (self._architecture.calls or ())[index]
        operands = [self._constants[one] if one in self._constants else self.value(one) for one in call.inputs]
        outputs = tuple(self._shapes.get(one) for one in call.outputs)
        return write_operation(call, name, operands, outputs, self._generation)

    def outputs(self, names: Sequence[str]) -> list[Json]:
        """References to the values `names`."""
        for name in names:
            self._refuse_constant(name)
        return [list(self._values[name]) for name in names]


def _write_operations(architecture: Architecture, writer: GraphWriter, writing: Writing) -> dict[str, dict[str, Json]]:
    """The objects of all operations by name.

    Raises:
        ConversionError: Keras has none for one.
    """
    objects = {}
    calls = architecture.calls or ()
    for index, name in writer.operations.items():
        call = calls[index]
        try:
            generated = writer.operation(index, name)
        except Lacking as error:
            message = f"expected an operation that Keras {writing.generation.text} has, got {shorten(call.op)}: {error}"
            raise inexpressible(f"{writing.path}calls/{index}", message) from None
        if writing.edits_apply:
            # All of them or none: what another function takes as arguments means nothing to this one.
            edited, failed = edits.apply(generated, writing.edits_of(call.extensions))
            generated = generated if failed or not isinstance(edited, dict) else edited
        if writing.generation < (2, 4) and generated.get("class_name") in ("TFOpLambda", "SlicingOpLambda"):
            raise inexpressible(f"{writing.path}calls/{index}", f"expected layers alone for Keras {writing.generation.text}, got the operation {shorten(call.op)}")
        objects[name] = generated
    return objects


def write_graph(architecture: Architecture, layers: Layers, writing: Writing) -> dict[str, Json]:
    """``layers``, ``input_layers`` and ``output_layers`` of a Functional model's config.

    Raises:
        ConversionError: Keras lacks an operation.
    """
    generation = writing.generation
    first = {}
    objects: dict[str, dict[str, Json]] = {}
    for layer in architecture.layers:
        objects[layer.name] = layers.write(layer, writing)
        kept = extension_of(layer.extensions).get("first_call")
        default = default_first_call(layer, objects[layer.name], generation)
        first[layer.name] = kept if writing.edits_apply and kept in (0, 1) and layer.architecture is not None else default
    writer = GraphWriter(architecture, writing, first)
    entries: dict[str, list[Json]] = {name: [] for name in objects}
    for call in architecture.calls or ():
        if call.op is None:
            entries[call.layer].append(writing.finish(writer.node(call), call.extensions, f"call of {call.layer}"))
    operations = _write_operations(architecture, writer, writing)
    listed: list[Json] = []
    order = _listing(architecture, writing)
    heads = _heads(architecture, order, writing)
    listed += _input_objects(heads.pop(None, []), writing)
    for name in order:
        listed += _input_objects(heads.pop(name, []), writing)
        if name in objects:
            listed.append({**objects[name], "name": name, "inbound_nodes": entries[name]})
        else:
            listed.append({**operations[name], "name": name, "inbound_nodes": operations[name]["inbound_nodes"]})
    listed += _input_objects(heads.pop("", []), writing)
    entering = writer.outputs([value.name for value in architecture.inputs])
    leaving = writer.outputs(architecture.outputs)
    if generation >= (3, 9):
        entering = entering[0] if len(entering) == 1 else entering
        leaving = leaving[0] if len(leaving) == 1 else leaving
    return {"layers": listed, "input_layers": entering, "output_layers": leaving}


def _input_objects(values: Iterable[Input], writing: Writing) -> list[Json]:
    return [{**input_layers.write(value, writing), "name": value.name, "inbound_nodes": []} for value in values]


def _listing(architecture: Architecture, writing: Writing) -> list[str]:
    """The order of layers and operations: the source's, as long as they are the same."""
    default = default_listing(architecture)
    kept = extension_of(architecture.extensions).get("listed") if writing.edits_apply else None
    return list(kept) if isinstance(kept, list | tuple) and sorted(map(str, kept)) == sorted(default) else default


def _heads(architecture: Architecture, objects: Iterable[str], writing: Writing) -> dict[str | None, list[Input]]:
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
