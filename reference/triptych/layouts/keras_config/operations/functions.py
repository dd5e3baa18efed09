"""Functions of a framework: how the arguments of a call find their parameters, and what is wanted of one that is to be called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from triptych.layouts.keras_config.nodes import Value
from triptych.layouts.keras_config.operations.said import Argument, Constant, Said
from triptych.layouts.keras_config.plain import Unsayable, unsayable
from triptych.model import Json, Shape

Operand = Value | Constant


@dataclass(frozen=True, slots=True)
class Function:
    """A function whose calls have a meaning."""

    meaning: Callable[..., Said]
    parameters: tuple[str, ...]
    """In the order of the meaning's arguments; where it is called, the first of them stand without their names."""
    fixed: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    """Further parameters, with the values that they may have."""

    def mean(self, positional: Sequence[Argument], named: Mapping[str, Argument]) -> Said:
        """What a call with these arguments means.

        Raises:
            Unsayable: More than an operation of ours.
        """
        if len(positional) > len(self.parameters):
            unsayable("more arguments than parameters")
        bound = dict(zip(self.parameters, positional, strict=False))
        for key, value in named.items():
            if key in bound and bound[key] is not value:
                unsayable("an argument that is given twice")
            if key in self.parameters:
                bound[key] = value
            elif key != "name" and not _allowed(self.fixed.get(key, ()), value):
                unsayable(f"the argument {key}")
        try:
            return self.meaning(*(bound.get(key) for key in self.parameters))
        except (TypeError, ValueError, IndexError, ArithmeticError):
            unsayable("arguments of other kinds, or of axes that are not there")


def _allowed(values: tuple[Json, ...], value: Argument) -> bool:
    return value is None or any(type(one) is type(value) and one == value for one in values)


def functions(parameters: str, rows: Mapping[str, Callable[..., Said]], **fixed: tuple[Json, ...]) -> dict[str, Function]:
    """Functions of the same parameters by name."""
    return {name: Function(meaning, tuple(parameters.split()), fixed) for name, meaning in rows.items()}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call of an operation, as a framework is asked for it."""

    op: str
    config: Mapping[str, Json]
    """With defaults filled in."""
    operands: tuple[Operand, ...]
    outputs: tuple[Shape | None, ...]

    @property
    def input(self) -> Operand:
        """The first operand."""
        return self.operands[0]

    @property
    def rank(self) -> int:
        """Axes of the first operand.

        Raises:
            Lacking: They are not known.
        """
        shape = self.input.shape
        return lacking("an operand of unknown rank") if shape is None else len(shape)

    def with_literals(self, *members: str) -> list[Argument]:
        """The operands, with the literals of `members` in their places."""
        waiting = iter(self.operands)
        return [next(waiting) if self.config[member] is None else self.config[member] for member in members]

    def filled(self) -> list[int]:
        """The shape of the result, with -1 for an extent that is not known.

        Raises:
            Lacking: Several are not known.
        """
        shape = self.outputs[0]
        if shape is None or shape.count(None) > 1:
            lacking("a shape of which more than one extent is not known")
        return [-1 if extent is None else extent for extent in shape]


class Lacking(Unsayable):
    """The framework has no function that computes this."""


def lacking(what: str) -> NoReturn:
    """Give up on `what` in the framework at hand."""
    raise Lacking(what)
