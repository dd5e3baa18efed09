"""Tells what a conversion would do, tensor by tensor, without writing anything: which tensor of the source goes where, and how it changes.

Every layout says what it would store. Where that comes from is found by reading it, with stand-ins for the source's tensors that note who
asks for them: the one rule holds for all layouts, and for every renaming and joining on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from triptych.layouts.layout import Outline, Stored
from triptych.model import Panels, Tensor, Weights
from triptych.surface.saving import outline

Panel = Literal["weights", "training"]
Change = Literal["renamed", "re-laid", "cast", "joined", "made"]


@dataclass(frozen=True, slots=True)
class Source:
    """A tensor of the source."""

    name: str
    panel: Panel
    tensor: Tensor


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor of the target."""

    stored: Stored
    sources: tuple[Source, ...]
    """What it is made of; empty for what is made of counts and configuration."""
    changes: tuple[Change, ...]
    """``renamed``; ``re-laid``: elements in another order or shape; ``cast``: to another dtype; ``joined``: of several; ``made``: of none."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a conversion would store and leave."""

    rows: tuple[Row, ...]
    left: tuple[Source, ...]
    """Tensors of the source that the target does not hold."""
    notes: tuple[str, ...]
    """What the conversion would say was not kept."""


class Rehearsal:
    """Stand-ins for the tensors of one source, and what became of them."""

    def __init__(self, panels: Panels) -> None:
        self._sources: list[Source] = []
        self._asked: list[Source] = []
        self._tracing = False
        training = panels.training
        if training is not None and training.state is not None:
            training = replace(training, state=self._standing_in(training.state, "training"))
        weights = None if panels.weights is None else self._standing_in(panels.weights, "weights")
        self.panels = replace(panels, weights=weights, training=training)
        """The source's panels, to be renamed, joined and outlined as they would be."""

    def preview(self, panels: Panels, path: Path, **options: Any) -> Preview:
        """What saving `panels`, which came of those of this rehearsal, at `path` would do; `options` are those of `triptych.save`."""
        found = outline(panels, path, **options)
        rows = self._rows(found)
        used = {id(source) for row in rows for source in row.sources}
        kept = sorted(self._sources, key=lambda source: source.panel == "training")
        return Preview(rows, tuple(source for source in kept if id(source) not in used), tuple(found.notes))

    def _standing_in(self, weights: Weights, panel: Panel) -> Weights:
        return Weights({name: self._stand_in(name, tensor, panel) for name, tensor in weights.tensors.items()})

    def _stand_in(self, name: str, tensor: Tensor, panel: Panel) -> Tensor:
        def read() -> memoryview:
            self._asked.append(source)
            # Planning may look at a value, such as a count of steps; tracing wants none.
            return memoryview(bytes(tensor.nbytes)) if self._tracing else tensor.read()

        source = Source(name, panel, Tensor(tensor.dtype, tensor.shape, read))
        self._sources.append(source)
        return source.tensor

    def _rows(self, found: Outline) -> tuple[Row, ...]:
        known = {id(source.tensor): source for source in self._sources}
        self._tracing = True
        try:
            return tuple(self._row(one, known) for one in found.stored)
        finally:
            self._tracing = False

    def _row(self, stored: Stored, known: Mapping[int, Source]) -> Row:
        whole = known.get(id(stored.tensor))
        if whole is not None:
            return Row(stored, (whole,), () if stored.name == whole.name else ("renamed",))
        self._asked = []
        stored.tensor.read()
        sources = tuple({id(source): source for source in self._asked}.values())
        return Row(stored, sources, _changes(stored, sources))


def _changes(stored: Stored, sources: Sequence[Source]) -> tuple[Change, ...]:
    if not sources:
        return ("made",)
    if len(sources) > 1:
        return ("joined",)
    (source,) = sources
    renamed: tuple[Change, ...] = () if stored.name == source.name else ("renamed",)
    cast = stored.tensor.dtype != source.tensor.dtype
    if cast and stored.tensor.shape == source.tensor.shape:
        return (*renamed, "cast")
    return (*renamed, "re-laid", "cast") if cast else (*renamed, "re-laid")
