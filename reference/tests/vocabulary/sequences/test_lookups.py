"""Lookups compute what Keras computes: in every mode, with every way to treat what their vocabulary does not list."""

import warnings

import numpy as np
import pytest
from sequence_judges import error, keras_of, record

import triptych
from triptych.frameworks.keras.building import live_of
from triptych.model import Architecture, Call, Input, Layer, Panels, Weights
from triptych.surface.model import Model
from triptych.vocabulary.evaluator import evaluate
from triptych.vocabulary.lookup_tokens import asset_of

GENERATIONS = pytest.mark.parametrize("generation", ["tf_keras", "keras"])
WORDS = ["the", "of", "naïve", ""]
TEXTS = np.array([["the", "of", "the", "x"], ["", "a longer text of 33 to 64 bytes, ö", "naïve", "zzz"], ["the", "", "the", "a text that is so long that it is more than 64 bytes, and so takes a loop"]])
INTEGERS = np.array([[12, -7, 36, 5], [12, 12, 0, 2**40], [-9, -7, 8, 0]])


def kind(array):
    return "string" if array.dtype.kind in "UO" else array.dtype.name


def ours(name, config, x, **layer):
    shape = (None, *x.shape[1:])
    return evaluate(Architecture((Layer("layer", name, config, **layer),), (Input("x", shape, kind(x)),)), {}, [x]).outputs[0]


def theirs(generation, name, config, x):
    keras = keras_of(generation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(getattr(keras.layers, name)(**config)(x))


def agree(name, generation, config, x, said=None):
    """Ours yields what Keras yields of `x`, made with the arguments `said`; Keras 3 yields integers of 64 bits where it can."""
    expected = theirs(generation, name, said or config, x)
    got = ours(name, {**config, "output_dtype": "int64"} if generation == "keras" else config, x)
    assert got.dtype == expected.dtype
    record(name, generation, str(config), error(got, expected))
    assert np.array_equal(got, expected)


OPTIONS = [{}, {"num_oov_indices": 3}, {"mask_token": ""}, {"mask_token": "", "num_oov_indices": 2}, {"mask_token": "zzz", "num_oov_indices": 7}]


@GENERATIONS
@pytest.mark.parametrize("more", OPTIONS)
@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count", "tf_idf"])
def test_strings(generation, more, mode):
    """Unknown strings share several indices by their fingerprint, whatever their length."""
    words = [word for word in WORDS if word != more.get("mask_token")]
    size = len(words) + more.get("num_oov_indices", 1)
    config = {"vocabulary": words, "output_mode": mode, **more, **({"idf_weights": np.linspace(0.3, 2, size).tolist()} if mode == "tf_idf" else {})}
    x = TEXTS.reshape(12, 1) if mode == "one_hot" else TEXTS
    said = {**config}
    if mode == "tf_idf":
        # Keras takes a weight for each index where the vocabulary lists the tokens that stand for unknown strings, too.
        said["vocabulary"] = ["[UNK]"] * more.get("num_oov_indices", 1) + words
    agree("StringLookup", generation, config, x, said)


@GENERATIONS
@pytest.mark.parametrize("more", [{}, {"num_oov_indices": 3}, {"mask_token": 0}, {"mask_token": 0, "num_oov_indices": 2}])
@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count", "tf_idf"])
def test_integers(generation, more, mode):
    size = 3 + more.get("num_oov_indices", 1)
    config = {"vocabulary": [12, 36, -7], "output_mode": mode, **more, **({"idf_weights": np.linspace(0.3, 2, size).tolist()} if mode == "tf_idf" else {})}
    x = INTEGERS.reshape(12, 1) if mode == "one_hot" else INTEGERS
    said = {**config, "vocabulary": [-1] * more.get("num_oov_indices", 1) + config["vocabulary"]} if mode == "tf_idf" else config
    agree("IntegerLookup", generation, config, x, said)


def test_integers_by_fingerprint():
    config = {"vocabulary": [12], "num_oov_indices": 5, "oov_method": "farmhash"}
    agree("IntegerLookup", "keras", config, np.arange(-20, 20).reshape(4, 10))


@GENERATIONS
@pytest.mark.parametrize("more", [{}, {"mask_token": 0}, {"num_oov_indices": 2, "oov_token": -5}])
def test_integers_inverted(generation, more):
    agree("IntegerLookup", generation, {"vocabulary": [12, 36, -7], "invert": True, **more}, np.array([[0, 1, 2], [3, 9, -1]]))


@GENERATIONS
@pytest.mark.parametrize("more", [{}, {"mask_token": ""}, {"mask_token": "none", "num_oov_indices": 2, "oov_token": "?"}])
def test_strings_inverted(generation, more):
    config = {"vocabulary": ["the", "of", "naïve"], "invert": True, **more}
    x = np.array([[0, 1, 2], [3, 4, 5], [9, -1, 3]])
    got = ours("StringLookup", config, x)
    assert [text.encode() for text in got.ravel()] == theirs(generation, "StringLookup", config, x).ravel().tolist()


@GENERATIONS
@pytest.mark.parametrize("mode", ["multi_hot", "count", "one_hot", "tf_idf"])
def test_padded_to_the_most_there_may_be(generation, mode):
    weights = {"idf_weights": [0.5, 1.5, 0.25]} if mode == "tf_idf" else {}
    config = {"vocabulary": ["the", "of"], "output_mode": mode, "max_tokens": 6, "pad_to_max_tokens": True, **weights}
    said = {**config, "vocabulary": ["[UNK]", "the", "of"]} if weights else config
    x = TEXTS.reshape(12, 1) if mode == "one_hot" else TEXTS
    assert ours("StringLookup", config, x).shape == (len(x), 6)
    agree("StringLookup", generation, config, x, said)


@pytest.mark.parametrize("dtype", ["int64", "int32"])
@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "Discretization"])
def test_a_layer_of_integers_yields_such(dtype, name):
    """It does not round the numbers that it puts into bins."""
    config, x = {
        "StringLookup": ({"vocabulary": ["the"]}, TEXTS), "IntegerLookup": ({"vocabulary": [12]}, INTEGERS),
        "Discretization": ({"bin_boundaries": [0.25, 0.75, 1.5]}, np.array([[0.3, 0.8], [1.7, -0.9]], np.float32)),
    }[name]
    expected = theirs("tf_keras", name, {**config, "dtype": dtype}, x)
    got = ours(name, config, x, dtype=dtype)
    assert got.dtype == expected.dtype == dtype
    assert np.array_equal(got, expected)


