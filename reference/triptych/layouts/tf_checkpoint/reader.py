"""Reads a TensorFlow checkpoint into panels: weights by name, optimizer state by the weights it belongs to, the object graph as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from triptych.errors import TriptychError, shorten
from triptych.layouts.keras_weights.names import unique
from triptych.layouts.keras_weights.optimizer import STEP
from triptych.layouts.keras_weights.step_count import counted
from triptych.layouts.problems import invalid
from triptych.layouts.tensorflow.bundle import Bundle, open_bundle
from triptych.layouts.tensorflow.locate import locate
from triptych.layouts.tensorflow.object_graph import KEY, VALUE, ObjectGraph, read_graph
from triptych.layouts.tf_checkpoint.facts import Facts
from triptych.layouts.tf_checkpoint.naming import named
from triptych.layouts.tf_checkpoint.objects import in_order, parts_of
from triptych.layouts.tf_checkpoint.slot_names import state_of
from triptych.layouts.tf_checkpoint.training_state import OTHER, Weight, state_names
from triptych.limits import DEFAULT_LIMITS, Limits
from triptych.model import Panels, Progress, Tensor, Training, Weights

_ASSETS = "assets/tensorflow/"


def read(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> Panels:
    """The panels of the checkpoint at `path`: its prefix, its index, or a folder with a state file; tensors are read when they are used.

    Raises:
        InvalidModelError: It is damaged, or its object graph names what is not there.
        UnsupportedError: It exceeds a limit.
        OSError: A file cannot be read.
    """
    return panels_of(open_bundle(locate(path), limits=limits), limits=limits)


def panels_of(bundle: Bundle, *, limits: Limits = DEFAULT_LIMITS) -> Panels:
    """The panels of what `bundle` holds.

    Raises:
        InvalidModelError: The object graph is damaged, or names what is not there.
        UnsupportedError: It exceeds a limit.
    """
    reading = _Reading(bundle)
    graph = None
    if KEY in bundle and bundle.dtype_of(KEY) == "string":
        graph = read_graph(b"".join(bundle.strings(KEY)[:1]), limits=limits)
        reading.of_graph(graph, limits)
    else:
        reading.of_names()
    return reading.panels(graph)


@dataclass(slots=True)
class _Reading:
    """One checkpoint becoming panels."""

    bundle: Bundle
    weights: dict[str, str] = field(default_factory=dict)
    """Key -> tensor; `state` likewise."""
    state: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    texts: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    assets: dict[str, Tensor] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    step: int | None = None

    def of_graph(self, graph: ObjectGraph, limits: Limits) -> None:
        """Take everything that the objects hold, and what no object does."""
        bundle = self.bundle
        parts = parts_of(graph, limits)
        values = {}
        for number, node in enumerate(graph.nodes):
            for attribute in node.attributes:
                if attribute.key not in bundle or attribute.key == KEY:
                    raise invalid(shorten(attribute.key), f"expected what object {number} holds, nothing is stored there")
                if attribute.name == VALUE:
                    values[number] = attribute.key
        numeric = {number: key for number, key in values.items() if self._is_numeric(key)}
        variables = [number for number in in_order(parts.model, graph) if number in numeric]
        weights, names = [], dict[str, str]()
        for one in named(graph, parts.model, variables):
            key = numeric[one.node]
            name = names.setdefault(key, one.name)  # two objects may say one key
            value = graph.nodes[one.node].value()
            weights.append(Weight(one.node, name, value.full_name if value is not None else "", bundle.shape_of(key)))
        self.weights = names
        found = state_names(graph, parts, weights, lambda number: bundle.shape_of(numeric[number]) if number in numeric else ())
        for number, key in numeric.items():
            if key not in names:
                self._take_state(key, found.get(number) or OTHER + key)
        for key in bundle.keys:
            if key != KEY and key not in self.weights and key not in self.state and key not in self.steps:
                self._take_other(key)
        self._distinct()

    def of_names(self) -> None:
        """Take everything under its own name, but for what surely is an optimizer's."""
        numeric = [key for key in self.bundle.keys if self._is_numeric(key)]
        names = dict(zip(numeric, unique(numeric), strict=True))
        found = dict(state_of(names, self.bundle.shape_of))
        self.weights = {key: name for key, name in names.items() if key not in found}
        for key, name in found.items():
            self._take_state(key, name)
        for key in self.bundle.keys:
            if key not in names:
                self._take_other(key)
        self._distinct()

    def _is_numeric(self, key: str) -> bool:
        if self.bundle.dtype_of(key) == "string":
            return False
        try:
            self.bundle.tensor(key)
        except TriptychError:
            self.notes.append(f"{shorten(key)}: elements of TensorFlow's {self.bundle.dtype_of(key)} have no counterpart")
            return False
        return True

    def _take_state(self, key: str, name: str) -> None:
        if name == STEP:
            tensor = self.bundle.tensor(key)
            step = counted(tensor)
            if step is not None and self.step in (None, step):
                self.step, self.steps[key] = step, tensor.dtype
                return
            name = OTHER + key
        self.state[key] = name

    def _take_other(self, key: str) -> None:
        """Take what no rule knows: numbers as state, strings as an asset."""
        if self.bundle.dtype_of(key) != "string":
            if self._is_numeric(key):
                self.state[key] = OTHER + key
            return
        strings, shape = self.bundle.strings(key), self.bundle.shape_of(key)
        if shape != () and any(b"\n" in one for one in strings):
            self.notes.append(f"{shorten(key)}: {len(strings)} strings, of which some have several lines")
            return
        content = b"\n".join(strings)
        name = f"{_ASSETS}{len(self.assets)}.txt"
        self.assets[name] = Tensor("uint8", (len(content),), _reader(content))
        self.texts[key] = (name, shape)

    def _distinct(self) -> None:
        self.state = dict(zip(self.state, unique(self.state.values()), strict=True))

    def panels(self, graph: ObjectGraph | None) -> Panels:
        """The panels, with what they do not say beside them."""
        weights = {name: self.bundle.tensor(key) for key, name in self.weights.items()}
        state = {name: self.bundle.tensor(key) for key, name in self.state.items()}
        training = None
        if state or self.step is not None:
            progress = None if self.step is None else Progress(step=self.step)
            training = Training(progress=progress, state=Weights(state) if state else None)
        listed = self.weights if graph is not None else {key: name for key, name in self.weights.items() if key != name}
        facts = Facts(graph, listed, self.state, self.steps, self.texts, self.notes)
        return facts.on_panels(Panels(weights=Weights(weights) if weights else None, training=training, assets=self.assets))


def _reader(content: bytes) -> Callable[[], memoryview]:
    return lambda: memoryview(content)


__all__ = ["panels_of", "read"]
