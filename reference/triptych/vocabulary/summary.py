"""The summary of an architecture: what stands in the table that people print, and its text."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

from triptych import dtypes
from triptych.errors import pointer_token
from triptych.model import Architecture, Layer, NamedShape, Tensor, Weights
from triptych.model.composites import expand
from triptych.vocabulary.extents import text
from triptych.vocabulary.inference import Inference, infer
from triptych.vocabulary.slots import WeightSlot, weight_slots

NARROWEST = 40
"""Columns below which a table is not squeezed further."""


@dataclass(frozen=True, slots=True)
class Row:
    """One layer, sublayer, input or call of an operation."""

    name: str
    type: str
    depth: int
    """How deep it is nested."""
    output_shapes: tuple[NamedShape | None, ...]
    """One for each value; empty when not even their number is known."""
    multiple: bool
    """Whether calls yield different shapes; `output_shapes` are then the first call's."""
    parameters: int | None
    """Elements of the weights it owns, with those of the layers inside it; None when a shape is not known."""
    trainable: bool
    """Whether it, and every layer around it, are."""
    connected_to: tuple[str, ...]
    """Values that its calls take; empty in a sequential architecture."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Elements and bytes of a set of tensors, each counted once."""

    parameters: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What an architecture consists of."""

    name: str | None
    rows: tuple[Row, ...]
    trainable: Totals
    non_trainable: Totals
    unknown: int
    """Weights whose shape is known neither from the architecture nor from stored tensors."""
    optimizer: Totals | None
    """The optimizer's state, if it was given."""

    @property
    def total(self) -> Totals:
        """All parameters of the model; the optimizer's state apart."""
        one, two = self.trainable, self.non_trainable
        return Totals(one.parameters + two.parameters, one.bytes + two.bytes)


def summarize(architecture: Architecture, weights: Weights | None = None, state: Weights | None = None) -> Summary:
    """The summary of `architecture`.

    Args:
        architecture: What to summarise.
        weights: Stored tensors, which tell the sizes that the architecture alone does not; none is read.
        state: The training state; its ``optimizer.`` tensors are counted.
    """
    architecture = expand(architecture)
    inference = infer(architecture)
    counted = _Counted(weight_slots(architecture, inference), weights)
    optimizer = None
    if state is not None:
        kept = [tensor for name, tensor in state.tensors.items() if name.startswith("optimizer.")]
        optimizer = Totals(sum(tensor.size for tensor in kept), sum(tensor.nbytes for tensor in kept))
    table = _Table(inference, counted)
    table.architecture(architecture)
    return Summary(
        architecture.name,
        tuple(table.rows),
        counted.totals(trainable=True),
        counted.totals(trainable=False),
        counted.unknown,
        optimizer,
    )


class _Counted:
    """Sizes of weights, by tensor and by owner."""

    def __init__(self, slots: tuple[WeightSlot, ...], weights: Weights | None) -> None:
        self.unknown = 0
        self._tensors: dict[str, tuple[Totals, bool]] = {}
        self._owned: dict[str, list[str | None]] = {}
        stored = weights.tensors if weights is not None else {}
        for slot in slots:
            sizes = _sizes(slot, stored.get(slot.tensor))
            self._owned.setdefault(slot.pointer, []).append(None if sizes is None else slot.tensor)
            if sizes is None:
                self.unknown += 1
            else:
                # A tied tensor counts once, with the first layer that holds it.
                self._tensors.setdefault(slot.tensor, (sizes, slot.trainable))

    def totals(self, *, trainable: bool) -> Totals:
        """Of all trainable, or all other, tensors."""
        kept = [sizes for sizes, said in self._tensors.values() if said is trainable]
        return Totals(sum(sizes.parameters for sizes in kept), sum(sizes.bytes for sizes in kept))

    def owned_by(self, pointer: str) -> list[str | None]:
        """The tensors of the layer at `pointer`; None for one of unknown size."""
        return self._owned.get(pointer, [])

    def parameters(self, tensors: Iterable[str | None]) -> int | None:
        """Elements of `tensors`, each counted once; None when one is not known."""
        names = dict.fromkeys(tensors)
        return None if None in names else sum(self._tensors[name][0].parameters for name in names if name is not None)


def _sizes(slot: WeightSlot, stored: Tensor | None) -> Totals | None:
    if slot.shape is not None:
        elements = prod(extent for extent in slot.shape if extent is not None)
        return Totals(elements, dtypes.nbytes(slot.dtype, elements))
    return None if stored is None else Totals(stored.size, stored.nbytes)


