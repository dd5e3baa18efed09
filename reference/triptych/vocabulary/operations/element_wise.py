"""Operations on each element: arithmetic, comparison, choice and functions of one number."""
# ruff: noqa: PLW0108 - np is looked up when a formula runs, not when it is defined

from __future__ import annotations

from collections.abc import Callable

from triptych import dtypes
from triptych.model import Shape
from triptych.vocabulary import activations
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import text
from triptych.vocabulary.kinds import ACTIVATIONS, NUMBER, choice, optional
from triptych.vocabulary.operations.definition import OperationShapes, OperationValues, define
from triptych.vocabulary.operations.kinds import BOUND, DTYPE, LITERAL
from triptych.vocabulary.operations.operands import counted, floating, operands, same_shape, stretched_shape, unified

FAMILY = "Element by element"
_STRETCHED = "the inputs' shapes aligned at the end, extent 1 stretched"
_PAIR = (
    Field("left", LITERAL, "The first operand as a literal; null: an input.", None),
    Field("right", LITERAL, "The second operand as a literal; null: an input.", None),
)


def _two(compute: Callable[[Array, Array], Array], *, real: bool = False, numbers: bool = False) -> Callable[[OperationValues], Array]:
    """A formula of two operands: as floating-point numbers if `real`, no booleans if `numbers`."""

    def formula(call: OperationValues) -> Array:
        left, right = operands(call, ("left", "right"))
        if real:
            return compute(floating(left, call.dtype), floating(right, call.dtype))
        return compute(counted(left), counted(right)) if numbers else compute(left, right)

    return formula


def _one(compute: Callable[[Array], Array], *, real: bool = True) -> Callable[[OperationValues], Array]:
    """A formula of one operand: as a floating-point number if `real`, else as no boolean."""

    def formula(call: OperationValues) -> Array:
        return compute(floating(call.input, call.dtype) if real else counted(call.input))

    return formula




def _power(left: Array, right: Array) -> Array:
    """The power; of integers to a negative one what is left of it when rounded towards 0."""
    if left.dtype.kind not in "iu" or right.dtype.kind == "u":
        return left**right
    powers = left ** np.maximum(right, 0)
    small = np.where(left == 1, 1, np.where(left == -1, 1 - 2 * (right % 2), 0)).astype(left.dtype)
    return np.where(right < 0, small, powers)


def _whole(choose: Callable[[Array], Array]) -> Callable[[OperationValues], Array]:
    """A formula that finds whole numbers: integers are whole already."""

    def formula(call: OperationValues) -> Array:
        x = counted(call.input)
        return x if x.dtype.kind in "iu" else choose(x)

    return formula


