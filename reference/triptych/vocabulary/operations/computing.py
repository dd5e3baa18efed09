"""One operation on arrays: in which numbers it computes, and to which it rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triptych.errors import Problem, UnsupportedError, UsageError, shorten
from triptych.model import Json
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.operations import OPERATIONS, OperationShapes, OperationValues

_WIDE = ("float32", "float64")


def compute(op: str, config: Mapping[str, Json], inputs: Sequence[Array], dtype: str | None = None) -> list[Array]:
    """What operation `op` makes of `inputs`; narrow floating-point numbers are computed with in float32 and rounded at the end.

    Args:
        op: Its name.
        config: It has passed the operation's schema.
        inputs: Arrays.
        dtype: What all floating-point numbers are made in, ``float32`` or ``float64``; None: as inputs and configs say.

    Raises:
        UnsupportedError: It is an extension operation.
        UsageError: The inputs do not fit the operation.
    """
    found = OPERATIONS.get(op)
    if found is None:
        message = f"expected an operation that can be evaluated, got {shorten(op)}"
        raise UnsupportedError((Problem("LAYER_NOT_EVALUABLE", "", "", message),))
    resolved = found.resolve(config)
    narrow = {one.dtype for one in inputs if _is_floating(one)} - {np.dtype(name) for name in _WIDE}
    wide = tuple(one.astype(np.float32) if one.dtype in narrow else one for one in inputs)
    call = OperationValues(resolved, wide, np.dtype(dtype or "float32"), forced=dtype is not None)
    try:
        found.rule(OperationShapes(resolved, tuple(one.shape for one in inputs)))
        with np.errstate(all="ignore"):  # what an operation makes of 0 / 0 is part of its definition
            result = found.formula(call)
    except (ShapeError, ValueError, IndexError) as error:
        raise UsageError(f"{op}: {error}") from None
    outputs = [np.asarray(one) for one in (result if isinstance(result, list) else [result])]
    only_narrow = len(narrow) == 1 and not found.makes_dtype and dtype is None and all(one.dtype in narrow for one in inputs if _is_floating(one))
    return [one.astype(next(iter(narrow))) if only_narrow and one.dtype == np.float32 else one for one in outputs]


def _is_floating(array: Array) -> bool:
    return array.dtype.kind == "f" or array.dtype.name.startswith(("bfloat", "float"))
