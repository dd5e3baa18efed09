"""Every loss, metric, schedule, regularizer and constraint beside those of Keras 3, tf-keras, torch and optax, in float64."""

import numpy as np
import pytest

from triptych.errors import UsageError
from triptych.model import Component
from triptych.vocabulary.training import TYPES, component_type, loss, metric, step
from triptych.vocabulary.training.schedules import Plateau, plateau_of_state, plateau_to_state, rate_of, reduce_on_plateau

pytestmark = pytest.mark.filterwarnings("ignore")
R = np.random.default_rng(5)
X, Y = R.standard_normal((7, 4)), R.standard_normal((7, 4))
P = np.exp(R.standard_normal((7, 4)))
P /= P.sum(axis=-1, keepdims=True)
BITS = R.integers(0, 2, (7, 4)).astype(float)
U = R.uniform(0.01, 0.99, (7, 4))
U[0] = [0.0, 1.0, 1e-9, 1 - 1e-9]  # saturated
CLASSES = R.integers(0, 4, 7)
HOT = np.eye(4)[CLASSES]
W = R.uniform(0.1, 2.0, 7)
POSITIVE = np.abs(X) + 0.1
IMAGE_P, IMAGE_T = R.standard_normal((2, 3, 5, 4)), R.integers(0, 4, (2, 3, 5))
LOSSES = [
    ("MeanSquaredError", {}, Y, X), ("MeanAbsoluteError", {}, Y, X), ("MeanAbsolutePercentageError", {}, Y, X),
    ("MeanSquaredLogarithmicError", {}, np.abs(Y), X), ("LogCosh", {}, Y, X), ("Huber", {"delta": 0.75}, Y, X), ("Poisson", {}, BITS, POSITIVE),
    ("Hinge", {}, BITS, X), ("Hinge", {}, 2 * BITS - 1, X), ("SquaredHinge", {}, BITS, X), ("CategoricalHinge", {}, HOT, X),
    ("KLDivergence", {}, HOT, P), ("CosineSimilarity", {"axis": -1}, Y, X), ("CosineSimilarity", {"axis": 0}, Y, X),
    ("BinaryCrossentropy", {"from_logits": True}, BITS, X), ("BinaryCrossentropy", {"from_logits": False}, BITS, U),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, BITS, 50 * X),
    ("BinaryFocalCrossentropy", {"from_logits": False}, BITS, U), ("BinaryFocalCrossentropy", {"from_logits": True, "apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.1}, BITS, X),
    ("CategoricalCrossentropy", {"from_logits": True}, HOT, X), ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, HOT, X),
    ("CategoricalCrossentropy", {"from_logits": False}, HOT, P), ("CategoricalCrossentropy", {"from_logits": False}, HOT, U),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "alpha": 0.3, "gamma": 1.5}, HOT, X), ("CategoricalFocalCrossentropy", {"from_logits": False, "label_smoothing": 0.1}, HOT, P),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES, X), ("SparseCategoricalCrossentropy", {"from_logits": False}, CLASSES, P),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}, CLASSES, X), ("SparseCategoricalCrossentropy", {"from_logits": True}, IMAGE_T, IMAGE_P),
]  # fmt: skip
NEW_LOSSES = [("Dice", {}, BITS, U), ("Dice", {"axis": [1]}, BITS, U), ("Tversky", {"alpha": 0.3, "beta": 0.6}, BITS, U)]


def ids(table):
    return [f"{name}-{number}" for number, (name, *_) in enumerate(table)]


def near(framework, name, ours, theirs, bound=1e-12):
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    found = float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-300))
    assert found <= bound, (framework, name, found, ours, theirs)


def of_keras(framework, name, config, t, p, weights, reduction):
    config = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
    term = getattr(framework.losses, name)(**config, reduction=reduction)
    return np.asarray(term(t, p, sample_weight=weights))


