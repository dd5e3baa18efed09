"""What an architecture says of types where it stands, in composites that nothing uses, too (chapter 25)."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.checks.registry import Found, check
from triptych.errors import shorten
from triptych.model import Architecture, Layer
from triptych.vocabulary import layer_type
from triptych.vocabulary.operations.definition import OPERATIONS

STATIC = frozenset({"LYR-001", "LYR-004", "LYR-030"})
"""What is looked at here, so that shapes need not say it again."""


@check("LYR-001", "types")
def types_are_known(architecture: Architecture) -> Found:
    """A layer is of a type of the vocabulary, a composite or an extension type."""
    for pointer, layer in _layers(architecture):
        if ":" not in layer.type and layer.type not in architecture.composites and layer_type(layer.type) is None:
            message = f"expected a layer type of the vocabulary, a composite or an extension type, got {shorten(layer.type)}"
            yield f"{pointer}/type", message


@check("LYR-004", "types")
def sublayers_have_their_roles(architecture: Architecture) -> Found:
    """A layer holds a sublayer for each role of its type, and no other."""
    for pointer, layer in _layers(architecture):
        found = layer_type(layer.type)
        roles = found.roles(layer.sublayers) if found else []
        known = found is not None or layer.type in architecture.composites
        if known and set(roles) != set(layer.sublayers):
            expected = " and ".join(roles) if roles else "none"
            message = f"expected {expected} as sublayers of a {shorten(layer.type)}, got {shorten(sorted(layer.sublayers))}"
            yield f"{pointer}/sublayers" if layer.sublayers else pointer, message


@check("LYR-030", "types")
def operations_are_known(architecture: Architecture) -> Found:
    """A call of an operation names one of the vocabulary or of an extension."""
    for pointer, graph in _graphs(architecture):
        for index, call in enumerate(graph.calls or ()):
            if call.op is not None and ":" not in call.op and call.op not in OPERATIONS:
                message = f"expected an operation of the vocabulary or an extension operation, got {shorten(call.op)}"
                yield f"{pointer}/calls/{index}/op", message


def _layers(architecture: Architecture) -> Iterator[tuple[str, Layer]]:
    """Every layer as it is written, as (JSON Pointer, layer)."""
    for pointer, graph in _written(architecture):
        for _, place, layer in graph.walk("", pointer):
            yield place, layer


def _graphs(architecture: Architecture) -> Iterator[tuple[str, Architecture]]:
    """Every graph as it is written, as (JSON Pointer, graph)."""
    for pointer, graph in _written(architecture):
        yield pointer, graph
        for _, place, layer in graph.walk("", pointer):
            if layer.architecture is not None:
                yield f"{place}/architecture", layer.architecture


def _written(architecture: Architecture) -> Iterator[tuple[str, Architecture]]:
    yield "", architecture
    for name, composite in architecture.composites.items():
        yield f"/composites/{name}", composite.architecture
