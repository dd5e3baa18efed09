"""What an operation of Keras is called with, and what that means in our terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from triptych.layouts.keras_config.nodes import Reference, read_reference, unwrap
from triptych.layouts.keras_config.plain import is_dtype, unsayable
from triptych.model import Json, Shape

TENSOR = "__keras_tensor__"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value of the graph as an argument."""

    reference: Reference
    shape: Shape | None = None
    dtype: str | None = None
    """None where the configuration does not tell."""


@dataclass(frozen=True, slots=True)
class Constant:
    """An array as an argument."""

    elements: tuple[bool | int | float, ...]
    """In row-major order."""
    shape: tuple[int, ...]
    dtype: str | None = None
    """None: as the operand beside it."""


Argument = Any
"""A `Tensor`, a `Constant`, a literal, a slice, Ellipsis, or a list of these."""


@dataclass(frozen=True, slots=True)
class Said:
    """A call of an operation of ours."""

    op: str
    operands: tuple[Tensor | Constant, ...]
    config: Mapping[str, Json] = field(default_factory=dict)
    outputs: int = 1


def is_number(value: Argument) -> TypeGuard[int | float]:
    """Whether `value` is a literal number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_integer(value: Argument) -> TypeGuard[int]:
    """Whether `value` is a literal integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def constant(value: Argument, dtype: str | None = None) -> Constant:
    """Nested lists of numbers, or one number, as an array.

    Raises:
        Unsayable: They are none, or ragged.
    """
    shape: list[int] = []
    elements = [value]
    while elements and isinstance(elements[0], list):
        width = len(elements[0])
        if any(not isinstance(one, list) or len(one) != width for one in elements):
            unsayable("a ragged array")
        elements = [item for one in elements for item in one]
        shape.append(width)
    if not elements or not all(isinstance(one, bool | int | float) for one in elements):
        unsayable("an array of no numbers")
    return Constant(tuple(elements), tuple(shape), dtype)


def nested(array: Constant) -> Json:
    """The inverse of `constant`."""
    found: list[Json] = list(array.elements)
    for extent in reversed(array.shape[1:]):
        found = [found[start : start + extent] for start in range(0, len(found), extent)]
    return found if array.shape else found[0]


def config_of(array: Constant) -> dict[str, Json]:
    """The config of the operation ``constant`` that yields `array`."""
    value: Json = list(array.elements) if array.shape else array.elements[0]
    return {"value": value, **({"shape": list(array.shape)} if array.shape else {}), **({} if array.dtype in (None, "float32") else {"dtype": array.dtype})}


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a call."""

    names: frozenset[str]
    """Of all layers."""
    dtypes: Mapping[str, tuple[str | None, ...]]
    """Layer -> the dtypes of what it yields, for those listed before; None where one is not known."""

    def tensor(self, reference: Reference) -> Tensor:
        """The value that `reference` means."""
        known = self.dtypes.get(reference[0], ())
        return Tensor(reference, None, known[reference[2]] if reference[2] < len(known) else None)


def read_keras2(value: Json, context: Context) -> Argument:
    """An argument in the spelling of Keras 2.

    Raises:
        Unsayable: It is none that has a meaning.
    """
    value = unwrap(value)
    if isinstance(value, dict):
        if value.get("class_name") == "__ellipsis__":
            return Ellipsis
        if set(value) == {"start", "stop", "step"}:
            return slice(*(_bound(value[key]) for key in ("start", "stop", "step")))
        unsayable("an argument")
    if not isinstance(value, list):
        return value
    if len(value) == 3 and isinstance(value[0], str) and value[0] in context.names and all(map(is_integer, value[1:])):
        return context.tensor(read_reference(value))
    return [read_keras2(item, context) for item in value]


def read_keras3(value: Json, context: Context) -> Argument:
    """An argument in the spelling of Keras 3.

    Raises:
        Unsayable: It is none that has a meaning.
    """
    if isinstance(value, list):
        return [read_keras3(item, context) for item in value]
    if not isinstance(value, dict):
        return value
    kind, config = value.get("class_name"), value.get("config")
    if not isinstance(config, dict):
        unsayable("an argument")
    if kind == TENSOR:
        shape, dtype = config.get("shape"), config.get("dtype")
        known = tuple(shape) if isinstance(shape, list) and all(one is None or is_integer(one) for one in shape) else None
        return Tensor(read_reference(value), known, dtype if is_dtype(dtype) else None)
    if kind in ("__numpy__", "__tensor__"):
        dtype = config.get("dtype")
        return constant(config.get("value"), dtype) if is_dtype(dtype) else unsayable("a dtype")
    if kind == "__slice__":
        return slice(*(_bound(config.get(key)) for key in ("start", "stop", "step")))
    if kind == "__ellipsis__":
        return Ellipsis
    if kind == "__tuple__" and isinstance(config.get("value"), list):
        return [read_keras3(item, context) for item in config["value"]]
    return unsayable("an argument")


def _bound(value: Json) -> int | None:
    return value if value is None or is_integer(value) else unsayable("the end of a slice")


def tensors_in(values: Sequence[Argument]) -> Iterator[Tensor]:
    """Each value of the graph among arguments, lists entered."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list):
            yield from tensors_in(value)
