"""What relates two places of an architecture: names, calls, values and the tensors that layers own (chapter 20)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from triptych.checks.registry import Found, check
from triptych.errors import pointer_token, shorten
from triptych.model import Architecture, Json, Layer


@check("ARC-004", "graph")
def layer_names_differ(graph: Architecture, pointer: str) -> Found:
    """Layers of one architecture have names of their own."""
    first: dict[str, int] = {}
    for index, layer in enumerate(graph.layers):
        if first.setdefault(layer.name, index) != index:
            message = f"expected each layer to have a name of its own, got {shorten(layer.name)}, as layer {first[layer.name]} has"
            yield f"{pointer}/layers/{index}/name", message


@check("ARC-006", "graph")
def names_are_normalised(graph: Architecture, pointer: str) -> Found:
    """Names of layers, inputs and values are in normalisation form C."""
    for place, name in _defined_names(graph):
        if not name.isascii() and not unicodedata.is_normalized("NFC", name):
            yield pointer + place, f"expected a name in Unicode normalisation form C, got {shorten(name)}"


def _defined_names(graph: Architecture) -> Iterator[tuple[str, str]]:
    for index, layer in enumerate(graph.layers):
        yield f"/layers/{index}/name", layer.name
    yield from _values(graph)


def _values(graph: Architecture) -> Iterator[tuple[str, str]]:
    """Every value in the order of its definition, as (JSON Pointer, name)."""
    for index, item in enumerate(graph.inputs):
        yield f"/inputs/{index}" if item.shape is None else f"/inputs/{index}/name", item.name
    for index, call in enumerate(graph.calls or ()):
        if not call.outputs and call.op is None:
            yield f"/calls/{index}/layer", call.layer
        for position, name in enumerate(call.outputs):
            yield f"/calls/{index}/outputs/{position}", name


@check("ARC-013", "graph")
def sequential_architectures_have_one_input(graph: Architecture, pointer: str) -> Found:
    """Without calls there is at most one input."""
    if graph.is_sequential and len(graph.inputs) > 1:
        yield f"{pointer}/inputs", f"expected at most one input without calls, got {len(graph.inputs)}"


@check("ARC-014", "graph")
def value_names_differ(graph: Architecture, pointer: str) -> Found:
    """Inputs and values of calls have names of their own."""
    seen: set[str] = set()
    for place, name in _values(graph):
        if name in seen:
            yield pointer + place, f"expected each value to have a name of its own, got {shorten(name)} again"
        seen.add(name)


@check("ARC-015", "graph")
def calls_name_layers(graph: Architecture, pointer: str) -> Found:
    """A call names a layer of its own architecture."""
    names = {layer.name for layer in graph.layers}
    for index, call in enumerate(graph.calls or ()):
        if call.layer and call.layer not in names:
            yield (
                f"{pointer}/calls/{index}/layer",
                f"expected the name of a layer of the same architecture, got {shorten(call.layer)}",
            )


@check("ARC-016", "graph")
def calls_take_earlier_values(graph: Architecture, pointer: str) -> Found:
    """A call takes inputs of the architecture and values of calls before it."""
    known = {item.name for item in graph.inputs}
    for index, call in enumerate(graph.calls or ()):
        at = f"{pointer}/calls/{index}"
        taken = [(f"{at}/inputs/{position}", name) for position, name in enumerate(call.inputs)]
        for name, argument in call.arguments.items():
            taken.extend(_references(argument, f"{at}/arguments/{pointer_token(name)}"))
        for place, name in taken:
            if name not in known:
                yield place, f"expected the name of an input or of a value of an earlier call, got {shorten(name)}"
        known.update(call.output_names)


def _references(argument: Json, pointer: str) -> Iterator[tuple[str, str]]:
    """Every value that `argument` refers to, as (JSON Pointer, name)."""
    if isinstance(argument, dict) and "value" in argument:
        yield f"{pointer}/value", argument["value"]
    elif isinstance(argument, list | tuple):
        for index, item in enumerate(argument):
            yield from _references(item, f"{pointer}/{index}")


@check("ARC-017", "graph")
def outputs_are_values(graph: Architecture, pointer: str) -> Found:
    """An output names an input or a value of a call."""
    known = {name for _, name in _values(graph)}
    for index, name in enumerate(graph.outputs):
        if name not in known:
            yield f"{pointer}/outputs/{index}", f"expected the name of an input or of a value of a call, got {shorten(name)}"


@check("ARC-019", "layer")
def axes_are_permutations(layer: Layer, pointer: str) -> Found:
    """The axes of a weight hold each of 0, 1, … once."""
    for role, reference in layer.weights.items():
        axes = reference.axes
        if axes is not None and sorted(axes) != list(range(len(axes))):
            message = f"expected axes to hold each of 0 to {len(axes) - 1} once, got {shorten(list(axes))}"
            yield f"{pointer}/weights/{pointer_token(role)}/axes", message
