"""What layer configurations of each Keras mean: expected values by hand from the documentation of each version."""

import pytest

from triptych.layouts.keras_config import read_model_config, write_model_config


def sequential(version, *layers):
    """A Sequential configuration as `version` writes it."""
    listed = [{"class_name": name, "config": config} for name, config in layers]
    return {"class_name": "Sequential", "config": listed if version < "2.2.3" else {"name": "model", "layers": listed}}


ZEROS = {"class_name": "Zeros", "config": {}}
SCALING = {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None}}
GLOROT = {"type": "GlorotUniform"}
DENSE1 = {
    "output_dim": 4,
    "init": "glorot_uniform",
    "activation": "tanh",
    "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01},
    "b_regularizer": None,
    "activity_regularizer": None,
    "W_constraint": {"name": "MaxNorm", "m": 2, "axis": 0},
    "b_constraint": None,
    "bias": False,
    "input_dim": 3,
}
CONV1 = {
    "nb_filter": 8,
    "nb_row": 3,
    "nb_col": 5,
    "init": "he_normal",
    "activation": "relu",
    "border_mode": "same",
    "subsample": [2, 1],
    "dim_ordering": "th",
    "W_regularizer": None,
    "b_regularizer": None,
    "activity_regularizer": None,
    "W_constraint": None,
    "b_constraint": None,
    "bias": True,
}
LSTM1 = {
    "output_dim": 3,
    "init": "glorot_uniform",
    "inner_init": "orthogonal",
    "forget_bias_init": "one",
    "activation": "tanh",
    "inner_activation": "hard_sigmoid",
    "W_regularizer": None,
    "U_regularizer": None,
    "b_regularizer": None,
    "dropout_W": 0.5,
    "dropout_U": 0.25,
    "return_sequences": True,
    "go_backwards": False,
    "stateful": False,
    "unroll": False,
    "consume_less": "cpu",
    "input_dim": 2,
    "input_length": None,
}
MERGE1 = {
    "mode": "concat",
    "mode_type": "raw",
    "concat_axis": 1,
    "dot_axes": -1,
    "output_shape": None,
    "output_shape_type": "raw",
    "output_mask": None,
    "output_mask_type": "raw",
    "arguments": {},
}
KERNEL1 = {"kernel_initializer": GLOROT, "recurrent_initializer": {"type": "Orthogonal"}}

