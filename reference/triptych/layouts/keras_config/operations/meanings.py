"""Meanings that several functions of Keras share: from arguments in the order of numpy to an operation with its config.

A meaning is made for an operation and then takes the arguments of one call; it raises `Unsayable` where they mean more than the
operation does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from triptych.layouts.keras_config.operations.said import Argument, Constant, Said, Tensor, constant, is_integer, is_number
from triptych.layouts.keras_config.plain import is_dtype, unsayable
from triptych.model import Json, Shape

Meaning = Callable[..., Said]
ARITHMETIC = frozenset({"add", "subtract", "multiply", "floor_divide", "remainder", "power"})
OF_ANY_NUMBERS = frozenset({"negative", "absolute", "sign", "square", "logical_not", "relu", "is_nan", "is_finite", "identity"})
"""Operations of one operand that Keras and we agree on where it holds integers."""
MEANS = frozenset({"mean", "variance", "logsumexp"})
"""Reductions whose result is a fraction."""
NARROW = ("int8", "int16", "uint8", "uint16", "uint32", "uint64")
"""Dtypes whose sums Keras makes in a wider one."""


def is_floating(dtype: str | None) -> bool:
    """Whether `dtype` is known, and one of floating-point numbers."""
    return dtype is not None and dtype.startswith(("float", "bfloat"))


def the_tensor(x: Argument) -> Tensor:
    """`x`, which has to be a value of the graph."""
    return x if isinstance(x, Tensor) else unsayable("an operand that is no value of the graph")


def shape_of(x: Tensor) -> Shape:
    """The shape of `x`, which has to be known where axes are counted."""
    return unsayable("an operand of unknown rank") if x.shape is None else x.shape


def axes_of(axis: Argument) -> list[int] | None:
    """One axis, or several, or none for all, as our list or null."""
    if axis is None or (isinstance(axis, list) and all(map(is_integer, axis))):
        return axis
    return [axis] if is_integer(axis) else _no_axis()


def the_axis(axis: Argument) -> int:
    """One axis."""
    if isinstance(axis, list) and len(axis) == 1:
        axis = axis[0]
    return axis if is_integer(axis) else _no_axis()


def _no_axis() -> NoReturn:
    unsayable("an axis that is not said")


def integers(value: Argument) -> list[int]:
    """An integer or a list of them as a list."""
    value = [value] if is_integer(value) else value
    return value if isinstance(value, list) and all(map(is_integer, value)) else unsayable("integers")


def operand(x: Argument, beside: Sequence[Argument] = ()) -> Tensor | Constant:
    """A value of the graph or an array; an array without a dtype has that of the operands `beside` it."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, list):
        x = constant(x)
    if not isinstance(x, Constant):
        unsayable("an operand")
    if x.dtype is not None:
        return x
    known = next((one.dtype for one in beside if isinstance(one, Tensor | Constant) and one.dtype is not None), None)
    fractions = any(isinstance(one, float) for one in x.elements)
    truths = all(isinstance(one, bool) for one in x.elements)
    return Constant(x.elements, x.shape, known or ("float32" if fractions else "bool" if truths else "int32"))


def literals(config: dict[str, Json], members: Sequence[str], values: Sequence[Argument]) -> tuple[Tensor | Constant, ...]:
    """The operands among `values`; literals go into `config` under the names of `members`."""
    operands: list[Tensor | Constant] = []
    for member, value in zip(members, values, strict=True):
        if isinstance(value, bool) or is_number(value):
            config[member] = value
        else:
            operands.append(operand(value, values))
    return tuple(operands)


def pair(op: str) -> Meaning:
    """An operation of two operands; a division is one of what is known to be floating-point numbers."""

    def meaning(left: Argument, right: Argument) -> Said:
        config: dict[str, Json] = {}
        operands = literals(config, ("left", "right"), (left, right))
        if not any(isinstance(one, Tensor) for one in operands):
            unsayable("an operation on constants")
        if op == "divide" and not all(is_floating(one.dtype) for one in operands):
            unsayable("a division of what may be integers")
        if op in ARITHMETIC and any(one.dtype == "bool" for one in operands):
            unsayable("sums of truths")
        return Said(op, operands, config)

    return meaning


