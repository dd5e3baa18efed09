"""Fifty updates on the same gradients: ours and each framework's own, at gradients of scale 1 and of scale 1e-5."""

import numpy as np
import pytest

from triptych.errors import UsageError
from triptych.model import Component
from triptych.vocabulary.training import TYPES, optimizers, step

pytestmark = pytest.mark.filterwarnings("ignore")
STEPS, SHAPES = 50, {"a": (3, 4), "b": (5,), "c": (2, 3, 4)}
SCALES = (1.0, 1e-5)
START = {name: np.random.default_rng(7).standard_normal(shape) for name, shape in SHAPES.items()}


def gradients(scale, steps=STEPS):
    generator = np.random.default_rng(11)
    return [{name: scale * (generator.standard_normal(shape) + 0.3) for name, shape in SHAPES.items()} for _ in range(steps)]


def ours(name, config, scale, **more):
    weights, state = dict(START), {}
    for count, found in enumerate(gradients(scale)):
        stepped = step(Component(name, config), weights, found, state, count=count, **more)
        weights, state = stepped.weights, stepped.state
    return weights


def single(config):
    """`config` with numbers of float32: Keras rounds some of its parameters to that, whatever the dtype of weights."""
    if isinstance(config, dict):
        return {name: single(value) for name, value in config.items()}
    return float(np.float32(config)) if isinstance(config, float) else config


def keras_optimizer(optimizers, name, config):
    """Keras' own; its parameters are ours."""
    rate = config["learning_rate"]
    if isinstance(rate, dict):
        rate = getattr(optimizers.schedules, rate["type"])(**rate["config"])
    return getattr(optimizers, name)(**{**config, "learning_rate": rate})


def of_keras(keras, optimizer, scale):
    variables = [keras.Variable(value, dtype="float64") for value in START.values()]
    for found in gradients(scale):
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in found.values()], variables)
    return dict(zip(START, map(keras.ops.convert_to_numpy, variables), strict=True))


def of_tf_keras(tf_keras, optimizer, scale):
    import tensorflow as tf

    variables = [tf.Variable(value) for value in START.values()]
    for found in gradients(scale):
        optimizer.apply_gradients(list(zip([tf.constant(g) for g in found.values()], variables, strict=True)))
    return {name: variable.numpy() for name, variable in zip(START, variables, strict=True)}


def of_torch(make, scale, clip=None):
    import torch

    torch.set_default_dtype(torch.float64)  # of NAdam's product of momenta
    parameters = [torch.nn.Parameter(torch.tensor(value)) for value in START.values()]
    optimizer = make(torch.optim, parameters)
    for found in gradients(scale):
        for parameter, g in zip(parameters, found.values(), strict=True):
            parameter.grad = torch.tensor(g)
        if clip:
            torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
    torch.set_default_dtype(torch.float32)
    return {name: parameter.detach().numpy() for name, parameter in zip(START, parameters, strict=True)}


def of_optax(optax, transformation, scale):
    import jax

    parameters = {name: jax.numpy.asarray(value) for name, value in START.items()}
    state = transformation.init(parameters)
    update = jax.jit(transformation.update)
    for found in gradients(scale):
        updates, state = update({name: jax.numpy.asarray(g) for name, g in found.items()}, state, parameters)
        parameters = optax.apply_updates(parameters, updates)
    return {name: np.asarray(value) for name, value in parameters.items()}


