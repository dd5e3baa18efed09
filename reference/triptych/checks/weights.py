"""Whether stored tensors are the weights that the architecture needs: all of them, of the right shape and kind, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from triptych.checks.registry import Found, check
from triptych.errors import pointer_token, shorten
from triptych.model import Tensor
from triptych.vocabulary import WeightSlot
from triptych.vocabulary.extents import text

Slots = Sequence[WeightSlot]
Tensors = Mapping[str, Tensor]


@check("LYR-011", "fit")
def weights_are_stored(slots: Slots, tensors: Tensors) -> Found:
    """Each weight has a tensor."""
    for slot in slots:
        if slot.tensor not in tensors:
            wanted = "" if slot.stored_shape is None else f" of shape {text(slot.stored_shape)}"
            yield "", f"expected a tensor {shorten(slot.tensor)}{wanted} for {_owner(slot)}, got none"


@check("LYR-012", "fit")
def shapes_are_as_needed(slots: Slots, tensors: Tensors) -> Found:
    """Each tensor has the shape that its layer needs, in the order of its stored axes."""
    for slot, tensor in _stored(slots, tensors):
        if slot.shape is None or _axes_differ(slot, tensor):
            continue
        # Axes that permute nothing are another requirement's (ARC-019).
        expected = slot.stored_shape if len(slot.shape) == len(tensor.shape) else slot.shape
        if expected is not None and expected != tensor.shape:
            yield (
                _place(slot),
                f"expected {shorten(slot.tensor)}, {_owner(slot)}, to have shape {text(expected)}, got {text(tensor.shape)}",
            )


@check("LYR-013", "fit")
def dtypes_are_of_one_kind(slots: Slots, tensors: Tensors) -> Found:
    """Each tensor holds the kind of numbers that its layer computes with; what an extension type stores is its own business."""
    for slot, tensor in _stored(slots, tensors):
        wanted = _family(slot.dtype)
        if ":" not in slot.layer.type and _family(tensor.dtype) != wanted:
            yield (
                _place(slot),
                f"expected {shorten(slot.tensor)}, {_owner(slot)}, to hold {wanted} like {slot.dtype}, got {tensor.dtype}",
            )


@check("LYR-014", "fit")
def tensors_are_weights(slots: Slots, tensors: Tensors) -> Found:
    """Each tensor is a weight of a layer."""
    owned = {slot.tensor for slot in slots}
    for name in tensors:
        if name not in owned:
            yield (
                f"/{pointer_token(name)}",
                f"expected every tensor to be a weight of the architecture, got {shorten(name)}, which no layer owns",
            )


@check("LYR-015", "fit")
def axes_fit_the_rank(slots: Slots, tensors: Tensors) -> Found:
    """Where a layer orders the axes of a tensor, it orders all of them."""
    for slot, tensor in _stored(slots, tensors):
        if slot.axes is not None and _axes_differ(slot, tensor):
            yield (
                _place(slot),
                f"expected {shorten(slot.tensor)} to have the {len(slot.axes)} axes that {_owner(slot)} orders, got {len(tensor.shape)}",
            )


def _stored(slots: Slots, tensors: Tensors) -> Iterator[tuple[WeightSlot, Tensor]]:
    for slot in slots:
        tensor = tensors.get(slot.tensor)
        if tensor is not None:
            yield slot, tensor


def _axes_differ(slot: WeightSlot, tensor: Tensor) -> bool:
    return slot.axes is not None and len(slot.axes) != len(tensor.shape)


def _owner(slot: WeightSlot) -> str:
    return f"the {slot.role} of layer {shorten(slot.path)} ({slot.layer.type})"


def _place(slot: WeightSlot) -> str:
    return f"/{pointer_token(slot.tensor)}"


def _family(dtype: str) -> str:
    """What `dtype` holds."""
    if dtype.startswith(("float", "bfloat")):
        return "floating-point numbers"
    return "complex numbers" if dtype.startswith("complex") else "booleans" if dtype == "bool" else "integers"
