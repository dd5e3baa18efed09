"""A call of an operation of ours as the object that Keras keeps for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.nodes import Value
from triptych.layouts.keras_config.operations import keras3, tensorflow
from triptych.layouts.keras_config.operations.functions import Operand, Wanted, lacking
from triptych.layouts.keras_config.operations.integers import otherwise
from triptych.layouts.keras_config.operations.meanings import MEANS, OF_ANY_NUMBERS
from triptych.layouts.keras_config.operations.said import Constant, nested
from triptych.model import Call, Json, Shape
from triptych.vocabulary.operations import OPERATIONS, Operation


def constant_of(call: Call) -> Constant:
    """The array that a call of ``constant`` yields; whoever asks has looked at how many elements it repeats."""
    config = OPERATIONS["constant"].resolve(call.config)
    shape, value = tuple(config["shape"]), config["value"]
    return Constant(tuple(value) if isinstance(value, list) else (value,) * math.prod(shape), shape, config["dtype"])


def repeated_elements(call: Call) -> int:
    """How many elements the array that a call of ``constant`` yields has of one number; 0 where its config lists them."""
    config = OPERATIONS["constant"].resolve(call.config)
    return 0 if isinstance(config["value"], list) else math.prod(config["shape"])


def write_operation(
    call: Call, name: str, operands: Sequence[Operand], outputs: tuple[Shape | None, ...], generation: Generation
) -> dict[str, Json]:
    """The object that Keras keeps for `call` under `name`, its call included.

    Raises:
        Lacking: Keras has no such operation.
    """
    found = OPERATIONS.get(call.op or "")
    if found is None:
        lacking("an extension operation")
    if not any(isinstance(one, Value) for one in operands):
        lacking("an operation that takes no value of the graph")
    wanted = Wanted(found.name, found.resolve(call.config), tuple(operands), outputs)
    if what := otherwise(wanted.op, wanted.config, {one.dtype for one in operands}, keras3=generation >= (3,)):
        lacking(what)
    return _keras3(wanted, name, generation) if generation >= (3,) else _keras2(wanted, found, name, generation)


def _keras3(wanted: Wanted, name: str, generation: Generation) -> dict[str, Json]:
    written = keras3.write(wanted)

    def spell(value: Value) -> Json:
        return value.spell(generation)

    call = {
        "args": [keras3.spell(value, spell) for value in written.arguments],
        "kwargs": {key: keras3.spell(value, spell) for key, value in written.named.items()},
    }
    # Without its module Keras would take the operation for a layer of the same name.
    return {
        "module": written.module,
        "class_name": written.class_name,
        "config": {"name": name, **written.config},
        "registered_name": written.class_name,
        "inbound_nodes": [call],
    }


def _keras2(wanted: Wanted, found: Operation, name: str, generation: Generation) -> dict[str, Json]:
    _one_dtype(wanted, found)
    written = tensorflow.write(wanted)
    named = {key: tensorflow.spell(value, lambda one: _entry(one)[:3] if isinstance(one, Value) else nested(one)) for key, value in written.named.items()}
    first = written.first
    call = [[*_entry(one), dict(named)] for one in first] if isinstance(first, list) else [*_entry(first), named]
    class_name = "SlicingOpLambda" if written.function == tensorflow.GETITEM else "TFOpLambda"
    config = {"name": name, "trainable": True, "dtype": "float32", "function": written.function}
    plain: dict[str, Json] = {"class_name": class_name, "config": config, "inbound_nodes": [call]}
    if not generation.wrapped:
        return plain
    return {"module": "tf_keras.src.layers.core.tf_op_layer", **plain, "registered_name": class_name}


def _entry(value: Operand | Json) -> list[Json]:
    if isinstance(value, Value):
        return list(value.reference)
    return ["_CONSTANT_VALUE", -1, nested(value) if isinstance(value, Constant) else value]


_AS_THEY_ARE = frozenset({"gather", "take_along_axis", "where"})
"""Operations whose operands have dtypes of their own."""
_OF_TRUTHS = frozenset({"any", "all", "logical_and", "logical_or", "logical_not"})


def _one_dtype(wanted: Wanted, found: Operation) -> None:
    """Refuse what TensorFlow refuses: it never brings operands to one dtype by itself."""
    operands = wanted.operands[1:] if wanted.op == "where" else wanted.operands
    dtypes = {one.dtype for one in operands if one.dtype is not None}
    if len(dtypes) > 1 and wanted.op not in _AS_THEY_ARE - {"where"}:
        lacking(f"operands of different dtypes ({', '.join(sorted(dtypes))})")
    literals: list[Json] = [wanted.config[member] for member in found.literals if wanted.config[member] is not None]
    whole = bool(dtypes) and all(name.startswith(("int", "uint", "bool")) for name in dtypes)
    if whole and any(isinstance(one, float) for one in literals):
        lacking("a fraction beside integers")
    if whole and (wanted.op in MEANS or wanted.op == "divide" or (wanted.op in tensorflow.SINGLES and wanted.op not in OF_ANY_NUMBERS)):
        lacking("fractions made of integers")
    if wanted.op in _OF_TRUTHS and dtypes - {"bool"}:
        lacking("truths made of numbers")