def error(found, expected):
    """The largest difference, of the largest way that a weight went."""
    way = max(np.abs(expected[name] - START[name]).max() for name in START)
    return max(np.abs(found[name] - expected[name]).max() for name in START) / way


ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
PLAIN = {**ADAM, "epsilon": 1e-8, "epsilon_mode": "plain"}
FACTOR = {"beta_2_decay": -0.8, "epsilon_1": 1e-30, "epsilon_2": 1e-3, "clip_threshold": 1.0}
FTRL = {"learning_rate_power": -0.5, "initial_accumulator_value": 0.1}
KERAS = [
    ("SGD", {"learning_rate": 0.01}),
    ("SGD", {"learning_rate": 0.01, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-7}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.5, "epsilon": 1e-3, "centered": True}),
    ("Adam", {"learning_rate": 0.01, **ADAM}),
    ("Adam", {"learning_rate": 0.01, **ADAM, "epsilon": 1e-3, "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"learning_rate": 0.01, **ADAM, "weight_decay": 0.004}),
    ("Adamax", {"learning_rate": 0.01, **ADAM}),
    ("Nadam", {"learning_rate": 0.01, **ADAM}),
    ("Adagrad", {"learning_rate": 0.01, "initial_accumulator_value": 0.1, "epsilon": 1e-7}),
    ("Adadelta", {"learning_rate": 0.5, "rho": 0.95, "epsilon": 1e-7}),
    ("Ftrl", {"learning_rate": 0.01, **FTRL}),
    ("Ftrl", {"learning_rate": 0.01, **FTRL, "l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2, "l2_shrinkage_regularization_strength": 0.3, "beta": 0.4}),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.99}),
    ("Adafactor", {"learning_rate": 0.01, **FACTOR}),
    ("SGD", {"learning_rate": 0.01, "clipvalue": 0.5}),
    ("SGD", {"learning_rate": 0.01, "clipnorm": 1.5}),
    ("SGD", {"learning_rate": 0.01, "global_clipnorm": 1.5}),
    ("Adam", {"learning_rate": 0.01, **ADAM, "use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7}),
]  # fmt: skip
KERAS_3 = [
    ("Lamb", {"learning_rate": 0.01, **ADAM}),
    ("Adam", {"learning_rate": 0.01, **ADAM, "gradient_accumulation_steps": 4}),
    ("Adam", {"learning_rate": 0.01, **ADAM, "loss_scale_factor": 8.0}),
]  # fmt: skip
TORCH = [
    ("SGD", {"learning_rate": 0.01, "momentum": 0.9, "dampening": 0.3, "momentum_scaling": "buffer", "weight_decay": 0.1, "decay_mode": "l2"}, lambda o, p: o.SGD(p, 0.01, 0.9, 0.3, weight_decay=0.1)),
    ("SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True, "momentum_scaling": "buffer"}, lambda o, p: o.SGD(p, 0.01, 0.9, nesterov=True)),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.99, "epsilon": 1e-8, "epsilon_mode": "outside"}, lambda o, p: o.RMSprop(p, 0.01)),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-4, "epsilon_mode": "outside", "momentum": 0.8, "momentum_scaling": "buffer", "centered": True, "weight_decay": 0.1, "decay_mode": "l2"}, lambda o, p: o.RMSprop(p, 0.01, 0.9, 1e-4, 0.1, 0.8, centered=True)),
    ("Adam", {"learning_rate": 0.01, **PLAIN, "weight_decay": 0.1, "decay_mode": "l2"}, lambda o, p: o.Adam(p, 0.01, weight_decay=0.1)),
    ("Adam", {"learning_rate": 0.01, **PLAIN, "amsgrad": True}, lambda o, p: o.Adam(p, 0.01, amsgrad=True)),
    ("AdamW", {"learning_rate": 0.01, **PLAIN, "weight_decay": 0.01}, lambda o, p: o.AdamW(p, 0.01)),
    ("Adamax", {"learning_rate": 0.01, **PLAIN, "epsilon_mode": "inside", "weight_decay": 0.1, "decay_mode": "l2"}, lambda o, p: o.Adamax(p, 0.01, weight_decay=0.1)),
    ("Nadam", {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "momentum_decay": 4e-3}, lambda o, p: o.NAdam(p, 0.01)),
    ("Nadam", {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "weight_decay": 0.1}, lambda o, p: o.NAdam(p, 0.01, momentum_decay=1.0, weight_decay=0.1, decoupled_weight_decay=True)),
    ("Adagrad", {"learning_rate": 0.01, "initial_accumulator_value": 0.2, "epsilon": 1e-10, "epsilon_mode": "outside", "decay": 0.1}, lambda o, p: o.Adagrad(p, 0.01, lr_decay=0.1, initial_accumulator_value=0.2)),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.9, "epsilon": 1e-6}, lambda o, p: o.Adadelta(p)),
    ("Adafactor", {"learning_rate": 0.01, **FACTOR, "epsilon_1": 1e-6, "epsilon_mode": "clamped", "relative_step": False}, lambda o, p: o.Adafactor(p, 0.01, eps=(1e-6, 1e-3))),
]  # fmt: skip
OPTAX = [
    ("SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True, "momentum_scaling": "buffer"}, lambda o: o.sgd(0.01, 0.9, nesterov=True)),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-8}, lambda o: o.rmsprop(0.01, eps_in_sqrt=True)),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-8, "momentum": 0.8}, lambda o: o.rmsprop(0.01, eps_in_sqrt=True, momentum=0.8)),
    ("Adam", {"learning_rate": 0.01, **PLAIN, "epsilon_root": 1e-6}, lambda o: o.adam(0.01, eps_root=1e-6)),
    ("Adam", {"learning_rate": 0.01, **PLAIN, "amsgrad": True, "amsgrad_on": "corrected"}, lambda o: o.amsgrad(0.01)),
    ("AdamW", {"learning_rate": 0.01, **PLAIN, "weight_decay": 1e-4}, lambda o: o.adamw(0.01)),
    ("Adamax", {"learning_rate": 0.01, **PLAIN, "epsilon_mode": "inside"}, lambda o: o.adamax(0.01)),
    ("Adagrad", {"learning_rate": 0.01, "initial_accumulator_value": 0.1, "epsilon": 1e-7}, lambda o: o.adagrad(0.01)),
    ("Adadelta", {"learning_rate": 0.5, "rho": 0.9, "epsilon": 1e-6}, lambda o: o.adadelta(0.5)),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.99, "weight_decay": 1e-3}, lambda o: o.lion(0.01)),
    ("Lamb", {"learning_rate": 0.01, **ADAM, "epsilon": 1e-6, "weight_decay": 0.1, "decay_mode": "direction"}, lambda o: o.lamb(0.01, weight_decay=0.1)),
    ("SGD", {"learning_rate": 0.01, "global_clipnorm": 1.5}, lambda o: o.chain(o.clip_by_global_norm(1.5), o.sgd(0.01))),
]  # fmt: skip
SCHEDULED = ("RMSprop", {"learning_rate": {"type": "CosineDecay", "config": {"initial_learning_rate": 0.0, "decay_steps": 30, "warmup_target": 0.01, "warmup_steps": 10}}, "rho": 0.9, "epsilon": 1e-7, "momentum": 0.9})  # fmt: skip
YIELDED = []
"""Rows of (framework, optimizer, config, scale, bound, weights at the end): what `freeze` writes."""


def ids(table):
    return [f"{name}-{number}" for number, (name, *_) in enumerate(table)]


def judged(framework, name, config, expected, scale, bound=1e-12):
    YIELDED.append((framework, name, config, scale, bound, expected))
    found = error(ours(name, config, scale), expected)
    assert found <= bound, (framework, name, config, scale, found)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("name", "config"), KERAS + KERAS_3, ids=ids(KERAS + KERAS_3))
def test_keras_3_goes_the_same_way(keras, monkeypatch, name, config, scale):
    config = single(config)
    monkeypatch.setattr(optimizers, "NADAM_BASE", single(0.96))  # which Keras rounds too
    # Keras takes 0.96 in float32 at one place of Nadam and in float64 at another.
    bound = 1e-8 if name == "Nadam" else 1e-12
    judged("keras", name, config, of_keras(keras, keras_optimizer(keras.optimizers, name, config), scale), scale, bound)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("name", "config"), KERAS, ids=ids(KERAS))
def test_tf_keras_goes_the_same_way(tf_keras, monkeypatch, name, config, scale):
    config = single(config)
    monkeypatch.setattr(optimizers, "NADAM_BASE", single(0.96))
    begin = {"ema_start": "weight"} if "use_ema" in config else {}
    judged("tf_keras", name, {**config, **begin}, of_tf_keras(tf_keras, keras_optimizer(tf_keras.optimizers, name, config), scale), scale)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("which", ["keras", "tf_keras"])
def test_a_schedule_that_keras_computes_in_float32(request, which, scale):
    framework, (name, config) = request.getfixturevalue(which), SCHEDULED
    of = of_keras if which == "keras" else of_tf_keras
    expected = of(framework, keras_optimizer(framework.optimizers, name, config), scale)
    judged(f"{which} float32 rate", name, config, expected, scale, 1e-5)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("name", "config", "make"), TORCH, ids=ids(TORCH))
