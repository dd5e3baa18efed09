"""Training that stops in one framework goes on in another along the same curve."""

import json

import keras_kinds as kinds
import numpy as np
import pytest

import triptych.keras

pytestmark = pytest.mark.filterwarnings("ignore")


def test_keras_on_tensorflow_goes_on_in_keras_on_pytorch(keras3, elsewhere, tmp_path):
    live, x, y = kinds.trained(keras3, kinds.shared_nested_two_outputs)
    triptych.keras.save(live, tmp_path / "m.triptych")
    np.savez(tmp_path / "data.npz", x0=x[0], x1=x[1], y0=y[0], y1=y[1])
    found = json.loads(elsewhere("torch", "keras_elsewhere.py", tmp_path / "m.triptych", tmp_path / "data.npz", 5, "float32"))
    np.testing.assert_allclose(found, [live.train_on_batch(x, y) for _ in range(5)], rtol=1e-5)


def test_tf_keras_goes_on_in_keras_3_in_float64(keras2, keras3, elsewhere, tmp_path, monkeypatch):
    """On TensorFlow the curves are one for 20 steps. On JAX Keras 3 rounds to float32 on the way, in square roots for one."""
    monkeypatch.setenv("JAX_ENABLE_X64", "1")
    for one in (keras2, keras3):
        one.backend.set_floatx("float64")
    try:
        keras2.utils.set_random_seed(3)
        layers = keras2.layers
        live = keras2.Sequential(
            [layers.Input((4,)), layers.Dense(8, activation="softplus", name="one"), layers.LayerNormalization(name="norm"), layers.Dense(2, name="two")], name="m"
        )
        live.compile(keras2.optimizers.Adam(0.05, amsgrad=True, global_clipnorm=1.0), keras2.losses.MeanSquaredError())
        x, y = kinds.data(16, 4).astype("float64"), kinds.data(16, 2, seed=2).astype("float64")
        for _ in range(10):
            live.train_on_batch(x, y)
        triptych.keras.save(live, tmp_path / "m.triptych")
        np.savez(tmp_path / "data.npz", x=x, y=y)
        here = triptych.keras.load(tmp_path / "m.triptych", framework="keras")
        expected, found = ([model.train_on_batch(x, y) for _ in range(20)] for model in (live, here))
    finally:
        for one in (keras2, keras3):
            one.backend.set_floatx("float32")
    assert expected[-1] < 0.6 * expected[0]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    found = json.loads(elsewhere("jax", "keras_elsewhere.py", tmp_path / "m.triptych", tmp_path / "data.npz", 20, "float64"))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
