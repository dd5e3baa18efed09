"""Keras 3: every layer type that it has, with every option that changes numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from common import EXACT, FINE, LOOSE, Row, document, integers, layer, numbers, positive, unless_compared

Json = Any
SEQUENCE, IMAGE, VOLUME = (2, 5, 2), (1, 4, 5, 2), (1, 3, 3, 4, 2)
BY_RANK = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}
AFTER_TRAINING = ("EVL-001", "EVL-002")
MASKED = ("EVL-001", "EVL-003")
ROLES = {
    "Dense": ("kernel", "bias"), "Embedding": ("embeddings",), "EinsumDense": ("kernel", "bias"),
    "SeparableConv": ("depthwise_kernel", "pointwise_kernel", "bias"), "Conv": ("kernel", "bias"), "DepthwiseConv": ("kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"), "LayerNormalization": ("gamma", "beta"),
    "GroupNormalization": ("gamma", "beta"), "RMSNormalization": ("scale",), "PReLU": ("alpha",),
    "SimpleRNN": ("kernel", "recurrent_kernel", "bias"), "LSTM": ("kernel", "recurrent_kernel", "bias"), "GRU": ("kernel", "recurrent_kernel", "bias"),
    "Attention": ("scale", "concat_score_weight"),
    "MultiHeadAttention": tuple(f"{part}_{what}" for part in ("query", "key", "value", "output") for what in ("kernel", "bias")),
}
"""Roles in the order of get_weights(); those that a config leaves out are skipped by `roles`."""
ABSENT = {"use_bias": ("bias", "query_bias", "key_bias", "value_bias", "output_bias"), "scale": ("gamma",), "center": ("beta",)}
RENAMED = {"silu": "silu", "gelu_tanh": keras.activations.gelu, "hard_silu": "hard_silu"}


def versions() -> dict[str, str]:
    """What answered."""
    backend = keras.backend.backend()
    return {"keras": keras.__version__, backend: __import__(backend).__version__, "numpy": np.__version__}


def activation(name: str) -> Any:
    """Keras' spelling of an activation."""
    if name == "gelu":
        return lambda x: keras.activations.gelu(x, approximate=False)
    if name == "gelu_tanh":
        return lambda x: keras.activations.gelu(x, approximate=True)
    return name


