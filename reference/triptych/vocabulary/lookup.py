"""Types that replace what a vocabulary lists by its place there."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.errors import Problem, UnsupportedError, UsageError, problem, shorten
from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.encoding import encode, encoded, output_dtype, output_mode
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import Extent
from triptych.vocabulary.farmhash import fingerprint
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.kinds import BOOLEAN, INTEGER, LARGEST, SIZE, Kind, choice, optional
from triptych.vocabulary.lookup_tokens import Tokens, VocabularyError, asset_named, tokens_of

FAMILY = "Lookup"


def masks(config: Mapping[str, Json]) -> int:
    """How many indices stand for masked elements: 1 or none."""
    return 1 if config["mask_token"] is not None and config["output_mode"] == "int" else 0


def number_of_indices(config: Mapping[str, Json], tokens: int) -> int:
    """How many indices there are with a vocabulary of so many tokens."""
    unknown: int = config["num_oov_indices"]
    return masks(config) + unknown + tokens


def size(config: Mapping[str, Json]) -> Extent:
    """How many indices there are, as far as the config says."""
    vocabulary = config["vocabulary"]
    if vocabulary is None or asset_named(vocabulary) is not None:
        said: Extent = config["vocabulary_size"]
        return said
    return number_of_indices(config, len(vocabulary))


def depth(config: Mapping[str, Json]) -> Extent:
    """The extent of what is encoded."""
    most: Extent = config["max_tokens"]
    return most if config["pad_to_max_tokens"] else size(config)


def looked_up(call: LayerCall) -> Shape:
    """The shape of what a lookup yields, once its config has been seen to hold together."""
    config = call.config
    mode, most, known, given = config["output_mode"], config["max_tokens"], size(config), config["idf_weights"]
    if config["invert"] and mode != "int":
        raise ShapeError(f"expected output_mode int to invert, got {mode}")
    if config["pad_to_max_tokens"] and most is None:
        raise ShapeError("expected max_tokens to pad to, got null")
    if most is not None and known is not None and known > most:
        raise ShapeError(f"expected at most {most} tokens, as max_tokens says, got {known} with those that are masked or unknown")
    if given is not None and (mode != "tf_idf" or (known is not None and len(given) != known)):
        raise ShapeError(f"expected idf_weights for tf_idf only, one for each of {known} indices, got {len(given)} for {mode}")
    return encoded(depth(config), call)


def _tokens(call: Evaluation, *, integers: bool) -> Tokens:
    try:
        tokens = tokens_of(call.config, call.assets, integers=integers)
    except VocabularyError as error:
        raise UnsupportedError((problem(error.requirement, "", str(error)),)) from error
    if tokens is None:
        message = "expected a vocabulary, got none: it is not known yet, or stands in another file"
        raise UnsupportedError((Problem("LAYER_NOT_EVALUABLE", "", "", message),))
    return tokens


def _unknown(token: str | int, buckets: int, method: str) -> int:
    """Which of several indices for unknown tokens `token` gets."""
    if isinstance(token, int) and method == "floormod":
        return token % buckets
    return fingerprint(str(token).encode("utf-8", "surrogateescape")) % buckets


def _indices(call: Evaluation, tokens: Tokens, elements: Tokens) -> list[int]:
    """The index of each of `elements`; -1 for a masked one that is to be encoded."""
    config, first = call.config, masks(call.config)
    buckets = config["num_oov_indices"]
    places: dict[str | int, int] = {token: index for index, token in enumerate(tokens, first + buckets)}
    if config["mask_token"] is not None:
        places[config["mask_token"]] = 0 if first else -1
    for token in dict.fromkeys(elements):
        if token not in places:
            if not buckets:
                raise UsageError(f"expected tokens of the vocabulary only, as there is no index for others, got {shorten(token)}")
            places[token] = first + (_unknown(token, buckets, config.get("oov_method", "farmhash")) if buckets > 1 else 0)
    return [places[element] for element in elements]


def look_up(call: Evaluation, *, integers: bool) -> Array:
    """What a lookup yields."""
    config, x = call.config, call.input
    tokens = _tokens(call, integers=integers)
    first = masks(config)
    if config["invert"]:
        start = first + config["num_oov_indices"]
        values = [config["mask_token"]] * first + [config["oov_token"]] * (start - first) + list(tokens) + [config["oov_token"]]
        index = x.astype(np.int64)
        place = np.where((index >= 0) & (index < len(values) - 1), index, len(values) - 1)
        return np.array(values, config["output_dtype"] or call.integers if integers else object)[place]
    indices = np.array(_indices(call, tokens, x.ravel().tolist()), np.int64).reshape(x.shape)
    count = config["num_oov_indices"] + len(tokens)
    extent = config["max_tokens"] if config["pad_to_max_tokens"] else count
    if config["output_mode"] != "tf_idf":
        return encode(indices, extent, call, dtype=config["output_dtype"])
    given = config["idf_weights"]
    weights = call.weights["idf_weights"] if given is None else np.asarray(given, call.dtype)
    return encode(indices, extent, call) * np.pad(weights, (0, extent - len(weights)))


def _look_up_strings(call: Evaluation) -> Array:
    return look_up(call, integers=False)


def _look_up_integers(call: Evaluation) -> Array:
    return look_up(call, integers=True)


TEXT = Kind("string", {"type": "string"})


def vocabulary(token: Kind) -> Field:
    """The member that lists tokens."""
    listed = {"type": "array", "items": token.schema, "minItems": 1}
    asset = {
        "type": "object",
        "properties": {"asset": {"type": "string", "minLength": 1, "maxLength": 1024}},
        "required": ["asset"],
        "additionalProperties": False,
    }
    kind = Kind(
        f'array of {token.text}s \\| `{{"asset": NAME}}` \\| null',
        {"anyOf": [listed, asset, {"type": "null"}]},
        f"an array of {token.text}s, an object that names an asset, or null",
    )
    return Field(
        "vocabulary", kind, "The tokens that have a place, or the asset that lists them; null: they are not known yet.", None
    )


VOCABULARY_SIZE = Field(
    "vocabulary_size",
    optional(SIZE),
    "How many indices there are, those of masked and unknown tokens included; null: not said.",
    None,
)
MAX_TOKENS = Field(
    "max_tokens", optional(Kind("integer ≥ 2", {**SIZE.schema, "minimum": 2})), "The most indices there may be; null: any.", None
)
PAD = Field("pad_to_max_tokens", BOOLEAN, "Whether what is encoded has the extent `max_tokens`.", default=False)
IDF_WEIGHTS = Field(
    "idf_weights",
    optional(Kind("array of ≥ 1 × number", {"type": "array", "items": {"type": "number"}, "minItems": 1})),
    "What `tf_idf` multiplies the count of each index by; null: a weight.",
    None,
)
_UNKNOWN = Kind("integer ≥ 0", {"type": "integer", "minimum": 0, "maximum": LARGEST})
TF_IDF = " `tf_idf` is `count` with each count multiplied by a weight."
MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
WEIGHTS = (
    Weight(
        "idf_weights", "[max_tokens]", when='output_mode == "tf_idf" and pad_to_max_tokens and not idf_weights', trainable=False
    ),
    Weight(
        "idf_weights",
        "[vocabulary_size]",
        when='output_mode == "tf_idf" and not pad_to_max_tokens and not idf_weights',
        trainable=False,
    ),
)


def members(token: Kind, unknown: Json, *more: Field) -> tuple[Field, ...]:
    """The config of a lookup."""
    return (
        vocabulary(token),
        VOCABULARY_SIZE,
        Field("num_oov_indices", _UNKNOWN, "How many indices stand for unknown tokens.", 1),
        Field("mask_token", optional(token), "A token that becomes 0, before all others, or, encoded, nothing; null: none.", None),
        Field("oov_token", token, "What an inverted lookup yields for an index of no token of the vocabulary.", unknown),
        *more,
        Field("invert", BOOLEAN, "Whether indices are replaced by tokens instead.", default=False),
        output_mode(*MODES, default="int", more=TF_IDF),
        MAX_TOKENS,
        PAD,
        IDF_WEIGHTS,
        output_dtype("integers and of what is encoded, but for `tf_idf`"),
    )


_EQUATION = "encoded as CategoryEncoding does; tf_idf = count × idf_weights, which are 0 beyond the last; inverted y = mask_token for 0 if m is 1, "
_WORDS = "`int`: input; `one_hot`: input, without a last extent of 1, and the number of indices; else batch and number of indices, or `max_tokens`"
define(
    "StringLookup",
    FAMILY,
    "Replaces a string by its place in a vocabulary.",
    words=_WORDS,
    rule=looked_up,
    fields=members(TEXT, "[UNK]"),
    weights=WEIGHTS,
    equation="index = m + num_oov_indices + place in vocabulary, or m + Fingerprint64(x), chapter 28, mod num_oov_indices for an x that is not in it; m is 1 if "
    f"there is a mask_token and output_mode is int, else 0; {_EQUATION}the token at its place, else oov_token",
    takes_as_given=True,
    formula=_look_up_strings,
    mask=drop_mask,
    takes_strings="not invert",
    yields_strings="invert",
)
define(
    "IntegerLookup",
    FAMILY,
    "Replaces an integer by its place in a vocabulary.",
    words=_WORDS,
    rule=looked_up,
    fields=members(
        INTEGER,
        -1,
        Field(
            "oov_method",
            choice("floormod", "farmhash"),
            "Which of several indices an unknown token gets: x mod their number, or the fingerprint of its decimal digits mod their number.",
            "floormod",
        ),
    ),
    weights=WEIGHTS,
    equation="index = m + num_oov_indices + place in vocabulary, or m + h mod num_oov_indices for an x that is not in it, where h is x or, for farmhash, "
    f"Fingerprint64, chapter 28, of its decimal digits; m is 1 if there is a mask_token and output_mode is int, else 0; {_EQUATION}the integer at its place, else oov_token",
    takes_as_given=True,
    formula=_look_up_integers,
    mask=drop_mask,
)
