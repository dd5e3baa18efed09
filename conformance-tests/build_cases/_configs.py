"""Cases of configs: for each type of chapters 26, 27 and 51, documents that use all that its table allows, and documents full of faults.

The types and their members stand in ``configs.txt``, the values in `_kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

import _kinds
import kit
from kit import Case, Json

TABLE = Path(__file__).parent / "configs.txt"
EVERY = "every"
"""Heads the members that all types of a chapter have."""
MOST_FAULTS = 95
"""Of one case; a validator may stop after a hundred problems."""
SCHEDULE = "number ≥ 0 | schedule"
FAMILIES = {"initializer | null": "initializers", "regularizer | null": "regularizers", "constraint | null": "constraints", SCHEDULE: "schedules"}
"""Kinds of components -> their chapter."""
SHARED = {"activation", *FAMILIES}
"""Kinds of so many members that all of their faults stand in the first one only."""
CELL = {"type": "SimpleRNNCell", "config": {"units": 2, "activation": "tanh"}}
SIMPLE = {"type": "SimpleRNN", "config": {"units": 2, "activation": "tanh"}}
SUBLAYERS = {
    "SpectralNormalization": {"layer": {"type": "Dense", "config": {"units": 2}}}, "TimeDistributed": {"layer": {"type": "Flatten"}},
    "RNN": {"cell": CELL}, "StackedRNNCells": {"cell_0": CELL},
    "Bidirectional": {"forward": SIMPLE, "backward": {"type": "SimpleRNN", "config": {**SIMPLE["config"], "go_backwards": True}}},
}


@dataclass(frozen=True)
class Member:
    """A row of a table."""

    name: str
    words: str
    required: bool
    chapter: str

    @property
    def kind(self) -> _kinds.Kind:
        """What it takes and what not."""
        return _kinds.kind(self.words, self.chapter)


@dataclass(frozen=True)
class Type:
    """A type and the table of its config."""

    chapter: str
    """layers, operations, or a family of chapter 51."""
    group: str
    """The types whose faults stand in one case."""
    name: str
    operands: int
    members: tuple[Member, ...]

    def least(self, **given: Json) -> dict[str, Json]:
        """A config of `given` and what else is required."""
        return {one.name: one.kind.good[0] for one in self.members if one.required} | given


@cache
def types() -> tuple[Type, ...]:
    """All types, in the order of the chapters."""
    found: list[tuple[str, str, str, list[Member]]] = []
    chapter = group = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            chapter = group = line[3:]
        elif line.startswith("-- "):
            group = line[3:]
        elif line.startswith("  "):
            words, _, names = line.strip().rpartition(": ")
            found[-1][3].extend(Member(name.rstrip("*"), words, name.endswith("*"), chapter) for name in names.split())
        elif line and not line.startswith("#"):
            found.append((chapter, group, line, []))
    return tuple(_complete(found))


def _complete(found: list[tuple[str, str, str, list[Member]]]) -> Iterator[Type]:
    """Each type with the members that every type of its chapter has, unless it says otherwise of one."""
    shared = {chapter: rows for chapter, _, name, rows in found if name == EVERY}
    for chapter, group, head, rows in found:
        if head != EVERY:
            name, _, operands = head.partition(" ")
            own = {one.name for one in rows}
            yield Type(chapter, group, name, int(operands or 0), (*(one for one in shared.get(chapter, ()) if one.name not in own), *rows))


# --- what a config holds

@dataclass(frozen=True)
class Copy:
    """A config of a type, and its faults: (whether a member is at fault, not what it holds; place in the config)."""

    type: Type
    config: dict[str, Json]
    faults: tuple[tuple[bool, str], ...] = ()


@cache
def first(words: str) -> tuple[Type, Member]:
    """The first type with a member that takes values of the kind, and that member."""
    return next((found, one) for found in types() for one in found.members if one.words == words)


def good(found: Type, one: Member) -> list[Json]:
    """What a member takes; of a kind that many take, all of it stands in the first member only, and schedules where `of_optimizers` puts them."""
    values = [settled(value, FAMILIES[one.words]) if one.words in FAMILIES else value for value in one.kind.good]
    if one.words == SCHEDULE:
        return [values[0], *values[-2:]]
    return values if one.words not in SHARED or (found, one) == first(one.words) else [values[0], values[-1]]


def faulty(found: Type, one: Member) -> Sequence[_kinds.Fault]:
    """What a member does not take, likewise."""
    return one.kind.faults if one.words not in SHARED or (found, one) == first(one.words) else one.kind.faults[:1]


def settled(value: Json, family: str) -> Json:
    """`value`; a component of `family` gets the config that its type requires."""
    if not isinstance(value, dict) or ":" in value["type"]:
        return value
    least = next(one for one in types() if (one.chapter, one.name) == (family, value["type"])).least()
    return {**value, "config": least} if least else value


def copies_in_order(found: Type) -> Iterator[Copy]:
    """Configs that hold every member, and among them every value."""
    values = {one.name: good(found, one) for one in found.members}
    for number in range(max(map(len, values.values()), default=1)):
        yield Copy(found, {name: some[number % len(some)] for name, some in values.items()})


def copies_at_fault(found: Type) -> Iterator[Copy]:
    """Configs that hold every fault between them: each a fault of as many members as possible, the first a member too many."""
    missing: dict[int, Member] = {}
    for one in found.members:
        if one.required:
            number = len(faulty(found, one))
            while number in missing:
                number += 1
            missing[number] = one
    for number in range(max([1, *(len(faulty(found, one)) for one in found.members), *(number + 1 for number in missing)])):
        wrong = {one.name: faulty(found, one)[number] for one in found.members if number < len(faulty(found, one))}
        config = found.least() | {name: value for name, (value, _) in wrong.items()} | ({"nonsense": 1} if number == 0 else {})
        faults = [(False, f"/{name}{place}") for name, (_, place) in wrong.items()] + ([(True, "/nonsense")] if number == 0 else [])
        if number in missing:
            del config[missing[number].name]
            faults.append((True, ""))
        yield Copy(found, config, tuple(faults))


# --- where a config stands

@dataclass(frozen=True)
class Host:
    """What the configs of a chapter stand in."""

    code: str
    requirements: tuple[str, str]
    """On the members of a config, and on their values."""
    profile: str


LAYERS = Host("LAYER_CONFIG_INVALID", ("LYR-002", "LYR-003"), "layers")
OPERATIONS = Host("OPERATION_CONFIG_INVALID", ("LYR-031", "LYR-032"), "layers")
TRAINED = Host("COMPONENT_CONFIG_INVALID", ("TRN-012", "TRN-013"), "training")
PART = Host("COMPONENT_CONFIG_INVALID", ("TRN-014", "TRN-015"), "training")
PARTS = {"initializers": "kernel_initializer", "regularizers": "kernel_regularizer", "constraints": "kernel_constraint", "schedules": "learning_rate"}
HOSTS = {"layers": LAYERS, "operations": OPERATIONS, "losses": TRAINED, "metrics": TRAINED, "optimizers": TRAINED, **dict.fromkeys(PARTS, PART)}
LITERALS = {"number, boolean or null", "array of integers or null"}
"""Kinds of members that stand for an operand where they are not null."""
ONE_INPUT = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None]}]}


def documents(chapter: str, copies: Sequence[Copy]) -> tuple[dict[str, Json], list[str]]:
    """What `kit.package` makes a package of that holds configs of a chapter, and the place of each config."""
    if chapter in {"losses", "metrics"}:
        rows = [{"type": one.type.name, "config": one.config} for one in copies]
        return {"training": {"format_version": "1.0", chapter: rows}}, [f"training.json#/{chapter}/{i}/config" for i in range(len(copies))]
    if chapter == "operations":
        any_ = {"op": "org.example:Any", "inputs": ["x"], "outputs": ["any"]}
        calls = [any_, *(operation(one, f"y_{i}") for i, one in enumerate(copies, 1))]
        return {"architecture": {**ONE_INPUT, "layers": [], "calls": calls, "outputs": ["x"]}}, [f"architecture.json#/calls/{i}/config" for i in range(1, len(calls))]
    layers = [layer(chapter, one, i) for i, one in enumerate(copies)]
    inside = f"/{PARTS[chapter]}/config" if chapter in PARTS else ""
    assets = {"assets": {_kinds.ASSET: b"7\n5\n"}} if any("vocabulary" in one.config for one in copies) else {}
    return {"architecture": {**ONE_INPUT, "layers": layers, "calls": [], "outputs": ["x"]}, **assets}, [f"architecture.json#/layers/{i}/config{inside}" for i in range(len(layers))]


def operation(one: Copy, output: str) -> dict[str, Json]:
    """A call of an operation, of values of which nothing is known: they fit everything."""
    given = sum(row.words in LITERALS and one.config.get(row.name) is not None for row in one.type.members)
    return {"op": one.type.name, "config": one.config, "inputs": ["any"] * (one.type.operands - given), "outputs": [output]}


def layer(chapter: str, one: Copy, number: int) -> dict[str, Json]:
    """A layer that nothing calls, with a config or with a component in it."""
    if chapter in PARTS:
        return {"name": f"layer_{number}", "type": "Dense", "config": {"units": 2, PARTS[chapter]: {"type": one.type.name, "config": one.config}}}
    made = {"name": f"layer_{number}", "type": one.type.name, "config": one.config}
    return {**made, "sublayers": SUBLAYERS[one.type.name]} if one.type.name in SUBLAYERS else made


def optimized(one: Copy, schedule: Copy | None = None) -> tuple[dict[str, Json], list[str]]:
    """The same for an optimizer, of which a document has one, and a schedule in the place of its learning rate."""
    config = {**one.config, "learning_rate": {"type": schedule.type.name, "config": schedule.config}} if schedule else one.config
    place = "training.json#/optimizer/config"
    return {"training": {"format_version": "1.0", "optimizer": {"type": one.type.name, "config": config}}}, [place, f"{place}/learning_rate/config"]


# --- the cases

def case(chapter: str, slug: str, words: str, copies: Sequence[Copy], made: tuple[dict[str, Json], list[str]], twin: str = "") -> Case:  # noqa: PLR0917 - a row of a table
    """An accepting case, or with a `twin` a rejecting one of all faults of the copies."""
    parts, places = made
    host = HOSTS[chapter]
    used = {HOSTS[one.type.chapter] for one in copies}
    problems = [(HOSTS[one.type.chapter], whole, place + rest) for one, place in zip(copies, places, strict=False) for whole, rest in one.faults]
    cited = {found.requirements[not whole] for found, whole, _ in problems} or {name for found in used for name in found.requirements}
    cited = [*sorted(cited, key=lambda name: (name != host.requirements[1], name)), "CNF-003"]
    name = f"{cited[0].lower()}-{'faults-of' if twin else 'all-of'}-{slug}"
    said = {"op": "validate", "role": "validator", "profile": host.profile}
    if not twin:
        return Case(name, f"All that configs may hold: {words}", cited, kit.package(**parts), accepted=kit.observe(**parts), **said)
    assert len(problems) <= MOST_FAULTS, (slug, len(problems))
    (found, _, place), *rest = problems
    return Case(name, f"Configs full of faults: {words}", cited, kit.package(**parts), twin=twin, rejected=("schema", found.code, place), also=[(one.code, at) for one, _, at in rest], **said)


def in_groups(*chapters: str) -> Iterable[Case]:
    """The cases of chapters of which a document holds many configs."""
    for (chapter, group), some in groupby((one for one in types() if one.chapter in chapters and one.name != "Model"), lambda one: (one.chapter, one.group)):
        found = list(some)
        slug = group.lower().replace(" ", "-")
        right = [copy for one in found for copy in (one_by_one(one) if chapter == "operations" else copies_in_order(one))]
        wrong = [copy for one in found for copy in copies_at_fault(one)]
        accepting = case(chapter, slug, group, right, documents(chapter, right))
        yield accepting
        yield case(chapter, slug, group, wrong, documents(chapter, wrong), accepting.id)


def one_by_one(found: Type) -> Iterator[Copy]:
    """Configs of an operation with one value at a time beside what is required: operands are not all literals."""
    yield Copy(found, found.least())
    for one in found.members:
        for value in good(found, one):
            yield Copy(found, found.least(**{one.name: value}))


def of_optimizers() -> Iterable[Case]:
    """The cases of optimizers and schedules: a document has one optimizer, and it one learning rate."""
    found = [one for one in types() if one.chapter == "optimizers"]
    schedules = [one for one in types() if one.chapter == "schedules"]
    right = iter([copy for one in schedules for copy in copies_in_order(one)])
    for optimizer in found:
        slug = optimizer.name.lower()
        for number, one in enumerate(copies_in_order(optimizer), 1):
            schedule = next(right, None)
            yield case("optimizers", f"{slug}-{number}", f"{optimizer.name}, {number}", [one, *[schedule] * bool(schedule)], optimized(one, schedule))
        for number, one in enumerate(copies_at_fault(optimizer), 1):
            yield case("optimizers", f"{slug}-{number}", f"{optimizer.name}, {number}", [one], optimized(one), f"trn-013-all-of-{slug}-1")
    assert next(right, None) is None, "an optimizer more has to hold the schedules that are left"
    plain = Copy(found[0], found[0].least())
    for kind in schedules:
        for number, one in enumerate(copies_at_fault(kind), 1):
            made, (_, place) = optimized(plain, one)
            yield case("schedules", f"{kind.name.lower()}-{number}", f"{kind.name}, {number}", [one], (made, [place]), "trn-013-all-of-sgd-1")
