"""Every layer type computes what PyTorch computes, over options that Keras does not have: explicit padding, ceil_mode, its own conventions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from triptych.model import Architecture, Input, Layer
from triptych.vocabulary import infer, weight_slots
from triptych.vocabulary.evaluator import evaluate

TOLERANCE = 1e-5
DOUBLE = 1e-12
"""For float64."""
FIRST = {"data_format": "channels_first"}
EXTENTS = {1: (11,), 2: (9, 12), 3: (6, 7, 8)}


def data(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def judge(errors, judging, name, config, x, module, weights=()):
    """Our result of a layer against a module's, whose parameters become the layer's weights by `weights`: role -> array."""
    architecture = Architecture((Layer("x", name, config),), (Input("in", (None, *x.shape[1:])),))
    inference = infer(architecture)
    assert inference.problems == ()
    slots = weight_slots(architecture, inference)
    stored = {f"x.{role}": array.detach().numpy().copy() for role, array in dict(weights).items()}
    assert {slot.tensor: slot.shape for slot in slots} == {tensor: array.shape for tensor, array in stored.items()}
    (found,) = evaluate(architecture, stored, [x]).outputs
    assert inference.outputs[0][1:] == found.shape[1:]
    with torch.no_grad():
        expected = (module.eval() if isinstance(module, nn.Module) else module)(torch.tensor(x)).numpy()
    error = judging.relative_error(found, expected)
    errors(name, "PyTorch", config, error)
    assert error <= TOLERANCE, (name, config, error)
    with torch.no_grad():
        expected = (module.eval().double() if isinstance(module, nn.Module) else module)(torch.tensor(x.astype("float64"))).numpy()
    (found,) = evaluate(architecture, stored, [x.astype("float64")], dtype="float64").outputs
    error = judging.relative_error(found, expected)
    assert found.dtype == np.float64
    errors(name, "PyTorch, float64", config, error)
    assert error <= DOUBLE, (name, config, error)


def filled(module, seed=0):
    """A module whose parameters and statistics are random."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator) + 0.5 if "var" in name else torch.randn(value.shape, generator=generator) * 0.3)
    return module


def affine(module):
    return {role: value for role, value in (("gamma", module.weight), ("beta", module.bias)) if value is not None}


def spatial(kernel, order):
    """A kernel of PyTorch, whose spatial axes come last, with them first and the other two in `order`."""
    return kernel.permute(*range(2, kernel.ndim), *order)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolutions(errors, judging, rank):
    """Explicit symmetric padding, strides, dilation and groups."""
    x = data(2, 4, *EXTENTS[rank])
    for stride, pad, dilation, groups, bias in ((1, 0, 1, 1, True), (2, 1, 1, 1, False), (1, 2, 2, 2, True), (3, 1, 1, 4, True), (2, 2, 2, 1, True)):
        module = filled(getattr(nn, f"Conv{rank}d")(4, 8, 3, stride, pad, dilation, groups, bias))
        config = {"filters": 8, "kernel_size": [3] * rank, "strides": [stride] * rank, "padding": [[pad, pad]] * rank, "dilation_rate": [dilation] * rank, "groups": groups, "use_bias": bias, **FIRST}
        weights = {"kernel": spatial(module.weight, (1, 0)), **({"bias": module.bias} if bias else {})}
        judge(errors, judging, f"Conv{rank}D", config, x, module, weights)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_transposed_convolutions(errors, judging, rank):
    """Padding that is taken off, output padding, dilation and groups."""
    x = data(2, 4, *EXTENTS[rank])
    for size, stride, pad, extra, dilation, groups in ((3, 1, 0, 0, 1, 1), (3, 2, 1, 1, 1, 1), (4, 3, 1, 2, 1, 2), (2, 3, 0, 0, 1, 1), (3, 2, 2, 0, 2, 4)):
        module = filled(getattr(nn, f"ConvTranspose{rank}d")(4, 8, size, stride, pad, extra, groups, True, dilation))
        config = {"filters": 8, "kernel_size": [size] * rank, "strides": [stride] * rank, "padding": [[pad, pad]] * rank, "output_padding": [extra] * rank, "dilation_rate": [dilation] * rank, "groups": groups, **FIRST}
        judge(errors, judging, f"Conv{rank}DTranspose", config, x, module, {"kernel": spatial(module.weight, (1, 0)), "bias": module.bias})


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pooling(errors, judging, rank):
    """Explicit padding, windows that hang over, and what a mean counts."""
    x = data(2, 3, *EXTENTS[rank])
    for size, stride, pad, ceil in itertools.product((2, 3), (1, 2, 3), (0, 1), (False, True)):
        config = {"pool_size": [size] * rank, "strides": [stride] * rank, "padding": [[pad, pad]] * rank, "ceil_mode": ceil, **FIRST}
        judge(errors, judging, f"MaxPooling{rank}D", config, x, getattr(nn, f"MaxPool{rank}d")(size, stride, pad, ceil_mode=ceil))
        if size == 3 and min(EXTENTS[rank]) > 6:
            judge(errors, judging, f"MaxPooling{rank}D", {**config, "dilation_rate": [2] * rank}, x, getattr(nn, f"MaxPool{rank}d")(size, stride, pad, 2, ceil_mode=ceil))
        for count in (False, True):
            module = getattr(nn, f"AvgPool{rank}d")(size, stride, pad, ceil_mode=ceil, count_include_pad=count)
            judge(errors, judging, f"AveragePooling{rank}D", {**config, "count_include_pad": count}, x, module)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_adaptive_pooling(errors, judging, rank):
    """Extents that divide the input's and others; larger ones; null."""
    x = data(2, 3, *EXTENTS[rank])
    for size in ((3, 4, 2), (5, 1, 8), (1, 1, 1), (7, 12, 9), (None, 3, None)):
        wanted = size[:rank]
        for what, torch_name in (("Max", "Max"), ("Average", "Avg")):
            module = getattr(nn, f"Adaptive{torch_name}Pool{rank}d")(tuple(e or n for e, n in zip(wanted, EXTENTS[rank], strict=True)))
            judge(errors, judging, f"Adaptive{what}Pooling{rank}D", {"output_size": list(wanted), **FIRST}, x, module)


