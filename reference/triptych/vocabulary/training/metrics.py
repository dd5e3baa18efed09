"""Metrics: quantities that are reported. A formula gets the resolved config, all targets and predictions, and weights of samples.

What a metric is of an epoch is what it is of all samples of the epoch at once, however they came in batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triptych.errors import UsageError, shorten
from triptych.model import Component, Json, Metric
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.kinds import AXIS, BOOLEAN, FRACTION, INTEGER, POSITIVE, SIZE, choice, optional
from triptych.vocabulary.training import losses
from triptych.vocabulary.training.definition import component_type, define
from triptych.vocabulary.training.kinds import COUNT, FRACTIONS, NUMBERS, TEXT
from triptych.vocabulary.training.losses import alike

FAMILY = "metrics"
Config = Mapping[str, Json]
Weights = Array | None
COMMON = (
    Field("name", optional(TEXT), "Label in reports; null: any.", None),
    Field("dtype", optional(TEXT), "Dtype of the arithmetic; null: that of the predictions.", None),
)
"""Members of every metric."""


def metric(term: Component | Metric, targets: Array, predictions: Array, sample_weight: Weights = None) -> Array:
    """The value of a metric over all samples.

    Args:
        term: Of a type of the vocabulary, with a config that its schema takes.
        targets: What is wanted.
        predictions: What the model yields.
        sample_weight: A weight for each sample; None where the metric is not weighted.

    Raises:
        UsageError: The vocabulary has no such metric.
    """
    kind = component_type(FAMILY, term.type)
    if kind is None:
        raise UsageError(f"expected a metric of the vocabulary, got {shorten(term.type)}")
    config = kind.resolve(term.config)
    predictions = np.asarray(predictions, config["dtype"] or None)
    weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    return kind.formula(config, np.asarray(targets), predictions, weights)


def mean(values: Array, weights: Weights) -> Array:
    """The weighted mean of `values` over all samples; 0 without any."""
    if weights is None:
        return np.asarray(np.mean(values) if values.size else 0.0)
    values, weights = alike(values, weights)
    values = values.reshape(*weights.shape, -1).mean(axis=-1)
    return _over(np.sum(values * weights), np.sum(weights))


def _over(x: Any, y: Any) -> Array:
    """The quotient; 0 where `y` is 0."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return np.divide(x, y, out=np.zeros(np.broadcast(x, y).shape), where=y != 0)


def _define(name: str, doc: str, equation: str, formula: object, *fields: Field, **equivalents: str) -> None:
    assert callable(formula)
    define(FAMILY, name, doc, equation, formula, fields=(*fields, *COMMON), equivalents={"keras": name, **equivalents})


# --- means of values of samples


def _hits(of: object) -> object:
    assert callable(of)
    return lambda c, t, p, w: mean(np.asarray(of(c, t, p), np.float64), w)


def _rank_matched(t: Array, p: Array) -> Array:
    """Targets that are classes, without an axis of one element that stands for the classes."""
    return t[..., 0] if t.ndim == p.ndim and t.shape[-1] == 1 else t


def _in_top(c: Config, classes: Array, p: Array) -> Array:
    classes = classes.astype(np.int64)
    own = np.take_along_axis(p, classes[..., None], axis=-1)
    return np.sum(p > own, axis=-1) < c["k"]


