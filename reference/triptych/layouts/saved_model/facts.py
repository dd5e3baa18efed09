"""What a SavedModel says beyond the three panels, kept in ``extensions.tensorflow``.

``signatures``: for each the method's name and its inputs and outputs with dtypes and shapes; ``saved_model``: ``tags``, the ``version`` of
TensorFlow, ``other_tags`` of graphs that were not read, ``operations`` that reach outside of the graph, and, where no architecture could
be read, ``layers`` with the names of their weights, their ``classes``, ``constants``: which tensors stood in the graph; ``left_out``,
sentences about what was not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from triptych.model import Json, Panels

EXTENSION = "tensorflow"
SIGNATURES = "signatures"
_MEMBER = "saved_model"


@dataclass(slots=True)
class Facts:
    """The members of the extension; each is left out where it is empty."""

    signatures: Mapping[str, Json] = field(default_factory=dict)
    tags: Sequence[str] = ()
    version: str = ""
    other_tags: Sequence[Sequence[str]] = ()
    operations: Sequence[Json] = ()
    layers: Sequence[Sequence[str]] = ()
    classes: Mapping[str, str] = field(default_factory=dict)
    constants: Sequence[str] = ()
    left_out: list[str] = field(default_factory=list)


def to_panels(panels: Panels, facts: Facts) -> Panels:
    """`panels` with `facts` in its extensions."""
    own: dict[str, Json] = {
        "tags": list(facts.tags),
        "version": facts.version,
        "other_tags": [list(tags) for tags in facts.other_tags],
        "operations": list(facts.operations),
        "layers": [list(row) for row in facts.layers],
        "classes": dict(facts.classes),
        "constants": list(facts.constants),
        "left_out": list(facts.left_out),
    }
    data = {SIGNATURES: dict(facts.signatures), _MEMBER: {name: value for name, value in own.items() if value}}
    data = {name: value for name, value in data.items() if value}
    if not data:
        return panels
    used = tuple(sorted({*panels.extensions_used, EXTENSION}))
    kept = panels.extensions.get(EXTENSION)
    data = {**(kept if isinstance(kept, Mapping) else {}), **data}
    return replace(panels, extensions={**panels.extensions, EXTENSION: data}, extensions_used=used)


def member(panels: Panels, name: str) -> Json:
    """One member of what a SavedModel left in the extensions of `panels`; None where there is none."""
    data = panels.extensions.get(EXTENSION)
    own = data.get(_MEMBER) if isinstance(data, Mapping) else None
    return own.get(name) if isinstance(own, Mapping) else None


def layers_of(panels: Panels) -> list[list[str]]:
    """The layers of weights without an architecture: for each its name and the names of its weights."""
    rows = member(panels, "layers")
    found = [list(row) for row in rows if isinstance(row, list | tuple)] if isinstance(rows, list | tuple) else []
    return [row for row in found if row and all(isinstance(name, str) for name in row)]


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each thing of the SavedModel that `panels` do not hold."""
    notes = member(panels, "left_out")
    return tuple(note for note in notes if isinstance(note, str)) if isinstance(notes, list | tuple) else ()


__all__ = ["EXTENSION", "SIGNATURES", "Facts", "layers_of", "left_out", "member", "to_panels"]