def test_a_string_without_an_index_is_a_mistake():
    with pytest.raises(triptych.UsageError, match="'of'"):
        ours("StringLookup", {"vocabulary": ["the"], "num_oov_indices": 0}, TEXTS)


@pytest.mark.parametrize("given", [TEXTS, TEXTS.astype(object), np.char.encode(TEXTS, "utf-8"), TEXTS.tolist()])
@pytest.mark.parametrize("dtype", [None, "float64"])
def test_strings_come_in_any_kind_of_array(given, dtype):
    """The vocabulary stands in an asset of the model; what comes behind computes in the dtype asked for."""
    layers = (Layer("lookup", "StringLookup", {"vocabulary": {"asset": "assets/words.txt"}, "output_mode": "count"}), Layer("double", "Rescaling", {"scale": 2.0}))
    model = Model(Panels(Architecture(layers, (Input("x", (None, 4), "string"),)), assets={"assets/words.txt": asset_of(WORDS)}))
    got = model.predict([given], dtype=dtype)
    assert got.dtype == (dtype or "float32")
    assert np.array_equal(got, 2 * theirs("keras", "StringLookup", {"vocabulary": WORDS, "output_mode": "count"}, TEXTS))


def test_bytes_that_are_no_text_are_unknown_and_still_have_a_fingerprint():
    x = np.array([[b"\xff\xfe", b"the"]])
    config = {"vocabulary": ["the"], "num_oov_indices": 9}
    assert np.array_equal(ours("StringLookup", config, x.astype(object)), theirs("keras", "StringLookup", config, x))


