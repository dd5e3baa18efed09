"""The definitions of the training vocabulary, their schemas, their equations and their data agree."""

import json
import re
import subprocess
import sys

import jsonschema
import pytest

from triptych import resources
from triptych.documents import schemas
from triptych.errors import Findings
from triptych.vocabulary import kinds
from triptych.vocabulary.expressions import evaluate
from triptych.vocabulary.generate import vocabulary
from triptych.vocabulary.training import FAMILIES, TYPES
from triptych.vocabulary.training.kinds import SCHEDULES

ALL = [(family, name) for family in FAMILIES for name in TYPES[family]]
REQUIREMENTS = {**dict.fromkeys(("optimizers", "losses", "metrics"), ("TRN-012", "TRN-013"))}
EXAMPLES = {"boundaries": [3], "values": [0.1, 0.01], "decay_steps": 5, "first_decay_steps": 5, "step_size": 5, "total_steps": 5, "warmup_steps": 3, "patience": 2, "num_classes": 3, "learning_rate_power": -0.5,
            "from_logits": True, "anneal": "cosine", "three_phase": True, "threshold_mode": "relative", "weight_decay": None}  # fmt: skip


def an_example(kind):
    return {one.name: EXAMPLES.get(one.name, 0.5) for one in kind.fields if one.required}


def problems(family, name, config):
    findings = Findings()
    schemas.check(f"{family}/{name}", config, findings)
    return [(one.requirement, one.place) for one in findings.problems]


def test_the_issue_names_no_type_that_is_missing():
    wanted = {"SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Adamax", "Nadam", "Ftrl", "Lion", "Adafactor", "Lamb"}
    assert wanted == set(TYPES["optimizers"])
    assert tuple(TYPES["schedules"]) == SCHEDULES
    for family, names in (("initializers", kinds.INITIALIZERS), ("regularizers", kinds.REGULARIZERS), ("constraints", kinds.CONSTRAINTS)):
        assert set(names) == set(TYPES[family])


@pytest.mark.parametrize(("family", "name"), ALL)
def test_a_schema_takes_what_is_required_and_its_own_defaults(family, name):
    kind = TYPES[family][name]
    schema = json.loads(resources.read_text(f"schemas/1.0/{family}/{name}.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schemas.member_order(f"{family}/{name}") == tuple(one.name for one in kind.fields)
    whole, value = REQUIREMENTS.get(family, ("TRN-014", "TRN-015"))
    example = an_example(kind)
    assert problems(family, name, example) == []
    assert problems(family, name, kind.resolve(example)) == []
    for member in example:
        assert problems(family, name, {key: item for key, item in example.items() if key != member}) == [(whole, "")]
    assert problems(family, name, {**example, "nonsense": 1}) == [(whole, "/nonsense")]
    for one in kind.fields:
        broken = problems(family, name, {**example, one.name: [{}]})
        assert broken, one.name
        assert all(requirement == value and place.startswith(f"/{one.name}") for requirement, place in broken), broken


OUTSIDE = {
    *("name", "dtype", "seed", "reduction", "class_weights", "monitor", "unit", "num_labels", "num_regressors", "label_weights", "multi_label"),
    *("thresholds", "threshold", "top_k", "class_id", "from_logits", "class_aggregation", "average", "sparse_y_true", "sparse_y_pred", "axis", "num_classes"),
    *("ignore_class", "mode", "factor", "staircase", "initial_learning_rate", "curve", "summation_method", "input_axes", "output_axes", "initial_accumulator_value", "num_thresholds"),
}
"""Members whose meaning the text of their table says, or chapter 50."""


@pytest.mark.parametrize(("family", "name"), ALL)
def test_an_equation_names_every_member_that_it_depends_on(family, name):
    kind = TYPES[family][name]
    shared = {one.name for one in TYPES[family]["SGD"].fields if all(one.name in {f.name for f in other.fields} for other in TYPES[family].values())} if family == "optimizers" else set()
    if family == "metrics" and name in TYPES["losses"]:
        return
    words = set(re.findall(r"[a-z][a-z0-9_]*", kind.equation))
    unnamed = {one.name for one in kind.fields} - words - OUTSIDE - shared - {"learning_rate", "nesterov", "weight_decay"}
    assert not unnamed, (kind.equation, unnamed)
    assert kind.doc.endswith(".")


@pytest.mark.parametrize("name", TYPES["optimizers"])
def test_slots_have_shapes_and_conditions_in_the_language_of_expressions(name):
    kind = TYPES["optimizers"][name]
    config = kind.resolve(an_example(kind))
    for slot in kind.slots:
        assert evaluate(slot.shape, {**config, "weight": [3, 4, 5]}) in ([3, 4, 5], [3, 4], [3, 5], [])
        assert slot.when is None or evaluate(slot.when, config) in (True, False, None)
        assert slot.initial in config or slot.initial == "weight" or float(slot.initial) >= 0


def test_the_data_hold_every_type():
    data = vocabulary()["training"]
    assert [(family, name) for family, types in data.items() for name in types] == ALL
    chapter = resources.read_text("spec/51-training-types.md")
    for family, name in ALL:
        assert f"\n### {name}\n" in chapter
        assert data[family][name]["equation"]


def test_definitions_are_read_without_numpy():
    code = "import sys, triptych.vocabulary.training as t; assert t.TYPES['optimizers']; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
