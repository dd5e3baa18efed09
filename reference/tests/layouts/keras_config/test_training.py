"""Training configurations: old ones by hand, new ones from real Keras, which compiles what we write and computes the same loss."""

import json
from dataclasses import replace

import numpy as np
import pytest

from triptych import documents
from triptych.errors import Findings, InvalidModelError
from triptych.layouts.keras_config import read_training_config, write_training_config
from triptych.model import Architecture, Call, Component, Input, Layer, Loss, Metric, Training

pytestmark = pytest.mark.filterwarnings("ignore")

ONE = Architecture((Layer("d", "Dense", {"units": 3}),), (Input("x", (None, 2)),))
SCALAR = Architecture((Layer("d", "Dense", {"units": 1}),), (Input("x", (None, 2)),))
TWO = Architecture(
    (Layer("left", "Dense", {"units": 3}), Layer("right", "Dense", {"units": 1})),
    (Input("x", (None, 2)),),
    (Call("left", ("x",)), Call("right", ("x",), outputs=("r",))),
    ("left", "r"),
)
ADAM1 = {
    "class_name": "Adam",
    "config": {
        "lr": 0.0010000000474974513,
        "beta_1": 0.8999999761581421,
        "beta_2": 0.9990000128746033,
        "decay": 0.0,
        "epsilon": 1e-08,
    },
}


def there_and_back(config, architecture, version):
    """The training of `config`, after it has shown that it comes back through text."""
    training = read_training_config(config, architecture, keras_version=version)
    findings = Findings()
    again = documents.parse_training(
        documents.parse_json(documents.dump_json(documents.training_to_data(training)).encode(), findings), findings
    )
    returned, notes = write_training_config(again, architecture)
    assert notes == ()
    assert json.dumps(returned, sort_keys=True) == json.dumps(config, sort_keys=True)
    return training


def old(**members):
    return {"optimizer_config": ADAM1, "loss": "mse", "metrics": [], "sample_weight_mode": None, "loss_weights": None, **members}


def test_parameters_of_an_old_optimizer_keep_their_digits_and_get_their_names():
    training = there_and_back(old(), ONE, "1.2.2")
    expected = {
        "learning_rate": 0.0010000000474974513,
        "beta_1": 0.8999999761581421,
        "beta_2": 0.9990000128746033,
        "epsilon": 1e-08,
        "amsgrad": False,
        **HAT,
    }
    assert (training.optimizer.type, training.optimizer.config) == ("Adam", expected)


HAT = {"epsilon_mode": "hat", "amsgrad_on": "raw"}
OPTIMIZERS = [
    ("2.1.3", "SGD", {"lr": 0.01, "momentum": 0.9, "decay": 1e-6, "nesterov": True}, "SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True, "decay": 1e-6, "momentum_scaling": "velocity"}),
    ("2.3.1", "RMSprop", {"learning_rate": 0.001, "rho": 0.9, "decay": 0.0, "epsilon": 1e-7}, "RMSprop", {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False, "epsilon_mode": "outside", "momentum_scaling": "velocity"}),
    ("2.10.0", "Adam", {"name": "Adam", "learning_rate": 0.1, "decay": 0.0, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3, "amsgrad": True, "clipnorm": 3}, "Adam", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3, "amsgrad": True, "clipnorm": 3, **HAT}),
    ("2.15.0", "Custom>Adam", {"name": "Adam", "learning_rate": 0.1, "weight_decay": 0.5}, "Adam", {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False, "weight_decay": 0.5, "decay_mode": "decoupled", **HAT}),
    ("2.15.0", "Adam", {"name": "Adam", "learning_rate": 0.1}, "Adam", {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False, **HAT}),
    ("3.5.0", "Mine>Adam2", {"learning_rate": 0.1}, "keras:Mine>Adam2", {"learning_rate": 0.1}),
    ("2.1.3", "Adam", {"lr": {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True, "name": None}}}, "Adam", {"learning_rate": {"type": "ExponentialDecay", "config": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True}}, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False, **HAT}),
    ("2.10.0", "Nadam", {"name": "Nadam", "learning_rate": 0.1, "decay": 0.004, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}, "Nadam", {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "momentum_decay": 0.004}),
    ("2.2.4", "Nadam", {"lr": 0.1, "schedule_decay": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}, "Nadam", {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "momentum_decay": 0.01}),
    ("2.15.0", "Custom>Nadam", {"name": "Nadam", "learning_rate": 0.1}, "Nadam", {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "momentum_decay": 1.0}),
    ("2.2.4", "Adagrad", {"lr": 0.1, "decay": 0.0, "epsilon": 1e-7}, "Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.0, "epsilon": 1e-7, "epsilon_mode": "outside"}),
    ("3.5.0", "AdamW", {"learning_rate": 0.1, "weight_decay": None, "use_ema": True}, "AdamW", {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False, "weight_decay": None, "use_ema": True, "ema_start": "update", **HAT}),
    ("3.5.0", "Adam", {"learning_rate": 0.1, "beta_1": "high"}, "keras:Adam", {"learning_rate": 0.1, "beta_1": "high"}),
    ("3.5.0", "SGD", {"learning_rate": {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.1}}}, "SGD", {"learning_rate": {"type": "keras:ExponentialDecay", "config": {"initial_learning_rate": 0.1}}, "momentum": 0.0, "nesterov": False, "momentum_scaling": "velocity"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "name", "config", "type_name", "expected"), OPTIMIZERS, ids=[f"{v}-{n}" for v, n, *_ in OPTIMIZERS]
)
def test_an_optimizer_of_any_generation_has_its_meaning(version, name, config, type_name, expected):
    training = there_and_back(old(optimizer_config={"class_name": name, "config": config}), ONE, version)
    assert (training.optimizer.type, training.optimizer.config) == (type_name, expected)


