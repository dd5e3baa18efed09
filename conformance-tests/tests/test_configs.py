"""What the cases of configs are made of says the same as the tables of chapters 26, 27 and 51."""

import re
from pathlib import Path

import _configs as configs

TREE = Path(__file__).resolve().parents[2]
CHAPTERS = {"26-layer-types": "layers", "27-operations": "operations", "51-training-types": ""}


def tables():
    """(chapter or family, type, operands, member, words, whether it is required) of each row of a table of members; of a type without one, no member."""
    for file, chapter in CHAPTERS.items():
        family, name, operands, heading = chapter, "", 0, ""
        for line in (TREE / "spec" / f"{file}.md").read_text(encoding="utf-8").splitlines():
            if not chapter and line.startswith("## "):
                family, name = line[3:].lower(), "every"
            elif line.startswith("### "):
                name, operands = line[4:], 0
                yield family, name, None, None, None, None
            elif found := re.match(r"\* operands: (\d+)", line):
                operands = int(found[1])
            elif found := re.match(r"\| (config|weight|slot) \|", line):
                heading = found[1]
            elif heading == "config" and (found := re.fullmatch(r"\| `(\w+)` \| ((?:[^|]|\\\|)+) \| (\*required\*|`[^`]+`) \| [^|]+ \|", line)):
                yield family, name, operands, found[1], found[2].replace("\\|", "|"), found[3] == "*required*"


def test_every_row_of_the_chapters_is_there_and_no_other():
    rows = list(tables())
    shared = {family: [row for row in rows if row[:2] == (family, "every")] for family in {row[0] for row in rows}}
    types = dict.fromkeys(row[:2] for row in rows if row[1] != "every")
    wanted = {}
    for family, name in types:
        own = [row for row in rows if row[:2] == (family, name) and row[3]]
        inherited = [row for row in shared[family] if row[3] not in {row[3] for row in own}]
        wanted[family, name] = {(member, words, required) for *_, member, words, required in (*own, *inherited)}
    found = {(one.chapter, one.name): {(row.name, row.words, row.required) for row in one.members} for one in configs.types()}
    assert found == wanted
    assert sum(map(len, wanted.values())) > 1300


def test_operations_take_as_many_operands_as_the_chapter_says():
    wanted = {name: operands for family, name, operands, *_ in tables() if family == "operations" and operands is not None}
    assert {one.name: one.operands for one in configs.types() if one.chapter == "operations" and one.members} == wanted


def test_a_copy_at_fault_says_where():
    """The first faults of a layer, worked out by hand: a member too many, and of each member the first of its faults."""
    (dropout,) = (one for one in configs.types() if one.name == "GaussianDropout")
    most = 2**53
    assert [(copy.config, set(copy.faults)) for copy in configs.copies_at_fault(dropout)] == [
        ({"rate": "1", "seed": 1.5, "nonsense": 1}, {(False, "/rate"), (False, "/seed"), (True, "/nonsense")}),
        ({"rate": -0.5, "seed": -most}, {(False, "/rate"), (False, "/seed")}),
        ({"rate": 1.5, "seed": most}, {(False, "/rate"), (False, "/seed")}),
        ({}, {(True, "")}),
    ]
