"""Operations that make one number of many: sums, extremes and their places, and what divides by them."""
# ruff: noqa: PLW0108 - np is looked up when a formula runs, not when it is defined

from __future__ import annotations

from collections.abc import Callable
from math import prod

from triptych.model import Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of, text
from triptych.vocabulary.kinds import AXIS, BOOLEAN, POSITIVE, SIZE, Kind, choice
from triptych.vocabulary.operations.definition import OperationShapes, OperationValues, define
from triptych.vocabulary.operations.kinds import AXES_OR_ALL
from triptych.vocabulary.operations.operands import axes_of, counted, floating

FAMILY = "Along axes"
_AXES = Field("axes", AXES_OR_ALL, "The axes; null: all.", None)
_KEEPDIMS = Field("keepdims", BOOLEAN, "Whether the axes stay, with extent 1.", default=False)
_AXIS = Field("axis", AXIS, "The axis.")


def _without(shape: Shape, axes: tuple[int, ...], *, keepdims: bool) -> Shape:
    return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape) if keepdims or axis not in axes)


def _reduced(call: OperationShapes) -> Shape:
    return _without(call.input, axes_of(call.config["axes"], call.input), keepdims=call.config["keepdims"])


def _reduced_once(call: OperationShapes) -> Shape:
    return _without(call.input, (axis_of(call.config["axis"], call.input),), keepdims=call.config["keepdims"])


def _along(call: OperationShapes) -> Shape:
    axis_of(call.config["axis"], call.input)
    return call.input


def _chosen(call: OperationShapes) -> Shape:
    """As `_reduced`, of axes that hold something to choose from."""
    return _reduced(_filled(call, axes_of(call.config["axes"], call.input)))


def _chosen_once(call: OperationShapes) -> Shape:
    return _reduced_once(_filled(call, (axis_of(call.config["axis"], call.input),)))


def _filled(call: OperationShapes, axes: tuple[int, ...]) -> OperationShapes:
    if any(call.input[axis] == 0 for axis in axes):
        raise ShapeError(f"expected at least one element along the axes, got {text(call.input)}")
    return call


def _over(compute: Callable[..., Array], *, real: bool = False, number: bool = True) -> Callable[[OperationValues], Array]:
    """A formula over axes: of floating-point numbers if `real`, of booleans as numbers if `number`."""

    def formula(call: OperationValues) -> Array:
        x = floating(call.input, call.dtype) if real else counted(call.input) if number else call.input
        result = compute(x, axis=axes_of(call.config["axes"], x.shape), keepdims=call.config["keepdims"])
        return np.asarray(result)

    return formula


