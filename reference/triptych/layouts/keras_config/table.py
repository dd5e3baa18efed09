"""What Keras' layer classes and their config members are called in each generation, where that differs from the vocabulary.

The vocabulary's own names are those of Keras 3, so that a type that every generation spells alike needs no entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from triptych.layouts.keras_config import edits, lookups, objects
from triptych.layouts.keras_config.generations import Generation
from triptych.model import Json
from triptych.vocabulary import Field

Version = tuple[int, ...]
NEVER: Version = (99,)
ALWAYS: Version = (0,)


@dataclass(frozen=True, slots=True)
class Extra:
    """A config member that only Keras has, with the value it has in ordinary models."""

    key: str
    value: Json | Callable[[Generation], Json] = None
    since: Version = (2,)
    until: Version = NEVER
    decisive: bool = False
    """Whether another value makes it a layer that the vocabulary's type does not describe."""

    def value_in(self, generation: Generation) -> Json:
        """The value that `generation` writes."""
        return edits.copy(self.value(generation) if callable(self.value) else self.value)


@dataclass(frozen=True, slots=True)
class Entry:
    """How one type of the vocabulary looks in Keras."""

    keras1: str | None = None
    """Its class name in Keras 1; None: as now."""
    aliases: tuple[str, ...] = ()
    """Other class names that mean it."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Member -> its key in Keras 2."""
    names1: Mapping[str, str] = field(default_factory=dict)
    """Member -> its key in Keras 1; ``a+b`` for a list kept in several keys, ``=a`` for a list of one kept as a number."""
    names3: Mapping[str, str] = field(default_factory=dict)
    """Member -> its key in Keras 3."""
    since: Mapping[str, Version] = field(default_factory=dict)
    """Member -> the first version that knows it."""
    until: Mapping[str, Version] = field(default_factory=dict)
    """Member -> the first version that does not know it any more."""
    quiet: Mapping[str, Version] = field(default_factory=dict)
    """Member -> the first version that writes it even where it has the vocabulary's default."""
    defaults: Mapping[str, Json | Callable[[Generation], Json]] = field(default_factory=dict)
    """Member -> what Keras takes where the key is missing, if the vocabulary's default is another or there is none."""
    extras: tuple[Extra, ...] = ()
    quiet3: tuple[str, ...] = ()
    """Members that Keras 3 writes only where they have another value than the vocabulary's default."""
    merges: str | None = None
    """The ``mode`` of Keras 1's Merge that it was."""
    fixed: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """Alias -> what it is by itself and its config does not say."""
    settle: Callable[[Mapping[str, Json], Generation], Mapping[str, Json]] | None = None
    """Yields a config in which one member no longer depends on another, and old spellings are gone; None: it is so already."""


NAMES1 = {
    "units": "output_dim",
    "use_bias": "bias",
    "kernel_initializer": "init",
    "recurrent_initializer": "inner_init",
    "recurrent_activation": "inner_activation",
    "kernel_regularizer": "W_regularizer",
    "recurrent_regularizer": "U_regularizer",
    "bias_regularizer": "b_regularizer",
    "kernel_constraint": "W_constraint",
    "bias_constraint": "b_constraint",
    "embeddings_initializer": "init",
    "embeddings_regularizer": "W_regularizer",
    "embeddings_constraint": "W_constraint",
    "gamma_initializer": "gamma_init",
    "beta_initializer": "beta_init",
    "alpha_initializer": "init",
    "padding": "border_mode",
    "data_format": "dim_ordering",
    "filters": "nb_filter",
    "rate": "p",
    "stddev": "sigma",
    "dropout": "dropout_W",
    "recurrent_dropout": "dropout_U",
    "axis": "axis",
}
"""Member -> key in Keras 1, for all types."""
SINCE: dict[str, Version] = {
    "bias_initializer": (2,),
    "recurrent_constraint": (2,),
    "kernel_constraint": (1,),
    "groups": (2, 3, 50),
    "dilation_rate": (2,),
    "center": (2,),
    "scale": (2,),
    "beta_initializer": (2,),
    "gamma_initializer": (2,),
    "moving_mean_initializer": (2,),
    "moving_variance_initializer": (2,),
    "beta_constraint": (2,),
    "gamma_constraint": (2,),
    "return_state": (2, 0, 5),
    "noise_shape": (2, 1),
    "seed": (2, 1),
    "reset_after": (2, 1),
    "alpha_regularizer": (2,),
    "alpha_constraint": (2,),
    "keepdims": (2, 6),
    "output_padding": (2, 2),
    "interpolation": (2, 2, 3),
    "zero_output_for_mask": (2, 3, 50),
    "synchronized": (3,),
    "masks": NEVER,
    "recurrent_bias": NEVER,
    "variance": NEVER,
    "ceil_mode": NEVER,
    "align_corners": NEVER,
    "cubic_coefficient": NEVER,
    "exclude_outside": NEVER,
    "count_include_pad": NEVER,
}
"""Member -> the first version that writes it, for all types; the vocabulary's default where a version does not."""

