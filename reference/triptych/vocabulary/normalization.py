"""Normalisation by batch, layer, group or unit length."""

from __future__ import annotations

from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Sublayer, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.kinds import AXIS, AXIS_OR_AXES, BOOLEAN, FRACTION, NUMBER, SIZE, Kind, choice
from triptych.vocabulary.members import EPSILON, constraint, initializer, regularizer
from triptych.vocabulary.operations.operands import axes_of

FAMILY = "Normalization"


def _along_axis(call: LayerCall) -> Shape:
    axis = call.config["axis"]
    axes_of(axis if isinstance(axis, list) else [axis], call.input)
    return call.input


def _groups(call: LayerCall) -> Shape:
    shape, groups = call.input, call.config["groups"]
    channels = shape[axis_of(call.config["axis"], shape)]
    if channels is not None and groups != -1 and channels % groups:
        raise ShapeError(f"expected a number of channels that {groups} groups divide, got {channels}")
    return shape


def _axes(axis: Json, x: Array) -> tuple[int, ...]:
    """An axis or axes of `x`, counted from the front."""
    return tuple(one % x.ndim for one in (axis if isinstance(axis, list) else [axis]))


def _along(weight: Array, axis: Json, x: Array) -> Array:
    """`weight`, whose axes are those of `x` that `axis` names, in the shape that stretches to `x`."""
    axes = _axes(axis, x)
    order = np.argsort(axes)
    return weight.transpose(order).reshape([x.shape[one] if one in axes else 1 for one in range(x.ndim)])


def _affine(call: Evaluation, y: Array) -> Array:
    """`y` × gamma + beta, as far as there are such."""
    axis = call.config["axis"]
    if call.config["scale"]:
        y = y * _along(call.weights["gamma"], axis, y)
    return y + _along(call.weights["beta"], axis, y) if call.config["center"] else y


