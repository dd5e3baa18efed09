"""Writes ``updates.json``: where optimizers led from fifty gradients, chosen from the trajectories frozen beside the reference's tests.

``python conformance-tests/freeze/make_updates.py``. Nothing is computed here but the gradients, which come from a seed: what the frameworks
said, and their versions, is in ``reference/tests/vocabulary/training/frozen_optimizers.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
FROZEN = HERE.parents[1] / "reference" / "tests" / "vocabulary" / "training" / "frozen_optimizers.json"
TARGET = HERE / "updates.json"
STEPS, SHAPES = 50, {"a": (3, 4), "b": (5,), "c": (2, 3, 4)}
PLAIN = {"learning_rate", "beta_1", "beta_2", "epsilon", "rho", "initial_accumulator_value", "beta_2_decay", "learning_rate_power"}
"""Members that every optimizer of a type is given; the others are named."""
SHORT = {"l1_regularization_strength": "l1", "l2_regularization_strength": "l2", "l2_shrinkage_regularization_strength": "shrinkage"}
IMPLIED = {"epsilon_mode", "decay_mode", "momentum_scaling", "ema_momentum", "ema_overwrite_frequency", "clip_threshold", "epsilon_1", "epsilon_2"}
"""Members that come with another one, or always; a title does without them."""
AROUND = {"decay", "weight_decay", "clipvalue", "clipnorm", "global_clipnorm", "use_ema", "loss_scale_factor", "gradient_accumulation_steps"}
"""Members of what is done before and after the formula."""
BOTH = {"Adagrad", "Lamb"}
"""Optimizers of which small gradients show the epsilon, and hide what they gather beneath it: they are given large ones, too."""
Json = Any


def single(config: Json) -> Json:
    """`config` with numbers of float32: two frameworks that differ by less are of one mind."""
    if isinstance(config, dict):
        return {name: single(value) for name, value in sorted(config.items())}
    return float(np.float32(config)) if isinstance(config, float) else config


def weights_of(row: Json) -> list[str]:
    """As few weights as show what the optimizer does: more where they or their elements act on each other."""
    if "global_clipnorm" in row["config"] or row["type"] == "Adafactor":
        return ["a", "b", "c"]
    return ["a", "b"] if "clipnorm" in row["config"] or row["type"] == "Lamb" else ["b"]


def chosen(rows: list[Json]) -> list[Json]:
    """One row for each optimizer and config: the small gradients where an epsilon matters, and of torch where the others round a constant."""
    found: dict[str, Json] = {}
    for row in sorted(rows, key=lambda row: (row["framework"] != "torch") if row["type"] == "Nadam" else False):
        if row["scale"] == (1e-5 if "epsilon" in row["config"] else 1.0) or (row["type"] in BOTH and row["scale"] == 1.0):
            found.setdefault(json.dumps([row["type"], single(row["config"]), row["scale"]]), row)
    return sorted(found.values(), key=lambda row: (row["type"], row["framework"], json.dumps(row["config"]), row["scale"]))


def described(row: Json) -> Json:
    """A row as the suite keeps it."""
    framework = row["framework"].split()[0]
    config = row["config"]
    named = [name for name in config if name not in PLAIN] + (["schedule"] if isinstance(config["learning_rate"], dict) else [])
    words = [SHORT.get(name, name) for name in named if name not in IMPLIED]
    told = [config[name] if isinstance(config.get(name), str) else SHORT.get(name, name) for name in named
            if name not in IMPLIED or isinstance(config[name], str)]
    large = ["large gradients"] if row["scale"] == 1.0 and "epsilon" in config else []
    slug = "-".join([row["type"].lower(), framework, *told, *large]).replace("_", "-").replace(" ", "-")
    title = f"{row['type']} steps as {framework} does" + (": " + ", ".join([*words, *large]) if words or large else "")
    requirements = ["EVL-007", *(["TRN-016"] if AROUND & set(config) else [])]
    tolerance = {1e-12: 1e-10, 1e-8: 1e-6}.get(row["bound"], 1e-5)
    return {"framework": framework, "type": row["type"], "config": config, "scale": row["scale"], "slug": slug, "title": title, "requirements": requirements,
            "tolerance": {"relative": tolerance}, "end": {name: row["end"][name] for name in weights_of(row)}}


def text() -> str:
    """The content of ``updates.json``."""
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
    start = {name: np.random.default_rng(7).standard_normal(shape) for name, shape in SHAPES.items()}
    generator = np.random.default_rng(11)
    steps = [{name: generator.standard_normal(shape) + 0.3 for name, shape in SHAPES.items()} for _ in range(STEPS)]
    gradients = {name: np.stack([one[name] for one in steps]).reshape(-1).tolist() for name in SHAPES}
    head = {"versions": frozen["versions"], "steps": STEPS, "shapes": SHAPES, "start": {name: value.reshape(-1).tolist() for name, value in start.items()}, "gradients": gradients}
    rows = ",\n".join(json.dumps(described(row)) for row in chosen(frozen["rows"]))
    return ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()).join(("{", f',\n"rows": [\n{rows}\n]}}\n'))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