def test_normalization(errors, judging):
    """Batch, layer, group, instance and root-mean-square normalisation with PyTorch's numbers."""
    x = data(3, 6, 5, 4)
    for eps, use in ((1e-5, True), (1e-3, False)):
        module = filled(nn.BatchNorm2d(6, eps=eps, affine=use))
        config = {"axis": 1, "momentum": 0.9, "epsilon": eps, "center": use, "scale": use, "variance": "sample"}
        judge(errors, judging, "BatchNormalization", config, x, module, {**(affine(module) if use else {}), "moving_mean": module.running_mean, "moving_variance": module.running_var})
        module = filled(nn.GroupNorm(3, 6, eps=eps, affine=use))
        judge(errors, judging, "GroupNormalization", {"groups": 3, "axis": 1, "epsilon": eps, "center": use, "scale": use}, x, module, affine(module) if use else {})
        module = filled(nn.InstanceNorm2d(6, eps=eps, affine=use))
        judge(errors, judging, "InstanceNormalization", {"axis": 1, "epsilon": eps, "center": use, "scale": use}, x, module, affine(module) if use else {})
        module = filled(nn.InstanceNorm2d(6, eps=eps, affine=use, track_running_stats=True))
        config = {"axis": 1, "epsilon": eps, "center": use, "scale": use, "track_statistics": True}
        judge(errors, judging, "InstanceNormalization", config, x, module, {**(affine(module) if use else {}), "moving_mean": module.running_mean, "moving_variance": module.running_var})
        for shape, axis in (((4,), -1), ((5, 4), [-2, -1]), ((6, 5, 4), [1, 2, 3])):
            module = filled(nn.LayerNorm(shape, eps=eps, elementwise_affine=use))
            judge(errors, judging, "LayerNormalization", {"axis": axis, "epsilon": eps, "center": use, "scale": use}, x, module, affine(module) if use else {})
            module = filled(nn.RMSNorm(shape, eps=eps))
            judge(errors, judging, "RMSNormalization", {"axis": axis, "epsilon": eps}, x, module, {"scale": module.weight})
    for size, alpha, beta, k in ((3, 1e-2, 0.75, 1.0), (4, 0.5, 0.5, 2.0), (5, 1.0, 1.0, 0.5)):
        config = {"axis": 1, "size": size, "alpha": alpha, "beta": beta, "bias": k, "divide_by_size": True}
        judge(errors, judging, "LocalResponseNormalization", config, x, nn.LocalResponseNorm(size, alpha, beta, k))
    judge(errors, judging, "UnitNormalization", {"axis": 1}, x, lambda v: F.normalize(v, dim=1))


