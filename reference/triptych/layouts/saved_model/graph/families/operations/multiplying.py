"""Emitters of operations that sum products: of matrices, by an equation, and attention."""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.layouts.saved_model.graph.activations import softmax
from triptych.layouts.saved_model.graph.elementary import cast, einsum, matmul, unary, where
from triptych.layouts.saved_model.graph.emission import OperationEmission, emits_operation
from triptych.layouts.saved_model.graph.families.operations.operands import counted, floating, shapes_of, unified
from triptych.layouts.saved_model.graph.shaping import expand, extent, squeeze, steps
from triptych.layouts.saved_model.graph.values import Extent, Value
from triptych.model import Shape

MULTIPLIED = ("int32", "int64")
"""Integers of which TensorFlow has matrix products; those of others are made in the wider."""


def _factors(call: OperationEmission) -> tuple[list[Value], str]:
    """The inputs in a dtype that has matrix products, and the dtype of the result."""
    values = [counted(one) for one in unified(call, call.inputs)]
    dtype = values[0].dtype
    multiplied = "float" in dtype or "complex" in dtype or dtype in MULTIPLIED
    return values if multiplied else [cast(one, "int64") for one in values], dtype


@emits_operation("matmul")
def _product(call: OperationEmission) -> Value:
    (left, right), dtype = _factors(call)
    one = left if left.ndim > 1 else expand(left, 0)
    two = right if right.ndim > 1 else expand(right, 1)
    y = matmul(one, two)
    gone = [*([-2] if left.ndim == 1 else []), *([-1] if right.ndim == 1 else [])]
    return cast(squeeze(y, gone) if gone else y, dtype)


@emits_operation("einsum")
def _summed(call: OperationEmission) -> Value:
    values, dtype = _factors(call)
    (shape,) = shapes_of(call, "einsum")
    given, _, output = call.config["equation"].partition("->")
    terms = given.split(",")
    free = [value.ndim - len(term.replace("...", "")) for term, value in zip(terms, values, strict=True)]
    # Dots that stand for no axis are left out, as TensorFlow wants the result to have them, too.
    terms = [term if count else term.replace("...", "") for term, count in zip(terms, free, strict=True)]
    output = output if any(free) else output.replace("...", "")
    while len(values) > 2:
        wanted = "".join([output, *terms[2:]])
        values[:2], terms[:2] = _of_two(values[:2], terms[:2], wanted)
    return cast(einsum(f"{','.join(terms)}->{output}", values, shape), dtype)


def _of_two(values: Sequence[Value], terms: Sequence[str], wanted: str) -> tuple[list[Value], list[str]]:
    """The product of two values, with the letters that are `wanted` after it: TensorFlow sums over two at a time."""
    letters = dict.fromkeys("".join(terms).replace(".", ""))
    term = ("..." if any("..." in one for one in terms) else "") + "".join(one for one in letters if one in wanted)
    rank = len(term.replace("...", "")) + max(value.ndim - len(one.replace("...", "")) for value, one in zip(values, terms, strict=True))
    unknown: Shape = (None,) * rank
    return [einsum(f"{','.join(terms)}->{term}", values, unknown)], [term]


def within(like: Value, rows: Extent, columns: Extent, diagonal: int = 0) -> Value:
    """For each place of a matrix whether its column is at most its row plus `diagonal`."""
    return expand(steps(like, columns), 0) <= expand(steps(like, rows) + diagonal, 1)


@emits_operation("attention")
def _attention(call: OperationEmission) -> Value:
    query, key, value = unified(call, [floating(call, one) for one in call.inputs[:3]])
    scale, width = call.config["scale"], extent(query, -1)
    if scale is None:
        scale = unary("Rsqrt", cast(width, query.dtype)) if isinstance(width, Value) else 1 / math.sqrt(width)
    scores = matmul(query * scale, key, transposed=True)
    if call.config["causal"]:
        scores = where(within(scores, extent(scores, -2), extent(scores, -1)), scores, -math.inf)
    if len(call.inputs) > 3:
        mask = call.inputs[3]
        scores = where(mask, scores, -math.inf) if mask.dtype == "bool" else scores + cast(mask, scores.dtype)
    return matmul(softmax(scores), value)


@emits_operation("triangle")
def _triangular(call: OperationEmission) -> Value:
    x, diagonal = call.input, call.config["diagonal"]
    rows, columns = extent(x, -2), extent(x, -1)
    if call.config["part"] == "lower":
        return where(within(x, rows, columns, diagonal), x, 0)
    return where(within(x, rows, columns, diagonal - 1), 0, x)
