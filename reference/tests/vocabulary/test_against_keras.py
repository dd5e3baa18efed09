"""Every layer type yields the shapes and owns the weights that real Keras gives it, in the same order."""

from __future__ import annotations

import os
import warnings
from math import prod

import pytest

from triptych.model import Architecture, Call, Input, Layer
from triptych.vocabulary import LAYER_TYPES, infer, weight_slots

N = None
SEQUENCE, IMAGE, VOLUME = (N, 11, 6), (N, 13, 10, 6), (N, 7, 8, 9, 4)
BY_RANK = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}
RECURRENT = {"units": 5, "activation": "tanh"}
GATED = {**RECURRENT, "recurrent_activation": "sigmoid"}
GRU = {**GATED, "reset_after": True}


AUGMENTATION = {
    "RandomFlip": {"mode": "horizontal"}, "RandomRotation": {"factor": 0.1}, "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.2}, "RandomZoom": {"height_factor": 0.1},
    "RandomContrast": {"factor": 0.1}, "RandomBrightness": {"factor": 0.1}, "RandomHeight": {"factor": 0.1}, "RandomWidth": {"factor": 0.1}, "RandomShear": {"x_factor": 0.1},
    "RandomHue": {"factor": 0.1}, "RandomSaturation": {"factor": 0.1}, "RandomSharpness": {"factor": 0.1}, "RandomColorDegeneration": {"factor": 0.1}, "RandomInvert": {},
    "RandomPosterization": {"factor": 4}, "RandomErasing": {}, "RandomGaussianBlur": {},
}