def test_torch_goes_the_same_way(name, config, make, scale):
    judged("torch", name, config, of_torch(make, scale), scale)


@pytest.mark.parametrize("scale", SCALES)
def test_torch_clips_all_gradients_together(scale):
    expected = of_torch(lambda o, p: o.SGD(p, 0.01), scale, clip=1.5 * scale)
    judged("torch", "SGD", {"learning_rate": 0.01, "global_clipnorm": 1.5 * scale, "clip_epsilon": 1e-6}, expected, scale)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("name", "config", "make"), OPTAX, ids=ids(OPTAX))
def test_optax_goes_the_same_way(optax, name, config, make, scale):
    judged("optax", name, config, of_optax(optax, make(optax), scale), scale)


WRONG = [
    # state of Keras taken for torch's: SGD's steps are no gradients
    ("SGD", {"learning_rate": 0.01, "momentum": 0.9}, {"momentum_scaling": "buffer"}, 0.01),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-7, "momentum": 0.9}, {"momentum_scaling": "buffer"}, 0.01),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.9, "epsilon": 1e-7}, {"epsilon_mode": "outside"}, 1e-3),
    ("Adam", {"learning_rate": 0.01, **ADAM}, {"epsilon_mode": "plain"}, 1e-3),
    ("Adam", {"learning_rate": 0.01, **ADAM, "amsgrad": True}, {"amsgrad_on": "corrected"}, 1e-3),
    ("Adam", {"learning_rate": 0.01, **ADAM, "weight_decay": 0.1}, {"decay_mode": "l2"}, 1e-3),
    ("Adamax", {"learning_rate": 0.01, **ADAM}, {"epsilon_mode": "inside"}, 1e-5),
    ("Nadam", {"learning_rate": 0.01, **ADAM}, {"momentum_decay": 4e-3}, 1e-3),
    ("Adagrad", {"learning_rate": 0.01, "initial_accumulator_value": 0.0, "epsilon": 1e-7}, {"epsilon_mode": "outside"}, 1e-3),
    ("Adafactor", {"learning_rate": 0.01, **FACTOR, "epsilon_1": 1e-6}, {"epsilon_mode": "clamped"}, 1e-3),
]  # fmt: skip


