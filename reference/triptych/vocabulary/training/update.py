"""One update of one weight, as the formula of an optimizer sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triptych.model import Json
from triptych.vocabulary.arrays import Array


@dataclass(frozen=True, slots=True)
class Update:
    """One weight at one update, as a formula sees it."""

    config: Mapping[str, Json]
    """With every default filled in."""
    weight: Array
    gradient: Array
    slots: Mapping[str, Array]
    """As they are before this update."""
    shared: Mapping[str, float]
    """Slots of the optimizer as a whole, as they are after this update."""
    rate: float
    """The learning rate of this update."""
    count: int
    """Which update it is: 1 for the first."""

    def corrected(self, beta: str) -> float:
        """1 - beta^count: what a moving average that began at 0 adds up to."""
        return 1.0 - float(self.config[beta]) ** self.count
