"""The mutants of schemas are what they are said to be: a clause that no instance needs survives, one that an instance needs does not."""

import json
import sys
from pathlib import Path

import mutate_schemas as mutate
import pytest

PATH = Path(__file__).resolve().parents[1] / "mutants" / "mutate_schemas.py"
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://triptych.dev/schemas/1.0/small.schema.json", "type": "object",
    "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "integer", "minimum": 1}}, "required": ["a"], "unevaluatedProperties": False,
    "allOf": [{"not": {"required": ["c"]}}], "if": {"required": ["b"]}, "then": {"properties": {"a": {"const": "x"}}},
}


def test_each_clause_is_a_mutant():
    found = {(kind, "/".join(map(str, path))) for kind, path in mutate.clauses(SCHEMA)}
    assert found == {("loosen", path) for path in (
        "type", "properties/a/enum", "properties/b/type", "properties/b/minimum", "required/0", "unevaluatedProperties", "allOf/0", "allOf/0/not",
        "allOf/0/not/required/0", "if", "if/required/0", "then/properties/a/const")} | {
        ("tighten", path) for path in ("properties/a", "properties/b", "properties/a/enum/0", "properties/a/enum/1")} | {
        (kind, "properties/b/minimum") for kind in ("widen", "narrow")}


def test_each_form_is_a_mutant():
    schema = {"type": ["number", "null"], "anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}]}
    found = {(kind, "/".join(map(str, path))) for kind, path in mutate.clauses(schema) if kind != "loosen"}
    assert found == {("tighten", path) for path in ("type/0", "type/1", "anyOf/0", "anyOf/1")} | {("narrow", "anyOf/0/minimum")}


@pytest.mark.parametrize(("clause", "kind", "moved"), [
    ({"type": "integer", "minimum": 1}, "widen", {"type": "integer", "minimum": 0}), ({"type": "integer", "maximum": 5}, "widen", {"type": "integer", "maximum": 6}),
    ({"type": "integer", "maximum": 5}, "narrow", {"type": "integer", "maximum": 4}), ({"type": "integer", "minimum": -32}, "narrow", {"type": "integer", "minimum": -31}),
    ({"type": "array", "minItems": 1}, "widen", {"type": "array", "minItems": 0}), ({"type": "string", "maxLength": 9}, "narrow", {"type": "string", "maxLength": 8}),
    ({"type": "number", "minimum": 0}, "narrow", {"type": "number", "exclusiveMinimum": 0}), ({"type": "number", "exclusiveMaximum": 1}, "widen", {"type": "number", "maximum": 1}),
    ({"type": ["number", "array"], "maxItems": 2}, "widen", {"type": ["number", "array"], "maxItems": 3}),
])
def test_a_bound_moves_by_as_little_as_can_be(clause, kind, moved):
    assert mutate.mutated({"items": clause}, kind, ("items", [key for key in clause if key != "type"][0])) == {"items": moved}


@pytest.mark.parametrize("clause", [{"type": "number", "minimum": 0}, {"type": "string", "minLength": 0}])
def test_a_bound_that_cannot_move_outwards_is_no_mutant(clause):
    assert "widen" not in {kind for kind, _ in mutate.clauses(clause)}


@pytest.mark.parametrize(("path", "instance", "becomes", "is_noticed"), [
    (("properties", "b", "minimum"), {"a": "x", "b": 0}, True, True),
    (("properties", "b", "minimum"), {"a": "x", "b": "0"}, True, False),
    (("required", 0), {}, True, True),
    (("unevaluatedProperties",), {"a": "x", "d": 1}, True, True),
    (("if",), {"a": "y", "b": 1}, True, True),
    (("properties", "a", "enum", 1), {"a": "y"}, False, True),
    (("properties", "a", "enum", 1), {"a": "x"}, False, False),
    (("properties", "b"), {"a": "x", "b": 1}, False, True),
])
def test_a_mutant_is_noticed_where_a_verdict_changes(monkeypatch, path, instance, becomes, is_noticed):
    monkeypatch.setattr(mutate, "load", lambda name: SCHEMA)
    monkeypatch.setattr(mutate, "reach", lambda name: {name})
    changed = mutate.without(SCHEMA, path)
    assert mutate.noticed("small", changed, {"small": {0: mutate.Instance(instance, None)}}, becomes=becomes) is is_noticed


def test_a_case_that_wants_a_problem_misses_it(monkeypatch):
    """Of two faults, the one that the case names is gone though the other remains."""
    monkeypatch.setattr(mutate, "load", lambda name: SCHEMA)
    monkeypatch.setattr(mutate, "reach", lambda name: {name})
    changed = mutate.without(SCHEMA, ("properties", "b", "minimum"))
    for wanted, is_noticed in ({"/a", "/b"}, True), ({"/a"}, False):
        instance = mutate.Instance({"a": "z", "b": 0}, frozenset(wanted))
        assert mutate.noticed("small", changed, {"small": {0: instance}}, becomes=True) is is_noticed


def test_what_is_taken_away_leaves_a_schema():
    assert "allOf" not in mutate.without(SCHEMA, ("allOf", 0))
    assert "then" not in mutate.without(SCHEMA, ("if",))


@pytest.mark.parametrize(("pattern", "length"), [
    ("^sha256:[0-9a-f]{64}$", 71), ("^[a-z][a-z0-9_]{0,63}$", 64), (r"^(a|bc\.)$", 4), ("^a{3}$", 3), ("^[A-Za-z][A-Za-z0-9_]*$", sys.maxsize), ("^a{2,}$", sys.maxsize), ("abc", sys.maxsize),
    ("", sys.maxsize),
])
def test_the_longest_text_of_a_pattern(pattern, length):
    assert mutate.longest(pattern) == length


@pytest.fixture(scope="module")
def found():
    return list(mutate.mutants())


def test_each_clause_and_each_member_is_noticed_by_a_case(found):
    """A clause or a word that is new in a schema needs a case: a kind in `build_cases/_kinds.py`, a row in ``configs.txt``, a fault in `_documents.py`."""
    assert [str(one) for one in found if not one.is_noticed and not one.excuse and not one.is_open] == []
    assert len(found) > 11000


def test_what_is_said_to_change_nothing_or_to_be_open_is(found):
    assert [str(one) for one in found if one.is_noticed and (one.excuse or one.is_open)] == []
    assert sum(one.is_open for one in found) == len(mutate.OPEN)
