"""What a type of the training vocabulary is: the config of an optimizer, loss or metric, its state and its formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from triptych.model import Json
from triptych.vocabulary.definition import Field


@dataclass(frozen=True, slots=True)
class Slot:
    """A tensor that an optimizer keeps, for each weight or once."""

    name: str
    doc: str
    shape: str = "weight"
    """An expression over the config and ``weight``, the weight's shape; ``[]`` with `shared`."""
    initial: str = "0"
    """What every element is before the first update: a number or a member of the config."""
    when: str | None = None
    """A condition over the config; None: always there."""
    rank: tuple[int, int | None] = (0, None)
    """Lowest and highest rank of the weights that have it."""
    shared: bool = False
    """Whether there is one for the optimizer as a whole."""


@dataclass(frozen=True, slots=True)
class ComponentType:
    """The one definition of a type of optimizer, loss, metric, schedule, initializer, regularizer or constraint."""

    name: str
    family: str
    """Which of these it is: the folder of its schema."""
    doc: str
    """What it computes, in one sentence."""
    equation: str
    """Its formula, as the specification prints it."""
    formula: Callable[..., Any]
    """The same as code; its parameters are the family's."""
    fields: tuple[Field, ...] = ()
    slots: tuple[Slot, ...] = ()
    equivalents: Mapping[str, str] = field(default_factory=dict)
    """Framework -> its name there, with the members that make it so."""

    def resolve(self, config: Mapping[str, Json]) -> dict[str, Json]:
        """`config` with the defaults filled in; it has passed the type's schema."""
        return {one.name: config.get(one.name, one.default) for one in self.fields}


FAMILIES = ("optimizers", "losses", "metrics", "schedules", "initializers", "regularizers", "constraints")
"""In the order of the specification."""
TYPES: dict[str, dict[str, ComponentType]] = {family: {} for family in FAMILIES}
"""Family -> name -> definition."""


def define(family: str, name: str, doc: str, equation: str, formula: Callable[..., Any], **facts: Any) -> None:
    """Register a type; `facts` are the other members of `ComponentType`."""
    TYPES[family][name] = ComponentType(name, family, doc, equation, formula, **facts)


def component_type(family: str, name: str) -> ComponentType | None:
    """The definition of `name` in `family`; None if the vocabulary has none."""
    return TYPES[family].get(name)