_ROWS_COLUMNS = {"kernel_size": "nb_row+nb_col", "strides": "subsample"}
_INPUT1 = Extra("input_dim", None, (1,), (2,))
_LENGTH1 = Extra("input_length", None, (1,), (2,))
QUIET: dict[str, Version] = {"zero_output_for_mask": (3,), "score_mode": NEVER}
"""Member -> the first version that writes it even where it has the vocabulary's default, for all types."""
_GROUPS_UNTIL = {"groups": (3,)}
_RECURRENT = (
    Extra("consume_less", "cpu", (1,), (2,)),
    _INPUT1,
    _LENGTH1,
    Extra("implementation", 0, (2,), (2, 1)),
    Extra("implementation", 1, (2, 1), (2, 3)),
    Extra("implementation", 2, (2, 3), (3,)),
    Extra("time_major", False, (2, 3, 50), (3,), decisive=True),
)
_RECURRENT_SINCE = {
    "seed": (3,),
    "activity_regularizer": (2,),
    "use_bias": (2,),
    "bias_constraint": (2,),
    "kernel_constraint": (2,),
    "return_state": (2, 0, 5),
}


def _gate_activation(generation: Generation) -> str:
    return "sigmoid" if generation >= (2, 3) else "hard_sigmoid_keras2"


def _reset_after(generation: Generation) -> bool:
    return generation >= (2, 3, 50)


def _data_format(generation: Generation) -> str:
    return generation.data_format


def _unused_initializer(generation: Generation) -> Json:
    return objects.write_component({"type": "GlorotUniform"}, "initializers", generation)


_SEPARABLE = (
    Extra("groups", 1, (2, 3, 50), (3,)),
    Extra("kernel_initializer", _unused_initializer, (2, 3, 50), (3,)),
    Extra("kernel_regularizer", None, (2, 3, 50), (3,)),
    Extra("kernel_constraint", None, (2, 3, 50), (3,)),
)


def _merge_extras(axis: int) -> tuple[Extra, ...]:
    rest = {
        "mode_type": "raw",
        "dot_axes": -1,
        "output_shape": None,
        "output_shape_type": "raw",
        "output_mask": None,
        "output_mask_type": "raw",
        "arguments": {},
    }
    return (*(Extra(key, value, (1,), (2,)) for key, value in rest.items()), Extra("concat_axis", axis, (1,), (2,)))


_POOLING1 = {"pool_size": "=pool_length", "strides": "=stride"}
_QUANTIZATION = Extra("quantization_config", None, (3, 15), decisive=True)