LOSSES = [
    ("mse", ONE, [("MeanSquaredError", {}, None, None)]),
    ("sparse_categorical_crossentropy", ONE, [("SparseCategoricalCrossentropy", {"from_logits": False, "clip_epsilon": 1e-7}, None, None)]),
    ("binary_crossentropy", ONE, [("BinaryCrossentropy", {"from_logits": False, "clip_epsilon": 1e-7}, None, None)]),
    ({"class_name": "Huber", "config": {"delta": "wide"}}, ONE, [("keras:Huber", {"delta": "wide"}, None, None)]),
    ("my_own_loss", ONE, [("keras:my_own_loss", {}, None, None)]),
    ({"class_name": "Huber", "config": {"reduction": "auto", "name": "huber_loss", "delta": 2.0}}, ONE, [("Huber", {"delta": 2.0}, None, None)]),
    ({"class_name": "CategoricalCrossentropy", "config": {"from_logits": True, "label_smoothing": 0.1, "reduction": "sum"}}, ONE, [("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1, "reduction": "sum"}, None, None)]),
    (None, ONE, []),
    ("mae", TWO, [("MeanAbsoluteError", {}, "left", None), ("MeanAbsoluteError", {}, "r", None)]),
    (["mse", "mae"], TWO, [("MeanSquaredError", {}, "left", None), ("MeanAbsoluteError", {}, "r", None)]),
    ([None, "mae"], TWO, [("MeanAbsoluteError", {}, "r", None)]),
    ({"right": "mae"}, TWO, [("MeanAbsoluteError", {}, "r", None)]),
    ({"elsewhere": "mae"}, TWO, []),
    (7, ONE, []),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "architecture", "expected"), LOSSES, ids=[str(loss)[:40] for loss, *_ in LOSSES])
def test_a_loss_of_any_form_has_its_meaning(loss, architecture, expected):
    training = there_and_back(old(loss=loss), architecture, "2.3.0")
    assert [(one.type, one.config, one.output, one.weight) for one in training.losses] == expected


@pytest.mark.parametrize("weights", [[1.0, 0.5], {"left": 1.0, "right": 0.5}])
def test_loss_weights_stand_with_their_losses(weights):
    training = there_and_back(old(loss=["mse", "mse"], loss_weights=weights), TWO, "2.2.4")
    assert [(one.output, one.weight) for one in training.losses] == [("left", 1.0), ("r", 0.5)]


WRAPPED = {"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "dtype": "float32", "fn": "categorical_accuracy"}}
METRICS = [
    (["accuracy"], "categorical_crossentropy", ONE, [("CategoricalAccuracy", {"name": "accuracy"}, None)]),
    (["acc"], "sparse_categorical_crossentropy", ONE, [("SparseCategoricalAccuracy", {"name": "acc"}, None)]),
    (["acc"], "binary_crossentropy", ONE, [("BinaryAccuracy", {"name": "acc", "threshold": 0.5}, None)]),
    (["accuracy"], "mse", SCALAR, [("BinaryAccuracy", {"name": "accuracy", "threshold": 0.5}, None)]),
    (["accuracy"], "mse", ONE, [("keras:accuracy", {"name": "accuracy"}, None)]),
    (["mae", "mean_squared_error"], "mse", ONE, [("MeanAbsoluteError", {"name": "mae"}, None), ("MeanSquaredError", {}, None)]),
    ([[WRAPPED]], "categorical_crossentropy", ONE, [("CategoricalAccuracy", {"name": "accuracy"}, None)]),
    ([[WRAPPED], [None]], "mse", TWO, [("CategoricalAccuracy", {"name": "accuracy"}, "left")]),
    ({"right": ["mae"]}, "mse", TWO, [("MeanAbsoluteError", {"name": "mae"}, "r")]),
    ({"right": "mae"}, "mse", TWO, [("MeanAbsoluteError", {"name": "mae"}, "r")]),
    ([{"class_name": "AUC", "config": {"name": "auc", "num_thresholds": 9}}], "mse", ONE, [("AUC", {"num_thresholds": 9}, None)]),
    (["own_metric"], "mse", ONE, [("keras:own_metric", {}, None)]),
    ("everything", 3, ONE, [("keras:everything", {}, None)]),
    (None, "mse", ONE, []),
]  # fmt: skip


@pytest.mark.parametrize("version", ["1.2.2", "2.2.4", "2.10.0", "3.5.0"])
@pytest.mark.parametrize(
    ("metrics", "loss", "architecture", "expected"), METRICS, ids=[str(metrics)[:40] for metrics, *_ in METRICS]
)
def test_a_metric_of_any_form_has_its_meaning(metrics, loss, architecture, expected, version):
    expected = [(name, {**config}, output) for name, config, output in expected]
    training = there_and_back(old(metrics=metrics, loss=loss), architecture, version)
    assert [(one.type, one.config, one.output) for one in training.metrics] == expected


def test_weighted_metrics_are_marked():
    training = there_and_back(old(metrics=["mae"], weighted_metrics=["mse"]), ONE, "2.3.1")
    assert [(one.type, one.weighted) for one in training.metrics] == [("MeanAbsoluteError", False), ("MeanSquaredError", True)]


def test_what_keras_computes_otherwise_is_noted():
    optimizer = Component("Adam", {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "epsilon_mode": "plain", "amsgrad_on": "raw"})
    loss = Loss("BinaryCrossentropy", {"from_logits": False, "clip_epsilon": 0.0, "least_logarithm": -100.0})
    written, notes = write_training_config(Training(optimizer, (loss,)), ONE, dialect="keras3")
    assert sorted(notes) == [
        "losses: Keras 3.3.3 computes BinaryCrossentropy without clip_epsilon 0.0",
        "losses: Keras 3.3.3 computes BinaryCrossentropy without least_logarithm -100.0",
        "optimizer: Keras 3.3.3 computes Adam with epsilon_mode hat, not 'plain'",
    ]
    assert "epsilon_mode" not in str(written)
    assert "clip_epsilon" not in str(written)


def test_keras_2_adds_epsilon_to_probabilities():
    training = there_and_back(old(loss="binary_crossentropy"), ONE, "2.10.0")
    assert training.losses[0].config == {"from_logits": False, "clip_epsilon": 1e-7, "log_epsilon": 1e-7}


def test_an_edit_by_hand_of_the_learning_rate_holds():
    training = read_training_config(old(), ONE, keras_version="1.2.2")
    changed = replace(training, optimizer=replace(training.optimizer, config={**training.optimizer.config, "learning_rate": 0.5}))
    written, _ = write_training_config(changed, ONE)
    assert written == old(optimizer_config={"class_name": "Adam", "config": {**ADAM1["config"], "lr": 0.5}})


def test_huber_of_keras_3_does_not_claim_a_delta_that_was_not_written():
    config = {"loss": {"class_name": "Huber", "config": {"name": "huber_loss", "reduction": "sum_over_batch_size"}}}
    assert there_and_back(config, ONE, "3.8.0").losses[0].config == {}


def test_the_cosine_of_keras_3_bounds_the_norm_itself():
    import keras
    import numpy as np

    from triptych.vocabulary import training as vocabulary

    config = {"loss": {"class_name": "CosineSimilarity", "config": {"axis": -1}}}
    (term,) = there_and_back(config, ONE, "3.8.0").losses
    target, prediction = np.array([[1.0, 0.0]], np.float32), np.array([[1e-5, 0.0]], np.float32)
    expected = float(keras.losses.CosineSimilarity(axis=-1)(target, prediction))
    assert float(np.mean(vocabulary.loss(term, target, prediction))) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"optimizer_config": 3},
        {"loss": [["mse"]], "metrics": [3]},
        {"loss_weights": "x", "loss": "mse"},
        {"a": float("nan"), "b": 10**30},
        {"loss": {"float": "NaN"}},
        {"metrics": {"a": {"b": 1}}},
    ],
)
def test_a_configuration_without_sense_comes_back(config):
    there_and_back(config, TWO, "2.10.0")


