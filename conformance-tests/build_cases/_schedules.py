"""Cases of what is around an optimizer's formula: rates that change, and constraints. Frozen by ``freeze/make_schedules.py`` and ``make_constraints.py``, or by hand.

Gradient descent from zeros, each step with a gradient of 1 for one element and 0 for the others: every element ends as minus the rate of its step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import kit
from kit import Case

FREEZE = Path(__file__).resolve().parents[1] / "freeze"
FINE = {"relative": 1e-12}
Json = kit.Json


def updated(slug: str, title: str, model: kit.Files, gradients: dict[str, kit.TensorSpec], ended: dict[str, kit.TensorSpec], **more: Json) -> Case:
    """A case of an update: what the weights of a package are after the gradients."""
    files = {f"model/{name}": data for name, data in model.items()} | {"gradients.safetensors": kit.safetensors(gradients)}
    return Case(f"evl-007-{slug}", title, ["EVL-007", "TRN-016"], files, op="update", role="evaluator", profile="evaluate",
                accepted={"tensors": {name: kit.observe_tensor(*one) for name, one in ended.items()}}, **{"tolerance": FINE, **more})


def rated(slug: str, title: str, schedule: Json, rates: Sequence[float], *, progress: Json = None, state: Json = None, values: Sequence[float] = ()) -> Case:
    """A case of the rates of consecutive steps, from `progress` on; `values` end an epoch each."""
    count = len(rates)
    training = {"format_version": "1.0", "optimizer": {"type": "SGD", "config": {"learning_rate": schedule}}, **({"progress": progress} if progress else {})}
    model = kit.package(tensors={"w": kit.f64([count], *[0.0] * count)}, training=training, state=state)
    one_by_one = [float(row == column) for row in range(count) for column in range(count)]
    return updated(f"schedule-{slug}", title, model, {"w": kit.f64([count, count], *one_by_one)}, {"w": kit.f64([count], *(-rate for rate in rates))},
                   options={"values": list(values)} if values else {})


def slug_of(*words: str) -> str:
    return "-".join(words).lower().replace(",", "").replace(" ", "-")


def schedules() -> Iterable[Case]:
    frozen = json.loads((FREEZE / "schedules.json").read_bytes())
    for row in frozen["rows"]:
        type_ = row["schedule"]["type"]
        yield rated(slug_of(type_, row["framework"], row["words"]), f"{type_} as {row['framework']} counts: {row['words']}", row["schedule"], row["rates"], values=row.get("values", ()))


def stairs(**more: Json) -> Json:
    return {"type": "StepDecay", "config": {"initial_learning_rate": 0.5, "step_size": 2, "factor": 0.5, **more}}


PLATEAU: Json = {"initial_learning_rate": 0.5, "factor": 0.5, "patience": 0, "threshold": 0.125, "threshold_mode": "relative"}


def by_hand() -> Iterable[Case]:
    """Where no framework goes: epochs, counts behind the end, a state that is read."""
    yield rated("by-epoch", "A schedule counts epochs, whatever the step", stairs(unit="epoch"), [0.125, 0.125], progress={"step": 100, "epoch": 5})  # 0.5 × 0.5^(5 // 2)
    yield rated("from-a-step", "A schedule goes on from the step that was reached", stairs(), [0.25, 0.125, 0.125], progress={"step": 3, "epoch": 9})  # 3 // 2, 4 // 2, 5 // 2
    yield rated("epochs-that-end", "Each step ends an epoch, and a schedule counts them", stairs(unit="epoch"), [0.5, 0.25, 0.25, 0.125], progress={"step": 7, "epoch": 1}, values=[1.0, 1.0, 1.0, 1.0])
    yield rated("rise-of-no-steps", "A rise of no steps is none", {"type": "LinearWarmup", "config": {"initial_learning_rate": 0.125, "warmup_steps": 0, "after": stairs()}}, [0.5, 0.5, 0.25])
    rise = {"type": "LinearWarmup", "config": {"initial_learning_rate": 0.0, "warmup_steps": 2, "unit": "epoch", "after": stairs(unit="epoch", step_size=1)}}
    yield rated("rise-by-epoch", "A rise counts epochs, and what follows it too", rise, [0.0, 0.25, 0.5, 0.25, 0.125], progress={"step": 40}, values=[1.0] * 5)
    cycle = {"max_learning_rate": 0.5, "total_steps": 5, "rise": 0.6, "anneal": "linear", "divisor": 4.0, "final_divisor": 2.0}
    # from 1/8 at 0 to 1/2 at 0.6 × 5 - 1 = 2, to 1/16 at 4, and no further
    yield rated("cycle-that-is-over", "Behind its last step a cycle keeps the lowest rate", {"type": "OneCycle", "config": cycle}, [0.125, 0.3125, 0.5, 0.28125, 0.0625, 0.0625, 0.0625])
    # a rise that takes all five steps, to 1/2 at 4; the fall has no room, and the rate is the last one all the same
    yield rated("cycle-without-a-fall", "Behind its last step a cycle that only rises is at the lowest rate", {"type": "OneCycle", "config": {**cycle, "rise": 1.0}},
                [0.125, 0.21875, 0.3125, 0.40625, 0.5, 0.0625, 0.0625])
    state = {name: (dtype, [], data) for name, dtype, data in (
        ("schedule.rate", "float64", kit.f64([], 0.25)[2]), ("schedule.best", "float64", kit.f64([], 0.5)[2]),
        ("schedule.waited", "int64", (1).to_bytes(8, "little")), ("schedule.cooling", "int64", (1).to_bytes(8, "little")))}
    held = {"type": "ReduceOnPlateau", "config": {**PLATEAU, "patience": 1}}
    yield rated("plateau-that-is-held", "A training state says how far a plateau got", held, [0.25, 0.25], progress={"step": 9}, state=state)
    # 0.5 is no better than 0.5: it cools down; then 1 and 2 epochs are waited: the rate falls; 0.4375 is no better than 0.5 - 0.0625, 0.25 is
    yield rated("plateau-goes-on", "A plateau goes on from where its state got", held, [0.25, 0.25, 0.25, 0.125, 0.125, 0.125], progress={"step": 9}, state=state, values=[0.5, 0.5, 0.5, 0.4375, 0.25, 0.25])
    # best 1: 0.875 is not below 1 - 0.125, 0.8125 is; 0.75 is not below 0.8125 - 0.1015625
    yield rated("plateau-just-missed", "A value at the threshold is no improvement", {"type": "ReduceOnPlateau", "config": PLATEAU}, [0.5, 0.5, 0.25, 0.25, 0.125], values=[1.0, 0.875, 0.8125, 0.75, 0.0])
    warm = {"type": "LinearWarmup", "config": {"initial_learning_rate": 0.0, "warmup_steps": 2, "after": {"type": "ReduceOnPlateau", "config": PLATEAU}}}
    # 0.0 comes during the rise, 1.0 as it ends; 0.5 is better, 1.0 is not: the rate falls; 0.5 is not better than 0.5: it falls again
    yield rated("plateau-behind-a-rise", "A plateau hears of no epoch that ends during the rise before it", warm, [0.0, 0.25, 0.5, 0.5, 0.25, 0.125], values=[0.0, 1.0, 0.5, 1.0, 0.5, 0.5])
    by_epoch = {"type": "LinearWarmup", "config": {**warm["config"], "unit": "epoch"}}
    kept = {name: state[name] for name in ("schedule.rate", "schedule.best")}
    # half of the way to 0.25; the epoch that ends is the second, and 0.5 is no better than 0.5
    yield rated("plateau-held-during-a-rise", "A rise leads to the rate that a training state holds", by_epoch, [0.125, 0.125, 0.125], progress={"step": 70, "epoch": 1}, state=kept, values=[0.5, 0.25, 0.0])
    # best -1: -1.0625 is not below -1 - 0.125, -1.25 is, -1.375 not below -1.25 - 0.15625
    yield rated("plateau-of-negative-values", "Of a negative value a threshold is a part of its magnitude", {"type": "ReduceOnPlateau", "config": PLATEAU}, [0.5, 0.5, 0.25, 0.25, 0.125], values=[-1.0, -1.0625, -1.25, -1.375, 0.0])


def constraint(slug: str, title: str, said: Json, row: Json) -> Case:
    kind = {"dense": ("Dense", {"units": 5}, [None, 2]), "conv": ("Conv2D", {"filters": 3, "kernel_size": [2, 2]}, [None, 4, 4, 2])}[row["layer"]]
    layer = {"name": "layer", "type": kind[0], "config": {**kind[1], "use_bias": False, "kernel_constraint": said}}
    architecture = {"format_version": "1.0", "inputs": [{"name": "x", "shape": kind[2]}], "layers": [layer]}
    training = {"format_version": "1.0", "optimizer": {"type": "SGD", "config": {"learning_rate": 1.0}}}
    name, shape = "layer.kernel", row["shape"]
    model = kit.package(architecture, {name: kit.f64(shape, *row["start"])}, training)
    return updated(slug, title, model, {name: kit.f64([1, *shape], *row["gradient"])}, {name: kit.f64(shape, *row["end"])})


def constraints() -> Iterable[Case]:
    frozen = json.loads((FREEZE / "constraints.json").read_bytes())
    for row in frozen["rows"]:
        said = {"type": row["type"], "config": row["config"]}
        yield constraint(slug_of("constraint", row["type"], "keras", row["words"]), f"{row['type']} as Keras projects: {row['words']}", said, row)


def cases() -> Iterable[Case]:
    for part in (schedules, by_hand, constraints):
        yield from part()