@pytest.mark.parametrize(("name", "config", "t", "p"), LOSSES + NEW_LOSSES, ids=ids(LOSSES + NEW_LOSSES))
def test_a_loss_of_keras_3(keras, name, config, t, p):
    if name in ("Dice", "Tversky") and not config.get("axis"):
        return near("keras", name, loss(Component(name, config), t, p), of_keras(keras, name, config, t, p, None, "sum_over_batch_size"))
    for reduction, ours in (("sum_over_batch_size",) * 2, ("sum", "sum"), (None, "none"), ("mean_with_sample_weight",) * 2):
        for weights in (None, np.resize(W, t.shape[:1])):
            if config.get("ignore_class") is not None and (ours == "none" or weights is not None or ours != "sum_over_batch_size"):
                continue
            if weights is not None:
                weights = weights_of(config, t, p)
            expected = of_keras(keras, name, config, t, p, weights, reduction)
            near("keras", name, loss(Component(name, {**config, "reduction": ours}), t, p, weights), expected, bound_of(name))


@pytest.mark.parametrize(("name", "config", "t", "p"), LOSSES, ids=ids(LOSSES))
def test_a_loss_of_tf_keras(tf_keras, name, config, t, p):
    weights = weights_of(config, t, p)
    for reduction, ours in (("sum_over_batch_size",) * 2, ("sum", "sum"), ("none", "none")):
        if config.get("ignore_class") is None:
            expected = of_keras(tf_keras, name, config, t, p, weights, reduction)
            near("tf_keras", name, loss(Component(name, {**config, **keras_2(name, config), "reduction": ours}), t, p, weights), expected, bound_of(name))


def weights_of(config, t, p):
    """A weight for each value of a loss."""
    return np.resize(W, 4 if config.get("axis") == 0 else p.shape[:-1])


def keras_2(name, config):
    """What tf-keras does otherwise than Keras 3."""
    if name in ("BinaryCrossentropy", "BinaryFocalCrossentropy") and not config["from_logits"]:
        return {"log_epsilon": 1e-7}
    return {"epsilon": 1e-12} if name == "CosineSimilarity" else {}


def bound_of(name):
    """Keras takes log(2) in float32."""
    return 1e-8 if name == "LogCosh" else 1e-12


def of_torch(make, t, p, transform=lambda p: p, classes_last=False):
    import torch

    t, p = torch.tensor(t), transform(torch.tensor(p))
    if classes_last:
        p = p.movedim(-1, 1)
    return make(torch.nn)(p, t).numpy()


WEIGHTS = [0.2, 1.0, 3.0, 0.5]
TORCH = [
    ("MeanSquaredError", {}, Y, X, lambda n: n.MSELoss()), ("MeanAbsoluteError", {}, Y, X, lambda n: n.L1Loss()),
    ("Huber", {"delta": 2.0}, Y, X, lambda n: n.HuberLoss(delta=2.0)),
    ("BinaryCrossentropy", {"from_logits": True, "positive_weight": 2.5}, BITS, X, lambda n: n.BCEWithLogitsLoss(pos_weight=__import__("torch").tensor(2.5))),
    ("BinaryCrossentropy", {"from_logits": False, "clip_epsilon": 0.0, "least_logarithm": -100.0}, BITS, U, lambda n: n.BCELoss()),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES, X, lambda n: n.CrossEntropyLoss()),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, CLASSES, X, lambda n: n.CrossEntropyLoss(label_smoothing=0.2)),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}, CLASSES, X, lambda n: n.CrossEntropyLoss(ignore_index=2)),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "class_weights": WEIGHTS, "reduction": "mean_with_sample_weight"}, CLASSES, X, lambda n: n.CrossEntropyLoss(weight=__import__("torch").tensor(WEIGHTS, dtype=__import__("torch").float64))),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "class_weights": WEIGHTS, "ignore_class": 1, "reduction": "mean_with_sample_weight"}, CLASSES, X, lambda n: n.CrossEntropyLoss(ignore_index=1, weight=__import__("torch").tensor(WEIGHTS, dtype=__import__("torch").float64))),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, P, X, lambda n: n.CrossEntropyLoss(label_smoothing=0.1)),
    ("Poisson", {"log_predictions": True}, BITS, X, lambda n: n.PoissonNLLLoss()),
    ("Poisson", {"epsilon": 1e-8}, BITS, POSITIVE, lambda n: n.PoissonNLLLoss(log_input=False)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "config", "t", "p", "make"), TORCH, ids=ids(TORCH))
def test_a_loss_of_torch(name, config, t, p, make):
    near("torch", name, loss(Component(name, config), t, p), of_torch(make, t, p))


