"""Every layer type computes what real Keras computes, over a grid of options."""

from __future__ import annotations

import grid
import pytest

from triptych.model import Layer

NAMES = sorted({name for name, _, _ in grid.cases()})


def is_judged(keras, config, name):
    """Whether this generation on TensorFlow has the type with this config, and computes it."""
    two = keras.__name__.startswith("tf_")
    if two and config.get("data_format") == "channels_first" and name not in {"Flatten", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D"}:
        return False  # has no kernel on a CPU
    if config.get("data_format") == "channels_first" and name == "Conv2D" and config["filters"] == 8:
        return False  # Keras 3 on TensorFlow takes the width, 8 as the filters, for the channels and adds the bias there
    return config.get("activation") != ("hard_sigmoid" if two else "hard_sigmoid_keras2")


def tolerance(config):
    """TensorFlow takes the weights of bicubic interpolation from a table of 1,024 entries."""
    return 1e-3 if config.get("interpolation") == "bicubic" else grid.TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_on_tensorflow(keras, judging, errors, name):
    """Keras 2 and Keras 3 on TensorFlow."""
    framework = "tf-keras" if keras.__name__.startswith("tf_") else "Keras 3, TensorFlow"
    for found, config, shapes in grid.cases():
        if found != name or not judging.grids.is_in(keras, name, config) or not is_judged(keras, config, name):
            continue
        judged = judging.keras_call(keras, Layer("x", name, config), grid.inputs_of(name, config, shapes))
        grid.compare(errors, framework, name, config, shapes, judged, tolerance=tolerance(config))
