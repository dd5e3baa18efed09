"""What the tests of the suite share: where things are, and how an adapter is run."""

import json
import sys
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import referencing

from triptych_conformance import _cases

TREE = Path(__file__).resolve().parents[2]
SUITE = TREE / "conformance-tests"


@pytest.fixture(scope="session")
def tree():
    return TREE


@pytest.fixture(scope="session")
def suite():
    return _cases.load(SUITE)


@pytest.fixture(scope="session")
def reference_command():
    return [sys.executable, "-m", "triptych.adapter"]


@pytest.fixture(scope="session")
def reference_environment():
    return {"PYTHONPATH": str(TREE / "reference")}


@pytest.fixture(scope="session")
def liar():
    return lambda kind: [sys.executable, str(SUITE / "mutants" / "liar.py"), kind]


@cache
def _validator(name, pointer):
    schemas = [json.loads(path.read_bytes()) for path in (SUITE / "schemas").glob("*.json")]
    registry = referencing.Registry().with_resources((schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas)
    identifier = json.loads((SUITE / "schemas" / name).read_bytes())["$id"]
    return jsonschema.Draft202012Validator({"$ref": f"{identifier}{pointer}"}, registry=registry)


@pytest.fixture(scope="session")
def schema_errors():
    """The messages of the suite's schema `name` (or a part of it) about a value."""
    return lambda name, value, pointer="": [error.message for error in _validator(name, pointer).iter_errors(value)]
