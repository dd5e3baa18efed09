"""Losses: how far predictions are from targets.

A formula gets the resolved config, targets and predictions, and yields one value for each sample (and position): most take the
mean over the last axis. `loss` weighs and reduces them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from triptych.errors import UsageError, shorten
from triptych.model import Component, Json, Loss
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.kinds import AXES, AXIS, BOOLEAN, FRACTION, INTEGER, NOT_NEGATIVE, NUMBER, POSITIVE, choice, optional
from triptych.vocabulary.training.definition import component_type, define
from triptych.vocabulary.training.kinds import NUMBERS, TEXT

FAMILY = "losses"
Config = Mapping[str, Json]
REDUCTIONS = ("sum_over_batch_size", "mean_with_sample_weight", "sum", "none")
COMMON = (
    Field("reduction", choice(*REDUCTIONS), "What becomes of the weighted values: see chapter 50.", "sum_over_batch_size"),
    Field("name", optional(TEXT), "Label in reports; null: any.", None),
    Field("dtype", optional(TEXT), "Dtype of the arithmetic; null: that of the predictions.", None),
)
"""Members of every loss."""
LOGITS = Field("from_logits", BOOLEAN, "Whether predictions are logits, or probabilities.")
SMOOTHING = Field("label_smoothing", FRACTION, "Which part of a target is spread over all classes.", 0.0)
CLASSES = Field("axis", AXIS, "The axis of the classes.", -1)
MEAN_AXIS = Field("axis", AXIS, "The axis whose mean is taken.", -1)
CLIP = Field("clip_epsilon", NOT_NEGATIVE, "Probabilities are kept within `clip_epsilon` and 1 - `clip_epsilon`.", 1e-7)
LEAST_LOG = Field("least_logarithm", optional(NUMBER), "Logarithms below it are taken for it; null: none are.", None)
LOG_EPSILON = Field("log_epsilon", NOT_NEGATIVE, "Added to a probability before its logarithm is taken.", 0.0)
CLASS_WEIGHTS = Field(
    "class_weights", optional(NUMBERS), "Weight of each class: that of a sample's target weighs the sample; null: 1.", None
)
ALPHA = Field("alpha", NUMBER, "Weight of the focal loss.", 0.25)
GAMMA = Field("gamma", NUMBER, "Exponent of the focal factor.", 2.0)
EPSILON = Field("epsilon", NOT_NEGATIVE, "Keeps what divides, or a logarithm, from 0.", 1e-7)


def alike(targets: Array, predictions: Array) -> tuple[Array, Array]:
    """Both with the same rank: a last axis of one element that only one of them has is added, for vectors, or dropped."""
    if targets.ndim == predictions.ndim + 1 and targets.shape[-1] == 1:
        return (targets, predictions[..., None]) if predictions.ndim == 1 else (targets[..., 0], predictions)
    if predictions.ndim == targets.ndim + 1 and predictions.shape[-1] == 1:
        return (targets[..., None], predictions) if targets.ndim == 1 else (targets, predictions[..., 0])
    return targets, predictions


def reduced(values: Array, reduction: str, weights: Array | None = None) -> Array:
    """`values`, each times its weight, after a reduction; ``none`` leaves them."""
    if weights is not None:
        values, weights = alike(values, np.asarray(weights, values.dtype))
        values = values * weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    if reduction == "none":
        return values
    total = np.sum(values)
    if reduction == "sum":
        return total
    by = values.size if weights is None or reduction == "sum_over_batch_size" else float(np.sum(weights))
    return total / by if by else total * 0.0


def loss(term: Component | Loss, targets: Array, predictions: Array, sample_weight: Array | None = None) -> Array:
    """The value of one term of the objective, without its factor.

    Args:
        term: Of a type of the vocabulary, with a config that its schema takes.
        targets: What is wanted.
        predictions: What the model yields; the arithmetic is that of their dtype.
        sample_weight: A weight for each sample, or for each value.

    Raises:
        UsageError: The vocabulary has no such loss, or its config does not say what the formula needs.
    """
    kind = component_type(FAMILY, term.type)
    if kind is None:
        raise UsageError(f"expected a loss of the vocabulary, got {shorten(term.type)}")
    config = kind.resolve(term.config)
    if unsaid := [one.name for one in kind.fields if config[one.name] is None and one.name in UNSAID.get(term.type, ())]:
        raise UsageError(f"expected the config of {term.type} to say {unsaid[0]}, got null")
    predictions = np.asarray(predictions, config["dtype"] or None)
    values = kind.formula(config, np.asarray(targets), predictions)
    if config.get("class_weights") is not None:
        of_classes = np.asarray(config["class_weights"], values.dtype)
        labels = np.asarray(targets)
        if term.type == "CategoricalCrossentropy":
            own = np.sum(labels * of_classes, axis=config["axis"])
        else:
            classes = _classes(config, labels, predictions)
            own = of_classes[np.where(classes == config.get("ignore_class"), 0, classes)] * (classes != config.get("ignore_class"))
        sample_weight = own if sample_weight is None else own * np.asarray(sample_weight, own.dtype)
    elif config.get("ignore_class") is not None and config["reduction"] == "sum_over_batch_size":
        counted = _classes(config, np.asarray(targets), predictions) != config["ignore_class"]
        share = counted * (counted.size / max(1, counted.sum()))
        sample_weight = share if sample_weight is None else share * np.asarray(sample_weight, values.dtype)
    return reduced(values, config["reduction"], sample_weight)


UNSAID = {"Huber": ("delta",), "CosineSimilarity": ("axis",)}
"""Loss -> members that may be unsaid in a file, but that its formula needs."""


def _define(name: str, doc: str, equation: str, formula: object, *fields: Field, **equivalents: str) -> None:
    assert callable(formula)
    define(FAMILY, name, doc, equation, formula, fields=(*fields, *COMMON), equivalents={"keras": name, **equivalents})


def _errors(of: object) -> object:
    """A formula: the mean over the last axis of a function of config, target and prediction."""
    assert callable(of)

    def formula(c: Config, t: Array, p: Array) -> Array:
        t, p = alike(t.astype(p.dtype), p)
        return np.mean(of(c, t, p), axis=-1)

    return formula


def _softplus(x: Array) -> Array:
    return np.logaddexp(x, np.zeros((), x.dtype))


def log_softmax(x: Array, axis: int) -> Array:
    """The logarithm of softmax."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


