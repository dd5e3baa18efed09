"""The language of shapes: what it evaluates, what stays unknown, and what it is not."""

from __future__ import annotations

import pytest

from triptych.vocabulary.expressions import ShapeError, evaluate

NAMES = {"input": (None, 7, 5), "units": 4, "sizes": [2, 3], "axis": -1, "axes": [1, 2], "nothing": None, "yes": True, "no": False, "mode": "dot"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("units", 4),
        ("[input[-1], units]", [5, 4]),
        ("[*sizes, input[axis] // 2, 3 * units]", [2, 3, 2, 12]),
        ("[*input[:-1], units + 1 - 2]", [None, 7, 3]),
        ("[*input[axes]]", [7, 5]),
        ("[*input[axis]]", [5]),
        ("input[0] * 2", None),
        ("[input[0], 2 * (units + 1)]", [None, 10]),
        ("[*nothing, 1]", None),
        ("nothing[1]", None),
        ("nothing or units", 4),
        ("sizes or units", [2, 3]),
        ("[*(nothing or input[-1:])]", [5]),
        ("one_at(input, axes)[1:]", [1, 1]),
        ("one_at(input, [1])", [None, 1, 5]),
        ("one_at(input, nothing)", [None, 7, 5]),
        ("one_at(nothing, axes)", None),
        ("yes and not no", True),
        ("yes and no", False),
        ('mode == "dot"', True),
        ("[]", []),
        ("-units", -4),
    ],
)
def test_an_expression_has_a_value(expression, expected):
    """Arithmetic is exact, an unknown operand makes the result unknown, a star spreads a list."""
    assert evaluate(expression, NAMES) == expected


@pytest.mark.parametrize("expression", ["input[3]", "input[-4]", "one_at(input, [3])", "one_at(input, [-4])"])
def test_an_axis_that_is_not_there(expression):
    """An index outside a shape is a fault of the input."""
    with pytest.raises(ShapeError, match="expected an input with an axis"):
        evaluate(expression, NAMES)


@pytest.mark.parametrize(
    "expression", ["__import__('os')", "input.__class__", "units ** 9", "units / 2", "other", "[x for x in input]", "lambda: 1", "1.5", "input[::2]", "units < 3", "print(units)"]
)
def test_nothing_else_is_evaluated(expression):
    """Calls, attributes, other operators and unknown names are not of the language."""
    with pytest.raises(ValueError, match="not of the expression language"):
        evaluate(expression, NAMES)