def single(op: str) -> Meaning:
    """An operation of one operand."""

    def meaning(x: Argument) -> Said:
        given = the_tensor(x)
        if op not in OF_ANY_NUMBERS and not is_floating(given.dtype):
            unsayable("a function of what may be integers")
        return Said(op, (given,))

    return meaning


def reduction(op: str) -> Meaning:
    """An operation along axes."""

    def meaning(x: Argument, axis: Argument = None, keepdims: Argument = None) -> Said:
        given = the_tensor(x)
        if op in MEANS and not is_floating(given.dtype):
            unsayable("a mean of what may be integers")
        if given.dtype in NARROW:
            unsayable("a sum of narrow integers")
        return Said(op, (given,), {"axes": axes_of(axis), "keepdims": bool(keepdims)})

    return meaning


def place(op: str) -> Meaning:
    """The index of an extreme."""

    def meaning(x: Argument, axis: Argument = None, keepdims: Argument = None) -> Said:
        return Said(op, (the_tensor(x),), {"axis": the_axis(axis), "keepdims": bool(keepdims)})

    return meaning


def along(op: str) -> Meaning:
    """An operation along one axis, the last unless it says another."""

    def meaning(x: Argument, axis: Argument = None) -> Said:
        given = the_tensor(x)
        return Said(op, (given,), {"axis": -1 if axis is None else the_axis(axis)})

    return meaning


def clip(x: Argument, least: Argument, most: Argument) -> Said:
    """Bounds that are numbers."""
    if not (is_number(least) and is_number(most)):
        unsayable("bounds")
    given = the_tensor(x)
    if not is_floating(given.dtype) and any(isinstance(one, float) for one in (least, most)):
        unsayable("fractions as bounds of integers")
    return Said("clip", (given,), {"minimum": least, "maximum": most})


def where(condition: Argument, on_true: Argument, on_false: Argument) -> Said:
    """A choice for each element."""
    config: dict[str, Json] = {}
    chosen = literals(config, ("on_true", "on_false"), (on_true, on_false))
    return Said("where", (the_tensor(condition), *chosen), config)


def activation(name: str) -> Meaning:
    """A function of one number that chapter 25 lists among the activations."""

    def meaning(x: Argument, alpha: Argument = None) -> Said:
        given = the_tensor(x)
        if not is_floating(given.dtype):
            unsayable("an activation of what may be integers")
        return Said("activate", (given,), {"activation": name, **({} if alpha is None else {"alpha": alpha})})

    return meaning


def gelu(x: Argument, approximate: Argument) -> Said:
    """The exact function or its approximation, which has to be said."""
    if not isinstance(approximate, bool):
        unsayable("an approximation that is not said")
    return activation("gelu_tanh" if approximate else "gelu")(x)


_LITERALS: dict[str, Callable[[float], bool | int | float]] = {"float32": float, "int32": int, "bool": bool}


def full_like(x: Argument, value: Argument, dtype: Argument = None) -> Said:
    """One number in the shape of a value: what is chosen whatever the value is."""
    given = the_tensor(x)
    made = _LITERALS.get(dtype or given.dtype or "")
    if made is None or not isinstance(value, bool | int | float):
        unsayable("a number of this dtype")
    return Said("where", (given,), {"on_true": made(value), "on_false": made(value)})


def filled_with(value: float) -> Meaning:
    """The same of a number that the function's name says."""
    return lambda x, dtype=None: full_like(x, value, dtype)


def fill_of(config: Mapping[str, Json]) -> tuple[bool | int | float, str] | None:
    """The number and dtype of a ``where`` that chooses one number whatever its condition is; None if it does not."""
    number, other = config["on_true"], config["on_false"]
    if number is None or type(number) is not type(other) or number != other:
        return None
    return number, "bool" if isinstance(number, bool) else "int32" if isinstance(number, int) else "float32"


def cast(x: Argument, dtype: Argument) -> Said:
    """Another dtype."""
    if not is_dtype(dtype):
        unsayable("a dtype")
    return Said("cast", (the_tensor(x),), {"dtype": dtype})


def reshape(x: Argument, shape: Argument) -> Said:
    """A shape in which one extent may follow from the others."""
    extents = [-1 if one is None else one for one in shape] if isinstance(shape, list) else shape
    given = the_tensor(x)
    return Said("reshape", (given,), {"shape": integers(extents)})


