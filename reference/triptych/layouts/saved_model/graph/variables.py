"""Variables of a graph: each weight is read from one, and one node restores them all from the bundle beside the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.layouts.saved_model.graph.attributes import Extents, Type, number_of
from triptych.layouts.saved_model.graph.body import Body
from triptych.layouts.saved_model.graph.emission import Refusal
from triptych.layouts.saved_model.graph.shaping import transpose
from triptych.layouts.saved_model.graph.values import Value
from triptych.layouts.tensorflow import messages
from triptych.model import Tensor
from triptych.vocabulary import WeightSlot
from triptych.vocabulary.arrays import np


@dataclass(frozen=True, slots=True)
class Variable:
    """A weight in the graph."""

    name: str
    """In the graph and in the bundle."""
    tensor: str
    """Of the model."""
    axes: tuple[int, ...] | None
    """Which stored axis each of its axes is; None: as stored."""
    trainable: bool
    handle: Value
    read: Value


class Variables:
    """The variables of one graph, made when they are first asked for."""

    def __init__(self, body: Body, tensors: Mapping[str, Tensor]) -> None:
        self._body = body
        self._tensors = tensors
        self.made: dict[str, Variable] = {}
        """By the tensor of the model."""

    def weight(self, slot: WeightSlot) -> Value:
        """The weight of `slot`, in canonical axis order, of the dtype that it is stored in.

        Raises:
            Refusal: It is not there, or TensorFlow has no such dtype.
        """
        if slot.tensor not in self._tensors:
            raise Refusal(f"expected a tensor for its {slot.role}, got none called {slot.tensor!r}")
        if slot.tensor not in self.made:
            self.made[slot.tensor] = self._make(slot, self._tensors[slot.tensor])
        found = self.made[slot.tensor]
        if found.axes == slot.axes:
            return found.read
        stored = transpose(found.read, _inverse(found.axes)) if found.axes else found.read
        return transpose(stored, slot.axes) if slot.axes else stored

    def _make(self, slot: WeightSlot, tensor: Tensor) -> Variable:
        if number_of(tensor.dtype) is None:
            raise Refusal(f"expected a dtype that TensorFlow's variables have, got {tensor.dtype} for its {slot.role}")
        shape = tensor.shape if slot.axes is None else tuple(tensor.shape[axis] for axis in slot.axes)
        with self._body.within(""):
            name = self._body.unique(f"{slot.path.replace('.', '/')}/{slot.role}")
            more = {"dtype": Type(tensor.dtype), "shape": Extents(shape)}
            handle = self._body.one("VarHandleOp", [], "resource", (), name=name, shared_name=name, **more)
            read = self._body.one("ReadVariableOp", [handle], tensor.dtype, shape, name=self._body.unique(f"{name}/Read/ReadVariableOp"), dtype=Type(tensor.dtype))
        return Variable(name, slot.tensor, slot.axes, slot.trainable, handle, read)


def _inverse(axes: Sequence[int]) -> list[int]:
    return [axes.index(axis) for axis in range(len(axes))]


def add_saver(graph: Any, body: Body, variables: Sequence[Variable]) -> None:
    """Give a meta graph the nodes that restore and save `variables`, their description, and collections that name them."""
    if not variables:
        return
    with body.within("save"):
        prefix = body.one("Const", [], "string", (), dtype=Type("string"), value=np.asarray("model", object))
        names = body.constant(np.asarray([one.name for one in variables], object))
        slices = body.constant(np.asarray([""] * len(variables), object))
        types = [Type(one.read.dtype) for one in variables]
        restored = body.node("RestoreV2", [prefix, names, slices], [(one.read.dtype, one.read.shape) for one in variables], dtypes=types)
        assigned = []
        for one, value in zip(variables, restored, strict=True):
            assigned.append(body.unique(f"{one.name}/Assign"))
            body.node("AssignVariableOp", [one.handle, value], [], name=assigned[-1], dtype=Type(value.dtype))
        restoring, saving = body.unique("save/restore_all"), body.unique("save/SaveV2")
        body.node("NoOp", [], [], name=restoring, after=assigned)
        body.node("SaveV2", [prefix, names, slices, *(one.read for one in variables)], [], name=saving, dtypes=types)
        saved = body.one("Identity", [prefix], "string", (), after=[saving], T=Type("string"))
    graph.saver_def.filename_tensor_name = f"{prefix.ref}:0"
    graph.saver_def.save_tensor_name = f"{saved.ref}:0"
    graph.saver_def.restore_op_name = restoring
    graph.saver_def.version = 2
    for one, assign in zip(variables, assigned, strict=True):
        said = messages.new("Variable", variable_name=f"{one.name}:0", initializer_name=assign, snapshot_name=f"{one.read.ref}:0", is_resource=True, trainable=one.trainable)
        for collection in ("variables", *(["trainable_variables"] if one.trainable else [])):
            graph.collection_def[collection].bytes_list.value.append(messages.to_bytes(said))