def grid():
    """(type, config, input shapes)."""
    for config in ({"units": 7}, {"units": 7, "use_bias": False, "activation": "relu"}):
        for shape in ((N, 4), (N, 3, 4), (2, 5, 3, 4), (N, N, 4)):
            yield "Dense", config, [shape]
    for equation, target, axes, shape in (
        ("abc,cd->abd", [3, 5], None, (N, 3, 4)), ("abc,cd->abd", [None, 5], "d", (N, N, 4)), ("...x,xy->...y", [7], "y", (N, 3, 3, 4)), ("...x,xy->...y", [7], None, (N, 4)),
        ("abcd,cde->abe", [3, 6], "be", (N, 3, 2, 4)), ("ab...,bc->ac...", [6], "c", (N, 3, 5, 2)), ("abc,cde->abde", [3, 2, 5], "de", (N, 3, 4)), ("abc,cde->abde", [3, 2, 5], "d", (N, 3, 4)),
    ):
        yield "EinsumDense", {"equation": equation, "output_shape": target, "bias_axes": axes, "activation": "tanh"}, [shape]
    yield "Embedding", {"input_dim": 9, "output_dim": 4}, [(N, 5)]
    yield "Embedding", {"input_dim": 9, "output_dim": 4, "mask_zero": True}, [(N, N, 2)]
    for name, config in (
        *(("Activation", {"activation": a}) for a in ("relu", "softmax", "linear", "gelu")),
        ("Identity", {}), ("Rescaling", {"scale": 2.0, "offset": 1.0}), ("Dropout", {"rate": 0.5}), ("GaussianNoise", {"stddev": 0.5}), ("GaussianDropout", {"rate": 0.5}),
        ("AlphaDropout", {"rate": 0.5}), ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}), ("Flatten", {}), ("ReLU", {"max_value": 6.0, "threshold": 0.5}),
        ("LeakyReLU", {"negative_slope": 0.2}), ("ELU", {"alpha": 0.5}), ("ThresholdedReLU", {"theta": 0.5}), ("Softmax", {"axis": -1}), ("PReLU", {}), ("UnitNormalization", {}),
        ("BatchNormalization", {"momentum": 0.9, "epsilon": 1e-3}), ("LayerNormalization", {"epsilon": 1e-3}),
    ):
        for shape in ((N, 6), SEQUENCE, IMAGE):
            yield name, config, [shape]
    yield "Flatten", {"data_format": "channels_first"}, [IMAGE]
    yield "Masking", {"mask_value": 0.0}, [SEQUENCE]
    yield "CenterCrop", {"height": 3, "width": 2}, [IMAGE]
    for name, config in AUGMENTATION.items():
        yield name, config, [(N, 13, 10, 3)]
    yield "SpatialDropout1D", {"rate": 0.5}, [SEQUENCE]
    yield "SpatialDropout2D", {"rate": 0.5}, [IMAGE]
    yield "SpatialDropout3D", {"rate": 0.5}, [VOLUME]
    yield "PReLU", {"shared_axes": [1, 2]}, [IMAGE]
    yield "PReLU", {"shared_axes": [1, 2]}, [(N, N, N, 3)]
    for config in ({"scale": False}, {"center": False}, {"scale": False, "center": False}, {"axis": 1}):
        yield "BatchNormalization", {"momentum": 0.9, "epsilon": 1e-3, **config}, [IMAGE]
        yield "LayerNormalization", {"epsilon": 1e-3, **config}, [IMAGE]
    yield "LayerNormalization", {"epsilon": 1e-3, "axis": [2, 3]}, [IMAGE]
    yield "RMSNormalization", {"epsilon": 1e-6}, [IMAGE]
    for config in ({"groups": 3}, {"groups": -1}, {"groups": 2, "scale": False}, {"groups": 13, "axis": 1}):
        yield "GroupNormalization", {"epsilon": 1e-3, **config}, [IMAGE]
    for rank, shape in BY_RANK.items():
        unknown = (N, *[N] * rank, shape[-1])
        first = (N, shape[-1], *shape[1:-1])
        windows = [
            {"kernel_size": [3] * rank}, {"kernel_size": [2, 3, 4][:rank], "strides": [2] * rank}, {"kernel_size": [3] * rank, "padding": "same_upper"},
            {"kernel_size": [3] * rank, "padding": "same_upper", "strides": [2] * rank}, {"kernel_size": [3] * rank, "dilation_rate": [2] * rank},
            {"kernel_size": [1] * rank, "strides": [3] * rank, "padding": "same_upper"}, {"kernel_size": [1] * rank, "strides": [3] * rank},
        ]
        if rank == 1:
            windows += [{"kernel_size": [3], "padding": "causal", "dilation_rate": [2]}, {"kernel_size": [3], "padding": "causal", "strides": [2]}]
        for window in windows:
            for given in (shape, unknown):
                yield f"Conv{rank}D", {"filters": 8, **window}, [given]
            if window.get("padding") != "causal" and (window.get("strides", [1])[0] == 1 or "dilation_rate" not in window):
                yield f"Conv{rank}DTranspose", {"filters": 8, **window}, [shape]
            if rank < 3 and window.get("padding") != "causal":
                yield f"SeparableConv{rank}D", {"filters": 8, "depth_multiplier": 3, **window}, [shape]
                yield f"DepthwiseConv{rank}D", {"depth_multiplier": 3, **window}, [shape]
        yield f"Conv{rank}D", {"filters": 8, "kernel_size": [3] * rank, "groups": 2, "use_bias": False}, [shape]
        yield f"Conv{rank}D", {"filters": 8, "kernel_size": [3] * rank, "data_format": "channels_first"}, [first]
        yield f"Conv{rank}DTranspose", {"filters": 8, "kernel_size": [3] * rank, "use_bias": False, "data_format": "channels_first"}, [first]
        for padding in ("valid", "same_upper"):
            config = {"filters": 8, "kernel_size": [3] * rank, "strides": [2] * rank, "padding": padding, "output_padding": [1] * rank}
            yield f"Conv{rank}DTranspose", config, [shape]
        if rank < 3:
            yield f"SeparableConv{rank}D", {"filters": 8, "kernel_size": [3] * rank, "use_bias": False, "data_format": "channels_first"}, [first]
            yield f"DepthwiseConv{rank}D", {"kernel_size": [3] * rank, "use_bias": False, "data_format": "channels_first"}, [first]
        for what in ("Max", "Average"):
            for config in ({}, {"strides": [1] * rank}, {"padding": "same_upper"}, {"strides": [3] * rank, "padding": "same_upper"}):
                for size in (2, 3):
                    yield f"{what}Pooling{rank}D", {"pool_size": [size] * rank, **config}, [shape]
            yield f"{what}Pooling{rank}D", {"pool_size": [2] * rank}, [unknown]
            yield f"{what}Pooling{rank}D", {"pool_size": [2] * rank, "data_format": "channels_first"}, [first]
            yield f"Global{what}Pooling{rank}D", {}, [shape]
            yield f"Global{what}Pooling{rank}D", {"keepdims": True}, [unknown]
            yield f"Global{what}Pooling{rank}D", {"data_format": "channels_first"}, [first]
            for size in ([3, 4, 2], [4, 5, 3], [2, 2, 2]):  # TensorFlow divides by zero for an extent of 1
                yield f"Adaptive{what}Pooling{rank}D", {"output_size": size[:rank]}, [shape]
            yield f"Adaptive{what}Pooling{rank}D", {"output_size": [3] * rank, "data_format": "channels_first"}, [first]
        ends = [[1, 2], [0, 3], [2, 0]][:rank]
        yield f"ZeroPadding{rank}D", {"padding": ends}, [shape]
        yield f"Cropping{rank}D", {"cropping": ends}, [shape]
        yield f"UpSampling{rank}D", {"size": [2, 3, 4][:rank]}, [shape]
        if rank > 1:
            yield f"ZeroPadding{rank}D", {"padding": ends, "data_format": "channels_first"}, [first]
            yield f"Cropping{rank}D", {"cropping": ends, "data_format": "channels_first"}, [first]
            yield f"UpSampling{rank}D", {"size": [2, 3, 4][:rank], "data_format": "channels_first"}, [first]
    yield "UpSampling2D", {"size": [2, 2], "interpolation": "bilinear"}, [IMAGE]
    for config in ({}, {"interpolation": "nearest"}, {"interpolation": "bicubic"}, {"height": 5, "width": 21}):
        yield "Resizing", {"height": 17, "width": 7, **config}, [IMAGE]
    for target in ([66], [6, 11], [-1, 3], [2, -1, 3]):
        yield "Reshape", {"target_shape": target}, [SEQUENCE]
    yield "Reshape", {"target_shape": [-1, 3]}, [(N, N, 6)]
    yield "Permute", {"dims": [2, 1]}, [SEQUENCE]
    yield "Permute", {"dims": [3, 1, 2]}, [IMAGE]
    yield "RepeatVector", {"n": 3}, [(N, 4)]
    for name, base in (("SimpleRNN", RECURRENT), ("LSTM", GATED), ("GRU", GRU)):
        states = 2 if name == "LSTM" else 1
        for config in ({}, {"return_sequences": True}, {"return_state": True}, {"return_state": True, "return_sequences": True}, {"use_bias": False}, {"go_backwards": True}):
            yield name, {**base, **config}, [SEQUENCE]
        yield name, {**base, "return_sequences": True}, [(N, N, 4)]
        yield name, {**base, "stateful": True}, [(2, 3, 4)]
        yield name, base, [SEQUENCE, *[(N, 5)] * states]
    yield "GRU", {**GRU, "reset_after": False}, [SEQUENCE]
    yield "GRU", {**GRU, "reset_after": False, "use_bias": False}, [SEQUENCE]
    for rank, shape in ((1, (N, 3, 9, 4)), (2, (N, 3, 9, 8, 4)), (3, (N, 3, 9, 8, 7, 4))):
        base = {"filters": 2, "kernel_size": [3, 2, 1][:rank], "activation": "tanh", "recurrent_activation": "sigmoid"}
        for config in ({}, {"return_sequences": True, "return_state": True}, {"padding": "same_upper", "strides": [2] * rank}, {"use_bias": False}):
            yield f"ConvLSTM{rank}D", {**base, **config}, [shape]
    for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        yield name, {}, [(N, 4), (N, 4), (N, 4)]
        yield name, {}, [(N, 3, 4), (N, 1, 4)]
        yield name, {}, [(N, 4), (N, 3, 4)]
    yield "Subtract", {}, [(N, 4), (N, 4)]
    yield "Concatenate", {}, [(N, 3, 4), (N, 3, 5)]
    yield "Concatenate", {"axis": 1}, [(N, 3, 4), (N, 2, 4), (N, 1, 4)]
    yield "Concatenate", {"axis": 1}, [(N, N, 4), (N, 2, 4)]
    yield "Dot", {"axes": 1}, [(N, 4), (N, 4)]
    yield "Dot", {"axes": [2, 1]}, [(N, 3, 4), (N, 4, 5)]
    yield "Dot", {"axes": -1, "normalize": True}, [(N, 3, 4), (N, 5, 4)]
    for config in ({}, {"use_scale": True}, {"use_scale": True, "score_mode": "concat"}):
        yield "Attention", config, [(N, 3, 4), (N, 5, 4)]
    yield "Attention", {}, [(N, 3, 4), (N, 5, 7), (N, 5, 4)]
    for config in ({}, {"axis": None}, {"axis": [1]}, {"axis": [1, -1]}, {"mean": [0.0], "variance": [2.0]}, {"mean": 0.0, "variance": 1.0}):
        yield "Normalization", config, [(N, 5, 4)]
    for mode in ("one_hot", "multi_hot", "count"):
        yield "Discretization", {"bin_boundaries": [0.5, 1.5], "output_mode": mode}, [(N, 1 if mode == "one_hot" else 5)]
        yield "CategoryEncoding", {"num_tokens": 4, "output_mode": mode}, [(N, 1 if mode == "one_hot" else 5)]
    yield "Discretization", {"bin_boundaries": [0.5, 1.5]}, [(N, 5, 4)]
    yield "CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}, [(N, 1)]
    yield "TextVectorization", {"vocabulary": ["the"], "output_sequence_length": 7}, [(N, 1)]
    yield "TextVectorization", {"vocabulary": ["the"], "output_mode": "multi_hot"}, [(N, 1)]
    for name, tokens in (("IntegerLookup", [12, 36]), ("StringLookup", ["the", "of"])):
        yield name, {"vocabulary": tokens}, [(N, 5)]
        yield name, {"vocabulary": tokens, "output_mode": "one_hot", "num_oov_indices": 3}, [(N, 1)]
        for mode in ("multi_hot", "count"):
            yield name, {"vocabulary": tokens, "output_mode": mode}, [(N, 5)]
            yield name, {"vocabulary": tokens, "output_mode": mode, "max_tokens": 8, "pad_to_max_tokens": True}, [(N, 5)]
    for config in ({}, {"use_scale": False}):
        yield "AdditiveAttention", config, [(N, 3, 4), (N, 5, 4)]
    for config in ({}, {"use_bias": False}):
        yield "GroupQueryAttention", {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, **config}, [(N, 3, 4), (N, 5, 4)]
    for config in ({}, {"value_dim": 5}, {"use_bias": False}, {"output_shape": [9]}):
        yield "MultiHeadAttention", {"num_heads": 2, "key_dim": 3, **config}, [(N, 3, 4), (N, 5, 6)]
    yield "MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, [(N, 3, 4), (N, 5, 6), (N, 5, 7)]