def test_losses_of_torch_that_take_logarithms_or_images():
    kl = of_torch(lambda n: n.KLDivLoss(reduction="batchmean"), P, U[1:2].repeat(7, 0), lambda p: p.log())
    near("torch", "KLDivergence", loss(Component("KLDivergence", {"epsilon": 0.0}), P, U[1:2].repeat(7, 0)), kl)
    nll = of_torch(lambda n: n.NLLLoss(), CLASSES, P, lambda p: p.log())
    near("torch", "SparseCategoricalCrossentropy", loss(Component("SparseCategoricalCrossentropy", {"from_logits": True}), CLASSES, np.log(P)), nll)
    image = of_torch(lambda n: n.CrossEntropyLoss(), IMAGE_T, IMAGE_P, classes_last=True)
    near("torch", "SparseCategoricalCrossentropy", loss(Component("SparseCategoricalCrossentropy", {"from_logits": True}), IMAGE_T, IMAGE_P), image)
    first = loss(Component("SparseCategoricalCrossentropy", {"from_logits": True, "axis": 1}), IMAGE_T, np.moveaxis(IMAGE_P, -1, 1))
    near("torch", "SparseCategoricalCrossentropy", first, image)


OPTAX = [
    ("MeanSquaredError", {}, Y, X, lambda o, p, t: o.squared_error(p, t)), ("Huber", {"delta": 0.7}, Y, X, lambda o, p, t: o.huber_loss(p, t, delta=0.7)),
    ("LogCosh", {}, Y, X, lambda o, p, t: o.log_cosh(p, t)), ("BinaryCrossentropy", {"from_logits": True}, BITS, X, lambda o, p, t: o.sigmoid_binary_cross_entropy(p, t)),
    ("CategoricalCrossentropy", {"from_logits": True}, HOT, X, lambda o, p, t: o.softmax_cross_entropy(p, t)),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, CLASSES, X, lambda o, p, t: o.softmax_cross_entropy_with_integer_labels(p, t)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "config", "t", "p", "make"), OPTAX, ids=ids(OPTAX))
def test_a_loss_of_optax(optax, name, config, t, p, make):
    import jax.numpy as jnp

    near("optax", name, loss(Component(name, config), t, p), np.mean(np.asarray(make(optax.losses, jnp.asarray(p), jnp.asarray(t)))))


def test_what_probabilities_at_0_and_1_cost_is_said_by_the_config():
    """The same predictions cost 16 or 100: clipped as Keras clips, or with logarithms cut as torch cuts them."""
    p, t = np.array([[0.0]]), np.array([[1.0]])
    clipped = loss(Component("BinaryCrossentropy", {"from_logits": False}), t, p)
    cut = loss(Component("BinaryCrossentropy", {"from_logits": False, "clip_epsilon": 0.0, "least_logarithm": -100.0}), t, p)
    assert (round(float(clipped), 2), float(cut)) == (16.12, 100.0)


@pytest.mark.parametrize("term", [Component("Magic"), Component("keras:own"), Component("Huber"), Component("CosineSimilarity")])
def test_a_loss_that_is_not_said(term):
    with pytest.raises(UsageError):
        loss(term, Y, X)


