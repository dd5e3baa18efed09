"""Verdicts: every type has one in every framework, known differences are said, and who overrides one meets the error it warns of."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import triptych
from triptych.cli import main
from triptych.model import Architecture, Call, Component, Composite, Input, Layer, Loss, Panels, Training, Weights
from triptych.surface.model import Model
from triptych.vocabulary import LAYER_TYPES, verdicts
from triptych.vocabulary.operations import OPERATIONS
from triptych.vocabulary.training import TYPES, losses
from triptych.vocabulary.verdicts.rules import LISTED, SAID

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch

GATED = {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid"}


def tables():
    for kind, owners, vocabulary in (("layer", verdicts.LAYERS, LAYER_TYPES), ("optimizer", verdicts.OPTIMIZERS, TYPES["optimizers"]), ("loss", verdicts.LOSSES, TYPES["losses"]), ("operation", verdicts.OPERATIONS, OPERATIONS)):
        for framework, table in owners.items():
            yield pytest.param(table, vocabulary, id=f"{framework}-{kind}")


@pytest.mark.parametrize(("table", "vocabulary"), [*tables()])
def test_every_type_is_judged_whatever_its_config(table, vocabulary):
    assert [name for name in vocabulary if name not in table] == []
    for name, rules in table.items():
        assert rules[-1].when == {}, name
        assert all(rule.when for rule in rules[:-1]), name
        assert all((rule.verdict == "bounded") == bool(rule.bound) for rule in rules), name


@pytest.mark.parametrize(("table", "vocabulary"), [*tables()])
def test_conditions_are_about_members_that_exist_with_values_they_take(table, vocabulary):
    import jsonschema

    for name, rules in table.items():
        if name not in vocabulary:
            continue
        fields = {one.name: one for one in vocabulary[name].fields}
        for rule in rules:
            for member, value in rule.when.items():
                assert member in fields, f"{name}: {member}"
                kept = [one for one in (value if isinstance(value, tuple) else (value,)) if one not in (LISTED, SAID)]
                good = [one for one in kept if not list(jsonschema.Draft202012Validator(dict(fields[member].kind.schema)).iter_errors(one))]
                assert good or not kept or member == "padding", f"{name}: {member} {value}"


@pytest.mark.parametrize(("framework", "name", "config", "verdict"), [
    ("torch", "GRU", {**GATED, "reset_after": False}, "inexpressible"),
    ("torch", "GRU", {**GATED, "reset_after": True}, "exact"),
    ("jax", "GRU", {**GATED, "reset_after": False}, "inexpressible"),
    ("keras3", "GRU", {**GATED, "reset_after": False}, "exact"),
    ("torch", "LSTM", GATED, "exact"),
    ("torch", "LSTM", {**GATED, "recurrent_activation": "hard_sigmoid_keras2"}, "inexpressible"),
    ("keras3", "LSTM", {**GATED, "recurrent_bias": True}, "bounded"),
    ("torch", "Conv2D", {"filters": 1, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same_upper"}, "exact"),
    ("torch", "BatchNormalization", {"momentum": 0.99, "epsilon": 1e-3}, "bounded"),
    ("torch", "BatchNormalization", {"momentum": 0.9, "epsilon": 1e-5, "variance": "sample"}, "exact"),
    ("keras3", "BatchNormalization", {"momentum": 0.9, "epsilon": 1e-5, "variance": "sample"}, "bounded"),
    ("torch", "UpSampling2D", {"size": [2, 2], "interpolation": "bicubic"}, "inexpressible"),
    ("torch", "UpSampling2D", {"size": [2, 2], "interpolation": "bicubic", "cubic_coefficient": -0.75, "exclude_outside": False}, "exact"),
    ("keras3", "UpSampling2D", {"size": [2, 2], "interpolation": "bilinear", "align_corners": True}, "inexpressible"),
    ("keras2", "RMSNormalization", {"epsilon": 1e-6}, "inexpressible"),
    ("torch", "Masking", {"mask_value": 0.0}, "inexpressible"),
    ("torch", "keras:RandomFlip", {}, "inexpressible"),
    ("keras3", "keras:RandomFlip", {}, "exact"),
    ("torch", "Dense", {"units": 1, "activation": "keras:odd"}, "inexpressible"),
    ("torch", "Dense", {"units": 1, "activation": {"type": "LeakyReLU", "config": {"negative_slope": 0.2}}}, "exact"),
])
def test_known_differences_of_layers(framework, name, config, verdict):
    assert verdicts.of_type(framework, name, config).verdict == verdict


ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}


@pytest.mark.parametrize(("framework", "name", "config", "verdict"), [
    ("torch", "Adam", ADAM, "exact"),
    ("jax", "Adam", ADAM, "inexpressible"),
    ("jax", "Adam", {**ADAM, "epsilon_mode": "plain"}, "exact"),
    ("keras3", "Adam", {**ADAM, "weight_decay": 0.01, "decay_mode": "l2"}, "inexpressible"),
    ("torch", "RMSprop", {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-7}, "inexpressible"),
    ("torch", "RMSprop", {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-7, "epsilon_mode": "outside"}, "exact"),
    ("jax", "Nadam", {**ADAM}, "inexpressible"),
    ("torch", "Adamax", ADAM, "bounded"),
    ("torch", "Lion", {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99}, "inexpressible"),
    ("torch", "SGD", {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01}, "inexpressible"),
    ("torch", "SGD", {"learning_rate": 0.1, "weight_decay": 0.01}, "exact"),
])
def test_known_differences_of_optimizers(framework, name, config, verdict):
    assert verdicts.of_optimizer(framework, name, config).verdict == verdict


PROBABLE, LOGITS = {"from_logits": False}, {"from_logits": True}


@pytest.mark.parametrize(("framework", "name", "config", "verdict"), [
    ("keras3", "MeanSquaredError", {"reduction": "mean_with_sample_weight"}, "exact"),
    ("keras2", "MeanSquaredError", {"reduction": "mean_with_sample_weight"}, "inexpressible"),
    ("keras3", "BinaryCrossentropy", LOGITS, "exact"),
    ("keras3", "BinaryCrossentropy", PROBABLE, "bounded"),
    ("keras3", "BinaryCrossentropy", {**LOGITS, "positive_weight": 2.0}, "inexpressible"),
    ("keras3", "BinaryCrossentropy", {**PROBABLE, "clip_epsilon": 0.0, "least_logarithm": -100.0}, "inexpressible"),
    ("torch", "BinaryCrossentropy", {**LOGITS, "positive_weight": 2.0}, "exact"),
    ("torch", "BinaryCrossentropy", {**PROBABLE, "clip_epsilon": 0.0, "least_logarithm": -100.0}, "exact"),
    ("keras2", "CategoricalCrossentropy", {**LOGITS, "class_weights": [1.0, 2.0]}, "exact"),
    ("keras3", "CategoricalCrossentropy", {**LOGITS, "label_smoothing": 0.1, "axis": 1}, "inexpressible"),
    ("keras2", "CategoricalCrossentropy", {**LOGITS, "label_smoothing": 0.1, "axis": 1}, "exact"),
    ("keras3", "SparseCategoricalCrossentropy", {**LOGITS, "label_smoothing": 0.1}, "inexpressible"),
    ("torch", "SparseCategoricalCrossentropy", {**LOGITS, "label_smoothing": 0.1}, "exact"),
    ("keras3", "Poisson", {"log_predictions": True}, "inexpressible"),
    ("torch", "Poisson", {"log_predictions": True}, "exact"),
    ("keras2", "Dice", {}, "inexpressible"),
    ("keras3", "Dice", {}, "exact"),
    ("jax", "Huber", {}, "inexpressible"),
    ("jax", "Huber", {"delta": 2.0}, "exact"),
    ("keras3", "CosineSimilarity", {"axis": -1, "epsilon": 1e-14}, "exact"),
    ("keras2", "CosineSimilarity", {"axis": -1, "epsilon": 1e-12}, "exact"),
    ("keras3", "CosineSimilarity", {"axis": -1}, "bounded"),
    ("torch", "keras:Circle", {}, "inexpressible"),
    ("keras3", "keras:Circle", {}, "exact"),
])
def test_known_differences_of_losses(framework, name, config, verdict):
    assert verdicts.of_loss(framework, name, config).verdict == verdict


# --- who overrides a verdict

def model(layer, shape, **weights):
    return Model(Panels(architecture=Architecture((layer,), (Input("x", (None, *shape)),)), weights=Weights.from_arrays(weights)))


def error(ours, theirs):
    return float(np.abs(ours - theirs).max() / np.abs(ours).max())


@pytest.mark.parametrize(("changed", "least", "most"), [
    ({"reset_after": True}, 0, 1e-5),
    ({"reset_after": False}, 1e-2, 1),
    ({"recurrent_activation": "hard_sigmoid_keras2"}, 1e-3, 1),
])
def test_a_gru_in_torch_errs_as_its_verdict_says(changed, least, most):
    config = {**GATED, "reset_after": True, "return_sequences": True, **changed}
    generator = np.random.default_rng(3)
    kernel, recurrent = (generator.standard_normal((rows, 9), dtype="float32") for rows in (2, 3))
    bias = generator.standard_normal((2, 9), dtype="float32")
    x = generator.standard_normal((2, 5, 2), dtype="float32")
    ours = model(Layer("gru", "GRU", config), (5, 2), **{"gru.kernel": kernel, "gru.recurrent_kernel": recurrent, "gru.bias": bias if config["reset_after"] else bias.sum(0)})
    theirs = torch.nn.GRU(2, 3, batch_first=True)
    swap = lambda value: torch.from_numpy(np.concatenate([np.split(value, 3, -1)[i] for i in (1, 0, 2)], -1).T.copy())
    with torch.no_grad():
        for name, value in (("weight_ih_l0", kernel), ("weight_hh_l0", recurrent), ("bias_ih_l0", bias[0]), ("bias_hh_l0", bias[1])):
            getattr(theirs, name).copy_(swap(value))
        measured = error(ours.predict(x), theirs(torch.from_numpy(x))[0].numpy())
    assert least <= measured <= most
    assert (verdicts.of_type("torch", "GRU", config).verdict == "exact") == (measured <= 1e-5)


@pytest.mark.parametrize("coefficient", [-0.5, -0.75])
def test_bicubic_enlargement_in_torch_errs_as_its_verdict_says(coefficient):
    config = {"size": [2, 2], "interpolation": "bicubic", "cubic_coefficient": coefficient, "exclude_outside": coefficient == -0.5}
    x = np.random.default_rng(4).standard_normal((1, 5, 5, 1), dtype="float32")
    ours = model(Layer("up", "UpSampling2D", config), (5, 5, 1)).predict(x)
    theirs = torch.nn.functional.interpolate(torch.from_numpy(x.transpose(0, 3, 1, 2)), scale_factor=2, mode="bicubic").numpy().transpose(0, 2, 3, 1)
    measured = error(ours, theirs)
    assert (measured <= 1e-5) == (verdicts.of_type("torch", "UpSampling2D", config).verdict == "exact")
    assert measured <= 1e-5 or measured > 0.02


def test_the_moving_variance_in_torch_departs_by_the_bound_and_no_more():
    x = np.random.default_rng(5).standard_normal((8, 3)).astype("float32")
    theirs = torch.nn.BatchNorm1d(3, momentum=1.0)
    theirs(torch.from_numpy(x))
    assert theirs.running_var.numpy() == pytest.approx(x.var(axis=0) * 8 / 7, rel=1e-5)
    rule = verdicts.of_type("torch", "BatchNormalization", {"momentum": 0.0, "epsilon": 1e-3})
    assert (rule.verdict, rule.training) == ("bounded", True)
    assert "n / (n - 1)" in rule.bound


@pytest.mark.parametrize(("mode", "exact"), [("inside", False), ("outside", True)])
def test_rmsprop_in_torch_errs_as_its_verdict_says(mode, exact):
    config = {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-7, "epsilon_mode": mode}
    gradients = np.random.default_rng(6).standard_normal((20, 4)) * 1e-5
    weight, average = np.zeros(4), np.zeros(4)
    parameter = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.RMSprop([parameter], lr=0.01, alpha=0.9, eps=1e-7)
    for gradient in gradients:
        average = 0.9 * average + 0.1 * gradient**2
        weight -= 0.01 * gradient / (np.sqrt(average + 1e-7) if mode == "inside" else np.sqrt(average) + 1e-7)
        parameter.grad = torch.from_numpy(gradient)
        theirs.step()
    measured = error(weight, parameter.detach().numpy())
    assert (measured <= 1e-12) is exact
    assert (verdicts.of_optimizer("torch", "RMSprop", config).verdict == "exact") is exact
    assert exact or measured > 1


def test_binary_crossentropy_in_torch_errs_unless_clamped_as_its_verdict_says():
    targets, p = np.array([[1.0, 0.0]]), np.array([[1e-30, 0.25]])
    ours = losses.loss(Component("BinaryCrossentropy", PROBABLE), targets, p)
    bce, t, predicted = torch.nn.BCELoss(), torch.from_numpy(targets), torch.from_numpy(p)
    assert "torch.clamp" in verdicts.of_loss("torch", "BinaryCrossentropy", PROBABLE).how
    assert bce(torch.clamp(predicted, 1e-7, 1 - 1e-7), t).item() == pytest.approx(ours, rel=1e-12)
    assert bce(predicted, t).item() / ours > 4
    plain = {**PROBABLE, "clip_epsilon": 0.0, "least_logarithm": -100.0}
    assert verdicts.of_loss("torch", "BinaryCrossentropy", plain).how == "torch.nn.BCELoss"
    for value in (1e-30, 0.0):
        saturated = np.array([[value, 0.25]])
        assert bce(torch.from_numpy(saturated), t).item() == pytest.approx(losses.loss(Component("BinaryCrossentropy", plain), targets, saturated), rel=1e-12)


def test_divergence_in_torch_errs_by_the_classes_with_the_mean_its_verdict_warns_of():
    generator = np.random.default_rng(7)
    targets, p = (x / x.sum(-1, keepdims=True) for x in generator.random((2, 3, 5)))
    ours = losses.loss(Component("KLDivergence", {}), targets, p)
    t, log_p = torch.from_numpy(targets), torch.log(torch.from_numpy(p))
    assert torch.nn.KLDivLoss(reduction="none")(log_p, t).sum(-1).mean().item() == pytest.approx(ours, rel=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert torch.nn.KLDivLoss(reduction="mean")(log_p, t).item() == pytest.approx(ours / 5, rel=1e-9)
    assert "'mean' divides by the classes" in verdicts.of_loss("torch", "KLDivergence", {}).how


# --- what is printed

@pytest.fixture
def package(tmp_path):
    two = Layer("both", "Bidirectional", sublayers={"forward": Layer("", "GRU", {**GATED, "reset_after": False}), "backward": Layer("", "GRU", {**GATED, "reset_after": False, "go_backwards": True})})
    inner = Layer("inner", "Model", architecture=Architecture((Layer("norm", "BatchNormalization", {"momentum": 0.99, "epsilon": 1e-3}),)))
    architecture = Architecture((Layer("seq", "LSTM", {**GATED, "return_sequences": True}), two, inner), (Input("x", (None, 4, 2)),))
    path = tmp_path / "m.triptych"
    triptych.save(Model(Panels(architecture=architecture, training=Training(optimizer=Component("Lion", {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.99}), losses=(Loss("Hinge"), Loss("MeanSquaredError", output="inner"))))), path)
    return path


def test_the_summary_gives_a_verdict_on_each_layer(package, capsys):
    assert main(["summary", "--for", "torch", str(package)]) == 0
    out = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[2] for line in out.splitlines() if line.count("  ") > 2}
    assert rows["seq"] == "exact"
    assert rows["both.forward"] == "inexpressible"
    assert rows["inner.norm"] == "bounded"
    assert rows["Lion"] == "inexpressible"
    assert rows["Hinge"] == "exact"
    assert [line.split()[:5] for line in out.splitlines() if line.startswith("Mean")] == [["MeanSquaredError", "of", "inner", "MeanSquaredError", "exact"]]
    assert out.splitlines()[-1] == "5 exact, 1 bounded, 3 inexpressible"


def test_the_verdicts_are_data_too(package, capsys):
    assert main(["summary", "--for", "flax", "--format", "json", str(package)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["framework"] == "jax"
    assert [one["name"] for one in report["layers"]] == ["seq", "both", "both.forward", "both.backward", "inner", "inner.norm"]
    assert report["layers"][2]["verdict"] == "inexpressible"
    assert report["optimizer"]["verdict"] == "exact"
    assert [(one["name"], one.get("output"), one["verdict"]) for one in report["losses"]] == [("Hinge", None, "exact"), ("MeanSquaredError", "inner", "exact")]


def test_a_composite_is_judged_by_its_layers():
    inside = Layer("gru", "GRU", {**GATED, "reset_after": False})
    composite = Composite(Architecture((inside,), (Input("x", None),), (Call("gru", ("x",)),), ("gru",)))
    architecture = Architecture((Layer("block", "Block"),), (Input("x", (None, 4, 2)),), composites={"Block": composite})
    assert [(one.path, one.rule.verdict) for one in verdicts.of_layers("torch", architecture)] == [("block", "exact"), ("block.gru", "inexpressible")]


def test_json_without_a_framework_is_wrong_usage(package, capsys):
    assert main(["summary", "--format", "json", str(package)]) == 2
    assert "--for" in capsys.readouterr().err


def merged(*before, **config):
    """A sum of a value, as `before` makes it, with itself."""
    layers = (*before, Layer("sum", "Add", config))
    calls = tuple(Call(one.name, ("x" if number == 0 else before[number - 1].name,)) for number, one in enumerate(before))
    value = before[-1].name if before else "x"
    return Architecture(layers, (Input("x", (None, 3, 2)),), (*calls, Call("sum", (value, value))), ("sum",))


@pytest.mark.parametrize(("framework", "masks", "verdict"), [
    ("keras2", "any", "inexpressible"), ("keras2", "all", "exact"), ("keras2", "none", "exact"),
    ("keras3", "any", "exact"), ("keras3", "all", "inexpressible"), ("keras3", "none", "exact"),
])
def test_a_rule_about_masks_matters_where_something_makes_one(framework, masks, verdict):
    *_, judged = verdicts.of_layers(framework, merged(Layer("m", "Masking", {"mask_value": 0.0}), masks=masks))
    assert judged.rule.verdict == verdict
    (judged,) = verdicts.of_layers(framework, merged(masks=masks))
    assert judged.rule.verdict == "exact"


def test_operations_are_judged_by_the_names_of_their_values():
    calls = (Call("", ("x",), op="multiply", config={"right": 2.0}, outputs=("doubled",)), Call("", ("doubled",), op="torch:unfold", outputs=("odd",)))
    inner = Architecture((), (Input("x", (None, 3)),), calls, ("odd",))
    whole = Architecture((Layer("inner", "Model", architecture=inner),), (Input("x", (None, 3)),), (Call("inner", ("x",)),), ("inner",))
    for framework, last in (("keras3", "inexpressible"), ("torch", "exact")):
        found = [(one.path, one.type, one.rule.verdict) for one in verdicts.of_operations(framework, whole)]
        assert found == [("inner.doubled", "multiply", "exact"), ("inner.odd", "torch:unfold", last)]
