"""PyTorch: channels first, explicit padding, `ceil_mode` and everything else that Keras cannot say or says otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere
from common import EXACT, FINE, LOOSE, Row, document, integers, layer, numbers, positive
from torch import nn

Json = Any
FIRST = {"data_format": "channels_first"}
SHAPES = {1: (2, 2, 5), 2: (1, 2, 5, 4), 3: (1, 2, 3, 4, 3)}
"""Channels first."""


def versions() -> dict[str, str]:
    """What answered."""
    return {"torch": torch.__version__.partition("+")[0], "numpy": np.__version__}


def tensor(array: np.ndarray) -> torch.Tensor:
    """An array as a tensor; integers as torch indexes with."""
    return torch.from_numpy(array.astype("int64") if array.dtype.name == "int32" else array.copy())


def fill(module: nn.Module, slug: str) -> dict[str, np.ndarray]:
    """Gives a module weights that follow from `slug`, by the module's own names."""
    given = {}
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            make = positive if "var" in name or (name == "weight" and value.ndim == 1) else numbers
            given[name] = make(f"{slug} {name}", value.shape, dtype=str(value.dtype).removeprefix("torch."))
            value.copy_(torch.from_numpy(given[name]))
    return given


def module(slug: str, title: str, type_: str, config: Mapping[str, Json], x: np.ndarray, one: nn.Module, call: str, roles: Mapping[str, tuple[str, list[int] | None]] | None = None,
           **more: Any) -> Row:
    """A module as a layer whose weights are stored by PyTorch's names and axes: role -> (name, axes)."""
    one = one.eval().to(torch.float64 if x.dtype == np.float64 else torch.float32)
    stored = {f"layer.{name}": value for name, value in fill(one, slug).items()}
    weights = {role: {"tensor": f"layer.{name}", **({"axes": axes} if axes else {})} for role, (name, axes) in (roles or {}).items()}
    facts: dict[str, Json] = {"weights": weights} if weights else {}
    if x.dtype == np.float64:
        facts["dtype"] = "float64"

    def run() -> list[np.ndarray]:
        with torch.no_grad():
            return [one(tensor(x)).numpy()]

    return Row(slug, title, document([layer(type_, config, **facts)], {"x": x}), stored, {"x": x}, run, call, **more)


def function(slug: str, title: str, type_: str, config: Mapping[str, Json], x: np.ndarray, compute: Any, call: str, **more: Any) -> Row:
    """A function of one array."""
    return Row(slug, title, document([layer(type_, config)], {"x": x}), {}, {"x": x}, lambda: [compute(tensor(x)).numpy()], call, **more)


def plain() -> Iterator[Row]:
    dense = {"kernel": ("weight", [1, 0]), "bias": ("bias", None)}
    yield module("dense-torch", "A Linear module, its weight transposed", "Dense", {"units": 3}, numbers("linear", (2, 4)), nn.Linear(4, 3), "torch.nn.Linear(4, 3)", dense)
    yield module("dense-torch-float64", "A Linear module in float64", "Dense", {"units": 3}, numbers("linear64", (2, 4), dtype="float64"), nn.Linear(4, 3),
                 "torch.nn.Linear(4, 3).double()", dense, tolerance=FINE, requirements=("EVL-001", "EVL-004"))
    yield module("embedding-torch", "An Embedding module", "Embedding", {"input_dim": 4, "output_dim": 2}, integers("embedding torch", (2, 3), 4), nn.Embedding(4, 2),
                 "torch.nn.Embedding(4, 2)", {"embeddings": ("weight", None)}, tolerance=EXACT)
    yield module("dropout-torch", "Dropout changes nothing in eval mode", "Dropout", {"rate": 0.5}, numbers("dropout", (2, 3)), nn.Dropout(0.5), "torch.nn.Dropout(0.5).eval()",
                 tolerance=EXACT, requirements=("EVL-001", "EVL-002"))
    yield module("flatten-torch", "Flatten leaves the order of the axes alone", "Flatten", {}, numbers("flatten torch", (1, 3, 2, 2)), nn.Flatten(),
                 "torch.nn.Flatten()", tolerance=EXACT)


