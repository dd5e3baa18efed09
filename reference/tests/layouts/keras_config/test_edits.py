"""Edits lead from what is generated to what there was, and give way where somebody changed the generated value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.layouts.keras_config.edits import apply, difference, same

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["", "a", "a/b", "~"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["", "a", "a/b", "~0", "class_name"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES, VALUES)
def test_edits_of_a_difference_lead_to_the_original(generated, original):
    result, failed = apply(generated, difference(generated, original))
    assert same(result, original)
    assert failed == []


@given(VALUES)
def test_equal_values_have_no_difference(value):
    assert difference(value, value) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), (0, False), (0.0, -0.0), (None, False), ("1", 1), ([1], [1.0]), ({"a": 1}, {"a": 1, "b": None})],
)
def test_values_of_different_json_are_not_the_same(one, other):
    assert not same(one, other)


def test_nan_is_one_value():
    assert same({"a": [math.nan]}, {"a": [math.nan]})


def test_an_edit_holds_only_where_the_generated_value_is_what_it_was():
    edits = difference({"units": 64, "seed": None}, {"units": 65, "seed": None, "x": 1})
    assert apply({"units": 128, "seed": None}, edits) == ({"units": 128, "seed": None, "x": 1}, ["/units"])


@pytest.mark.parametrize(
    "edits",
    [
        None,
        3,
        "text",
        [3],
        [{}],
        [{"at": 3}],
        [{"at": "/a/b/c", "to": 1}],
        [{"at": "", "to": 1}],
        [{"at": "/l/9", "from": 1, "to": 2}],
    ],
)
def test_edits_that_make_no_sense_change_nothing(edits):
    value = {"a": 1, "l": [1]}
    assert apply(value, edits)[0] == value


def test_an_edit_does_not_share_containers_with_what_it_came_from():
    original = {"a": [1]}
    edits = difference({}, original)
    result, _ = apply({}, edits)
    result["a"].append(2)
    assert original == {"a": [1]}
    assert apply({}, edits)[0] == {"a": [1]}
