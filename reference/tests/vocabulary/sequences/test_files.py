"""Keras models of these types, saved by Keras, predict here what they predict there, and go back."""

import warnings

import numpy as np
import pytest
from sequence_judges import error, keras_of

import triptych


@pytest.mark.parametrize("generation", ["tf_keras", "keras"])
def test_a_model_comes_back_and_predicts_alike(generation, tmp_path):
    keras = keras_of(generation)
    make = keras.layers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a, b, z = keras.Input((4, 6)), keras.Input((4, 6)), keras.Input((3, 6, 6, 2))
        results = [
            make.AdditiveAttention()([a, b]),
            make.Attention(use_scale=True, score_mode="concat")([a, b]),
            make.MultiHeadAttention(2, 3)(a, b),
            make.Bidirectional(make.RNN(make.LSTMCell(3), return_sequences=True))(a),
            make.RNN([make.LSTMCell(4), make.GRUCell(3)], return_sequences=True)(b),
            make.Reshape((4, -1))(make.ConvLSTM2D(2, 3, padding="same")(z)),
            *([make.GroupQueryAttention(3, 4, 2)(a, b), make.Activation("hard_tanh")(a)] if generation == "keras" else []),
        ]
        model = keras.Model([a, b, z], make.Concatenate()(results))
        generator = np.random.default_rng(0)
        model.set_weights([generator.standard_normal(w.shape).astype(np.float32) for w in model.get_weights()])
        model.save(tmp_path / "model.h5")
        inputs = [generator.standard_normal((2, *shape)).astype(np.float32) for shape in ((4, 6), (4, 6), (3, 6, 6, 2))]
        expected = np.asarray(model(inputs))
        ours = triptych.load(tmp_path / "model.h5")
        assert not [layer.type for layer in ours.architecture.layers if ":" in layer.type]
        assert error(ours.predict(inputs), expected) <= 1e-5
        triptych.save(ours, tmp_path / "again.h5")
        assert error(np.asarray(keras.models.load_model(tmp_path / "again.h5", compile=False)(inputs)), expected) == 0
