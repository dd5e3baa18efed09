"""Which requirement on converters has cases in which layout: what is rejected in one layout is rejected in each, or a reason says why it cannot occur."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from triptych_conformance._cases import Case

ROLE = "converter"


class Grid:
    """Requirements × layouts, with how many cases accept and how many reject."""

    def __init__(self, cases: Iterable[Case], waived: Mapping[str, str]) -> None:
        """`waived` has, for a requirement and a layout with a space between them, why nothing can be rejected there."""
        self._counts: dict[bool, Counter[tuple[str, str]]] = {True: Counter(), False: Counter()}
        for case in cases:
            if case.role == ROLE:
                self._counts[case.accepts].update((name, case.profile) for name in case.requirements)
        self._waived = waived
        places = self._counts[True].keys() | self._counts[False].keys()
        self.requirements = sorted({name for name, _ in places})
        self.layouts = sorted({layout for _, layout in places})

    def problems(self) -> Iterator[str]:
        """What is rejected in one layout and not in another without a reason, and reasons that are none."""
        rejects = {name for name, _ in self._counts[False]}
        for name in self.requirements:
            for layout in self.layouts if name in rejects else ():
                cased = (name, layout) in self._counts[False]
                if not cased and f"{name} {layout}" not in self._waived:
                    yield f"{name}: rejects elsewhere, and has no rejecting case in {layout}"
                if cased and f"{name} {layout}" in self._waived:
                    yield f"{name}: waived in {layout}, yet a case rejects there"
        known = {f"{name} {layout}" for name in rejects for layout in self.layouts}
        yield from (f"waived.toml: {name} is no requirement with a layout, or has no reason" for name, reason in self._waived.items() if name not in known or not reason)

    def render(self) -> list[str]:
        """The table, one line a requirement: + cases that accept, - cases that reject, ~ where a reason says why none does."""
        if not self.layouts:
            return []
        width = max(map(len, self.layouts)) + 2
        lines = ["", f"{ROLE:9}" + "".join(layout.rjust(width) for layout in self.layouts)]
        for name in self.requirements:
            cells = []
            for layout in self.layouts:
                accepting, rejecting = self._counts[True][name, layout], self._counts[False][name, layout]
                waived = "~" if f"{name} {layout}" in self._waived else ""
                cells.append(" ".join([*([f"+{accepting}"] if accepting else []), *([f"-{rejecting}"] if rejecting else []), *([waived] if waived else [])]) or ".")
            lines.append(f"{name:9}" + "".join(cell.rjust(width) for cell in cells))
        return lines
