"""What a document says about extensions agrees with what it holds and with what this reader knows (chapter 60)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from triptych.checks.registry import Found, check
from triptych.errors import pointer_token, shorten
from triptych.model import Architecture, Json, Layer, Panels, Training

KNOWN = frozenset({"keras"})
"""Extensions whose data this package understands."""

Document = Architecture | Training | Panels
"""What has lists of extensions: the model of one document, or of the manifest."""


@check("EXT-002", "document")
def extensions_are_listed(document: Document) -> Found:
    """Every extension with data in the document is listed in extensions_used."""
    for pointer, extensions in _holders(document):
        for name in extensions:
            if name not in document.extensions_used:
                place = f"{pointer}/extensions/{pointer_token(name)}"
                yield place, f"expected {shorten(name)} to be listed in extensions_used, got data of it that is not"


@check("EXT-003", "document")
def required_extensions_are_used(document: Document) -> Found:
    """Every name of extensions_required stands in extensions_used too."""
    for index, name in enumerate(document.extensions_required):
        if name not in document.extensions_used:
            message = f"expected every name of extensions_required in extensions_used too, got {shorten(name)}"
            yield f"/extensions_required/{index}", message


@check("EXT-004", "document", unsupported=True)
def required_extensions_are_known(document: Document) -> Found:
    """Every name of extensions_required is one this reader knows."""
    for index, name in enumerate(document.extensions_required):
        if name not in KNOWN:
            message = f"expected required extensions to be among those this reader knows ({', '.join(sorted(KNOWN))}), got {shorten(name)}"
            yield f"/extensions_required/{index}", message


def _holders(document: Document) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """Every object of `document` that may hold extension data, as (JSON Pointer, its extensions)."""
    yield "", document.extensions
    if isinstance(document, Architecture):
        yield from _holders_of_graph(document, "")
        for name, composite in document.composites.items():
            yield from _holders_of_graph(composite.architecture, f"/composites/{pointer_token(name)}")
    elif isinstance(document, Training):
        if document.optimizer is not None:
            yield "/optimizer", document.optimizer.extensions
        for index, loss in enumerate(document.losses):
            yield f"/losses/{index}", loss.extensions
        for index, metric in enumerate(document.metrics):
            yield f"/metrics/{index}", metric.extensions


def _holders_of_graph(graph: Architecture, pointer: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
    for index, item in enumerate(graph.inputs):
        yield f"{pointer}/inputs/{index}", item.extensions
    for index, call in enumerate(graph.calls or ()):
        yield f"{pointer}/calls/{index}", call.extensions
    for index, layer in enumerate(graph.layers):
        yield from _holders_of_layer(layer, f"{pointer}/layers/{index}")


def _holders_of_layer(layer: Layer, pointer: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
    yield pointer, layer.extensions
    for role, sublayer in layer.sublayers.items():
        yield from _holders_of_layer(sublayer, f"{pointer}/sublayers/{pointer_token(role)}")
    if layer.architecture is not None:
        yield f"{pointer}/architecture", layer.architecture.extensions
        yield from _holders_of_graph(layer.architecture, f"{pointer}/architecture")
