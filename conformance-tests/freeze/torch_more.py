"""Rows of PyTorch: padding modes, adaptive pooling, resizing, shrinking activations, two recurrent biases, positions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere
from common import EXACT, LOOSE, Row, document, layer, numbers
from rows_torch import FIRST, cell, fill, function, module, tensor
from torch import nn

Json = Any


def activation() -> Iterator[Row]:
    wide = np.asarray([[-8.0, -3.0, -0.5, -0.25], [0.0, 0.5, 2.75, 25.0]], "float32")
    for type_, one, config in (
        ("GLU", nn.GLU(), {}), ("CELU", nn.CELU(0.5), {"alpha": 0.5}), ("HardTanh", nn.Hardtanh(-2.0, 1.5), {"min_value": -2.0, "max_value": 1.5}),
        ("HardShrink", nn.Hardshrink(0.5), {"threshold": 0.5}), ("SoftShrink", nn.Softshrink(0.5), {"threshold": 0.5}),
        ("Threshold", nn.Threshold(0.5, -1.0), {"threshold": 0.5, "value": -1.0}), ("Softplus", nn.Softplus(2.0, 20.0), {"beta": 2.0, "threshold": 20.0}),
    ):
        yield module(f"{type_.lower()}-torch", f"{type_} of PyTorch", type_, config, wide, one, f"torch.nn.{one}")
    yield module("glu-axis-one-torch", "GLU along axis 1", "GLU", {"axis": 1}, numbers("glu", (1, 4, 2)), nn.GLU(1), "torch.nn.GLU(1)")


def shaping() -> Iterator[Row]:
    moved = {"tolerance": EXACT}
    for rank, shape, pads in ((1, (1, 2, 4), (1, 2)), (2, (1, 1, 3, 3), (2, 0, 1, 2)), (3, (1, 1, 2, 2, 3), (1, 2, 0, 1, 1, 0))):
        x = numbers(f"padding modes {rank}", shape)
        ends = [list(pads[2 * i : 2 * i + 2]) for i in reversed(range(rank))]
        for mode, torch_mode, options in (("constant", "constant", {"value": 2.5}), ("edge", "replicate", {}), ("reflect", "reflect", {}), ("circular", "circular", {})):
            yield function(f"padding{rank}d-{mode}-torch", f"Padding over {rank} axes, {mode}", f"Padding{rank}D", {"padding": ends, "mode": mode, **options, **FIRST}, x,
                           lambda x, mode=torch_mode, pads=pads, options=options: F.pad(x, pads, mode=mode, **options), f"torch.nn.functional.pad(x, {pads}, {torch_mode!r})", **moved)
        sizes = [2, 3, 2][:rank]
        for what, name, tolerance in (("Max", "Max", EXACT), ("Average", "Avg", LOOSE)):
            pool = getattr(nn, f"Adaptive{name}Pool{rank}d")(tuple(sizes))
            yield module(f"adaptive{what.lower()}pooling{rank}d-torch", f"Adaptive{name}Pool{rank}d", f"Adaptive{what}Pooling{rank}D", {"output_size": sizes, **FIRST},
                         numbers(f"adaptive {rank}", (1, 2, *[5, 4, 3][:rank])), pool, f"torch.nn.{pool}", tolerance=tolerance)
    x = numbers("pixels", (1, 4, 2, 1))
    yield module("pixelshuffle-torch", "Channels become a finer image", "PixelShuffle", {"block_size": 2, "order": "depth_first", **FIRST}, x, nn.PixelShuffle(2), "torch.nn.PixelShuffle(2)", **moved)
    x = numbers("finer", (1, 2, 2, 4))
    yield module("pixelunshuffle-torch", "A finer image becomes channels", "PixelUnshuffle", {"block_size": 2, "order": "depth_first", **FIRST}, x, nn.PixelUnshuffle(2),
                 "torch.nn.PixelUnshuffle(2)", **moved)


def resizing() -> Iterator[Row]:
    image = numbers("resized torch", (1, 1, 3, 3))
    cubic = {"interpolation": "bicubic", "cubic_coefficient": -0.75, "exclude_outside": False}
    for slug, mode, corners, config in (
        ("bicubic", "bicubic", False, cubic), ("bilinear-align-corners", "bilinear", True, {"interpolation": "bilinear", "align_corners": True}),
        ("bicubic-align-corners", "bicubic", True, {**cubic, "align_corners": True}),
    ):
        yield module(f"upsampling2d-{slug}-torch", f"Upsample, {slug.replace('-', ' ')}", "UpSampling2D", {"size": [2, 2], **config, **FIRST}, image,
                     nn.Upsample(scale_factor=2, mode=mode, align_corners=corners), f"torch.nn.Upsample(scale_factor=2, mode={mode!r}, align_corners={corners})")
    line = numbers("resized line", (1, 4, 1))
    for corners in (False, True):
        yield function(f"upsampling1d-linear{'-align-corners' * corners}-torch", "Upsample of a sequence, linear" + ", corners aligned" * corners, "UpSampling1D",
                       {"size": [2], "interpolation": "linear", "align_corners": corners}, line,
                       lambda x, corners=corners: F.interpolate(x.permute(0, 2, 1), scale_factor=2, mode="linear", align_corners=corners).permute(0, 2, 1).contiguous(),
                       f"torch.nn.functional.interpolate(…, mode='linear', align_corners={corners})")
    volume = numbers("resized volume", (1, 1, 2, 2, 2))
    yield function("upsampling3d-trilinear-torch", "Upsample of a volume, trilinear", "UpSampling3D", {"size": [2, 1, 2], "interpolation": "trilinear", **FIRST}, volume,
                   lambda x: F.interpolate(x, scale_factor=(2, 1, 2), mode="trilinear"), "torch.nn.functional.interpolate(x, scale_factor=(2, 1, 2), mode='trilinear')")
    for slug, mode, said in (("nearest-floor", "nearest", "nearest_floor"), ("nearest", "nearest-exact", "nearest")):
        yield function(f"resizing-{slug}-torch", f"interpolate to a size, {mode}", "Resizing", {"height": 5, "width": 4, "interpolation": said, **FIRST}, image,
                       lambda x, mode=mode: F.interpolate(x, size=(5, 4), mode=mode), f"torch.nn.functional.interpolate(x, size=(5, 4), mode={mode!r})", tolerance=EXACT)


def normalization() -> Iterator[Row]:
    image = numbers("instances", (2, 3, 2, 2))
    affine = {"gamma": ("weight", None), "beta": ("bias", None)}
    yield module("instancenormalization-torch", "InstanceNorm2d", "InstanceNormalization", {"axis": 1, "epsilon": 1e-5}, image, nn.InstanceNorm2d(3, affine=True),
                 "torch.nn.InstanceNorm2d(3, affine=True)", affine)
    yield module("instancenormalization-plain-torch", "InstanceNorm2d as PyTorch has it by default", "InstanceNormalization",
                 {"axis": 1, "epsilon": 1e-5, "center": False, "scale": False}, image, nn.InstanceNorm2d(3), "torch.nn.InstanceNorm2d(3)")
    moving = {**affine, "moving_mean": ("running_mean", None), "moving_variance": ("running_var", None)}
    yield module("instancenormalization-tracking-torch", "InstanceNorm2d with moving statistics", "InstanceNormalization", {"axis": 1, "epsilon": 1e-5, "track_statistics": True}, image,
                 nn.InstanceNorm2d(3, affine=True, track_running_stats=True), "torch.nn.InstanceNorm2d(3, affine=True, track_running_stats=True).eval()", moving)
    channels = numbers("neighbours", (1, 5, 2, 2))
    yield module("localresponsenormalization-torch", "LocalResponseNorm", "LocalResponseNormalization", {"axis": 1, "size": 3, "alpha": 0.5, "beta": 0.75, "bias": 1.0, "divide_by_size": True},
                 channels, nn.LocalResponseNorm(3, 0.5, 0.75, 1.0), "torch.nn.LocalResponseNorm(3, 0.5, 0.75, 1.0)")


def recurrent() -> Iterator[Row]:
    steps = numbers("two biases", (2, 3, 2))
    gated = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid"}
    for type_, one, base, order in (("SimpleRNN", nn.RNN(2, 2, batch_first=True, nonlinearity="relu"), {"units": 2, "activation": "relu"}, [0]), ("LSTM", nn.LSTM(2, 2, batch_first=True), gated, [0, 1, 2, 3])):
        kernel, recurrent_kernel, *biases = cell(fill(one, f"{type_} two biases"), "_l0", order)
        weights = {"layer.kernel": kernel, "layer.recurrent_kernel": recurrent_kernel, "layer.bias": np.stack(biases)}
        yield Row(f"{type_.lower()}-two-biases-torch", f"{type_} of PyTorch with both its biases", document([layer(type_, {**base, "return_sequences": True, "recurrent_bias": True})], {"x": steps}),
                  weights, {"x": steps}, lambda one=one: [one(tensor(steps))[0].detach().numpy()], f"torch.nn.{one}")


def angles(steps: int, features: int, longest: float) -> torch.Tensor:
    """Position times frequency, (steps, features / 2)."""
    return torch.outer(torch.arange(steps, dtype=torch.float64), longest ** (-torch.arange(0, features, 2, dtype=torch.float64) / features))


def positions() -> Iterator[Row]:
    x = numbers("turned", (1, 3, 4))
    turn = torch.polar(torch.ones(3, 2, dtype=torch.float64), angles(3, 4, 100.0))

    def pairs(x: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real(torch.view_as_complex(x.double().reshape(1, 3, 2, 2)) * turn).reshape(1, 3, 4).float()

    def halves(x: torch.Tensor) -> torch.Tensor:
        turned = torch.complex(x[..., :2].double(), x[..., 2:].double()) * turn
        return torch.cat([turned.real, turned.imag], -1).float()

    for layout, compute in (("pairs", pairs), ("halves", halves)):
        yield function(f"rotaryembedding-{layout}-torch", f"Rotation by complex multiplication, {layout}", "RotaryEmbedding", {"max_wavelength": 100.0, "layout": layout}, x, compute,
                       f"torch.view_as_complex and torch.polar, {layout}")
        grid = angles(3, 4, 100.0)
        waves = torch.stack([grid.sin(), grid.cos()], -1 if layout == "pairs" else -2).reshape(1, 3, 4).float()
        yield function(f"sinepositionencoding-{layout}-torch", f"Sines and cosines of positions, {layout}", "SinePositionEncoding", {"max_wavelength": 100.0, "layout": layout}, x,
                       lambda x, waves=waves: waves.expand(x.shape).contiguous(), f"torch.sin and torch.cos, {layout}")
    table = numbers("learned positions", (5, 4))
    yield Row("positionembedding-torch", "A learned row for each position", document([layer("PositionEmbedding", {"sequence_length": 5})], {"x": x}), {"layer.embeddings": table}, {"x": x},
              lambda: [F.embedding(torch.arange(3)[None], tensor(table)).numpy()], "torch.nn.functional.embedding(torch.arange(3), embeddings)", tolerance=EXACT)


def rows() -> Iterator[Row]:
    """All of them."""
    for part in (activation, shaping, resizing, normalization, recurrent, positions):
        yield from part()
