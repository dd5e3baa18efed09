"""A model saved, loaded and trained on beside the one that was never interrupted; as a script, on the backend of the environment."""

import json
import sys

import numpy as np

import keras_kinds as kinds
import triptych
import triptych.keras


def journey(k, kind, path):
    """Save a trained model of `kind` to `path`, load it, and hold the two against each other."""
    objects = None
    build = kinds.KINDS.get(kind)
    if build is None:
        objects = {"Twice": kinds.custom_layer(k)}
        build = lambda k: kinds.custom(k, objects["Twice"])  # noqa: E731
    model, x, y = kinds.trained(k, build)
    assert triptych.keras.save(model, path) == ()
    assert triptych.validate(path) == ()
    loaded = triptych.keras.load(path, framework=k.__name__, custom_objects=objects)
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())
    assert json.dumps(loaded.get_compile_config(), default=float) == json.dumps(model.get_compile_config(), default=float)
    for one, two in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(kinds.predictions(loaded, x), kinds.predictions(model, x), strict=True):
        np.testing.assert_array_equal(one, two)
    assert kinds.next_losses(k, loaded, x, y) == kinds.next_losses(k, model, x, y)
    for one, two in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


if __name__ == "__main__":
    import keras

    for kind in sys.argv[2:]:
        journey(keras, kind, f"{sys.argv[1]}/{kind}.triptych")
        print(kind)