_define(
    "Accuracy",
    "How often predictions equal targets.",
    "mean(p = t)",
    _hits(lambda _c, t, p: np.equal(*alike(t.astype(p.dtype), p))),
)
_define(
    "BinaryAccuracy",
    "How often a prediction is on the target's side of a threshold.",
    "mean((1 where p > threshold, else 0) = t)",
    _hits(lambda c, t, p: np.equal(*alike(t, (p > c["threshold"]).astype(t.dtype)))),
    Field("threshold", FRACTION, "The threshold.", 0.5),
)
_define(
    "CategoricalAccuracy",
    "How often the largest prediction is the target's, targets as probabilities.",
    "mean(argmax(t) = argmax(p)), along the last axis, the first of equals",
    _hits(lambda _c, t, p: np.argmax(t, axis=-1) == np.argmax(p, axis=-1)),
)
_define(
    "SparseCategoricalAccuracy",
    "How often the largest prediction is the target's, targets as integers.",
    "mean(t = argmax(p)), along the last axis, the first of equals",
    _hits(lambda _c, t, p: _rank_matched(t, p) == np.argmax(p, axis=-1)),
)
K = Field("k", SIZE, "How many predictions count.", 5)
_define(
    "TopKCategoricalAccuracy",
    "How often the target is among the k largest predictions, targets as probabilities.",
    "mean(fewer than k predictions are larger than p[argmax(t)])",
    _hits(lambda c, t, p: _in_top(c, np.argmax(t, axis=-1), p)),
    K,
)
_define(
    "SparseTopKCategoricalAccuracy",
    "How often the target is among the k largest predictions, targets as integers.",
    "mean(fewer than k predictions are larger than p[t])",
    _hits(lambda c, t, p: _in_top(c, _rank_matched(t, p), p)),
    K,
)


def _of_loss(name: str) -> None:
    """A loss as a metric: the mean of its values."""
    kind = component_type(losses.FAMILY, name)
    assert kind is not None
    unweighted = tuple(one for one in kind.fields if one.name not in {"reduction", "class_weights", *(f.name for f in COMMON)})
    _define(
        name,
        f"The mean of the loss {name} over samples.",
        f"the values of the loss {name}, their mean",
        lambda c, t, p, w: mean(kind.formula({"class_weights": None, **c}, t, p), w),
        *unweighted,
    )


