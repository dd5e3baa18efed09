"""Sets the arrays that a file or a live model holds, listed by top-level layer, to the places that an architecture has for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from triptych.layouts.keras_weights.assignment import Array, assign
from triptych.layouts.keras_weights.lineage import with_weights
from triptych.layouts.keras_weights.optimizer import Trained
from triptych.layouts.keras_weights.places import TopLayer, listed_weights, top_layers
from triptych.layouts.problems import mismatch
from triptych.model import Architecture, WeightReference

Stored = Mapping[str, Sequence[Array]]
"""Top-level layer -> its arrays in stored order; in the order of the layers."""


@dataclass(frozen=True, slots=True)
class Match:
    """One top-level layer, and which of its arrays is which of its weights."""

    top: TopLayer
    arrays: Sequence[Array]
    chosen: Sequence[int]
    """For each of the layer's places the index of its array."""

    @property
    def labels(self) -> list[str]:
        """The stored names in the order of ``get_weights()``."""
        return [self.arrays[index].name for index in self.chosen]

    @property
    def order(self) -> list[int]:
        """Indices of places in stored order."""
        return sorted(range(len(self.chosen)), key=self.chosen.__getitem__)

    @property
    def trained(self) -> list[Trained]:
        """The weights in stored order, as an optimizer sees them."""
        places, arrays = self.top.places, self.arrays
        return [
            Trained(arrays[self.chosen[p]].name, places[p].tensor, arrays[self.chosen[p]].shape, places[p].trainable)
            for p in self.order
        ]


def with_unknown_weights(architecture: Architecture, stored: Stored) -> Architecture:
    """`architecture` with weights for its layers of unknown type: those that are stored for them."""
    listed: dict[str, dict[str, WeightReference]] = {}
    for name, top in top_layers(architecture).items():
        if top.unknown and name in stored:
            listed |= {pointer: found for pointer, found in listed_weights(top, stored[name]).items() if found}
    return with_weights(architecture, listed)


def matches(stored: Stored, tops: Mapping[str, TopLayer]) -> Iterator[Match]:
    """Each layer that has stored arrays or none to have, in stored order.

    Raises:
        InvalidModelError: Arrays and places do not fit, in number, in shape or by what names say.
    """
    for name, arrays in stored.items():
        if name in tops:
            yield Match(tops[name], arrays, assign(name, arrays, tops[name].places))
        elif arrays:
            raise mismatch(name, f"expected a layer of this name in model_config, found none for {len(arrays)} weights")
    for name, top in tops.items():
        if top.places and name not in stored:
            raise mismatch(name, f"expected {len(top.places)} stored weights of this layer, found no group of its name")