def convolution() -> Iterator[Row]:
    for rank, shape in SHAPES.items():
        x = numbers(f"image torch {rank}", shape)
        back = [*range(2, 2 + rank)]
        roles = {"kernel": ("weight", [*back, 1, 0]), "bias": ("bias", None)}
        flipped = {"kernel": ("weight", [*back, 1, 0]), "bias": ("bias", None)}
        conv, transposed = getattr(nn, f"Conv{rank}d"), getattr(nn, f"ConvTranspose{rank}d")
        for slug, words, options, config in (
            ("padding", "padded alike at both ends, strided", {"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": [3] * rank, "strides": [2] * rank, "padding": [[1, 1]] * rank}),
            ("grouped", "two groups", {"kernel_size": 2, "groups": 2, "dilation": 2}, {"kernel_size": [2] * rank, "groups": 2, "dilation_rate": [2] * rank}),
        ):
            yield module(f"conv{rank}d-{slug}-torch", f"Conv{rank}d: {words}", f"Conv{rank}D", {"filters": 2, **config, **FIRST}, x, conv(2, 2, **options),
                         f"torch.nn.Conv{rank}d(2, 2, {options})", roles)
        little = numbers(f"transposed torch {rank}", (1, 2, *[2, 3, 2][:rank]))
        for slug, words, options, config in (
            ("padding", "padding taken off both ends", {"kernel_size": 3, "stride": 2, "padding": 1},
             {"kernel_size": [3] * rank, "strides": [2] * rank, "padding": [[1, 1]] * rank, "output_padding": [0] * rank}),
            ("output-padding", "with output padding", {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
             {"kernel_size": [3] * rank, "strides": [2] * rank, "padding": [[1, 1]] * rank, "output_padding": [1] * rank}),
            ("grouped", "two groups", {"kernel_size": 2, "groups": 2}, {"kernel_size": [2] * rank, "groups": 2}),
        ):
            if rank == 3 and slug != "padding":
                continue
            filters = 1 if slug != "grouped" else 2
            yield module(f"conv{rank}dtranspose-{slug}-torch", f"ConvTranspose{rank}d: {words}", f"Conv{rank}DTranspose", {"filters": filters, **config, **FIRST}, little,
                         transposed(2, filters, **options), f"torch.nn.ConvTranspose{rank}d(2, {filters}, {options})", flipped)


def pooling() -> Iterator[Row]:
    for rank, shape in SHAPES.items():
        x = numbers(f"pooled torch {rank}", shape)
        for what, torch_name, tolerance in (("Max", "Max", EXACT), ("Average", "Avg", LOOSE)):
            pool = getattr(nn, f"{torch_name}Pool{rank}d")
            variants = [
                ("padding", "padded at both ends", {"kernel_size": 3, "stride": 2, "padding": 1}, {"pool_size": [3] * rank, "strides": [2] * rank, "padding": [[1, 1]] * rank}),
                ("ceil", "a last window hangs over", {"kernel_size": 2, "stride": 2, "ceil_mode": True}, {"pool_size": [2] * rank, "ceil_mode": True}),
                ("ceil-padding", "a last window hangs over the padding", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
                 {"pool_size": [3] * rank, "strides": [2] * rank, "padding": [[1, 1]] * rank, "ceil_mode": True}),
            ]
            for slug, words, options, config in variants:
                counted = [(True, ""), (False, "-not-counted")] if what == "Average" and slug != "ceil" else [(None, "")]
                for count, suffix in counted:
                    said = {} if count is None else {"count_include_pad": count}
                    yield module(f"{what.lower()}pooling{rank}d-{slug}{suffix}-torch", f"{torch_name}Pool{rank}d: {words}" + {None: "", True: ", counted", False: ", not counted"}[count],
                                 f"{what}Pooling{rank}D", {**config, **FIRST, **({"count_include_pad": True} if count else {})}, x, pool(**options, **said),
                                 f"torch.nn.{torch_name}Pool{rank}d({ {**options, **said} })", tolerance=tolerance)
            yield module(f"global{what.lower()}pooling{rank}d-torch", f"Adaptive{torch_name}Pool{rank}d(1)", f"Global{what}Pooling{rank}D", {"keepdims": True, **FIRST}, x,
                         getattr(nn, f"Adaptive{torch_name}Pool{rank}d")(1), f"torch.nn.Adaptive{torch_name}Pool{rank}d(1)", tolerance=tolerance)
    short = numbers("pooled torch short", (2, 2, 2))
    for what, torch_name, tolerance in (("Max", "Max", EXACT), ("Average", "Avg", LOOSE)):
        options = {"kernel_size": 3, "stride": 2, "ceil_mode": True}
        yield module(f"{what.lower()}pooling1d-ceil-short-torch", f"{torch_name}Pool1d: the only window is larger than the input", f"{what}Pooling1D",
                     {"pool_size": [3], "strides": [2], "ceil_mode": True, **FIRST}, short, getattr(nn, f"{torch_name}Pool1d")(**options), f"torch.nn.{torch_name}Pool1d({options})",
                     tolerance=tolerance)


def normalization() -> Iterator[Row]:
    small = numbers("small", (2, 6), step=1 / 256, spread=0.05)
    moving = {"gamma": ("weight", None), "beta": ("bias", None), "moving_mean": ("running_mean", None), "moving_variance": ("running_var", None)}
    affine = {"gamma": ("weight", None), "beta": ("bias", None)}
    image = numbers("normalised torch", (2, 4, 2, 2))
    yield module("batchnormalization-torch", "BatchNorm2d in eval mode", "BatchNormalization", {"axis": 1, "momentum": 0.9, "epsilon": 1e-5, "variance": "sample"}, image,
                 nn.BatchNorm2d(4), "torch.nn.BatchNorm2d(4).eval()", moving, requirements=("EVL-001", "EVL-002"))
    yield module("layernormalization-torch", "Layer normalisation of small values, PyTorch's epsilon", "LayerNormalization", {"epsilon": 1e-5}, small, nn.LayerNorm(6),
                 "torch.nn.LayerNorm(6)", affine)
    yield module("groupnormalization-torch", "GroupNorm, PyTorch's epsilon", "GroupNormalization", {"groups": 2, "axis": 1, "epsilon": 1e-5}, image, nn.GroupNorm(2, 4),
                 "torch.nn.GroupNorm(2, 4)", affine)
    yield module("rmsnormalization-torch", "RMSNorm, the epsilon of float32", "RMSNormalization", {"epsilon": float(np.finfo("float32").eps)}, small, nn.RMSNorm(6),
                 "torch.nn.RMSNorm(6)", {"scale": ("weight", None)})
    yield function("unitnormalization-torch", "normalize along axis 1", "UnitNormalization", {"axis": 1}, numbers("unit torch", (2, 3, 2)), lambda x: F.normalize(x, dim=1),
                   "torch.nn.functional.normalize(x, dim=1)")


def activation() -> Iterator[Row]:
    wide = np.asarray([[-8.0, -3.0, -1.5, -0.25], [0.0, 0.5, 2.75, 7.0]], "float32")
    for slug, one, config, type_ in (
        ("activation-gelu", nn.GELU(), {"activation": "gelu"}, "Activation"), ("activation-gelu-tanh", nn.GELU("tanh"), {"activation": "gelu_tanh"}, "Activation"),
        ("activation-hard-sigmoid", nn.Hardsigmoid(), {"activation": "hard_sigmoid"}, "Activation"), ("activation-hard-silu", nn.Hardswish(), {"activation": "hard_silu"}, "Activation"),
        ("activation-silu", nn.SiLU(), {"activation": "silu"}, "Activation"), ("activation-mish", nn.Mish(), {"activation": "mish"}, "Activation"),
        ("activation-softplus", nn.Softplus(), {"activation": "softplus"}, "Activation"), ("activation-selu", nn.SELU(), {"activation": "selu"}, "Activation"),
        ("leakyrelu", nn.LeakyReLU(), {"negative_slope": 0.01}, "LeakyReLU"), ("elu", nn.ELU(0.75), {"alpha": 0.75}, "ELU"), ("relu6", nn.ReLU6(), {"max_value": 6.0}, "ReLU"),
        ("softmax", nn.Softmax(0), {"axis": 0}, "Softmax"), ("softmax-last", nn.Softmax(-1), {}, "Softmax"), ("thresholdedrelu", nn.Threshold(0.5, 0.0), {"theta": 0.5}, "ThresholdedReLU"),
    ):
        yield module(f"{slug}-torch", f"{type(one).__name__} of PyTorch", type_, config, wide, one, f"torch.nn.{one}")
    image = numbers("prelu torch", (1, 3, 2, 2))
    slopes = numbers("prelu slopes", (3,))
    yield Row("prelu-torch", "PReLU with a slope for each channel", document([layer("PReLU", {"shared_axes": [2, 3]})], {"x": image}), {"layer.alpha": slopes.reshape(3, 1, 1)},
              {"x": image}, lambda: [F.prelu(tensor(image), tensor(slopes)).numpy()], "torch.nn.functional.prelu(x, alpha)")


def resizing() -> Iterator[Row]:
    image = numbers("resized torch", (1, 1, 3, 3))
    for mode in ("nearest", "bilinear"):
        yield module(f"upsampling2d-{mode}-torch", f"Upsample, {mode}", "UpSampling2D", {"size": [2, 2], **({"interpolation": mode} if mode != "nearest" else {}), **FIRST}, image,
                     nn.Upsample(scale_factor=2, mode=mode), f"torch.nn.Upsample(scale_factor=2, mode={mode!r})", tolerance=LOOSE if mode != "nearest" else EXACT)
    yield module("zeropadding2d-torch", "ZeroPad2d", "ZeroPadding2D", {"padding": [[0, 1], [2, 0]], **FIRST}, numbers("padded torch", (1, 2, 2, 2)), nn.ZeroPad2d((2, 0, 0, 1)),
                 "torch.nn.ZeroPad2d((2, 0, 0, 1))", tolerance=EXACT)


def cell(state: Mapping[str, np.ndarray], suffix: str, order: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Kernels (in, gates × units) and both biases, gates in `order`."""
    def turned(name: str) -> np.ndarray:
        value = state[f"{name}{suffix}"]
        parts = np.split(value, len(order))
        return np.concatenate([parts[i] for i in order]).T

    return turned("weight_ih"), turned("weight_hh"), turned("bias_ih"), turned("bias_hh")


def recurrent() -> Iterator[Row]:
    steps = numbers("steps torch", (2, 3, 2))
    gated = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid"}
    for type_, one, base, order in (
        ("SimpleRNN", nn.RNN(2, 2, batch_first=True), {"units": 2, "activation": "tanh"}, [0]),
        ("LSTM", nn.LSTM(2, 2, batch_first=True), gated, [0, 1, 2, 3]),
        ("GRU", nn.GRU(2, 2, batch_first=True), {**gated, "reset_after": True}, [1, 0, 2]),
    ):
        kernel, recurrent_kernel, one_bias, two_bias = cell(fill(one, f"{type_} torch"), "_l0", order)
        bias = np.stack([one_bias, two_bias]) if type_ == "GRU" else one_bias + two_bias
        weights = {"layer.kernel": kernel, "layer.recurrent_kernel": recurrent_kernel, "layer.bias": bias}
        yield Row(f"{type_.lower()}-torch", f"{type_} of PyTorch, gates and biases brought into order", document([layer(type_, {**base, "return_sequences": True})], {"x": steps}),
                  weights, {"x": steps}, lambda one=one: [one(tensor(steps))[0].detach().numpy()], f"torch.nn.{one}")
    both = nn.LSTM(2, 2, batch_first=True, bidirectional=True)
    state = fill(both, "bidirectional torch")
    weights = {}
    for side, suffix in (("forward", "_l0"), ("backward", "_l0_reverse")):
        kernel, recurrent_kernel, one_bias, two_bias = cell(state, suffix, [0, 1, 2, 3])
        weights |= {f"layer.{side}.kernel": kernel, f"layer.{side}.recurrent_kernel": recurrent_kernel, f"layer.{side}.bias": one_bias + two_bias}
    inner = {**gated, "return_sequences": True}
    sides = {"forward": {"type": "LSTM", "config": inner}, "backward": {"type": "LSTM", "config": {**inner, "go_backwards": True}}}
    yield Row("bidirectional-torch", "A bidirectional LSTM of PyTorch", document([layer("Bidirectional", sublayers=sides)], {"x": steps}), weights, {"x": steps},
              lambda: [both(tensor(steps))[0].detach().numpy()], f"torch.nn.{both}")


def attention() -> Iterator[Row]:
    one = nn.MultiheadAttention(4, 2, batch_first=True)
    state = fill(one, "attention torch")
    x = numbers("attended torch", (1, 3, 4))
    packed, packed_bias = np.split(state["in_proj_weight"], 3), np.split(state["in_proj_bias"], 3)
    weights = {}
    for name, kernel, bias in zip(("query", "key", "value"), packed, packed_bias, strict=True):
        weights |= {f"layer.{name}_kernel": kernel.T.reshape(4, 2, 2), f"layer.{name}_bias": bias.reshape(2, 2)}
    weights |= {"layer.output_kernel": state["out_proj.weight"].T.reshape(2, 2, 4), "layer.output_bias": state["out_proj.bias"]}
    blocked = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)
    for slug, words, mask, arguments in (("", "packed projections taken apart", None, {}), ("-causal", "true blocks in PyTorch, a causal mask", blocked, {"use_causal_mask": True})):
        calls = [{"layer": "layer", "inputs": ["x", "x"], **({"arguments": arguments} if arguments else {})}]

        def run(mask: Any = mask) -> list[np.ndarray]:
            with torch.no_grad():
                return [one(tensor(x), tensor(x), tensor(x), attn_mask=mask, need_weights=False)[0].numpy()]

        yield Row(f"multiheadattention{slug}-torch", f"MultiheadAttention: {words}", document([layer("MultiHeadAttention", {"num_heads": 2, "key_dim": 2})], {"x": x}, calls), weights,
                  {"x": x}, run, f"torch.nn.MultiheadAttention(4, 2, batch_first=True){'' if mask is None else ' with attn_mask'}")
    query, value = numbers("sdpa query", (2, 2, 3)), numbers("sdpa value", (2, 4, 3))
    root = float(np.sqrt(3.0))
    inputs = {"x": query, "y": value}
    yield Row("attention-torch", "scaled_dot_product_attention as Attention with a scale", document([layer("Attention", {"use_scale": True})], inputs, [{"layer": "layer", "inputs": ["x", "y"]}]),
              {"layer.scale": np.asarray(1 / root, "float32")}, inputs, lambda: [F.scaled_dot_product_attention(tensor(query), tensor(value), tensor(value)).numpy()],
              "torch.nn.functional.scaled_dot_product_attention(x, y, y)")


def rows() -> Iterator[Row]:
    """All of them."""
    import torch_more

    for part in (plain, convolution, pooling, normalization, activation, resizing, recurrent, attention):
        yield from part()
    yield from torch_more.rows()
