"""Input layers: Keras lists them among the layers, we among the inputs."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.layers import Writing, with_edits, wrap_layer
from triptych.layouts.keras_config.plain import is_dtype, unsayable
from triptych.layouts.keras_config.plain import name as plain_name
from triptych.model import Input, Json, Shape

_ALIASES = {"half": "float16", "float": "float32", "double": "float64"}
"""Names that TensorFlow takes for a dtype beside its own."""


def read_shape(value: Json) -> Shape:
    """A batch shape as ours.

    Raises:
        Unsayable: It is none, or of unknown rank.
    """
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        value = value["items"]
    if not isinstance(value, list) or not value:
        unsayable("a shape")
    for extent in value:
        if extent is not None and (isinstance(extent, bool) or not isinstance(extent, int) or not 0 <= extent < 2**53):
            unsayable("an extent")
    return tuple(value)


def read_dtype(value: Json) -> str:
    """The dtype of an input, float32 where none is said.

    Raises:
        Unsayable: It is none of ours, such as ``variant``.
    """
    if value is None:
        return "float32"
    value = _ALIASES.get(value, value) if isinstance(value, str) else value
    return str(value) if value == "string" or is_dtype(value) else unsayable("a dtype")


def read(original: Mapping[str, Json], generation: Generation, *, name: str | None = None) -> Input:
    """The input that an InputLayer object describes, with the edits that lead back to it."""
    config = original.get("config")
    if not isinstance(config, dict):
        unsayable("an input layer")
    name = plain_name(name or config.get("name"))
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    dtype = config.get("dtype", config.get("input_dtype"))
    value = Input(name, read_shape(shape), read_dtype(dtype))
    bare = {
        key: item
        for key, item in original.items()
        if key != "inbound_nodes" and not (key == "name" and "inbound_nodes" in original)
    }
    generated = _generate(value, generation)
    return Input(value.name, value.shape, value.dtype, extensions=with_edits({}, generated, bare))


def _generate(value: Input, generation: Generation) -> dict[str, Json]:
    shape = list(value.shape)
    config: dict[str, Json] = {"name": value.name}
    if generation >= (3,):
        config |= {"batch_shape": shape, "dtype": value.dtype, "sparse": False}
    elif generation >= (2,):
        config |= {"batch_input_shape": shape, "dtype": value.dtype, "sparse": False}
    else:
        config |= {"batch_input_shape": shape, "input_dtype": value.dtype}
        if generation >= (1, 1):
            config["sparse"] = False
    if (2, 3, 50) <= generation.version < (3,) or generation >= (3, 9):
        config["ragged"] = False
    if (2, 16) <= generation.version < (3,) or generation >= (3, 9):
        config["optional"] = False
    return wrap_layer("InputLayer", config, generation, known=True)


def write(value: Input, writing: Writing) -> dict[str, Json]:
    """The InputLayer object of `value`."""
    found: dict[str, Json] = writing.finish(_generate(value, writing.generation), value.extensions, f"input {value.name}")
    return found
