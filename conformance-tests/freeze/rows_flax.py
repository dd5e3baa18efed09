"""Flax (linen) and JAX: what they compute otherwise than Keras and PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flax
import flax.linen as nn
import jax
import numpy as np
from common import FINE, LOOSE, Row, document, layer, numbers, positive

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")
Json = Any


def versions() -> dict[str, str]:
    """What answered."""
    return {"flax": flax.__version__, "jax": jax.__version__, "numpy": np.__version__}


def single(slug: str, title: str, type_: str, config: dict[str, Json], x: np.ndarray, module: Any, call: str, roles: dict[str, str] | None = None, **more: Any) -> Row:
    """A module by itself; `roles` names a role for each of its parameters."""
    variables = jax.tree_util.tree_map(np.asarray, module.init(jax.random.PRNGKey(0), x)) if roles or hasattr(module, "init") else {}
    weights, filled = {}, {}
    for collection, names in dict(variables).items():
        filled[collection] = {}
        for name, value in dict(names).items():
            role = (roles or {})[name]
            make = positive if role in {"gamma", "scale", "moving_variance"} else numbers
            weights[f"layer.{role}"] = filled[collection][name] = make(f"{slug} {role}", value.shape, dtype=x.dtype.name)
    facts = {"dtype": x.dtype.name} if x.dtype.name != "float32" else {}
    return Row(slug, title, document([layer(type_, config, **facts)], {"x": x}), weights, {"x": x}, lambda: [np.asarray(module.apply(filled, x))], call, **more)


def function(slug: str, title: str, config: dict[str, Json], x: np.ndarray, compute: Any, call: str, type_: str = "Activation") -> Row:
    """A function of one array."""
    return Row(slug, title, document([layer(type_, config)], {"x": x}), {}, {"x": x}, lambda: [np.asarray(compute(x))], call, tolerance=LOOSE)


def rows() -> Iterator[Row]:
    """All of them."""
    wide = np.asarray([[-8.0, -2.75, -1.5, -0.25], [0.0, 0.5, 2.25, 7.0]], "float32")
    yield function("activation-gelu-flax", "Flax's gelu is the one with tanh", {"activation": "gelu_tanh"}, wide, nn.gelu, "flax.linen.gelu(x)")
    yield function("activation-hard-sigmoid-flax", "Flax's hard_sigmoid has the slope 1/6", {"activation": "hard_sigmoid"}, wide, nn.hard_sigmoid, "flax.linen.hard_sigmoid(x)")
    yield function("leakyrelu-flax", "Flax's slope 0.01", {"negative_slope": 0.01}, wide, nn.leaky_relu, "flax.linen.leaky_relu(x)", "LeakyReLU")
    yield function("activation-log-softmax-flax", "Flax's log_softmax", {"activation": "log_softmax"}, wide, nn.log_softmax, "flax.linen.log_softmax(x)")
    pair = {"kernel": "kernel", "bias": "bias"}
    yield single("dense-flax", "Flax's Dense", "Dense", {"units": 3}, numbers("dense flax", (2, 4)), nn.Dense(3), "flax.linen.Dense(3)", pair)
    image = numbers("image flax", (1, 5, 4, 2))
    for slug, words, options, config in (
        ("same", "SAME pads the odd element at the end", {"padding": "SAME"}, {"padding": "same_upper"}),
        ("same-lower", "SAME_LOWER pads the odd element at the beginning", {"padding": "SAME_LOWER"}, {"padding": "same_lower"}),
        ("explicit", "Padding said for each end", {"padding": [(1, 2), (0, 1)]}, {"padding": [[1, 2], [0, 1]]}),
        ("valid", "No padding, with dilation", {"padding": "VALID", "kernel_dilation": 2}, {"dilation_rate": [2, 2]}),
    ):
        stride = 1 if slug == "valid" else 2
        yield single(f"conv2d-{slug}-flax", f"Flax: {words}", "Conv2D",
                     {"filters": 2, "kernel_size": [2, 2], **({"strides": [2, 2]} if stride == 2 else {}), **config}, image,
                     nn.Conv(2, (2, 2), strides=stride, **options), f"flax.linen.Conv(2, (2, 2), strides={stride}, {options})", pair)
    yield single("conv1d-causal-flax", "Flax: CAUSAL pads the beginning", "Conv1D", {"filters": 2, "kernel_size": [3], "padding": "causal"}, numbers("causal flax", (1, 5, 2)),
                 nn.Conv(2, (3,), padding="CAUSAL"), "flax.linen.Conv(2, (3,), padding='CAUSAL')", pair)
    yield single("conv2d-grouped-flax", "Flax: two groups", "Conv2D", {"filters": 4, "kernel_size": [2, 2], "groups": 2}, numbers("grouped flax", (1, 3, 3, 4)),
                 nn.Conv(4, (2, 2), feature_group_count=2, padding="VALID"), "flax.linen.Conv(4, (2, 2), feature_group_count=2, padding='VALID')", pair)
    affine = {"scale": "gamma", "bias": "beta"}
    small = numbers("small", (2, 6), step=1 / 256, spread=0.05)
    yield single("layernormalization-flax", "Layer normalisation of small values, Flax's epsilon", "LayerNormalization", {"epsilon": 1e-6}, small,
                 nn.LayerNorm(use_fast_variance=False), "flax.linen.LayerNorm(use_fast_variance=False)", affine)
    yield single("groupnormalization-flax", "Group normalisation, Flax's epsilon", "GroupNormalization", {"groups": 2, "epsilon": 1e-6}, numbers("group flax", (1, 2, 2, 4)),
                 nn.GroupNorm(2, use_fast_variance=False), "flax.linen.GroupNorm(2, use_fast_variance=False)", affine)
    yield single("rmsnormalization-flax", "Root mean square, Flax's epsilon", "RMSNormalization", {"epsilon": 1e-6}, small, nn.RMSNorm(), "flax.linen.RMSNorm()", {"scale": "scale"})
    moving = {**affine, "mean": "moving_mean", "var": "moving_variance"}
    yield single("batchnormalization-flax", "Moving mean and variance, Flax's epsilon", "BatchNormalization", {"momentum": 0.99, "epsilon": 1e-5}, numbers("batch flax", (2, 4)),
                 nn.BatchNorm(use_running_average=True), "flax.linen.BatchNorm(use_running_average=True)", moving, requirements=("EVL-001", "EVL-002"))
    yield single("layernormalization-float64", "Layer normalisation in float64", "LayerNormalization", {"epsilon": 1e-6}, numbers("wide flax", (2, 4), dtype="float64"),
                 nn.LayerNorm(use_fast_variance=False, param_dtype="float64"), "flax.linen.LayerNorm(use_fast_variance=False) in float64", affine,
                 tolerance=FINE, requirements=("EVL-001", "EVL-004"))
    for name, pool, type_, config in (
        ("max", nn.max_pool, "MaxPooling2D", {"padding": "same_upper"}), ("avg", nn.avg_pool, "AveragePooling2D", {"padding": "same_upper", "count_include_pad": True}),
    ):
        compute = lambda x, pool=pool: pool(x, (2, 2), (2, 2), "SAME")  # noqa: E731
        yield function(f"{type_.lower()}-same-flax", f"Flax: {name}_pool with SAME" + (" counts the padding" if name == "avg" else ""), {"pool_size": [2, 2], **config}, image, compute,
                       f"flax.linen.{name}_pool(x, (2, 2), (2, 2), 'SAME')", type_)
    image = numbers("cubic flax", (1, 3, 3, 1))
    # Not TensorFlow: it takes bicubic coefficients from a table of 1024, and departs by 3e-4 wherever a position is not in it.
    yield function("resizing-bicubic-flax", "JAX: bicubic resizing", {"height": 5, "width": 2, "interpolation": "bicubic"}, image,
                   lambda x: jax.image.resize(x, (1, 5, 2, 1), "bicubic", antialias=False), "jax.image.resize(x, (1, 5, 2, 1), 'bicubic', antialias=False)", "Resizing")
    yield function("upsampling2d-bilinear-flax", "JAX: bilinear enlargement", {"size": [2, 2], "interpolation": "bilinear"}, image,
                   lambda x: jax.image.resize(x, (1, 6, 6, 1), "bilinear"), "jax.image.resize(x, (1, 6, 6, 1), 'bilinear')", "UpSampling2D")