_LOOKUP: dict[str, Any] = {
    "settle": lookups.settle,
    "since": {"output_dtype": NEVER, "vocabulary_size": (2, 8)},
    "defaults": {"output_dtype": lambda generation: "int64" if generation >= (3,) else None},
}
_LOOKUP_EXTRAS = (Extra("sparse", False, decisive=True), Extra("salt", None, (3, 15), decisive=True))
TABLE: dict[str, Entry] = {
    "Dense": Entry(aliases=("TimeDistributedDense",), extras=(_INPUT1, _QUANTIZATION), quiet3=("activity_regularizer",)),
    "Embedding": Entry(
        names1={"output_dim": "output_dim", "input_dim": "input_dim"},
        extras=(Extra("input_length", None, (1,), (3,)), Extra("dropout", 0.0, (1,), (2,)), _QUANTIZATION),
    ),
    "Dropout": Entry(defaults={"rate": 0.5}),
    "SpatialDropout1D": Entry(extras=(Extra("noise_shape", None, (2, 1), (3,)),)),
    "SpatialDropout2D": Entry(since={"data_format": (3,)}, extras=(Extra("noise_shape", None, (2, 1), (3,)),)),
    "SpatialDropout3D": Entry(since={"data_format": (3,)}, extras=(Extra("noise_shape", None, (2, 1), (3,)),)),
    "GaussianNoise": Entry(since={"seed": (2, 10)}),
    "GaussianDropout": Entry(since={"seed": (2, 10)}),
    "AlphaDropout": Entry(since={"noise_shape": (3,)}),
    "ZeroPadding1D": Entry(extras=(Extra("data_format", "channels_last", (3, 9), decisive=True),)),
    "Masking": Entry(defaults={"mask_value": 0.0}),
    "Flatten": Entry(since={"data_format": (2, 2)}),
    "Conv1D": Entry(
        keras1="Convolution1D",
        aliases=("Convolution1D", "AtrousConvolution1D"),
        names1={"kernel_size": "=filter_length", "strides": "=subsample_length", "dilation_rate": "=atrous_rate"},
        since={"data_format": (2, 1, 3)},
        extras=(_INPUT1, _LENGTH1),
    ),
    "Conv2D": Entry(
        keras1="Convolution2D",
        aliases=("Convolution2D", "AtrousConvolution2D"),
        names1={**_ROWS_COLUMNS, "dilation_rate": "atrous_rate"},
    ),
    "Conv3D": Entry(
        keras1="Convolution3D",
        aliases=("Convolution3D",),
        names1={"kernel_size": "kernel_dim1+kernel_dim2+kernel_dim3", "strides": "subsample"},
    ),
    "Conv1DTranspose": Entry(aliases=("Convolution1DTranspose",), until=_GROUPS_UNTIL),
    "Conv2DTranspose": Entry(
        keras1="Deconvolution2D",
        aliases=("Convolution2DTranspose", "Deconvolution2D"),
        names1=_ROWS_COLUMNS,
        since={"output_padding": (2, 2, 3), "dilation_rate": (2, 0)},
        until=_GROUPS_UNTIL,
    ),
    "Conv3DTranspose": Entry(aliases=("Convolution3DTranspose",), since={"dilation_rate": (3,)}, until=_GROUPS_UNTIL),
    "SeparableConv1D": Entry(aliases=("SeparableConvolution1D",), extras=_SEPARABLE),
    "SeparableConv2D": Entry(
        keras1="SeparableConvolution2D",
        aliases=("SeparableConvolution2D",),
        names1={**_ROWS_COLUMNS, "depthwise_initializer": "init", "pointwise_initializer": "init"},
        extras=_SEPARABLE,
    ),
    "DepthwiseConv1D": Entry(extras=(Extra("groups", 1, (2, 3, 50), (3,)),)),
    "DepthwiseConv2D": Entry(extras=(Extra("groups", 1, (2, 3, 50), (3,)),)),
    "MaxPooling1D": Entry(aliases=("MaxPool1D",), names1=_POOLING1, since={"data_format": (2, 2, 3), "dilation_rate": NEVER}),
    "MaxPooling2D": Entry(aliases=("MaxPool2D",), since={"dilation_rate": NEVER}),
    "MaxPooling3D": Entry(aliases=("MaxPool3D",), since={"dilation_rate": NEVER}),
    "AveragePooling1D": Entry(aliases=("AvgPool1D",), names1=_POOLING1, since={"data_format": (2, 2, 3)}),
    "AveragePooling2D": Entry(aliases=("AvgPool2D",)),
    "AveragePooling3D": Entry(aliases=("AvgPool3D",)),
    "GlobalMaxPooling1D": Entry(aliases=("GlobalMaxPool1D",), since={"data_format": (2, 2, 3)}),
    "GlobalMaxPooling2D": Entry(aliases=("GlobalMaxPool2D",)),
    "GlobalMaxPooling3D": Entry(aliases=("GlobalMaxPool3D",)),
    "GlobalAveragePooling1D": Entry(aliases=("GlobalAvgPool1D",), since={"data_format": (2, 2, 3)}),
    "GlobalAveragePooling2D": Entry(aliases=("GlobalAvgPool2D",)),
    "GlobalAveragePooling3D": Entry(aliases=("GlobalAvgPool3D",)),
    "BatchNormalization": Entry(
        aliases=("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"),
        defaults={"momentum": 0.99, "epsilon": 1e-3},
        extras=(
            Extra("mode", 0, (1,), (2,), decisive=True),
            Extra("renorm", False, (3, 15), decisive=True),
            Extra("renorm_clipping", None, (3, 15)),
            Extra("renorm_momentum", 0.99, (3, 15)),
        ),
    ),
    "LayerNormalization": Entry(defaults={"epsilon": 1e-3}, extras=(Extra("rms_scaling", False, (3,), decisive=True),)),
    "GroupNormalization": Entry(defaults={"epsilon": 1e-3, "groups": 32}),
    "RMSNormalization": Entry(defaults={"epsilon": 1e-6}),
    "LeakyReLU": Entry(names={"negative_slope": "alpha"}, names1={"negative_slope": "alpha"}, defaults={"negative_slope": 0.3}),
    "ThresholdedReLU": Entry(defaults={"theta": 1.0}),
    "ReLU": Entry(since={"negative_slope": (2, 2, 3), "threshold": (2, 2, 3)}),
    "UpSampling1D": Entry(
        names={"size": "=size"}, names1={"size": "=length"}, names3={"size": "=size"}, since={"interpolation": NEVER}
    ),
    "UpSampling2D": Entry(defaults={"data_format": _data_format}),
    "UpSampling3D": Entry(since={"interpolation": NEVER}, defaults={"data_format": _data_format}),
    "ZeroPadding2D": Entry(defaults={"data_format": _data_format}),
    "ZeroPadding3D": Entry(defaults={"data_format": _data_format}),
    "Cropping2D": Entry(defaults={"data_format": _data_format}),
    "Cropping3D": Entry(defaults={"data_format": _data_format}),
    "Resizing": Entry(
        extras=(
            Extra("crop_to_aspect_ratio", False, decisive=True),
            Extra("pad_to_aspect_ratio", False, (3,), decisive=True),
            Extra("fill_mode", "constant", (3,)),
            Extra("fill_value", 0.0, (3,)),
            Extra("antialias", False, (3,), decisive=True),
        ),
        since={"data_format": (3,)},
    ),
    "SimpleRNN": Entry(
        defaults={"activation": "tanh"},
        since={**_RECURRENT_SINCE, "seed": NEVER},
        extras=tuple(extra for extra in _RECURRENT if extra.key != "implementation"),
    ),
    "LSTM": Entry(
        aliases=("CuDNNLSTM",),
        fixed={"CuDNNLSTM": {"recurrent_activation": "sigmoid", "recurrent_bias": True}},
        defaults={"activation": "tanh", "recurrent_activation": _gate_activation},
        names1={"unit_forget_bias": "forget_bias_init"},
        since=_RECURRENT_SINCE,
        extras=_RECURRENT,
    ),
    "GRU": Entry(
        aliases=("CuDNNGRU",),
        fixed={"CuDNNGRU": {"recurrent_activation": "sigmoid", "reset_after": True}},
        defaults={"activation": "tanh", "recurrent_activation": _gate_activation, "reset_after": _reset_after},
        since=_RECURRENT_SINCE,
        extras=_RECURRENT,
    ),
    "Add": Entry(keras1="Merge", merges="sum", extras=_merge_extras(-1)),
    "Multiply": Entry(keras1="Merge", merges="mul", extras=_merge_extras(-1)),
    "Average": Entry(keras1="Merge", merges="ave", extras=_merge_extras(-1)),
    "Maximum": Entry(keras1="Merge", merges="max", extras=_merge_extras(-1)),
    "Concatenate": Entry(
        keras1="Merge",
        merges="concat",
        names1={"axis": "concat_axis"},
        extras=tuple(extra for extra in _merge_extras(-1) if extra.key != "concat_axis"),
    ),
    "Dot": Entry(
        keras1="Merge",
        merges="dot",
        names1={"axes": "dot_axes"},
        extras=tuple(extra for extra in _merge_extras(-1) if extra.key != "dot_axes"),
    ),
    "Attention": Entry(since={"seed": (3,)}),
    "Normalization": Entry(since={"variance": ALWAYS}),
    "Discretization": Entry(
        since={"output_dtype": NEVER},
        defaults={"output_dtype": lambda generation: "int32" if generation >= (3,) else None},
        extras=(Extra("num_bins"), Extra("epsilon", 0.01), Extra("sparse", False, decisive=True)),
    ),
    "StringLookup": Entry(
        **_LOOKUP,
        extras=(*_LOOKUP_EXTRAS, Extra("oov_method", "floormod", (3, 15)), Extra("encoding", "utf-8", (2, 11), decisive=True)),
    ),
    "TextVectorization": Entry(
        **{**_LOOKUP, "settle": lookups.settle_text},
        extras=(Extra("sparse", False, decisive=True), Extra("ragged", False, (2, 11), decisive=True), Extra("encoding", "utf-8", (2, 11), decisive=True)),
    ),
    "IntegerLookup": Entry(
        **{**_LOOKUP, "since": {**_LOOKUP["since"], "oov_method": (3, 15)}},
        extras=(*_LOOKUP_EXTRAS, Extra("vocabulary_dtype", "int64", (2, 12), decisive=True)),
    ),
    "CategoryEncoding": Entry(extras=(Extra("sparse", False, decisive=True),)),
    "GroupQueryAttention": Entry(
        aliases=("GroupedQueryAttention",),
        extras=(Extra("use_gate", False, (3, 15), decisive=True), Extra("sliding_window", None, (3, 15), decisive=True)),
    ),
    "MultiHeadAttention": Entry(
        since={"seed": (3,)},
        extras=(
            *(Extra(key, None, (2, 3, 50), (3,)) for key in ("query_shape", "key_shape", "value_shape")),
            Extra("softmax_robust_masking", False, (2, 18), (3,)),
            Extra("use_gate", False, (3, 15), decisive=True),
            Extra("sliding_window", None, (3, 15), decisive=True),
        ),
    ),
}

