"""Keras 2 models written for Keras 3; real Keras 3 is the judge."""

import numpy as np
import pytest

import triptych

pytestmark = pytest.mark.filterwarnings("ignore")

@pytest.mark.parametrize("name", ["convolutional", "two_in_two_out", "nested", "recurrent"])
def test_keras_2_models_written_for_keras_3_predict_the_same(keras2, keras3, judge, tmp_path, name):
    """Files that Keras 3 itself refuses (``time_major``, losses by their short names) load after the translation."""
    model, x, _ = judge.trained(keras2, judge.models[name])
    model.save(tmp_path / "a.h5")
    triptych.save(triptych.load(tmp_path / "a.h5"), tmp_path / "b.h5", dialect="keras3")
    loaded = keras3.models.load_model(tmp_path / "b.h5")
    for one, two in zip(judge.flat(loaded.predict(x, verbose=0)), judge.flat(model.predict(x, verbose=0)), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["convolutional", "two_in_two_out", "nested", "recurrent"])
def test_keras_3_models_written_for_keras_2_predict_the_same(keras2, keras3, judge, tmp_path, name):
    model, x, _ = judge.trained(keras3, judge.models[name])
    model.save(tmp_path / "a.h5")
    triptych.save(triptych.load(tmp_path / "a.h5"), tmp_path / "b.h5", dialect="keras2")
    loaded = keras2.models.load_model(tmp_path / "b.h5")
    for one, two in zip(judge.flat(loaded.predict(x, verbose=0)), judge.flat(model.predict(x, verbose=0)), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_the_example_written_for_keras_3_predicts_the_same(keras3, examples, tmp_path):
    triptych.save(triptych.load(examples / "digits_cnn.h5"), tmp_path / "b.h5", dialect="keras3")
    kept = np.load(examples / "digits_cnn_predictions.npz")
    scans = (kept["scans"] / 16).astype("float32").repeat(4, axis=1).repeat(4, axis=2)
    loaded = keras3.models.load_model(tmp_path / "b.h5")
    np.testing.assert_allclose(loaded.predict(np.stack([scans] * 3, axis=-1), verbose=0), kept["predictions"], atol=1e-5)
