"""Types that hold no window and no recurrence: dense, embedding, regularisation by noise, wrapping of a nested architecture."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.errors import UsageError
from triptych.model import Shape
from triptych.vocabulary.activations import activate
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.einsum import analyze
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.formula import Evaluation, Mask, drop_mask
from triptych.vocabulary.kinds import BOOLEAN, FRACTION, LARGEST, NOT_NEGATIVE, NUMBER, SIZE, Kind, optional
from triptych.vocabulary.members import (
    ACTIVATION_MEMBER,
    ACTIVITY_REGULARIZER,
    DATA_FORMAT,
    RATE,
    SEED,
    USE_BIAS,
    constraint,
    initializer,
    regularizer,
    weight_members,
)

FAMILY = "Core"
NOISE_SHAPE = optional(
    Kind("list of integers or nulls", {"type": "array", "items": {"type": ["integer", "null"], "minimum": 1}, "maxItems": 32})
)


def _dense(call: Evaluation) -> Array:
    y = call.input @ call.weights["kernel"]
    return activate(call.config["activation"], y + call.weights["bias"] if call.config["use_bias"] else y)


def _einsum_shape(call: LayerCall) -> Shape:
    config = call.config
    return tuple(analyze(config["equation"], call.input, config["output_shape"], config["bias_axes"] or "")[0])


def _einsum_dense(call: Evaluation) -> Array:
    y = np.einsum(call.config["equation"], call.input, call.weights["kernel"], optimize=True)
    return activate(call.config["activation"], y + call.weights["bias"] if call.config["bias_axes"] else y)


def _embedding(call: Evaluation) -> Array:
    indices, count = call.input.astype(np.int64), call.config["input_dim"]
    if ((indices < 0) | (indices >= count)).any():
        raise UsageError(f"expected indices from 0 to {count - 1}, got {indices.min()} to {indices.max()}")
    return call.weights["embeddings"][indices]


def _embedding_mask(call: Evaluation, outputs: Sequence[Array]) -> Sequence[Mask]:
    return [call.input != 0] if call.config["mask_zero"] else drop_mask(call, outputs)


def _identity(call: Evaluation) -> Array:
    return call.input


def _rescaled(call: LayerCall) -> Shape:
    for name in ("scale", "offset"):
        said, extent = call.config[name], call.input[-1]
        if isinstance(said, list) and extent is not None and len(said) not in {1, extent}:
            raise ShapeError(f"expected 1 number or {extent} as {name}, got {len(said)}")
    return call.input


def _rescaling(call: Evaluation) -> Array:
    scale, offset = (np.asarray(call.config[name], call.dtype) for name in ("scale", "offset"))
    return call.input.astype(call.dtype, copy=False) * scale + offset


def _counts(call: Evaluation) -> Array:
    """Whether a step holds an element that differs from the value."""
    return (call.input != call.config["mask_value"]).any(axis=-1)


def _masking(call: Evaluation) -> Array:
    return call.input * _counts(call)[..., None].astype(call.input.dtype)


def _masking_mask(call: Evaluation, _: Sequence[Array]) -> Sequence[Mask]:
    return [_counts(call)]


define(
    "Model",
    FAMILY,
    "Applies the architecture nested in it.",
    words="the outputs of its architecture",
    inputs=(1, None),
    rank=(0, None),
    keras="Model",
    torch="torch.nn.Module",
)
define(
    "Dense",
    FAMILY,
    "Multiplies the last axis by a matrix and adds a bias.",
    output="[*input[:-1], units]",
    fields=(
        Field("units", SIZE, "Extent of the last axis of the result."),
        ACTIVATION_MEMBER,
        USE_BIAS,
        *weight_members("kernel", "bias"),
    ),
    weights=(Weight("kernel", "[input[-1], units]"), Weight("bias", "[units]", when="use_bias")),
    rank=(2, None),
    torch="torch.nn.Linear",
    equation="y = activation(x × kernel + bias), over the last axis of x",
    formula=_dense,
)
define(
    "EinsumDense",
    FAMILY,
    "Multiplies by a kernel, summing as an equation says, and adds a bias.",
    words="batch; the extents of the letters after `->`, from the input or `output_shape`; what `...` stands for, where it stands",
    rule=_einsum_shape,
    fields=(
        Field(
            "equation",
            Kind(
                "equation",
                {
                    "type": "string",
                    "pattern": r"^(\.\.\.[a-zA-Z]+,[a-zA-Z]+->\.\.\.[a-zA-Z]+|[a-zA-Z]+,[a-zA-Z]+->[a-zA-Z]+|[a-zA-Z]+\.\.\.,[a-zA-Z]+->[a-zA-Z]+\.\.\.)$",
                    "maxLength": 128,
                },
                "an equation such as abc,cd->abd, ...c,cd->...d or ab...,bc->ac...",
            ),
            "Letters for the axes of input, kernel and result; `...` stands for axes that stay.",
        ),
        Field(
            "output_shape",
            Kind(
                "list of integers ≥ 1 or nulls",
                {"type": "array", "items": {"type": ["integer", "null"], "minimum": 1, "maximum": LARGEST}, "maxItems": 31},
            ),
            "Extents of the result after the batch, without those that `...` stands for; null: the input's.",
        ),
        ACTIVATION_MEMBER,
        Field(
            "bias_axes",
            optional(Kind("letters", {"type": "string", "pattern": "^[a-zA-Z]+$", "maxLength": 52})),
            "Letters of the result along which the bias has extents; null: no bias.",
            None,
        ),
        *weight_members("kernel", "bias"),
    ),
    weights=(
        Weight("kernel", "einsum_kernel(equation, input, output_shape)"),
        Weight("bias", "einsum_bias(equation, input, output_shape, bias_axes)", when="bias_axes"),
    ),
    rank=(2, None),
    torch="torch.einsum",
    equation="y = activation(einsum(equation, x, kernel) + bias): the sum over all letters that the result does not have",
    formula=_einsum_dense,
    mask=drop_mask,
)
define(
    "Embedding",
    FAMILY,
    "Replaces each integer by a row of a table.",
    output="[*input, output_dim]",
    fields=(
        Field("input_dim", SIZE, "Number of rows: integers are below it."),
        Field("output_dim", SIZE, "Extent of a row."),
        initializer("embeddings"),
        regularizer("embeddings"),
        ACTIVITY_REGULARIZER,
        constraint("embeddings"),
        Field("mask_zero", BOOLEAN, "Whether 0 marks an element that later layers ignore.", default=False),
    ),
    weights=(Weight("embeddings", "[input_dim, output_dim]"),),
    torch="torch.nn.Embedding",
    equation="y[…] = embeddings[x[…]]",
    takes_as_given=True,
    formula=_embedding,
    mask=_embedding_mask,
)
define("Identity", FAMILY, "Yields its input.", output="input", torch="torch.nn.Identity", equation="y = x", keeps_dtype=True, formula=_identity)
define(
    "Rescaling",
    FAMILY,
    "Multiplies by a scale and adds an offset.",
    words="input",
    rule=_rescaled,
    fields=(
        Field(
            "scale",
            NUMBERS := Kind("number or numbers", {"type": ["number", "array"], "items": {"type": "number"}}),
            "Factor; a list holds one for each element of the last axis.",
        ),
        Field("offset", NUMBERS, "Summand; a list holds one for each element of the last axis.", 0.0),
    ),
    equation="y = x × scale + offset",
    formula=_rescaling,
)
define(
    "Masking",
    FAMILY,
    "Marks the steps all of whose elements equal a value, so that later layers ignore them.",
    output="input",
    fields=(Field("mask_value", NUMBER, "The value."),),
    rank=(3, None),
    equation="y = x, 0 in the steps all of whose elements equal mask_value",
    keeps_dtype=True,
    formula=_masking,
    mask=_masking_mask,
)
define(
    "Dropout",
    FAMILY,
    "While training, sets random elements to 0 and divides the rest by 1 - rate; else yields its input.",
    output="input",
    fields=(
        RATE,
        Field(
            "noise_shape",
            NOISE_SHAPE,
            "Shape of the random mask, 1 where an axis shares it; null, in it or for it: the input's.",
            None,
        ),
        SEED,
    ),
    torch="torch.nn.Dropout",
    equation="y = x",
    keeps_dtype=True,
    formula=_identity,
)
define(
    "SpatialDropout1D",
    FAMILY,
    "Dropout of whole channels of a sequence.",
    output="input",
    fields=(RATE, SEED),
    rank=(3, 3),
    torch="torch.nn.Dropout1d",
    equation="y = x",
    keeps_dtype=True,
    formula=_identity,
)
define(
    "SpatialDropout2D",
    FAMILY,
    "Dropout of whole channels of an image.",
    output="input",
    fields=(RATE, SEED, DATA_FORMAT),
    rank=(4, 4),
    torch="torch.nn.Dropout2d",
    equation="y = x",
    keeps_dtype=True,
    formula=_identity,
)
define(
    "SpatialDropout3D",
    FAMILY,
    "Dropout of whole channels of a volume.",
    output="input",
    fields=(RATE, SEED, DATA_FORMAT),
    rank=(5, 5),
    torch="torch.nn.Dropout3d",
    equation="y = x",
    keeps_dtype=True,
    formula=_identity,
)
define(
    "GaussianNoise",
    FAMILY,
    "While training, adds normally distributed noise of mean 0; else yields its input.",
    output="input",
    fields=(Field("stddev", NOT_NEGATIVE, "Standard deviation of the noise."), SEED),
    equation="y = x",
    keeps_dtype=True,
    formula=_identity,
)
define(
    "GaussianDropout",
    FAMILY,
    "While training, multiplies by normally distributed noise of mean 1 and variance rate / (1 - rate); else yields its input.",
    output="input",
    fields=(Field("rate", FRACTION, "As in Dropout: it gives the variance."), SEED),
    equation="y = x",
    keeps_dtype=True,
    formula=_identity,
)
define(
    "AlphaDropout",
    FAMILY,
    "Dropout that keeps mean and variance of self-normalising activations (selu).",
    output="input",
    fields=(
        RATE,
        Field(
            "noise_shape",
            NOISE_SHAPE,
            "As in Dropout.",
            None,
        ),
        SEED,
    ),
    torch="torch.nn.AlphaDropout",
    equation="y = x",
    keeps_dtype=True,
    formula=_identity,
)
define(
    "ActivityRegularization",
    FAMILY,
    "Yields its input and adds a penalty on it to the loss.",
    output="input",
    fields=(
        Field("l1", NOT_NEGATIVE, "Factor of the sum of absolute values.", 0.0),
        Field("l2", NOT_NEGATIVE, "Factor of the sum of squares.", 0.0),
    ),
    equation="y = x",
    keeps_dtype=True,
    formula=_identity,
)
