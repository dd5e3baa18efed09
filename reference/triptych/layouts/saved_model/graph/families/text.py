"""The emitter of the type that takes texts apart and looks their tokens up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import cast
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.families.lookup import look_up
from triptych.layouts.saved_model.graph.shaping import expand, extent, index, reshape, squeeze, steps
from triptych.layouts.saved_model.graph.values import Value
from triptych.vocabulary.arrays import np
from triptych.vocabulary.vectorization import AS_LOOKUP

PUNCTUATION = "[!-/:-@\\[-`{-~]"
"""The punctuation of ASCII, as an expression."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Tokens of several texts, one after the other."""

    tokens: Value
    splits: Value
    """Where each text begins, and where the last one ends; int64."""


@emits("TextVectorization")
def _vectorized(call: Emission) -> Value:
    config, x = call.config, _standardized(call.input, call.config["standardize"])
    match config["split"]:
        case None:
            rows = _given(x)
        case "whitespace":
            rows = _words(reshape(x, [-1]))
        case _:
            rows = _characters(reshape(x, [-1]))
    if config["ngrams"] is not None:
        rows = _n_grams(rows, config["ngrams"])
    tokens = _side_by_side(rows, call.input.shape[0], config["output_sequence_length"])
    return look_up(replace(call, config={**config, **AS_LOOKUP}, inputs=(tokens,)), integers=False)


def _standardized(x: Value, how: str | None) -> Value:
    """Texts as the member `standardize` says; only letters of ASCII have a lower case here."""
    if how in {"lower", "lower_and_strip_punctuation"}:
        x = x.body.one("StringLower", [x], "string", x.shape, encoding="")
    if how in {"strip_punctuation", "lower_and_strip_punctuation"}:
        x = x.body.one("StaticRegexReplace", [x], "string", x.shape, pattern=PUNCTUATION, rewrite="", replace_global=True)
    return x


def _given(x: Value) -> _Rows:
    """What the input holds along axis 1."""
    begins = steps(x, extent(x, 0) + 1) * extent(x, 1)
    return _Rows(reshape(x, [-1]), cast(begins, "int64"))


def _words(x: Value) -> _Rows:
    """What stands between runs of ASCII's white space."""
    separator = x.body.made("", "string")
    places, words, _ = x.body.node("StringSplitV2", [x, separator], [("int64", (None, 2)), ("string", (None,)), ("int64", (2,))])
    texts = cast(steps(x, extent(x, 0) + 1), "int64")
    given = [expand(index(places, 1, 0), 0), expand(texts, 0)]
    splits = x.body.one("LowerBound", given, "int64", (1, *texts.shape), T=Type("int64"), out_type=Type("int64"))
    return _Rows(words, squeeze(splits, [0]))


def _characters(x: Value) -> _Rows:
    """Each character; what is none counts as U+FFFD."""
    splits, points = x.body.node("UnicodeDecode", [x], [("int64", (None,)), ("int32", (None,))], input_encoding="UTF-8", Tsplits=Type("int64"))
    each = cast(steps(points, extent(points, 0) + 1), "int64")
    tokens = x.body.one("UnicodeEncode", [points, each], "string", (None,), output_encoding="UTF-8", Tsplits=Type("int64"))
    return _Rows(tokens, splits)


def _n_grams(rows: _Rows, widths: list[int]) -> _Rows:
    """For each of `widths`, every so many neighbouring tokens, joined with a space."""
    more: dict[str, Any] = {"separator": " ", "ngram_widths": widths, "left_pad": "", "right_pad": "", "pad_width": 0, "preserve_short_sequences": False}
    given = [rows.tokens, rows.splits]
    tokens, splits = rows.tokens.body.node("StringNGrams", given, [("string", (None,)), ("int64", (None,))], Tsplits=Type("int64"), **more)
    return _Rows(tokens, splits)


def _side_by_side(rows: _Rows, batch: int | None, length: int | None) -> Value:
    """The first `length` tokens of each text, or all, with "" behind them up to the longest."""
    body = rows.tokens.body
    given = [body.constant(np.asarray([-1, length or -1], np.int64)), rows.tokens, body.made("", "string"), rows.splits]
    more = {"num_row_partition_tensors": 1, "row_partition_types": ["ROW_SPLITS"], "T": Type("string"), "Tindex": Type("int64"), "Tshape": Type("int64")}
    return body.one("RaggedTensorToTensor", given, "string", (batch, length), **more)
