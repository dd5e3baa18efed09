"""Where checks are registered under the requirement they enforce, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, TypeVar

from triptych.errors import PROBLEM_LIMIT, Findings, UnsupportedError

Scope = Literal["graph", "layer", "tensors", "composites", "types", "document", "training", "state", "fit"]
"""What a check looks at, and its parameters: an architecture or a nested one (graph, pointer); a layer or sublayer
(layer, pointer); the tensors of an architecture (weight slots); one that has composites, or the types of any (architecture); a whole document (architecture, training or panels); all
panels together, where the fault is in the training document or in its state (panels); whether the weights section holds
what the architecture needs (weight slots, tensors by name)."""
Found = Iterator[tuple[str, str]]
"""(JSON Pointer, message) for each place that breaks the requirement."""

_Find = TypeVar("_Find", bound=Callable[..., Found])


@dataclass(frozen=True, slots=True)
class Check:
    """One semantic requirement and the function that finds where it is broken."""

    requirement: str
    scope: Scope
    find: Callable[..., Found]
    unsupported: bool
    """Whether a breach says that this reader is not able, rather than that the input is wrong."""


CHECKS: list[Check] = []
"""Every check, in the order of registration."""


def check(requirement: str, scope: Scope, *, unsupported: bool = False) -> Callable[[_Find], _Find]:
    """Register a function that yields (JSON Pointer, message) for each place that breaks `requirement`."""

    def register(find: _Find) -> _Find:
        CHECKS.append(Check(requirement, scope, find, unsupported))
        return find

    return register


def run(scope: Scope, findings: Findings, *subject: Any, prefix: str = "") -> None:
    """Run the checks of `scope` on `subject`; `prefix` stands before every pointer but that of a whole document.

    Raises:
        UnsupportedError: A check says that this reader is not able.
    """
    for one in CHECKS:
        if one.scope != scope or not (findings.enforces(one.requirement) or one.unsupported):
            continue
        for pointer, message in islice(one.find(*subject), PROBLEM_LIMIT + 1):
            place = prefix + pointer if pointer else pointer
            if one.unsupported:
                findings.fatal(one.requirement, place, message, error=UnsupportedError)
            findings.add(one.requirement, place, message)
