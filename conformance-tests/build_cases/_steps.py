"""Cases of a few steps of optimizers, calculated by hand: where the frozen trajectories have an epsilon too small to show, or never go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import hypot, sqrt

import kit
from _schedules import updated
from kit import Case

Json = kit.Json
Numbers = Sequence[float]


def stepped(slug: str, title: str, type_: str, config: Json, weights: Mapping[str, tuple[Sequence[int], Numbers, Numbers, Numbers]], *, step: int = 0) -> Case:
    """A case from `weights`: name -> shape, elements, gradients of all steps, and elements afterwards."""
    progress = {"progress": {"step": step}} if step else {}
    training = {"format_version": "1.0", "optimizer": {"type": type_, "config": config}, **progress}
    model = kit.package(tensors={name: kit.f64(shape, *start) for name, (shape, start, _, _) in weights.items()}, training=training)
    gradients = {name: kit.f64([len(flow) // len(start), *shape], *flow) for name, (shape, start, flow, _) in weights.items()}
    return updated(slug, title, model, gradients, {name: kit.f64(shape, *end) for name, (shape, _, _, end) in weights.items()})


def adam() -> Iterable[Case]:
    """With g = 2: m = 0.5 × 2 = 1, v = 0.25 × 4 = 1, c1 = 0.5, c2 = 0.25."""
    for mode, corrected, root, direction in (
        ("hat", True, 3.0, 1.0 / (2.0 + 1.0)),  # sqrt(0.25) / 0.5 × 1 / (sqrt(1 + 3) + 1)
        ("plain", True, 5.0, 2.0 / (3.0 + 1.0)),  # (1 / 0.5) / (sqrt(1 / 0.25 + 5) + 1)
        ("hat", False, 3.0, 1.0 / (2.0 + 1.0)),  # 1 / (sqrt(1 + 3) + 1)
        ("plain", False, 8.0, 1.0 / (3.0 + 1.0)),  # 1 / (sqrt(1 + 8) + 1)
    ):
        config = {"learning_rate": 0.75, "beta_1": 0.5, "beta_2": 0.75, "epsilon": 1.0, "epsilon_mode": mode, "epsilon_root": root, "bias_correction": corrected}
        end = [1.0 - 0.75 * direction, 3.0 + 0.75 * direction]
        words = "corrected" if corrected else "not corrected"
        yield stepped(f"adam-{mode}-{words.replace(' ', '-')}-by-hand", f"Adam, epsilon {mode}, averages {words}: one step by hand", "Adam", config, {"w": ([2], [1.0, 3.0], [2.0, -2.0], end)})


def lamb() -> Iterable[Case]:
    """With g = 2: m / c1 = 2, v / c2 = 4, d = 2 / (sqrt(4 + 5) + 1) = 0.5; its norm is sqrt(0.5)."""
    config = {"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.75, "epsilon": 1.0, "epsilon_root": 5.0}
    along = 0.5 * 0.5 / sqrt(0.5)  # rate × d / norm(d)
    yield stepped("lamb-norms-of-nothing", "Lamb, weights and gradients that are 0: the ratio is 1", "Lamb", config, {
        "small": ([2], [0.3, 0.4], [2.0, 2.0], [0.3 - 0.5 * along, 0.4 - 0.5 * along]),
        "still": ([2], [3.0, 4.0], [0.0, 0.0], [3.0, 4.0]),
        "zero": ([2], [0.0, 0.0], [2.0, 2.0], [-0.25, -0.25]),
    })
    # decoupled: w = [3, 4] × (1 - 0.5 × 0.5) = [2.25, 3], of norm 3.75
    yield stepped("lamb-decoupled-decay", "Lamb, decoupled decay before the step", "Lamb", {**config, "weight_decay": 0.5}, {
        "w": ([2], [3.0, 4.0], [2.0, 2.0], [2.25 - 3.75 * along, 3.0 - 3.75 * along])})


def adafactor() -> Iterable[Case]:
    """The fourth update: b = 1 - 4^-0.5 = 0.5, and no rate above 1 / sqrt(4) = 0.5."""
    config = {"learning_rate": 2.0, "beta_2_decay": -0.5, "epsilon_1": 4.0, "epsilon_2": 0.5, "clip_threshold": 2.0}
    # x = [4, 16] + 4, v = x / 2 = [4, 10], d = [2, 4] / sqrt(v), of rms sqrt(1.3) < 2; s = rms([3, 4]) × 0.5
    size = sqrt(12.5) * 0.5
    # of one number: x = 16 + 4, v = 10, d = 4 / sqrt(10); of rank 0 as of rank 1
    alone = 4.0 / sqrt(10.0)
    yield stepped("adafactor-added-by-hand", "Adafactor, a large epsilon added, a step that needs no clipping", "Adafactor", config, {
        "alone": ([], [-2.0], [4.0], [-2.0 - 2.0 * 0.5 * alone]),
        "w": ([2], [3.0, 4.0], [2.0, 4.0], [3.0 - size, 4.0 - size * 4.0 / sqrt(10.0)]),
    }, step=3)
    # clamped, first update, b = 0: r = means of rows of x, c = means of columns; v = r × c / max(mean(r), 8)
    g = [[2.0, 1.0, 1.0], [4.0, 2.0, 0.0]]
    r = [sum(one * one for one in row) / 3 for row in g]  # 2 and 20 / 3: their mean is below 8
    c = [(one * one + two * two) / 2 for one, two in zip(*g, strict=True)]  # 10, 2.5 and 0.5
    d = [[one / sqrt(max(of_row * of_column / 8.0, 64.0)) for one, of_column in zip(row, c, strict=True)] for row, of_row in zip(g, r, strict=True)]
    clipped = max(1.0, sqrt(sum(one * one for row in d for one in row) / 6) / 0.125)
    end = [1.0 - min(0.25, 1.0) * one / clipped for row in d for one in row]
    yield stepped("adafactor-clamped-by-hand", "Adafactor, a large epsilon that divides at least, a step clipped", "Adafactor",
                  {**config, "learning_rate": 0.25, "epsilon_1": 8.0, "clip_threshold": 0.125, "epsilon_mode": "clamped", "relative_step": False},
                  {"w": ([2, 3], [1.0] * 6, [one for row in g for one in row], end)})


def others() -> Iterable[Case]:
    yield stepped("adagrad-outside-by-hand", "Adagrad, a large epsilon outside the root", "Adagrad", {
        "learning_rate": 0.5, "initial_accumulator_value": 0.0, "epsilon": 1.0, "epsilon_mode": "outside"}, {"w": ([2], [1.0, 1.0], [3.0, -1.0], [1.0 - 0.5 * 3 / 4, 1.0 + 0.5 * 1 / 2])})
    yield stepped("lion-sign-of-nothing", "Lion, an average of 0 has no sign", "Lion", {"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.75}, {"w": ([3], [1.0, 1.0, 1.0], [0.0, 2.0, -2.0], [1.0, 0.5, 1.5])})
    # norm([0.45, 0.6]) + 0.5 = 1.25
    yield stepped("sgd-norm-near-the-largest", "What is added to a norm makes it too large", "SGD", {"learning_rate": 1.0, "clipnorm": 1.0, "clip_epsilon": 0.5}, {
        "w": ([2], [0.0, 0.0], [0.45, 0.6], [-0.45 / 1.25, -0.6 / 1.25])})
    # a second clip, of what the first left: norms 1 and 1 together are sqrt(2)
    yield stepped("sgd-both-norms", "The norm of all gradients is that of the clipped ones", "SGD", {"learning_rate": 1.0, "clipnorm": 1.0, "global_clipnorm": 1.0}, {
        "a": ([2], [0.0, 0.0], [3.0, 4.0], [-0.6 / sqrt(2), -0.8 / sqrt(2)]), "b": ([1], [0.0], [2.0], [-1 / sqrt(2)])})
    halved = {"type": "StepDecay", "config": {"initial_learning_rate": 1.0, "step_size": 1, "factor": 0.5}}
    # velocity: m = -2, then 0.5 × -2 - 0.5 × 2 = -2; buffer: m = 2, then 0.5 × 2 + 2 = 3
    for scaling, end in (("velocity", -4.0), ("buffer", -2.0 - 0.5 * 3.0)):
        yield stepped(f"sgd-{scaling}-of-another-rate", f"SGD, a {scaling} when the rate falls", "SGD", {"learning_rate": halved, "momentum": 0.5, "momentum_scaling": scaling}, {"w": ([1], [0.0], [2.0, 2.0], [end])})
    # u = 0.5 × (1 - 0.5 × 0.96^0) = 0.25, whatever the count, and the product of three is 0.25³; m = 1, v = 1, c2 = 1 - 0.75³
    direction = 0.25 * 1.0 / (1 - 0.25**4) + 0.75 * 2.0 / (1 - 0.25**3)
    yield stepped("nadam-product-from-the-count", "Nadam, a product that the state does not hold", "Nadam", {"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.0, "momentum_decay": 0.0}, {
        "w": ([1], [1.0], [2.0], [1.0 - 0.5 * direction / sqrt(1.0 / (1 - 0.75**3))])}, step=2)
    decayed = [0.5 * (1 - 0.5 * 0.96**count) for count in range(1, 5)]  # momentum_decay 1: u of updates 1 to 4
    product = decayed[0] * decayed[1] * decayed[2]
    direction = decayed[3] * 1.0 / (1 - product * decayed[3]) + (1 - decayed[2]) * 2.0 / (1 - product)
    yield stepped("nadam-changing-product", "Nadam, a product of momenta that change with the count", "Nadam", {"learning_rate": 0.5, "beta_1": 0.5, "beta_2": 0.75, "epsilon": 0.0}, {
        "w": ([1], [1.0], [2.0], [1.0 - 0.5 * direction / sqrt(1.0 / (1 - 0.75**3))])}, step=2)


def held_back() -> Iterable[Case]:
    """While gradients are only gathered, no constraint acts: [3, 4] - [-4, 0] = [7, 4], whose norm becomes 1."""
    layer = {"name": "dense", "type": "Dense", "config": {"units": 1, "use_bias": False, "kernel_constraint": {"type": "MaxNorm", "config": {"max_value": 1.0, "epsilon": 0.0}}}}
    architecture = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 2]}], "layers": [layer]}
    training = {"format_version": "1.0", "optimizer": {"type": "SGD", "config": {"learning_rate": 1.0, "gradient_accumulation_steps": 2}}}
    model = kit.package(architecture, {"dense.kernel": kit.f64([2, 1], 3.0, 4.0)}, training)
    yield updated("constraint-after-gathering", "A constraint waits until gradients are gathered", model, {"dense.kernel": kit.f64([2, 2, 1], -4.0, 0.0, -4.0, 0.0)},
                  {"dense.kernel": kit.f64([2, 1], 7 / hypot(7, 4), 4 / hypot(7, 4))})


def cases() -> Iterable[Case]:
    for part in (adam, lamb, adafactor, others, held_back):
        yield from part()
