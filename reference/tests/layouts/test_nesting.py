"""Paths beneath paths, worked out by hand."""

import pytest

from triptych.layouts.nesting import above, leading_to


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/layers/0/sublayers/cell", {"", "/layers", "/layers/0", "/layers/0/sublayers"}),
        ("layers/dense/vars", {"", "layers", "layers/dense"}),
        ("a", {""}),
        ("", set()),
    ],
)
def test_a_path_lies_beneath_every_shorter_one_that_ends_at_a_slash(path, expected):
    assert above(path) == expected


def test_what_leads_to_paths_is_they_and_what_they_lie_beneath():
    assert leading_to(["a/bc/d", "a/b"]) == {"", "a", "a/b", "a/bc", "a/bc/d"}
    assert leading_to([]) == set()
