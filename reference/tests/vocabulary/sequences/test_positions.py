"""Positions are what torch programs in use make of them, which write the same formulas otherwise."""

import math

import numpy as np
import pytest
from sequence_judges import Case, error, record

from triptych.model import Architecture, Input, Layer
from triptych.vocabulary import infer

BASE = {"max_wavelength": 10000.0}
X = (2, 7, 3, 8)
"""Batch, positions, heads, features."""


@pytest.fixture(scope="module")
def torch():
    import torch

    return torch


def by_complex_numbers(torch, x, base, start=0):
    """Pairs of neighbours as complex numbers, each multiplied by one of length 1."""
    frequencies = 1.0 / base ** (torch.arange(0, x.shape[-1], 2).double() / x.shape[-1])
    turns = torch.polar(torch.ones(1).double(), torch.outer(torch.arange(start, start + x.shape[1]).double(), frequencies))
    pairs = torch.view_as_complex(x.double().reshape(*x.shape[:-1], -1, 2).contiguous())
    return torch.view_as_real(pairs * turns[None, :, None]).flatten(-2)


def by_halves(torch, x, base):
    """x × cos + (x turned round by half) × sin, as most programs have it."""
    frequencies = 1.0 / base ** (torch.arange(0, x.shape[-1], 2).double() / x.shape[-1])
    angles = torch.outer(torch.arange(x.shape[1]).double(), frequencies)
    cos, sin = (torch.cat([f(angles)] * 2, dim=-1)[None, :, None] for f in (torch.cos, torch.sin))
    turned = torch.cat([-x[..., x.shape[-1] // 2 :], x[..., : x.shape[-1] // 2]], dim=-1)
    return x * cos + turned * sin


def test_rotation_of_pairs_is_multiplication_of_complex_numbers(torch):
    for start in (0, 5):
        case = Case(Layer("layer", "RotaryEmbedding", {**BASE, "layout": "pairs"}), (X,), {"start_index": start})
        expected = by_complex_numbers(torch, torch.from_numpy(case.arrays()[0]), 10000.0, start).numpy()
        worst = error(case.ours().outputs[0], expected)
        record("RotaryEmbedding", "torch", "pairs", worst)
        assert worst <= 1e-6


def test_rotation_of_halves_is_the_usual_program(torch):
    case = Case(Layer("layer", "RotaryEmbedding", {"max_wavelength": 500.0, "layout": "halves"}), (X,))
    worst = error(case.ours().outputs[0], by_halves(torch, torch.from_numpy(case.arrays()[0]), 500.0).numpy())
    record("RotaryEmbedding", "torch", "halves", worst)
    assert worst <= 1e-6
    scaled = Case(Layer("layer", "RotaryEmbedding", {"max_wavelength": 500.0, "layout": "halves", "scaling_factor": 2.0}), (X,))
    assert error(scaled.ours().outputs[0][:, ::2], by_halves(torch, torch.from_numpy(case.arrays()[0][:, ::2].copy()), 500.0).numpy()) <= 1e-6


def test_only_the_first_features_are_turned_along_any_axis(torch):
    case = Case(Layer("layer", "RotaryEmbedding", {**BASE, "layout": "pairs", "rotary_dim": 4}), (X,))
    x = case.arrays()[0]
    got = case.ours().outputs[0]
    assert error(got[..., :4], by_complex_numbers(torch, torch.from_numpy(x[..., :4].copy()), 10000.0).numpy()) <= 1e-6
    assert np.array_equal(got[..., 4:], x[..., 4:])
    moved = Case(Layer("layer", "RotaryEmbedding", {**BASE, "layout": "pairs", "sequence_axis": 2}), (X,))
    swapped = by_complex_numbers(torch, torch.from_numpy(x.swapaxes(1, 2).copy()), 10000.0).numpy().swapaxes(1, 2)
    assert error(moved.ours().outputs[0], swapped) <= 1e-6


def test_sines_of_positions_are_the_usual_program(torch):
    """The program of torch's tutorial; in halves, its columns in another order."""
    steps, features = 7, 8
    position, table = torch.arange(steps).unsqueeze(1).double(), torch.zeros(steps, features).double()
    factor = torch.exp(torch.arange(0, features, 2).double() * (-math.log(10000.0) / features))
    table[:, 0::2], table[:, 1::2] = torch.sin(position * factor), torch.cos(position * factor)
    for layout, expected in (("pairs", table), ("halves", torch.cat([table[:, 0::2], table[:, 1::2]], dim=1))):
        case = Case(Layer("layer", "SinePositionEncoding", {**BASE, "layout": layout}), ((2, steps, features),))
        worst = error(case.ours().outputs[0], np.broadcast_to(expected.numpy(), (2, steps, features)))
        record("SinePositionEncoding", "torch", layout, worst)
        assert worst <= 1e-6
    later = Case(Layer("layer", "SinePositionEncoding", {**BASE, "layout": "pairs"}), ((2, 3, features),), {"start_index": 4})
    assert error(later.ours().outputs[0][0], table.numpy()[4:]) <= 1e-6


def test_a_row_for_each_position():
    case = Case(Layer("layer", "PositionEmbedding", {"sequence_length": 9}), ((2, 5, 3),), {"start_index": 4})
    assert np.array_equal(case.ours().outputs[0][1], case.weights()["layer.embeddings"][4:])


@pytest.mark.parametrize(
    ("name", "config", "shape"),
    [
        ("RotaryEmbedding", {**BASE, "layout": "pairs"}, (None, 4, 5)),
        ("RotaryEmbedding", {**BASE, "layout": "pairs", "rotary_dim": 8}, (None, 4, 6)),
        ("RotaryEmbedding", {**BASE, "layout": "pairs", "sequence_axis": 3}, (None, 4, 6)),
        ("SinePositionEncoding", {**BASE, "layout": "pairs"}, (None, 4, 5)),
        ("PositionEmbedding", {"sequence_length": 3}, (None, 4, 5)),
        ("GLU", {}, (None, 5)),
        ("GLU", {"axis": 2}, (None, 4)),
    ],
)
def test_what_does_not_fit(name, config, shape):
    (problem,) = infer(Architecture((Layer("layer", name, config),), (Input("x", shape),))).problems
    assert problem.requirement == "LYR-007"