def arguments(config: Mapping[str, Json]) -> dict[str, Any]:
    """Keras' arguments for a config of ours."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if name == "padding" and value == "same_upper":
            found[name] = "same"
        elif name in {"activation", "recurrent_activation"}:
            found[name] = activation(value)
        else:
            plain = tuple(tuple(one) if isinstance(one, list) else one for one in value) if isinstance(value, list) else value
            alone = isinstance(plain, tuple) and len(plain) == 1 and name in {"padding", "cropping", "size"}
            found[name] = plain[0] if alone else plain  # Keras says one axis without the outer pair of brackets
    return found


def roles(type_: str, config: Mapping[str, Json]) -> list[str]:
    """The roles that a layer has, in the order of get_weights()."""
    stem = type_ if type_ in ROLES else type_.rstrip("D").rstrip("123").removesuffix("DTranspose").rstrip("123")
    found = list(ROLES.get(stem, ()))
    for member, gone in ABSENT.items():
        if config.get(member) is False:
            found = [role for role in found if role not in gone]
    if type_ == "Attention":
        found = [role for role in found if (role == "scale" and config.get("use_scale")) or (role != "scale" and config.get("score_mode") == "concat")]
    return found


def fill(one: Any, slug: str, names: Sequence[str], prefix: str = "layer") -> dict[str, np.ndarray]:
    """Gives a built layer weights that follow from `slug`; by the names of stored tensors."""
    assert len(one.weights) == len(names), (slug, [w.path for w in one.weights], names)
    given = {}
    for weight, role in zip(one.weights, names, strict=True):
        make = positive if "variance" in role or role == "gamma" else numbers
        given[f"{prefix}.{role}"] = make(f"{slug} {role}", weight.shape, dtype=str(weight.dtype))
    one.set_weights(list(given.values()))
    return given


def arrays(given: Any) -> list[np.ndarray]:
    """Results as numpy arrays."""
    return [np.asarray(keras.ops.convert_to_numpy(value)) for value in (given if isinstance(given, (list, tuple)) else [given])]


@unless_compared
def single(slug: str, title: str, type_: str, config: Mapping[str, Json], *shapes: Sequence[int] | np.ndarray, **more: Any) -> Row:
    """A layer by itself: sequential with one input and one output, else a graph."""
    outputs = more.pop("outputs", ["layer"])
    sublayers, build, said = more.pop("sublayers", None), more.pop("build", None), more.pop("said", {})
    keras_call, names = more.pop("keras_call", {}), more.pop("names", None)
    inputs = {
        "xyz"[i]: shape if isinstance(shape, np.ndarray) else numbers(f"{slug} {i}", shape, dtype=more.get("dtype", "float32"))
        for i, shape in enumerate(shapes)
    }
    dtype = more.pop("dtype", "float32")
    one = build() if build else getattr(keras.layers, type_)(**arguments(config), dtype=dtype)
    given = [keras.ops.convert_to_tensor(array) for array in inputs.values()]
    taken = given if more.pop("as_list", type_ in MERGING or (len(given) > 1 and type_.endswith("Attention") and type_ != "MultiHeadAttention")) else None
    invoke = (lambda: one(taken, **keras_call)) if taken is not None else (lambda: one(*given, **keras_call))
    call = f"keras.layers.{type_}({', '.join(f'{name}={value!r}' for name, value in config.items())})"
    if type_ in {"SimpleRNN", "LSTM", "GRU"} and len(given) > 1:
        invoke = lambda: one(given[0], initial_state=given[1:] if len(given) > 2 else given[1])  # noqa: E731
    invoke()
    weights = fill(one, slug, names if names is not None else roles(type_, config))
    facts = {"sublayers": sublayers} if sublayers else {}
    if dtype != "float32":
        facts["dtype"] = dtype
    one_layer = layer(type_, config, **facts)
    if len(inputs) == 1 and list(outputs) == ["layer"] and not said:
        whole = document([one_layer], inputs)
    else:
        calls = [{"layer": "layer", "inputs": list(inputs), **({"arguments": said} if said else {}), **({"outputs": list(outputs)} if list(outputs) != ["layer"] else {})}]
        whole = document([one_layer], inputs, calls, outputs)
    return Row(slug, title, whole, weights, inputs, lambda: arrays(invoke()), call, outputs, **more)


MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot")


def core() -> Iterator[Row]:
    yield single("dense", "A Dense layer", "Dense", {"units": 3}, (2, 4))
    yield single("dense-relu-no-bias", "A Dense layer without bias, with relu", "Dense", {"units": 3, "activation": "relu", "use_bias": False}, (2, 4))
    yield single("dense-softmax-of-a-sequence", "A Dense layer on a sequence, with softmax", "Dense", {"units": 3, "activation": "softmax"}, (2, 3, 2))
    yield single("dense-float64", "A Dense layer in float64", "Dense", {"units": 3, "activation": "tanh"}, (2, 4), dtype="float64", tolerance=FINE,
                 requirements=("EVL-001", "EVL-004"))
    yield single("embedding", "Rows of a table", "Embedding", {"input_dim": 5, "output_dim": 3}, integers("embedding", (2, 4), 5), tolerance=EXACT)
    yield single("identity", "Identity", "Identity", {}, (2, 3), tolerance=EXACT)
    yield single("rescaling", "Scale and offset", "Rescaling", {"scale": 0.25, "offset": -1.0}, (2, 3))
    yield single("rescaling-each-channel", "A scale and an offset for each channel", "Rescaling", {"scale": [0.5, 2.0, -1.0], "offset": [1.0, 0.0, 0.25]}, (2, 2, 3))
    yield single("masking-passes-its-input", "Masking yields its input where nothing is masked", "Masking", {"mask_value": 9.0}, (2, 3, 2), tolerance=EXACT)
    for type_, config, shape in (
        ("Dropout", {"rate": 0.5}, (2, 4)), ("SpatialDropout1D", {"rate": 0.5}, SEQUENCE), ("SpatialDropout2D", {"rate": 0.5}, (1, 2, 2, 3)),
        ("SpatialDropout3D", {"rate": 0.5}, (1, 2, 2, 2, 2)), ("GaussianNoise", {"stddev": 0.5}, (2, 4)), ("GaussianDropout", {"rate": 0.5}, (2, 4)),
        ("AlphaDropout", {"rate": 0.5}, (2, 4)), ("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (2, 4)),
    ):
        yield single(type_.lower(), f"{type_} changes nothing after training", type_, config, shape, tolerance=EXACT, requirements=AFTER_TRAINING)


def augmentation() -> Iterator[Row]:
    image = (1, 4, 3, 3)
    for type_, config in (
        ("RandomFlip", {}), ("RandomRotation", {"factor": 0.2}), ("RandomTranslation", {"height_factor": 0.2, "width_factor": [-0.1, 0.3]}),
        ("RandomZoom", {"height_factor": 0.2}), ("RandomShear", {"x_factor": 0.2, "y_factor": 0.1}), ("RandomContrast", {"factor": 0.2}),
        ("RandomBrightness", {"factor": 0.2}), ("RandomHue", {"factor": 0.2}), ("RandomSaturation", {"factor": 0.2}), ("RandomSharpness", {"factor": 0.2}),
        ("RandomColorDegeneration", {"factor": 0.2}), ("RandomInvert", {}), ("RandomPosterization", {"factor": 4}), ("RandomErasing", {}), ("RandomGaussianBlur", {}),
    ):
        yield single(type_.lower(), f"{type_} changes nothing after training", type_, config, image, tolerance=EXACT, requirements=AFTER_TRAINING, keras_call={"training": False})
    for slug, words, config in (
        ("odd", "the odd pixel left out at the end", {"height": 2, "width": 2}),
        ("too-low", "of an image that is too low", {"height": 6, "width": 2}),
        ("too-small", "of an image that is too small", {"height": 5, "width": 7}),
        ("far-too-wide", "of an image of which a line is left", {"height": 1, "width": 9}),
        ("far-too-high", "of an image of which a column is left", {"height": 9, "width": 1}),
    ):
        yield single(f"centercrop-{slug}", f"The middle of an image, {words}", "CenterCrop", config, (1, 5, 3, 2))


def convolution() -> Iterator[Row]:
    for rank, shape in BY_RANK.items():
        small = {"filters": 2, "kernel_size": [2, 3, 2][:rank]}
        for slug, words, options in (
            ("valid", "without padding", {}),
            ("strided", "with strides", {"strides": [2] * rank}),
            ("same-upper", "padded, the odd element at the end", {"padding": "same_upper"}),
            ("same-upper-strided", "padded and strided", {"padding": "same_upper", "strides": [2] * rank, "kernel_size": {1: [2], 2: [3, 2], 3: [2, 2, 3]}[rank]}),
            ("dilated", "with dilation", {"kernel_size": [2] * rank, "dilation_rate": [2] * rank}),
        ):
            yield single(f"conv{rank}d-{slug}", f"Convolution over {rank} axes {words}", f"Conv{rank}D", {**small, **options}, shape)
        for slug, words, options in (
            ("valid", "without trimming", {"kernel_size": [2] * rank}),
            ("strided", "with strides", {"kernel_size": [3] + [2] * (rank - 1), "strides": [2] + [1] * (rank - 1)}),
            ("same-upper", "trimmed to the input's extent", {"padding": "same_upper", "kernel_size": [3] + [2] * (rank - 1)}),
            ("same-upper-strided", "trimmed and strided", {"padding": "same_upper", "kernel_size": [3] + [2] * (rank - 1), "strides": [2] + [1] * (rank - 1)}),
        ):
            little = (1, 3, 2) if rank == 1 else (1, 3, 2, 2) if rank == 2 else (1, 2, 2, 2, 1)
            yield single(f"conv{rank}dtranspose-{slug}", f"Transposed convolution over {rank} axes {words}", f"Conv{rank}DTranspose", {**small, **options}, little)
    yield single("conv1d-causal", "Causal convolution", "Conv1D", {"filters": 2, "kernel_size": [3], "padding": "causal"}, SEQUENCE)
    yield single("conv1d-causal-dilated", "Causal convolution with dilation", "Conv1D",
                 {"filters": 2, "kernel_size": [2], "padding": "causal", "dilation_rate": [2]}, SEQUENCE)
    yield single("conv1d-grouped", "Two groups of channels", "Conv1D", {"filters": 4, "kernel_size": [2], "groups": 2, "use_bias": False}, (1, 4, 4))
    yield single("conv2d-relu", "A convolution with an activation", "Conv2D", {"filters": 2, "kernel_size": [2, 2], "activation": "relu"}, IMAGE)
    yield single("conv2d-float64", "A convolution in float64", "Conv2D", {"filters": 2, "kernel_size": [3, 3]}, (1, 4, 4, 2), dtype="float64", tolerance=FINE,
                 requirements=("EVL-001", "EVL-004"))
    yield single("conv2dtranspose-output-padding", "A transposed convolution with output padding", "Conv2DTranspose",
                 {"filters": 1, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same_upper", "output_padding": [1, 1]}, (1, 2, 3, 2))
    for rank, shape in ((1, SEQUENCE), (2, (1, 4, 4, 2))):
        for slug, options in (("valid", {}), ("same-upper-strided", {"padding": "same_upper", "strides": [2] * rank})):
            window = {"kernel_size": [3, 2][:rank], "depth_multiplier": 2, **options}
            yield single(f"separableconv{rank}d-{slug}", f"Separable convolution over {rank} axes, {slug.replace('-', ' ')}", f"SeparableConv{rank}D",
                         {"filters": 3, **window}, shape)
            yield single(f"depthwiseconv{rank}d-{slug}", f"Depthwise convolution over {rank} axes, {slug.replace('-', ' ')}", f"DepthwiseConv{rank}D", window, shape)
    yield single("depthwiseconv2d-dilated", "Depthwise convolution with dilation", "DepthwiseConv2D", {"kernel_size": [2, 2], "dilation_rate": [2, 1]}, (1, 4, 4, 2))


def pooling() -> Iterator[Row]:
    for what, tolerance in (("Max", EXACT), ("Average", LOOSE)):
        for rank, shape in BY_RANK.items():
            type_ = f"{what}Pooling{rank}D"
            yield single(f"{type_.lower()}-valid", f"{what} pooling over {rank} axes", type_, {"pool_size": [2] * rank}, shape, tolerance=tolerance)
            yield single(f"{type_.lower()}-same-upper", f"{what} pooling over {rank} axes, padded, padding not counted", type_,
                         {"pool_size": [3, 2, 2][:rank], "strides": [2] * rank, "padding": "same_upper"}, shape, tolerance=tolerance)
            yield single(f"global{type_.lower()}", f"{what} of all positions of {rank} axes", f"Global{type_}", {}, shape, tolerance=tolerance)
        yield single(f"{what.lower()}pooling2d-overlapping", f"{what} pooling with overlapping windows", f"{what}Pooling2D",
                     {"pool_size": [3, 2], "strides": [1, 1]}, (1, 4, 4, 1), tolerance=tolerance)
        yield single(f"global{what.lower()}pooling2d-keepdims", f"{what} of all positions, axes kept", f"Global{what}Pooling2D", {"keepdims": True}, IMAGE, tolerance=tolerance)
        yield single(f"global{what.lower()}pooling1d-channels-first", f"{what} of all positions of the last axis", f"Global{what}Pooling1D",
                     {"data_format": "channels_first"}, SEQUENCE, tolerance=tolerance)


def normalization() -> Iterator[Row]:
    flat = {"momentum": 0.99, "epsilon": 1e-3}
    small = numbers("small", (2, 6), step=1 / 256, spread=0.05)
    yield single("batchnormalization", "Normalisation by moving mean and variance", "BatchNormalization", flat, (3, 4), requirements=AFTER_TRAINING)
    yield single("batchnormalization-epsilon", "A large epsilon", "BatchNormalization", {**flat, "epsilon": 0.5}, (3, 4))
    yield single("batchnormalization-axis-one", "Channels on axis 1", "BatchNormalization", {"axis": 1, **flat}, (1, 3, 2, 2))
    yield single("batchnormalization-no-scale", "No gamma", "BatchNormalization", {**flat, "scale": False}, (2, 3))
    yield single("batchnormalization-no-center", "No beta", "BatchNormalization", {**flat, "center": False}, (2, 3))
    yield single("layernormalization", "Normalisation along the last axis", "LayerNormalization", {"epsilon": 1e-3}, (2, 5))
    yield single("layernormalization-small-values", "Layer normalisation of small values, Keras' epsilon", "LayerNormalization", {"epsilon": 1e-3}, small)
    yield single("layernormalization-two-axes", "Normalisation along two axes", "LayerNormalization", {"axis": [1, 2], "epsilon": 1e-3}, (2, 3, 2))
    yield single("layernormalization-axis-one", "Normalisation along axis 1, without beta", "LayerNormalization", {"axis": 1, "epsilon": 1e-3, "center": False}, (2, 3, 2))
    yield single("layernormalization-no-scale", "Layer normalisation without gamma", "LayerNormalization", {"epsilon": 1e-3, "scale": False}, (2, 4))
    yield single("rmsnormalization", "Division by the root mean square", "RMSNormalization", {"epsilon": 1e-6}, (2, 5))
    yield single("rmsnormalization-epsilon", "Root mean square with a large epsilon", "RMSNormalization", {"epsilon": 0.25}, (2, 5))
    yield single("groupnormalization", "Two groups of channels", "GroupNormalization", {"groups": 2, "epsilon": 1e-3}, (2, 2, 4))
    yield single("groupnormalization-each-channel", "Every channel by itself", "GroupNormalization", {"groups": -1, "epsilon": 1e-3}, (2, 3, 2))
    yield single("groupnormalization-axis-one", "Groups of channels on axis 1", "GroupNormalization", {"groups": 2, "axis": 1, "epsilon": 1e-3, "scale": False}, (1, 4, 2, 2))
    yield single("unitnormalization", "Division by the length", "UnitNormalization", {}, (2, 4))
    yield single("unitnormalization-two-axes", "Division by the length along two axes", "UnitNormalization", {"axis": [1, 2]}, (2, 3, 2))


NAMES = ("linear", "relu", "relu6", "sigmoid", "tanh", "softmax", "log_softmax", "softplus", "softsign", "elu", "selu", "gelu", "gelu_tanh", "silu", "mish", "exponential", "hard_sigmoid", "hard_silu",
         "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "log_sigmoid", "squareplus", "sparse_plus", "sparse_sigmoid", "sparsemax")


def activations() -> Iterator[Row]:
    wide = np.asarray([[-8.0, -3.0, -1.5, -0.25], [0.0, 0.5, 2.75, 7.0]], "float32")
    for name in NAMES:
        yield single(f"activation-{name.replace('_', '-')}", f"The activation {name}", "Activation", {"activation": name}, wide)
    yield single("activation-leaky-relu", "The activation leaky_relu has the slope 0.2", "Activation", {"activation": "leaky_relu"}, wide)
    for slug, config in (("plain", {}), ("max-value", {"max_value": 2.0}), ("slope", {"negative_slope": 0.25}),
                         ("threshold", {"threshold": 1.0, "negative_slope": 0.5, "max_value": 6.0})):
        yield single(f"relu-{slug}", f"ReLU, {slug.replace('-', ' ')}", "ReLU", config, wide)
    yield single("leakyrelu-keras", "LeakyReLU with Keras' slope 0.3", "LeakyReLU", {"negative_slope": 0.3}, wide)
    yield single("prelu", "A learned slope for each element", "PReLU", {}, (2, 2, 3))
    yield single("prelu-shared", "A learned slope for each channel", "PReLU", {"shared_axes": [1]}, (2, 2, 3))
    yield single("elu-alpha", "ELU with a factor", "ELU", {"alpha": 0.5}, wide)
    yield single("softmax", "Softmax along the last axis", "Softmax", {}, wide)
    yield single("softmax-axis-one", "Softmax along axis 1", "Softmax", {"axis": 1}, (2, 3, 2))
    yield single("softmax-two-axes", "Softmax along two axes at once", "Softmax", {"axis": [1, 2]}, (2, 3, 2))


def reshaping() -> Iterator[Row]:
    moved = {"tolerance": EXACT}
    yield single("flatten", "Flatten keeps the order of a channels-last image", "Flatten", {}, (2, 2, 2, 3), **moved)
    yield single("flatten-channels-first", "Channels first: Flatten puts them last before it flattens", "Flatten", {"data_format": "channels_first"}, (1, 3, 2, 2), **moved)
    yield single("reshape", "Other axes, row-major", "Reshape", {"target_shape": [3, -1]}, (2, 2, 6), **moved)
    yield single("permute", "Axes in another order", "Permute", {"dims": [3, 1, 2]}, (1, 2, 3, 4), **moved)
    yield single("repeatvector", "A vector repeated", "RepeatVector", {"n": 3}, (2, 2), **moved)
    ends = [[1, 2], [0, 1], [2, 0]]
    for rank, shape in ((1, (1, 5, 2)), (2, (1, 4, 3, 1)), (3, (1, 4, 2, 3, 1))):
        yield single(f"zeropadding{rank}d", f"Zeros around {rank} axes", f"ZeroPadding{rank}D", {"padding": ends[:rank]}, (1, *[2] * rank, 1), **moved)
        yield single(f"cropping{rank}d", f"Ends of {rank} axes dropped", f"Cropping{rank}D", {"cropping": ends[:rank]}, shape, **moved)
        yield single(f"upsampling{rank}d", f"{rank} axes enlarged by repetition", f"UpSampling{rank}D", {"size": [2, 3, 2][:rank]}, (1, *[2] * rank, 1), **moved)
    yield single("upsampling2d-bilinear", "Bilinear enlargement, centres aligned", "UpSampling2D", {"size": [2, 3], "interpolation": "bilinear"}, (1, 3, 2, 1))


def merging() -> Iterator[Row]:
    pair = ((2, 3), (2, 3))
    for type_ in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
        yield single(type_.lower(), f"{type_} of two values", type_, {}, *pair)
    yield single("average-of-three", "Average of three values", "Average", {}, (2, 2), (2, 2), (2, 2))
    yield single("add-broadcast", "A vector added to each step", "Add", {}, (2, 3, 2), (2, 1, 2))
    yield single("concatenate", "Joined along the last axis", "Concatenate", {}, (2, 3), (2, 2), tolerance=EXACT)
    yield single("concatenate-axis-one", "Joined along axis 1", "Concatenate", {"axis": 1}, (2, 1, 2), (2, 2, 2), tolerance=EXACT)
    yield single("dot", "Scalar products", "Dot", {"axes": 1}, *pair)
    yield single("dot-two-axes", "Products along different axes", "Dot", {"axes": [2, 1]}, (2, 2, 3), (2, 3, 2))
    yield single("dot-normalize", "Cosines", "Dot", {"axes": -1, "normalize": True}, *pair)


def recurrent() -> Iterator[Row]:
    gated = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid"}
    for type_, base, states in (
        ("SimpleRNN", {"units": 2, "activation": "tanh"}, 1), ("LSTM", gated, 2), ("GRU", {**gated, "reset_after": True}, 1), ("GRU", {**gated, "reset_after": False}, 1),
    ):
        stem = type_.lower() + ("" if base.get("reset_after", True) else "-reset-before")
        steps = (2, 3, 2)
        yield single(f"{stem}-last", f"{type_}: the last step", type_, base, steps)
        yield single(f"{stem}-sequences", f"{type_}: every step", type_, {**base, "return_sequences": True}, steps)
        yield single(f"{stem}-backwards", f"{type_}: from the last step to the first", type_, {**base, "return_sequences": True, "go_backwards": True}, steps)
        yield single(f"{stem}-no-bias", f"{type_} without bias", type_, {**base, "use_bias": False}, steps)
        yield single(f"{stem}-state", f"{type_}: the state is yielded too", type_, {**base, "return_state": True}, steps,
                     outputs=["last", "h", "c"][: 1 + states])
        initial = [numbers(f"{stem} initial {i}", (2, 2)) for i in range(states)]
        yield single(f"{stem}-initial-state", f"{type_} from a given state", type_, base, steps, *initial)
        yield masked(f"{stem}-masked", f"{type_} over steps of which some are masked", type_, {**base, "return_sequences": True})
    yield masked("lstm-masked-zero-output", "LSTM that yields zeros at masked steps", "LSTM", {**gated, "return_sequences": True, "zero_output_for_mask": True})
    yield masked("lstm-masked-last", "LSTM whose last steps are masked", "LSTM", gated)
    yield single("lstm-float64", "LSTM in float64", "LSTM", gated, (2, 3, 2), dtype="float64", tolerance=FINE, requirements=("EVL-001", "EVL-004"))
    yield single("lstm-hard-sigmoid", "LSTM with hard_sigmoid gates", "LSTM", {**gated, "recurrent_activation": "hard_sigmoid"}, (2, 3, 2))


@unless_compared
def masked(slug: str, title: str, type_: str, config: Mapping[str, Json]) -> Row:
    """A Masking layer before the recurrent one."""
    x = numbers(slug, (2, 4, 2))
    x[0, 1], x[0, 3], x[1, 0], x[1, 3] = 0, 0, 0, 0
    one = getattr(keras.layers, type_)(**arguments(config))
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Masking(0.0), one])
    weights = fill(one, slug, roles(type_, config))
    whole = document([layer("Masking", {"mask_value": 0.0}, "masking"), layer(type_, config)], {"x": x})
    return Row(slug, title, whole, weights, {"x": x}, lambda: arrays(model(x)), f"keras.layers.Masking(0.0), keras.layers.{type_}({config})", requirements=MASKED)


def wrapping() -> Iterator[Row]:
    gated = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid"}
    names = [f"{side}.{role}" for side in ("forward", "backward") for role in ("kernel", "recurrent_kernel", "bias")]
    for mode in ("concat", "sum", "mul", "ave", "none"):
        inner = {**gated, "return_sequences": mode != "sum"}
        sublayers = {"forward": {"type": "LSTM", "config": inner}, "backward": {"type": "LSTM", "config": {**inner, "go_backwards": True}}}
        build = lambda inner=inner, mode=mode: keras.layers.Bidirectional(keras.layers.LSTM(**inner), merge_mode=None if mode == "none" else mode)  # noqa: E731
        yield single(f"bidirectional-{mode}", f"Both directions, merged by {mode}", "Bidirectional", {"merge_mode": mode}, (1, 3, 2), sublayers=sublayers, build=build,
                     names=names, outputs=["layer"] if mode != "none" else ["forward", "backward"])
    gru = {**gated, "reset_after": True, "return_sequences": True}
    yield single("bidirectional-gru", "Both directions of a GRU", "Bidirectional", {}, (1, 3, 2), names=names,
                 sublayers={"forward": {"type": "GRU", "config": gru}, "backward": {"type": "GRU", "config": {**gru, "go_backwards": True}}},
                 build=lambda: keras.layers.Bidirectional(keras.layers.GRU(**gru)))
    yield single("timedistributed-dense", "A Dense layer on each step", "TimeDistributed", {}, (2, 3, 2), names=["layer.kernel", "layer.bias"],
                 sublayers={"layer": {"type": "Dense", "config": {"units": 2}}}, build=lambda: keras.layers.TimeDistributed(keras.layers.Dense(2)))
    yield single("timedistributed-conv1d", "A convolution on each step", "TimeDistributed", {}, (1, 2, 4, 2), names=["layer.kernel", "layer.bias"],
                 sublayers={"layer": {"type": "Conv1D", "config": {"filters": 2, "kernel_size": [2]}}},
                 build=lambda: keras.layers.TimeDistributed(keras.layers.Conv1D(2, 2)))


def attention() -> Iterator[Row]:
    query, value = (2, 3, 2), (2, 4, 2)
    yield single("attention", "Dot-product attention", "Attention", {}, query, value)
    yield single("attention-key", "Attention with keys of their own", "Attention", {}, query, value, value)
    yield single("attention-scaled", "Attention with a learned scale", "Attention", {"use_scale": True}, query, value)
    yield single("attention-concat", "Additive attention with learned weights", "Attention", {"score_mode": "concat", "use_scale": True}, query, value)
    yield single("attention-causal", "Causal attention", "Attention", {}, (1, 3, 2), (1, 3, 2), said={"use_causal_mask": True}, keras_call={"use_causal_mask": True})
    yield single("attention-scores", "Attention that yields its weights, too", "Attention", {}, query, value, said={"return_attention_scores": True},
                 keras_call={"return_attention_scores": True}, outputs=["attended", "scores"])
    heads = {"num_heads": 2, "key_dim": 2}
    yield single("multiheadattention", "Two heads", "MultiHeadAttention", heads, (1, 3, 2), (1, 4, 2))
    yield single("multiheadattention-value-dim", "Heads with values of another extent", "MultiHeadAttention", {**heads, "value_dim": 3, "use_bias": False}, (1, 3, 2), (1, 2, 2))
    yield single("multiheadattention-output-shape", "A result of another extent", "MultiHeadAttention", {**heads, "output_shape": [3]}, (1, 2, 2), (1, 3, 2), (1, 3, 2))
    yield single("multiheadattention-causal", "Causal attention of two heads", "MultiHeadAttention", heads, (1, 3, 2), (1, 3, 2), said={"use_causal_mask": True},
                 keras_call={"use_causal_mask": True})
    yield single("multiheadattention-scores", "Weights of two heads", "MultiHeadAttention", heads, (1, 2, 2), (1, 3, 2), said={"return_attention_scores": True},
                 keras_call={"return_attention_scores": True}, outputs=["attended", "scores"])
    yield with_mask()


@unless_compared
def with_mask() -> Row:
    """A mask among the inputs: true lets an element be attended to."""
    slug, heads = "multiheadattention-mask", {"num_heads": 2, "key_dim": 2}
    row = single(slug, "A mask that is true where attention is allowed", "MultiHeadAttention", heads, (1, 2, 2), (1, 3, 2))
    mask = np.asarray([[[True, False, True], [False, True, True]]])
    one = keras.layers.MultiHeadAttention(**arguments(heads))
    query, value = (keras.ops.convert_to_tensor(array) for array in row.inputs.values())
    ask = lambda: one(query, value, attention_mask=mask)  # noqa: E731
    ask()
    one.set_weights(list(row.weights.values()))
    row.run, row.inputs = lambda: arrays(ask()), {**row.inputs, "mask": mask}
    row.architecture = document(row.architecture["layers"], row.inputs, [{"layer": "layer", "inputs": ["x", "y"], "arguments": {"attention_mask": {"value": "mask"}}}])
    return row


def graphs() -> Iterator[Row]:
    """Several layers: what one yields the next takes; masks and shared layers, too."""
    tokens = np.asarray([[1, 2, 0, 0], [3, 0, 4, 1]], "int32")
    plain = {"units": 2, "activation": "tanh"}
    gated = {**plain, "recurrent_activation": "sigmoid"}
    one = keras.Sequential([keras.Input((4,), dtype="int32"), keras.layers.Embedding(5, 2, mask_zero=True), keras.layers.LSTM(2)])
    yield chained("embedding-mask-zero-lstm", "An embedding masks zeros for the LSTM after it", one, {"x": tokens},
                  [layer("Embedding", {"input_dim": 5, "output_dim": 2, "mask_zero": True}, "embedding"), layer("LSTM", gated)],
                  ["embedding.embeddings", "layer.kernel", "layer.recurrent_kernel", "layer.bias"])
    one = keras.Sequential([keras.Input((4,), dtype="int32"), keras.layers.Embedding(5, 2, mask_zero=True), keras.layers.GlobalAveragePooling1D()])
    yield chained("embedding-mask-zero-average", "Masked steps do not enter a mean", one, {"x": tokens},
                  [layer("Embedding", {"input_dim": 5, "output_dim": 2, "mask_zero": True}, "embedding"), layer("GlobalAveragePooling1D")], ["embedding.embeddings"])
    one = keras.Sequential([keras.Input((4,), dtype="int32"), keras.layers.Embedding(5, 2, mask_zero=True), keras.layers.Dense(1, activation="tanh"),
                            keras.layers.Bidirectional(keras.layers.SimpleRNN(2))])
    names = [f"layer.{side}.{role}" for side in ("forward", "backward") for role in ("kernel", "recurrent_kernel", "bias")]
    yield chained("mask-through-dense-bidirectional", "A mask passes a Dense layer and reaches both directions", one, {"x": tokens},
                  [layer("Embedding", {"input_dim": 5, "output_dim": 2, "mask_zero": True}, "embedding"), layer("Dense", {"units": 1, "activation": "tanh"}, "dense"),
                   layer("Bidirectional", sublayers={"forward": {"type": "SimpleRNN", "config": plain}, "backward": {"type": "SimpleRNN", "config": {**plain, "go_backwards": True}}})],
                  ["embedding.embeddings", "dense.kernel", "dense.bias", *names])
    one = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3, padding="same", activation="relu"), keras.layers.MaxPooling2D(2), keras.layers.Flatten(),
                            keras.layers.Dense(3, activation="softmax")])
    yield chained("small-classifier", "Convolution, pooling, Flatten and Dense", one, {"x": numbers("small classifier", (1, 4, 4, 1))},
                  [layer("Conv2D", {"filters": 2, "kernel_size": [3, 3], "padding": "same_upper", "activation": "relu"}, "conv"),
                   layer("MaxPooling2D", {"pool_size": [2, 2]}, "pool"), layer("Flatten", name="flat"), layer("Dense", {"units": 3, "activation": "softmax"})],
                  ["conv.kernel", "conv.bias", "layer.kernel", "layer.bias"])
    x, y = keras.Input((2,), name="x"), keras.Input((2,), name="y")
    shared = keras.layers.Dense(2)
    one = keras.Model([x, y], keras.layers.Subtract()([shared(x), shared(y)]))
    inputs = {"x": numbers("shared x", (2, 2)), "y": numbers("shared y", (2, 2))}
    yield chained("shared-layer", "One layer is applied to two inputs", one, inputs, [layer("Dense", {"units": 2}, "dense"), layer("Subtract")],
                  ["dense.kernel", "dense.bias"], [{"layer": "dense", "inputs": ["x"], "outputs": ["a"]}, {"layer": "dense", "inputs": ["y"], "outputs": ["b"]},
                                                   {"layer": "layer", "inputs": ["a", "b"]}])
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="relu")])
    one = keras.Sequential([keras.Input((2,)), inner, keras.layers.Dense(1)])
    yield chained("nested-model", "A nested architecture is applied like a layer", one, {"x": numbers("nested", (2, 2))},
                  [{"name": "inner", "type": "Model", "architecture": {"layers": [layer("Dense", {"units": 2, "activation": "relu"}, "dense")]}}, layer("Dense", {"units": 1})],
                  ["inner.dense.kernel", "inner.dense.bias", "layer.kernel", "layer.bias"])
    x = keras.Input((2,), name="x")
    one = keras.Model(x, [keras.layers.Dense(2)(x), keras.layers.Activation("tanh")(x)])
    yield chained("two-outputs", "Two outputs by name", one, {"x": numbers("two outputs", (2, 2))}, [layer("Dense", {"units": 2}, "dense"), layer("Activation", {"activation": "tanh"}, "squashed")],
                  ["dense.kernel", "dense.bias"], [{"layer": "dense", "inputs": ["x"]}, {"layer": "squashed", "inputs": ["x"]}], ["squashed", "dense"],
                  pick=lambda got: got[::-1], requirements=("EVL-001", "EVL-005"))


@unless_compared
def chained(slug: str, title: str, model: Any, inputs: Mapping[str, np.ndarray], layers: Sequence[Json], names: Sequence[str], calls: Any = None,
            outputs: Sequence[str] = ("layer",), *, pick: Any = lambda got: got, requirements: Sequence[str] | None = None) -> Row:
    """A whole model."""
    weights = {name: numbers(f"{slug} {name}", weight.shape) for name, weight in zip(names, model.weights, strict=True)}
    model.set_weights(list(weights.values()))
    given = list(inputs.values()) if len(inputs) > 1 else next(iter(inputs.values()))
    whole = document(layers, inputs, calls, outputs if calls else None)
    asked = requirements or (MASKED if "mask" in slug else ("EVL-001",))
    return Row(slug, title, whole, weights, dict(inputs), lambda: pick(arrays(model(given))), "keras.Model", outputs, requirements=asked)


def rows() -> Iterator[Row]:
    """All of them."""
    import keras_attention
    import keras_cells
    import keras_dtypes
    import keras_lookups
    import keras_masks

    for part in (core, augmentation, convolution, pooling, normalization, activations, reshaping, merging, recurrent, wrapping, attention, graphs):
        yield from part()
    yield from keras_cells.rows()
    yield from keras_lookups.rows(keras.layers, keras2=False)
    yield from keras_masks.rows(keras, "keras", "any")
    yield from keras_masks.rows(keras, "keras", "none")
    yield from keras_dtypes.rows(keras)
    yield from keras_attention.rows(keras)