def _log_sum_exp(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    largest = np.max(x, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, np.zeros_like(largest))
    total = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else np.squeeze(total, axis)


def _sum(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    return np.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def _mean(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    return np.divide(_sum(x, axis=axis, keepdims=keepdims), x.dtype.type(_count(x, axis)))


def _count(x: Array, axes: tuple[int, ...]) -> int:
    """How many elements go into one result."""
    return prod(x.shape[axis] for axis in axes)


def _product(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    return np.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


for _name, _equation, _formula, _torch in (
    ("sum", "The sum of x; booleans count as 0 and 1", _over(_sum), "sum"),
    ("product", "The product of x", _over(_product), "prod"),
    ("mean", "The sum of x divided by the number of its elements", _over(_mean, real=True), "mean"),
    ("max", "The largest element; NaN if one is", _over(lambda x, **k: np.max(x, **k), number=False), "amax"),
    ("min", "The smallest element; NaN if one is", _over(lambda x, **k: np.min(x, **k), number=False), "amin"),
    ("any", "Whether an element is not 0", _over(lambda x, **k: np.any(x, **k)), "any"),
    ("all", "Whether no element is 0", _over(lambda x, **k: np.all(x, **k)), "all"),
    ("logsumexp", "m + log(sum of exp(x - m)), m the largest element", _over(_log_sum_exp, real=True), "logsumexp"),
):
    define(
        _name,
        FAMILY,
        f"{_equation}, along the axes.",
        words="input without the axes, or with 1 for each",
        rule=_chosen if _name in ("max", "min", "logsumexp") else _reduced,
        formula=_formula,
        fields=(_AXES, _KEEPDIMS),
        keras={"product": "ops.prod"}.get(_name, f"ops.{_name}"),
        torch=f"torch.{_torch}",
    )


def _variance(call: OperationValues) -> Array:
    x = floating(call.input, call.dtype)
    axes = axes_of(call.config["axes"], x.shape)
    distance = x - _mean(x, axis=axes, keepdims=True)
    total = _sum(distance * distance, axis=axes, keepdims=call.config["keepdims"])
    return np.divide(total, x.dtype.type(_count(x, axes) - call.config["correction"]))


define(
    "variance",
    FAMILY,
    "The sum of (x - mean(x))² divided by (n - correction), n the number of elements, along the axes.",
    words="input without the axes, or with 1 for each",
    rule=_reduced,
    formula=_variance,
    fields=(_AXES, _KEEPDIMS, Field("correction", Kind("0 \\| 1", {"type": "integer", "minimum": 0, "maximum": 1}, "0 or 1"), "What is taken off the number.", 0)),
    keras="ops.var",
    torch="torch.var",
)


def _place(find: Callable[..., Array]) -> Callable[[OperationValues], Array]:
    def formula(call: OperationValues) -> Array:
        return np.asarray(find(call.input, axis=call.config["axis"], keepdims=call.config["keepdims"])).astype(np.int32)

    return formula


for _name, _which, _formula in (
    ("argmax", "largest", _place(lambda x, **k: np.argmax(x, **k))),
    ("argmin", "smallest", _place(lambda x, **k: np.argmin(x, **k))),
):
    define(
        _name,
        FAMILY,
        f"The index of the {_which} element along the axis, the first of several, as int32; of NaN if there is one.",
        words="input without the axis, or with 1 for it",
        rule=_chosen_once,
        formula=_formula,
        fields=(_AXIS, _KEEPDIMS),
        keras=f"ops.{_name}",
        torch=f"torch.{_name}",
    )


def _softmax(call: OperationValues) -> Array:
    x = floating(call.input, call.dtype)
    large = np.exp(x - np.max(x, axis=call.config["axis"], keepdims=True, initial=-np.inf))
    return large / np.sum(large, axis=call.config["axis"], keepdims=True)


def _log_softmax(call: OperationValues) -> Array:
    x = floating(call.input, call.dtype)
    x = x - np.max(x, axis=call.config["axis"], keepdims=True, initial=-np.inf)
    return x - np.log(np.sum(np.exp(x), axis=call.config["axis"], keepdims=True))


def _cumulative_sum(call: OperationValues) -> Array:
    x, axis = counted(call.input), call.config["axis"]
    if call.config["reverse"]:
        x = np.flip(x, axis)
    total = np.cumsum(x, axis=axis, dtype=x.dtype)
    if call.config["exclusive"]:
        total = total - x
    return np.flip(total, axis) if call.config["reverse"] else total


def _l2_normalize(call: OperationValues) -> Array:
    x = floating(call.input, call.dtype)
    squares = np.sum(x * x, axis=axes_of(call.config["axes"], x.shape), keepdims=True)
    least = x.dtype.type(call.config["epsilon"])
    return x / np.maximum(np.sqrt(squares), least) if call.config["epsilon_on"] == "norm" else x / np.sqrt(np.maximum(squares, least))


def _checked(call: OperationShapes) -> Shape:
    axes_of(call.config["axes"], call.input)
    return call.input


for _name, _equation, _formula in (
    ("softmax", "exp(x) / sum of exp(x), the sum along the axis.", _softmax),
    ("log_softmax", "x - log(sum of exp(x)), the sum along the axis.", _log_softmax),
):
    define(
        _name,
        FAMILY,
        _equation,
        words="input",
        rule=_along,
        formula=_formula,
        fields=(Field("axis", AXIS, "The axis.", -1),),
        keras=f"ops.{_name}",
        torch=f"torch.{_name}",
    )
define(
    "cumulative_sum",
    FAMILY,
    "For each element the sum of all up to it along the axis.",
    words="input",
    rule=_along,
    formula=_cumulative_sum,
    fields=(
        _AXIS,
        Field("exclusive", BOOLEAN, "Whether the element itself is left out.", default=False),
        Field("reverse", BOOLEAN, "Whether the sum starts at the end.", default=False),
    ),
    keras="ops.cumsum",
    torch="torch.cumsum",
)
define(
    "l2_normalize",
    FAMILY,
    "x / max(sqrt(s), epsilon) or x / sqrt(max(s, epsilon)), s the sum of x² along the axes.",
    words="input",
    rule=_checked,
    formula=_l2_normalize,
    fields=(
        _AXES,
        Field("epsilon", POSITIVE, "The least that is divided by."),
        Field("epsilon_on", choice("norm", "square"), "Whether it bounds the root (PyTorch) or what is under it (TensorFlow)."),
    ),
    keras="ops.normalize",
    torch="torch.nn.functional.normalize",
)


def _top_k_shapes(call: OperationShapes) -> list[Shape]:
    shape, k = call.input, call.config["k"]
    if not shape or (shape[-1] is not None and shape[-1] < k):
        raise ShapeError(f"expected at least {k} elements along the last axis, got {text(shape)}")
    return [(*shape[:-1], k)] * 2


def _top_k(call: OperationValues) -> list[Array]:
    x = counted(call.input)
    falling = -(x.astype(np.int64) if x.dtype.kind == "u" else x)
    order = np.lexsort((falling, ~np.isnan(falling)), axis=-1)[..., : call.config["k"]]
    return [np.take_along_axis(call.input, order, -1), order.astype(np.int32)]


define(
    "top_k",
    FAMILY,
    "The k largest elements along the last axis, the largest first, NaN before all, the first of equal ones first; and their indices as int32.",
    words="twice: input, its last extent k",
    rule=_top_k_shapes,
    formula=_top_k,
    fields=(Field("k", SIZE, "How many."),),
    keras="ops.top_k",
    torch="torch.topk",
)
