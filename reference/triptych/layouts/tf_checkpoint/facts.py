"""What a TensorFlow checkpoint says beyond the panels, kept in ``extensions.tensorflow.checkpoint`` so that writing returns the same keys and objects.

* ``objects``: the graph, an object with the members ``children`` (local name, object), ``attributes`` (name, full name, key), ``slots``
  (variable, name, object), ``saver`` and ``has_values`` for each, those left out that are empty; absent where keys are names;
* ``weights``, ``state``: key → tensor of the weights, of the training state; of a checkpoint whose keys are names, where they differ;
* ``steps``: key → dtype of the scalars that say the step count;
* ``texts``: key → asset and shape of a tensor of strings, a line for each where it is no scalar;
* ``left_out``: sentences about what was not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triptych.layouts.tensorflow.object_graph import Attribute, Node, ObjectGraph, Slot
from triptych.model import Json, Panels

EXTENSION = "tensorflow"
_MEMBER = "checkpoint"


@dataclass(frozen=True, slots=True)
class Facts:
    """The members of the extension; each is left out when it is empty."""

    graph: ObjectGraph | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    left_out: Sequence[str] = ()

    def on_panels(self, panels: Panels) -> Panels:
        """`panels` with these facts."""
        data: dict[str, Json] = {
            "objects": None if self.graph is None else [_spelled(node) for node in self.graph.nodes],
            "weights": dict(self.weights),
            "state": dict(self.state),
            "steps": dict(self.steps),
            "texts": {key: [asset, list(shape)] for key, (asset, shape) in self.texts.items()},
            "left_out": list(self.left_out),
        }
        kept = {name: value for name, value in data.items() if value}
        used = tuple(sorted({*panels.extensions_used, EXTENSION}))
        tensorflow = {**panels.extensions.get(EXTENSION, {}), _MEMBER: kept}
        return replace(panels, extensions={**panels.extensions, EXTENSION: tensorflow}, extensions_used=used)


def of_panels(panels: Panels) -> Facts | None:
    """What `Facts.on_panels` put there; None where it did not, or where somebody made it something else."""
    tensorflow = panels.extensions.get(EXTENSION)
    data = tensorflow.get(_MEMBER) if isinstance(tensorflow, dict) else None
    if not isinstance(data, dict):
        return None
    graph = None
    if "objects" in data:
        graph = _graph(data["objects"])
        if graph is None:
            return None
    weights, state, steps = (_texts(data.get(name)) for name in ("weights", "state", "steps"))
    notes = data.get("left_out")
    said = [note for note in notes if isinstance(note, str)] if isinstance(notes, list | tuple) else []
    return Facts(graph, weights, state, steps, dict(_assets(data.get("texts"))), said)


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each thing of the checkpoint that was read that `panels` do not hold."""
    known = of_panels(panels)
    return () if known is None else tuple(known.left_out)


def renamed(panels: Panels, names: Mapping[str, str]) -> Panels:
    """`panels`, whose tensors were renamed as `names` says, with facts that say the new names."""
    known = of_panels(panels)
    if known is None:
        return panels
    # A key that stands for itself is not listed until its tensor is called something else.
    weights = {**({} if known.graph else {name: name for name in names if name not in known.weights.values()}), **known.weights}
    new = [{key: names.get(name, name) for key, name in said.items()} for said in (weights, known.state)]
    return replace(known, weights=new[0], state=new[1]).on_panels(panels)


def _spelled(node: Node) -> dict[str, Json]:
    data: dict[str, Json] = {
        "children": [[name, child] for name, child in node.children.items()],
        "attributes": [[one.name, one.full_name, one.key] for one in node.attributes],
        "slots": [[slot.variable, slot.name, slot.node] for slot in node.slots],
        "saver": list(node.saver or ()),
    }
    kept = {name: value for name, value in data.items() if value}
    return kept if node.has_values is None else {**kept, "has_values": node.has_values}


def _graph(data: Json) -> ObjectGraph | None:
    """The graph that `data` spells; None if a hand was at it and it spells none."""
    if not isinstance(data, list) or not data or not all(isinstance(one, dict) for one in data):
        return None
    nodes = []
    for one in data:
        children, attributes, slots, saver = (one.get(name, []) for name in ("children", "attributes", "slots", "saver"))
        flag = one.get("has_values")
        fits = (
            all(isinstance(rows, list | tuple) for rows in (children, attributes, slots))
            and all(_is_row(row, (str, int)) and _is_node(row[1], data) for row in children)
            and all(_is_row(row, (str, str, str)) for row in attributes)
            and all(_is_row(row, (int, str, int)) and _is_node(row[0], data) and _is_node(row[2], data) for row in slots)
            and (not saver or _is_row(saver, (str, str)))
            and (flag is None or isinstance(flag, bool))
        )
        if not fits:
            return None
        nodes.append(
            Node(dict(children), tuple(Attribute(*row) for row in attributes), tuple(Slot(*row) for row in slots), tuple(saver) if saver else None, flag)
        )
    return ObjectGraph(tuple(nodes))


def _is_node(value: Json, nodes: Sequence[Json]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(nodes)


def _is_row(row: Json, types: tuple[type, ...]) -> bool:
    return isinstance(row, list) and len(row) == len(types) and all(isinstance(value, kind) for value, kind in zip(row, types, strict=True))


def _texts(value: Json) -> dict[str, str]:
    return {key: name for key, name in value.items() if isinstance(name, str)} if isinstance(value, dict) else {}


def _assets(value: Json) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    for key, row in value.items() if isinstance(value, dict) else ():
        if _is_row(row, (str, list)) and all(isinstance(extent, int) for extent in row[1]):
            yield key, (row[0], tuple(row[1]))


__all__ = ["EXTENSION", "Facts", "left_out", "of_panels", "renamed"]
