"""Frozen trajectories of four frameworks, without any of them: and a formula that is broken fails its own rows, and only those."""

import inspect
import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from triptych.model import Component
from triptych.vocabulary.training import TYPES, optimizers, step

ROWS = json.loads((Path(__file__).parent / "frozen_optimizers.json").read_text(encoding="utf-8"))["rows"]
STEPS, SHAPES = 50, {"a": (3, 4), "b": (5,), "c": (2, 3, 4)}
START = {name: np.random.default_rng(7).standard_normal(shape) for name, shape in SHAPES.items()}


def unit_gradients():
    generator = np.random.default_rng(11)
    return [{name: generator.standard_normal(shape) + 0.3 for name, shape in SHAPES.items()} for _ in range(STEPS)]


GRADIENTS = unit_gradients()


def error(row):
    """The largest difference from where the framework went, of the longest way."""
    optimizer, weights, state = Component(row["type"], row["config"]), dict(START), {}
    for count, found in enumerate(GRADIENTS):
        stepped = step(optimizer, weights, {name: row["scale"] * g for name, g in found.items()}, state, count=count)
        weights, state = stepped.weights, stepped.state
    end = {name: np.reshape(row["end"][name], shape) for name, shape in SHAPES.items()}
    way = max(np.abs(end[name] - START[name]).max() for name in START)
    return max(np.abs(weights[name] - end[name]).max() for name in START) / way


def misses(rows):
    """The rows that are missed by more than their bound, or by 1e-6 where a framework is not of one mind about 0.96."""
    return [row for row in rows if not error(row) <= (1e-6 if row["type"] == "Nadam" else row["bound"])]


def test_every_optimizer_is_frozen_at_both_scales():
    assert {(row["type"], row["scale"]) for row in ROWS} == {(name, scale) for name in TYPES["optimizers"] for scale in (1.0, 1e-5)}
    assert {row["framework"].split()[0] for row in ROWS} == {"keras", "tf_keras", "torch", "optax"}


def test_every_frozen_trajectory_is_met():
    assert [(row["framework"], row["type"], row["config"], error(row)) for row in misses(ROWS)] == []


BROKEN = {
    "SGD forgets the rate of a velocity": ("u.slots[\"momentum\"] - u.rate * damped", "u.slots[\"momentum\"] - damped", lambda r: r["type"] == "SGD" and r["config"].get("momentum") and r["config"].get("momentum_scaling") != "buffer"),
    "SGD damps the first gradient": ("if u.count > 1 else g", "if u.count > 0 else g", lambda r: r["config"].get("dampening")),
    "RMSprop moves epsilon out of the root": ('if config["epsilon_mode"] == "inside" else np.sqrt(squares) + epsilon', 'if config["epsilon_mode"] == "never" else np.sqrt(squares) + epsilon', lambda r: r["type"] == "RMSprop" and r["config"].get("epsilon_mode") != "outside"),
    "Adam moves epsilon behind the correction": ('config["epsilon_mode"] == "hat"', 'config["epsilon_mode"] == "never"', lambda r: r["type"] in ("Adam", "AdamW") and r["config"].get("epsilon_mode") != "plain"),
    "Adam keeps the largest of the other v": ('corrected = config["amsgrad_on"] == "corrected"', 'corrected = config["amsgrad_on"] != "corrected"', lambda r: r["config"].get("amsgrad")),
    "Adamax takes epsilon out of the maximum": ('inside = config["epsilon_mode"] == "inside"', "inside = False", lambda r: r["type"] == "Adamax" and r["config"].get("epsilon_mode") == "inside"),
    "Nadam swaps its momenta": ("now, following, product = momentum_of(config, u.count), momentum_of(config, u.count + 1),", "following, now, product = momentum_of(config, u.count), momentum_of(config, u.count + 1),", lambda r: r["type"] == "Nadam"),
    "Adadelta forgets an epsilon": ('u.slots["accumulated_delta_var"] + epsilon', 'u.slots["accumulated_delta_var"]', lambda r: r["type"] == "Adadelta"),
    "Lion swaps its betas": ('np.sign(_average(m, g, config["beta_1"]))', 'np.sign(_average(m, g, config["beta_2"]))', lambda r: r["type"] == "Lion"),
    "Lamb trusts every step": ("if of_weight > 0 and of_step > 0 else 1.0", "if of_weight < 0 else 1.0", lambda r: r["type"] == "Lamb"),
    "Ftrl halves its penalty": ("+ 2.0 * l2", "+ l2", lambda r: r["type"] == "Ftrl" and r["config"].get("beta")),
    "Adafactor counts from 2": ('1.0 - float(count) ** config["beta_2_decay"]', '1.0 - float(count + 1) ** config["beta_2_decay"]', lambda r: r["type"] == "Adafactor"),
    "Adagrad moves epsilon": ('if u.config["epsilon_mode"] == "inside"', 'if u.config["epsilon_mode"] == "outside"', lambda r: r["type"] == "Adagrad"),
}  # fmt: skip

@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_formula_fails_its_own_rows_and_no_others(what, monkeypatch):
    right, wrong, affected = BROKEN[what]
    source = inspect.getsource(optimizers)
    assert source.count(right) == 1, right
    before = dict(TYPES["optimizers"])
    try:
        module = types.ModuleType("triptych_broken")
        monkeypatch.setitem(sys.modules, "triptych_broken", module)
        exec(compile(source.replace(right, wrong), "broken", "exec"), vars(module))
        with np.errstate(all="ignore"):
            missed = misses(ROWS)
    finally:
        TYPES["optimizers"].clear()
        TYPES["optimizers"].update(before)
    assert missed
    assert [(row["framework"], row["type"]) for row in missed if not affected(row)] == []
    kinds = {(row["framework"], json.dumps(row["config"])) for row in ROWS if affected(row)}
    assert {(row["framework"], json.dumps(row["config"])) for row in missed} == kinds