for _name in (
    *("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "LogCosh", "Poisson"),
    *("Hinge", "SquaredHinge", "CategoricalHinge", "KLDivergence", "BinaryCrossentropy", "BinaryFocalCrossentropy"),
    *("CategoricalCrossentropy", "CategoricalFocalCrossentropy", "SparseCategoricalCrossentropy", "Huber"),
):
    _of_loss(_name)
_define(
    "RootMeanSquaredError",
    "The root of the mean of squares of differences.",
    "sqrt(mean((p - t)²))",
    lambda _c, t, p, w: np.sqrt(mean(np.subtract(*alike(t.astype(p.dtype), p)) ** 2, w)),
)
_define(
    "CosineSimilarity",
    "The mean cosine of the angle between targets and predictions.",
    "mean(sum(u(t) × u(p)) along axis), u as in the loss; the sign is the other one",
    lambda c, t, p, w: mean(losses.cosine(c, t, p), w),
    Field("axis", AXIS, "The axis of the vectors.", -1),
    losses.EPSILON,
)


def _r2(c: Config, t: Array, p: Array, w: Weights) -> Array:
    t = np.asarray(t, np.float64).reshape(len(t), -1)
    p = np.asarray(p, np.float64).reshape(t.shape)
    weights = np.ones((len(t), 1)) if w is None else w.reshape(-1, 1)
    middle = np.sum(weights * t, axis=0) / np.sum(weights)
    spread = np.sum(weights * (t - middle) ** 2, axis=0)
    scores = 1.0 - np.sum(weights * (t - p) ** 2, axis=0) / spread
    if c["class_aggregation"] == "uniform_average":
        return np.mean(scores)
    return scores if c["class_aggregation"] is None else _over(np.sum(scores * spread), np.sum(spread))


_define(
    "R2Score",
    "Which part of the targets' variance is explained.",
    "r = 1 - sum((t - p)²) / sum((t - mean(t))²) for each output;  uniform_average: their mean;  variance_weighted_average: weighed by the second sum",
    _r2,
    Field("class_aggregation", optional(choice("uniform_average", "variance_weighted_average")), "What becomes of the outputs' values; null: all are given.", "uniform_average"),
    Field("num_regressors", COUNT, "Number of regressors of the adjusted score; 0: not adjusted.", 0),
)  # fmt: skip


# --- counts of right and wrong


def _counts(
    c: Config, t: Array, p: Array, w: Weights, thresholds: Array, *, by_class: bool = False
) -> tuple[Array, Array, Array, Array]:
    """True positives, false positives, true negatives and false negatives, for each threshold (and class)."""
    t, p = alike(t, p)
    if c.get("top_k") is not None:
        p = np.where(np.argsort(np.argsort(-p, axis=-1, kind="stable"), axis=-1) < c["top_k"], p, -np.inf)
    if c.get("class_id") is not None:
        t, p = t[..., c["class_id"]], p[..., c["class_id"]]
    weights = np.ones(p.shape) if w is None else np.broadcast_to(w.reshape(w.shape + (1,) * (p.ndim - w.ndim)), p.shape)
    if c.get("label_weights") is not None and not by_class:
        weights = weights * np.asarray(c["label_weights"], np.float64)
    axes = 0 if by_class else tuple(range(p.ndim))
    positive = t.astype(bool)
    rows = []
    for threshold in thresholds:
        above = p > threshold
        rows.append(
            [
                np.sum(weights * (a & b), axis=axes)
                for a, b in ((above, positive), (above, ~positive), (~above, ~positive), (~above, positive))
            ]
        )
    yes, wrong, no, missed = (np.stack([row[index] for row in rows]) for index in range(4))
    return yes, wrong, no, missed


def _thresholds(c: Config) -> Array:
    given = c["thresholds"]
    default = -np.inf if c.get("top_k") is not None else 0.5
    return np.atleast_1d(np.asarray(default if given is None else given, np.float64))


def _listed(c: Config, values: Array) -> Array:
    return values if isinstance(c["thresholds"], list | tuple) and len(values) > 1 else values[0]


THRESHOLDS = Field(
    "thresholds", optional(FRACTIONS), "One threshold or several, each with a result; null: 0.5, or none with top_k.", None
)
TOP_K = Field("top_k", optional(SIZE), "How many of the largest predictions can be positive; null: all.", None)
CLASS_ID = Field("class_id", optional(COUNT), "The one class that counts; null: all.", None)
for _index, _name, _what in (
    (0, "TruePositives", "p > threshold and t = 1"),
    (1, "FalsePositives", "p > threshold and t = 0"),
    (2, "TrueNegatives", "p ≤ threshold and t = 0"),
    (3, "FalseNegatives", "p ≤ threshold and t = 1"),
):
    _define(
        _name,
        "The number of elements with that outcome, each with its weight.",
        f"sum({_what})",
        lambda c, t, p, w, index=_index: _listed(c, _counts(c, t, p, w, _thresholds(c))[index]),
        THRESHOLDS,
    )


def _precision(c: Config, t: Array, p: Array, w: Weights) -> Array:
    yes, wrong, _, _ = _counts(c, t, p, w, _thresholds(c))
    return _listed(c, _over(yes, yes + wrong))


def _recall(c: Config, t: Array, p: Array, w: Weights) -> Array:
    yes, _, _, missed = _counts(c, t, p, w, _thresholds(c))
    return _listed(c, _over(yes, yes + missed))


_define(
    "Precision", "Which part of the positives is right.", "TP / (TP + FP), 0 without any", _precision, THRESHOLDS, TOP_K, CLASS_ID
)
_define("Recall", "Which part of what is right is found.", "TP / (TP + FN), 0 without any", _recall, THRESHOLDS, TOP_K, CLASS_ID)


def _f_beta(c: Config, t: Array, p: Array, w: Weights) -> Array:
    beta = c.get("beta", 1.0)
    above = (p >= p.max(axis=-1, keepdims=True)) & (np.abs(p) > 1e-9) if c["threshold"] is None else p > c["threshold"]
    t, above = t.astype(np.float64), above.astype(np.float64)
    weights = 1.0 if w is None else w[:, None]
    axis = None if c["average"] == "micro" else 0
    yes, wrong, missed, there = (np.sum(x * weights, axis=axis) for x in (above * t, above * (1 - t), (1 - above) * t, t))
    epsilon = c["epsilon"]
    precision, recall = yes / (yes + wrong + epsilon), yes / (yes + missed + epsilon)
    score = (1.0 + beta * beta) * precision * recall / (beta * beta * precision + recall + epsilon)
    if c["average"] == "weighted":
        return np.sum(score * there / (np.sum(there) + epsilon))
    return score if c["average"] is None else np.mean(score)


AVERAGE = Field(
    "average", optional(choice("micro", "macro", "weighted")), "How classes are taken together; null: they are not.", None
)
BETA = Field("beta", POSITIVE, "How much more recall counts.", 1.0)
THRESHOLD = Field("threshold", optional(FRACTION), "The threshold; null: the largest prediction of a sample is positive.", None)
_F = """P = TP / (TP + FP + epsilon), R = TP / (TP + FN + epsilon), for each class, or with average micro over all
F = (1 + beta²) × P × R / (beta² × P + R + epsilon);  macro: their mean;  weighted: their mean weighed by the number of targets"""
_define("FBetaScore", "The weighed harmonic mean of precision and recall.", _F, _f_beta, AVERAGE, BETA, THRESHOLD, losses.EPSILON)
_define("F1Score", "The harmonic mean of precision and recall.", _F + "\nbeta = 1", _f_beta, AVERAGE, THRESHOLD, losses.EPSILON)


def _auc(c: Config, t: Array, p: Array, w: Weights) -> Array:
    inner = (
        sorted(c["thresholds"])
        if c["thresholds"] is not None
        else [i / (c["num_thresholds"] - 1) for i in range(1, c["num_thresholds"] - 1)]
    )
    if c["from_logits"]:
        p = 1.0 / (1.0 + np.exp(-p))
    several = c["multi_label"]
    yes, wrong, no, missed = _counts(c, t, p, w, np.asarray([-1e-7, *inner, 1.0 + 1e-7]), by_class=several)
    recall = _over(yes, yes + missed)
    if c["curve"] == "PR" and c["summation_method"] == "interpolation":
        area = _area_of_pr(yes, wrong, missed)
    else:
        if c["curve"] == "ROC":
            x, y = _over(wrong, wrong + no), recall
        elif c["curve"] == "PR":
            x, y = recall, _over(yes, yes + wrong)
        else:
            scale = _over(yes + missed, no + wrong)
            x = np.maximum(np.where(yes == 0, 0.0, 1.0 - scale * _over(missed, yes)), 0.0)
            y = np.where(yes == 0, 1.0, 1.0 - scale * _over(wrong, yes))
        pairs = {
            "interpolation": (y[:-1] + y[1:]) / 2.0,
            "minoring": np.minimum(y[:-1], y[1:]),
            "majoring": np.maximum(y[:-1], y[1:]),
        }
        area = np.sum((x[:-1] - x[1:]) * pairs[c["summation_method"]], axis=0)
    if not several:
        return area
    weights = np.ones(area.shape) if c["label_weights"] is None else np.asarray(c["label_weights"], np.float64)
    return _over(np.sum(area * weights), np.sum(weights))


def _area_of_pr(yes: Array, wrong: Array, missed: Array) -> Array:
    """Precision interpolated between thresholds by counts, not by a line."""
    found = yes + wrong
    rise, run = yes[:-1] - yes[1:], found[:-1] - found[1:]
    slope = _over(rise, np.maximum(run, 0.0))
    begin = yes[1:] - slope * found[1:]
    both = (found[:-1] > 0) & (found[1:] > 0)
    ratio = np.where(both, _over(found[:-1], np.maximum(found[1:], 0.0)), 1.0)
    return np.sum(_over(slope * (rise + begin * np.log(ratio)), np.maximum(yes[1:] + missed[1:], 0.0)), axis=0)


_define(
    "AUC",
    "The area under a curve of outcomes over thresholds.",
    """thresholds -1e-7, the inner ones, 1 + 1e-7; inner: `thresholds`, or i / (num_thresholds - 1) for i in 1 … num_thresholds - 2
ROC: x = FP / (FP + TN), y = TP / (TP + FN);  PR: x = TP / (TP + FN), y = TP / (TP + FP)
PRGAIN: x = max(1 - s × FN / TP, 0), y = 1 - s × FP / TP, s = (TP + FN) / (TN + FP); 0 and 1 where TP = 0
sum((x[i] - x[i+1]) × h);  interpolation: h = (y[i] + y[i+1]) / 2;  minoring: their least;  majoring: their largest
PR with interpolation: sum(a × (TP[i] - TP[i+1] + b × log(r)) / (TP[i+1] + FN[i+1])), P = TP + FP, a = (TP[i] - TP[i+1]) / (P[i] - P[i+1]), b = TP[i+1] - a × P[i+1], r = P[i] / P[i+1], or 1 where one of them is 0
a quotient by 0 is 0""",
    _auc,
    Field("num_thresholds", SIZE, "How many thresholds, the outermost two included.", 200),
    Field("curve", choice("ROC", "PR", "PRGAIN"), "The curve.", "ROC"),
    Field(
        "summation_method",
        choice("interpolation", "minoring", "majoring"),
        "How areas between thresholds are taken.",
        "interpolation",
    ),
    Field("thresholds", optional(NUMBERS), "The inner thresholds; null: evenly spaced.", None),
    Field("multi_label", BOOLEAN, "Whether areas are taken for each class and averaged.", default=False),
    Field("num_labels", optional(SIZE), "Number of classes; null: that of the predictions.", None),
    Field("label_weights", optional(NUMBERS), "Weights of classes; null: 1.", None),
    Field("from_logits", BOOLEAN, "Whether predictions are logits.", default=False),
)


def _mean_iou(c: Config, t: Array, p: Array, w: Weights) -> Array:
    t = t if c["sparse_y_true"] else np.asarray(np.argmax(t, axis=c["axis"]))
    p = p if c["sparse_y_pred"] else np.asarray(np.argmax(p, axis=c["axis"]))
    t, p, classes = t.reshape(-1).astype(np.int64), p.reshape(-1).astype(np.int64), c["num_classes"]
    weights = np.ones(t.shape) if w is None else np.broadcast_to(w.reshape(-1), t.shape)
    counted = (t >= 0) & (t < classes) & (p >= 0) & (p < classes) & (t != (-1 if c["ignore_class"] is None else c["ignore_class"]))
    table = np.zeros((classes, classes))
    np.add.at(table, (t[counted], p[counted]), weights[counted])
    both, either = np.diag(table), table.sum(axis=0) + table.sum(axis=1) - np.diag(table)
    there = either > 1e-9
    return _over(np.sum(_over(both, either)[there]), np.sum(there))


_define(
    "MeanIoU",
    "The mean over classes of intersection over union.",
    "mean over classes with a sample of TP / (TP + FP + FN)",
    _mean_iou,
    Field("num_classes", SIZE, "Number of classes."),
    Field("ignore_class", optional(INTEGER), "A target that does not count; null: none.", None),
    Field("sparse_y_true", BOOLEAN, "Whether targets are integers, or probabilities.", default=True),
    Field("sparse_y_pred", BOOLEAN, "Whether predictions are integers, or probabilities.", default=True),
    Field("axis", AXIS, "The axis of the classes.", -1),
)
