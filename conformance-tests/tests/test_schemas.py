"""Every keyword in every schema is one that JSON Schema 2020-12 acts on."""

import json
from pathlib import Path

import jsonschema
import pytest

TREE = Path(__file__).resolve().parents[2]
META = TREE / "schemas" / "meta.schema.json"
FILES = sorted(path for folder in ("schemas", "conformance-tests/schemas") for path in (TREE / folder).rglob("*.schema.json") if path != META)


@pytest.fixture(scope="module")
def meta():
    return jsonschema.Draft202012Validator(json.loads(META.read_bytes()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(TREE).as_posix())
def test_a_schema_uses_only_keywords_that_act(meta, path):
    schema = json.loads(path.read_bytes())
    assert [error.message for error in meta.iter_errors(schema)] == []
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_identifiers_of_schemas_are_unique():
    names = [json.loads(path.read_bytes())["$id"] for path in FILES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("broken", [
    {"properties": {"authors": {"type": "array", "item": {"type": "object"}}}},
    {"dependencies": {"offset": ["view"]}},
    {"$defs": {"a": {"anyOf": [{"requierd": ["x"]}]}}},
    {"definitions": {}},
])
def test_the_meta_schema_finds_keywords_that_do_nothing(meta, broken):
    assert list(meta.iter_errors(broken))
