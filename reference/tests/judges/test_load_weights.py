"""`load_weights` does to our model what Keras' own does to Keras' model, from files that Keras wrote and from ours."""

import warnings
from itertools import count

import numpy as np
import pytest

import triptych
from triptych.surface.model import Model

NUMBER = count()


def model(k, *, classes=3, extra=False, names=("base", "inner", "head"), seed=0):
    """A small network with a nested model, whose inner names stand outside, too; `extra` adds layers without weights."""
    k.utils.set_random_seed(seed)
    layers = k.layers
    inner = k.Sequential([layers.Input((4,)), layers.Dense(4, name="base"), layers.BatchNormalization(name="norm"), layers.Dense(2, name="deep")], name=names[1])
    x = entering = layers.Input((3,), name="x")
    for layer in [layers.Dense(4, name=names[0]), *([layers.Dropout(0.5, name="drop"), layers.Activation("relu", name="act")] if extra else []), inner]:
        x = layer(x)
    made = k.Model(entering, layers.Dense(classes, name=names[2])(x), name="m")
    generator = np.random.default_rng(seed)
    made.set_weights([generator.uniform(0.1, 1, w.shape).astype("float32") for w in made.get_weights()])
    return made


def named(weights):
    return {name: array.copy() for name, array in weights.items()}


def ours(real, tmp_path):
    """`real` as our model, by way of a file that Keras wrote."""
    path = tmp_path / f"{next(NUMBER)}.h5"  # another each time: a model of ours holds its file open
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        real.save(path)
    return triptych.load(path)


def written(real, form, tmp_path):
    """A file with the weights of `real`."""
    path = tmp_path / f"{next(NUMBER)}.{form.split('-')[-1]}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if form == "whole-h5":
            real.save(path)
        elif form == "weights-h5":
            real.save_weights(path)
        elif form == "triptych":
            ours(real, tmp_path).save(path)
        else:
            ours(real, tmp_path).save_weights(path)
    return path


FORMS = ("whole-h5", "weights-h5", "triptych", "safetensors", "object-paths-.weights.h5")
"""Kinds of files, each with its suffix behind the last dash."""


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ({"extra": True}, {}),
        ({"classes": 5, "names": ("base", "inner", "new_head")}, {"by_name": True}),
        ({"classes": 5}, {"by_name": True, "skip_mismatch": True}),
        ({"names": ("other", "another", "head")}, {"by_name": True}),
    ],
    ids=["weightless layers do not count", "a new head", "a head of another width", "inner names are not descended to"],
)
def test_the_same_weights_arrive_as_in_keras(keras2, target, options, tmp_path):
    source, real = model(keras2), model(keras2, seed=1, **target)
    before = ours(real, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        real.load_weights(written(source, "weights-h5", tmp_path), **options)
    expected = named(ours(real, tmp_path).weights)
    # Keras' files by object path hold no names to go by.
    for form in FORMS[:-1] if "by_name" in options else FORMS:
        mine = Model(before.panels)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            report = mine.load_weights(written(source, form, tmp_path), **options)
        said = [str(one.message) for one in heard if one.category is UserWarning]
        if options.get("skip_mismatch"):
            # Keras skips the weight, its documentation the layer.
            assert len(said) == 1, form
            assert "'head'" in said[0] and "(2, 5)" in said[0] and "(2, 3)" in said[0]
            assert report.mismatched == ("head.kernel", "head.bias")
        else:
            assert said == [], form
        assert list(mine.weights) == list(expected)
        for name, array in expected.items():
            np.testing.assert_array_equal(mine.weights[name], array, err_msg=f"{form}: {name}")


def test_what_does_not_fit_is_a_value_error_as_in_keras_and_changes_nothing(keras2, tmp_path):
    source = model(keras2)
    small = keras2.Sequential([keras2.layers.Input((3,)), keras2.layers.Dense(3)])
    for wrong, both in ((model(keras2, classes=5, seed=1), r"\(2, 5\).*\(2, 3\)"), (small, "expected 1 layers|expected this weight|expected shape")):
        mine = ours(wrong, tmp_path)
        before = named(mine.weights)
        for form in FORMS:
            with pytest.raises(ValueError, match=both):
                mine.load_weights(written(source, form, tmp_path))
            assert all(np.array_equal(before[name], mine.weights[name]) for name in before)
        with pytest.raises(ValueError, match="shape|layers"):
            wrong.load_weights(written(source, "weights-h5", tmp_path))


def test_the_order_of_get_weights_is_that_of_keras_3(keras3, tmp_path):
    real = model(keras3)
    real.get_layer("inner").get_layer("base").trainable = False
    found = ours(real, tmp_path).get_weights()
    assert len(found) == len(real.get_weights())
    for one, other in zip(found, real.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
