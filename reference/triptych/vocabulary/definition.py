"""What a layer type is: its config, the weights it owns, its sublayers and the shape of what it yields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from triptych.model import Json, Layer, Shape
from triptych.vocabulary.counterparts import LAYER_COUNTERPARTS, counterparts
from triptych.vocabulary.expressions import evaluate
from triptych.vocabulary.formula import Formula, MaskRule, keep_mask
from triptych.vocabulary.kinds import Kind


class _Required:
    """The default of a member that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a layer's config."""

    name: str
    kind: Kind
    doc: str
    """One line, for the tables of the specification and the schema."""
    default: Json = REQUIRED

    @property
    def required(self) -> bool:
        """Whether a config must say it: values that frameworks default differently."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Weight:
    """One row of a weight table."""

    role: str
    shape: str
    """An expression over the config, ``input`` (the first input's shape) and ``in_channels``."""
    when: str | None = None
    """A condition over the config; None: always there."""
    trainable: bool = True
    dtype: str | None = None
    """What it holds where that is not of the layer's dtype."""


@dataclass(frozen=True, slots=True)
class Sublayer:
    """A role that a wrapper gives to a layer inside it."""

    role: str
    """With ``{n}`` for a number where there may be several: each of them has a role with its number, from 0."""
    doc: str


@dataclass(frozen=True, slots=True)
class LayerCall:
    """One application of a layer, as an output rule sees it."""

    config: Mapping[str, Json]
    """With every default filled in."""
    inputs: tuple[Shape, ...]
    arguments: Mapping[str, Json]
    apply: Callable[[str, tuple[Shape, ...]], tuple[Shape | None, ...] | None]
    """Yields what the sublayer of a role makes of inputs; None when that cannot be known."""
    sublayers: Mapping[str, Layer] = field(default_factory=dict)

    @property
    def input(self) -> Shape:
        """The shape of the first input."""
        return self.inputs[0]


OutputRule = Callable[[LayerCall], Shape | list[Shape] | None]
"""The shape a call yields, a list when it yields several values, or None when it cannot be known.

Raises `ShapeError` for inputs that do not fit. Inputs have passed the type's count and rank."""


@dataclass(frozen=True, slots=True)
class LayerType:
    """The one definition of a layer type."""

    name: str
    family: str
    """The heading it stands under in the specification."""
    doc: str
    """What it computes, in one sentence."""
    output: str | None = None
    """An expression for the shape it yields; None where that takes code."""
    rule: OutputRule | None = None
    """That code; None too for a nested architecture, which is worked out call by call."""
    words: str = ""
    """What the code computes."""
    fields: tuple[Field, ...] = ()
    weights: tuple[Weight, ...] = ()
    """In the order of get_weights(). Two rows may share a role if their conditions exclude each other."""
    sublayers: tuple[Sublayer, ...] = ()
    inputs: tuple[int, int | None] = (1, 1)
    """Fewest and most inputs of a call; None: any number."""
    rank: tuple[int, int | None] = (1, None)
    """Lowest and highest rank of its first input, batch included; others have at least the batch."""
    arguments: tuple[str, ...] = ()
    """What a call may say besides ``training`` and ``mask``, which every type accepts."""
    equivalents: Mapping[str, str] = field(default_factory=dict)
    """Framework -> its name there."""
    equation: str = ""
    """What `formula` computes, as the specification writes it."""
    formula: Formula | None = None
    """None for a nested architecture, which is evaluated call by call."""
    mask: MaskRule = keep_mask
    """Which steps of what it yields count."""
    keeps_dtype: str | bool = False
    """A condition over the config under which it only moves, chooses or adds up elements, so that its results are of its inputs' dtype; or whether."""
    takes_as_given: bool = False
    """Whether integers and booleans enter it as they are though it computes: they are indices, or for a layer inside it."""
    takes_strings: str | bool = False
    """A condition over the config under which its inputs are strings; or whether they are whatever it says."""
    yields_strings: str | bool = False
    """The same for what it yields."""

    def resolve(self, config: Mapping[str, Json]) -> dict[str, Json]:
        """`config` with the defaults filled in; it has passed the type's schema."""
        return {f.name: config.get(f.name, f.default) for f in self.fields}

    def keeps(self, config: Mapping[str, Json]) -> bool:
        """Whether its results are of its inputs' dtype under a resolved `config`."""
        return bool(evaluate(self.keeps_dtype, config)) if isinstance(self.keeps_dtype, str) else self.keeps_dtype

    def roles(self, given: Collection[str]) -> list[str]:
        """The roles of its sublayers, in order, as many of each as there are in `given`, but at least one."""
        roles = []
        for one in self.sublayers:
            first, several, _ = one.role.partition("{n}")
            count = sum(role.startswith(first) for role in given) if several else 1
            roles += [one.role.replace("{n}", str(n)) for n in range(max(count, 1))]
        return roles

    def weights_of(self, config: Mapping[str, Json]) -> tuple[Weight, ...]:
        """The rows of the weight table that hold for a resolved `config`."""
        return tuple(weight for weight in self.weights if weight.when is None or evaluate(weight.when, config))


LAYER_TYPES: dict[str, LayerType] = {}
"""Every type of the vocabulary by name."""


def define(name: str, family: str, doc: str, *, keras: str | None = None, torch: str | None = None, **facts: Any) -> None:
    """Register a type with the `facts` of `LayerType`; `keras` defaults to its own name, "" being none, `torch` to no counterpart."""
    equivalents = counterparts(LAYER_COUNTERPARTS, name, keras=name if keras is None else keras, torch=torch)
    LAYER_TYPES[name] = LayerType(name, family, doc, equivalents=equivalents, **facts)
