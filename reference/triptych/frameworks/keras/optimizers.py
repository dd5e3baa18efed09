"""Which variable of a live optimizer is which tensor of the training state: told by identity, not by names that may repeat."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from triptych.frameworks.keras.variables import Variable, name
from triptych.layouts.keras_weights.optimizer import OPAQUE, STEP, neutral

TensorOf = Callable[[Variable], str | None]
"""The tensor that holds a weight of the model; None for a variable that is no weight of it."""
_COUNTER = re.compile(r":\d+$")
_NO_SLOTS = ("_variables", "_trainable_variables", "_weights")


def state_of(optimizer: Any, model_variables: list[Variable], tensor_of: TensorOf) -> dict[str, Variable]:
    """Name of a tensor of the training state -> the variable that holds it; `STEP` stands for the count of updates.

    Args:
        optimizer: Built, or else it has no slots yet.
        model_variables: All weights of the model.
        tensor_of: Which tensor each of them is.
    """
    found: dict[str, Variable] = {}
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        found |= state_of(inner, model_variables, tensor_of)
    known = {id(one) for one in found.values()}
    for target, variable in _own(optimizer, model_variables, tensor_of):
        if id(variable) not in known:
            known.add(id(variable))
            if not target:
                continue
            found[f"optimizer.outer_{target.rpartition('.')[2]}" if target in found else target] = variable
    for index, variable in enumerate(listed(optimizer)):
        if id(variable) not in known:
            found[f"{OPAQUE}{index}"] = variable
    return found


def listed(optimizer: Any) -> list[Variable]:
    """The variables that the optimizer itself lists."""
    variables = optimizer.variables
    return list(variables() if callable(variables) else variables)


def build(optimizer: Any, variables: list[Variable]) -> None:
    """Make the slots of `optimizer` for `variables`, if it has none yet."""
    inner = getattr(optimizer, "inner_optimizer", None)
    if hasattr(optimizer, "build"):
        optimizer.build(variables)
    elif inner is not None:
        build(inner, variables)
    else:
        optimizer._create_all_weights(variables)  # noqa: SLF001 - how the optimizers until 2.10 are built


def _own(optimizer: Any, model_variables: list[Variable], tensor_of: TensorOf) -> Iterator[tuple[str, Variable]]:
    """What the attributes of `optimizer` say of its variables; an empty name for those that mean nothing."""
    kind = type(optimizer).__name__
    variables = {id(one) for one in listed(optimizer)}
    references = _references(optimizer, model_variables)
    attributes = dict(vars(optimizer))
    scale: Any = attributes.get("_loss_scale")
    if hasattr(scale, "counter"):  # of tf-keras' LossScaleOptimizer, which lists neither
        yield "optimizer.dynamic_scale", scale.current_loss_scale
        yield "optimizer.step_counter", scale.counter
    if hasattr(optimizer, "get_slot_names"):
        yield STEP, optimizer.iterations
        for slot in optimizer.get_slot_names():
            for one in model_variables:
                if (tensor := tensor_of(one)) is not None and one.trainable:
                    yield f"optimizer.{neutral(slot, kind)}.{tensor}", optimizer.get_slot(one, slot)
        return
    for attribute, value in attributes.items():
        word = attribute.strip("_")
        if id(value) in variables or (word == "u_product" and hasattr(value, "assign")):
            # tf-keras' Nadam does not list its product, so that its own files lose it.
            yield (STEP if word == "iterations" else f"optimizer.{word}"), value
        elif isinstance(value, list) and attribute not in _NO_SLOTS and len(value) == len(references):
            for variable, reference in zip(value, references, strict=True):
                tensor = tensor_of(reference)
                if id(variable) in variables and tensor is not None:
                    # A scalar beside a weight that is none stands for a slot that this weight does not have.
                    is_slot = bool(tuple(variable.shape)) or not tuple(reference.shape)
                    yield f"optimizer.{neutral(_word(variable, reference, word), kind)}.{tensor}" if is_slot else "", variable


def _references(optimizer: Any, model_variables: list[Variable]) -> list[Variable]:
    """The weights that `optimizer` was built for, in the order of its slots."""
    indices = getattr(optimizer, "_index_dict", None)
    if indices is None:
        return list(getattr(optimizer, "_trainable_variables", ()))
    by_index = {indices.get(optimizer._var_key(one)): one for one in model_variables}  # noqa: SLF001 - the only way from a weight to its slots
    return [by_index.get(index) for index in range(len(indices))]


def _word(variable: Variable, reference: Variable, otherwise: str) -> str:
    """The optimizer's word for a slot: what its name has beside that of the weight, else that of the attribute."""
    weight, slot = (_COUNTER.sub("", name(one)) for one in (reference, variable))
    last = slot.rpartition("/")[2]
    stem = weight.replace("/", "_") + "_"
    if last.startswith(stem):
        return last.removeprefix(stem)
    if slot.endswith(f"/{weight}"):
        return slot.removesuffix(f"/{weight}").rpartition("/")[2]
    return otherwise
