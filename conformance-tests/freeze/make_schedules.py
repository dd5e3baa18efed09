"""Writes ``schedules.json``: the rates of learning-rate schedules, as Keras and PyTorch count them, and where plateaus lead.

``python conformance-tests/freeze/make_schedules.py``. Keras computes in float64 where a rate is one of numpy, so that both frameworks are held to one tolerance; at the
begin of a period its logarithm may fall short of a whole number, so periods are PyTorch's where they double.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import torch

TARGET = Path(__file__).resolve().parent / "schedules.json"
Json = Any
KERAS: list[tuple[str, Json, int, str]] = [
    ("ExponentialDecay", {"initial_learning_rate": 0.8, "decay_steps": 4, "decay_rate": 0.3}, 10, "a factor every four steps"),
    ("ExponentialDecay", {"initial_learning_rate": 0.8, "decay_steps": 4, "decay_rate": 0.3, "staircase": True}, 10, "in stairs"),
    ("InverseTimeDecay", {"initial_learning_rate": 0.8, "decay_steps": 4, "decay_rate": 0.3}, 10, "one over the count"),
    ("InverseTimeDecay", {"initial_learning_rate": 0.8, "decay_steps": 4, "decay_rate": 0.3, "staircase": True}, 10, "in stairs"),
    ("PolynomialDecay", {"initial_learning_rate": 0.8, "decay_steps": 4, "end_learning_rate": 0.1, "power": 2.0}, 7, "a square"),
    ("PolynomialDecay", {"initial_learning_rate": 0.8, "decay_steps": 4, "end_learning_rate": 0.1, "power": 1.5, "cycle": True}, 14, "again and again"),
    ("PiecewiseConstantDecay", {"boundaries": [2, 5], "values": [0.8, 0.3, 0.1]}, 8, "on boundaries too"),
    ("CosineDecay", {"initial_learning_rate": 0.8, "decay_steps": 6, "alpha": 0.1}, 9, "down to a part"),
    ("CosineDecay", {"initial_learning_rate": 0.2, "decay_steps": 6, "alpha": 0.1, "warmup_target": 0.8, "warmup_steps": 3}, 12, "after a rise"),
    ("CosineDecay", {"initial_learning_rate": 0.2, "decay_steps": 6, "warmup_target": 0.8, "warmup_steps": 0}, 8, "after a rise of no steps"),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.8, "first_decay_steps": 4, "t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1}, 11, "each period lower"),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.8, "first_decay_steps": 3, "t_mul": 1.5, "m_mul": 0.5}, 12, "each period longer and lower"),
]
"""Type, config, how many rates, and a few words; the config is Keras' own."""


def cycle(anneal: str, *, rise: float = 0.3, total: int = 12, three: bool = False) -> tuple[Json, Callable[[Any, Any], Any]]:
    """A OneCycle as a config, and what makes PyTorch's."""
    config = {"max_learning_rate": 0.8, "total_steps": total, "rise": rise, "anneal": anneal, "divisor": 4.0, "final_divisor": 8.0, "three_phase": three}
    said = {"pct_start": rise, "anneal_strategy": "cos" if anneal == "cosine" else anneal, "div_factor": 4.0, "final_div_factor": 8.0, "three_phase": three}
    return config, lambda s, o: s.OneCycleLR(o, 0.8, total, **said)


def warmed(s: Any, o: Any) -> Any:
    """A rise of four steps and stairs, one after the other."""
    return s.SequentialLR(o, [s.LinearLR(o, 0.25, 1.0, 4), s.StepLR(o, 1, 0.3)], [4])


