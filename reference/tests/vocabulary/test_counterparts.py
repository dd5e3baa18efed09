"""The names that definitions give for other frameworks exist there."""

import importlib

import pytest

from triptych.vocabulary import LAYER_TYPES
from triptych.vocabulary.counterparts import JAX, LAYER_COUNTERPARTS, OPERATION_COUNTERPARTS
from triptych.vocabulary.operations import OPERATIONS

ENOUGH = {"flax": 70, "onnx": 80}
"""How many types have a counterpart at least: one that is lost is seen."""


def found(path):
    """What stands at a dotted path."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_every_row_is_of_a_type_or_operation():
    """A table that names what the vocabulary has not is out of date."""
    assert all(name in LAYER_TYPES for table in LAYER_COUNTERPARTS.values() for name in table)
    assert all(name in OPERATIONS for table in OPERATION_COUNTERPARTS.values() for name in table)


@pytest.mark.parametrize("path", sorted({*LAYER_COUNTERPARTS["flax"].values(), *JAX.values()}))
def test_flax_and_jax_have_what_is_named(path):
    """Each name of Flax and JAX can be called there."""
    assert callable(found(path))


@pytest.mark.parametrize("path", sorted({one.equivalents["torch"] for one in OPERATIONS.values() if "torch" in one.equivalents}))
def test_pytorch_has_the_operations_that_are_named(path):
    """Each name of PyTorch can be called there."""
    owner, _, name = path.rpartition(".")
    home = found(owner) if owner == "torch.Tensor" else importlib.import_module(owner)
    assert callable(getattr(home, name))


@pytest.mark.parametrize("framework", ["flax", "onnx"])
def test_most_types_have_a_counterpart(framework):
    """The tables cover what people use."""
    assert sum(framework in one.equivalents for one in LAYER_TYPES.values()) >= ENOUGH[framework]


def test_definitions_carry_all_four_frameworks():
    """One place says what a type is called elsewhere."""
    assert LAYER_TYPES["Conv2D"].equivalents == {"keras": "Conv2D", "torch": "torch.nn.Conv2d", "flax": "flax.linen.Conv", "onnx": "Conv"}
    assert OPERATIONS["sum"].equivalents == {"keras": "ops.sum", "torch": "torch.sum", "jax": "jax.numpy.sum", "onnx": "ReduceSum"}
