"""The type that takes texts apart and looks their tokens up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from triptych.model import Json, Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, define
from triptych.vocabulary.encoding import output_mode
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import text
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.kinds import SIZE, Kind, choice, optional
from triptych.vocabulary.lookup import TEXT, TF_IDF, WEIGHTS, look_up, looked_up, members
from triptych.vocabulary.tokenizing import tokenized

FAMILY = "Text"
AS_LOOKUP: Mapping[str, Json] = {"num_oov_indices": 1, "mask_token": "", "oov_token": "[UNK]", "invert": False}
"""What a TextVectorization is as a StringLookup."""


def _vectorized(call: LayerCall) -> Shape:
    """The shape of what a TextVectorization yields."""
    config, shape = call.config, call.input
    if config["split"] is None:
        if len(shape) != 2:
            raise ShapeError(f"expected an input of rank 2, tokens, where nothing is split, got {text(shape)}")
    elif len(shape) > 2 or (len(shape) == 2 and shape[1] not in (1, None)):
        raise ShapeError(f"expected one text for each of the batch, got {text(shape)}")
    length, indices = config["output_sequence_length"], config["output_mode"] == "int"
    if length is not None and not indices:
        raise ShapeError(f"expected an output_sequence_length for int only, got {length} for {config['output_mode']}")
    if length is None and config["split"] is None:
        count = shape[1]
        length = (
            count if config["ngrams"] is None or count is None else sum(max(count - width + 1, 0) for width in config["ngrams"])
        )
    return looked_up(replace(call, config={**config, **AS_LOOKUP}, inputs=((shape[0], length),)))


def _vectorize(call: Evaluation) -> Array:
    config, length = call.config, call.config["output_sequence_length"]
    texts = call.input if config["split"] is None else call.input.reshape(len(call.input))
    rows = tokenized(texts.tolist(), config)
    width = max(map(len, rows), default=0) if length is None else length
    tokens = np.full((len(rows), width), "", object)
    for row, found in enumerate(rows):
        tokens[row, : len(found)] = found[:width]
    return look_up(replace(call, config={**config, **AS_LOOKUP}, inputs=(tokens,)), integers=False)


_LOOKED_UP = {one.name: one for one in members(TEXT, "")}
define(
    "TextVectorization",
    FAMILY,
    "Takes texts apart and replaces each token by its place in a vocabulary.",
    words="`int`: batch and `output_sequence_length`, or else as many as the longest text has tokens, known only where `split` is null: the extent n of axis 1, or with `ngrams` the sum of max(n - width + 1, 0); else batch and number of indices, or `max_tokens`",
    rule=_vectorized,
    fields=(
        Field(
            "standardize",
            optional(choice("lower_and_strip_punctuation", "lower", "strip_punctuation")),
            "What is done to a text first: letters A to Z made small, the punctuation of ASCII taken away, or both; null: nothing.",
            "lower_and_strip_punctuation",
        ),
        Field(
            "split",
            optional(choice("whitespace", "character")),
            "Where tokens end: at runs of ASCII's white space, or after each character; null: the input is tokens, along axis 1.",
            "whitespace",
        ),
        Field(
            "ngrams",
            optional(Kind("array of integers ≥ 1", {"type": "array", "items": SIZE.schema, "minItems": 1, "maxItems": 32})),
            "Widths: in place of the tokens, all neighbouring ones of each width, joined with a space; null: the tokens themselves.",
            None,
        ),
        Field(
            "output_sequence_length", optional(SIZE), "How many indices `int` yields: the first ones, or 0 behind the last.", None
        ),
        _LOOKED_UP["vocabulary"],
        _LOOKED_UP["vocabulary_size"],
        output_mode("int", "multi_hot", "count", "tf_idf", default="int", more=TF_IDF),
        *(_LOOKED_UP[name] for name in ("max_tokens", "pad_to_max_tokens", "idf_weights", "output_dtype")),
    ),
    weights=WEIGHTS,
    equation='as StringLookup with the mask_token "" and one index for unknown tokens, of the tokens of each text, with "" behind them up to the longest',
    takes_as_given=True,
    formula=_vectorize,
    mask=drop_mask,
    takes_strings=True,
)
