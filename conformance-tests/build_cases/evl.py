"""Cases of chapter 28: what layers yield, and where optimizers lead. The numbers were computed by the frameworks themselves, see ``freeze/``."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable
from pathlib import Path

import _by_hand
import _schedules
import _steps
import kit
from kit import Case

FREEZE = Path(__file__).resolve().parents[1] / "freeze"
DATA, UPDATES = FREEZE / "data", FREEZE / "updates.json"


def stored(tensors: kit.Json) -> dict[str, kit.TensorSpec]:
    """Tensors from their spelling in bits."""
    return {name: (one["dtype"], one["shape"], b"".join(bytes.fromhex(word)[::-1] for word in one["bits"])) for name, one in tensors.items()}


def evaluation(row: kit.Json) -> Case:
    """One frozen row as a case: a package, inputs, and what the framework made of them."""
    assets = {name: text.encode() for name, text in row.get("assets", {}).items()}
    model = kit.package(row["architecture"], stored(row["tensors"]) if row["tensors"] else None, assets=assets)
    files = {f"model/{name}": data for name, data in model.items()} | {"inputs.safetensors": kit.safetensors(stored(row["inputs"]))}
    return Case(f"{row['requirements'][0].lower()}-{row['slug']}", row["title"], row["requirements"], files, op="evaluate", role="evaluator", profile="evaluate",
                accepted={"outputs": row["outputs"]}, tolerance=row["tolerance"])


def update(frozen: kit.Json, row: kit.Json) -> Case:
    """One frozen trajectory as a case: weights, an optimizer and gradients, and the weights that the framework ended with."""
    shapes = {name: frozen["shapes"][name] for name in row["end"]}
    training = {"format_version": "1.0", "optimizer": {"type": row["type"], "config": row["config"]}}
    model = kit.package(tensors={name: kit.f64(shape, *frozen["start"][name]) for name, shape in shapes.items()}, training=training)
    gradients = {name: kit.f64([frozen["steps"], *shape], *(row["scale"] * one for one in frozen["gradients"][name])) for name, shape in shapes.items()}
    files = {f"model/{name}": data for name, data in model.items()} | {"gradients.safetensors": kit.safetensors(gradients)}
    ended = {name: kit.observe_tensor(*kit.f64(shape, *row["end"][name])) for name, shape in shapes.items()}
    return Case(f"{row['requirements'][0].lower()}-{row['slug']}", row["title"], row["requirements"], files, op="update", role="evaluator", profile="evaluate",
                accepted={"tensors": ended}, tolerance=row["tolerance"])


def constrained() -> Case:
    """SGD with rate 1 leads to [[3, 0], [4, 1]], whose columns are then no longer than 1: by hand."""
    constraint = {"type": "MaxNorm", "config": {"max_value": 1.0, "axis": 0, "epsilon": 0.0}}
    layer = {"name": "dense", "type": "Dense", "config": {"units": 2, "use_bias": False, "kernel_constraint": constraint}, "weights": {"kernel": {"tensor": "w", "axes": [1, 0]}}}
    architecture = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 2]}], "layers": [layer]}
    training = {"format_version": "1.0", "optimizer": {"type": "SGD", "config": {"learning_rate": 1.0}}}
    model = kit.package(architecture, {"w": kit.f64([2, 2], 2.0, 4.0, 0.0, 0.0)}, training)
    files = {f"model/{name}": data for name, data in model.items()} | {"gradients.safetensors": kit.safetensors({"w": kit.f64([1, 2, 2], -1.0, 0.0, 0.0, -1.0)})}
    return Case("evl-007-constraint-of-a-transposed-kernel", "A constraint takes the axes of a kernel in canonical order", ["EVL-007", "TRN-016"], files, op="update", role="evaluator",
                profile="evaluate", accepted={"tensors": {"w": kit.observe_tensor(*kit.f64([2, 2], 0.6, 0.8, 0.0, 1.0))}}, tolerance={"relative": 1e-12})


def whole_numbers() -> Iterable[Case]:
    """What activations make of integers, by hand: floating-point numbers, some of which are whole."""
    for slug, title, type_, config, values, expected in (
        ("hard-shrink-of-integers", "A hard shrink of integers yields floating-point numbers", "HardShrink", {"threshold": 1.0}, [0, 1, 2, -3], [0.0, 0.0, 2.0, -3.0]),
        ("thresholded-integers", "A threshold of integers yields floating-point numbers", "ThresholdedReLU", {"theta": 1.0}, [0, 1, 2, -3], [0.0, 0.0, 2.0, 0.0]),
        ("gelu-of-integers", "A GELU of integers yields floating-point numbers", "Activation", {"activation": "gelu"}, [0, 1, 2, -3],
         [x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in (0, 1, 2, -3)]),
    ):
        architecture = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 4], "dtype": "int32"}], "layers": [{"name": "layer", "type": type_, "config": config}]}
        files = {f"model/{name}": data for name, data in kit.package(architecture).items()} | {"inputs.safetensors": kit.safetensors({"x": ("int32", [1, 4], struct.pack("<4i", *values))})}
        yield Case(f"evl-008-{slug}", title, ["EVL-008", "EVL-001"], files, op="evaluate", role="evaluator", profile="evaluate",
                   accepted={"outputs": {"layer": kit.observe_tensor(*kit.f32([1, 4], *expected))}}, tolerance={"relative": 1e-6})


def cases() -> Iterable[Case]:
    yield constrained()
    yield from whole_numbers()
    for path in sorted(DATA.glob("*.json")):
        frozen = json.loads(path.read_bytes())
        yield from map(evaluation, frozen["rows"])
    frozen = json.loads(UPDATES.read_bytes())
    for row in frozen["rows"]:
        yield update(frozen, row)
    yield from _schedules.cases()
    yield from _steps.cases()
    yield from _by_hand.cases()