METRICS = [
    ("Accuracy", {}, BITS, (U > 0.4).astype(float)), ("BinaryAccuracy", {"threshold": 0.4}, BITS, U), ("CategoricalAccuracy", {}, HOT, P), ("SparseCategoricalAccuracy", {}, CLASSES, P),
    ("TopKCategoricalAccuracy", {"k": 2}, HOT, P), ("SparseTopKCategoricalAccuracy", {"k": 2}, CLASSES, P), ("RootMeanSquaredError", {}, Y, X),
    ("CosineSimilarity", {}, Y, X), ("MeanSquaredError", {}, Y, X), ("MeanAbsoluteError", {}, Y, X), ("MeanAbsolutePercentageError", {}, Y, X),
    ("MeanSquaredLogarithmicError", {}, np.abs(Y), X), ("Poisson", {}, BITS, POSITIVE), ("KLDivergence", {}, HOT, P), ("Hinge", {}, BITS, X), ("SquaredHinge", {}, BITS, X),
    ("CategoricalHinge", {}, HOT, X), ("BinaryCrossentropy", {"from_logits": False}, BITS, U), ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, HOT, X),
    ("SparseCategoricalCrossentropy", {"from_logits": False}, CLASSES, P),
    *((name, config, BITS, U) for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives") for config in ({}, {"thresholds": [0.2, 0.7]})),
    *((name, config, BITS, U) for name in ("Precision", "Recall") for config in ({}, {"thresholds": 0.3}, {"thresholds": [0.2, 0.7]}, {"top_k": 2}, {"class_id": 1}, {"top_k": 2, "class_id": 1})),
    *(("AUC", {"curve": curve, "summation_method": method, "num_thresholds": 20}, BITS, U) for curve in ("ROC", "PR") for method in ("interpolation", "minoring", "majoring")),
    ("AUC", {"thresholds": [0.3, 0.6]}, BITS, U), ("AUC", {"from_logits": True}, BITS, X), ("AUC", {"multi_label": True, "label_weights": WEIGHTS}, BITS, U), ("AUC", {"label_weights": WEIGHTS}, BITS, U),
    ("AUC", {"curve": "PR", "multi_label": True}, BITS, U),
    *((name, {"average": average, "threshold": threshold}, HOT, P) for name in ("F1Score", "FBetaScore") for average in (None, "micro", "macro", "weighted") for threshold in (None, 0.4)),
    ("FBetaScore", {"beta": 2.0, "average": "macro"}, HOT, P), ("MeanIoU", {"num_classes": 4}, CLASSES, (CLASSES + BITS[:, 0].astype(int)) % 4),
    ("MeanIoU", {"num_classes": 4, "sparse_y_pred": False, "ignore_class": 1}, CLASSES, P),
]  # fmt: skip
NEW_METRICS = [("AUC", {"curve": "PRGAIN", "num_thresholds": 20}, BITS, U), ("R2Score", {}, Y, X), ("R2Score", {"class_aggregation": "variance_weighted_average"}, Y, X), ("R2Score", {"class_aggregation": None}, Y, X)]  # fmt: skip


@pytest.mark.parametrize("which", ["keras", "tf_keras"])
@pytest.mark.parametrize(("name", "config", "t", "p"), METRICS + NEW_METRICS, ids=ids(METRICS + NEW_METRICS))
def test_a_metric_of_keras(request, which, name, config, t, p):
    framework = request.getfixturevalue(which)
    if which == "tf_keras" and (name, config, t, p) in NEW_METRICS[:1]:
        return
    own = keras_2(name, config) if which == "tf_keras" else {}
    if single := name in FLOAT32 or "TopK" in name:
        p = p.astype(np.float32) if p.dtype.kind == "f" else p
        framework.backend.set_floatx("float32")
        request.addfinalizer(lambda: framework.backend.set_floatx("float64"))
    for weights in (None, W):
        if name == "MeanIoU" and weights is not None:
            weights = np.arange(1.0, 8.0)  # it counts in integers
        theirs = getattr(framework.metrics, name)(**config)
        for part in (slice(0, 3), slice(3, 7)):
            theirs.update_state(t[part], p[part], sample_weight=None if weights is None else weights[part].astype(p.dtype))
        bound = 1e-6 if single else bound_of(name)
        near(which, name, metric(Component(name, {**config, **own}), t, p, weights), np.asarray(theirs.result()), bound)


FLOAT32 = ("MeanIoU", "AUC", "Precision", "Recall", "TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "F1Score", "FBetaScore")
"""Metrics that Keras computes in float32 somewhere."""


def test_a_metric_that_is_not_of_the_vocabulary():
    with pytest.raises(UsageError):
        metric(Component("keras:own"), Y, X)


SCHEDULES = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5}), ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5}), ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.5, "staircase": True}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "end_learning_rate": 0.01, "power": 2.0}), ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 7, "end_learning_rate": 0.01, "power": 0.5, "cycle": True}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 9], "values": [0.1, 0.01, 0.001]}), ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "alpha": 0.1}),
    ("CosineDecay", {"initial_learning_rate": 0.01, "decay_steps": 20, "warmup_target": 0.1, "warmup_steps": 5}), ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.0, "m_mul": 0.9, "alpha": 0.1}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 2.0, "m_mul": 0.9}),
]  # fmt: skip


