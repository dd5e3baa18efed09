"""Schemas, vocabulary.json and the specification's tables are what the definitions yield."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from triptych import resources
from triptych.errors import Findings
from triptych.documents import schemas
from triptych.vocabulary import LAYER_TYPES
from triptych.vocabulary.expressions import evaluate
from triptych.vocabulary.generate import files, in_order, vocabulary


def test_generated_files_are_current():
    """Run ``python -m triptych.vocabulary.generate`` when this fails."""
    root = resources.root()
    stale = [path for path, text in files().items() if (root / path).read_text(encoding="utf-8") != text]
    assert stale == []
    found = {path.name for path in (root / "schemas/1.0/layers").iterdir()}
    assert found == {f"{name}.schema.json" for name in LAYER_TYPES}


def test_every_type_stands_in_the_tables():
    """No family is forgotten."""
    assert {found.name for found in in_order()} == set(LAYER_TYPES)


@pytest.mark.parametrize("name", LAYER_TYPES)
def test_a_schema_takes_its_own_defaults(name):
    """A schema is a valid 2020-12 schema, its defaults satisfy it, its members stand in the order of the definition."""
    schema = json.loads(resources.read_text(f"schemas/1.0/layers/{name}.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    found = LAYER_TYPES[name]
    assert schemas.member_order(f"layers/{name}") == tuple(one.name for one in found.fields)
    for one in found.fields:
        if not one.required:
            assert schema["properties"][one.name]["default"] == one.default
            jsonschema.validate(one.default, dict(one.kind.schema))


VALID = {"units": 4, "input_dim": 5, "output_dim": 6, "filters": 4, "groups": 2, "n": 3, "num_heads": 2, "key_dim": 3, "axes": 1, "target_shape": [4], "dims": [2, 1], "height": 4, "width": 5, "block_size": 2, "order": "depth_first", "mode": "edge", "alpha": 0.1, "beta": 0.75, "bias": 1.0, "divide_by_size": True, "equation": "abc,cd->abd", "output_shape": [None, 4], "max_wavelength": 10000.0, "layout": "halves", "bin_boundaries": [0.5, 1.5], "num_tokens": 4, "vocabulary": [7, 5], "sequence_length": 9, "head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, "threshold": 0.5, "value": 0.1, "factor": 0.2, "height_factor": 0.2, "width_factor": 0.2}
"""A value for members that are required and have no obvious one."""


def an_example(found):
    rank = int(re.search(r"([123])D", found.name)[1]) if re.search(r"[123]D", found.name) else 1
    values = {"output_size": [2] * rank, "kernel_size": [2] * rank, "pool_size": [2] * rank, "size": [2] * rank, "padding": [[1, 0]] * rank, "cropping": [[1, 0]] * rank}
    numbers = dict.fromkeys(("rate", "stddev", "momentum", "epsilon", "theta", "mask_value", "scale", "negative_slope"), 0.5)
    activations = dict.fromkeys(("activation", "recurrent_activation"), "tanh")
    if found.name == "LocalResponseNormalization":
        values["size"] = 3
    return {one.name: {**VALID, **values, **numbers, **activations, "reset_after": True}[one.name] for one in found.fields if one.required}


def problems(name, config):
    findings = Findings()
    schemas.check(f"layers/{name}", config, findings)
    return [(one.requirement, one.place) for one in findings.problems]


@pytest.mark.parametrize("name", LAYER_TYPES)
def test_a_config_says_what_it_must_and_nothing_else(name):
    """What is required suffices; each of it is needed; no other member is taken; no member takes an array of an object."""
    found = LAYER_TYPES[name]
    example = an_example(found)
    assert problems(name, example) == []
    for member in example:
        assert problems(name, {key: value for key, value in example.items() if key != member}) == [("LYR-002", "")]
    assert problems(name, {**example, "nonsense": 1}) == [("LYR-002", "/nonsense")]
    for one in found.fields:
        broken = problems(name, {**example, one.name: [{}]})
        assert broken, one.name
        assert all(requirement == "LYR-003" and place.startswith(f"/{one.name}") for requirement, place in broken), broken


@pytest.mark.parametrize(
    ("name", "config", "place"),
    [
        ("Dense", {"units": 0}, "/units"),
        ("Dense", {"units": 2, "activation": "relux"}, "/activation"),
        ("Dense", {"units": 2, "activation": {"config": {}}}, "/activation"),
        ("Dense", {"units": 2, "kernel_initializer": {"type": "Magic"}}, "/kernel_initializer"),
        ("Conv2D", {"filters": 2, "kernel_size": [3]}, "/kernel_size"),
        ("Conv2D", {"filters": 2, "kernel_size": 3}, "/kernel_size"),
        ("Conv2D", {"filters": 2, "kernel_size": [3, 0]}, "/kernel_size/1"),
        ("Conv2D", {"filters": 2, "kernel_size": [3, 3], "padding": "same"}, "/padding"),
        ("Conv2D", {"filters": 2, "kernel_size": [3, 3], "padding": "causal"}, "/padding"),
        ("Conv2D", {"filters": 2, "kernel_size": [3, 3], "padding": [[1, 1]]}, "/padding"),
        ("Dropout", {"rate": 1.5}, "/rate"),
        ("GroupNormalization", {"groups": 0, "epsilon": 0.1}, "/groups"),
        ("Bidirectional", {"merge_mode": None}, "/merge_mode"),
    ],
)
def test_a_value_of_the_wrong_kind(name, config, place):
    """A value outside its kind is a problem at its member."""
    (found,) = problems(name, config)
    assert found[0] == "LYR-003"
    assert found[1].startswith(place)


def test_good_values_of_every_kind():
    """Names of extensions, objects and explicit padding are taken."""
    assert problems("Dense", {"units": 2, "activation": "keras:odd", "kernel_initializer": {"type": "keras:Odd", "config": {"a": [1]}}}) == []
    assert problems("Dense", {"units": 2, "activation": {"type": "LeakyReLU", "config": {"negative_slope": 0.2}}}) == []
    assert problems("Conv2D", {"filters": 2, "kernel_size": [3, 3], "padding": [[0, 1], [2, 3]], "kernel_regularizer": {"type": "L2", "config": {"l2": 0.1}}}) == []


def test_the_data_suffices_to_compute_weights():
    """What vocabulary.json says of Conv2D, with an evaluator, is its kernel's shape."""
    conv = vocabulary()["types"]["Conv2D"]
    names = {one["name"]: one.get("default") for one in conv["config"]} | {"filters": 16, "kernel_size": [3, 5], "groups": 2}
    names |= {"input": (None, 8, 8, 6), "in_channels": 6}
    assert [evaluate(row["shape"], names) for row in conv["weights"]] == [[3, 5, 3, 16], [16]]