class _Table:
    """Collects rows from the outside in."""

    def __init__(self, inference: Inference, counted: _Counted) -> None:
        self.rows: list[Row] = []
        self._inference = inference
        self._counted = counted

    def architecture(self, architecture: Architecture, pointer: str = "", depth: int = 0) -> list[str | None]:
        """Add the inputs of a graph, then each layer with what is inside it; return the tensors of all."""
        if not architecture.is_sequential:
            self.rows.extend(
                Row(value.name, "Input", depth, (value.named_shape,), multiple=False, parameters=0, trainable=True, connected_to=())
                for value in architecture.inputs
            )
        taken: dict[str, list[str]] = {}
        for call in architecture.calls or ():
            taken.setdefault(call.layer, []).extend(call.inputs)
        tensors = []
        for index, layer in enumerate(architecture.layers):
            tensors += self._layer(layer, layer.name, f"{pointer}/layers/{index}", depth, tuple(taken.get(layer.name, ())))
        for number, call in enumerate(architecture.calls or ()):
            if call.op is not None:
                shapes = self._inference.operations.get(f"{pointer}/calls/{number}")
                outputs: Sequence[NamedShape | None] = () if shapes is None else shapes.outputs or ()
                outputs = self._inference.named_calls.get(f"{pointer}/calls/{number}", (outputs,))[0] or ()
                name = ", ".join(call.outputs)
                self.rows.append(
                    Row(name, call.op, depth, tuple(outputs), multiple=False, parameters=0, trainable=True, connected_to=call.inputs)
                )
        return tensors

    def _layer(self, layer: Layer, name: str, pointer: str, depth: int, connected_to: tuple[str, ...]) -> list[str | None]:
        shapes = self._inference.layers[pointer]
        named = self._inference.named_calls.get(pointer)
        outputs = list(dict.fromkeys(one or () for one in named or [call.outputs for call in shapes.calls]))
        place = len(self.rows)
        tensors = list(self._counted.owned_by(pointer))
        for role, sublayer in layer.sublayers.items():
            tensors += self._layer(sublayer, role, f"{pointer}/sublayers/{pointer_token(role)}", depth + 1, ())
        if layer.architecture is not None:
            tensors += self.architecture(layer.architecture, f"{pointer}/architecture", depth + 1)
        row = Row(
            name,
            layer.type,
            depth,
            outputs[0] if outputs else (),
            multiple=len(outputs) > 1,
            parameters=self._counted.parameters(tensors),
            trainable=shapes.trainable,
            connected_to=connected_to,
        )
        self.rows.insert(place, row)
        return tensors


def render(summary: Summary, width: int | None = None, *, ascii_only: bool = False) -> str:
    """`summary` as a table of at most `width` columns (None: the terminal's); long cells wrap, nothing is cut off."""
    width = max(NARROWEST, width or shutil.get_terminal_size((100, 24)).columns)
    graph = any(row.connected_to or row.type == "Input" for row in summary.rows)
    header = ["Layer", "Type", "Output shape", "Parameters", *(["Connected to"] if graph else [])]
    cells = [_cells(row)[: len(header)] for row in summary.rows]
    widths = _widths([header, *cells], [row.depth for row in summary.rows], width)
    heavy, light = ("=", "-") if ascii_only else ("━", "─")
    ruler = sum(widths) + 2 * (len(widths) - 1)
    lines = [f"Model: {_printable(summary.name)}"] if summary.name else []
    lines += [*_line(header, widths, 0), heavy * ruler]
    for row, row_cells in zip(summary.rows, cells, strict=True):
        lines += _line(row_cells, widths, row.depth)
    return "\n".join([*lines, light * ruler, *_footer(summary)])


def _cells(row: Row) -> list[str]:
    shape = "(multiple)" if row.multiple else ", ".join(map(text, row.output_shapes)) or "unknown"
    parameters = "unknown" if row.parameters is None else f"{row.parameters:,}"
    kind = row.type if row.trainable or not row.parameters else f"{row.type} (frozen)"
    return [_printable(row.name), _printable(kind), shape, parameters, ", ".join(map(_printable, row.connected_to))]


def _footer(summary: Summary) -> list[str]:
    counts = [
        ("Total parameters", summary.total),
        ("Trainable parameters", summary.trainable),
        ("Non-trainable parameters", summary.non_trainable),
    ]
    if summary.optimizer is not None:
        counts.append(("Optimizer parameters", summary.optimizer))
    lines = [f"{f'{title}:':<26}{totals.parameters:>14,}  ({_size(totals.bytes)})" for title, totals in counts]
    if summary.unknown:
        lines.append(f"{summary.unknown:,} weights have a size that cannot be known without input shapes or stored tensors.")
    return lines


def _size(count: int) -> str:
    """`count` bytes as people write it."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{count} B" if unit == "B" else f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} TiB"


def _widths(table: list[list[str]], depths: list[int], width: int) -> list[int]:
    """Column widths: what the cells need, the widest columns made narrower until all fit."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    indents = [0, *(2 * depth for depth in depths)]
    widths[0] = max(len(line[0]) + indent for line, indent in zip(table, indents, strict=True))
    # The parameter column keeps its width: a number is never broken.
    shrinkable = [index for index in range(len(widths)) if index != 3]
    room = width - widths[3] - 2 * (len(widths) - 1)
    while sum(widths[index] for index in shrinkable) > room:
        widest = max(shrinkable, key=lambda index: widths[index])
        others = sum(widths[index] for index in shrinkable if index != widest)
        limit = max((widths[index] for index in shrinkable if index != widest), default=0)
        smaller = max(room - others, min(limit, widths[widest] - 1), 8)
        if smaller >= widths[widest]:
            break
        widths[widest] = smaller
    return widths


def _line(cells: list[str], widths: list[int], depth: int) -> list[str]:
    """One row of the table as lines of text; the first column is indented by `depth`."""
    indent = "  " * min(depth, widths[0] // 4)
    columns = [
        textwrap.wrap(cell, room, break_on_hyphens=False) or [""]
        for cell, room in zip(cells, [widths[0] - len(indent), *widths[1:]], strict=True)
    ]
    columns[0] = [indent + part for part in columns[0]]
    lines = []
    for number in range(max(map(len, columns))):
        parts = [column[number] if number < len(column) else "" for column in columns]
        padded = [
            part.rjust(room) if index == 3 else part.ljust(room)
            for index, (part, room) in enumerate(zip(parts, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return lines


def _printable(name: str) -> str:
    """`name` with what a terminal would obey escaped."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in name)
