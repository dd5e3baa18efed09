"""Gives tensors other names by rules, so that a file fits a model that calls its weights otherwise.

A rule is an old name and a new one. An old name that no tensor has is a pattern, part by part between dots: ``*`` stands for any text within
a part, ``**`` as a whole part for one part or more, once in a pattern; the new name says what they stood for as ``$1``, ``$2`` …, and ``$$`` for ``$``.
Exact names go before patterns, patterns in their order; a pattern is matched in one pass, whatever somebody wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from triptych import layouts
from triptych.errors import Findings, InvalidModelError, Problem, WeightsMismatchError, pointer_token, shorten
from triptych.layouts.keras_weights.lineage import with_weights
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Architecture, Panels, Training, WeightReference, Weights
from triptych.vocabulary import weight_slots

_REFERENCE = re.compile(r"\$(\$|[1-9][0-9]?)")
_ANY = "**"


Rules = Mapping[str, str] | str | PathLike[str]
"""Old name or pattern -> new name; or a file that says so."""


def renamed(panels: Panels, given: Rules) -> Panels:
    """`panels` with their weights under the names that the rules `given` give them; slots of the optimizer and the architecture follow.

    Raises:
        InvalidModelError: The file of rules is none.
        WeightsMismatchError: Rules that rename nothing or are none, or several tensors that would have one name; all of them at once.
    """
    rules, place = (given, "rename") if isinstance(given, Mapping) else (read_rules(Path(given)), Path(given).name)
    names, problems = _new_names(list(panels.weights or ()), rules, place)
    inside = [_problem(place, "", f"expected tensors outside of composites, {shorten(name)} is in one") for name in _in_composites(panels.architecture) if names.get(name, name) != name]
    if problems or inside:
        raise WeightsMismatchError((*problems, *inside))
    changed = {old: new for old, new in names.items() if old != new}
    if not changed:
        return panels
    weights = panels.weights
    if weights is not None:
        weights = Weights({names[name]: tensor for name, tensor in weights.tensors.items()})
    slots = _slots(panels.training, changed)
    after = replace(panels, architecture=_referring(panels.architecture, changed), weights=weights, training=_following(panels.training, slots))
    return layouts.under_names(after, {**changed, **slots})


def read_rules(path: Path) -> dict[str, str]:
    """The rules that the file at `path` says, JSON or YAML: an object of old and new names.

    Raises:
        InvalidModelError: It says something else.
        OSError: It cannot be read.
    """
    from triptych import documents

    findings = Findings(member=path.name)
    with path.open("rb") as file:
        data = file.read(DEFAULT_LIMITS.yaml_bytes + 1)
    if len(data) > DEFAULT_LIMITS.yaml_bytes:
        raise InvalidModelError((_problem(path.name, "", f"expected at most {DEFAULT_LIMITS.yaml_bytes:,} bytes, got more"),))
    is_json = data.lstrip().startswith(b"{")
    rules = (documents.parse_json if is_json else documents.parse_yaml)(data, findings)
    findings.raise_if_any()
    if not isinstance(rules, dict):
        raise InvalidModelError((_problem(path.name, "", f"expected an object of old names and new names, got {shorten(rules)}"),))
    wrong = [_problem(path.name, f"/{pointer_token(old)}", f"expected a new name, got {shorten(new)}") for old, new in rules.items() if not isinstance(new, str)]
    if wrong:
        raise InvalidModelError(tuple(wrong))
    return rules


def _problem(place: str, pointer: str, message: str) -> Problem:
    return Problem("RENAME_INVALID", "", f"{place}#{pointer}", message)


def _new_names(held: Sequence[str], rules: Mapping[str, str], place: str) -> tuple[dict[str, str], list[Problem]]:
    """Name of a tensor -> its new name, and what is wrong with the rules."""
    problems: list[Problem] = []

    def complain(rule: str, message: str) -> None:
        problems.append(_problem(place, f"/{pointer_token(rule)}", message))

    there = set(held)
    names = dict.fromkeys(held, "")
    names.update({rule: new for rule, new in rules.items() if rule in there})
    for rule, new in rules.items():
        if not new:
            complain(rule, "expected a new name of one character or more, got ''")
        if rule in there:
            continue
        pattern = _Pattern.of(rule)
        if pattern is None:
            complain(rule, f"expected at most one ** in a pattern, and nothing else in its part, got {shorten(rule)}")
            continue
        if wrong := [number for number in pattern.asked(new) if number > pattern.count]:
            complain(rule, f"expected {shorten(new)} to name what one of the {pattern.count} stars stood for, got ${wrong[0]}")
            continue
        matched = [(name, found) for name in held if (found := pattern.match(name)) is not None]
        if not matched:
            complain(rule, f"expected the name of a tensor, or a pattern that fits one, got {shorten(rule)}; {_like(rule, held)}")
        for name, found in matched:
            if not names[name] and name not in rules:
                names[name] = pattern.filled(new, found)
    final = {name: new or name for name, new in names.items()}
    taken: dict[str, str] = {}
    for name, new in final.items():
        if new in taken:
            complain(name, f"expected a name for each tensor, got {shorten(new)} for {shorten(taken[new])} and for {shorten(name)}")
        taken.setdefault(new, name)
    return final, problems


def _like(rule: str, held: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(rule, held, n=3, cutoff=0.5) or list(held)[:3]
    return f"there are {', '.join(map(shorten, near))}" if near else "there are no weights"


@dataclass(frozen=True, slots=True)
class _Pattern:
    """An old name with stars, part by part."""

    parts: tuple[tuple[str, ...], ...]
    """Each part as the texts around its stars; ``**`` as no text at all."""
    count: int
    """Stars, ``**`` being one."""

    @classmethod
    def of(cls, text: str) -> _Pattern | None:
        """The pattern that `text` says; None if it says none."""
        parts = text.split(".")
        if parts.count(_ANY) > 1 or any(_ANY in part and part != _ANY for part in parts):
            return None
        split = tuple(() if part == _ANY else tuple(part.split("*")) for part in parts)
        return cls(split, sum(max(len(part) - 1, 0) if part else 1 for part in split))

    def match(self, name: str) -> tuple[str, ...] | None:
        """What each star stands for in `name`; None if it does not fit."""
        parts = name.split(".")
        extra = len(parts) - len(self.parts)
        spread = () in self.parts
        if extra < 0 or (extra and not spread):
            return None
        found: list[str] = []
        at = 0
        for part in self.parts:
            width = 1 if part else extra + 1
            text = ".".join(parts[at : at + width])
            stars = _stars(part, text) if part else [text]
            if stars is None:
                return None
            found += stars
            at += width
        return tuple(found)

    def asked(self, new: str) -> list[int]:
        """The numbers of the stars that the new name asks for."""
        return [int(one) for one in _REFERENCE.findall(new) if one != "$"]

    def filled(self, new: str, found: Sequence[str]) -> str:
        """The new name with what the stars stand for; of a rule without stars as it is."""
        if not self.count:
            return new
        return _REFERENCE.sub(lambda match: "$" if match[1] == "$" else found[int(match[1]) - 1], new)


def _stars(texts: Sequence[str], part: str) -> list[str] | None:
    """What stands between `texts` in `part`, each as short as can be but the last; None if they are not there in this order."""
    first, last = texts[0], texts[-1]
    if len(texts) == 1:
        return [] if part == first else None
    if not part.startswith(first) or not part.endswith(last) or len(part) < len(first) + len(last):
        return None
    end = len(part) - len(last)
    found: list[str] = []
    at = len(first)
    for text in texts[1:-1]:
        where = part.find(text, at, end)
        if where < 0:
            return None
        found.append(part[at:where])
        at = where + len(text)
    return [*found, part[at:end]]


def _slots(training: Training | None, names: Mapping[str, str]) -> dict[str, str]:
    """Name of a tensor of the state -> its new name, for the slots of renamed weights."""
    found: dict[str, str] = {}
    for name in training.state if training is not None and training.state is not None else ():
        start, _, weight = name.partition(".")
        word, _, weight = weight.partition(".")
        if start == "optimizer" and weight in names:
            found[name] = f"{start}.{word}.{names[weight]}"
    return found


def _following(training: Training | None, slots: Mapping[str, str]) -> Training | None:
    if training is None or training.state is None or not slots:
        return training
    return replace(training, state=Weights({slots.get(name, name): tensor for name, tensor in training.state.tensors.items()}))


def _in_composites(architecture: Architecture | None) -> list[str]:
    """The tensors of layers that composites define: no layer of the document has them for its own."""
    return [] if architecture is None else [slot.tensor for slot in weight_slots(architecture) if slot.place not in ("", slot.pointer)]


def _referring(architecture: Architecture | None, names: Mapping[str, str]) -> Architecture | None:
    """`architecture` whose layers say the new names of their weights."""
    if architecture is None:
        return None
    listed: dict[str, dict[str, WeightReference]] = {}
    for slot in weight_slots(architecture):
        if slot.tensor in names:
            said = slot.layer.weights.get(slot.role)
            new = WeightReference(names[slot.tensor]) if said is None else replace(said, tensor=names[slot.tensor])
            listed.setdefault(slot.pointer, {})[slot.role] = new
    return with_weights(architecture, listed)
