"""Where a Keras computes otherwise with integers than operations do, which keep their dtype and wrap around: neither is written for the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from triptych.layouts.keras_config.operations.meanings import NARROW
from triptych.model import Json

_WITHOUT_A_SIGN = ("uint8", "uint16", "uint32", "uint64")
_INTEGERS = ("int8", "int16", "int32", "int64", *_WITHOUT_A_SIGN)
_FRACTIONS = ("activate", "softmax", "log_softmax", "l2_normalize", "logsumexp")
_PAIRS = ("add", "subtract", "multiply", "floor_divide", "remainder", "power", "maximum", "minimum", "where")
_Rows = Sequence[tuple[Collection[str], Collection[str], str]]
"""Operations, dtypes of their operands, what they would have to make."""

_KERAS2: _Rows = (
    (_FRACTIONS, _INTEGERS, "fractions made of integers"),
    (("negative", "absolute", "sign", "power"), _WITHOUT_A_SIGN, "a function of integers that have no sign"),
    (("matmul",), ("int8", *_WITHOUT_A_SIGN), "a product of matrices of such integers"),
    (("floor_divide", "remainder"), ("uint64",), "a quotient of integers of 64 bits without a sign"),
)
_KERAS3: _Rows = (
    ((*_FRACTIONS, "floor", "ceil"), _INTEGERS, "fractions made of integers"),
    (("sum", "product"), NARROW, "a sum of narrow integers, which comes out wider"),
    (("matmul", "einsum"), _INTEGERS, "a product of integers, which is computed in floating-point numbers or wider ones"),
    (("negative",), _WITHOUT_A_SIGN, "a function of integers that have no sign"),
    (("sign", "power"), ("uint32", "uint64"), "a function of integers that have no sign"),
    (_PAIRS, ("uint64",), "numbers of 64 bits without a sign, which become narrower"),
)


def otherwise(op: str, config: Mapping[str, Json], dtypes: Collection[str | None], *, keras3: bool) -> str:
    """What of `op` on operands of `dtypes` Keras computes otherwise; empty where it agrees, or where no dtype is known."""
    known = {dtype for dtype in dtypes if dtype is not None}
    if keras3 and op == "remainder" and known & {*NARROW} and any(config.get(one) is not None for one in ("left", "right")):
        return "a remainder of narrow integers, which comes out wider beside a number"
    return next((what for ops, narrow, what in (_KERAS3 if keras3 else _KERAS2) if op in ops and known & {*narrow}), "")


__all__ = ["otherwise"]
