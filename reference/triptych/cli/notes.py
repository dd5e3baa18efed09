"""What a person should know of a model that is no problem of it: layers that only their framework knows, code that was left out."""

from __future__ import annotations

from collections.abc import Iterator

from triptych.errors import shorten
from triptych.model import Architecture
from triptych.surface.model import Model

_NAMED = 5
"""How many layers of one type are named."""


def notes_of(model: Model) -> list[str]:
    """A sentence for each extension type among the layers, and for each thing that was left out when the model was read."""
    places: dict[str, list[str]] = {}
    for path, kind in _extension_layers(model.architecture) if model.architecture is not None else ():
        places.setdefault(kind, []).append(path)
    lines = []
    for kind, paths in places.items():
        names = ", ".join(shorten(path) for path in paths[:_NAMED]) + (f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else "")
        lines.append(f"{shorten(kind)} is an extension type: kept with its configuration and weights, not evaluated ({names})")
    return [*lines, *model.notes]


def _extension_layers(architecture: Architecture, prefix: str = "") -> Iterator[tuple[str, str]]:
    pending = [(f"{prefix}{layer.name}", layer) for layer in architecture.layers]
    for path, layer in pending:
        if ":" in layer.type:
            yield path, layer.type
        pending += [(f"{path}.{role}", sublayer) for role, sublayer in layer.sublayers.items()]
        if layer.architecture is not None:
            yield from _extension_layers(layer.architecture, f"{path}.")
