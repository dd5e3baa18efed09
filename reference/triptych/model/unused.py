"""What an architecture holds and nothing uses: allowed, and most often an oversight."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.errors import pointer_token, shorten
from triptych.model.architecture import Architecture, Call, Json


def unused(architecture: Architecture) -> Iterator[tuple[str, str]]:
    """(JSON Pointer, sentence) for each layer that no call names, each value that nothing takes, each composite without a use."""
    graphs = [("", architecture)]
    graphs += [(f"/composites/{pointer_token(name)}", one.architecture) for name, one in architecture.composites.items()]
    types = set()
    for pointer, graph in graphs:
        yield from _unused_in(graph, pointer)
        for _, place, layer in graph.walk("", pointer):
            types.add(layer.type)
            if layer.architecture is not None:
                yield from _unused_in(layer.architecture, f"{place}/architecture")
    for name in architecture.composites:
        if name not in types:
            yield f"/composites/{pointer_token(name)}", f"no layer is of the type {shorten(name)}"


def _unused_in(graph: Architecture, pointer: str) -> Iterator[tuple[str, str]]:
    if graph.calls is None:
        return
    called = {call.layer for call in graph.calls}
    for index, layer in enumerate(graph.layers):
        if layer.name not in called:
            yield f"{pointer}/layers/{index}", f"no call names layer {shorten(layer.name)}"
    taken = set(graph.outputs)
    for call in graph.calls:
        taken.update(_taken(call))
    for index, item in enumerate(graph.inputs):
        if item.name not in taken:
            yield f"{pointer}/inputs/{index}", f"no call takes input {shorten(item.name)}, and it is no output"
    for index, call in enumerate(graph.calls):
        # A call that yields several values may be made for one of them.
        if not taken.intersection(call.output_names):
            names = ", ".join(map(shorten, call.output_names))
            yield f"{pointer}/calls/{index}", f"no call takes {names}, and no output names it"


def _taken(call: Call) -> Iterator[str]:
    """The names of the values that `call` takes."""
    yield from call.inputs
    waiting: list[Json] = list(call.arguments.values())
    for argument in waiting:
        if isinstance(argument, dict) and "value" in argument:
            yield argument["value"]
        elif isinstance(argument, list | tuple):
            waiting += argument
