"""What an operation is: a config, the shape of what it yields and its formula; it owns no weights and keeps no state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array
from triptych.vocabulary.counterparts import OPERATION_COUNTERPARTS, counterparts
from triptych.vocabulary.definition import Field


@dataclass(frozen=True, slots=True)
class OperationShapes:
    """One call of an operation, as the rule of its output shape sees it."""

    config: Mapping[str, Json]
    """With every default filled in."""
    inputs: tuple[Shape, ...]

    @property
    def input(self) -> Shape:
        """The shape of the first input."""
        return self.inputs[0]


@dataclass(frozen=True, slots=True)
class OperationValues:
    """One call of an operation, as its formula sees it."""

    config: Mapping[str, Json]
    """With every default filled in."""
    inputs: tuple[Array, ...]
    dtype: Any
    """What floating-point numbers are made in where no input says it: float32 or float64."""
    forced: bool = False
    """Whether every floating-point number of the evaluation is of `dtype`, whatever a cast says."""

    @property
    def input(self) -> Array:
        """The first input."""
        return self.inputs[0]


ShapeRule = Callable[[OperationShapes], Shape | list[Shape]]
"""The shape that a call yields, a list where it yields several values. Raises `ShapeError` for inputs that do not fit."""
OperationFormula = Callable[[OperationValues], Array | list[Array]]


@dataclass(frozen=True, slots=True)
class Operation:
    """The one definition of an operation."""

    name: str
    family: str
    """The heading it stands under in the specification."""
    equation: str
    """What it computes, in one sentence or formula."""
    words: str
    """The shape of what it yields."""
    rule: ShapeRule
    formula: OperationFormula
    fields: tuple[Field, ...] = ()
    inputs: tuple[int, int | None] = (1, 1)
    """Fewest and most inputs; None: any number. Literals of the config stand for inputs and count as such."""
    literals: tuple[str, ...] = ()
    """Members of the config that stand for an input each: what is null there comes from the inputs, in their order."""
    makes_dtype: bool = False
    """Whether the dtype of the result is the operation's own, whatever the inputs are."""
    equivalents: Mapping[str, str] = field(default_factory=dict)
    """Framework -> its name there."""

    def resolve(self, config: Mapping[str, Json]) -> dict[str, Json]:
        """`config` with the defaults filled in; it has passed the operation's schema."""
        return {one.name: config.get(one.name, one.default) for one in self.fields}

    def given(self, config: Mapping[str, Json], inputs: int) -> int:
        """How many operands a call with a resolved `config` and so many inputs has."""
        return inputs + sum(config[name] is not None for name in self.literals)


OPERATIONS: dict[str, Operation] = {}
"""Every operation of the vocabulary by name."""


def define(name: str, family: str, equation: str, *, keras: str | None = None, torch: str | None = None, **facts: Any) -> None:
    """Register an operation with the `facts` of `Operation`; `keras` and `torch` are where the frameworks have it."""
    equivalents = counterparts(OPERATION_COUNTERPARTS, name, keras=keras, torch=torch)
    OPERATIONS[name] = Operation(name, family, equation, equivalents=equivalents, **facts)
