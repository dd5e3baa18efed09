"""Whether stored tensors are what the architecture needs."""

from __future__ import annotations

import pytest

from triptych.checks import check_panels
from triptych.errors import Findings
from triptych.model import Architecture, Input, Layer, Panels, Tensor, WeightReference, Weights

DENSE = Layer("dense_1", "Dense", {"units": 64})


def tensor(*shape, dtype="float32"):
    def read():
        raise AssertionError("a check reads no tensor")

    return Tensor(dtype, shape, read)


FITTING = {"dense_1.kernel": tensor(3, 64), "dense_1.bias": tensor(64)}


def problems(tensors, *layers):
    architecture = Architecture(layers=layers or (DENSE,), inputs=(Input("x", (None, 3)),))
    findings = Findings()
    check_panels(Panels(architecture=architecture, weights=Weights(tensors)), findings, {"architecture": "a.json", "weights": "w"})
    return [(one.requirement, one.place) for one in findings.problems], [one.message for one in findings.problems]


def test_weights_that_fit():
    """Nothing is said of the right tensors, whatever precision they are stored in."""
    assert problems(FITTING) == ([], [])
    assert problems({**FITTING, "dense_1.bias": tensor(64, dtype="bfloat16")}) == ([], [])


def test_somebody_edited_units():
    """Every weight that no longer fits is named with what is expected and what is there."""
    found, messages = problems(FITTING, Layer("dense_1", "Dense", {"units": 128}))
    assert found == [("LYR-012", "w#/dense_1.kernel"), ("LYR-012", "w#/dense_1.bias")]
    assert messages == [
        "expected 'dense_1.kernel', the kernel of layer 'dense_1' (Dense), to have shape (3, 128), got (3, 64)",
        "expected 'dense_1.bias', the bias of layer 'dense_1' (Dense), to have shape (128), got (64)",
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"dense_1.bias": None}, ("LYR-011", "w#")),
        ({"dense_1.kernel": tensor(64, 3)}, ("LYR-012", "w#/dense_1.kernel")),
        ({"dense_1.kernel": tensor(192)}, ("LYR-012", "w#/dense_1.kernel")),
        ({"dense_1.bias": tensor(64, dtype="int32")}, ("LYR-013", "w#/dense_1.bias")),
        ({"stray": tensor(1)}, ("LYR-014", "w#/stray")),
    ],
)
def test_one_tensor_that_does_not_fit(change, expected):
    """Missing, misshapen, of another kind, or nobody's."""
    tensors = {name: value for name, value in {**FITTING, **change}.items() if value is not None}
    assert problems(tensors)[0] == [expected]


def test_stored_axes():
    """A transposed matrix fits if the layer says so; axes that miss one do not."""
    layer = Layer("dense_1", "Dense", {"units": 64}, weights={"kernel": WeightReference("fc.weight", (1, 0)), "bias": WeightReference("fc.bias")})
    assert problems({"fc.weight": tensor(64, 3), "fc.bias": tensor(64)}, layer) == ([], [])
    assert problems({"fc.weight": tensor(3, 64), "fc.bias": tensor(64)}, layer)[0] == [("LYR-012", "w#/fc.weight")]
    short = Layer("dense_1", "Dense", {"units": 64}, weights={"kernel": WeightReference("fc.weight", (0,)), "bias": WeightReference("fc.bias")})
    assert problems({"fc.weight": tensor(3, 64), "fc.bias": tensor(64)}, short)[0] == [("LYR-015", "w#/fc.weight")]


def test_extension_types_own_what_they_list():
    """Their tensors are expected, of any shape and dtype."""
    odd = Layer("odd", "keras:Odd", weights={"table": WeightReference("odd.table")})
    assert problems({"odd.table": tensor(9, dtype="int64")}, odd) == ([], [])
    assert problems({}, odd)[0] == [("LYR-011", "w#")]
