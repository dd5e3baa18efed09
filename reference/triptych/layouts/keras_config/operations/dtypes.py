"""Which dtype an operation yields, as far as its operands tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triptych.layouts.keras_config.operations.meanings import ARITHMETIC, MEANS, OF_ANY_NUMBERS, fill_of, is_floating
from triptych.model import Json, Layer
from triptych.vocabulary import layer_type

TRUTHS = frozenset({"equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or"})
_TRUTHS_OF_ONE = frozenset({"logical_not", "is_nan", "is_finite", "any", "all"})
_SAYING = frozenset({"cast", "one_hot", "constant"})
_FIRST_ALONE = frozenset({"gather", "take_along_axis"})
"""Operations whose other operands are indices."""
_SUMS = frozenset({"sum", "product"})
_AS_IT_IS = frozenset(
    {
        *("max", "min", "clip", "activate", "reshape", "flatten", "transpose", "squeeze", "expand_dims", "broadcast_to", "slice", "flip"),
        *("split", "tile", "repeat", "roll", "pad", "triangle", "cumulative_sum"),
    }
)
_WHOLE_NUMBERS = frozenset({"StringLookup", "IntegerLookup", "Discretization", "CategoryEncoding"})
"""Types of layers that may yield integers."""


def dtypes_yielded(op: str, config: Mapping[str, Json], operands: Sequence[str | None], outputs: int) -> tuple[str | None, ...]:
    """The dtypes of the values that a call of `op` yields; None where one is not known."""
    if op == "top_k":
        return (operands[0], "int32")
    if op in TRUTHS or op in _TRUTHS_OF_ONE:
        return ("bool",)
    if op in _SAYING:
        return (config.get("dtype", "float32"),)
    if op == "where" and len(operands) == 1:
        fill = fill_of({"on_true": None, "on_false": None, **config})
        return (None if fill is None else fill[1],)
    if op in ("argmax", "argmin"):
        return ("int32",)
    return (_common(op, config, operands[:1] if op in _FIRST_ALONE else operands[1:] if op == "where" else operands),) * outputs


def _common(op: str, config: Mapping[str, Json], operands: Sequence[str | None]) -> str | None:
    found = set(operands)
    if len(found) != 1:
        return None
    dtype = found.pop()
    if is_floating(dtype) or dtype is None or op in _AS_IT_IS or op in OF_ANY_NUMBERS:
        return dtype
    fractions = any(isinstance(value, float) for value in config.values())
    if fractions or op in MEANS or (op in (ARITHMETIC | _SUMS) and dtype == "bool"):
        return None
    return dtype if op in (ARITHMETIC | _SUMS | {"maximum", "minimum", "where", "concatenate", "stack", "matmul", "einsum"}) | _FIRST_ALONE else None


def dtype_of_layer(layer: Layer) -> str | None:
    """The dtype of what `layer` yields; None where its type does not tell."""
    if layer_type(layer.type) is None or layer.type in _WHOLE_NUMBERS or layer.architecture is not None:
        return None
    return layer.compute_dtype or layer.dtype
