"""An object in a Keras graph that is an operation rather than a layer, as a call of an operation of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from triptych.layouts.keras_config.nodes import read_reference, unwrap
from triptych.layouts.keras_config.operations import graph_nodes, keras3, tensorflow
from triptych.layouts.keras_config.operations.integers import otherwise
from triptych.layouts.keras_config.operations.said import Argument, Context, Said, read_keras2, read_keras3
from triptych.layouts.keras_config.plain import as_schema, unsayable
from triptych.model import Json
from triptych.vocabulary.operations import OPERATIONS

_WRAPPED = ("TFOpLambda", "SlicingOpLambda")


def stands_for_operation(original: Mapping[str, Json]) -> bool:
    """Whether the Keras object `original` is an operation: one of Keras 3's knows neither ``trainable`` nor a policy."""
    name, config, module = original.get("class_name"), original.get("config"), original.get("module")
    if not isinstance(name, str):
        return False
    if name in (*_WRAPPED, graph_nodes.CLASS):
        return True
    if isinstance(module, str):
        return module.startswith(("keras.src.ops.", "keras.ops"))
    known = name in keras3.OPERATIONS or name == "Einsum"
    return known and isinstance(config, dict) and "trainable" not in config and _is_called_as_in_keras3(original)


def _is_called_as_in_keras3(original: Mapping[str, Json]) -> bool:
    calls = original.get("inbound_nodes")
    return isinstance(calls, list) and bool(calls) and isinstance(calls[0], dict)


def read_operation(original: Mapping[str, Json], context: Context) -> Said:
    """The operation of ours that the Keras object `original`, called once, means.

    Raises:
        Unsayable: There is none.
    """
    config, calls = original.get("config"), original.get("inbound_nodes")
    if not isinstance(config, dict) or not isinstance(calls, list) or len(calls) != 1:
        unsayable("an operation that is called more than once")
    if original["class_name"] in _WRAPPED:
        said = _read_function(config, calls[0], context)
    elif original["class_name"] == graph_nodes.CLASS:
        said = graph_nodes.read_node(config, _values(calls[0], context)[0])
    else:
        said = _read_keras3(original, calls[0], context)
    is_keras3 = original["class_name"] not in (*_WRAPPED, graph_nodes.CLASS)
    if what := otherwise(said.op, said.config, {one.dtype for one in said.operands}, keras3=is_keras3):
        unsayable(what)
    found = OPERATIONS[said.op]
    settled = {name: value for name, value in _whole(said).items() if not _is_default(said.op, name, value)}
    if not _accepts(said.op)(settled):
        unsayable("a config outside the schema")
    least, most = found.inputs
    given = found.given(found.resolve(settled), len(said.operands))
    if given < least or (most is not None and given > most):
        unsayable("operands")
    return replace(said, config=settled)


def _whole(said: Said) -> dict[str, Json]:
    """The config of `said` with integers as such."""
    schemas = {member.name: member.kind.schema for member in OPERATIONS[said.op].fields}
    return {name: as_schema(value, schemas.get(name, {})) for name, value in said.config.items()}


def _is_default(op: str, name: str, value: Json) -> bool:
    member = next(one for one in OPERATIONS[op].fields if one.name == name)
    return not member.required and type(value) is type(member.default) and value == member.default


@cache
def _accepts(op: str) -> Callable[[Json], bool]:
    import jsonschema_rs

    members = OPERATIONS[op].fields
    schema = {
        "type": "object",
        "properties": {member.name: dict(member.kind.schema) for member in members},
        "required": [member.name for member in members if member.required],
        "additionalProperties": False,
    }
    valid: Callable[[Json], bool] = jsonschema_rs.validator_for(schema).is_valid
    return lambda config: _is_plain(config) and valid(config)


def _is_plain(value: Argument) -> bool:
    """Whether `value` is JSON: no value of the graph and no slice among it."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _read_function(config: Mapping[str, Json], call: Json, context: Context) -> Said:
    """What a function of TensorFlow means: its first argument stands apart, and each value in it carries all others."""
    function = tensorflow.FUNCTIONS.get(str(config.get("function")))
    if function is None:
        unsayable("a function")
    values, named = _values(call, context)
    first = values if isinstance(unwrap(call)[0], list) else values[0]
    return function.mean([first], {key: read_keras2(value, context) for key, value in named.items()})


def _values(call: Json, context: Context) -> tuple[list[Argument], dict[str, Json]]:
    """The values that a call of Keras 2 takes without names, and its keyword arguments, which each of them carries."""
    call = unwrap(call)
    if not isinstance(call, list) or not call:
        unsayable("a call")
    values: list[Argument] = []
    named: dict[str, Json] = {}
    for entry in call if isinstance(call[0], list) else [call]:
        if not isinstance(entry, list) or len(entry) not in (3, 4):
            unsayable("a call")
        values.append(read_keras2(entry[2], context) if entry[0] == "_CONSTANT_VALUE" else context.tensor(read_reference(entry[:3])))
        named = entry[3] if len(entry) == 4 else {}
        if not isinstance(named, dict):
            unsayable("keyword arguments")
    return values, named


def _read_keras3(original: Mapping[str, Json], call: Json, context: Context) -> Said:
    if not isinstance(call, dict) or not isinstance(call.get("args"), list) or not isinstance(call.get("kwargs", {}), dict):
        unsayable("a call")
    positional = [read_keras3(value, context) for value in call["args"]]
    config = {key: value for key, value in original["config"].items() if key != "name"}
    named = {key: read_keras3(value, context) for key, value in (config | call.get("kwargs", {})).items()}
    if original["class_name"] == "Einsum":
        return keras3.einsum(named.pop("subscripts", None), positional) if set(named) <= {"subscripts"} else unsayable("an argument")
    function = keras3.OPERATIONS.get(original["class_name"])
    return unsayable("an operation") if function is None else function.mean(positional, named)