@pytest.mark.parametrize(("name", "config", "other", "least"), WRONG, ids=ids(WRONG))
def test_state_that_is_copied_under_another_reading_leads_elsewhere(name, config, other, least):
    """25 updates under one config, then 25 under each: the naive mapping of the state is seen."""
    scale = 1e-5
    weights, state = dict(START), {}
    found = gradients(scale)
    for count in range(25):
        stepped = step(Component(name, config), weights, found[count], state, count=count)
        weights, state = stepped.weights, stepped.state
    ends = []
    for reading in (config, {**config, **other}):
        now, slots = weights, state
        for count in range(25, STEPS):
            stepped = step(Component(name, reading), now, found[count], slots, count=count)
            now, slots = stepped.weights, stepped.state
        ends.append(now)
    way = max(np.abs(ends[0][key] - weights[key]).max() for key in START)
    assert max(np.abs(ends[0][key] - ends[1][key]).max() for key in START) / way > least


def test_velocity_becomes_a_buffer_by_the_learning_rate():
    """The translation that chapter 50 gives for SGD: buffer = -velocity / rate."""
    config = {"learning_rate": 0.01, "momentum": 0.9}
    weights, state = dict(START), {}
    for count, found in enumerate(gradients(1.0, 20)):
        stepped = step(Component("SGD", config), weights, found, state, count=count)
        weights, state = stepped.weights, stepped.state
    buffers = {name: -value / 0.01 for name, value in state.items()}
    (found,) = gradients(1.0, 1)
    one = step(Component("SGD", config), weights, found, state, count=20).weights
    other = step(Component("SGD", {**config, "momentum_scaling": "buffer"}), weights, found, buffers, count=20).weights
    for name in START:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-14)