@pytest.mark.parametrize("config", [None, [], "adam"])
def test_what_is_no_object_is_an_error(config):
    with pytest.raises(InvalidModelError, match="LAYOUT_INVALID"):
        read_training_config(config, None, keras_version=None)


COMPILED = {
    "adam": lambda K: {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]},
    "classes": lambda K: {"optimizer": K.optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0), "loss": K.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), "metrics": ["accuracy", K.metrics.TopKCategoricalAccuracy(k=2)]},
    "schedule": lambda K: {"optimizer": K.optimizers.RMSprop(K.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), centered=True), "loss": "categorical_crossentropy", "weighted_metrics": ["mse"]},
    "decay": lambda K: {"optimizer": K.optimizers.AdamW(0.01, weight_decay=0.1), "loss": K.losses.MeanAbsoluteError(reduction="sum"), "metrics": [K.metrics.CategoricalAccuracy(name="mine")]},
    **{name: (lambda K, name=name: {"optimizer": getattr(K.optimizers, name)(), "loss": "mse"}) for name in ("Adadelta", "Adagrad", "Adamax", "Nadam", "Ftrl", "Lion")},
}  # fmt: skip


def _legacy(keras):
    if keras.__name__ == "tf_keras":
        from tf_keras.src.saving.legacy import saving_utils
    else:
        from keras.src.legacy.saving import saving_utils
    return saving_utils