@pytest.mark.parametrize("which", ["keras", "tf_keras"])
@pytest.mark.parametrize(("name", "config"), SCHEDULES, ids=ids(SCHEDULES))
def test_a_schedule_of_keras(request, which, name, config):
    """Keras computes them in float32; at the begin of a period of doubling length its logarithm may fall short of a whole number."""
    theirs = getattr(request.getfixturevalue(which).optimizers.schedules, name)(**config)
    for n in range(40):
        if config.get("t_mul") == 2.0 and n in (5, 15, 35):
            continue
        near(which, name, rate_of({"type": name, "config": config}, step=n), np.asarray(theirs(n)), 1e-5)


def torch_rates(make, steps=30, rate=0.1):
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], rate)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


TORCH_SCHEDULES = [
    ("StepDecay", {"initial_learning_rate": 0.1, "step_size": 4, "factor": 0.5}, lambda s, o: s.StepLR(o, 4, 0.5)),
    ("PiecewiseConstantDecay", {"boundaries": [4, 9], "values": [0.1, 0.01, 0.001]}, lambda s, o: s.MultiStepLR(o, [5, 10])),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 30, "alpha": 0.1}, lambda s, o: s.CosineAnnealingLR(o, 30, 0.01)),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 4, "alpha": 0.1}, lambda s, o: s.CosineAnnealingWarmRestarts(o, 4, 2, 0.01)),
    ("LinearWarmup", {"initial_learning_rate": 0.02, "warmup_steps": 5, "after": 0.1}, lambda s, o: s.LinearLR(o, 0.2, 1.0, 5)),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 9, "end_learning_rate": 0.0, "power": 2.0}, lambda s, o: s.PolynomialLR(o, 9, 2.0)),
    *(("OneCycle", {"max_learning_rate": 0.5, "total_steps": 30, "rise": 0.3, "anneal": anneal, "divisor": 25.0, "final_divisor": 1e4, "three_phase": three}, lambda s, o, anneal=anneal, three=three: s.OneCycleLR(o, 0.5, 30, anneal_strategy=anneal[:3] if anneal == "cosine" else anneal, three_phase=three)) for anneal in ("cosine", "linear") for three in (False, True)),
    ("Constant", {"learning_rate": 0.1}, lambda s, o: s.ConstantLR(o, 1.0, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "config", "make"), TORCH_SCHEDULES, ids=ids(TORCH_SCHEDULES))
def test_a_schedule_of_torch(name, config, make):
    steps = 30 if name == "OneCycle" else 29
    near("torch", name, [rate_of({"type": name, "config": config}, step=n) for n in range(steps)], torch_rates(make)[:steps])


def test_a_schedule_may_count_epochs_and_follow_a_rise():
    config = {"initial_learning_rate": 0.4, "step_size": 2, "factor": 0.5}
    assert rate_of({"type": "StepDecay", "config": {**config, "unit": "epoch"}}, step=100, epoch=2) == 0.2
    rise = {"type": "LinearWarmup", "config": {"initial_learning_rate": 0.0, "warmup_steps": 4, "after": {"type": "StepDecay", "config": config}}}
    assert [round(rate_of(rise, step=n), 10) for n in range(8)] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.4, 0.2, 0.2]
    with pytest.raises(UsageError):
        rate_of({"type": "keras:Own"}, step=0)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["relative", "absolute"])
def test_plateaus_are_those_of_torch(mode, threshold_mode):
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode, 0.5, 2, 0.05, threshold_mode[:3], 1, 0.005, 1e-8)
    config = component_type("schedules", "ReduceOnPlateau").resolve(
        {"initial_learning_rate": 0.1, "factor": 0.5, "patience": 2, "threshold": 0.05, "threshold_mode": threshold_mode, "mode": mode, "cooldown": 1, "min_learning_rate": 0.005, "min_change": 1e-8}
    )
    state, values = Plateau(0.1), np.random.default_rng(3).uniform(0.5, 1.0, 60)
    for value in values:
        theirs.step(float(value))
        state = reduce_on_plateau(config, state, float(value))
        assert state.rate == optimizer.param_groups[0]["lr"]
        assert (state.waited, state.cooling) == (theirs.num_bad_epochs, theirs.cooldown_counter)
        assert plateau_of_state(config, plateau_to_state(state)) == state
    assert state.rate < 0.02