def test_resizing(errors, judging):
    """PyTorch's interpolation, with and without aligned corners."""
    x = data(2, 3, 5, 7)
    for mode, align in (("bilinear", False), ("bilinear", True), ("bicubic", False), ("bicubic", True)):
        config = {"interpolation": mode, "align_corners": align, "cubic_coefficient": -0.75, "exclude_outside": False, **FIRST}
        judge(errors, judging, "UpSampling2D", {"size": [2, 3], **config}, x, lambda v, mode=mode, align=align: F.interpolate(v, size=(10, 21), mode=mode, align_corners=align))
        for high, wide in ((3, 4), (13, 7), (5, 20), (1, 1)):
            judge(errors, judging, "Resizing", {"height": high, "width": wide, **config}, x, lambda v, high=high, wide=wide, mode=mode, align=align: F.interpolate(v, size=(high, wide), mode=mode, align_corners=align))
    for high, wide in ((3, 4), (13, 7), (10, 21)):
        judge(errors, judging, "Resizing", {"height": high, "width": wide, "interpolation": "nearest_floor", **FIRST}, x, lambda v, high=high, wide=wide: F.interpolate(v, size=(high, wide), mode="nearest"))
        judge(errors, judging, "Resizing", {"height": high, "width": wide, "interpolation": "nearest", **FIRST}, x, lambda v, high=high, wide=wide: F.interpolate(v, size=(high, wide), mode="nearest-exact"))
    for align in (False, True):
        sequence, volume = data(2, 6, 3), data(2, 3, 4, 5, 2)
        judge(errors, judging, "UpSampling1D", {"size": [3], "interpolation": "linear", "align_corners": align}, sequence, lambda v, align=align: F.interpolate(v.movedim(-1, 1), scale_factor=3, mode="linear", align_corners=align).movedim(1, -1))
        judge(errors, judging, "UpSampling3D", {"size": [2, 2, 3], "interpolation": "trilinear", "align_corners": align}, volume, lambda v, align=align: F.interpolate(v.movedim(-1, 1), size=(6, 8, 15), mode="trilinear", align_corners=align).movedim(1, -1))
    judge(errors, judging, "PixelShuffle", {"block_size": 2, "order": "depth_first", **FIRST}, data(2, 12, 3, 5), nn.PixelShuffle(2))
    judge(errors, judging, "PixelUnshuffle", {"block_size": 3, "order": "depth_first", **FIRST}, data(2, 2, 6, 9), nn.PixelUnshuffle(3))


def test_blocks_of_tensorflow(judging):
    """The other order is TensorFlow's."""
    import tensorflow as tf

    x = data(2, 4, 6, 12)
    for name, expected in (("PixelShuffle", tf.nn.depth_to_space(x, 2)), ("PixelUnshuffle", tf.nn.space_to_depth(x, 2))):
        architecture = Architecture((Layer("x", name, {"block_size": 2, "order": "block_first"}),), (Input("in", (None, 4, 6, 12)),))
        assert np.array_equal(evaluate(architecture, {}, [x]).outputs[0], expected.numpy())
    local = {"axis": -1, "size": 5, "alpha": 0.3, "beta": 0.6, "bias": 1.5, "divide_by_size": False}
    architecture = Architecture((Layer("x", "LocalResponseNormalization", local),), (Input("in", (None, 4, 6, 12)),))
    theirs = tf.nn.local_response_normalization(x, depth_radius=2, bias=1.5, alpha=0.3, beta=0.6).numpy()
    assert judging.relative_error(evaluate(architecture, {}, [x]).outputs[0], theirs) <= TOLERANCE


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_padding(errors, judging, rank):
    """Constants, reflection, replication and circular padding."""
    x, ends = data(2, 3, *EXTENTS[rank]), [[1, 2], [0, 3], [2, 0]][:rank]
    flat = [one for pair in reversed(ends) for one in pair]
    for mode, theirs in (("constant", "constant"), ("reflect", "reflect"), ("edge", "replicate"), ("circular", "circular")):
        config = {"padding": ends, "mode": mode, **({"value": 0.5} if mode == "constant" else {}), **FIRST}
        judge(errors, judging, f"Padding{rank}D", config, x, lambda v, theirs=theirs: F.pad(v, flat, theirs, **({"value": 0.5} if theirs == "constant" else {})))


def test_dense_flatten_and_embedding(errors, judging):
    """Linear, Flatten in the order of the axes, Embedding."""
    module = filled(nn.Linear(4, 7))
    judge(errors, judging, "Dense", {"units": 7}, data(3, 5, 4), module, {"kernel": module.weight.T, "bias": module.bias})
    judge(errors, judging, "Flatten", {}, data(3, 2, 4, 5), nn.Flatten())
    table = filled(nn.Embedding(9, 4))
    words = np.random.default_rng(0).integers(0, 9, (3, 5))
    architecture = Architecture((Layer("x", "Embedding", {"input_dim": 9, "output_dim": 4}),), (Input("in", (None, 5), "int32"),))
    assert np.array_equal(evaluate(architecture, {"x.embeddings": table.weight.detach().numpy()}, [words]).outputs[0], table(torch.tensor(words)).detach().numpy())
