"""The kinds of values that members of a layer's config take: how tables name them, and their JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triptych.model import Json

LARGEST = 2**53 - 1
EXTENSION_TYPE = r"^[a-z][a-z0-9_.\-]*:\S.*$"
"""``<namespace>:<name>``: a type that the vocabulary does not define."""
EXTENSION = {"title": "an extension type <namespace>:<name>", "type": "string", "pattern": EXTENSION_TYPE, "maxLength": 1024}
ACTIVATIONS = (
    *(
        "linear",
        "relu",
        "relu6",
        "sigmoid",
        "tanh",
        "softmax",
        "log_softmax",
        "softplus",
        "softsign",
        "elu",
        "selu",
        "gelu",
        "gelu_tanh",
    ),
    *("silu", "mish", "exponential", "leaky_relu", "hard_sigmoid", "hard_sigmoid_keras2", "hard_silu", "hard_tanh", "hard_shrink"),
    *("soft_shrink", "tanh_shrink", "log_sigmoid", "squareplus", "sparse_plus", "sparse_sigmoid", "sparsemax"),
)
INITIALIZERS = (
    *("Zeros", "Ones", "Constant", "Identity", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Orthogonal"),
    *("GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"),
)
REGULARIZERS = ("L1", "L2", "L1L2", "OrthogonalRegularizer")
CONSTRAINTS = ("MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm")


@dataclass(frozen=True, slots=True)
class Kind:
    """A set of JSON values."""

    text: str
    """As the tables of the specification name it."""
    schema: Mapping[str, Json]
    said: str = ""
    """As a message names it, where that differs."""
    anchor: str = ""
    """Its name in ``kinds.schema.json``, where the schemas of many types refer to it."""

    @property
    def title(self) -> str:
        """What a message says is expected."""
        return self.said or self.text.replace("`", "").replace("\\|", "or")

    def member(self, requirement: str, description: str) -> dict[str, Json]:
        """The schema of a member of a config that takes it."""
        if self.anchor:
            return {"$comment": f"req: {requirement}", "description": description, "$ref": f"../kinds.schema.json#{self.anchor}"}
        return {"$comment": f"req: {requirement}", "title": self.title, "description": description, **self.schema}


BOOLEAN = Kind("boolean", {"type": "boolean"}, "true or false")
NUMBER = Kind("number", {"type": "number"})
POSITIVE = Kind("number > 0", {"type": "number", "exclusiveMinimum": 0})
FRACTION = Kind("number in 0…1", {"type": "number", "minimum": 0, "maximum": 1})
NOT_NEGATIVE = Kind("number ≥ 0", {"type": "number", "minimum": 0})
INTEGER = Kind("integer", {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST})
SIZE = Kind("integer ≥ 1", {"type": "integer", "minimum": 1, "maximum": LARGEST})
AXIS = Kind("axis", {"type": "integer", "minimum": -32, "maximum": 31})
AXES = Kind("axes", {"type": "array", "items": AXIS.schema, "minItems": 1, "maxItems": 32})
AXIS_OR_AXES = Kind(
    "axis or axes",
    {
        "type": ["integer", "array"],
        **{key: AXIS.schema[key] for key in ("minimum", "maximum")},
        **{key: AXES.schema[key] for key in ("items", "minItems", "maxItems")},
    },
)


def choice(*names: str) -> Kind:
    """One of `names`."""
    return Kind(" \\| ".join(f"`{name}`" for name in names), {"enum": list(names)})


def sizes(rank: int) -> Kind:
    """`rank` integers of at least 1, one for each spatial axis."""
    return _integers(rank, 1)


def open_sizes(rank: int) -> Kind:
    """`rank` integers of at least 1, or nulls."""
    item = {**SIZE.schema, "type": ["integer", "null"]}
    return Kind(f"array of {rank} × (integer ≥ 1 \\| null)", {"type": "array", "items": item, "minItems": rank, "maxItems": rank})


def counts(rank: int) -> Kind:
    """`rank` integers of at least 0."""
    return _integers(rank, 0)


def _integers(rank: int, least: int) -> Kind:
    schema = {"type": "array", "items": {**SIZE.schema, "minimum": least}, "minItems": rank, "maxItems": rank}
    return Kind(f"array of {rank} × integer ≥ {least}", schema)


def pairs(rank: int) -> Kind:
    """`rank` pairs (begin, end), one for each spatial axis."""
    return Kind(f"array of {rank} × [begin, end]", {"type": "array", "items": counts(2).schema, "minItems": rank, "maxItems": rank})


def padding(rank: int, *, causal: bool = False) -> Kind:
    """A padding rule by name, or explicit pairs."""
    names = choice("valid", "same_upper", "same_lower", *(["causal"] if causal else []))
    explicit = pairs(rank)
    return Kind(f"{names.text} \\| {explicit.text}", {"anyOf": [names.schema, explicit.schema]})


def optional(kind: Kind) -> Kind:
    """`kind` or null."""
    types = kind.schema.get("type")
    if types is None:
        schema: dict[str, Json] = {"anyOf": [*kind.schema.get("anyOf", [kind.schema]), {"type": "null"}]}
    else:
        schema = {**kind.schema, "type": [*([types] if isinstance(types, str) else types), "null"]}
    return Kind(f"{kind.text} \\| null", schema, f"{kind.title} or null")


def _component(names: tuple[str, ...]) -> dict[str, Json]:
    """A typed, parameterised object whose type is one of `names` or an extension type."""
    return {
        "type": "object",
        "properties": {
            "type": {"anyOf": [{"enum": list(names)}, EXTENSION]},
            "config": {"type": "object"},
        },
        "required": ["type"],
        "additionalProperties": False,
    }


def component(text: str, names: tuple[str, ...]) -> Kind:
    """An initializer, regularizer or constraint; null where none is said."""
    said = f"{text} as an object with a type ({', '.join(names)} or <namespace>:<name>) and a config, or null"
    return Kind(f"{text} \\| null", {**_component(names), "type": ["object", "null"]}, said, text)


INITIALIZER = component("initializer", INITIALIZERS)
REGULARIZER = component("regularizer", REGULARIZERS)
CONSTRAINT = component("constraint", CONSTRAINTS)
ACTIVATION = Kind(
    "activation",
    {
        "anyOf": [
            {"enum": list(ACTIVATIONS)},
            EXTENSION,
            {
                "type": "object",
                "properties": {"type": {"type": "string"}, "config": {"type": "object"}},
                "required": ["type"],
                "additionalProperties": False,
            },
        ]
    },
    f"an activation ({', '.join(ACTIVATIONS)} or <namespace>:<name>), or an object with type and config",
    "activation",
)
