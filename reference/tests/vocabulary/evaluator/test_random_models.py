"""Random architectures of real Keras, saved, imported and evaluated: same outputs, same shapes, same number of parameters."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest
import random_models

import triptych
from triptych.vocabulary.summary import summarize

COUNT = int(os.environ.get("TRIPTYCH_RANDOM_MODELS", "50"))
"""Models of each generation; hundreds where there is time."""
TOLERANCE = 1e-5


def give_weights(model, random):
    """Statistics and biases as training could have left them, in the place of zeros and ones."""
    for variable in model.weights:
        name = variable.name.split(":")[0].split("/")[-1]
        if "seed" in name:
            continue
        if name == "moving_variance":
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
        elif name in {"gamma", "beta", "bias", "moving_mean", "alpha"}:
            variable.assign(np.asarray(variable) + random.normal(0, 0.1, variable.shape))


@pytest.mark.parametrize("seed", range(COUNT))
def test_a_random_model(keras, errors, tmp_path, seed):
    """Depth grows with the seed, up to fifty."""
    depth = 3 + seed * 47 // max(COUNT - 1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras.utils.set_random_seed(seed)
        model = random_models.Builder(keras, seed).model(depth)
        random = np.random.default_rng(seed)
        give_weights(model, random)
        inputs = [random.normal(size=(2, *one.shape[1:])).astype("float32") for one in model.inputs]
        expected = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        model.save(tmp_path / "model.h5")
    imported = triptych.load(tmp_path / "model.h5")
    found = imported.predict(inputs)
    expected, found = (list(one) if isinstance(one, list | tuple) else [one] for one in (expected, found))
    assert [one.shape for one in found] == [tuple(one.shape) for one in expected]
    worst = max(np.abs(a - np.asarray(b)).max() / max(np.abs(np.asarray(b)).max(), 1e-30) for a, b in zip(found, expected, strict=True))
    errors("random models", "tf-keras" if keras.__name__.startswith("tf_") else "Keras 3, TensorFlow", f"seed {seed}, depth {depth}", float(worst))
    assert worst <= TOLERANCE, (seed, depth, worst)
    counted = summarize(imported.architecture, imported.weights)
    assert counted.total.parameters == model.count_params()