_define(
    "MeanSquaredError", "The mean of squares of differences.", "mean((p - t)²)", _errors(lambda _, t, p: (p - t) ** 2),
    torch="nn.MSELoss", optax="squared_error; l2_loss is half of it",
)  # fmt: skip
_define(
    "MeanAbsoluteError", "The mean of differences.", "mean(abs(p - t))", _errors(lambda _, t, p: np.abs(p - t)), torch="nn.L1Loss"
)
_define(
    "MeanAbsolutePercentageError",
    "The mean of differences, in percent of the targets.",
    "100 × mean(abs((t - p) / max(abs(t), epsilon)))",
    _errors(lambda c, t, p: 100.0 * np.abs((t - p) / np.maximum(np.abs(t), c["epsilon"]))),
    EPSILON,
)
_define(
    "MeanSquaredLogarithmicError",
    "The mean of squares of differences of logarithms.",
    "mean((log(max(p, epsilon) + 1) - log(max(t, epsilon) + 1))²)",
    _errors(lambda c, t, p: (np.log(np.maximum(p, c["epsilon"]) + 1.0) - np.log(np.maximum(t, c["epsilon"]) + 1.0)) ** 2),
    EPSILON,
)


def _huber(c: Config, t: Array, p: Array) -> Array:
    e, delta = np.abs(p - t), c["delta"]
    return np.where(e <= delta, 0.5 * e * e, delta * e - 0.5 * delta * delta)


_define(
    "Huber",
    "Squared where differences are small, linear where they are large.",
    "mean(0.5 × e² where e ≤ delta, else delta × e - 0.5 × delta²), e = abs(p - t)",
    _errors(_huber),
    Field("delta", optional(POSITIVE), "Where the line begins; null: not said, and the loss cannot be computed.", None),
    torch="nn.HuberLoss; SmoothL1Loss(beta) is Huber with delta = beta and weight 1 / beta",
    optax="huber_loss",
)
_define(
    "LogCosh",
    "The mean of the logarithm of the hyperbolic cosine of differences.",
    "mean(e + softplus(-2 × e) - log(2)), e = p - t",
    _errors(lambda _, t, p: p - t + _softplus(-2.0 * (p - t)) - math.log(2.0)),
    optax="log_cosh",
)


