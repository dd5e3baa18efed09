"""Rules: what a framework makes of a type, by the members of its config; the tables of each framework consist of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from triptych.model import Json

EXACT, BOUNDED, INEXPRESSIBLE = "exact", "bounded", "inexpressible"
RANKS = (EXACT, BOUNDED, INEXPRESSIBLE)
"""From the best to the worst."""
LISTED = "[…]"
"""What stands in a condition for any list, such as padding that is said for each end."""

SAID = "…"
"""What stands in a condition for anything but null and 0."""

AUGMENTATION = (
    "RandomFlip RandomRotation RandomTranslation RandomZoom RandomShear RandomHeight RandomWidth RandomContrast RandomBrightness RandomHue "
    "RandomSaturation RandomSharpness RandomColorDegeneration RandomInvert RandomPosterization RandomErasing RandomGaussianBlur"
)
"""Types that change nothing after training."""

Condition = Mapping[str, Json]
"""Member of a config -> its value; a tuple holds several that will do. All members have to agree."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds where a config meets a condition."""

    verdict: str
    how: str
    """What says it in the framework, or why nothing does."""
    when: Condition = field(default_factory=dict)
    bound: str = ""
    """For `bounded`: how far results depart at most, and of what."""
    training: bool = False
    """Whether the departure shows while training only."""

    def where(self, **when: Json) -> Rule:
        """Hold under further conditions, too."""
        return Rule(self.verdict, self.how, {**self.when, **when}, self.bound, self.training)

    def holds(self, config: Mapping[str, Json]) -> bool:
        """Whether a resolved `config` meets the condition."""
        return all(_is_one_of(config.get(name), value if isinstance(value, tuple) else (value,)) for name, value in self.when.items())


def _is_one_of(value: Json, allowed: tuple[Json, ...]) -> bool:
    return any(
        (one == LISTED and isinstance(value, list))
        or (one == SAID and value is not None and value != 0)
        or (one == value and isinstance(one, bool) is isinstance(value, bool))
        for one in allowed
    )


Rules = tuple[Rule, ...]
"""The first that holds decides; the last has no condition."""
Table = Mapping[str, Rules]


def exact(how: str, **when: Json) -> Rule:
    """The framework computes the same, up to the rounding of floating point."""
    return Rule(EXACT, how, when)


def bounded(bound: str, how: str, *, training: bool = False, **when: Json) -> Rule:
    """It computes something that departs by at most `bound`."""
    return Rule(BOUNDED, how, when, bound, training)


def inexpressible(how: str, **when: Json) -> Rule:
    """Nothing that it has computes this."""
    return Rule(INEXPRESSIBLE, how, when)


def every(names: str, *rules: Rule) -> dict[str, Rules]:
    """The same rules for each of `names`; ``#`` in rules stands for the name, ``{n}`` in a name for 1, 2 and 3."""
    found: dict[str, Rules] = {}
    for name in names.split():
        for one in [name.replace("{n}", str(rank)) for rank in (1, 2, 3)] if "{n}" in name else [name]:
            rank = next((character for character in one if character.isdigit()), "")
            found[one] = tuple(
                Rule(rule.verdict, rule.how.replace("#n", rank).replace("#", one), rule.when, rule.bound, rule.training) for rule in rules
            )
    return found
