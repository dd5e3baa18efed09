"""Models that real Keras makes: their configurations come back, and what we write of our terms alone builds the same model in both."""

import json

import numpy as np
import pytest

from triptych.layouts.keras_config import read_model_config, write_model_config

pytestmark = pytest.mark.filterwarnings("ignore")


def _image(K, L):
    return K.Sequential(
        [
            K.Input((32, 32, 3)),
            L.Conv2D(16, 3, activation="relu"),
            L.MaxPooling2D(4),
            L.BatchNormalization(),
            L.Flatten(),
            L.Dense(32, "relu"),
            L.Dropout(0.5),
            L.Dense(10, "softmax"),
        ]
    )


def _planes(K, L):
    return K.Sequential(
        [
            K.Input((16, 16, 4)),
            L.Conv2D(
                8,
                (3, 5),
                strides=2,
                padding="same",
                groups=2,
                use_bias=False,
                kernel_regularizer="l2",
                kernel_constraint="max_norm",
            ),
            *(
                L.Conv2DTranspose(4, 3, strides=2, padding="same"),
                L.SeparableConv2D(4, 3),
                L.DepthwiseConv2D(3, depth_multiplier=2),
            ),
            *(
                L.AveragePooling2D(2, padding="same"),
                L.ZeroPadding2D(((1, 2), (3, 4))),
                L.UpSampling2D((2, 3), interpolation="bilinear"),
                L.Cropping2D(1),
            ),
            *(
                L.LeakyReLU(),
                L.PReLU(shared_axes=[1, 2]),
                L.ELU(0.5),
                L.ReLU(6.0),
                L.Softmax(),
                L.LayerNormalization(),
                L.SpatialDropout2D(0.1),
            ),
            *(
                L.GlobalAveragePooling2D(),
                L.Reshape((2, -1)),
                L.Permute((2, 1)),
                L.Flatten(),
                L.RepeatVector(3),
                L.Activation("swish"),
            ),
        ]
    )


def _sequence(K, L):
    return K.Sequential(
        [
            *(
                K.Input((20, 3)),
                L.Conv1D(4, 3, padding="causal"),
                L.SeparableConv1D(4, 3),
                L.MaxPooling1D(2),
                L.AveragePooling1D(2, strides=1),
            ),
            *(L.ZeroPadding1D((1, 2)), L.UpSampling1D(2), L.Cropping1D(1), L.Conv1DTranspose(3, 2), L.SpatialDropout1D(0.1)),
            *(L.GaussianNoise(0.1), L.GaussianDropout(0.1), L.GlobalMaxPooling1D()),
        ]
    )


def _volume(K, L):
    return K.Sequential([K.Input((8, 8, 8, 2)), L.Conv3D(2, 3), L.MaxPooling3D(), L.GlobalAveragePooling3D(keepdims=True)])


def _recurrent(K, L):
    return K.Sequential(
        [
            *(K.Input((7,)), L.Embedding(20, 5, mask_zero=True), L.LSTM(4, return_sequences=True, dropout=0.1)),
            L.Bidirectional(L.GRU(3, return_sequences=True, reset_after=False)),
            L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="sum"),
            *(L.TimeDistributed(L.Dense(3, "tanh")), L.SimpleRNN(4), L.Dense(1, "sigmoid")),
        ]
    )


def _two_ways(K, L):
    forward, backward = L.LSTM(3, return_sequences=True), L.LSTM(3, return_sequences=True, go_backwards=True, activation="relu")
    return K.Sequential(
        [K.Input((7, 3)), L.Masking(), L.Bidirectional(forward, backward_layer=backward), L.LSTM(3, unit_forget_bias=False)]
    )


def _graph(K, L):
    a, b = K.Input((6,), name="a"), K.Input((6,), name="b")
    shared = L.Dense(3, name="shared")
    x, y = shared(a), shared(b)
    inside = K.Input((3,))
    inner = K.Model(inside, L.BatchNormalization(axis=-1)(L.Dense(2)(inside)), name="inner")
    merged = [
        layer([x, y])
        for layer in (L.Add(), L.Multiply(), L.Average(), L.Maximum(), L.Minimum(), L.Subtract(), L.Dot(1), L.Concatenate())
    ]
    return K.Model([a, b], [L.Dense(1)(merged[-1]), inner(shared(a)), *merged], name="graph")


def _states(K, L):
    x = K.Input((5, 3), name="x")
    y, h, c = L.LSTM(4, return_sequences=True, return_state=True)(x)
    z = L.LSTM(4)(x, initial_state=[h, c])
    dropped = L.Dropout(0.5)(z, training=True)
    sequential = K.Sequential([K.Input((4,)), L.Dense(2)], name="sequential_inside")
    one, two = K.Input((4,)), K.Input((4,))
    pair = K.Model([one, two], [L.Add()([one, two]), L.Concatenate()([one, two])], name="pair")
    first, second = pair([dropped, z])
    outputs = [
        z,
        dropped,
        L.GRU(4)(x, initial_state=h),
        L.Bidirectional(L.GRU(4))(x, initial_state=[h, c]),
        sequential(z),
        first,
        second,
        *pair([first, z]),
    ]
    return K.Model(x, [*outputs, L.Attention()([y, y]), L.MultiHeadAttention(2, 3)(y, x), L.MultiHeadAttention(2, 3)(y, y, y)])


def _nested(K, L):
    return K.Sequential([K.Input((4,)), K.Sequential([K.Input((4,)), L.Dense(3)]), L.Dense(2)])