def transpose(x: Argument, axes: Argument = None) -> Said:
    """Axes in another order."""
    given = the_tensor(x)
    return Said("transpose", (given,), {"axes": axes_of(axes)})


def axes(op: str) -> Meaning:
    """An operation that names axes and nothing else."""

    def meaning(x: Argument, axis: Argument = None) -> Said:
        given = the_tensor(x)
        return Said(op, (given,), {"axes": axes_of(axis)})

    return meaning


def item(x: Argument, key: Argument) -> Said:
    """What square brackets take."""
    entries: list[Json] = []
    for one in key if isinstance(key, list) else [key]:
        if isinstance(one, slice):
            entries.append([one.start, one.stop, one.step])
        else:
            entries.append("rest" if one is Ellipsis else "new" if one is None else one if is_integer(one) else unsayable("an index"))
    given = the_tensor(x)
    return Said("slice", (given,), {"entries": entries})


def window(x: Argument, begin: Argument, size: Argument) -> Said:
    """A part that begins somewhere and has a size, -1 for all that follows."""
    starts, sizes = integers(begin), integers(size)
    if len(starts) != len(sizes) or min([*starts, 0]) < 0:
        unsayable("a part")
    entries: list[Json] = [
        [None, None, None] if (start, extent) == (0, -1) else [start, None if extent == -1 else start + extent, None]
        for start, extent in zip(starts, sizes, strict=True)
    ]
    given = the_tensor(x)
    return Said("slice", (given,), {"entries": entries})


def together(op: str) -> Meaning:
    """Values side by side."""

    def meaning(values: Argument, axis: Argument = None) -> Said:
        if not isinstance(values, list) or not values:
            unsayable("values")
        operands = tuple(operand(one, values) for one in values)
        if not any(isinstance(one, Tensor) for one in operands):
            unsayable("an operation on constants")
        return Said(op, operands, {"axis": 0 if axis is None else the_axis(axis)})

    return meaning


def tile(x: Argument, repeats: Argument) -> Said:
    """The whole, repeated."""
    given = the_tensor(x)
    return Said("tile", (given,), {"repeats": integers(repeats)})


def repeat(x: Argument, repeats: Argument, axis: Argument = None) -> Said:
    """Each element, repeated."""
    given = the_tensor(x)
    return Said("repeat", (given,), {"repeats": the_axis(repeats), "axis": the_axis(axis)})


def roll(x: Argument, shift: Argument, axis: Argument = None) -> Said:
    """Elements moved along axes."""
    given = the_tensor(x)
    if axis is None:
        unsayable("an array rolled as if it were flat")
    axes, shifts = integers(axis), integers(shift)
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    return Said("roll", (given,), {"shifts": shifts, "axes": axes})


def gather(x: Argument, indices: Argument, axis: Argument) -> Said:
    """Elements at indices along one axis."""
    given = the_tensor(x)
    config: dict[str, Json] = {"axis": the_axis(axis)}
    if isinstance(indices, Constant) and len(indices.shape) == 1:
        indices = list(indices.elements)
    if isinstance(indices, list) and indices and all(map(is_integer, indices)):
        return Said("gather", (given,), {**config, "indices": indices})
    if is_integer(indices):
        indices = Constant((indices,), (), "int32")
    return Said("gather", (given, operand(indices)), config)


def one_hot(x: Argument, depth: Argument, axis: Argument, dtype: Argument) -> Said:
    """1 at the place that an index says."""
    if not is_dtype(dtype):
        unsayable("a dtype")
    return Said("one_hot", (the_tensor(x),), {"depth": depth, "axis": -1 if axis is None else the_axis(axis), "dtype": dtype})


def matmul(left: Argument, right: Argument, *, flip_left: bool = False, flip_right: bool = False) -> Said:
    """A product of matrices, either turned over first."""
    operands = (operand(left, (right,)), operand(right, (left,)))
    if not any(isinstance(one, Tensor) for one in operands):
        unsayable("an operation on constants")
    if not flip_left and not flip_right:
        return Said("matmul", operands)
    return Said("einsum", operands, {"equation": turned(flip_left=flip_left, flip_right=flip_right)})


def turned(*, flip_left: bool, flip_right: bool) -> str:
    """The equation of a product of matrices that are turned over first."""
    return f"...{'ji' if flip_left else 'ij'},...{'kj' if flip_right else 'jk'}->...ik"
