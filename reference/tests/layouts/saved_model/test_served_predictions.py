"""TensorFlow serves what is written: every example of the conformance suite and every option of the vocabulary's grids, as expected.

Many models are joined into one, so that a few SavedModels hold them all.
"""

import sys
from pathlib import Path

import pytest

from triptych.errors import ConversionError
from triptych.layouts.saved_model import writer
from triptych.layouts.saved_model.graph import graph_of

sys.path.insert(0, str(Path(__file__).parent))  # where serving is

import serving

PARTS = 4


def emitted(examples):
    """Those of `examples` whose layers and operations a graph can be made of."""
    kept = []
    for example in examples:
        try:
            graph_of(example.panels)
        except ConversionError:
            continue
        kept.append(example)
    return kept


@pytest.fixture(scope="module")
def suite():
    return emitted(map(serving.example_of, sorted(serving.CASES.glob("evl-00[16]-*"))))


@pytest.fixture(scope="module")
def grid():
    return emitted(serving.grid_examples())


def judge(folder, some):
    """Have TensorFlow serve `some` examples as one model, and compare."""
    panels = serving.joined(some)
    writer.write(panels, folder / "model")
    served = iter(serving.serve(folder / "model", panels, [array for one in some for array in one.inputs]))
    errors = [(serving.relative_error(next(served), expected), one) for one in some for expected in one.outputs]
    assert {one.title: error for error, one in errors if error > one.tolerance} == {}


@pytest.mark.parametrize("part", range(PARTS))
def test_examples_of_the_suite_are_served_as_it_expects(suite, tmp_path, part):
    """Outputs have the dtype and shape, and within its tolerance the elements, that the suite froze."""
    judge(tmp_path, suite[part::PARTS])


@pytest.mark.parametrize("part", range(PARTS))
def test_extents_need_not_be_known(suite, tmp_path, part):
    """The same predictions, where all that is known of an input is its rank and, if weights ask for it, its last extent."""
    judge(tmp_path, [one for one in map(serving.loosened, suite[part::PARTS]) if one is not None])


@pytest.mark.parametrize("part", range(PARTS))
def test_every_option_is_served_as_the_evaluator_computes_it(grid, tmp_path, part):
    """The options of the vocabulary's own tests, where Keras is the evaluator's judge."""
    judge(tmp_path, grid[part::PARTS])


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_dtypes_are_served_as_the_evaluator_computes_them(suite, tmp_path, dtype):
    """Layers of double precision compute in it; narrow ones on rounded operands, to a rounded result."""
    judge(tmp_path, [serving.in_dtype(one, dtype) for one in suite[::3]])


KEPT_WHOLE = ("gelu", "hardshrink", "thresholdedrelu")
"""Where the evaluator makes whole numbers of whole numbers, and a graph the floating-point numbers that they round."""


def test_whole_numbers_are_computed_with_as_the_evaluator_does(suite, tmp_path):
    """They stay what they are, or become floating-point numbers, as they do there."""
    some = [serving.of_integers(one) for one in suite[::2] if not any(name in one.title for name in KEPT_WHOLE)]
    judge(tmp_path, [one for one in some if one is not None])


def test_no_window_starts_in_the_padding_behind(tmp_path):
    """However much is padded there: chapter 25's count of windows, also where the extent is open."""
    some = [
        serving.of_layer(serving.Layer("x", name, {"pool_size": [2], "strides": [stride], "padding": [[0, behind]], "ceil_mode": True}), [(None, steps, 3)])
        for name in ("MaxPooling1D", "AveragePooling1D")
        for stride, behind, steps in ((2, 2, 4), (2, 3, 5), (3, 4, 7), (1, 2, 3))
    ]
    assert [one.outputs[0].shape[1] for one in some[:4]] == [2, 3, 3, 3]
    for extents, those in (("known", some), ("open", map(serving.loosened, some))):
        (tmp_path / extents).mkdir()
        judge(tmp_path / extents, list(those))