def test_a_plateau_is_read_from_the_state():
    value = {"type": "ReduceOnPlateau", "config": {"initial_learning_rate": 0.1, "factor": 0.5, "patience": 0, "threshold": 0.0, "threshold_mode": "absolute"}}
    config = component_type("schedules", "ReduceOnPlateau").resolve(value["config"])
    assert rate_of(value, step=7) == 0.1
    state = plateau_to_state(reduce_on_plateau(config, reduce_on_plateau(config, Plateau(0.1), 1.0), 1.0))
    assert rate_of(value, step=7, state=state) == 0.05
    stepped = step(Component("SGD", {"learning_rate": value}), {"w": X}, {"w": Y}, state, count=7)
    np.testing.assert_allclose(stepped.weights["w"], X - 0.05 * Y)
    assert stepped.state == state


@pytest.mark.parametrize("which", ["keras", "tf_keras"])
@pytest.mark.parametrize(("family", "name", "config"), [
    ("regularizers", "L1", {"l1": 0.3}), ("regularizers", "L2", {"l2": 0.3}), ("regularizers", "L1L2", {"l1": 0.1, "l2": 0.2}), ("regularizers", "OrthogonalRegularizer", {"factor": 0.3}),
    ("regularizers", "OrthogonalRegularizer", {"mode": "columns"}), ("constraints", "MaxNorm", {"max_value": 1.0}), ("constraints", "MaxNorm", {"axis": [0, 1]}), ("constraints", "NonNeg", {}), ("constraints", "UnitNorm", {"axis": 1}),
    ("constraints", "MinMaxNorm", {"min_value": 0.5, "max_value": 1.0, "rate": 0.7}),
])  # fmt: skip
def test_a_regularizer_or_constraint_of_keras(request, which, family, name, config):
    framework = request.getfixturevalue(which)
    kind = component_type(family, name)
    x = X.astype(np.float32) if name == "OrthogonalRegularizer" else X
    ours = kind.formula(kind.resolve(config), x)
    theirs = np.asarray(getattr(getattr(framework, family), name)(**config)(framework.ops.convert_to_tensor(x) if which == "keras" else __import__("tensorflow").constant(x)))
    near(which, name, ours, theirs, 1e-6 if family == "regularizers" else 1e-12)


@pytest.mark.parametrize("name", TYPES["initializers"])
def test_an_initializer_is_distributed_as_that_of_keras(keras, name):
    """Mean, deviation and upper quantile of 40,000 numbers agree; what is no matter of chance agrees exactly."""
    kind = component_type("initializers", name)
    config = kind.resolve({"value": 0.3} if name == "Constant" else {})
    ours = kind.formula(config, (200, 200), np.random.default_rng(1))
    theirs = np.asarray(getattr(keras.initializers, name)(**({"value": 0.3} if name == "Constant" else {} if not any(f.name == "seed" for f in kind.fields) else {"seed": 3}))((200, 200)))
    for of in (np.mean, np.std, lambda x: np.quantile(np.abs(x), 0.99)):
        assert abs(of(ours) - of(theirs)) <= 0.02 * np.abs(theirs).max() + 1e-12
    if name == "Orthogonal":
        np.testing.assert_allclose(ours.T @ ours, np.eye(200), atol=1e-12)


def test_initializers_of_kernels_count_what_each_output_sees():
    kind = component_type("initializers", "HeUniform")
    values = kind.formula(kind.resolve({}), (3, 3, 8, 16), np.random.default_rng(1))
    assert 0.99 < np.abs(values).max() / np.sqrt(6 / 72) <= 1


def test_values_are_one_more_than_boundaries():
    """A piecewise constant rate with too few or too many values is refused, at every count."""
    for values in ([0.1, 0.01], [0.1] * 4):
        with pytest.raises(UsageError, match=f"expected rising boundaries, one fewer than the {len(values)} values"):
            rate_of({"type": "PiecewiseConstantDecay", "config": {"boundaries": [3, 9], "values": values}}, step=0)