def test_nothing_is_changed_in_place_and_float32_stays_float32():
    weights = {name: value.astype(np.float32) for name, value in START.items()}
    (found,) = gradients(1.0, 1)
    for name, kind in TYPES["optimizers"].items():
        config = {one.name: 0.5 for one in kind.fields if one.required} | {"use_ema": True}
        config |= {"learning_rate_power": -0.5} if name == "Ftrl" else {"weight_decay": None} if name == "AdamW" else {}
        stepped = step(Component(name, config), weights, found, {}, count=0)
        for key in START:
            assert stepped.weights[key].dtype == np.float32
            assert not np.array_equal(stepped.weights[key], weights[key])
            assert np.array_equal(weights[key], START[key].astype(np.float32))
        assert {value.dtype.name for key, value in stepped.state.items() if key.count(".") > 1} == {"float32"}
        assert stepped.state.keys() <= {f"optimizer.{slot.name}" + ("" if slot.shared else f".{key}") for slot in kind.slots for key in START}


def test_a_weight_without_a_gradient_stays():
    (found,) = gradients(1.0, 1)
    stepped = step(Component("SGD", {"learning_rate": 0.1, "weight_decay": 0.5}), START, {"a": found["a"]}, {}, count=0)
    assert np.array_equal(stepped.weights["b"], START["b"])


def test_a_constraint_is_applied_last():
    (found,) = gradients(1.0, 1)
    stepped = step(Component("SGD", {"learning_rate": 0.1}), START, found, {}, count=0, constraints={"a": Component("NonNeg")})
    assert stepped.weights["a"].min() == 0
    assert stepped.weights["b"].min() < 0


def test_nadam_finds_its_product_from_the_count():
    """A file without the slot, as Keras writes it, loses nothing."""
    config = {"learning_rate": 0.01, **ADAM}
    weights, state = dict(START), {}
    for count, found in enumerate(gradients(1.0, 9)):
        stepped = step(Component("Nadam", config), weights, found, state, count=count)
        weights, state = stepped.weights, stepped.state
    lost = {name: value for name, value in state.items() if name != "optimizer.u_product"}
    again = [step(Component("Nadam", config), weights, found, kept, count=9).weights["a"] for kept in (state, lost)]
    np.testing.assert_allclose(*again, rtol=1e-14)


@pytest.mark.parametrize(("name", "given"), [("Magic", START), ("example:Odd", START), ("SGD", {"z": np.zeros(3)})])
def test_what_is_not_of_the_vocabulary_is_refused(name, given):
    with pytest.raises(UsageError):
        step(Component(name, {"learning_rate": 0.1}), START, given, {}, count=0)
