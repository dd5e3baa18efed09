"""Lookups in a served graph: tables are filled when it is loaded, unknown tokens are shared out or refused, texts are taken apart as the evaluator does."""

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from triptych.errors import ConversionError
from triptych.layouts.saved_model import writer
from triptych.model import Architecture, Input, Layer, Panels
from triptych.vocabulary.evaluator import evaluate
from triptych.vocabulary.lookup_tokens import asset_of

sys.path.insert(0, str(Path(__file__).parent))  # where serving is

import serving

WORDS = ["the", "cat", "größe", "日本", " ", "a b", ""]
TEXTS = ["The CAT!", " tabs\tand\nlines \v\f", "größe 日本 GRÖSSE", "", "...", "a.b,c 'quoted' [UNK]", "日本日本", "a_b-c"]


def example(kind, config, array, assets=None):
    """An example of one lookup."""
    x = np.asarray(array, object if isinstance(np.asarray(array).flat[0], str) else "int64")
    dtype = "string" if x.dtype == object else "int64"
    graph = Architecture((Layer("x", kind, config),), (Input("in", (None, *x.shape[1:]), dtype),))
    expected = evaluate(graph, {}, [x], assets=assets or {}).outputs
    return serving.Example(f"{kind} {config}", Panels(architecture=graph, assets=assets or {}), (x,), tuple(expected))


def examples():
    spelled = np.array([*WORDS, *TEXTS, "x" * 20, "y" * 40, "z" * 100]).reshape(-1, 1).tolist()
    for config in ({}, {"num_oov_indices": 3}, {"mask_token": "cat"}, {"mask_token": "cat", "output_mode": "count", "num_oov_indices": 2}, {"max_tokens": 20, "pad_to_max_tokens": True, "output_mode": "multi_hot"}):
        words = [one for one in WORDS[:4] if one != config.get("mask_token")]
        yield example("StringLookup", {"vocabulary": words, **config}, spelled)
        yield example("StringLookup", {"vocabulary": {"asset": "words.txt"}, **config}, spelled, {"words.txt": asset_of(words)})
    yield example("StringLookup", {"vocabulary": ["b", "a"], "num_oov_indices": 0}, [["a", "b"]])
    yield example("StringLookup", {"vocabulary": ["größe", "a"], "invert": True, "oov_token": "?", "mask_token": "日"}, [[-1, 0, 1, 2, 3, 4]])
    for method in ("floormod", "farmhash"):
        yield example("IntegerLookup", {"vocabulary": [5, -7], "num_oov_indices": 4, "oov_method": method}, [[5, -7, 0, 2**62, -(2**62), -1]])
    for config in (
        {},
        {"standardize": None, "split": "character"},
        {"standardize": "lower", "ngrams": [2, 1], "output_sequence_length": 4},
        {"standardize": "strip_punctuation", "output_mode": "count", "ngrams": [3]},
        {"split": "character", "ngrams": [2], "output_mode": "multi_hot", "max_tokens": 12, "pad_to_max_tokens": True},
        {"output_sequence_length": 9},
        {"output_mode": "tf_idf", "idf_weights": [0.5, 1.5, 2.5, 3.5, 4.5]},
    ):
        yield example("TextVectorization", {"vocabulary": ["cat", "the cat", "b", "日本"], **config}, TEXTS)
    for config in ({}, {"ngrams": [2]}, {"ngrams": [4, 1], "output_sequence_length": 2}):
        yield example("TextVectorization", {"vocabulary": ["cat", "the cat"], "split": None, **config}, [["The", "cat!", "sat"], ["", "the", "CAT"]])


def test_what_is_looked_up_is_what_the_evaluator_finds(tmp_path):
    """Every way to share out unknown tokens, to mask, to encode and to take texts apart, of any script."""
    some = list(examples())
    panels = serving.joined(some)
    writer.write(panels, tmp_path / "model")
    served = iter(serving.serve(tmp_path / "model", panels, [array for one in some for array in one.inputs]))
    assert {one.title: error for one in some for wanted in one.outputs if (error := serving.relative_error(next(served), wanted)) > 1e-5} == {}


def test_a_token_without_an_index_is_refused_when_it_comes(tmp_path):
    """As the evaluator refuses it: there is no index for unknown tokens."""
    found = example("StringLookup", {"vocabulary": ["a", "b"], "num_oov_indices": 0}, [["a", "b"]])
    writer.write(found.panels, tmp_path / "model")
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected tokens of the vocabulary only"):
        serving.serve(tmp_path / "model", found.panels, [np.array([["a", "c"]], object)])


def test_tables_of_several_models_of_one_process_stay_apart(tmp_path):
    """A table goes by what it holds: whoever loads two models looks up in both. An input that has the name of a keyword of Python has another in the signature."""
    both = [example("StringLookup", {"vocabulary": vocabulary}, [["a", "b"]]) for vocabulary in (["a", "b"], ["b", "a"])]
    functions = []
    for number, one in enumerate(both):
        writer.write(one.panels, tmp_path / str(number))
        functions.append(tf.saved_model.load(str(tmp_path / str(number))))
    yielded = [one.signatures["serving_default"](in_=tf.constant([["a", "b"]]))["x"].numpy().tolist() for one in functions]
    assert yielded == [[[1, 2]], [[2, 1]]]
    assert list(functions[0].signatures) == ["serving_default"]


@pytest.mark.parametrize(
    ("kind", "config", "dtype", "message"),
    [
        ("StringLookup", {}, "string", "expected a vocabulary, got none"),
        ("StringLookup", {"vocabulary": {"asset": "gone"}}, "string", "expected the name of an asset"),
        ("IntegerLookup", {"vocabulary": [1, 2]}, "float32", "expected integers to look up, got float32"),
    ],
)
def test_what_cannot_be_looked_up_is_refused_by_name(tmp_path, kind, config, dtype, message):
    """Nothing is written."""
    graph = Architecture((Layer("look", kind, config),), (Input("in", (None, 2), dtype),))
    with pytest.raises(ConversionError, match=f"layer 'look': {message}"):
        writer.write(Panels(architecture=graph), tmp_path / "model")
    assert not list(tmp_path.iterdir())
