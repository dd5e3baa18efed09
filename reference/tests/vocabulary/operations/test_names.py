"""Names of extents: read, written, handed on through layers and operations, checked when a model is used."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.documents.architecture import architecture_to_data, parse_architecture
from triptych.errors import Findings, UsageError
from triptych.vocabulary import infer
from triptych.vocabulary.evaluator import evaluate
from triptych.vocabulary.summary import render, summarize

LSTM = {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": True}


def parsed(layers, calls, outputs, **inputs):
    data = {"format_version": "1.0", "inputs": [{"name": name, "shape": shape} for name, shape in inputs.items()], "layers": layers, "calls": calls, "outputs": outputs}
    architecture = parse_architecture(data, Findings())
    assert architecture_to_data(architecture) == data
    return architecture


def through(layer, shape):
    """What one layer makes of an input of `shape`."""
    found = infer(parsed([{"name": "a", **layer}], [{"layer": "a", "inputs": ["x"]}], ["a"], x=shape))
    assert found.problems == ()
    return found.named_outputs[0]


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        ({"type": "Dense", "config": {"units": 3}}, ["batch", "time", 4], ("batch", "time", 3)),
        ({"type": "LSTM", "config": LSTM}, ["batch", "time", 4], ("batch", "time", 3)),
        ({"type": "Conv1D", "config": {"filters": 2, "kernel_size": [3]}}, ["batch", "time", 4], ("batch", None, 2)),
        ({"type": "Conv1D", "config": {"filters": 2, "kernel_size": [3], "padding": "same_upper"}}, ["batch", "time", 4], ("batch", "time", 2)),
        ({"type": "Conv2D", "config": {"filters": 2, "kernel_size": [3, 3], "padding": "same_upper", "strides": [2, 1]}}, [None, "h", "w", 4], (None, None, "w", 2)),
        ({"type": "Flatten"}, ["batch", "time", 4], ("batch", None)),
        ({"type": "Reshape", "config": {"target_shape": [-1, 2]}}, ["batch", 6, 4], ("batch", 12, 2)),
        ({"type": "Permute", "config": {"dims": [2, 1]}}, ["batch", "time", 4], ("batch", 4, "time")),
        ({"type": "UpSampling1D", "config": {"size": [2]}}, ["batch", "time", 4], ("batch", None, 4)),
        ({"type": "TimeDistributed", "sublayers": {"layer": {"type": "Dense", "config": {"units": 3}}}}, ["batch", "time", 4], ("batch", "time", 3)),
        ({"type": "Model", "architecture": {"layers": [{"name": "d", "type": "Dense", "config": {"units": 3}}]}}, ["batch", "time", 4], ("batch", "time", 3)),
    ],
)
def test_a_layer_hands_names_on(layer, shape, expected):
    """Only where the extent stays the same."""
    assert through(layer, shape) == expected


def test_names_meet():
    """A name beside null and beside itself; the sum of lengths has no name; numbers are as before."""
    architecture = parsed(
        [{"name": "join", "type": "Concatenate", "config": {"axis": 1}}],
        [
            {"op": "add", "inputs": ["x", "y"], "outputs": ["sum"]},
            {"layer": "join", "inputs": ["sum", "x"]},
            {"op": "einsum", "config": {"equation": "bij,bkj->bik"}, "inputs": ["x", "z"], "outputs": ["scores"]},
        ],
        ["sum", "join", "scores"], x=["b", "n", 4], y=[None, "n", 4], z=["b", "m", 4],
    )
    found = infer(architecture)
    assert found.outputs == ((None, None, 4), (None, None, 4), (None, None, None))
    assert found.named_outputs == (("b", "n", 4), ("b", None, 4), ("b", "n", "m"))
    assert found.named_values["x"] == ("b", "n", 4)
    assert "(b, n, m)" in render(summarize(architecture), 100)


def test_without_names_nothing_is_named():
    """And nothing is worked out twice."""
    found = infer(parsed([], [{"op": "exp", "inputs": ["x"], "outputs": ["y"]}], ["y"], x=[None, 4]))
    assert (found.named_outputs, found.named_values, found.named_calls) == ((), {}, {})


def test_an_evaluation_holds_names_to_one_extent():
    """Two lengths for one name are refused."""
    architecture = parsed([], [{"op": "matmul", "inputs": ["x", "y"], "outputs": ["z"]}], ["z"], x=["n", "m"], y=["m", "n"])
    evaluate(architecture, {}, [np.ones((2, 3), "float32"), np.ones((3, 2), "float32")])
    with pytest.raises(UsageError, match="one extent for n"):
        evaluate(architecture, {}, [np.ones((2, 3), "float32"), np.ones((3, 4), "float32")])