def _model(keras):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax", kernel_initializer="ones")])
    model.set_weights([np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3), np.arange(3, dtype="float32")])
    return model


X = np.linspace(0, 1, 32, dtype="float32").reshape(8, 4)
Y = np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2, 0, 1]]


def _history(model):
    return [
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, sample_weight=np.arange(1, 9, dtype="float32")).history["loss"][0]
        for _ in range(3)
    ]


@pytest.mark.parametrize("source", ["keras2", "keras3"])
@pytest.mark.parametrize("what", COMPILED)
def test_real_keras_compiles_what_comes_back_and_trains_alike(request, what, source):
    keras = request.getfixturevalue(source)
    version = {"keras2": "2.21.0", "keras3": "3.15.1"}[source]
    model = _model(keras)
    model.compile(**COMPILED[what](keras), run_eagerly=True)
    expected = _history(model)
    config = _legacy(keras).model_metadata(model)["training_config"]
    config = json.loads(json.dumps(config, default=lambda value: value.item() if hasattr(value, "item") else value.get_config()))
    architecture = Architecture((Layer("dense", "Dense", {"units": 3}),), (Input("x", (None, 4)),))
    training = there_and_back(config, architecture, version)
    neutral = Training(
        optimizer=Component(training.optimizer.type, training.optimizer.config),
        losses=tuple(Loss(one.type, one.config, one.output, one.weight) for one in training.losses),
        metrics=tuple(Metric(one.type, one.config, one.output, one.weighted) for one in training.metrics),
    )
    assert ":" not in training.optimizer.type + training.losses[0].type
    for dialect in ("keras2", "keras3"):
        other = request.getfixturevalue(dialect)
        # Keras 3 does not read the short names that it writes.
        exact = [] if dialect == source == "keras3" and config["loss"] == "mse" else [training]
        for known in (*exact, neutral):
            written, notes = write_training_config(known, architecture, dialect=dialect)
            assert notes == ()
            twin = _model(other)
            twin.compile(**{**_legacy(other).compile_args_from_training_config(written), "run_eagerly": True})
            if dialect == source:
                np.testing.assert_allclose(_history(twin), expected, rtol=1e-6)
            else:
                np.testing.assert_allclose(_history(twin)[0], expected[0], rtol=2e-2)
