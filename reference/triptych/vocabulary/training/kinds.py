"""The kinds of values that only members of training configs take."""

from __future__ import annotations

from triptych.model import Json
from triptych.vocabulary.kinds import EXTENSION, LARGEST, Kind

TEXT = Kind("string of ≤ 1024 characters", {"type": "string", "maxLength": 1024})
COUNT = Kind("integer ≥ 0", {"type": "integer", "minimum": 0, "maximum": LARGEST})
FRACTIONS = Kind(
    "number in 0…1 \\| array of them",
    {"type": ["number", "array"], "minimum": 0, "maximum": 1, "items": {"type": "number", "minimum": 0, "maximum": 1}},
    "a number in 0…1 or an array of them",
)
NUMBERS = Kind("array of numbers", {"type": "array", "items": {"type": "number"}})
NUMBER_OR_NUMBERS = Kind("number \\| array of numbers", {"type": ["number", "array"], "items": {"type": "number"}})
RATES = Kind("array of ≥ 1 × number ≥ 0", {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 1})
BOUNDARIES = Kind("array of ≥ 1 × integer ≥ 0", {"type": "array", "items": dict(COUNT.schema), "minItems": 1})
BELOW_ONE = Kind("number in 0…1, not 1", {"type": "number", "minimum": 0, "exclusiveMaximum": 1})
AT_LEAST_ONE = Kind("number ≥ 1", {"type": "number", "minimum": 1})
NOT_POSITIVE = Kind("number ≤ 0", {"type": "number", "maximum": 0})
SCHEDULES = (
    *("Constant", "ExponentialDecay", "InverseTimeDecay", "PolynomialDecay", "PiecewiseConstantDecay", "CosineDecay"),
    *("CosineDecayRestarts", "StepDecay", "LinearWarmup", "OneCycle", "ReduceOnPlateau"),
)
_SCHEDULE: dict[str, Json] = {
    "type": "object",
    "properties": {"type": {"anyOf": [{"enum": list(SCHEDULES)}, EXTENSION]}, "config": {"type": "object"}},
    "required": ["type"],
    "additionalProperties": False,
}
SCHEDULED = Kind(
    "number ≥ 0 \\| schedule",
    {**_SCHEDULE, "type": ["number", "object"], "minimum": 0},
    f"a number of at least 0, or a schedule as an object with a type ({', '.join(SCHEDULES)} or <namespace>:<name>) and a config",
    "learning_rate",
)
"""A learning rate."""
