"""Vocabularies are read from configs and assets alike, and FarmHash gives every text the fingerprint that TensorFlow gives it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.model import Tensor
from triptych.vocabulary.farmhash import fingerprint
from triptych.vocabulary.lookup_tokens import VocabularyError, asset_of, read_tokens, tokens_of

LISTED = {"vocabulary": {"asset": "assets/words.txt"}}


def asset(content):
    return {"assets/words.txt": Tensor("uint8", (len(content),), lambda: memoryview(content))}


@given(st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8")), min_size=1, unique=True))
def test_what_is_written_is_read_back(tokens):
    assert read_tokens(asset_of(tokens).read()) == tokens


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, unique=True))
def test_integers_are_read_back(tokens):
    assert read_tokens(asset_of(tokens).read(), integers=True) == tokens


def test_tokens_stand_in_the_config_in_an_asset_or_nowhere():
    assert tokens_of({"vocabulary": ["b", "a"]}, {}) == ["b", "a"]
    assert tokens_of(LISTED, asset("ä\n\n \r\n".encode())) == ["ä", "", " \r"]
    assert tokens_of({"vocabulary": None}, {}) is None


@pytest.mark.parametrize("tokens", [[], ["a\nb"], ["\ud800"]])
def test_what_no_asset_can_list_is_refused(tokens):
    with pytest.raises(ValueError, match=r"expected|surrogates"):
        asset_of(tokens)


@pytest.mark.parametrize(("config", "content", "requirement", "pointer"), [
    (LISTED, None, "LYR-036", "/vocabulary/asset"), (LISTED, b"a\xff\n", "LYR-037", None), (LISTED, b"a\nb", "LYR-037", None), (LISTED, b"", "LYR-037", None),
    (LISTED, b"a\nb\na\n", "LYR-038", None), ({**LISTED, "mask_token": ""}, b"\nb\n", "LYR-038", None),
    ({"vocabulary": ["a", "b", "b"]}, None, "LYR-038", "/vocabulary/2"), ({"vocabulary": [3, 0], "mask_token": 0}, None, "LYR-038", "/vocabulary/1"),
])
def test_a_faulty_vocabulary_is_refused_where_it_stands(config, content, requirement, pointer):
    with pytest.raises(VocabularyError) as caught:
        tokens_of(config, {} if content is None else asset(content))
    assert (caught.value.requirement, caught.value.pointer) == (requirement, pointer)


def test_fingerprints_are_those_of_tensorflow():
    """At every length at which the formula changes, and around it."""
    import tensorflow as tf

    draw = np.random.default_rng(0)
    texts = [draw.bytes(length) for length in (*range(140), 191, 192, 193, 256, 257, 1025) for _ in range(2)]
    expected = tf.fingerprint(texts, method="farmhash64").numpy().view("<u8")[:, 0]
    assert [fingerprint(text) for text in texts] == expected.tolist()