_AUGMENTATION = {
    "RandomFlip": {"mode": "horizontal_and_vertical"}, "RandomRotation": {}, "RandomTranslation": {}, "RandomZoom": {}, "RandomHeight": {}, "RandomWidth": {},
    "RandomContrast": {}, "RandomBrightness": {},
}  # fmt: skip
"""The augmenting types of Keras 2 -> members with the defaults of its constructors."""
TABLE |= {
    _name: Entry(
        defaults=_defaults,
        since={"data_format": (3,), "value_range": (3,) if _name == "RandomContrast" else (2,)},
        extras=(Extra("rng_type", "stateful", (2, 9), (3,)),),
    )
    for _name, _defaults in _AUGMENTATION.items()
}
TABLE["CenterCrop"] = Entry(since={"data_format": (3,)})

WITHOUT_TRAINABLE3 = frozenset({"SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"})
"""Types whose config says nothing of ``trainable`` in Keras 3."""
DEFAULT = Entry()
HARMLESS = frozenset(
    {
        *(
            "name",
            "dtype",
            "batch_input_shape",
            "batch_shape",
            "input_dtype",
            "input_dim",
            "input_length",
            "implementation",
            "consume_less",
        ),
        *(
            "module",
            "registered_name",
            "build_config",
            "shared_object_id",
            "query_shape",
            "key_shape",
            "value_shape",
            "sparse",
            "ragged",
        ),
        *(
            "optional",
            "build_input_shape",
            "layer",
            "backward_layer",
            "input_axes",
            "output_axes",
            "seed",
            "synchronized",
            "trainable",
        ),
    }
)
"""Keys whose edits carry no meaning for another dialect."""


