"""Activations by name: what the config member `activation` of many types applies to an array."""

from __future__ import annotations

import math
from collections.abc import Callable

from triptych.errors import Problem, UnsupportedError, shorten
from triptych.model import Json
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.formula import Evaluation

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(x, 0)


def relu6(x: Array) -> Array:
    """min(max(x, 0), 6)."""
    return np.clip(x, 0, 6)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), written so that no exponential overflows."""
    tail = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, tail) / (1 + tail)


def softmax(x: Array, axis: int | tuple[int, ...] = -1) -> Array:
    """exp(x) / sum of exp(x) along `axis`, the largest x taken off first so that nothing overflows."""
    powers = np.exp(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=axis, keepdims=True)


def log_softmax(x: Array) -> Array:
    """The logarithm of `softmax`."""
    shifted = x - x.max(axis=-1, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softplus(x: Array) -> Array:
    """log(1 + exp(x)), written so that the exponential does not overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def elu(x: Array, alpha: float = 1.0) -> Array:
    """`x` where x > 0, else alpha × (exp(x) - 1)."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x: Array) -> Array:
    """A scaled `elu` that keeps mean 0 and variance 1."""
    return SELU_SCALE * elu(x, SELU_ALPHA)


def gelu(x: Array) -> Array:
    """`x` × Φ(x)."""
    share = np.frompyfunc(lambda one: 0.5 * math.erfc(-one * math.sqrt(0.5)), 1, 1)(x)
    return x * np.asarray(share, dtype=x.dtype)


def gelu_tanh(x: Array) -> Array:
    """The approximation of `gelu` by a hyperbolic tangent."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """`x` where x > 0, else negative_slope × x."""
    return np.where(x > 0, x, negative_slope * x)


def hard_sigmoid(x: Array) -> Array:
    """relu6(x + 3) / 6."""
    return relu6(x + 3) / 6


def sparsemax(x: Array) -> Array:
    """The point of the simplex nearest to x, along the last axis: max(x - t, 0) with the t that makes it sum to 1."""
    falling = -np.sort(-x, axis=-1)
    ranks = np.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    sums = np.cumsum(falling, axis=-1)
    kept = np.sum(1 + ranks * falling > sums, axis=-1, keepdims=True)
    threshold = (np.take_along_axis(sums, kept - 1, axis=-1) - 1) / kept.astype(x.dtype)
    return np.maximum(x - threshold, 0)


NAMED: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": relu,
    "relu6": relu6,
    "sigmoid": sigmoid,
    "tanh": lambda x: np.tanh(x),  # noqa: PLW0108 - numpy is imported when it is called
    "softmax": softmax,
    "log_softmax": log_softmax,
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "elu": elu,
    "selu": selu,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "exponential": lambda x: np.exp(x),  # noqa: PLW0108 - as above
    "leaky_relu": leaky_relu,
    "hard_sigmoid": hard_sigmoid,
    "hard_sigmoid_keras2": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "log_sigmoid": lambda x: -softplus(-x),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "sparsemax": sparsemax,
}
"""Name -> what it makes of an array of floating-point numbers, in the array's dtype."""


def activate(activation: Json, x: Array) -> Array:
    """`x` after `activation`, which a config gives as a name, or as an object with a type and its config.

    Raises:
        UnsupportedError: It is of an extension.
    """
    if isinstance(activation, str) and activation in NAMED:
        return NAMED[activation](x)
    from triptych.vocabulary.definition import LAYER_TYPES

    name = activation if isinstance(activation, str) else activation["type"]
    found = None if isinstance(activation, str) else LAYER_TYPES.get(name)
    if found is None or found.formula is None or found.weights:
        message = f"expected an activation of the vocabulary, got {shorten(name)}, which this reader cannot compute"
        raise UnsupportedError((Problem("ACTIVATION_NOT_EVALUABLE", "", "", message),))
    result = found.formula(Evaluation(found.resolve(activation.get("config", {})), (x,), {}, x.dtype))
    assert not isinstance(result, list)
    return result
