"""Regularizers: what a weight or a value adds to the loss. A formula gets the resolved config and the array."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.model import Json
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.kinds import NOT_NEGATIVE, choice
from triptych.vocabulary.training.definition import define

FAMILY = "regularizers"
Config = Mapping[str, Json]
L1 = Field("l1", NOT_NEGATIVE, "Factor of the magnitudes.", 0.01)
L2 = Field("l2", NOT_NEGATIVE, "Factor of the squares.", 0.01)

define(
    FAMILY,
    "L1",
    "The sum of magnitudes.",
    "l1 × sum(abs(x))",
    lambda c, x: c["l1"] * np.sum(np.abs(x)),
    fields=(L1,),
    equivalents={"keras": "L1"},
)
define(
    FAMILY,
    "L2",
    "The sum of squares.",
    "l2 × sum(x²)",
    lambda c, x: c["l2"] * np.sum(x * x),
    fields=(L2,),
    equivalents={"keras": "L2", "torch": "weight_decay of 2 × l2 in an optimizer with decay_mode l2"},
)
define(
    FAMILY,
    "L1L2",
    "The sums of magnitudes and of squares.",
    "l1 × sum(abs(x)) + l2 × sum(x²)",
    lambda c, x: c["l1"] * np.sum(np.abs(x)) + c["l2"] * np.sum(x * x),
    fields=(Field("l1", NOT_NEGATIVE, "Factor of the magnitudes.", 0.0), Field("l2", NOT_NEGATIVE, "Factor of the squares.", 0.0)),
    equivalents={"keras": "L1L2"},
)


def _orthogonal(c: Config, x: Array) -> Array:
    axis = 1 if c["mode"] == "rows" else 0
    length = np.sqrt(np.maximum(np.sum(x * x, axis=axis, keepdims=True), 1e-7))
    unit = x / length
    product = unit @ unit.T if axis == 1 else unit.T @ unit
    size = product.shape[0]
    return c["factor"] * 0.5 * np.sum(np.abs(product * (1.0 - np.eye(size, dtype=x.dtype)))) / (size * (size - 1.0) / 2.0)


define(
    FAMILY,
    "OrthogonalRegularizer",
    "How far rows or columns are from standing at right angles.",
    "factor × the mean of abs(cosine) over all pairs of different rows (or columns) of a matrix",
    _orthogonal,
    fields=(Field("factor", NOT_NEGATIVE, "The factor.", 0.01), Field("mode", choice("rows", "columns"), "Whose angles.", "rows")),
    equivalents={"keras": "OrthogonalRegularizer"},
)
