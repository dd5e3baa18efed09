"""What a person should know of a model that is no problem of it: layers that only their framework knows, code that was left out."""

from __future__ import annotations

from triptych.errors import shorten
from triptych.surface.model import Model

_NAMED = 5
"""How many layers of one type are named."""


def notes_of(model: Model) -> list[str]:
    """A sentence for each extension type among the layers, and for each thing that was left out when the model was read."""
    places: dict[str, list[str]] = {}
    for path, _, layer in model.architecture.walk() if model.architecture is not None else ():
        if ":" in layer.type:
            places.setdefault(layer.type, []).append(path)
    lines = []
    for kind, paths in places.items():
        names = ", ".join(shorten(path) for path in paths[:_NAMED]) + (f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else "")
        lines.append(f"{shorten(kind)} is an extension type: kept with its configuration and weights, not evaluated ({names})")
    return [*lines, *model.notes]
