"""Types that make one value of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from triptych.model import Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of, broadcast, compatible, merge, text
from triptych.vocabulary.formula import Evaluation, Formula, Mask, drop_mask
from triptych.vocabulary.kinds import AXIS, BOOLEAN, Kind, choice
from triptych.vocabulary.operations.operands import counted

FAMILY = "Merging"
MASKS = Field(
    "masks",
    choice("any", "all", "none"),
    "Which steps of the result count: those that do in any input, all if an input has no mask (Keras 3.4); those that do in all inputs that have a mask (Keras 1 and 2); all (Keras 3.0 to 3.3).",
    "any",
)
"""What a type that makes one value of several makes of their masks."""


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


def _fold(operation: Callable[[Array, Array], Array]) -> Formula:
    """The formula that applies `operation` to the first two inputs, to that and the third, and so on."""
    return lambda call: reduce(operation, map(counted, _aligned(call.inputs)))


def _aligned(inputs: Sequence[Array]) -> list[Array]:
    """`inputs` with extents 1 after the batch, so that all have one rank."""
    rank = max(one.ndim for one in inputs)
    return [one.reshape(one.shape[0], *[1] * (rank - one.ndim), *one.shape[1:]) for one in inputs]


def _counting(call: Evaluation) -> list[tuple[Array, Mask]]:
    """Each input and which of its elements enter the result, in the rank of all."""
    masks = call.masks if call.masks and call.config["masks"] == "any" else (None,) * len(call.inputs)
    pairs = zip(_aligned(call.inputs), masks, strict=True)
    return [(x, None if mask is None else mask.reshape(*mask.shape, *[1] * (x.ndim - mask.ndim))) for x, mask in pairs]


def _product(call: Evaluation) -> Array:
    pairs = [(counted(x), mask) for x, mask in _counting(call)]
    y = reduce(lambda a, b: a * b, [x if mask is None else np.where(mask, x, 1) for x, mask in pairs])
    masks = [mask for _, mask in pairs if mask is not None]
    return np.where(reduce(np.logical_or, masks), y, 0) if len(masks) == len(pairs) else y


def _extreme(call: Evaluation, choose: Callable[[Array, Array], Array]) -> Array:
    (y, counted), *rest = _counting(call)
    for x, counts in rest:
        new = x if counts is None else np.where(counts, x, y)
        y = choose(y if counted is None else np.where(counted, y, new), new)
        counted = None if counts is None or counted is None else counted | counts
    return y


def _largest(call: Evaluation) -> Array:
    return _extreme(call, np.maximum)


def _smallest(call: Evaluation) -> Array:
    return _extreme(call, np.minimum)


def _average(call: Evaluation) -> Array:
    return reduce(np.add, _aligned(call.inputs)) / call.dtype.type(len(call.inputs))


def _joined(call: Evaluation) -> Array:
    return np.concatenate(call.inputs, axis=call.config["axis"])


def _products(call: Evaluation) -> Array:
    axes = call.config["axes"]
    one, two = axes if isinstance(axes, list) else [axes, axes]
    left, right = (np.moveaxis(x, axis, -1) for x, axis in zip(call.inputs, (one, two), strict=True))
    if call.config["normalize"]:
        left, right = _of_length_one(left), _of_length_one(right)
    batch, extent = left.shape[0], left.shape[-1]
    sums = left.reshape(batch, -1, extent) @ right.reshape(batch, -1, extent).swapaxes(1, 2)
    return sums.reshape(batch, *(left.shape[1:-1] + right.shape[1:-1] or (1,)))


def _of_length_one(x: Array) -> Array:
    """`x` divided by its length along the last axis, which counts as at least 1e-6."""
    return x / np.sqrt(np.maximum((x * x).sum(axis=-1, keepdims=True), 1e-12))


def _merged_masks(call: Evaluation, _: Sequence[Array]) -> Sequence[Mask]:
    """Which steps count by the rule of the config."""
    masks = [mask for mask in call.masks if mask is not None]
    if not masks or call.config["masks"] == "none":
        return [None]
    if call.config["masks"] == "all":
        return [reduce(np.logical_and, masks)]
    return [reduce(np.logical_or, masks) if len(masks) == len(call.inputs) else None]


def _joined_masks(call: Evaluation, outputs: Sequence[Array]) -> Sequence[Mask]:
    """As `_merged_masks`; where the batch or the steps are joined, so are the masks."""
    axis = call.config["axis"] % call.input.ndim
    extents = next((mask.ndim for mask in call.masks if mask is not None), 0)
    if axis >= extents or call.config["masks"] == "none":
        return _merged_masks(call, outputs)
    pairs = zip(call.masks, call.inputs, strict=True)
    return [np.concatenate([np.ones(x.shape[:extents], bool) if mask is None else mask for mask, x in pairs], axis=axis)]


for _name, _verb, _most, _torch, _equation, _formula in (
    ("Add", "Adds its inputs", None, "torch.add", "y = x1 + x2 + …", _fold(lambda a, b: a + b)),
    ("Subtract", "Takes the second input off the first", 2, "torch.sub", "y = x1 - x2", _fold(lambda a, b: a - b)),
    ("Multiply", "Multiplies its inputs", None, "torch.mul", "y = x1 × x2 × …", _product),
    ("Average", "Takes the mean of its inputs", None, None, "y = (x1 + … + xn) / n", _average),
    ("Maximum", "Takes the largest of its inputs", None, "torch.maximum", "y = max(x1, x2, …)", _largest),
    ("Minimum", "Takes the smallest of its inputs", None, "torch.minimum", "y = min(x1, x2, …)", _smallest),
):
    define(
        _name,
        FAMILY,
        f"{_verb}, element by element.",
        words="the inputs' shape; where they differ: batch with batch, the rest aligned at the end, extent 1 stretched",
        rule=_element_wise,
        fields=(MASKS,),
        inputs=(2, _most),
        torch=_torch,
        keeps_dtype=_name != "Average",
        equation=_equation,
        formula=_formula,
        mask=_merged_masks,
    )
define(
    "Concatenate",
    FAMILY,
    "Puts its inputs one after the other along an axis.",
    words="input, with the sum of the extents along `axis`",
    rule=_concatenate,
    fields=(Field("axis", AXIS, "The axis; the inputs agree in all others.", -1), MASKS),
    inputs=(1, None),
    torch="torch.cat",
    equation="y = x1, then x2, … along `axis`",
    keeps_dtype=True,
    formula=_joined,
    mask=_joined_masks,
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
    equation="y[b, i, j] = sum over k of x1[b, i, k] × x2[b, j, k]; with `normalize`, each divided by sqrt(max(sum of its squares along k, 1e-12))",
    formula=_products,
    mask=drop_mask,
)
