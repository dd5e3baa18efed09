"""Config members that many types share, each written once."""

from __future__ import annotations

from triptych.vocabulary.definition import REQUIRED, Field
from triptych.vocabulary.kinds import (
    ACTIVATION,
    BOOLEAN,
    CONSTRAINT,
    FRACTION,
    INITIALIZER,
    INTEGER,
    POSITIVE,
    REGULARIZER,
    choice,
    optional,
)

DATA_FORMAT = Field(
    "data_format",
    choice("channels_last", "channels_first"),
    "Where the channels axis stands: last, or right after the batch.",
    "channels_last",
)
ACTIVATION_MEMBER = Field("activation", ACTIVATION, "Applied to the result, element by element unless it says otherwise.", "linear")
USE_BIAS = Field("use_bias", BOOLEAN, "Whether a bias is added.", default=True)
ACTIVITY_REGULARIZER = Field("activity_regularizer", REGULARIZER, "Penalty on the result, added to the loss.", None)
SEED = Field("seed", optional(INTEGER), "Seed of its random numbers; null: any.", None)
RATE = Field("rate", FRACTION, "Fraction that is dropped while training.")
EPSILON = Field("epsilon", POSITIVE, "Added to the variance before its square root is taken.")


def initializer(role: str) -> Field:
    """The initializer of a weight."""
    return Field(f"{role}_initializer", INITIALIZER, f"Initializer of the {words(role)}; null: not said.", None)


def regularizer(role: str) -> Field:
    """The regularizer of a weight."""
    return Field(f"{role}_regularizer", REGULARIZER, f"Penalty on the {words(role)}, added to the loss.", None)


def constraint(role: str) -> Field:
    """The constraint of a weight."""
    return Field(f"{role}_constraint", CONSTRAINT, f"What the {words(role)} is projected to after each update.", None)


def weight_members(*roles: str, activity: bool = True) -> tuple[Field, ...]:
    """Initializers, regularizers and constraints of the weights `roles`, in Keras' order."""
    return (
        *(initializer(role) for role in roles),
        *(regularizer(role) for role in roles),
        *([ACTIVITY_REGULARIZER] if activity else []),
        *(constraint(role) for role in roles),
    )


def decisive_activation(name: str, doc: str) -> Field:
    """An activation that frameworks default differently, so that a config says it."""
    return Field(name, ACTIVATION, doc, REQUIRED)


def words(role: str) -> str:
    """A role as words."""
    return role.replace("_", " ")