MEANINGS = [
    (
        "1.2.2",
        "Dense",
        DENSE1,
        "Dense",
        {
            "units": 4,
            "activation": "tanh",
            "use_bias": False,
            "kernel_initializer": GLOROT,
            "kernel_regularizer": {"type": "L1L2", "config": {"l1": 0.0, "l2": 0.01}},
            "kernel_constraint": {"type": "MaxNorm", "config": {"max_value": 2, "axis": 0}},
        },
    ),
    (
        "1.2.2",
        "Convolution2D",
        CONV1,
        "Conv2D",
        {
            "filters": 8,
            "kernel_size": [3, 5],
            "strides": [2, 1],
            "padding": "same_upper",
            "data_format": "channels_first",
            "activation": "relu",
            "kernel_initializer": {"type": "HeNormal"},
        },
    ),
    (
        "1.2.2",
        "Convolution1D",
        {
            "nb_filter": 4,
            "filter_length": 3,
            "init": "uniform",
            "activation": "linear",
            "border_mode": "valid",
            "subsample_length": 2,
            "bias": True,
        },
        "Conv1D",
        {
            "filters": 4,
            "kernel_size": [3],
            "strides": [2],
            "kernel_initializer": {"type": "RandomUniform", "config": {"minval": -0.05, "maxval": 0.05}},
        },
    ),
    (
        "1.2.2",
        "MaxPooling1D",
        {"stride": 3, "pool_length": 2, "border_mode": "valid"},
        "MaxPooling1D",
        {"pool_size": [2], "strides": [3]},
    ),
    (
        "1.2.2",
        "MaxPooling2D",
        {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "same", "dim_ordering": "tf"},
        "MaxPooling2D",
        {"pool_size": [2, 2], "strides": [2, 2], "padding": "same_upper"},
    ),
    (
        "1.2.2",
        "LSTM",
        LSTM1,
        "LSTM",
        {
            "units": 3,
            "activation": "tanh",
            "recurrent_activation": "hard_sigmoid_keras2",
            "return_sequences": True,
            "dropout": 0.5,
            "recurrent_dropout": 0.25,
            **KERNEL1,
        },
    ),
    (
        "1.2.2",
        "GRU",
        {**{k: v for k, v in LSTM1.items() if k != "forget_bias_init"}, "return_sequences": False},
        "GRU",
        {
            "units": 3,
            "activation": "tanh",
            "recurrent_activation": "hard_sigmoid_keras2",
            "reset_after": False,
            "dropout": 0.5,
            "recurrent_dropout": 0.25,
            **KERNEL1,
        },
    ),
    ("1.2.2", "Dropout", {"p": 0.25}, "Dropout", {"rate": 0.25}),
    ("1.2.2", "GaussianNoise", {"sigma": 0.25}, "GaussianNoise", {"stddev": 0.25}),
    (
        "1.2.2",
        "BatchNormalization",
        {"epsilon": 1e-3, "mode": 0, "axis": 1, "gamma_regularizer": None, "beta_regularizer": None, "momentum": 0.9},
        "BatchNormalization",
        {"axis": 1, "momentum": 0.9, "epsilon": 1e-3},
    ),
    (
        "1.2.2",
        "Embedding",
        {
            "input_dim": 9,
            "output_dim": 4,
            "init": "uniform",
            "input_length": None,
            "mask_zero": True,
            "activity_regularizer": None,
            "W_regularizer": None,
            "W_constraint": None,
            "dropout": 0.0,
        },
        "Embedding",
        {
            "input_dim": 9,
            "output_dim": 4,
            "mask_zero": True,
            "embeddings_initializer": {"type": "RandomUniform", "config": {"minval": -0.05, "maxval": 0.05}},
        },
    ),
    (
        "2.1.3",
        "Dense",
        {
            "units": 4,
            "activation": "softmax",
            "use_bias": True,
            "kernel_initializer": SCALING,
            "bias_initializer": ZEROS,
            "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}},
        },
        "Dense",
        {
            "units": 4,
            "activation": "softmax",
            "kernel_initializer": GLOROT,
            "bias_initializer": {"type": "Zeros"},
            "kernel_regularizer": {"type": "L1L2", "config": {"l1": 0.0, "l2": 0.5}},
        },
    ),
    (
        "2.2.4",
        "GRU",
        {"units": 2, "activation": "tanh"},
        "GRU",
        {"units": 2, "activation": "tanh", "recurrent_activation": "hard_sigmoid_keras2", "reset_after": False},
    ),
    (
        "2.3.1",
        "GRU",
        {"units": 2},
        "GRU",
        {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": False},
    ),
    (
        "2.4.0",
        "GRU",
        {"units": 2},
        "GRU",
        {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "reset_after": True},
    ),
    (
        "2.4.0",
        "LSTM",
        {"units": 2, "recurrent_activation": "hard_sigmoid"},
        "LSTM",
        {"units": 2, "activation": "tanh", "recurrent_activation": "hard_sigmoid_keras2"},
    ),
    (
        "3.5.0",
        "LSTM",
        {"units": 2, "recurrent_activation": "hard_sigmoid"},
        "LSTM",
        {"units": 2, "activation": "tanh", "recurrent_activation": "hard_sigmoid"},
    ),
    ("2.2.4", "LeakyReLU", {}, "LeakyReLU", {"negative_slope": 0.3}),
    ("2.4.0", "LeakyReLU", {"alpha": 0.2}, "LeakyReLU", {"negative_slope": 0.2}),
    ("3.5.0", "LeakyReLU", {"negative_slope": 0.2}, "LeakyReLU", {"negative_slope": 0.2}),
    ("2.4.0", "BatchNormalization", {"axis": [3]}, "BatchNormalization", {"axis": 3, "momentum": 0.99, "epsilon": 1e-3}),
    ("2.4.0", "Activation", {"activation": "swish"}, "Activation", {"activation": "silu"}),
    ("2.4.0", "Activation", {"activation": None}, "Activation", {"activation": "linear"}),
    ("2.4.0", "Activation", {"activation": "binary_tanh"}, "Activation", {"activation": "keras:binary_tanh"}),
    (
        "2.4.0",
        "Conv2D",
        {"filters": 2, "kernel_size": 3, "strides": 2.0, "padding": "same"},
        "Conv2D",
        {"filters": 2, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same_upper"},
    ),
    (
        "2.4.0",
        "Conv1D",
        {"filters": 2, "kernel_size": [3], "padding": "causal"},
        "Conv1D",
        {"filters": 2, "kernel_size": [3], "padding": "causal"},
    ),
    ("2.4.0", "MaxPool2D", {"pool_size": [2, 2], "strides": None}, "MaxPooling2D", {"pool_size": [2, 2]}),
    ("2.4.0", "ZeroPadding2D", {"padding": [[1, 2], [3, 4]]}, "ZeroPadding2D", {"padding": [[1, 2], [3, 4]]}),
    ("2.4.0", "ZeroPadding2D", {"padding": [1, 2]}, "ZeroPadding2D", {"padding": [[1, 1], [2, 2]]}),
    ("2.4.0", "ZeroPadding1D", {"padding": [1, 2]}, "ZeroPadding1D", {"padding": [[1, 2]]}),
    ("2.4.0", "UpSampling1D", {"size": 3}, "UpSampling1D", {"size": [3]}),
    ("2.4.0", "Dense", {"units": 2.0}, "Dense", {"units": 2}),
]


@pytest.mark.parametrize(
    ("version", "class_name", "config", "type_name", "expected"),
    MEANINGS,
    ids=[f"{version}-{name}-{i}" for i, (version, name, *_) in enumerate(MEANINGS)],
)
def test_a_layer_of_any_generation_has_its_meaning_and_comes_back(tools, version, class_name, config, type_name, expected):
    architecture = tools.there_and_back(sequential(version, (class_name, {"name": "l", "trainable": True, **config})), version)
    (layer,) = architecture.layers
    assert (layer.name, layer.type, dict(layer.config)) == ("l", type_name, expected)


OUTSIDE = [
    ("2.4.0", "Lambda", {"function": ["code", None, None], "function_type": "lambda"}),
    ("2.4.0", "Hub>KerasLayer", {"handle": "x"}),
    ("2.4.0", "LSTM", {"units": 2, "time_major": True}),
    ("3.15.1", "BatchNormalization", {"renorm": True}),
    ("1.2.2", "BatchNormalization", {"mode": 2, "epsilon": 1e-3, "momentum": 0.9, "axis": -1}),
    ("2.4.0", "Dense", {"units": "many"}),
    ("2.4.0", "Dense", {"units": -1}),
    ("2.4.0", "Dense", {}),
    ("2.4.0", "Dense", {"units": 3, "dtype": {"class_name": "QuantizedDTypePolicy", "config": {}}}),
    ("2.4.0", "Conv2D", {"filters": 2, "kernel_size": [3, 3], "padding": "full"}),
    ("2.4.0", "Conv2D", {"filters": 2, "kernel_size": [3, 3, 3]}),
    ("2.4.0", "BatchNormalization", {"axis": [1, 2]}),
    ("2.4.0", "Dense", {"units": 2, "activation": {"class_name": "PReLU", "config": {"name": "p"}}}),
]


@pytest.mark.parametrize(
    ("version", "class_name", "config"), OUTSIDE, ids=[f"{name}-{i}" for i, (_, name, _) in enumerate(OUTSIDE)]
)
def test_what_the_vocabulary_cannot_say_is_kept_as_an_extension_type(tools, version, class_name, config):
    architecture = tools.there_and_back(
        sequential(version, (class_name, {"name": "l", "trainable": True, **config})), version, allow_code=True
    )
    (layer,) = architecture.layers
    assert layer.type == f"keras:{class_name}"
    assert all(layer.config[key] == value for key, value in config.items() if key != "dtype")


def test_merge_of_keras_1_is_the_type_of_its_mode(tools):
    for mode, type_name in [
        ("concat", "Concatenate"),
        ("sum", "Add"),
        ("mul", "Multiply"),
        ("ave", "Average"),
        ("max", "Maximum"),
        ("dot", "Dot"),
        ("cos", "keras:Merge"),
    ]:
        merge = {
            "name": "m",
            "class_name": "Merge",
            "config": {"name": "m", **MERGE1, "mode": mode},
            "inbound_nodes": [[["a", 0, 0], ["b", 0, 0]]],
        }
        inputs = [
            {
                "name": n,
                "class_name": "InputLayer",
                "config": {"batch_input_shape": [None, 3], "input_dtype": "float32", "sparse": False, "name": n},
                "inbound_nodes": [],
            }
            for n in "ab"
        ]
        config = {
            "class_name": "Model",
            "config": {
                "name": "model",
                "layers": [*inputs, merge],
                "input_layers": [["a", 0, 0], ["b", 0, 0]],
                "output_layers": [["m", 0, 0]],
            },
        }
        (layer,) = tools.there_and_back(config, "1.2.2").layers
        assert layer.type == type_name


def test_an_edit_by_hand_holds_and_everything_else_comes_back(tools):
    from dataclasses import replace

    config = sequential(
        "2.4.0", ("Dense", {"name": "d", "trainable": True, "dtype": "float32", "units": 64, "activation": "relu", "made_up": 7})
    )
    architecture = read_model_config(config, keras_version="2.4.0", backend=None)
    layer = replace(architecture.layers[0], config={**architecture.layers[0].config, "units": 128})
    written, notes = write_model_config(replace(architecture, layers=(layer,)))
    assert notes == ()
    expected = sequential(
        "2.4.0", ("Dense", {"name": "d", "trainable": True, "dtype": "float32", "units": 128, "activation": "relu", "made_up": 7})
    )
    assert written["config"]["layers"][0]["config"] == expected["config"]["layers"][0]["config"]


def test_what_only_the_source_understands_is_named_when_another_dialect_is_written():
    config = sequential("2.4.0", ("Dense", {"name": "d", "trainable": True, "dtype": "float32", "units": 64, "made_up": 7}))
    architecture = read_model_config(config, keras_version="2.4.0", backend=None)
    written, notes = write_model_config(architecture, dialect="keras3")
    assert notes == ("layer d: made_up of Keras' config was not kept",)
    assert "made_up" not in written["config"]["layers"][0]["config"]


def test_precision_is_weight_and_compute_dtype(tools):
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_bfloat16"}, "registered_name": None}
    for version, dtype, expected in [
        ("2.4.0", {"class_name": "Policy", "config": {"name": "mixed_float16"}}, ("float32", "float16")),
        ("3.5.0", policy, ("float32", "bfloat16")),
        ("2.4.0", "float64", ("float64", None)),
        ("2.10.0", "bfloat16", ("bfloat16", None)),
    ]:
        (layer,) = tools.there_and_back(
            sequential(version, ("Dense", {"name": "d", "trainable": False, "units": 2, "dtype": dtype})), version
        ).layers
        assert (layer.type, layer.dtype, layer.compute_dtype, layer.trainable) == ("Dense", *expected, False)


def test_wrappers_own_their_layers(tools):
    lstm = {"class_name": "LSTM", "config": {"name": "inner", "trainable": True, "units": 2, "return_sequences": True}}
    config = sequential(
        "2.2.2",
        ("Bidirectional", {"name": "b", "trainable": True, "layer": lstm, "merge_mode": None}),
        (
            "TimeDistributed",
            {
                "name": "t",
                "trainable": True,
                "layer": {"class_name": "Dense", "config": {"name": "i", "trainable": True, "units": 2}},
            },
        ),
    )
    config["config"].reverse()
    architecture = tools.there_and_back(config, "2.2.2")
    distributed, bidirectional = architecture.layers
    assert distributed.sublayers["layer"].type == "Dense"
    assert distributed.sublayers["layer"].name == ""
    assert bidirectional.config == {"merge_mode": "none"}
    assert [bidirectional.sublayers[role].config.get("go_backwards", False) for role in ("forward", "backward")] == [False, True]


def test_layers_of_one_name_stay_two(tools):
    config = sequential("2.1.0", *[("Activation", {"name": "a", "trainable": True, "activation": "relu"})] * 2)
    assert [layer.name for layer in tools.there_and_back(config, "2.1.0").layers] == ["a", "a'"]


LEAKY = {"class_name": "LeakyReLU", "config": {"name": "leaky_re_lu_3", "trainable": True, "dtype": "float32", "alpha": 0.25}}


def test_a_layer_as_activation_has_its_meaning(tools):
    config = sequential("2.4.0", ("Dense", {"name": "d", "trainable": True, "dtype": "float32", "units": 2, "activation": LEAKY}))
    (layer,) = tools.there_and_back(config, "2.4.0").layers
    assert layer.config["activation"] == {"type": "LeakyReLU", "config": {"negative_slope": 0.25}}
    own = {"class_name": "Quantized", "config": {"bits": 6}}
    config = sequential("2.4.0", ("Dense", {"name": "d", "trainable": True, "dtype": "float32", "units": 2, "activation": own}))
    (layer,) = tools.there_and_back(config, "2.4.0").layers
    assert layer.config["activation"] == {"type": "keras:Quantized", "config": {"bits": 6}}


def test_numbers_that_are_not_finite_come_back(tools):
    config = sequential(
        "3.5.0",
        ("Rescaling", {"name": "r", "scale": float("inf"), "offset": float("nan")}),
        ("keras>Own", {"name": "o", "x": [float("-inf")]}),
    )
    tools.there_and_back(config, "3.5.0")
