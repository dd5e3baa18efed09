"""TensorFlow serves what is written: each example of the conformance suite, with all extents known and with as few as weights allow."""

import sys
from pathlib import Path

import pytest

from triptych.errors import ConversionError
from triptych.layouts.saved_model import writer
from triptych.layouts.saved_model.graph import graph_of

sys.path.insert(0, str(Path(__file__).parent))  # where serving is

import serving


def examples():
    """Every example whose layers and operations a graph can be made of."""
    for case in sorted(serving.CASES.glob("evl-00[16]-*")):
        example = serving.example_of(case)
        try:
            graph_of(example.panels)
        except ConversionError:
            continue
        yield example


@pytest.fixture(scope="module")
def known():
    return list(examples())


def judge(folder, some):
    """Have TensorFlow serve `some` examples as one model, and compare."""
    panels = serving.joined(some)
    writer.write(panels, folder / "model")
    served = iter(serving.serve(folder / "model", panels, [array for one in some for array in one.inputs]))
    worst = {}
    for one in some:
        for expected in one.outputs:
            error = serving.relative_error(next(served), expected)
            if error > one.tolerance:
                worst[one.title] = error
    assert worst == {}


PARTS = 6


@pytest.mark.parametrize("part", range(PARTS))
def test_examples_are_served_as_expected(known, tmp_path, part):
    """Outputs have the dtype and shape, and within the tolerance of the suite the elements, that the specification gives them."""
    judge(tmp_path, known[part::PARTS])


@pytest.mark.parametrize("part", range(PARTS))
def test_extents_need_not_be_known(known, tmp_path, part):
    """The same predictions, where all that is known of an input is its rank and, if weights ask for it, its last extent."""
    judge(tmp_path, [one for one in map(serving.loosened, known[part::PARTS]) if one is not None])
