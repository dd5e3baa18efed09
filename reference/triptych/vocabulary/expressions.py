"""The small language in which definitions write shapes and conditions; any program can evaluate it from ``vocabulary.json``.

Its grammar is in ``spec/25-layers.md``. It is a subset of Python's expressions, so Python's parser reads it; nothing but what
`_value` lists is ever evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

Value = Any
"""An integer, a boolean, a string, None (not known, or null) or a list of values."""


class ShapeError(Exception):
    """Inputs do not fit a layer; the text says what was expected and what was found."""


def evaluate(expression: str, names: Mapping[str, Value]) -> Value:
    """The value of `expression`; arithmetic with an unknown operand is unknown (None).

    Raises:
        ShapeError: An index is outside its list.
        ValueError: The expression is not of the language.
    """
    return _value(_parse(expression), names)


@cache
def _parse(expression: str) -> ast.expr:
    return ast.parse(expression, mode="eval").body


def _value(node: ast.expr, names: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=int() | str() as value):
            return value
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _value(operand, names)
            return None if value is None else -value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _true(_value(operand, names))
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_true(_value(value, names)) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            # The first operand that is neither null nor false.
            return next((value for value in (_value(v, names) for v in values) if _true(value)), None)
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            return _value(left, names) == _value(right, names)
        case ast.BinOp(left=left, op=operator, right=right):
            return _arithmetic(operator, _value(left, names), _value(right, names))
        case ast.Subscript(value=of, slice=ast.Slice(lower=lower, upper=upper, step=None)):
            extents = _value(of, names)
            start, stop = (None if bound is None else _value(bound, names) for bound in (lower, upper))
            return None if extents is None else list(extents[start:stop])
        case ast.Subscript(value=of, slice=index):
            return _item(_value(of, names), _value(index, names))
        case ast.List(elts=items):
            return _list(items, names)
        case ast.Call(func=ast.Name(id="one_at"), args=[of, axes], keywords=[]):
            return _one_at(_value(of, names), _value(axes, names))
        case ast.Call(func=ast.Name(id="einsum_kernel" | "einsum_bias" as name), args=args, keywords=[]):
            return _einsum(name, [_value(one, names) for one in args])
    raise ValueError(f"not of the expression language: {ast.unparse(node)}")


def _einsum(name: str, args: Sequence[Value]) -> list[Value] | None:
    """What an equation implies for the shape of a kernel or a bias."""
    from triptych.vocabulary.einsum import analyze

    equation, given, target, *bias_axes = args
    if given is None:
        return None
    _, kernel, bias = analyze(equation, given, target, bias_axes[0] if bias_axes else "")
    return kernel if name == "einsum_kernel" else bias


def _true(value: Value) -> bool:
    """Whether `value` is neither null nor false; 0 is true."""
    return value is not None and value is not False


def _arithmetic(operator: ast.operator, left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return None
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.FloorDiv():
            return left // right
    raise ValueError(f"not of the expression language: {operator}")


def _item(extents: Sequence[Value] | None, index: Value) -> Value:
    if extents is None or index is None:
        return None
    if isinstance(index, list):
        return [_item(extents, one) for one in index]
    if not -len(extents) <= index < len(extents):
        raise ShapeError(f"expected an input with an axis {index}, got rank {len(extents)}")
    return extents[index]


def _list(items: Sequence[ast.expr], names: Mapping[str, Value]) -> list[Value] | None:
    values: list[Value] = []
    for item in items:
        if not isinstance(item, ast.Starred):
            values.append(_value(item, names))
            continue
        spread = _value(item.value, names)
        if spread is None:
            return None
        values.extend(spread if isinstance(spread, list | tuple) else [spread])
    return values


def _one_at(extents: Sequence[Value] | None, axes: Sequence[int] | None) -> list[Value] | None:
    """`extents` with 1 at each of `axes`."""
    if extents is None:
        return None
    for axis in axes or ():
        _item(extents, axis)
    places = {axis % len(extents) for axis in axes or ()}
    return [1 if place in places else extent for place, extent in enumerate(extents)]