def entry(type_name: str) -> Entry:
    """The entry of a type of the vocabulary."""
    return TABLE.get(type_name, DEFAULT)


def key_of(type_name: str, member: str, generation: Generation) -> str:
    """The key, or keys, of `member` of type `type_name` in a config of `generation`."""
    own = entry(type_name)
    if generation < (2,):
        return own.names1.get(member) or NAMES1.get(member, member)
    if generation < (3,):
        return own.names.get(member, member)
    return own.names3.get(member, member)


def keys_of(type_name: str, member: str, generation: Generation) -> tuple[str, ...]:
    """All keys under which `member` may stand, the most likely first."""
    own = entry(type_name)
    others = (member, own.names.get(member, member), own.names1.get(member) or NAMES1.get(member, member))
    return tuple(dict.fromkeys((key_of(type_name, member, generation), *others)))


def knows(type_name: str, member: str, generation: Generation) -> bool:
    """Whether `generation` has `member`."""
    own = entry(type_name)
    return own.since.get(member, SINCE.get(member, ALWAYS)) <= generation.version < own.until.get(member, NEVER)


def implied(type_name: str, member: Field, generation: Generation) -> Json:
    """What `member` is where a config of `generation` does not say it; REQUIRED where it has to."""
    default = entry(type_name).defaults.get(member.name, member.default)
    return default(generation) if callable(default) else default


def writes_default(type_name: str, member: str, generation: Generation) -> bool:
    """Whether `generation` writes `member` even where it has the vocabulary's default."""
    if generation >= (3,) and member in entry(type_name).quiet3:
        return False
    return generation >= entry(type_name).quiet.get(member, QUIET.get(member, ALWAYS))


CLASSES: dict[str, str] = {}
"""Class name -> type of the vocabulary, for names that are not those of the vocabulary."""
for _type, _entry in TABLE.items():
    CLASSES.update(dict.fromkeys(_entry.aliases, _type))
MERGES = {_entry.merges: _type for _type, _entry in TABLE.items() if _entry.merges}
"""Mode of Keras 1's Merge -> type."""
