"""Types that hold no window and no recurrence: dense, embedding, regularisation by noise, wrapping of a nested architecture."""

from __future__ import annotations

from triptych.vocabulary.definition import Field, Weight, define
from triptych.vocabulary.kinds import BOOLEAN, FRACTION, NOT_NEGATIVE, NUMBER, SIZE, Kind, optional
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
)
define("Identity", FAMILY, "Yields its input.", output="input", torch="torch.nn.Identity")
define(
    "Rescaling",
    FAMILY,
    "Multiplies by a scale and adds an offset.",
    output="input",
    fields=(
        Field(
            "scale",
            NUMBERS := Kind("number or numbers", {"type": ["number", "array"], "items": {"type": "number"}}),
            "Factor; a list holds one for each element of the last axis.",
        ),
        Field("offset", NUMBERS, "Summand; a list holds one for each element of the last axis.", 0.0),
    ),
)
define(
    "Masking",
    FAMILY,
    "Marks the steps all of whose elements equal a value, so that later layers ignore them.",
    output="input",
    fields=(Field("mask_value", NUMBER, "The value."),),
    rank=(3, None),
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
            optional(
                Kind(
                    "list of integers or nulls",
                    {"type": "array", "items": {"type": ["integer", "null"], "minimum": 1}, "maxItems": 32},
                )
            ),
            "Shape of the random mask, 1 where an axis shares it; null, in it or for it: the input's.",
            None,
        ),
        SEED,
    ),
    torch="torch.nn.Dropout",
)
define(
    "SpatialDropout1D",
    FAMILY,
    "Dropout of whole channels of a sequence.",
    output="input",
    fields=(RATE, SEED),
    rank=(3, 3),
    torch="torch.nn.Dropout1d",
)
define(
    "SpatialDropout2D",
    FAMILY,
    "Dropout of whole channels of an image.",
    output="input",
    fields=(RATE, SEED, DATA_FORMAT),
    rank=(4, 4),
    torch="torch.nn.Dropout2d",
)
define(
    "SpatialDropout3D",
    FAMILY,
    "Dropout of whole channels of a volume.",
    output="input",
    fields=(RATE, SEED, DATA_FORMAT),
    rank=(5, 5),
    torch="torch.nn.Dropout3d",
)
define(
    "GaussianNoise",
    FAMILY,
    "While training, adds normally distributed noise of mean 0; else yields its input.",
    output="input",
    fields=(Field("stddev", NOT_NEGATIVE, "Standard deviation of the noise."), SEED),
)
define(
    "GaussianDropout",
    FAMILY,
    "While training, multiplies by normally distributed noise of mean 1 and variance rate / (1 - rate); else yields its input.",
    output="input",
    fields=(Field("rate", FRACTION, "As in Dropout: it gives the variance."), SEED),
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
            optional(
                Kind(
                    "list of integers or nulls",
                    {"type": "array", "items": {"type": ["integer", "null"], "minimum": 1}, "maxItems": 32},
                )
            ),
            "As in Dropout.",
            None,
        ),
        SEED,
    ),
    torch="torch.nn.AlphaDropout",
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
)
