"""Which way a metric is better, as far as its name tells."""

from __future__ import annotations

import re
from typing import Literal

from triptych.errors import UsageError, shorten

Mode = Literal["auto", "min", "max"]
_SMALL = frozenset({"loss", "error", "mse", "mae", "mape", "msle", "rmse", "crossentropy", "logcosh", "hinge", "poisson", "kld", "divergence", "perplexity"})
_LARGE = frozenset({"acc", "accuracy", "auc", "precision", "recall", "f1", "fbeta", "iou", "r2", "similarity"})


def direction_of(metric: str, mode: Mode) -> Literal["min", "max"]:
    """Whether small or large values of `metric` are good; with mode ``auto`` by the words in its name, the last one first.

    Raises:
        UsageError: The name does not tell, or there is no such mode.
    """
    if mode in ("min", "max"):
        return mode
    if mode != "auto":
        raise UsageError(f"expected a mode of auto, min, max; got {shorten(mode)}")
    for word in reversed(re.split(r"[^a-z0-9]+", metric.lower())):
        if word in _SMALL or word in _LARGE:
            return "min" if word in _SMALL else "max"
    raise UsageError(f"expected mode to be min or max for the metric {shorten(metric)}, whose name does not tell")