TORCH: list[tuple[str, Json, Callable[[Any, Any], Any], int, str]] = [
    ("Constant", {"learning_rate": 0.8}, lambda s, o: s.ConstantLR(o, 1.0, 3), 3, "always the same"),
    ("StepDecay", {"initial_learning_rate": 0.8, "step_size": 3, "factor": 0.3}, lambda s, o: s.StepLR(o, 3, 0.3), 8, "at every third step"),
    ("ExponentialDecay", {"initial_learning_rate": 0.8, "decay_steps": 1, "decay_rate": 0.3}, lambda s, o: s.ExponentialLR(o, 0.3), 5, "at every step"),
    ("PiecewiseConstantDecay", {"boundaries": [2, 5], "values": [0.8, 0.4, 0.2]}, lambda s, o: s.MultiStepLR(o, [3, 6], 0.5), 8, "milestones less one"),
    ("PolynomialDecay", {"initial_learning_rate": 0.8, "decay_steps": 4, "end_learning_rate": 0.0, "power": 2.0}, lambda s, o: s.PolynomialLR(o, 4, 2.0), 7, "down to nothing"),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.8, "first_decay_steps": 2, "alpha": 0.25}, lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 2, 0.2), 16, "each period twice as long"),
    ("LinearWarmup", {"initial_learning_rate": 0.2, "warmup_steps": 4, "after": 0.8}, lambda s, o: s.LinearLR(o, 0.25, 1.0, 4), 7, "a rise to a number"),
    ("LinearWarmup", {"initial_learning_rate": 0.2, "warmup_steps": 4, "after": {"type": "StepDecay", "config": {"initial_learning_rate": 0.8, "step_size": 1, "factor": 0.3}}},
     warmed, 10, "a rise to stairs"),
    *(("OneCycle", *cycle(anneal, three=three), 12, f"{anneal}, {'three' if three else 'two'} phases") for anneal in ("cosine", "linear") for three in (False, True)),
    ("OneCycle", *cycle("linear", rise=0.05, total=10), 10, "no rise"),
    ("OneCycle", *cycle("linear", rise=0.5, total=5, three=True), 5, "three phases, of which two fill it"),
    ("OneCycle", *cycle("cosine", rise=1.0, total=5), 5, "no fall"),
]
"""Type, config, what makes PyTorch's of its schedulers and an optimizer, how many rates, and a few words."""
VALUES = [4.0, 3.88, 3.84, 3.84, 3.6, 3.6, 3.8, 3.6, 3.44, 3.42, 3.424, 3.6, 3.6, 3.6, 3.6, 3.6, 0.8, 0.8, 0.8, 1.2]
"""Of epochs: some better by less than a threshold, some by just more."""
PLATEAUS: list[tuple[str, Json]] = [
    ("a part of the best, cooling down", {"threshold": 0.05, "threshold_mode": "relative", "patience": 1, "cooldown": 2}),
    ("by so much, at once", {"threshold": 0.14, "threshold_mode": "absolute", "patience": 0, "cooldown": 0}),
    ("no lower than a least rate", {"threshold": 0.0, "threshold_mode": "absolute", "patience": 1, "cooldown": 0, "min_learning_rate": 0.3}),
    ("no fall that is small", {"threshold": 0.0, "threshold_mode": "relative", "patience": 1, "cooldown": 1, "min_change": 0.2}),
    ("high is good", {"threshold": 0.05, "threshold_mode": "relative", "patience": 1, "cooldown": 1, "mode": "max"}),
    ("high is good, by so much", {"threshold": 0.2, "threshold_mode": "absolute", "patience": 2, "cooldown": 0, "mode": "max"}),
]
"""A few words, and what a config says beside the rate and the factor."""


def torch_optimizer(rate: float) -> Any:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], rate)


def torch_rates(make: Callable[[Any, Any], Any], config: Json, count: int) -> list[float]:
    """What PyTorch's scheduler sets before each of `count` steps."""
    after = config.get("after", config.get("learning_rate", 0.8))
    optimizer = torch_optimizer(after if isinstance(after, float) else 0.8)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    rates = []
    for index in range(count):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if index + 1 < count:
            scheduler.step()
    return rates


def torch_plateau(config: Json, values: list[float]) -> list[float]:
    """The rate before each epoch, the value of the epoch before it told."""
    optimizer = torch_optimizer(config["initial_learning_rate"])
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, config.get("mode", "min"), config["factor"], config["patience"], config["threshold"], config["threshold_mode"][:3], config["cooldown"],
        config.get("min_learning_rate", 0.0), config.get("min_change", 0.0))
    rates = []
    for value in values:
        rates.append(float(optimizer.param_groups[0]["lr"]))
        scheduler.step(value)
    return rates


def keras_plateau(config: Json, values: list[float]) -> list[float]:
    """The same from Keras' callback, whose patience is one more."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(config["initial_learning_rate"]), "mse")
    callback = keras.callbacks.ReduceLROnPlateau(
        "loss", config["factor"], config["patience"] + 1, mode=config.get("mode", "min"), min_delta=config["threshold"], cooldown=config["cooldown"], min_lr=config.get("min_learning_rate", 0.0))
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        rates.append(float(model.optimizer.learning_rate))
        callback.on_epoch_end(epoch, {"loss": value})
    return rates


def fine(value: Json) -> Json:
    """`value` with its numbers in float64, which TensorFlow keeps."""
    return [fine(one) for one in value] if isinstance(value, list) else np.float64(value) if isinstance(value, float) else value


def row(framework: str, type_: str, config: Json, rates: list[float], words: str, **more: Json) -> Json:
    return {"framework": framework, "words": words, "schedule": {"type": type_, "config": config}, "rates": rates, **more}


def rows() -> Iterator[Json]:
    for type_, config, count, words in KERAS:
        theirs = getattr(keras.optimizers.schedules, type_)(**{name: fine(value) for name, value in config.items()})
        yield row("keras", type_, config, [float(theirs(n)) for n in range(count)], words)
    for type_, config, make, count, words in TORCH:
        yield row("torch", type_, config, torch_rates(make, config, count), words)
    for words, said in PLATEAUS:
        config = {"initial_learning_rate": 0.8, "factor": 0.5, **said}
        values = [round(8 - one, 3) for one in VALUES] if said.get("mode") == "max" else VALUES
        yield row("torch", "ReduceOnPlateau", config, torch_plateau(config, values), words, values=values)
    keras.config.set_floatx("float64")
    for words, said in PLATEAUS[1:3]:
        config = {"initial_learning_rate": 0.8, "factor": 0.5, **said}
        yield row("keras", "ReduceOnPlateau", config, keras_plateau(config, VALUES), words, values=VALUES)


def text() -> str:
    """The content of ``schedules.json``."""
    versions = {"keras": keras.__version__, "tensorflow": __import__("tensorflow").__version__, "torch": torch.__version__}
    return f'{{"versions": {json.dumps(versions)},\n"rows": [\n' + ",\n".join(map(json.dumps, rows())) + "\n]}\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
