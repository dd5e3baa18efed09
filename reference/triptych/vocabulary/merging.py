"""Types that make one value of several."""

from __future__ import annotations

from functools import reduce

from triptych.model import Shape
from triptych.vocabulary.definition import Field, LayerCall, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of, broadcast, compatible, merge, text
from triptych.vocabulary.kinds import AXIS, BOOLEAN, Kind

FAMILY = "Merging"


def _element_wise(call: LayerCall) -> Shape:
    return reduce(broadcast, call.inputs)


def _concatenate(call: LayerCall) -> Shape:
    first = call.inputs[0]
    axis = axis_of(call.config["axis"], first)
    joined, total = first, first[axis]
    for shape in call.inputs[1:]:
        if len(shape) != len(first) or not compatible(_without(joined, axis), _without(shape, axis)):
            raise ShapeError(f"expected inputs that agree in all axes but {axis}, got {text(joined)} and {text(shape)}")
        extent = shape[axis]
        total = None if total is None or extent is None else total + extent
        rest = merge(_without(joined, axis), _without(shape, axis))
        joined = (*rest[:axis], None, *rest[axis:])
    return (*joined[:axis], total, *joined[axis + 1 :])


def _dot(call: LayerCall) -> Shape:
    left, right = call.inputs
    axes = call.config["axes"]
    one, two = (
        axis_of(axis, shape) for axis, shape in zip(axes if isinstance(axes, list) else [axes, axes], call.inputs, strict=True)
    )
    if 0 in {one, two} or not compatible((left[one],), (right[two],)):
        raise ShapeError(
            f"expected equal extents along axes {one} and {two}, neither of them the batch, got {text(left)} and {text(right)}"
        )
    result = (*_without(left, one), *_without(right, two)[1:])
    return result if len(result) > 1 else (*result, 1)


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


for _name, _verb, _most, _torch in (
    ("Add", "Adds its inputs", None, "torch.add"),
    ("Subtract", "Takes the second input off the first", 2, "torch.sub"),
    ("Multiply", "Multiplies its inputs", None, "torch.mul"),
    ("Average", "Takes the mean of its inputs", None, None),
    ("Maximum", "Takes the largest of its inputs", None, "torch.maximum"),
    ("Minimum", "Takes the smallest of its inputs", None, "torch.minimum"),
):
    define(
        _name,
        FAMILY,
        f"{_verb}, element by element.",
        words="the inputs' shape; where they differ: batch with batch, the rest aligned at the end, extent 1 stretched",
        rule=_element_wise,
        inputs=(2, _most),
        torch=_torch,
    )
define(
    "Concatenate",
    FAMILY,
    "Puts its inputs one after the other along an axis.",
    words="input, with the sum of the extents along `axis`",
    rule=_concatenate,
    fields=(Field("axis", AXIS, "The axis; the inputs agree in all others.", -1),),
    inputs=(1, None),
    torch="torch.cat",
)
define(
    "Dot",
    FAMILY,
    "Sums products along an axis of each of two inputs, for each element of the batch.",
    words="first input without its axis; second input without batch and its axis; with a last extent 1 if only the batch is left",
    rule=_dot,
    fields=(
        Field(
            "axes",
            Kind(
                "axis or 2 axes",
                {"type": ["integer", "array"], "minimum": -32, "maximum": 31, "items": AXIS.schema, "minItems": 2, "maxItems": 2},
            ),
            "The axis of both inputs, or of each.",
        ),
        Field("normalize", BOOLEAN, "Whether both are first divided by their length along the axis.", default=False),
    ),
    inputs=(2, 2),
    rank=(2, None),
    torch="torch.einsum",
)