def _poisson(c: Config, t: Array, p: Array) -> Array:
    return np.exp(p) - t * p if c["log_predictions"] else p - t * np.log(p + c["epsilon"])


_define(
    "Poisson",
    "The negative logarithm of Poisson's probability, but for a constant.",
    "mean(p - t × log(p + epsilon));  log_predictions: mean(exp(p) - t × p)",
    _errors(_poisson),
    EPSILON,
    Field("log_predictions", BOOLEAN, "Whether predictions are logarithms.", default=False),
    torch="nn.PoissonNLLLoss: log_input is log_predictions; eps 1e-8",
)
_define(
    "Hinge", "The mean of what is missing to a margin.", "mean(max(1 - s × p, 0)), s = t, or 2 × t - 1 where every target is 0 or 1",
    _errors(lambda _, t, p: np.maximum(1.0 - _signs(t) * p, 0.0)),
)  # fmt: skip
_define(
    "SquaredHinge", "The mean of its square.", "mean(max(1 - s × p, 0)²), s as in Hinge",
    _errors(lambda _, t, p: np.maximum(1.0 - _signs(t) * p, 0.0) ** 2),
)  # fmt: skip


def _signs(t: Array) -> Array:
    return 2.0 * t - 1.0 if bool(np.all((t == 0) | (t == 1))) else t


def _categorical_hinge(_: Config, t: Array, p: Array) -> Array:
    t = t.astype(p.dtype)
    return np.maximum(np.max((1.0 - t) * p, axis=-1) - np.sum(t * p, axis=-1) + 1.0, 0.0)


_define(
    "CategoricalHinge",
    "What the best wrong class lacks to a margin below the right one.",
    "max(max((1 - t) × p) - sum(t × p) + 1, 0), along the last axis",
    _categorical_hinge,
)


def _kl(c: Config, t: Array, p: Array) -> Array:
    t, p = np.clip(t.astype(p.dtype), c["epsilon"], 1.0), np.clip(p, c["epsilon"], 1.0)
    return np.sum(t * np.log(t / p), axis=-1)


_define(
    "KLDivergence",
    "Kullback and Leibler's divergence.",
    "sum(t × log(t / p)) along the last axis, t and p kept within epsilon and 1",
    _kl,
    EPSILON,
    torch="nn.KLDivLoss(reduction='batchmean') of log(p); 'mean' divides by classes, too",
)


def _unit(c: Config, x: Array) -> Array:
    return x / np.sqrt(np.maximum(np.sum(x * x, axis=c["axis"], keepdims=True), c["epsilon"]))


def cosine(c: Config, t: Array, p: Array) -> Array:
    """The cosine of the angle between targets and predictions."""
    t, p = alike(t.astype(p.dtype), p)
    return np.sum(_unit(c, t) * _unit(c, p), axis=c["axis"])


_define(
    "CosineSimilarity",
    "The negative cosine of the angle between targets and predictions.",
    "-sum(u(t) × u(p)) along axis, u(x) = x / sqrt(max(sum(x²), epsilon))",
    lambda c, t, p: -cosine(c, t, p),
    Field("axis", optional(AXIS), "The axis of the vectors; null: not said, and the loss cannot be computed.", None),
    EPSILON,
    torch="nn.CosineEmbeddingLoss with target 1 is 1 more",
    optax="cosine_distance is 1 more",
)


def _least(c: Config, logarithm: Array) -> Array:
    return logarithm if c.get("least_logarithm") is None else np.maximum(logarithm, c["least_logarithm"])


def _smoothed(c: Config, t: Array, classes: int) -> Array:
    s = c["label_smoothing"]
    return t * (1.0 - s) + s / classes if s else t


def _binary(c: Config, t: Array, p: Array) -> Array:
    t, p = alike(t.astype(p.dtype), p)
    t, w = _smoothed(c, t, 2), c["positive_weight"]
    if c["from_logits"]:
        return np.mean(w * t * _softplus(-p) + (1.0 - t) * _softplus(p), axis=c["axis"])
    p = np.clip(p, c["clip_epsilon"], 1.0 - c["clip_epsilon"])
    with np.errstate(divide="ignore"):
        yes, no = _least(c, np.log(p + c["log_epsilon"])), _least(c, np.log(1.0 - p + c["log_epsilon"]))
    return -np.mean(w * t * yes + (1.0 - t) * no, axis=c["axis"])