def _distributed_model(K, L):
    return K.Sequential(
        [K.Input((5, 8, 8, 3)), L.TimeDistributed(K.Sequential([K.Input((8, 8, 3)), L.Conv2D(2, 3), L.Flatten()])), L.GRU(3)]
    )


def _frozen(K, L):
    return K.Sequential([K.Input((4,)), L.Dense(3, trainable=False), L.BatchNormalization(trainable=False)])


def _precise(K, L):
    return K.Sequential([K.Input((4,)), L.Dense(3, dtype="mixed_float16"), L.Dense(2, dtype="float64")])


def _initialised(K, L):
    return K.Sequential(
        [
            K.Input((4,)),
            L.Dense(
                3,
                kernel_initializer="he_normal",
                bias_initializer=K.initializers.Constant(0.3),
                kernel_regularizer=K.regularizers.L1L2(0.1, 0.2),
            ),
            L.Dense(3, kernel_initializer="orthogonal", activity_regularizer="l1", bias_constraint="non_neg"),
            L.Dense(2, kernel_initializer=K.initializers.RandomNormal(stddev=0.1, seed=3), activation="gelu"),
            L.Dense(2, activation=L.LeakyReLU()),
        ]
    )


MODELS = [
    _image,
    _planes,
    _sequence,
    _volume,
    _recurrent,
    _two_ways,
    _graph,
    _states,
    _nested,
    _distributed_model,
    _frozen,
    _precise,
    _initialised,
]
VERSIONS = {"keras2": "2.21.0", "keras3": "3.15.1"}


def _load(keras, dialect, config):
    if dialect == "keras3" and "module" not in config:
        from keras.src.legacy.saving import saving_utils

        return saving_utils.model_from_config(config)
    return keras.models.model_from_json(json.dumps(config))


@pytest.mark.parametrize("source", VERSIONS)
@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__.strip("_"))
def test_a_real_model_comes_back_and_is_built_alike_by_both(request, tools, make, source):
    frameworks = {name: request.getfixturevalue(name) for name in VERSIONS}
    model = make(frameworks[source], frameworks[source].layers)
    config = json.loads(model.to_json())
    architecture = tools.there_and_back(config, VERSIONS[source])
    assert [layer.type for _, _, layer in architecture.walk() if ":" in layer.type] == []
    shapes = [tuple(output.shape) for output in model.outputs]
    trainable = sum(
        weight.shape.num_elements() if hasattr(weight.shape, "num_elements") else _size(weight)
        for weight in model.trainable_weights
    )
    for dialect, keras in frameworks.items():
        for known in (architecture, tools.bare(architecture)):
            written, notes = write_model_config(known, dialect=dialect)
            assert notes == ()
            built = _load(keras, dialect, written)
            assert built.count_params() == model.count_params()
            assert [tuple(output.shape) for output in built.outputs] == shapes
            assert sum(map(_size, built.trainable_weights)) == trainable


def _size(weight):
    size = 1
    for extent in weight.shape:
        size *= int(extent)
    return size


def test_a_hard_sigmoid_of_keras_3_is_not_taken_for_that_of_keras_2(keras3):
    """The function changed between Keras 2 and 3; the name did not."""
    model = keras3.Sequential([keras3.Input((4, 2)), keras3.layers.LSTM(3, recurrent_activation="hard_sigmoid")])
    architecture = read_model_config(json.loads(model.to_json()), keras_version="3.15.1", backend=None)
    _, notes = write_model_config(architecture, dialect="keras2")
    assert len(notes) == 1
    assert "hard_sigmoid" in notes[0]


def test_keras_3_computes_the_hard_sigmoid_of_keras_2_and_says_it_again(keras2, keras3):
    """A model that stands as the activation computes it: no weight changes, nothing is noted, and it is read as what it is."""
    layers = keras2.layers
    model = keras2.Sequential(
        [
            keras2.Input((4, 2)),
            layers.Bidirectional(layers.LSTM(3, recurrent_activation="hard_sigmoid", return_sequences=True)),
            layers.GRU(3, recurrent_activation="hard_sigmoid", reset_after=False),
            layers.Dense(3, activation="hard_sigmoid"),
            layers.Activation("hard_sigmoid"),
        ]
    )
    architecture = read_model_config(json.loads(model.to_json()), keras_version="2.21.0", backend=None)
    written, notes = write_model_config(architecture, dialect="keras3")
    assert notes == ()
    built = _load(keras3, "keras3", written)
    built.set_weights(model.get_weights())
    x = np.linspace(-9, 9, 16, dtype="float32").reshape(2, 4, 2)
    np.testing.assert_allclose(built(x), model(x), atol=1e-6)
    again = read_model_config(json.loads(built.to_json()), keras_version=keras3.__version__, backend=None)
    assert [layer.config for _, _, layer in again.walk() if "activation" in str(layer.config)] == [
        layer.config for _, _, layer in architecture.walk() if "activation" in str(layer.config)
    ]


def test_a_lambda_loses_its_code_and_says_so(keras2, tools):
    model = keras2.Sequential([keras2.Input((4,)), keras2.layers.Lambda(lambda x: x * 2)])
    config = json.loads(model.to_json())
    architecture = read_model_config(config, keras_version="2.21.0", backend=None)
    assert architecture.layers[0].type == "keras:Lambda"
    assert config["config"]["layers"][1]["config"]["function"][0] not in json.dumps(architecture.layers[0].config)
    written, notes = write_model_config(architecture)
    assert len(notes) == 1
    assert notes[0].startswith("the code of the lambda at '/config/layers/1/config/function' was left out when the model was read; allow_code=True")
    config["config"]["layers"][1]["config"]["function"][0] = None
    assert json.dumps(written, sort_keys=True) == json.dumps(config, sort_keys=True)
