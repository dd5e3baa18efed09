"""Activation layers compute what Keras and torch compute, at and around every bend."""

import numpy as np
import pytest
from sequence_judges import error, keras_of, record

from triptych.model import Architecture, Input, Layer
from triptych.vocabulary.evaluator import evaluate

X = np.concatenate([np.linspace(-90, 90, 61), np.linspace(-4, 4, 81), [-0.0, 0.5, 1.0, 3.0, 6.0, -1.0, -3.0, 20.0]]).astype(np.float32).reshape(3, -1)


def ours(name, config, x=X, weights=None, dtype=None):
    architecture = Architecture((Layer("layer", name, config),), (Input("x", (None, *x.shape[1:])),))
    return evaluate(architecture, weights or {}, [x], dtype=dtype).outputs[0]


TORCH = [
    ("GLU", {}, "GLU", {}),
    ("GLU", {"axis": 1}, "GLU", {"dim": 1}),
    ("CELU", {"alpha": 0.7}, "CELU", {"alpha": 0.7}),
    ("ELU", {"alpha": 1.3}, "ELU", {"alpha": 1.3}),
    ("HardTanh", {}, "Hardtanh", {}),
    ("HardTanh", {"min_value": -2.0, "max_value": 0.5}, "Hardtanh", {"min_val": -2.0, "max_val": 0.5}),
    ("HardShrink", {"threshold": 0.5}, "Hardshrink", {}),
    ("SoftShrink", {"threshold": 0.5}, "Softshrink", {}),
    ("Threshold", {"threshold": 0.1, "value": 20.0}, "Threshold", {"threshold": 0.1, "value": 20.0}),
    ("ThresholdedReLU", {"theta": 1.0}, "Threshold", {"threshold": 1.0, "value": 0.0}),
    ("Softplus", {"threshold": 20.0}, "Softplus", {}),
    ("Softplus", {"beta": 2.0, "threshold": 1.0}, "Softplus", {"beta": 2.0, "threshold": 1.0}),
    ("LeakyReLU", {"negative_slope": 0.01}, "LeakyReLU", {}),
    ("ReLU", {"max_value": 6.0}, "ReLU6", {}),
    ("Softmax", {"axis": 1}, "Softmax", {"dim": 1}),
    *(
        ("Activation", {"activation": ours}, theirs, more)
        for ours, theirs, more in (
            ("gelu", "GELU", {}), ("gelu_tanh", "GELU", {"approximate": "tanh"}), ("silu", "SiLU", {}), ("mish", "Mish", {}),
            ("hard_silu", "Hardswish", {}), ("hard_sigmoid", "Hardsigmoid", {}), ("softsign", "Softsign", {}), ("selu", "SELU", {}),
            ("log_sigmoid", "LogSigmoid", {}), ("tanh_shrink", "Tanhshrink", {}), ("hard_shrink", "Hardshrink", {}), ("soft_shrink", "Softshrink", {}),
            ("hard_tanh", "Hardtanh", {}), ("log_softmax", "LogSoftmax", {"dim": -1}), ("softmax", "Softmax", {"dim": -1}), ("tanh", "Tanh", {}),
            ("sigmoid", "Sigmoid", {}), ("relu6", "ReLU6", {}),
        )
    ),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "config", "theirs", "arguments"), TORCH)
def test_agrees_with_torch(name, config, theirs, arguments, dtype):
    import torch

    x = X.reshape(3, 10, 5).astype(dtype)[:, :, :4] if name == "GLU" else X.astype(dtype)
    with torch.no_grad():
        expected = getattr(torch.nn, theirs)(**arguments)(torch.from_numpy(x)).numpy()
    got = ours(name, config, x, dtype=dtype)
    worst = error(got, expected)
    record(name, "torch", f"{config} {dtype}", worst)
    assert got.dtype == expected.dtype
    assert worst <= (1e-5 if dtype == "float32" else 1e-14)


NAMES = (
    *("linear", "relu", "relu6", "sigmoid", "tanh", "softmax", "log_softmax", "softplus", "softsign", "elu", "selu", "gelu", "silu", "mish"),
    *("leaky_relu", "hard_sigmoid", "hard_silu", "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "log_sigmoid", "squareplus"),
    *("sparse_plus", "sparse_sigmoid", "exponential"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_means_what_it_means_in_keras(name):
    keras = keras_of("keras")
    x = np.clip(X, -80, 80)
    expected = keras.ops.convert_to_numpy(getattr(keras.activations, name)(x))
    worst = error(ours("Activation", {"activation": name}, x), expected)
    record("Activation", "keras", name, worst)
    assert worst <= 1e-5


def test_sparsemax_is_the_nearest_point_of_the_simplex():
    """Keras 3.15's own result does not sum to 1, so the definition is the judge: no shift of mass brings the result nearer."""
    x = np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32)
    y = ours("Activation", {"activation": "sparsemax"}, x)
    assert np.abs(y.sum(axis=-1) - 1).max() <= 1e-6
    assert y.min() >= 0
    # Optimality: x - y is one number where y > 0, and nowhere larger.
    rest = x - y
    level = np.where(y > 0, rest, -np.inf).max(axis=-1, keepdims=True)
    assert (rest <= level + 1e-6).all()
    assert np.abs(np.where(y > 0, rest - level, 0)).max() <= 1e-6


LAYERS = [
    ("ReLU", {"max_value": 5.0, "negative_slope": 0.2, "threshold": 1.0}), ("ReLU", {"negative_slope": 0.1}), ("ELU", {"alpha": 0.3}),
    ("LeakyReLU", {"negative_slope": 0.2}), ("Softmax", {"axis": -1}), ("Softmax", {"axis": [0, 1]}),
]


@pytest.mark.parametrize("generation", ["tf_keras", "keras"])
@pytest.mark.parametrize(("name", "config"), LAYERS)
def test_a_layer_means_what_it_means_in_keras(generation, name, config):
    keras = keras_of(generation)
    said = {"alpha": config["negative_slope"]} if generation == "tf_keras" and name == "LeakyReLU" else config
    said = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
    expected = np.asarray(getattr(keras.layers, name)(**said)(X))
    worst = error(ours(name, config), expected)
    record(name, generation, str(config), worst)
    assert worst <= 1e-5


def test_a_learned_slope_stands_for_the_axes_it_does_not_share():
    alpha = np.array([[0.5, -1.0]], np.float32)
    x = np.array([[[1, -1], [-2, 2]]], np.float32)
    assert ours("PReLU", {"shared_axes": [1]}, x, {"layer.alpha": alpha}).tolist() == [[[1, 1], [-1, 2]]]


def test_an_activation_can_be_a_layer():
    activation = {"type": "LeakyReLU", "config": {"negative_slope": 0.5}}
    assert ours("Activation", {"activation": activation}, np.array([[-2.0, 3.0]], np.float32)).tolist() == [[-1, 3]]
