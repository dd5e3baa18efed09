"""Operations: what a call can do to values without a layer, for graphs traced from programs.

A family of operations is one module, which registers its definitions when it is imported; a new family is named here.
"""

from __future__ import annotations

from triptych.vocabulary.operations import element_wise, joining, multiplying, reducing, shaping
from triptych.vocabulary.operations.definition import OPERATIONS, Operation, OperationShapes, OperationValues

FAMILIES = (element_wise, reducing, shaping, joining, multiplying)
"""The modules that define operations, in the order of the specification."""

__all__ = ["FAMILIES", "OPERATIONS", "Operation", "OperationShapes", "OperationValues", "operation"]


def operation(name: str) -> Operation | None:
    """The definition of operation `name`; None if the vocabulary has none."""
    return OPERATIONS.get(name)
