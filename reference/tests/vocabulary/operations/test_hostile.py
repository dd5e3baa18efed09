"""Configs and shapes that pass the schemas and make no sense: a ShapeError or a shape, and where numpy agrees, the same."""

from __future__ import annotations

import random

import numpy as np
import pytest

from triptych.errors import Findings, UsageError
from triptych.documents import schemas
from triptych.documents.scalars import spell
from triptych.vocabulary.inference import operate
from triptych.vocabulary.operations import OPERATIONS
from triptych.vocabulary.operations.computing import compute

VALUES = [
    None, True, False, 0, 1, -1, 2, 3, 0.5, -2.5, float("inf"), [], [0], [1], [-1], [0, 1], [1, 0], [0, 2, 1], [2, 1], [-1, -1], [2, 2], [None, -1], [3, None, 4], [12],
    [[0, 0], [1, 1], [0, 2]], [[1, 1]], ["rest", 0], ["new", [None, None, -1]], [0, "rest", [1, 2, 0]], [[0, 9, 2]], ["rest", "rest"], "lower", "upper", "reflect",
    "symmetric", "edge", "constant", "norm", "square", "int32", "bool", "float32", "ij,jk->ik", "...i->...", "ii->i", "ij->ji", "->", ",->", "i...j->j...i", 31, -32, 2**53,
]
SHAPES = [(), (3,), (0,), (2, 3), (3, 2), (1, 3), (2, 3, 4), (2, 1, 4), (2, 0, 3)]


def configs(found, dice, tries):
    """Random configs that pass the schema."""
    for _ in range(tries):
        config = {one.name: dice.choice(VALUES) for one in found.fields if one.required or dice.random() < 0.6}
        findings = Findings()
        schemas.check(f"operations/{found.name}", spell(config), findings)
        if not findings.problems:
            yield config


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_makes_no_sense_is_said_and_what_makes_sense_is_right(name):
    """The rule never fails otherwise; the formula yields the shape that the rule says; unknown extents never contradict."""
    found, dice = OPERATIONS[name], random.Random(name)
    least, most = found.inputs
    for config in configs(found, dice, 300):
        for _ in range(4):
            shapes = tuple(dice.choice(SHAPES) for _ in range(dice.randint(0, (most or 3) + 1)))
            outputs, misfits = operate(name, config, shapes, "")
            assert (outputs is None) == bool(misfits)
            unknown, _ = operate(name, config, tuple(tuple(None if dice.random() < 0.5 else extent for extent in shape) for shape in shapes), "")
            operate(name, config, tuple(None if dice.random() < 0.5 else shape for shape in shapes), "")
            if outputs is None:
                continue
            if unknown is not None:
                assert len(unknown) == len(outputs)
                for one, other in zip(unknown, outputs, strict=True):
                    assert len(one) == len(other)
                    assert all(a is None or a == b for a, b in zip(one, other, strict=True)), (config, shapes)
            if sum(int(np.prod([extent or 0 for extent in shape], dtype=object)) for shape in outputs) > 100_000:
                continue
            arrays = [np.ones(shape, "float32") for shape in shapes]
            if name in {"gather", "take_along_axis"}:
                arrays = [*arrays[:1], *(np.zeros(shape, "int32") for shape in shapes[1:])]
            try:
                made = compute(name, config, arrays)
            except UsageError:
                # Nothing to find in no element: only values tell.
                assert any(0 in shape for shape in (*shapes, *outputs)) or name in {"power"}, (config, shapes)
                continue
            assert [one.shape for one in made] == list(outputs), (config, shapes)
