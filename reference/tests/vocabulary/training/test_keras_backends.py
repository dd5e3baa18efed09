"""Keras 3 on its other backends takes every optimizer the same way; there its parameters are no float32."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from triptych.model import Component
from triptych.vocabulary.training import TYPES, step

SCALE, STEPS = 1e-5, 50
RATES = {"learning_rate": 0.01}
ADAM = {**RATES, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
CONFIGS = [
    ("SGD", {**RATES, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("RMSprop", {**RATES, "rho": 0.9, "epsilon": 1e-7, "momentum": 0.5, "centered": True}),
    ("Adam", {**ADAM, "amsgrad": True}),
    ("AdamW", {**ADAM, "weight_decay": 0.01}),
    ("Adamax", ADAM),
    ("Nadam", ADAM),
    ("Adagrad", {**RATES, "initial_accumulator_value": 0.1, "epsilon": 1e-7}),
    ("Adadelta", {**RATES, "rho": 0.95, "epsilon": 1e-7}),
    ("Ftrl", {**RATES, "learning_rate_power": -0.5, "initial_accumulator_value": 0.1, "beta": 0.1}),
    ("Lion", {**RATES, "beta_1": 0.9, "beta_2": 0.99}),
    ("Adafactor", {**RATES, "beta_2_decay": -0.8, "epsilon_1": 1e-30, "epsilon_2": 1e-3, "clip_threshold": 1.0, "relative_step": True}),
    ("Lamb", ADAM),
]
PROGRAM = """
import json, sys
import keras, numpy as np
keras.config.set_floatx("float64")
configs, start, gradients = json.load(sys.stdin)
ends = []
for name, config in configs:
    variable = keras.Variable(np.array(start), dtype="float64")
    optimizer = getattr(keras.optimizers, name)(**config)
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(np.array(g), dtype="float64")], [variable])
    ends.append(keras.ops.convert_to_numpy(variable).tolist())
json.dump(ends, sys.stdout)
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_every_optimizer(backend):
    generator = np.random.default_rng(3)
    start = generator.standard_normal((3, 4))
    gradients = [SCALE * (generator.standard_normal((3, 4)) + 0.3) for _ in range(STEPS)]
    data = json.dumps([CONFIGS, start.tolist(), [g.tolist() for g in gradients]])
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=data, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert {name for name, _ in CONFIGS} == set(TYPES["optimizers"])
    for (name, config), end in zip(CONFIGS, json.loads(done.stdout[done.stdout.index("[[") :]), strict=True):
        weights, state = {"w": start}, {}
        for count, g in enumerate(gradients):
            stepped = step(Component(name, config), weights, {"w": g}, state, count=count)
            weights, state = stepped.weights, stepped.state
        expected = np.array(end)
        found = np.abs(weights["w"] - expected).max() / np.abs(expected - start).max()
        print(backend, name, f"{found:.1e}")
        # Keras takes the means of Adafactor in float32 there.
        assert found <= (1e-7 if name == "Adafactor" else 1e-12), name
