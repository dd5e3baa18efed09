"""Whatever a converter may usually get wrong in reading, exactly the cases notice that it concerns, in every layout that has such a thing."""

import mutate_converters
import pytest
from mutate_converters import MISTAKES, Mistake, faults, tried


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return mutate_converters.Bench(tmp_path_factory.mktemp("converters"), None)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.name)
def test_exactly_the_cases_that_a_mistake_in_reading_concerns_notice_it(mistake, bench):
    assert list(faults(mistake, tried(bench, mistake, "import"), "import")) == []


def test_a_mistake_that_no_case_notices_is_named(bench):
    none = Mistake("nothing", lambda panels: panels, {"numpy"}, set())
    assert list(faults(none, tried(bench, none, "import"), "import")) == ["nothing: nothing notices it in numpy"]
