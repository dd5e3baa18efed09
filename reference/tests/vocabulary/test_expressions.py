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


@pytest.mark.parametrize(
    ("equation", "given", "target", "bias_axes", "kernel", "bias"),
    [
        ("abc,cd->abd", (None, 3, 4), [None, 5], "d", [4, 5], [5]),
        ("...x,xy->...y", (None, 3, 2, 4), [7], "y", [4, 7], [7]),
        ("ab...,bc->ac...", (None, 3, 5, 2), [6], "c", [3, 6], [6, 1, 1]),
        ("abcd,cde->abe", (None, 3, 2, 4), [3, 6], "be", [2, 4, 6], [3, 6]),
        ("abc,cde->abde", (None, None, 4), [None, 2, 5], "e", [4, 2, 5], [5]),
        ("abc,cde->abde", (None, None, None), [None, 2, 5], "de", [None, 2, 5], [2, 5]),
    ],
)
def test_what_an_equation_implies(equation, given, target, bias_axes, kernel, bias):
    """Kernel and bias of an einsum."""
    names = {"equation": equation, "input": given, "output_shape": target, "bias_axes": bias_axes}
    assert evaluate("einsum_kernel(equation, input, output_shape)", names) == kernel
    assert evaluate("einsum_bias(equation, input, output_shape, bias_axes)", names) == bias


@pytest.mark.parametrize(
    ("equation", "given", "target", "bias_axes"),
    [
        ("abc,cd->abd", (None, 4), [None, 5], "d"),
        ("abc,cd->abd", (None, 3, 2, 4), [None, 5], "d"),
        ("abc,cd->abd", (None, 3, 4), [5], "d"),
        ("abc,cd->abd", (None, 3, 4), [2, 5], "d"),
        ("abc,ce->abd", (None, 3, 4), [None, 5], "d"),
        ("abc,cd->abd", (None, 3, 4), [None, 5], "x"),
        ("...x,xy->...y", (None, 4), [3, 7], "y"),
    ],
)
def test_an_equation_that_does_not_fit(equation, given, target, bias_axes):
    """Ranks, extents and letters that do not go together."""
    names = {"equation": equation, "input": given, "output_shape": target, "bias_axes": bias_axes}
    with pytest.raises(ShapeError):
        evaluate("einsum_bias(equation, input, output_shape, bias_axes)", names)
