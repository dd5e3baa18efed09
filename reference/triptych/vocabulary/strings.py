"""Values that are strings: where an architecture has them, and whether whatever takes them can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from triptych.errors import UsageError, shorten
from triptych.model import Architecture, Layer
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import LAYER_TYPES
from triptych.vocabulary.expressions import evaluate
from triptych.vocabulary.operations import OPERATIONS

STRING = "string"
"""The dtype of such an input."""
Kinds = tuple[str | None, ...]
"""What each value holds, ``strings`` or ``numbers``; None where that is not known."""


def dtype_of(array: Array) -> str:
    """The name of an array's dtype, as inputs declare it."""
    return STRING if array.dtype.kind in "USTO" else array.dtype.name


def texts(array: Array, name: str) -> Array:
    """`array` with an object of type `str` for each element; bytes are taken as UTF-8, and what is none of it kept apart.

    Raises:
        UsageError: An element is no string.
    """
    elements = []
    for one in array.ravel().tolist():
        if not isinstance(one, str | bytes):
            raise UsageError(f"expected strings for input {shorten(name)}, got {shorten(one)}")
        elements.append(one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one)
    result = np.empty(len(elements), object)
    result[:] = elements
    return result.reshape(array.shape)


def misplaced(architecture: Architecture) -> Iterator[tuple[str, str]]:
    """(JSON Pointer, message) for each call that is given strings where it takes numbers, or the other way round.

    `architecture` is expanded, and its calls name what there is.
    """
    if _has_strings(architecture):
        walk = _Walk([], {})
        walk.architecture(architecture, "", (), "")
        yield from walk.problems


def _has_strings(architecture: Architecture) -> bool:
    """Whether there is any reason to look."""
    if any(one.dtype == STRING for one in architecture.inputs):
        return True
    return any(
        (layer.architecture is not None and _has_strings(layer.architecture)) or _condition(layer, "takes_strings") is not False
        for layer in architecture.layers
    )


def _condition(layer: Layer, which: str) -> str | bool:
    found = LAYER_TYPES.get(layer.type)
    condition: str | bool = False if found is None else getattr(found, which)
    return condition


def _kind(layer: Layer, which: str) -> str:
    """What a layer of the vocabulary takes or yields."""
    condition = _condition(layer, which)
    if isinstance(condition, str):
        condition = bool(evaluate(condition, LAYER_TYPES[layer.type].resolve(layer.config)))
    return "strings" if condition else "numbers"


@dataclass(slots=True)
class _Walk:
    """One pass over an architecture, call by call."""

    problems: list[tuple[str, str]]
    nested: dict[tuple[str, Kinds], Kinds]
    """Pointer of a nested architecture and what a call gives it -> what it yields: each is gone through once."""

    def architecture(self, graph: Architecture, pointer: str, given: Kinds, place: str) -> Kinds:
        """What `graph`, standing at `pointer` and called at `place` with `given`, yields."""
        entering = list(given)
        for index, one in enumerate(graph.inputs):
            # An input of a composite is what a call gives.
            declared = None if one.shape is None else "strings" if one.dtype == STRING else "numbers"
            if index < len(given):
                self._compare(declared, given[index], "the nested architecture", place)
            entering[index : index + 1] = [declared or (given[index] if index < len(given) else None)]
        if graph.calls is None:
            current: Kinds = tuple(entering[:1]) or (None,)
            for index, layer in enumerate(graph.layers):
                current = self._apply(layer, current, f"{pointer}/layers/{index}", f"{pointer}/layers/{index}")
            return current
        values: dict[str, str | None] = dict(zip((one.name for one in graph.inputs), entering, strict=False))
        layers = {layer.name: (layer, f"{pointer}/layers/{index}") for index, layer in enumerate(graph.layers)}
        for number, call in enumerate(graph.calls):
            taken = tuple(values.get(name) for name in call.inputs)
            place = f"{pointer}/calls/{number}"
            if call.op is not None:
                outputs = self._operate(call.op, taken, place)
            else:
                outputs = self._apply(layers[call.layer][0], taken, layers[call.layer][1], place)
            names = call.output_names
            yielded = outputs * len(names) if len(outputs) == 1 else outputs
            values.update(zip(names, yielded, strict=False))
        return tuple(values.get(name) for name in graph.outputs)

    def _operate(self, op: str, taken: Kinds, place: str) -> Kinds:
        if op not in OPERATIONS:
            return (None,)
        for one in taken:
            self._compare("numbers", one, op, place)
        return ("numbers",)

    def _apply(self, layer: Layer, taken: Kinds, pointer: str, place: str) -> Kinds:
        if layer.architecture is not None:
            if (pointer, taken) not in self.nested:
                self.nested[pointer, taken] = self.architecture(layer.architecture, f"{pointer}/architecture", taken, place)
            return self.nested[pointer, taken]
        if layer.type not in LAYER_TYPES:
            return (None,)
        for one in taken:
            self._compare(_kind(layer, "takes_strings"), one, f"{shorten(layer.name)} ({layer.type})", place)
        return (_kind(layer, "yields_strings"),)

    def _compare(self, wanted: str | None, given: str | None, who: str, place: str) -> None:
        if wanted is not None and given is not None and wanted != given:
            self.problems.append((place, f"expected {wanted} for {who}, got {given}"))
