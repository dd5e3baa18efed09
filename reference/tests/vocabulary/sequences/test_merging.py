"""What goes into a merging layer or a wrapper comes out as in Keras, and so do the masks."""

import warnings

import numpy as np
import pytest
from sequence_judges import Case, agree, by_keras, elsewhere, error, keras_of

from triptych.model import Architecture, Call, Input, Layer
from triptych.vocabulary.evaluator import evaluate

A, B, C = (3, 4, 5), (3, 1, 5), (3, 5)
GATED = {"units": 4, "activation": "tanh", "recurrent_activation": "sigmoid"}


def merging():
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        yield Case(Layer("layer", name), (A, A, A))
        yield Case(Layer("layer", name), (A, B))
        yield Case(Layer("layer", name), (C, A))
    yield Case(Layer("layer", "Subtract"), (A, A))
    yield Case(Layer("layer", "Concatenate"), (A, A))
    yield Case(Layer("layer", "Concatenate", {"axis": 1}), (A, B, A))
    for config in ({"axes": 2}, {"axes": [2, 1]}, {"axes": -1, "normalize": True}):
        yield Case(Layer("layer", "Dot", config), (A, (3, 5, 5)))
    yield Case(Layer("layer", "Dot", {"axes": 1, "normalize": True}), (C, C))


def each_step():
    """TimeDistributed."""
    yield Case(Layer("layer", "TimeDistributed", {}, {"layer": Layer("", "Dense", {"units": 3, "activation": "relu"})}), (A,))
    yield Case(Layer("layer", "TimeDistributed", {}, {"layer": Layer("", "Conv1D", {"filters": 2, "kernel_size": [2]})}), ((3, 4, 5, 2),))
    yield Case(Layer("layer", "TimeDistributed", {}, {"layer": Layer("", "LSTM", GATED)}), ((3, 2, 4, 5),))


@pytest.mark.parametrize("generation", ["tf_keras", "keras"])
@pytest.mark.parametrize("grid", [merging, each_step])
def test_agrees_with_keras(generation, grid):
    keras = keras_of(generation)
    for case in grid():
        agree(case, by_keras(keras, case, case.arrays(), list(case.weights().values())), generation)


def test_agrees_with_keras_on_another_backend(tmp_path):
    grid = [*merging(), *each_step()]
    for case, expected in zip(grid, elsewhere(grid, "torch", tmp_path), strict=True):
        agree(case, expected, "keras on torch")


X = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32)
FIRST, SECOND = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [0, 1, 0, 0]], bool), np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]], bool)


@pytest.mark.parametrize(("name", "config"), [("Add", {}), ("Multiply", {}), ("Maximum", {}), ("Minimum", {}), ("Average", {}), ("Concatenate", {}), ("Concatenate", {"axis": 1})])
@pytest.mark.parametrize("masked", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize(("generation", "rule"), [("keras", "any"), ("tf_keras", "all")])
def test_masks_are_merged_as_keras_merges_them(name, config, masked, generation, rule):
    """Seen by an LSTM that follows; each generation by its own rule."""
    keras = keras_of(generation)
    if generation == "tf_keras" and config and not all(masked):
        masked = (True, True)  # Keras 2 joins no steps of which some have no mask
    given = [np.where(mask[..., None] | (not on), X * scale, 0).astype(np.float32) for mask, on, scale in zip((FIRST, SECOND), masked, (1, 2), strict=True)]
    case = Case(Layer("layer", "LSTM", GATED), ((3, 8 if config else 4, 10 if name == "Concatenate" and not config else 5),))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = [keras.Input((4, 5)) for _ in range(2)]
        values = [keras.layers.Masking()(one) if on else one for one, on in zip(inputs, masked, strict=True)]
        last = keras.layers.LSTM(4)
        model = keras.Model(inputs, last(getattr(keras.layers, name)(**config)(values)))
        last.set_weights(list(case.weights().values()))
        expected = np.asarray(model(given))
    names = [f"m{i}" if on else f"x{i}" for i, on in enumerate(masked)]
    layers = (Layer("m0", "Masking", {"mask_value": 0.0}), Layer("m1", "Masking", {"mask_value": 0.0}), Layer("merge", name, {**config, "masks": rule}), case.layer)
    calls = (Call("m0", ("x0",)), Call("m1", ("x1",)), Call("merge", tuple(names)), Call("layer", ("merge",)))
    architecture = Architecture(layers, (Input("x0", (None, 4, 5)), Input("x1", (None, 4, 5))), calls, ("layer",))
    assert error(evaluate(architecture, case.weights(), given).outputs[0], expected) <= 1e-5
