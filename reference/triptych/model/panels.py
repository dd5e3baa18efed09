"""The three panels and what travels with them: everything one package holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from triptych.model.architecture import Architecture, Json
from triptych.model.training import Training
from triptych.model.weights import Tensor, Weights


@dataclass(frozen=True, slots=True)
class Panels:
    """What a package or a foreign file says, as immutable data; `triptych.Model` is its face to people.

    Readers of every layout return it, writers of every layout take it.
    """

    architecture: Architecture | None = None
    weights: Weights | None = None
    training: Training | None = None
    assets: Mapping[str, Tensor] = field(default_factory=dict)
    """Member name -> its bytes, as a uint8 tensor of one axis."""
    name: str | None = None
    producer: Mapping[str, str] = field(default_factory=dict)
    """``name`` and ``version`` of the program that wrote the package; empty when not said."""
    license: str | None = None
    """An SPDX expression."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Free annotations; no meaning to anyone."""
    extensions_used: tuple[str, ...] = ()
    extensions_required: tuple[str, ...] = ()
    extensions: Mapping[str, Json] = field(default_factory=dict)