for _name, _equation, _formula, _torch in (
    ("add", "left + right", _two(lambda left, right: left + right, numbers=True), "add"),
    ("subtract", "left - right", _two(lambda left, right: left - right, numbers=True), "sub"),
    ("multiply", "left × right", _two(lambda left, right: left * right, numbers=True), "mul"),
    ("divide", "left / right, as floating-point numbers", _two(lambda left, right: left / right, real=True), "true_divide"),
    ("floor_divide", "left / right, the exact quotient rounded down; NaN where left is infinite; 0 for an integer divided by 0", _two(lambda left, right: left // right, numbers=True), "floor_divide"),
    ("remainder", "left - right × floor(left / right); 0 for an integer divided by 0", _two(lambda left, right: left % right, numbers=True), "remainder"),
    ("power", "left to the power of right; 1 where left is 1, whatever right is; an integer to a negative one is rounded towards 0, and 0 is then 0", _two(_power, numbers=True), "pow"),
    ("maximum", "the larger of left and right; NaN if one is", _two(lambda left, right: np.maximum(left, right)), "maximum"),
    ("minimum", "the smaller of left and right; NaN if one is", _two(lambda left, right: np.minimum(left, right)), "minimum"),
    ("equal", "whether left = right", _two(lambda left, right: left == right), "eq"),
    ("not_equal", "whether left ≠ right", _two(lambda left, right: left != right), "ne"),
    ("less", "whether left < right", _two(lambda left, right: left < right), "lt"),
    ("less_equal", "whether left ≤ right", _two(lambda left, right: left <= right), "le"),
    ("greater", "whether left > right", _two(lambda left, right: left > right), "gt"),
    ("greater_equal", "whether left ≥ right", _two(lambda left, right: left >= right), "ge"),
    ("logical_and", "whether left and right are both not 0", _two(lambda left, right: np.logical_and(left, right)), "logical_and"),
    ("logical_or", "whether left or right is not 0", _two(lambda left, right: np.logical_or(left, right)), "logical_or"),
):
    define(
        _name,
        FAMILY,
        f"{_equation}.",
        words=_STRETCHED,
        rule=stretched_shape,
        formula=_formula,
        fields=_PAIR,
        literals=("left", "right"),
        inputs=(2, 2),
        keras={"equal": "ops.equal"}.get(_name, f"ops.{_name}"),
        torch=f"torch.{_torch}",
    )


def _erf(x: Array) -> Array:
    """By the standard library's, element by element."""
    from math import erf

    return np.asarray(np.frompyfunc(erf, 1, 1)(x)).astype(x.dtype)


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)


for _name, _equation, _formula, _torch in (
    ("negative", "-x", _one(lambda x: -x, real=False), "neg"),
    ("absolute", "x where x ≥ 0, else -x", _one(lambda x: np.abs(x), real=False), "abs"),
    ("sign", "1 where x > 0, -1 where x < 0, else 0", _one(lambda x: np.sign(x), real=False), "sign"),
    ("square", "x × x", _one(lambda x: x * x, real=False), "square"),
    ("logical_not", "whether x is 0", _one(lambda x: np.logical_not(x), real=False), "logical_not"),
    ("floor", "the largest integer that is not above x, in x's dtype", _whole(lambda x: np.floor(x)), "floor"),
    ("ceil", "the smallest integer that is not below x, in x's dtype", _whole(lambda x: np.ceil(x)), "ceil"),
    ("round", "the nearest integer in x's dtype, the even one where two are as near", _whole(lambda x: np.rint(x)), "round"),
    ("reciprocal", "1 / x", _one(lambda x: 1 / x), "reciprocal"),
    ("sqrt", "the square root of x", _one(lambda x: np.sqrt(x)), "sqrt"),
    ("rsqrt", "1 / sqrt(x)", _one(lambda x: 1 / np.sqrt(x)), "rsqrt"),
    ("exp", "e to the power of x", _one(lambda x: np.exp(x)), "exp"),
    ("expm1", "exp(x) - 1, exact near 0", _one(lambda x: np.expm1(x)), "expm1"),
    ("log", "the natural logarithm of x", _one(lambda x: np.log(x)), "log"),
    ("log1p", "log(1 + x), exact near 0", _one(lambda x: np.log1p(x)), "log1p"),
    ("log2", "the logarithm of x to base 2", _one(lambda x: np.log2(x)), "log2"),
    ("log10", "the logarithm of x to base 10", _one(lambda x: np.log10(x)), "log10"),
    ("sin", "the sine of x", _one(lambda x: np.sin(x)), "sin"),
    ("cos", "the cosine of x", _one(lambda x: np.cos(x)), "cos"),
    ("tan", "the tangent of x", _one(lambda x: np.tan(x)), "tan"),
    ("arctan", "the angle between -π/2 and π/2 whose tangent is x", _one(lambda x: np.arctan(x)), "arctan"),
    ("sinh", "(exp(x) - exp(-x)) / 2", _one(lambda x: np.sinh(x)), "sinh"),
    ("cosh", "(exp(x) + exp(-x)) / 2", _one(lambda x: np.cosh(x)), "cosh"),
    ("tanh", "sinh(x) / cosh(x)", _one(lambda x: np.tanh(x)), "tanh"),
    ("sigmoid", "1 / (1 + exp(-x))", _one(_sigmoid), "sigmoid"),
    ("relu", "max(x, 0)", _one(lambda x: np.maximum(x, 0), real=False), "relu"),
    ("erf", "the error function: 2 / sqrt(π) × the integral of exp(-t²) from 0 to x", _one(_erf), "erf"),
    ("is_nan", "whether x is not a number", _one(lambda x: np.isnan(x)), "isnan"),
    ("is_finite", "whether x is a finite number", _one(lambda x: np.isfinite(x)), "isfinite"),
):
    _keras = {"is_nan": "isnan", "is_finite": "isfinite"}.get(_name, _name)
    define(
        _name,
        FAMILY,
        f"{_equation}.",
        words="input",
        rule=same_shape,
        formula=_formula,
        keras=f"ops.{_keras}",
        torch=f"torch.{_torch}",
    )


def _with_axes(call: OperationShapes) -> Shape:
    if call.config["activation"] in ("softmax", "log_softmax", "sparsemax") and not call.input:
        raise ShapeError(f"expected an input with an axis to sum along, got {text(call.input)}")
    return call.input


def _activated(call: OperationValues) -> Array:
    x, alpha = floating(call.input, call.dtype), call.config["alpha"]
    function: Callable[..., Array] = activations.NAMED[call.config["activation"]]
    result = function(x) if alpha is None or call.config["activation"] not in SLOPED else function(x, alpha)
    return np.asarray(result).astype(x.dtype)


SLOPED = ("leaky_relu", "elu")
"""Activations that have a parameter."""
define(
    "activate",
    FAMILY,
    "x after an activation, as chapter 25 gives it.",
    words="input",
    rule=_with_axes,
    formula=_activated,
    fields=(
        Field("activation", choice(*ACTIVATIONS), "The activation."),
        Field("alpha", optional(NUMBER), "The slope of leaky_relu below 0, or the factor of elu; null: 0.2 and 1. Nothing to the others.", None),
    ),
)


def _where(call: OperationValues) -> Array:
    rest = OperationValues(call.config, call.inputs[1:], call.dtype)
    return np.where(call.input.astype(bool), *operands(rest, ("on_true", "on_false")))


def _clip(call: OperationValues) -> Array:
    bounds = [call.config[name] for name in ("minimum", "maximum")]
    x, *limits = unified([call.input, *(bound for bound in bounds if bound is not None)], call.dtype)
    for bound, limit in zip(bounds, (np.maximum, np.minimum), strict=True):
        x = x if bound is None else limit(x, limits.pop(0))
    return np.asarray(x)


def converted(x: Array, name: str, call: OperationValues) -> Array:
    """`x` in the dtype `name`, as the evaluation of `call` holds it."""
    if name == "bool":
        return x != 0
    if name.startswith(("int", "uint")):
        return (x if x.dtype.kind in "biu" else np.trunc(x.astype(np.float64))).astype(name)
    return x.astype(call.dtype if call.forced else dtypes.numpy_dtype(name))


define(
    "where",
    FAMILY,
    "on_true where the first input is not 0, else on_false.",
    words=_STRETCHED,
    rule=stretched_shape,
    formula=_where,
    fields=(
        Field("on_true", LITERAL, "The second operand as a literal; null: an input.", None),
        Field("on_false", LITERAL, "The third operand as a literal; null: an input.", None),
    ),
    literals=("on_true", "on_false"),
    inputs=(3, 3),
    keras="ops.where",
    torch="torch.where",
)
define(
    "clip",
    FAMILY,
    "min(max(x, minimum), maximum), the bounds being literals; NaN if one is; a bound that is null does not bound.",
    words="input",
    rule=same_shape,
    formula=_clip,
    fields=(
        Field("minimum", BOUND, "The lower bound."),
        Field("maximum", BOUND, "The upper bound."),
    ),
    keras="ops.clip",
    torch="torch.clamp",
)
define(
    "cast",
    FAMILY,
    "x in another dtype: as a boolean, whether it is not 0; as an integer, rounded towards 0, of an integer as many bits as there is room for; as a floating-point number, the nearest one.",
    words="input",
    rule=same_shape,
    formula=lambda call: converted(call.input, call.config["dtype"], call),
    fields=(Field("dtype", DTYPE, "The dtype."),),
    makes_dtype=True,
    keras="ops.cast",
    torch="torch.Tensor.to",
)
