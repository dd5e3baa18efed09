"""What is drawn: the boxes of a graph, what is written in them, and which yields what another takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from triptych.model import Architecture, Call, Json, Layer, Weights
from triptych.model.composites import expand
from triptych.vocabulary.extents import text
from triptych.vocabulary.summary import Row, summarize

LONGEST = 34
"""Columns of text in a box; what is longer is cut in its middle and stands whole in the box's tooltip."""

Kind = Literal["weights", "plain", "end", "nested"]


@dataclass(frozen=True, slots=True)
class Box:
    """One input, output, call of a layer or of an operation."""

    kind: Kind
    """With weights, without, an input or output of the graph, or a graph that is drawn inside the box."""
    name: str
    """Path of the layer; name of the value otherwise."""
    lines: tuple[str, ...]
    """What is written, the name first; none is longer than `LONGEST` columns."""
    tooltip: str
    """The whole of it."""
    is_frozen: bool = False
    inside: Drawing | None = None
    """The graph that the box frames."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and arrows between them; an arrow goes from one box to a later one."""

    boxes: tuple[Box, ...]
    arrows: tuple[tuple[int, int], ...]
    """Indices of boxes, each pair once."""

    def walk(self) -> Iterator[Box]:
        """Every box, one that frames others before them."""
        for box in self.boxes:
            yield box
            if box.inside is not None:
                yield from box.inside.walk()


def drawing_of(architecture: Architecture, weights: Weights | None = None, *, depth: int) -> Drawing:
    """The drawing of `architecture`; graphs nested to less than `depth` are drawn inside their layers' boxes."""
    architecture = expand(architecture)
    return _Reader(iter(summarize(architecture, weights).rows)).graph(architecture, "", depth)


def columns(line: str) -> int:
    """Columns that `line` takes in a font of one width: two for what is wide in East Asia."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def printable(name: str) -> str:
    """`name` with everything escaped that neither XML nor a reader's eye takes well."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in name)


def cut(line: str, limit: int = LONGEST) -> str:
    """`line`, its middle left out if it takes more than `limit` columns."""
    if columns(line) <= limit:
        return line
    head, tail = line[: limit // 2], line[-(limit // 2) :]
    while columns(head) + 1 + columns(tail) > limit:
        head, tail = (head[:-1], tail) if columns(head) >= columns(tail) else (head, tail[1:])
    return f"{head}…{tail}"


class _Reader:
    """Goes through an architecture in the order of its summary's rows."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows

    def graph(self, graph: Architecture, prefix: str, depth: int) -> Drawing:
        boxes: list[Box] = []
        if graph.calls is None:
            boxes += [_end("input", one.name, text(one.named_shape)) for one in graph.inputs]
            boxes += [self._layer(layer, prefix, depth) for layer in graph.layers]
            return Drawing(tuple(boxes), tuple((index, index + 1) for index in range(len(boxes) - 1)))
        boxes += [_end("input", one.name, text(next(self._rows).output_shapes[0])) for one in graph.inputs]
        made = {one.name: index for index, one in enumerate(graph.inputs)}
        layers = {layer.name: self._layer(layer, prefix, depth) for layer in graph.layers}
        total: dict[str, int] = {}
        for call in graph.calls:
            total[call.layer] = total.get(call.layer, 0) + 1
        count: dict[str, int] = {}
        arrows: dict[tuple[int, int], None] = {}
        for call in graph.calls:
            count[call.layer] = count.get(call.layer, 0) + 1
            if call.op is not None:
                box = _described(next(self._rows), ", ".join(call.outputs), call.op)
            else:
                box = layers[call.layer]
                if total[call.layer] > 1:
                    box = _repeated(box, count[call.layer], total[call.layer])
            arrows |= dict.fromkeys((made[value], len(boxes)) for value in _taken(call) if value in made)
            made |= dict.fromkeys(call.output_names, len(boxes))
            boxes.append(box)
        called = {call.layer for call in graph.calls}
        boxes += [box for name, box in layers.items() if name not in called]
        for name in graph.outputs:
            if name in made:
                arrows[made[name], len(boxes)] = None
                boxes.append(_end("output", name, ""))
        return Drawing(tuple(boxes), tuple(arrows))

    def _layer(self, layer: Layer, prefix: str, depth: int) -> Box:
        row = next(self._rows)
        path = f"{prefix}{layer.name}"
        for sublayer in layer.sublayers.values():
            self._layer(sublayer, f"{path}.", 0)
        kind = layer.type
        if layer.sublayers:
            kind += f" of {', '.join(dict.fromkeys(one.type for one in layer.sublayers.values()))}"
        inside = None
        if layer.architecture is not None:
            # The rows of what is inside are there whether it is drawn or not.
            inside = self.graph(layer.architecture, f"{path}.", depth - 1)
        return _described(row, path, kind, inside if depth > 0 else None)


def _taken(call: Call) -> Iterator[str]:
    """The values that a call takes, also as keywords."""
    yield from call.inputs
    waiting: list[Json] = list(call.arguments.values())
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("value"), str):
            yield value["value"]
        elif isinstance(value, list | tuple):
            waiting.extend(value)


def _end(word: str, name: str, shape: str) -> Box:
    said = printable(f"{word} {name}")
    return Box("end", name, (cut(said), *([cut(shape)] if shape else [])), f"{said} {shape}".strip())


def _described(row: Row, path: str, kind: str, inside: Drawing | None = None) -> Box:
    shape = "several shapes" if row.multiple else ", ".join(map(text, row.output_shapes)) or "shape unknown"
    count = "" if row.parameters == 0 else "parameters unknown" if row.parameters is None else f"{row.parameters:,} parameters"
    lines = [printable(path.rpartition(".")[2] if row.name in path and path.endswith(f".{row.name}") else path), printable(kind), shape]
    lines += [count] if count else []
    return Box(
        "nested" if inside is not None else "weights" if row.parameters != 0 else "plain",
        path,
        tuple(map(cut, lines)),
        ", ".join([printable(path), *lines[1:], *([] if row.trainable else ["frozen"])]),
        is_frozen=not row.trainable and row.parameters != 0,
        inside=inside,
    )


def _repeated(box: Box, number: int, total: int) -> Box:
    said = f"call {number} of {total}"
    kind: Kind = "weights" if number > 1 and box.kind == "nested" else box.kind
    return Box(kind, box.name, (*box.lines, said), f"{box.tooltip}, {said}", box.is_frozen, box.inside if number == 1 else None)
