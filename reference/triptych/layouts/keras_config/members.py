"""One member of a layer's config: Keras' value as the vocabulary's, and back."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.layouts.keras_config import lookups, objects
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.plain import as_schema, unsayable, whole
from triptych.model import Json
from triptych.vocabulary import Field
from triptych.vocabulary.kinds import ACTIVATION, CONSTRAINT, CONSTRAINTS, INITIALIZER, INITIALIZERS, REGULARIZER, REGULARIZERS

_PADDING = {"valid": "valid", "same": "same_upper", "causal": "causal"}
_PADDING_BACK = {ours: theirs for theirs, ours in _PADDING.items()}
_DATA_FORMAT = {"th": "channels_first", "tf": "channels_last", "default": "channels_last"}
_DATA_FORMAT |= {name: name for name in ("channels_first", "channels_last")}
_DIM_ORDERING = {"channels_first": "th", "channels_last": "tf"}
COMPONENTS = {
    "_initializer": ("initializers", INITIALIZERS),
    "_regularizer": ("regularizers", REGULARIZERS),
    "_constraint": ("constraints", CONSTRAINTS),
}
_INITIALIZERS = {
    "bias_initializer": "Zeros",
    "recurrent_initializer": "Orthogonal",
    "embeddings_initializer": "RandomUniform",
    "gamma_initializer": "Ones",
    "beta_initializer": "Zeros",
    "moving_mean_initializer": "Zeros",
    "moving_variance_initializer": "Ones",
    "alpha_initializer": "Zeros",
}
"""Member -> the initializer that Keras takes where none is said, if it is not GlorotUniform; some of its layers need one."""
_WINDOWS = frozenset({"kernel_size", "strides", "pool_size", "dilation_rate", "size", "output_padding"})
_PAIRED = frozenset({"cropping"})


def read(type_name: str, member: Field, value: Json, generation: Generation) -> Json:
    """Keras' `value` of `member` in the vocabulary's terms.

    Raises:
        Unsayable: The vocabulary has no such value.
    """
    name, kind = member.name, member.kind
    if kind is ACTIVATION:
        return objects.read_activation(value, generation)
    if kind in (INITIALIZER, REGULARIZER, CONSTRAINT):
        return objects.read_component(value, _component_of(name)[1], generation)
    if name == "data_format":
        if value is not None and not isinstance(value, str):
            unsayable("a data format")
        return _DATA_FORMAT.get(value or "default") or unsayable("a data format")
    if name == "padding" and "same_upper" in kind.text:
        return _PADDING.get(value) or unsayable("a padding") if isinstance(value, str) else unsayable("a padding")
    if name in _PAIRED or name == "padding":
        return _pairs(value, _rank(type_name))
    if name in _WINDOWS:
        return _window(value, _rank(type_name))
    if name == "unit_forget_bias" and isinstance(value, str):
        return {"one": True, "zero": False}[value] if value in ("one", "zero") else unsayable("an initial bias")
    if name == "axis":
        return _axis(value, several="axes" in kind.text)
    if name == "merge_mode":
        return "none" if value is None else value
    if name == "output_shape" and _is_int(value):
        return [int(value)]
    if name in ("attention_axes", "shared_axes") and _is_int(value):
        return [int(value)]
    return as_schema(value, kind.schema)


def write(type_name: str, member: Field, value: Json, generation: Generation) -> Json:
    """The inverse of `read`, as `generation` writes it."""
    name, kind = member.name, member.kind
    if kind is ACTIVATION:
        return objects.write_activation(value, generation)
    if kind in (INITIALIZER, REGULARIZER, CONSTRAINT):
        if value is None and kind is INITIALIZER:
            value = {"type": _INITIALIZERS.get(name, "GlorotUniform")}
        return objects.write_component(value, _component_of(name)[0], generation)
    if name == "data_format" and generation < (2,):
        return _DIM_ORDERING[value]
    if name == "padding" and "same_upper" in kind.text:
        return _PADDING_BACK.get(value, "valid") if isinstance(value, str) else "valid"
    if name == "padding" and generation < (2,):
        return (
            value[0]
            if len(value) == 1 and value[0][0] != value[0][1]
            else [pair[0] for pair in value]
            if len(value) > 1
            else value[0][0]
        )
    if name in ("padding", "cropping"):
        return value[0] if _rank(type_name) == 1 else value
    if name == "unit_forget_bias" and generation < (2,):
        return "one" if value else "zero"
    if name == "axis" and type_name == "BatchNormalization" and (2, 3, 50) <= generation.version < (3,) and value >= 0:
        return [value]
    if name == "axis" and type_name == "LayerNormalization" and generation >= (2, 3, 50) and isinstance(value, int) and value >= 0:
        return [value]
    if name == "ngrams":
        return lookups.write_widths(value)
    if name == "vocabulary" and isinstance(value, Mapping):
        # Keras, too, says nothing of a vocabulary in its config that it keeps in a file.
        return None
    return None if name == "merge_mode" and value == "none" else value


def _component_of(name: str) -> tuple[str, tuple[str, ...]]:
    return next(found for suffix, found in COMPONENTS.items() if name.endswith(suffix))


def _rank(type_name: str) -> int:
    """Spatial axes of a type, by the digit in its name."""
    return next((int(letter) for letter in type_name if letter in "123"), 1)


def _is_int(value: Json) -> bool:
    return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


def _window(value: Json, rank: int) -> Json:
    if value is None:
        return None
    if _is_int(value):
        return [int(value)] * rank
    if not isinstance(value, list) or not all(map(_is_int, value)):
        unsayable("a window")
    return [int(item) for item in value]


def _pairs(value: Json, rank: int) -> Json:
    if _is_int(value):
        return [[int(value)] * 2] * rank
    if not isinstance(value, list):
        unsayable("amounts at both ends")
    if rank == 1 and len(value) == 2 and all(map(_is_int, value)):
        return [[int(item) for item in value]]
    if rank == 2 and len(value) == 4 and all(map(_is_int, value)):
        top, bottom, left, right = map(int, value)
        return [[top, bottom], [left, right]]
    if len(value) != rank:
        unsayable("amounts at both ends")
    return [[int(item)] * 2 if _is_int(item) else whole(item) for item in value]


def _axis(value: Json, *, several: bool) -> Json:
    if isinstance(value, list) and len(value) == 1 and _is_int(value[0]):
        return int(value[0])
    if isinstance(value, list):
        return whole(value) if several else unsayable("several axes")
    return int(value) if _is_int(value) else unsayable("an axis")
