"""Whole Keras models, saved by Keras, converted, and served by TensorFlow: predictions are Keras' own."""

import numpy as np
import pytest
import tensorflow as tf

import triptych

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own way to numpy
RANDOM = np.random.default_rng(5)
TOKENS = np.array([[3, 1, 4, 1, 5, 0, 0], [2, 7, 0, 0, 0, 0, 0], [6, 5, 3, 5, 8, 9, 7], [0, 0, 0, 0, 0, 0, 0]], "int32")
TEXTS = np.array(["The cat sat, on the mat!", "a DOG\tsat  on me", "", "cat cat cat cat cat cat cat"], object)


def classifier(keras):
    """Texts of any length: steps without a token count nowhere, in no direction of no layer."""
    L = keras.layers
    x = keras.Input((None,), dtype="int32")
    y = L.Embedding(10, 6, mask_zero=True)(x)
    y = L.Bidirectional(L.GRU(5, return_sequences=True, reset_after=False), merge_mode="sum")(y)
    y = L.Bidirectional(L.LSTM(4, return_sequences=True))(y)
    y = L.SimpleRNN(3, activation="relu", go_backwards=True)(L.Dropout(0.5)(y))
    return keras.Model(x, L.Dense(2, activation="softmax")(y)), TOKENS


def transformer(keras):
    """Causal attention among tokens that count, a mixture of experts' worth of dense layers after it, and a pooled result."""
    L, ops = keras.layers, keras.ops
    x = keras.Input((None,), dtype="int32")
    y = L.Embedding(10, 8, mask_zero=True)(x)
    for heads in (2, 4):
        y = L.LayerNormalization()(y + L.MultiHeadAttention(heads, 4)(y, y, use_causal_mask=True))
        y = L.LayerNormalization()(y + L.Dense(8)(L.Dense(16, activation="gelu")(y)))
    shared = L.GroupQueryAttention(4, 4, 2)(y, y)
    return keras.Model(x, L.GlobalAveragePooling1D()(L.Dense(4)(ops.concatenate([y, shared], axis=-1)))), TOKENS[:3]


def translator(keras):
    """What one sequence leaves behind is where another begins; cells of several kinds, and images one after the other."""
    L = keras.layers
    source, target, film = keras.Input((None, 3)), keras.Input((5, 2)), keras.Input((None, 6, 5, 2))
    _, h, c = L.LSTM(4, return_state=True)(source)
    y = L.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    y = L.RNN([L.GRUCell(3), L.LSTMCell(4)], return_sequences=True, unroll=True)(y)
    z = L.ConvLSTM2D(2, 3, padding="same", return_sequences=True)(film)
    z = L.ConvLSTM2D(3, 2, go_backwards=True)(L.TimeDistributed(L.MaxPooling2D(2))(z))
    outputs = [L.Attention()([y, y]), L.Flatten()(z)]
    given = [RANDOM.normal(size=shape).astype("float32") for shape in ((2, 6, 3), (2, 5, 2), (2, 4, 6, 5, 2))]
    return keras.Model([source, target, film], outputs), given


def reader(keras):
    """Texts taken apart and looked up while it predicts; numbers put into bins."""
    L = keras.layers
    text, number = keras.Input((), dtype="string"), keras.Input((3,))
    words = L.TextVectorization(vocabulary=["the", "cat", "sat", "on"], output_mode="int")(text)
    pairs = L.TextVectorization(vocabulary=["the cat", "cat sat", "cat"], ngrams=2, output_mode="count")(text)
    y = L.GlobalMaxPooling1D()(L.Embedding(6, 3)(words))
    bins = L.CategoryEncoding(num_tokens=4, output_mode="multi_hot")(L.Discretization([-0.5, 0.0, 0.5])(number))
    normal = L.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0])(number)
    return keras.Model([text, number], L.Dense(2)(L.Concatenate()([y, pairs, bins, normal]))), [TEXTS, RANDOM.normal(size=(4, 3)).astype("float32")]


@pytest.mark.parametrize(("build", "suffix"), [(classifier, "h5"), (transformer, "h5"), (translator, "keras"), (reader, "keras")])
def test_predictions_are_those_of_keras(keras3, tmp_path, build, suffix):
    """To a relative error of 1e-5."""
    keras3.utils.set_random_seed(1)
    model, given = build(keras3)
    file = tmp_path / f"model.{suffix}"
    model.save(file)
    ours = triptych.load(file)
    triptych.save(ours, tmp_path / "model", layout="saved-model")
    arrays = [tf.constant(one) for one in (given if isinstance(given, list) else [given])]
    served = tf.saved_model.load(tmp_path / "model").signatures["serving_default"](**{one.name: array for one, array in zip(ours.architecture.inputs, arrays, strict=True)})
    wanted = model(arrays if isinstance(given, list) else arrays[0])
    wanted = wanted if isinstance(wanted, list) else [wanted]
    assert len(served) == len(wanted)
    for name, expected in zip(ours.architecture.outputs, map(np.asarray, wanted), strict=True):
        assert np.abs(served[name].numpy() - expected).max() <= 1e-5 * np.abs(expected).max()