def _standardized(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    """`x` less its mean along `axes`, divided by the root of its variance plus `epsilon`."""
    centred = x - x.mean(axis=axes, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + centred.dtype.type(epsilon))


def _by_moving(call: Evaluation) -> Array:
    x, axis = call.input, call.config["axis"]
    mean, variance = (_along(call.weights[role], axis, x) for role in ("moving_mean", "moving_variance"))
    return _affine(call, (x - mean) / np.sqrt(variance + call.dtype.type(call.config["epsilon"])))


def _by_layer(call: Evaluation) -> Array:
    return _affine(call, _standardized(call.input, _axes(call.config["axis"], call.input), call.config["epsilon"]))


def _by_group(call: Evaluation) -> Array:
    x = np.moveaxis(call.input, call.config["axis"], 1)
    groups = call.config["groups"] if call.config["groups"] != -1 else x.shape[1]
    parts = x.reshape(len(x), groups, -1)
    y = _standardized(parts, (2,), call.config["epsilon"]).reshape(x.shape)
    return _affine(call, np.moveaxis(y, 1, call.config["axis"]))


def _by_root_mean_square(call: Evaluation) -> Array:
    x, axis = call.input, call.config["axis"]
    square = (x * x).mean(axis=_axes(axis, x), keepdims=True)
    return x / np.sqrt(square + square.dtype.type(call.config["epsilon"])) * _along(call.weights["scale"], axis, x)


def _by_length(call: Evaluation) -> Array:
    x = call.input
    square = (x * x).sum(axis=_axes(call.config["axis"], x), keepdims=True)
    return x / np.sqrt(np.maximum(square, call.dtype.type(1e-12)))


def _by_instance(call: Evaluation) -> Array:
    x, axis = call.input, call.config["axis"] % call.input.ndim
    if not call.config["track_statistics"]:
        positions = tuple(one for one in range(1, x.ndim) if one != axis)
        return _affine(call, _standardized(x, positions, call.config["epsilon"]))
    return _by_moving(call)


def _by_neighbours(call: Evaluation) -> Array:
    config, x = call.config, np.moveaxis(call.input, call.config["axis"], -1)
    size = config["size"]
    square = np.pad(x * x, [(0, 0)] * (x.ndim - 1) + [(size // 2, (size - 1) // 2)])
    total = sum(square[..., at : at + x.shape[-1]] for at in range(size))
    share = config["alpha"] / size if config["divide_by_size"] else config["alpha"]
    return np.moveaxis(x / (config["bias"] + share * total) ** config["beta"], -1, config["axis"])


def _inside(call: LayerCall) -> Shape | list[Shape] | None:
    found = call.apply("layer", call.inputs)
    return None if found is None or None in found else [one for one in found if one is not None]


def _by_spectrum(call: Evaluation) -> list[Array]:
    return call.apply("layer", call.inputs, call.masks)[0]


CENTER = Field("center", BOOLEAN, "Whether `beta` is added.", default=True)
SCALE = Field("scale", BOOLEAN, "Whether the result is multiplied by `gamma`.", default=True)
_AFFINE = (*map(initializer, ("beta", "gamma")), *map(regularizer, ("beta", "gamma")), *map(constraint, ("beta", "gamma")))

define(
    "BatchNormalization",
    FAMILY,
    "While training, normalises each channel by mean and variance of the batch and updates the moving ones; else by the moving ones.",
    words="input",
    rule=_along_axis,
    fields=(
        Field("axis", AXIS, "The axis that holds the channels.", -1),
        Field("momentum", FRACTION, "Weight of the old value in an update of the moving mean and variance."),
        EPSILON,
        CENTER,
        SCALE,
        *map(initializer, ("beta", "gamma", "moving_mean", "moving_variance")),
        *map(regularizer, ("beta", "gamma")),
        *map(constraint, ("beta", "gamma")),
        Field(
            "variance",
            choice("population", "sample"),
            "Which variance of a batch enters the moving one: divided by n, or by n - 1.",
            "population",
        ),
        Field("synchronized", BOOLEAN, "Whether replicas share the statistics of a batch.", default=False),
    ),
    weights=(
        Weight("gamma", "[input[axis]]", when="scale"),
        Weight("beta", "[input[axis]]", when="center"),
        Weight("moving_mean", "[input[axis]]", trainable=False),
        Weight("moving_variance", "[input[axis]]", trainable=False),
    ),
    rank=(2, None),
    torch="torch.nn.BatchNorm1d, BatchNorm2d, BatchNorm3d",
    equation="y = (x - moving_mean) / sqrt(moving_variance + epsilon) × gamma + beta, each along axis",
    formula=_by_moving,
)
define(
    "LayerNormalization",
    FAMILY,
    "Normalises each element of the batch by mean and variance along axes.",
    words="input",
    rule=_along_axis,
    fields=(Field("axis", AXIS_OR_AXES, "The axes that are normalised together.", -1), EPSILON, CENTER, SCALE, *_AFFINE),
    weights=(Weight("gamma", "[*input[axis]]", when="scale"), Weight("beta", "[*input[axis]]", when="center")),
    rank=(2, None),
    torch="torch.nn.LayerNorm",
    equation="y = (x - mean(x)) / sqrt(mean((x - mean(x))²) + epsilon) × gamma + beta, means along axis",
    formula=_by_layer,
)
define(
    "RMSNormalization",
    FAMILY,
    "Divides by the root of the mean square along axes and multiplies by `scale`.",
    words="input",
    rule=_along_axis,
    fields=(
        Field("axis", AXIS_OR_AXES, "The axes that are normalised together.", -1),
        Field("epsilon", EPSILON.kind, "Added to the mean square before its root is taken."),
    ),
    weights=(Weight("scale", "[*input[axis]]"),),
    rank=(2, None),
    torch="torch.nn.RMSNorm",
    equation="y = x / sqrt(mean(x²) + epsilon) × scale, the mean along axis",
    formula=_by_root_mean_square,
    mask=drop_mask,
)
define(
    "GroupNormalization",
    FAMILY,
    "Normalises each group of channels of each element of the batch by its mean and variance.",
    words="input",
    rule=_groups,
    fields=(
        Field(
            "groups",
            Kind("integer ≥ 1 \\| -1", {"type": "integer", "minimum": -1, "not": {"const": 0}}),
            "Number of groups; -1: one for each channel.",
        ),
        Field("axis", AXIS, "The axis that holds the channels.", -1),
        EPSILON,
        CENTER,
        SCALE,
        *_AFFINE,
    ),
    weights=(Weight("gamma", "[input[axis]]", when="scale"), Weight("beta", "[input[axis]]", when="center")),
    rank=(3, None),
    torch="torch.nn.GroupNorm",
    equation="y = (x - mean(x)) / sqrt(mean((x - mean(x))²) + epsilon) × gamma + beta, means over the channels of a group and all positions",
    formula=_by_group,
)
define(
    "UnitNormalization",
    FAMILY,
    "Divides by the Euclidean length along axes.",
    words="input",
    rule=_along_axis,
    fields=(Field("axis", AXIS_OR_AXES, "The axes that are normalised together.", -1),),
    equation="y = x / sqrt(max(Σ x², 1e-12)), the sum along axis",
    formula=_by_length,
)
define(
    "InstanceNormalization",
    FAMILY,
    "Normalises each channel of each element of the batch by its mean and variance over all positions, or by moving ones.",
    words="input",
    rule=_along_axis,
    fields=(
        Field("axis", AXIS, "The axis that holds the channels.", -1),
        EPSILON,
        CENTER,
        SCALE,
        Field(
            "track_statistics",
            BOOLEAN,
            "Whether moving means and variances take the place of its own after training.",
            default=False,
        ),
        Field("momentum", FRACTION, "Weight of the old value in an update of the moving mean and variance.", 0.9),
        *_AFFINE,
    ),
    weights=(
        Weight("gamma", "[input[axis]]", when="scale"),
        Weight("beta", "[input[axis]]", when="center"),
        Weight("moving_mean", "[input[axis]]", when="track_statistics", trainable=False),
        Weight("moving_variance", "[input[axis]]", when="track_statistics", trainable=False),
    ),
    rank=(3, None),
    keras="GroupNormalization(groups=-1)",
    torch="torch.nn.InstanceNorm1d, InstanceNorm2d, InstanceNorm3d",
    equation="y = (x - mean(x)) / sqrt(mean((x - mean(x))²) + epsilon) × gamma + beta, means over the positions of a channel; with track_statistics by moving_mean and moving_variance as in BatchNormalization",
    formula=_by_instance,
)
define(
    "LocalResponseNormalization",
    FAMILY,
    "Divides by a power of the sum of squares of the neighbouring channels.",
    words="input",
    rule=_along_axis,
    fields=(
        Field("axis", AXIS, "The axis that holds the channels.", -1),
        Field("size", SIZE, "Number of channels summed over: size // 2 before, the channel, (size - 1) // 2 after."),
        Field("alpha", NUMBER, "Factor of the sum."),
        Field("beta", NUMBER, "The power."),
        Field("bias", NUMBER, "Summand."),
        Field("divide_by_size", BOOLEAN, "Whether the sum is divided by `size`, as in PyTorch and ONNX; TensorFlow does not."),
    ),
    rank=(3, None),
    keras="",
    torch="torch.nn.LocalResponseNorm",
    equation="y[c] = x[c] / (bias + alpha / size × Σ x[d]²)^beta, the sum over d from c - size // 2 to c + (size - 1) // 2; without divide_by_size alpha × Σ",
    formula=_by_neighbours,
)
define(
    "SpectralNormalization",
    FAMILY,
    "While training, divides the kernel of a layer by its largest singular value before the layer is applied, and keeps the result as the kernel.",
    words="what its sublayer yields",
    rule=_inside,
    fields=(
        Field("units", SIZE, "Extent of the last axis of the sublayer's kernel."),
        Field("power_iterations", SIZE, "Steps of the power iteration from `vector_u` that estimate the singular value.", 1),
    ),
    weights=(Weight("vector_u", "[1, units]", trainable=False),),
    sublayers=(Sublayer("layer", "The layer, with a weight `kernel`, seen as a matrix whose columns are its last axis."),),
    torch="torch.nn.utils.parametrizations.spectral_norm, whose stored kernel is not yet divided",
    equation="y = layer(x); while training first, for each iteration, v = u × kernelᵀ / |u × kernelᵀ| and u = v × kernel / |v × kernel|, then kernel = kernel / (v × kernel × uᵀ)",
    takes_as_given=True,
    formula=_by_spectrum,
)