_define(
    "BinaryCrossentropy",
    "The crossentropy of probabilities of yes.",
    """x = t × (1 - label_smoothing) + label_smoothing / 2
from_logits: mean(positive_weight × x × softplus(-p) + (1 - x) × softplus(p)) along axis
else: -mean(positive_weight × x × log(q + log_epsilon) + (1 - x) × log(1 - q + log_epsilon)) along axis, q = p kept within clip_epsilon and 1 - clip_epsilon, logarithms below least_logarithm taken for it""",
    _binary,
    LOGITS,
    SMOOTHING,
    MEAN_AXIS,
    CLIP,
    LOG_EPSILON,
    LEAST_LOG,
    Field("positive_weight", NOT_NEGATIVE, "Weight of what is yes.", 1.0),
    torch="nn.BCEWithLogitsLoss: from_logits, pos_weight is positive_weight; nn.BCELoss: clip_epsilon 0, least_logarithm -100",
    optax="sigmoid_binary_cross_entropy: from_logits",
)


def _binary_focal(c: Config, t: Array, p: Array) -> Array:
    t, p = alike(t.astype(p.dtype), p)
    t = _smoothed(c, t, 2)
    if c["from_logits"]:
        p = 1.0 / (1.0 + np.exp(-p))
    q = np.clip(p, c["clip_epsilon"], 1.0 - c["clip_epsilon"])
    entropy = -(t * np.log(q + c["log_epsilon"]) + (1.0 - t) * np.log(1.0 - q + c["log_epsilon"]))
    focal = (1.0 - (t * p + (1.0 - t) * (1.0 - p))) ** c["gamma"] * entropy
    if c["apply_class_balancing"]:
        focal = (t * c["alpha"] + (1.0 - t) * (1.0 - c["alpha"])) * focal
    return np.mean(focal, axis=c["axis"])


_define(
    "BinaryFocalCrossentropy",
    "Binary crossentropy that weighs hard samples more.",
    """x = t × (1 - label_smoothing) + label_smoothing / 2;  from_logits: p = sigmoid(p);  q = p kept within clip_epsilon and 1 - clip_epsilon
f = (1 - (x × p + (1 - x) × (1 - p)))^gamma × -(x × log(q + log_epsilon) + (1 - x) × log(1 - q + log_epsilon))
mean(f) along axis;  apply_class_balancing: mean((x × alpha + (1 - x) × (1 - alpha)) × f)""",
    _binary_focal,
    LOGITS,
    Field("apply_class_balancing", BOOLEAN, "Whether alpha weighs.", default=False),
    ALPHA,
    GAMMA,
    SMOOTHING,
    MEAN_AXIS,
    CLIP,
    LOG_EPSILON,
)


def _logarithms(c: Config, p: Array) -> Array:
    """The logarithm of each class's probability."""
    if c["from_logits"]:
        return log_softmax(p, c["axis"])
    p = p / np.sum(p, axis=c["axis"], keepdims=True)
    with np.errstate(divide="ignore"):
        return np.log(np.clip(p, c["clip_epsilon"], 1.0 - c["clip_epsilon"]))


_CROSS = """from_logits: l = log(softmax(p)) along axis;  else: l = log(q), q = p / sum(p) kept within clip_epsilon and 1 - clip_epsilon
"""
_define(
    "CategoricalCrossentropy",
    "The crossentropy of classes, targets as probabilities.",
    _CROSS + "-sum(x × l) along axis, x = t × (1 - label_smoothing) + label_smoothing / classes",
    lambda c, t, p: -np.sum(_smoothed(c, t.astype(p.dtype), t.shape[c["axis"]]) * _logarithms(c, p), axis=c["axis"]),
    LOGITS,
    SMOOTHING,
    CLASSES,
    CLIP,
    CLASS_WEIGHTS,
    torch="nn.CrossEntropyLoss with probabilities",
    optax="softmax_cross_entropy: from_logits",
)


