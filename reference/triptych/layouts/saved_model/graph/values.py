"""Values of a TensorFlow graph: outputs of nodes, with the arithmetic in which emitters write formulas down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.model import Shape

if TYPE_CHECKING:
    from triptych.layouts.saved_model.graph.body import Body

Operand = Any
"""A `Value`, or a number or numpy array that becomes a constant of the dtype of the values beside it."""
Extent = Union[int, "Value"]
"""An extent that is known, or a scalar of int32."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One output of one node."""

    body: Body
    """The graph or function that the node is in."""
    ref: str
    """What the inputs of other nodes call it."""
    dtype: str
    """A name of `triptych.dtypes`, ``string``, ``resource`` or ``variant``."""
    shape: Shape
    """None for an extent that is not known before the graph runs."""

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __add__(self, other: Operand) -> Value:
        return element_wise("AddV2", self, other)

    def __radd__(self, other: Operand) -> Value:
        return element_wise("AddV2", other, self)

    def __sub__(self, other: Operand) -> Value:
        return element_wise("Sub", self, other)

    def __rsub__(self, other: Operand) -> Value:
        return element_wise("Sub", other, self)

    def __mul__(self, other: Operand) -> Value:
        return element_wise("Mul", self, other)

    def __rmul__(self, other: Operand) -> Value:
        return element_wise("Mul", other, self)

    def __truediv__(self, other: Operand) -> Value:
        return element_wise("RealDiv", self, other)

    def __rtruediv__(self, other: Operand) -> Value:
        return element_wise("RealDiv", other, self)

    def __floordiv__(self, other: Operand) -> Value:
        return element_wise("FloorDiv", self, other)

    def __rfloordiv__(self, other: Operand) -> Value:
        return element_wise("FloorDiv", other, self)

    def __mod__(self, other: Operand) -> Value:
        return element_wise("FloorMod", self, other)

    def __pow__(self, other: Operand) -> Value:
        return element_wise("Pow", self, other)

    def __rpow__(self, other: Operand) -> Value:
        return element_wise("Pow", other, self)

    def __neg__(self) -> Value:
        return element_wise("Neg", self)

    def __lt__(self, other: Operand) -> Value:
        return element_wise("Less", self, other, dtype="bool")

    def __le__(self, other: Operand) -> Value:
        return element_wise("LessEqual", self, other, dtype="bool")

    def __gt__(self, other: Operand) -> Value:
        return element_wise("Greater", self, other, dtype="bool")

    def __ge__(self, other: Operand) -> Value:
        return element_wise("GreaterEqual", self, other, dtype="bool")

    def __and__(self, other: Operand) -> Value:
        return element_wise("LogicalAnd", self, other)

    def __or__(self, other: Operand) -> Value:
        return element_wise("LogicalOr", self, other)

    def __invert__(self) -> Value:
        return element_wise("LogicalNot", self)


WITHOUT_TYPE = frozenset({"LogicalAnd", "LogicalOr", "LogicalNot"})
"""Element-wise operations that take booleans and no attribute T."""


def element_wise(op: str, *operands: Operand, dtype: str | None = None) -> Value:
    """What TensorFlow's `op` makes of `operands`, of which at least one is a value; in `dtype`, or in theirs.

    Raises:
        TypeError: Values of several dtypes stand there.
    """
    values = [one for one in operands if isinstance(one, Value)]
    found = {one.dtype for one in values}
    if len(found) > 1:
        raise TypeError(f"expected operands of one dtype for {op}, got {sorted(found)}")
    body, own = innermost(values), values[0].dtype
    given = [body.made(one, own) for one in operands]
    attributes: dict[str, Any] = {} if op in WITHOUT_TYPE else {"T": Type(own)}
    return body.one(op, given, dtype or own, broadcast(*(one.shape for one in given)), **attributes)


def innermost(values: Sequence[Value]) -> Body:
    """The body that can name all of `values`: functions take values of the graph around them."""
    return max((one.body for one in values), key=lambda body: body.depth)


def broadcast(*shapes: Shape) -> Shape:
    """The common shape of operands: aligned at the end, extents of 1 stretched."""
    width = max(map(len, shapes))
    joined = []
    for extents in zip(*((1,) * (width - len(shape)) + shape for shape in shapes), strict=True):
        known = [extent for extent in extents if extent not in (None, 1)]
        joined.append(known[0] if known else None if None in extents else 1)
    return tuple(joined)