def wrappers():
    """(layer, input shapes) of layers with others inside."""
    for name, base in (("SimpleRNN", RECURRENT), ("LSTM", GATED), ("GRU", GRU)):
        for config in ({}, {"return_sequences": True}, {"return_sequences": True, "return_state": True}):
            for mode in ("concat", "sum", "mul", "ave", "none"):
                inner = {**base, **config}
                sublayers = {"forward": Layer("", name, inner), "backward": Layer("", name, {**inner, "go_backwards": True})}
                yield Layer("x", "Bidirectional", {"merge_mode": mode}, sublayers), [SEQUENCE]
    yield Layer("x", "TimeDistributed", sublayers={"layer": Layer("", "Dense", {"units": 5})}), [SEQUENCE]
    yield Layer("x", "TimeDistributed", sublayers={"layer": Layer("", "Conv2D", {"filters": 5, "kernel_size": [3, 3]})}), [(N, 4, *IMAGE[1:])]
    inner = Layer("", "TimeDistributed", sublayers={"layer": Layer("", "Flatten")})
    yield Layer("x", "TimeDistributed", sublayers={"layer": inner}), [(N, 3, *IMAGE[1:])]


@pytest.fixture(scope="module", params=["tf_keras", "keras"])
def keras(request):
    """Keras 2 (tf_keras) and Keras 3, which warn while they are imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if request.param == "keras":
            import keras
        else:
            import tf_keras as keras
    return keras


def keras_arguments(name, config, generation):
    """`config` as arguments of Keras' class `name`."""
    said = {key: tuple(map(tuple, value)) if value and isinstance(value, list) and isinstance(value[0], list) else tuple(value) if isinstance(value, list) else value for key, value in config.items()}
    if "padding" in said and isinstance(said["padding"], str):
        said["padding"] = said["padding"].removesuffix("_upper")
    if name in {"ZeroPadding1D", "Cropping1D"}:
        said = {key: value[0] for key, value in said.items()}
    if name == "UpSampling1D":
        said["size"] = said["size"][0]
    if said.get("merge_mode") == "none":
        said["merge_mode"] = None
    if name == "LeakyReLU" and generation == "2":
        said["alpha"] = said.pop("negative_slope")
    if name == "Conv1DTranspose" and generation == "2" and "output_padding" in said:
        said["output_padding"] = said["output_padding"][0]
    return said


