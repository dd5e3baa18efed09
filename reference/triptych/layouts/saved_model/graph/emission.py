"""What an emitter is given and yields, and the registry of emitters: one for each layer type and operation that a graph can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from triptych.layouts.saved_model.graph.body import Body
from triptych.layouts.saved_model.graph.values import Value
from triptych.model import Json
from triptych.vocabulary.formula import Computation
from triptych.vocabulary.operations import OPERATIONS

Mask = Value | None
"""Booleans, of shape (batch, steps): whether each step counts; None: all do."""


class Refusal(Exception):  # noqa: N818 - collected into a ConversionError, never seen by a caller
    """What a graph cannot hold; the text says what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Emission(Computation[Value]):
    """One call of a layer, as its emitter sees it: what its formula sees, with values of a graph in the place of arrays."""

    @property
    def body(self) -> Body:
        """Where its nodes go."""
        return self.inputs[0].body


@dataclass(frozen=True, slots=True)
class OperationEmission:
    """One call of an operation, as its emitter sees it."""

    config: Mapping[str, Json]
    """With every default filled in."""
    inputs: tuple[Value, ...]
    body: Body
    """Where its nodes go: an operation may have no input."""
    dtype: str = "float32"
    """What floating-point numbers are made in where no input says it."""

    @property
    def input(self) -> Value:
        """The first input."""
        return self.inputs[0]


Emit = Callable[[Emission], Value | list[Value]]
E = TypeVar("E", bound=Emit)
MaskRule = Callable[[Any, Sequence[Any]], Sequence[Any]]
OperationEmit = Callable[[OperationEmission], Value | list[Value]]
OperationE = TypeVar("OperationE", bound=OperationEmit)


@dataclass(frozen=True, slots=True)
class Emitter:
    """How a layer type goes into a graph."""

    emit: Emit
    mask: MaskRule | None
    """The mask of each value that it has yielded; None: the vocabulary's own rule, which only hands masks on."""


LAYER_EMITTERS: dict[str, Emitter] = {}
OPERATION_EMITTERS: dict[str, OperationEmit] = {}


def emits(*types: str, mask: MaskRule | None = None) -> Callable[[E], E]:
    """Register what stands below as the emitter of these layer types."""

    def register(emit: E) -> E:
        LAYER_EMITTERS.update(dict.fromkeys(types, Emitter(emit, mask)))
        return emit

    return register


def emits_operation(*names: str) -> Callable[[OperationE], OperationE]:
    """Register what stands below as the emitter of these operations."""

    def register(emit: OperationE) -> OperationE:
        unknown = set(names) - set(OPERATIONS)
        assert not unknown, unknown
        OPERATION_EMITTERS.update(dict.fromkeys(names, emit))
        return emit

    return register