def _categorical_focal(c: Config, t: Array, p: Array) -> Array:
    t = _smoothed(c, t.astype(p.dtype), t.shape[c["axis"]])
    if c["from_logits"]:
        p = np.exp(log_softmax(p, c["axis"]))
    q = np.clip(p / np.sum(p, axis=c["axis"], keepdims=True), c["clip_epsilon"], 1.0 - c["clip_epsilon"])
    return np.sum(c["alpha"] * (1.0 - q) ** c["gamma"] * -t * np.log(q), axis=c["axis"])


_define(
    "CategoricalFocalCrossentropy",
    "Categorical crossentropy that weighs hard samples more.",
    """from_logits: p = softmax(p);  q = p / sum(p) kept within clip_epsilon and 1 - clip_epsilon
sum(alpha × (1 - q)^gamma × -x × log(q)) along axis, x = t × (1 - label_smoothing) + label_smoothing / classes""",
    _categorical_focal,
    LOGITS,
    ALPHA,
    GAMMA,
    SMOOTHING,
    CLASSES,
    CLIP,
)


def _classes(c: Config, t: Array, p: Array) -> Array:
    """Targets as integers, one for each distribution."""
    axis = c["axis"] % p.ndim
    if t.ndim == p.ndim and t.shape[axis] == 1:
        t = t[(slice(None),) * axis + (0,)]
    return t.astype(np.int64)


def _sparse(c: Config, t: Array, p: Array) -> Array:
    classes, axis = _classes(c, t, p), c["axis"] % p.ndim
    ignored = classes == c["ignore_class"] if c["ignore_class"] is not None else np.zeros(classes.shape, bool)
    logarithms = _logarithms(c, np.where(np.expand_dims(ignored, axis), 1.0, p).astype(p.dtype))
    of_class = np.take_along_axis(logarithms, np.expand_dims(np.where(ignored, 0, classes), axis), axis).squeeze(axis)
    s = c["label_smoothing"]
    values = -of_class * (1.0 - s) - s * np.mean(logarithms, axis=axis) if s else -of_class
    return np.where(ignored, 0.0, values).astype(p.dtype)


_define(
    "SparseCategoricalCrossentropy",
    "The crossentropy of classes, targets as integers.",
    _CROSS + "-(1 - label_smoothing) × l[t] - label_smoothing × mean(l) along axis;  0 where t = ignore_class",
    _sparse,
    LOGITS,
    Field("ignore_class", optional(INTEGER), "A target that counts for nothing, nor among the samples; null: none.", None),
    CLASSES,
    CLIP,
    SMOOTHING,
    CLASS_WEIGHTS,
    torch="nn.CrossEntropyLoss: from_logits; with weight: reduction mean_with_sample_weight; nn.NLLLoss: from_logits, of log-probabilities",
    optax="softmax_cross_entropy_with_integer_labels: from_logits",
)


def _axes(c: Config) -> tuple[int, ...] | None:
    return None if c["axis"] is None else tuple(c["axis"])


def _dice(c: Config, t: Array, p: Array) -> Array:
    t, axis = t.astype(p.dtype), _axes(c)
    return 1.0 - 2.0 * np.sum(t * p, axis=axis) / (np.sum(t, axis=axis) + np.sum(p, axis=axis) + c["epsilon"])


_AXES = Field("axis", optional(AXES), "Axes that are summed; null: all.", None)
_define("Dice", "1 less the overlap.", "1 - 2 × sum(t × p) / (sum(t) + sum(p) + epsilon) along axis", _dice, _AXES, EPSILON)


def _tversky(c: Config, t: Array, p: Array) -> Array:
    t, axis = t.astype(p.dtype), _axes(c)
    both, missed, extra = (np.sum(x, axis=axis) for x in (t * p, (1.0 - p) * t, p * (1.0 - t)))
    return 1.0 - both / (both + c["alpha"] * missed + c["beta"] * extra + c["epsilon"])


_define(
    "Tversky",
    "1 less the overlap, misses and extras weighed.",
    "1 - b / (b + alpha × sum((1 - p) × t) + beta × sum(p × (1 - t)) + epsilon), b = sum(t × p), along axis",
    _tversky,
    Field("alpha", NUMBER, "Weight of what is missed.", 0.5),
    Field("beta", NUMBER, "Weight of what is too much.", 0.5),
    _AXES,
    EPSILON,
)