def build(keras, layer):
    """The Keras layer of `layer`."""
    generation = "2" if keras.__name__.startswith("tf_") else "3"
    arguments = keras_arguments(layer.type, layer.config, generation)
    if layer.type == "Bidirectional":
        return keras.layers.Bidirectional(build(keras, layer.sublayers["forward"]), backward_layer=build(keras, layer.sublayers["backward"]), **arguments)
    if layer.type == "TimeDistributed":
        return keras.layers.TimeDistributed(build(keras, layer.sublayers["layer"]))
    return getattr(keras.layers, layer.type)(**arguments)


ROLES = {"depthwise_kernel": "kernel", "attention_output_kernel": "output_kernel", "attention_output_bias": "output_bias"}


def role(layer, variable):
    """The role that a Keras variable plays."""
    parts = getattr(variable, "path", variable.name).split(":")[0].split("/")
    if layer.type in {"MultiHeadAttention", "GroupQueryAttention"}:
        name = f"{parts[-2]}_{parts[-1]}"
    else:
        name = parts[-1]
    return name if layer.type.startswith("Separable") else ROLES.get(name, name)


def compare(keras, layer, shapes):
    """Ours against Keras': output shapes, then role, shape and trainability of each weight."""
    built = build(keras, layer)
    dtype = {"Embedding": "int32", "IntegerLookup": "int64", "StringLookup": "string", "TextVectorization": "string"}.get(layer.type, "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = [keras.Input(batch_shape=shape, dtype=dtype) for shape in shapes]
        if layer.type in {"MultiHeadAttention", "GroupQueryAttention"}:
            result = built(*inputs)
        elif len(shapes) > 1 and layer.type in {"LSTM", "GRU", "SimpleRNN"}:
            result = built(inputs[0], initial_state=inputs[1:])
        else:
            result = built(inputs if len(inputs) > 1 else inputs[0])
    results = list(result) if isinstance(result, list | tuple) else [result]
    names = [f"in{i}" for i in range(len(shapes))]
    ours = Architecture(
        layers=(layer,),
        inputs=tuple(Input(name, shape, dtype) for name, shape in zip(names, shapes, strict=True)),
        calls=(Call("x", tuple(names), outputs=tuple(f"out{i}" for i in range(len(results)))),),
        outputs=("out0",),
    )
    inference = infer(ours)
    assert inference.problems == ()
    assert inference.layers["/layers/0"].calls[0].outputs == tuple(tuple(one.shape) for one in results)
    slots = weight_slots(ours, inference)
    owned = [v for v in built.weights if "seed_generator" not in getattr(v, "path", v.name)]
    assert [(s.role, s.shape, s.trainable) for s in slots] == [(role(layer, v), tuple(v.shape), v.trainable) for v in owned]
    assert sum(prod(s.shape) for s in slots) == built.count_params()


KERAS_2_ONLY = {"ThresholdedReLU", "RandomHeight", "RandomWidth"}
KERAS_3_ONLY = {"GroupQueryAttention", *(f"Adaptive{what}Pooling{rank}D" for what in ("Max", "Average") for rank in (1, 2, 3)), "RMSNormalization", "SpatialDropout3D", *list(AUGMENTATION)[8:]}


def is_in(keras, name, config):
    """Whether this generation has the type, with the config."""
    two = keras.__name__.startswith("tf_")
    if two and name == "Conv3DTranspose" and "dilation_rate" in config:
        return False  # taken and then ignored
    if not two and name == "TextVectorization" and config.get("output_mode") == "multi_hot":
        return False  # announces an axis more than it yields; what it yields is judged beside the other texts
    return name not in (KERAS_3_ONLY if two else KERAS_2_ONLY)


ELSEWHERE = {"InstanceNormalization", "LocalResponseNormalization", "PixelShuffle", "PixelUnshuffle", "Padding1D", "Padding2D", "Padding3D", "Model", "SimpleRNNCell", "LSTMCell", "GRUCell"} | {name for name, found in LAYER_TYPES.items() if found.sublayers or "keras" not in found.equivalents}
"""Types that no single call of a Keras layer is."""


@pytest.mark.parametrize("name", [name for name in LAYER_TYPES if name not in ELSEWHERE])
def test_a_type_agrees_with_keras(keras, name):
    """Output shape, roles, shapes, order and trainability are Keras' own, for every config of the grid."""
    cases = [(config, shapes) for found, config, shapes in grid() if found == name]
    assert cases
    for config, shapes in cases:
        if is_in(keras, name, config):
            try:
                compare(keras, Layer("x", name, config), shapes)
            except Exception as error:
                error.add_note(f"{name} {config} on {shapes}")
                raise


def test_wrappers_agree_with_keras(keras):
    """Bidirectional and TimeDistributed yield what Keras' do and own their sublayers' weights."""
    for layer, shapes in wrappers():
        try:
            compare(keras, layer, shapes)
        except Exception as error:
            error.add_note(f"{layer} on {shapes}")
            raise
