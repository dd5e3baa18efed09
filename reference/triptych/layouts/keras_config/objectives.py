"""Losses and metrics: what Keras names by function, by class or by object, and ours, which has one name for each."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.checks.components import fits
from triptych.errors import shorten
from triptych.layouts.keras_config import objects
from triptych.layouts.keras_config.edits import same
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.optimizers import type_name
from triptych.layouts.keras_config.plain import unsayable
from triptych.model import Json

_LOGITS: dict[str, Json] = {"from_logits": False}
LOSSES: dict[str, tuple[str, dict[str, Json]]] = {
    "MeanSquaredError": ("mean_squared_error", {}),
    "MeanAbsoluteError": ("mean_absolute_error", {}),
    "MeanAbsolutePercentageError": ("mean_absolute_percentage_error", {}),
    "MeanSquaredLogarithmicError": ("mean_squared_logarithmic_error", {}),
    "BinaryCrossentropy": ("binary_crossentropy", _LOGITS),
    "BinaryFocalCrossentropy": ("binary_focal_crossentropy", {**_LOGITS, "alpha": 0.25, "gamma": 2.0}),
    "CategoricalCrossentropy": ("categorical_crossentropy", _LOGITS),
    "CategoricalFocalCrossentropy": ("categorical_focal_crossentropy", {**_LOGITS, "alpha": 0.25, "gamma": 2.0}),
    "SparseCategoricalCrossentropy": ("sparse_categorical_crossentropy", _LOGITS),
    "Hinge": ("hinge", {}),
    "SquaredHinge": ("squared_hinge", {}),
    "CategoricalHinge": ("categorical_hinge", {}),
    "Huber": ("huber", {"delta": 1.0}),
    "LogCosh": ("log_cosh", {}),
    "Poisson": ("poisson", {}),
    "KLDivergence": ("kl_divergence", {}),
    "CosineSimilarity": ("cosine_similarity", {"axis": -1}),
}
"""Loss -> the function that Keras computes it with, and the parameters that a config of ours always says."""
METRICS: dict[str, tuple[str | None, dict[str, Json]]] = {
    "Accuracy": (None, {}),
    "BinaryAccuracy": ("binary_accuracy", {"threshold": 0.5}),
    "CategoricalAccuracy": ("categorical_accuracy", {}),
    "SparseCategoricalAccuracy": ("sparse_categorical_accuracy", {}),
    "TopKCategoricalAccuracy": ("top_k_categorical_accuracy", {"k": 5}),
    "SparseTopKCategoricalAccuracy": ("sparse_top_k_categorical_accuracy", {"k": 5}),
    "RootMeanSquaredError": (None, {}),
    "AUC": (None, {}),
    "Precision": (None, {}),
    "Recall": (None, {}),
    "F1Score": (None, {}),
    "FBetaScore": (None, {}),
    "MeanIoU": (None, {}),
    **{name: (function, parameters) for name, (function, parameters) in LOSSES.items() if name != "Huber"},
}
"""Metric -> the same."""
_METRIC_LABELS = {
    "F1Score": "f1_score",
    "FBetaScore": "fbeta_score",
    "MeanIoU": "mean_io_u",
    "RootMeanSquaredError": "root_mean_squared_error",
}
"""Metric that no function computes -> the name it has by default, where that is not its own in lower case."""
_ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
    "huber_loss": "huber",
    "bce": "binary_crossentropy",
    "cosine_proximity": "cosine_similarity",
    "cosine": "cosine_similarity",
}
_CLIPPED = ("BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")
_CLIPPED_ALWAYS = ("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy")
UNSPOKEN = ("clip_epsilon", "log_epsilon", "epsilon", "least_logarithm", "positive_weight", "class_weights", "log_predictions")
"""Members of our configs that Keras has no word for."""
_USUAL: dict[str, Json] = {
    "clip_epsilon": 1e-7,
    "log_epsilon": 0.0,
    "epsilon": 1e-7,
    "least_logarithm": None,
    "positive_weight": 1.0,
    "class_weights": None,
    "log_predictions": False,
}
"""What Keras computes for them, unless `decisive` says otherwise."""
_SHORT = {"mean_squared_error": "mse", "mean_absolute_error": "mae"}
"""Names of functions -> those that people use."""
_BY_FUNCTION = {function: name for name, (function, _) in LOSSES.items()}
_METRIC_BY_FUNCTION = {function: name for name, (function, _) in METRICS.items() if function}
_SMOOTHED: dict[str, Json] = {"label_smoothing": 0.0, "axis": -1}
_UNSAID: dict[str, dict[str, Json]] = {
    "BinaryCrossentropy": _SMOOTHED,
    "CategoricalCrossentropy": _SMOOTHED,
    "SparseCategoricalCrossentropy": {"ignore_class": None},
    "BinaryFocalCrossentropy": {**_SMOOTHED, "apply_class_balancing": False},
    "CategoricalFocalCrossentropy": _SMOOTHED,
}
"""Loss -> the parameters that Keras writes and a config of ours leaves out, with the values that go without saying."""
_FORGETFUL = ("Huber", "CosineSimilarity")
"""Losses whose parameters Keras 3 does not write, so that a configuration without them says nothing of them."""
ACCURACY = ("accuracy", "acc")
UNRESOLVED = "keras:accuracy"
"""The metric "accuracy" of an output whose loss does not tell which accuracy it is."""
_QUIET: dict[str, tuple[Json, ...]] = {
    "dtype": ("float32", None),
    "reduction": ("auto", "sum_over_batch_size", None),
    "fn": (),
    "label_smoothing": (0.0, 0),
    "ignore_class": (None,),
    "apply_class_balancing": (False,),
}
"""Member -> values that a config of ours leaves out."""


def decisive(name: str, config: Mapping[str, Json], generation: Generation) -> dict[str, Json]:
    """What Keras computes where frameworks differ and its configuration has no word for it."""
    result: dict[str, Json] = {}
    probabilities = config.get("from_logits") is False
    if name in _CLIPPED_ALWAYS or (name in _CLIPPED and probabilities):
        result["clip_epsilon"] = 1e-7
    if (
        name in ("BinaryCrossentropy", "BinaryFocalCrossentropy")
        and probabilities
        and generation >= (2, 3, 50)
        and generation < (3,)
    ):
        result["log_epsilon"] = 1e-7
    if name == "CosineSimilarity":
        # Under the root: Keras 3 bounds the norm itself, by 1e-7.
        result["epsilon"] = 1e-14 if generation >= (3,) else 1e-12
    return result


def _said(family: str, name: str, config: Mapping[str, Json], generation: Generation) -> tuple[str, dict[str, Json]]:
    """`name` with what Keras computes said, or as an extension type where the vocabulary cannot say the config."""
    full = {**decisive(name, config, generation), **config}
    return (name, full) if fits(family, name, full) else (f"keras:{name}", dict(config))


def unsaid(family: str, name: str, config: Mapping[str, Json], generation: Generation) -> tuple[str, ...]:
    """A note for each member of `config` that Keras of `generation` computes otherwise and cannot be told."""
    if name not in METRICS and name not in LOSSES:
        return ()
    computed = {**_USUAL, **decisive(name, config, generation)}
    return tuple(
        f"{family}: Keras {generation.text} computes {name} without {key} {shorten(value)}"
        for key, value in config.items()
        if key in computed
        and key in UNSPOKEN
        and not (same(value, computed[key]) or (name, key) == ("CosineSimilarity", "epsilon"))
    )


def read_loss(value: Json, generation: Generation) -> tuple[str, dict[str, Json]]:
    """Type and config of a loss.

    Raises:
        Unsayable: It is none.
    """
    if isinstance(value, str):
        known = _loss_of(value) or (value if value in LOSSES else None)
        return _said("losses", known, LOSSES[known][1], generation) if known else (f"keras:{type_name(value)}", {})
    name, config = _object(value)
    if name == "LossFunctionWrapper" and isinstance(config.get("fn"), str):
        name = _loss_of(config["fn"]) or name
    if name not in LOSSES:
        return f"keras:{type_name(name)}", config
    stated = _telling(config, LOSSES[name][0])
    parameters = {} if generation >= (3,) and name in _FORGETFUL else LOSSES[name][1]
    return _said("losses", name, {**parameters, **stated}, generation)


def _loss_of(function: str) -> str | None:
    return _BY_FUNCTION.get(_ALIASES.get(function, function))


def _metric_of(function: str) -> str | None:
    return _METRIC_BY_FUNCTION.get(_ALIASES.get(function, function))


def spelled_out(value: Json) -> Json:
    """`value`, of ``loss`` or ``metrics``, with the long names of functions for the short ones, which Keras 3 does not find in HDF5."""
    if isinstance(value, str):
        return _ALIASES.get(value, value)
    if isinstance(value, list):
        return [spelled_out(item) for item in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {key: spelled_out(item) for key, item in value.items()}
    return value


def _object(value: Json) -> tuple[str, dict[str, Json]]:
    if not isinstance(value, dict) or not isinstance(value.get("class_name"), str):
        unsayable("a loss or metric")
    config = value.get("config")
    if value["class_name"] == "function" and isinstance(config, str):
        return config, {}
    return (value["class_name"], config) if isinstance(config, dict) else unsayable("a loss or metric")


def _telling(config: Mapping[str, Json], function: str | None) -> dict[str, Json]:
    """`config` without what goes without saying."""
    result = {}
    for key, item in config.items():
        if (
            key == "fn"
            or (key == "name" and item in (function, f"{function}_loss", None))
            or (key == "axis" and item == -1 and function != "cosine_similarity")
        ):
            continue
        if key in _QUIET and any(item is quiet or (item == quiet and isinstance(item, str | float)) for quiet in _QUIET[key]):
            continue
        result[key] = item
    return result


def write_loss(name: str, config: Mapping[str, Json], generation: Generation) -> Json:
    """The Keras spelling of a loss: the name of a function where that says it all, else an object."""
    if name.startswith("keras:"):
        own = name.removeprefix("keras:")
        return objects.wrap(own, dict(config), "keras.losses", _bare(generation)) if config else own
    function, parameters = LOSSES.get(name, (name, {}))
    config = {key: item for key, item in config.items() if key not in UNSPOKEN}
    forgetful = generation >= (3,) and name in _FORGETFUL
    stated = dict(config) if forgetful else {**parameters, **config}
    if stated == parameters and name not in _FORGETFUL:
        return _SHORT.get(function, function) if generation < (3,) else function
    reduction = "sum_over_batch_size" if generation >= (3,) else "auto"
    label = "huber_loss" if name == "Huber" else function
    own_function = {"fn": function} if (2, 13) <= generation.version < (3,) else {}
    full = {"name": label, "reduction": reduction, **own_function, **_UNSAID.get(name, {}), **stated}
    return objects.wrap(name, full, "keras.losses", _bare(generation))


def _bare(generation: Generation) -> Generation:
    return generation if generation.wrapped else Generation(min(generation.version, (2, 12, 0)), generation.text)


def read_metric(value: Json, loss: str | None, generation: Generation, *, binary: bool) -> tuple[str, dict[str, Json]]:
    """Type and config of a metric, for an output with the loss `loss`, `binary` if its last extent is 1.

    Raises:
        Unsayable: It is none.
    """
    if isinstance(value, str):
        if value in ACCURACY:
            kind = accuracy_of(loss, binary=binary)
            return kind, {**METRICS.get(kind, (None, {}))[1], "name": value}
        known = _metric_of(value) or (value if value in METRICS else None)
        if known is None:
            return f"keras:{type_name(value)}", {}
        named = {} if METRICS[known][0] == value else {"name": value}
        return _said("metrics", known, {**METRICS[known][1], **named}, generation)
    name, config = _object(value)
    if name == "MeanMetricWrapper" and isinstance(config.get("fn"), str):
        found = _metric_of(config["fn"])
        if found is not None:
            return _said("metrics", found, {**METRICS[found][1], **_telling(config, METRICS[found][0])}, generation)
    if name not in METRICS:
        return f"keras:{type_name(name)}", config
    stated = _telling(config, METRICS[name][0] or _METRIC_LABELS.get(name, name.lower()))
    return _said("metrics", name, {**METRICS[name][1], **stated}, generation)


def accuracy_of(loss: str | None, *, binary: bool) -> str:
    """Which metric Keras takes "accuracy" for."""
    if loss == "BinaryCrossentropy" or (binary and loss is not None):
        return "BinaryAccuracy"
    if loss == "SparseCategoricalCrossentropy":
        return "SparseCategoricalAccuracy"
    return "CategoricalAccuracy" if loss == "CategoricalCrossentropy" else UNRESOLVED


def write_metric(name: str, config: Mapping[str, Json], generation: Generation) -> Json:
    """The Keras spelling of a metric: a name where that says it all, else an object."""
    label = config.get("name")
    if name == UNRESOLVED:
        return label or "accuracy"
    if name.startswith("keras:"):
        own = name.removeprefix("keras:")
        return objects.wrap(own, dict(config), "keras.metrics", _bare(generation)) if config else own
    function, parameters = METRICS.get(name, (None, {}))
    stated = {key: item for key, item in {**parameters, **config}.items() if key not in ("name", *UNSPOKEN)}
    spelled_out = (2, 3, 50) <= generation.version < (3,) and not generation.wrapped
    if function is not None and stated == parameters:
        if spelled_out:
            return {"class_name": "MeanMetricWrapper", "config": {"name": label or function, "dtype": "float32", "fn": function}}
        if label is None or label in ACCURACY or _ALIASES.get(str(label)) == function:
            return label or function
    own_name = label or function or _METRIC_LABELS.get(name, name.lower())
    return objects.wrap(name, {"name": own_name, "dtype": "float32", **stated}, "keras.metrics", _bare(generation))