def test_what_is_no_string_is_refused():
    with pytest.raises(triptych.UsageError, match="got 7"):
        evaluate(Architecture((Layer("layer", "StringLookup", {"vocabulary": ["the"]}),), (Input("x", (None, 1), "string"),)), {}, [np.array([[7]], object)])


@pytest.mark.parametrize(("config", "code"), [({}, "LAYER_NOT_EVALUABLE"), ({"vocabulary": {"asset": "assets/none.txt"}}, "VOCABULARY_MISSING")])
def test_a_lookup_without_its_vocabulary_is_not_evaluated(config, code):
    with pytest.raises(triptych.UnsupportedError) as caught:
        ours("StringLookup", config, TEXTS)
    assert [(one.code, one.place) for one in caught.value.problems] == [(code, "/layers/0")]


def test_one_layer_of_a_graph_takes_strings_by_itself():
    layers = (Layer("words", "StringLookup", {"vocabulary": ["the"]}), Layer("back", "StringLookup", {"vocabulary": ["the"], "invert": True}))
    calls = (Call("words", ("x",)), Call("back", ("words",)))
    model = Model(Panels(Architecture(layers, (Input("x", (None, 2), "string"),), calls, ("words", "back"))))
    assert model.evaluate_layer("words", np.array([["the", "of"]])).tolist() == [[1, 0]]
    indices, texts = model.predict(np.array([["the", "of"]]))
    assert indices.tolist() == [[1, 0]]
    assert texts.tolist() == [["the", "[UNK]"]]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Models with a lookup of each kind, saved by either Keras: what they make of their inputs, and what it is after a round trip."""
    words, integers, numbers = np.array([["the", "x", "of"], ["", "of", "of"]]), np.array([[12, 0, 5], [36, 12, 12]]), np.array([[0.3, 0.8, -1.0], [2.0, 0.5, 0.1]], np.float32)
    folder = tmp_path_factory.mktemp("saved")

    def branches(layers):
        listed = ["the", "of"]
        yield words, layers.StringLookup(vocabulary=["", "[UNK]", "[UNK]", *listed], mask_token="", num_oov_indices=2)
        yield words, layers.StringLookup(vocabulary=listed, output_mode="count", max_tokens=5, pad_to_max_tokens=True)
        yield words, layers.StringLookup(vocabulary=listed, output_mode="tf_idf", idf_weights=[0.5, 0.3])
        yield words, layers.StringLookup(vocabulary=["[UNK]", *listed], output_mode="tf_idf", idf_weights=[0.7, 0.5, 0.3])
        yield integers, layers.IntegerLookup(vocabulary=[36, 12], output_mode="multi_hot", num_oov_indices=3)
        yield integers, layers.IntegerLookup(vocabulary=[36, 12])
        yield integers, layers.StringLookup(vocabulary=listed, invert=True)
        yield numbers, layers.Discretization(bin_boundaries=[0.2, 0.5, 1.0])
        yield numbers, layers.Discretization(bin_boundaries=[0.2, 0.5, 1.0], output_mode="count")

    def results(generation):
        import tensorflow as tf

        keras = keras_of(generation)
        arrays, layers = zip(*branches(keras.layers), strict=True)
        entering = [keras.Input((3,), dtype="string" if one is words else one.dtype.name) for one in arrays]
        model = keras.Model(entering, [layer(one) for layer, one in zip(layers, entering, strict=True)])

        def asked(one):
            return [np.asarray(array) for array in one([tf.constant(array) for array in arrays])]

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.save(folder / f"{generation}.h5")
            loaded = triptych.load(folder / f"{generation}.h5")
            notes = triptych.save(loaded, folder / f"{generation}-again.h5")
            again = asked(keras.models.load_model(folder / f"{generation}-again.h5"))
        return asked(model), loaded.predict(list(arrays)), again, [layer.type for layer in loaded.architecture.layers], notes

    return {generation: results(generation) for generation in ("tf_keras", "keras")}


@GENERATIONS
def test_a_saved_lookup_computes_the_same_here_and_after_it_was_written_again(saved, generation):
    """Tokens of masked and unknown elements at the beginning of a vocabulary are none of it; weights for some indices are completed."""
    expected, got, again, types, notes = saved[generation]
    assert types == ["StringLookup"] * 4 + ["IntegerLookup"] * 2 + ["StringLookup"] + ["Discretization"] * 2
    assert notes == ()
    for wanted, one, two in zip(expected, got, again, strict=True):
        texts = wanted.dtype == object
        assert texts or one.dtype == wanted.dtype
        assert np.array_equal([text.encode() for text in one.ravel()] if texts else one, wanted.ravel() if texts else wanted)
        assert np.array_equal(two, wanted)


@GENERATIONS
def test_a_vocabulary_in_an_asset_goes_to_keras_in_the_config(generation, tmp_path):
    """An HDF5 file has no place for assets, and a live model none yet; a nested lookup keeps its vocabulary, too."""
    import tensorflow as tf

    inner = Architecture((Layer("integers", "IntegerLookup", {"vocabulary": {"asset": "assets/inner.txt"}, "num_oov_indices": 2, "output_dtype": "int64"}),))
    layers = (Layer("words", "StringLookup", {"vocabulary": {"asset": "assets/words.txt"}, "output_dtype": "int64"}), Layer("inner", "Model", architecture=inner))
    assets = {"assets/words.txt": asset_of(["the", "of"]), "assets/inner.txt": asset_of([2, 0]), "assets/card.txt": asset_of(["for people"])}
    model = Model(Panels(Architecture(layers, (Input("x", (None, 3), "string"),)), Weights({}), assets=assets))
    notes = triptych.save(model, tmp_path / "model.h5", dialect="keras2" if generation == "tf_keras" else "keras3")
    assert notes == ("asset 'assets/card.txt': Keras HDF5 has no place for it",)
    x = np.array([["the", "x", "of"]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.asarray(keras_of(generation).models.load_model(tmp_path / "model.h5")(tf.constant(x)))
        live = np.asarray(live_of(model.panels, framework=generation)(tf.constant(x)))
    assert np.array_equal(model.predict(x), expected)
    assert np.array_equal(live, expected)
    assert expected.tolist() == [[1, 3, 2]]


@pytest.mark.parametrize(("dialect", "noted"), [("keras2", ["0 yields float32 where int64"]), ("keras3", ["3 yields int64 where float32", "3 yields int32 where int64", "3 yields int64 where int32"])])
def test_a_dtype_that_keras_does_not_yield_is_noted_once_and_no_other(dialect, noted, tmp_path):
    listed, bins = {"vocabulary": ["the"]}, {"bin_boundaries": [0.5]}
    counted = {**listed, "output_mode": "count"}
    types = [
        ("StringLookup", listed), ("StringLookup", counted if dialect == "keras3" else {**counted, "output_dtype": "int64"}), ("StringLookup", {**counted, "output_mode": "tf_idf", "idf_weights": [1.0, 2.0]}),
        ("StringLookup", {**listed, "invert": True}), ("TextVectorization", listed), ("Discretization", bins), ("Discretization", {**bins, "output_mode": "count"}),
        ("IntegerLookup", {"vocabulary": [1], "output_dtype": "int32"}),
    ]
    layers = tuple(Layer(f"l{number}", name, config) for number, (name, config) in enumerate(types))
    entering = tuple(Input(f"x{number}", (None, 1), "string" if "Text" in name or (name == "StringLookup" and "invert" not in config) else "int64") for number, (name, config) in enumerate(types))
    calls = tuple(Call(f"l{number}", (f"x{number}",)) for number in range(len(types)))
    notes = triptych.save(Model(Panels(Architecture(layers, entering, calls, tuple(one.name for one in layers)), Weights({}))), tmp_path / "model.h5", dialect=dialect)
    assert [note.partition(" is said")[0].rpartition(".")[2] for note in notes] == noted
