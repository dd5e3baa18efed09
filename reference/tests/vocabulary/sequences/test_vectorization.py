"""Texts become the indices that Keras makes of them, however they are standardised, split and joined."""

import itertools
import warnings

import numpy as np
import pytest
from sequence_judges import error, keras_of, record

import triptych
from triptych.model import Architecture, Input, Layer
from triptych.vocabulary import infer
from triptych.vocabulary.evaluator import evaluate

GENERATIONS = pytest.mark.parametrize("generation", ["tf_keras", "keras"])
TEXTS = np.array(["The cat, the DOG!  sat\ton\nthe mat.", "", "  ÄÖ cat\u00a0dog \u3000x\x1cy ", "it's a_b {c} ~d` [e] \\f/ - -- g-h cat dog"])
WORDS = ["the", "cat", "dog", "cat dog", "a", "c", "ä", "Ä", "it's", "its", "t", "the cat"]
MODES = [
    {}, {"output_sequence_length": 5}, {"output_mode": "multi_hot"}, {"output_mode": "count", "max_tokens": 20, "pad_to_max_tokens": True},
    {"output_mode": "tf_idf", "idf_weights": np.linspace(0.1, 1, 13).tolist()},
]


def agree(generation, config, x):
    import tensorflow as tf

    said = {**config, "vocabulary": ["[UNK]", *WORDS] if "idf_weights" in config else WORDS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.asarray(keras_of(generation).layers.TextVectorization(**said)(tf.constant(x)))
    widths = config.get("ngrams")
    ours = {**config, "vocabulary": WORDS, "ngrams": list(range(1, widths + 1)) if isinstance(widths, int) else widths and list(widths)}
    architecture = Architecture((Layer("layer", "TextVectorization", {**ours, "output_dtype": "int64" if generation == "keras" else None}),), (Input("x", (None, *x.shape[1:]), "string"),))
    (shape,) = infer(architecture).outputs
    got = evaluate(architecture, {}, [x]).outputs[0]
    assert all(known in (None, extent) for known, extent in zip(shape, got.shape, strict=True))
    assert got.dtype == expected.dtype
    record("TextVectorization", generation, str(config), error(got, expected))
    assert np.array_equal(got, expected)


@GENERATIONS
@pytest.mark.parametrize("standardize", ["lower_and_strip_punctuation", "lower", "strip_punctuation", None])
def test_texts(generation, standardize):
    """Only ASCII has capitals, punctuation and white space; a text without tokens is all padding."""
    for number, (split, ngrams) in enumerate(itertools.product(["whitespace", "character"], [None, 2, (2,), (3, 1)])):
        agree(generation, {"standardize": standardize, "split": split, "ngrams": ngrams, **MODES[number % 5]}, TEXTS if number % 3 else TEXTS[:, None])


@GENERATIONS
@pytest.mark.parametrize("ngrams", [None, 2])
@pytest.mark.parametrize("mode", [{}, {"output_sequence_length": 5}, {"output_sequence_length": 2}, {"output_mode": "count"}])
def test_tokens(generation, ngrams, mode):
    """Where nothing is split, each element is a token, and an empty one is masked."""
    agree(generation, {"split": None, "ngrams": ngrams, **mode}, np.array([["The", "cat", ""], ["dog", "cat", "!the"]]))


@pytest.mark.parametrize(("config", "shape"), [({}, (None, 2)), ({"split": None}, (None,)), ({"output_mode": "count", "output_sequence_length": 3}, (None,))])
def test_what_does_not_fit(config, shape):
    layer = Layer("layer", "TextVectorization", {"vocabulary": WORDS, **config})
    assert [one.requirement for one in infer(Architecture((layer,), (Input("x", shape, "string"),))).problems] == ["LYR-007"]


@GENERATIONS
def test_a_saved_one_computes_the_same_here_and_after_it_was_written_again(generation, tmp_path):
    """Keras keeps the widths of n-grams as a number, or as a list, which Keras 2 does not read back; a vocabulary may begin with reserved tokens."""
    import tensorflow as tf

    keras = keras_of(generation)
    listed = ["the", "cat"]
    arguments = [
        {"vocabulary": ["", "[UNK]", *listed], "ngrams": 2, "output_sequence_length": 4}, {"vocabulary": listed, "ngrams": (2, 1) if generation == "keras" else 3, "output_mode": "count"},
        {"vocabulary": listed, "output_mode": "tf_idf", "idf_weights": [0.5, 0.25]}, {"vocabulary": listed, "standardize": None, "split": "character"},
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        entering = keras.Input((1,), dtype="string", name="text")
        model = keras.Model(entering, [keras.layers.TextVectorization(**one)(entering) for one in arguments])
        expected = [np.asarray(one) for one in model(tf.constant(TEXTS[:, None]))]
        model.save(tmp_path / "model.h5")
        loaded = triptych.load(tmp_path / "model.h5")
        assert triptych.save(loaded, tmp_path / "again.h5") == ()
        again = keras.models.load_model(tmp_path / "again.h5")(tf.constant(TEXTS[:, None]))
    assert [layer.type for layer in loaded.architecture.layers] == ["TextVectorization"] * 4
    for wanted, got, other in zip(expected, loaded.predict(TEXTS[:, None]), again, strict=True):
        assert got.dtype == wanted.dtype
        assert np.array_equal(got, wanted)
        assert np.array_equal(np.asarray(other), wanted)
