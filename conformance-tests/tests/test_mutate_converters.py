"""Whatever a converter may usually get wrong, cases notice in every layout in which it can be made: in reading exactly those that it concerns, in writing one at least."""

import dataclasses

import mutate_converters
import pytest
from mutate_converters import ALL, CANNOT, MISTAKES, Mistake, faults, tried

from triptych_conformance import _inspect


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with _inspect.Inspectors() as inspectors:
        yield mutate_converters.Bench(tmp_path_factory.mktemp("converters"), inspectors)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.name)
def test_exactly_the_cases_that_a_mistake_in_reading_concerns_notice_it(mistake, bench):
    assert list(faults(mistake, tried(bench, mistake, "import"), "import")) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.name)
def test_a_mistake_in_writing_is_noticed_in_every_layout(mistake, bench):
    assert list(faults(mistake, tried(bench, mistake, "export", first=True), "export")) == []


def test_a_mistake_that_no_case_notices_is_named(bench):
    none = Mistake("nothing", lambda panels: panels, {"numpy"})
    assert list(faults(none, tried(bench, none, "import"), "import")) == ["nothing: nothing notices it in numpy"]


def test_where_a_mistake_cannot_be_made_is_said_of_mistakes_and_layouts_that_there_are():
    for mistakes, ops, layouts, why in CANNOT:
        assert any(set(layouts) & one.places and layouts <= one.reasons(op).keys() for one in MISTAKES for op in ops), (mistakes, why)
    assert {case.profile for case in mutate_converters.converter_cases()} == ALL


def test_a_reason_that_is_none_is_named(bench):
    """Padding of a model beside its weights can be read wrongly, whatever the layout."""
    mistake = next(one for one in MISTAKES if one.name.startswith("padding"))
    said = dataclasses.replace(mistake, name="slots, as it were", places=frozenset({"numpy"}))
    assert list(faults(said, tried(bench, said, "import"), "import")) == ["slots, as it were: noticed in numpy, although it has no place for a training"]
