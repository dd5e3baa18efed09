"""What an emitter is given and yields, and the registry of emitters: one for each layer type and operation that a graph can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from triptych.layouts.saved_model.graph.body import Body
from triptych.layouts.saved_model.graph.values import Value
from triptych.model import Json, Layer, Tensor
from triptych.vocabulary.operations import OPERATIONS

Mask = Value | None
"""Booleans, of shape (batch, steps): whether each step counts; None: all do."""
Apply = Callable[..., tuple[list[Value], list[Mask]]]
"""``apply(role, inputs, masks=(), arguments={})``: what a sublayer makes of values, and which steps of it count."""


class Refusal(Exception):  # noqa: N818 - collected into a ConversionError, never seen by a caller
    """What a graph cannot hold; the text says what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Emission:
    """One call of a layer, as its emitter sees it: the evaluator's `Evaluation` with values of a graph in the place of arrays."""

    config: Mapping[str, Json]
    """With every default filled in."""
    inputs: tuple[Value, ...]
    """Batch first; floating-point ones are of `dtype`."""
    weights: Mapping[str, Value]
    """By role, in canonical axis order, of `dtype`."""
    dtype: str
    """What the layer computes in: float32 or float64."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Literals, or values where the call names values; ``mask`` and ``training`` are not among them."""
    masks: tuple[Mask, ...] = ()
    """One for each input."""
    sublayers: Mapping[str, Layer] = field(default_factory=dict)
    apply: Apply = lambda *_: ([], [])
    integers: str = "int64"
    """The dtype of integers that it makes, unless its config says one."""
    assets: Mapping[str, Tensor] = field(default_factory=dict)
    """Of the package, by name."""

    @property
    def input(self) -> Value:
        """The first input."""
        return self.inputs[0]

    @property
    def mask(self) -> Mask:
        """The first input's mask."""
        return self.masks[0] if self.masks else None

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
