"""Rows of lookups and bins, for either Keras: indices and what is made of them, strings and integers, known and unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from common import EXACT, Array, Json, Row, document, layer

WORDS = ["the", "of", "naïve", "?"]
LONG = "a text that is so long that it is more than 64 bytes, and so takes a loop"
TEXTS = np.asarray([["the", "?", "x"], ["naïve", "of", "of"]])
UNKNOWN = np.asarray([["the", "", "x", "four", "thirteen text"], ["a text of 17 to 32 bytes", "a longer text of 33 to 64 bytes, ö", LONG, LONG + LONG, "of"]])
NUMBERS = [12, 36, -7, 0]
INTEGERS = np.asarray([[12, 0, 5], [-7, -9, -7]], "int64")
MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
WEIGHTS = [0.5, 1.25, 0.75, 3.0, 0.125]
ASSET = "assets/words.txt"


def asked(layers: Any, slug: str, title: str, type_: str, config: Mapping[str, Json], said: Mapping[str, Json], x: Array, **more: Any) -> Row:
    """One layer of `layers` made with the arguments `said`, for a config of ours."""
    one = getattr(layers, type_)(**said)
    name = layers.__name__.split(".", maxsplit=1)[0]
    return Row(slug, title, document([layer(type_, config)], {"x": x}), more.pop("weights", {}), {"x": x}, lambda: [np.asarray(one(x))],
               f"{name}.layers.{type_}({dict(said)})", tolerance=EXACT, **more)


def lookups(layers: Any, type_: str, words: list[Json], x: Array, encoded: Mapping[str, Json], end: str) -> Iterator[Row]:
    """Every mode; `encoded` is what a config says of the dtype of what is encoded."""
    stem, what = type_.lower(), "Strings" if type_ == "StringLookup" else "Integers"
    unknown = "[UNK]" if type_ == "StringLookup" else -1
    for mode in MODES:
        config: dict[str, Json] = {"vocabulary": words, **({"output_mode": mode} if mode != "int" else {})}
        given = x.reshape(6, 1) if mode == "one_hot" else x
        said = dict(config)
        if mode == "tf_idf":
            config["idf_weights"] = WEIGHTS
            # Keras takes a weight for the index of unknown tokens, too, where the vocabulary begins with their token.
            said |= {"idf_weights": WEIGHTS, "vocabulary": [unknown, *words]}
        elif mode != "int":
            config |= encoded
        yield asked(layers, f"{stem}-{mode.replace('_', '-')}{end}", f"{what} looked up, {mode}", type_, config, said, given)
    masked = {"vocabulary": words[:3], "mask_token": words[3]}
    yield asked(layers, f"{stem}-mask{end}", f"{what} looked up, with one that is masked", type_, masked, masked, x)
    counted = {**masked, "output_mode": "count"}
    yield asked(layers, f"{stem}-mask-count{end}", f"{what} counted, but for one that is masked", type_, {**counted, **encoded}, counted, x)
    padded = {"vocabulary": words, "output_mode": "multi_hot", "max_tokens": 7, "pad_to_max_tokens": True}
    yield asked(layers, f"{stem}-padded{end}", f"{what} looked up, the result padded", type_, {**padded, **encoded}, padded, x)
    if type_ == "StringLookup" and not end:
        config = {"vocabulary": words, "num_oov_indices": 9973}
        lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 66, 127, 128, 129, 130, 192]
        lines = np.asarray([["".join(chr(33 + (7 * place + length) % 90) for place in range(length)) for length in lengths]])
        yield asked(layers, f"{stem}-fingerprints{end}", "Tokens of every length have fingerprints", type_, config, config, lines)
    back = {"vocabulary": words, "invert": True, "num_oov_indices": 2}
    places = np.asarray([[0, 1, 2], [5, 6, -1]], "int64")
    yield asked(layers, f"{stem}-inverted{end}", f"Indices replaced by {what.lower()}", type_, back, back, places)
    back |= {"mask_token": "<none>" if type_ == "StringLookup" else 99}
    yield asked(layers, f"{stem}-inverted-mask{end}", f"Indices replaced by {what.lower()}, 0 being masked", type_, back, back, places)


def texts(layers: Any, encoded: Mapping[str, Json], end: str) -> Iterator[Row]:
    """Texts taken apart."""
    given = np.asarray(["The cat, the DOG!\ton\nthe  mat.", "", "\u00c4 cat\u00a0dog it's a_b"])
    words = ["the", "cat", "dog", "\u00c4", "its", "a_b", "the cat", "t"]
    for slug, title, more in (
        ("int", "Words of texts looked up", {}), ("length", "Five indices of each text", {"output_sequence_length": 5}),
        ("lower", "Only ASCII has small letters", {"standardize": "lower"}), ("punctuation", "Punctuation is taken away", {"standardize": "strip_punctuation"}),
        ("characters", "Characters of texts looked up", {"split": "character", "standardize": None}), ("count", "Words of texts counted", {"output_mode": "count"}),
        ("padded", "Words of texts, the result padded", {"output_mode": "multi_hot", "max_tokens": 12, "pad_to_max_tokens": True}),
    ):
        config: dict[str, Json] = {"vocabulary": words, **more}
        said = encoded if "output_mode" in config else {}
        yield asked(layers, f"textvectorization-{slug}{end}", title, "TextVectorization", {**config, **said}, config, given)
    config = {"vocabulary": words, "ngrams": [2, 1]}
    yield asked(layers, f"textvectorization-ngrams{end}", "Pairs of words and words looked up", "TextVectorization", config, {**config, "ngrams": (2, 1)}, given)
    config = {"vocabulary": words, "split": None, "output_sequence_length": 4}
    yield asked(layers, f"textvectorization-tokens{end}", "Tokens looked up as they come", "TextVectorization", config, config, np.asarray([["The", "cat", ""], ["dog!", "", "x"]]))
    config = {"vocabulary": words, "output_mode": "tf_idf"}
    weights = [0.5, 1.25, 0.75, 3.0, 0.125, 2.0, 0.25, 1.0, 0.625]
    yield asked(layers, f"textvectorization-tf-idf{end}", "Words of texts counted and weighed", "TextVectorization", {**config, "idf_weights": weights},
                {**config, "vocabulary": ["[UNK]", *words], "idf_weights": weights}, given)


def rows(layers: Any, *, keras2: bool) -> Iterator[Row]:
    """All of them, by the layers of one Keras."""
    end = "-keras2" if keras2 else ""
    encoded = {} if keras2 else {"output_dtype": "int64"}
    yield from lookups(layers, "StringLookup", WORDS, TEXTS, encoded, end)
    yield from lookups(layers, "IntegerLookup", NUMBERS, INTEGERS, encoded, end)
    yield from texts(layers, encoded, end)
    bins = {"bin_boundaries": [0.0, 0.5, 2.0]}
    numbers = np.asarray([[-2.0, 0.0, 0.5], [0.25, 1.0, 9.0]], "float32")
    integer = {} if keras2 else {"output_dtype": "int32"}
    yield asked(layers, f"discretization-int{end}", "Numbers put into bins", "Discretization", {**bins, **integer}, bins, numbers)
    several = {"vocabulary": NUMBERS, "num_oov_indices": 3}
    yield asked(layers, f"integerlookup-several-unknown{end}", "Unknown integers share three indices by value", "IntegerLookup", several, several, np.arange(-6, 6).reshape(2, 6))
    several = {"vocabulary": WORDS, "num_oov_indices": 100}
    yield asked(layers, f"stringlookup-several-unknown{end}", "Unknown strings share indices by fingerprint, at any length", "StringLookup", several, several, UNKNOWN)
    if keras2:
        whole, said = layer("Discretization", {**bins, "output_dtype": "int32"}, dtype="int32"), {**bins, "dtype": "int32"}
        one = layers.Discretization(**said)
        yield Row("discretization-int32-keras2", "Numbers put into bins by a layer of integers", document([whole], {"x": numbers}), {}, {"x": numbers},
                  lambda: [np.asarray(one(numbers))], f"tf_keras.layers.Discretization({said})", tolerance=EXACT)
        return
    hashed = {**several, "vocabulary": NUMBERS, "oov_method": "farmhash"}
    yield asked(layers, "integerlookup-farmhash", "Unknown integers share indices by fingerprint", "IntegerLookup", hashed, hashed, np.arange(-6, 6).reshape(2, 6))
    listed = {"vocabulary": {"asset": ASSET}, "num_oov_indices": 2}
    yield asked(layers, "stringlookup-asset", "The vocabulary is an asset", "StringLookup", listed, {**listed, "vocabulary": WORDS}, TEXTS, assets={ASSET: "".join(f"{word}\n" for word in WORDS)})
    listed = {"vocabulary": {"asset": ASSET}, "mask_token": 0}
    yield asked(layers, "integerlookup-asset", "The vocabulary is an asset of integers", "IntegerLookup", listed, {**listed, "vocabulary": NUMBERS[:3]}, INTEGERS, assets={ASSET: "12\n36\n-7\n"})
    weighed = {"vocabulary": WORDS, "output_mode": "tf_idf"}
    yield asked(layers, "stringlookup-tf-idf-weight", "What tf_idf multiplies by is a weight", "StringLookup", {**weighed, "vocabulary_size": 5}, {**weighed, "vocabulary": ["[UNK]", *WORDS], "idf_weights": WEIGHTS}, TEXTS,
                weights={"layer.idf_weights": np.asarray(WEIGHTS, "float32")})
