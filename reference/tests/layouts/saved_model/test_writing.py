"""What a written SavedModel is to those who load it, what is refused, and that a save leaves the old folder or the new one."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import triptych
from triptych.errors import ConversionError, InvalidModelError, SaveError, UsageError
from triptych.layouts.saved_model import writer
from triptych.model import Architecture, Call, Input, Layer, Panels, Tensor, Training, WeightReference, Weights
from triptych.package.files import FileSystem
from triptych.vocabulary import weight_slots
from triptych.vocabulary.evaluator import evaluate

sys.path.insert(0, str(Path(__file__).parent))  # where serving is

import serving

RANDOM = np.random.default_rng(0)


def dense(name, **more):
    return Layer(name, "Dense", {"units": 2}, **more)


def panels_of(architecture, **more):
    weights = {slot.tensor: RANDOM.normal(size=slot.stored_shape).astype("float32") for slot in weight_slots(architecture) if slot.shape}
    return Panels(architecture=architecture, weights=Weights.from_arrays(weights), **more)


def chain(*layers):
    return Architecture(layers, (Input("x", (None, 2)),))


@pytest.fixture
def graph():
    """Two inputs, one of them an output, a shared layer, a nested model, tied weights and names that TensorFlow does not allow."""
    inner = Architecture((dense("d"),), (Input("i", (None, 2)),), (Call("d", ("i",), outputs=("y",)),), ("y", "i"))
    tied = {"kernel": WeightReference("w", axes=(1, 0))}
    layers = (dense("größer + 1"), Layer("inner", "Model", architecture=inner), dense("one", weights=tied), dense("two", weights={"kernel": WeightReference("w")}))
    calls = (
        Call("größer + 1", ("left side",), outputs=("a",)),
        Call("größer + 1", ("right",), outputs=("b",)),
        Call("inner", ("a",), outputs=("c", "d")),
        Call("one", ("c",)),
        Call("two", ("b",)),
    )
    inputs = (Input("left side", (None, 2)), Input("right", (None, 2)))
    return panels_of(Architecture(layers, inputs, calls, ("one", "two", "d", "right")))


def test_values_go_by_their_names_and_weights_are_shared(graph, tmp_path):
    """The signature has the model's names; a tensor that two layers name in two axis orders is one variable."""
    assert writer.write(graph, tmp_path / "model") == ()
    given = [RANDOM.normal(size=(3, 2)).astype("float32") for _ in range(2)]
    expected = evaluate(graph.architecture, graph.weights, given).outputs
    for found, wanted in zip(serving.serve(tmp_path / "model", graph, given), expected, strict=True):
        assert np.allclose(found, wanted, atol=1e-6)
    loaded = tf.saved_model.load(tmp_path / "model")
    assert sorted(one.name for one in loaded.variables) == [
        *("gr__er___1/bias:0", "gr__er___1/kernel:0", "inner/d/bias:0", "inner/d/kernel:0"),
        *("one/bias:0", "one/kernel:0", "two/bias:0"),
    ]


def test_variables_train(tmp_path):
    """What is trainable in the model is a trainable variable, with gradients through the signature."""
    layers = (dense("a"), Layer("n", "BatchNormalization", {"momentum": 0.9, "epsilon": 1e-3}), dense("b", trainable=False))
    writer.write(panels_of(chain(*layers)), tmp_path / "model")
    serve = tf.saved_model.load(tmp_path / "model").signatures["serving_default"]
    assert {one.name for one in serve.trainable_variables} == {"a/kernel:0", "a/bias:0", "n/gamma:0", "n/beta:0"}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(serve(x=tf.ones((1, 2)))["b"])
    assert None not in tape.gradient(loss, serve.trainable_variables)


def test_the_loader_of_tensorflow_1_serves_it(tmp_path):
    """A session with the tag ``serve`` restores the variables and predicts the same."""
    panels = panels_of(chain(dense("a"), dense("b")))
    writer.write(panels, tmp_path / "model")
    x = RANDOM.normal(size=(3, 2)).astype("float32")
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        signature = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path / "model")).signature_def["serving_default"]
        found = session.run(signature.outputs["b"].name, {signature.inputs["x"].name: x})
    assert np.allclose(found, evaluate(panels.architecture, panels.weights, [x]).outputs[0], atol=1e-6)


def test_keras_3_takes_it_as_a_layer(keras3, tmp_path):
    """TFSMLayer calls the signature and owns the variables."""
    panels = panels_of(chain(dense("a")))
    writer.write(panels, tmp_path / "model")
    layer = keras3.layers.TFSMLayer(str(tmp_path / "model"), call_endpoint="serving_default")
    x = RANDOM.normal(size=(3, 2)).astype("float32")
    assert np.allclose(layer(x)["a"], evaluate(panels.architecture, panels.weights, [x]).outputs[0], atol=1e-6)
    assert [tuple(one.shape) for one in layer.trainable_weights] == [(2, 2), (2,)]


def test_a_model_without_weights_has_no_variables(tmp_path):
    panels = Panels(architecture=chain(Layer("a", "Activation", {"activation": "relu"})))
    writer.write(panels, tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["assets.extra", "saved_model.pb"]
    assert np.array_equal(serving.serve(tmp_path / "model", panels, [np.array([[-1, 2]], "float32")])[0], [[0, 2]])


def test_all_that_no_graph_can_hold_is_named_and_nothing_is_written(tmp_path):
    """Every layer of an extension type, and every activation of one, stands in the error with its place."""
    layers = (Layer("odd", "x:Odd"), Layer("d", "Dense", {"units": 2, "activation": "y:act"}), dense("fine"), Layer("end", "z:End"))
    values = (Call("d", ("x",)), Call("fine", ("d",)), Call("odd", ("fine",)), Call("end", ("x",)))
    architecture = Architecture(layers, (Input("x", (None, 2)),), values, ("odd", "end"))
    with pytest.raises(ConversionError) as caught:
        writer.write(panels_of(architecture), tmp_path / "model")
    assert [(one.code, one.place) for one in caught.value.problems] == [("LAYOUT_INEXPRESSIBLE", f"/layers/{index}") for index in (0, 3, 1)]
    assert not list(tmp_path.iterdir())


def test_what_a_signature_cannot_do_without_is_asked_for(tmp_path):
    """An architecture, its weights, and inputs."""
    with pytest.raises(UsageError, match="architecture"):
        writer.write(Panels(weights=Weights({})), tmp_path / "model")
    with pytest.raises(ConversionError, match="inputs"):
        writer.write(Panels(architecture=Architecture((dense("a"),))), tmp_path / "model")
    with pytest.raises(ConversionError, match="kernel"):
        writer.write(Panels(architecture=chain(dense("a"))), tmp_path / "model")


def test_what_is_left_out_is_said(tmp_path):
    """A weight that no call uses and training stay behind; assets go where TensorFlow leaves room for them."""
    architecture = Architecture((dense("a"), dense("unused")), (Input("x", (None, 2)),), (Call("a", ("x",)),), ("a",))
    words = Tensor.from_array(np.frombuffer(b"one\ntwo", np.uint8))
    panels = panels_of(architecture, training=Training(), assets={"labels/words.txt": words})
    notes = writer.write(panels, tmp_path / "model")
    assert [note.split(":")[0] for note in notes] == ["the weights 'unused.bias'", "training"]
    assert (tmp_path / "model/assets.extra/labels/words.txt").read_bytes() == b"one\ntwo"


def test_only_a_saved_model_is_replaced(tmp_path):
    panels, target = panels_of(chain(dense("a"))), tmp_path / "model"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not replaced"):
        writer.write(panels, target)
    (target / "notes.txt").unlink()
    writer.write(panels, target)
    before = {path.relative_to(target): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="overwrite"):
        writer.write(panels, target, overwrite=False)
    writer.write(panels, target)
    assert {path.relative_to(target): path.read_bytes() for path in target.rglob("*") if path.is_file()} == before


class Full(FileSystem):
    """A file system on which nothing more can be synchronised after a number of files."""

    left = 2

    def fsync(self, descriptor):
        self.left -= 1
        if self.left < 0:
            raise OSError(28, "No space left on device")
        super().fsync(descriptor)


def test_a_save_that_fails_leaves_what_stood_there(tmp_path):
    target = tmp_path / "model"
    writer.write(panels_of(chain(dense("a"))), target)
    before = (target / "saved_model.pb").read_bytes()
    with pytest.raises(SaveError):
        writer.write(panels_of(chain(dense("b"))), target, fs=Full())
    assert (target / "saved_model.pb").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_progress_reaches_its_end(tmp_path):
    seen = []
    writer.write(panels_of(chain(dense("a"))), tmp_path / "model", progress=lambda done, whole, name: seen.append((done, whole, name)))
    assert [name for _, _, name in seen] == ["a/kernel", "a/bias"]
    assert seen[-1][0] == seen[-1][1] == 24


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own way to numpy
def test_the_dictionaries_of_a_keras_model_name_the_signature(keras3, tmp_path):
    """A model that takes and yields dictionaries is served under their keys; a value that is yielded twice has two names."""
    L, Input_ = keras3.layers, keras3.Input
    left, right = Input_((3,), name="left"), Input_((3,), name="right")
    yielded = {"score": L.Dense(2, name="d1")(left), "other": L.Dense(2, name="d2")(L.Add()([left, right]))}
    model = keras3.Model({"left": left, "right": right}, yielded)
    model.save(tmp_path / "model.keras")
    triptych.save(triptych.load(tmp_path / "model.keras"), tmp_path / "model", layout="saved-model")
    given = {name: tf.constant(RANDOM.normal(size=(4, 3)).astype("float32")) for name in ("left", "right")}
    served = tf.saved_model.load(tmp_path / "model").signatures["serving_default"](**given)
    expected = model(given)
    assert set(served) == {"score", "other"}
    for name, value in served.items():
        assert np.allclose(value, expected[name], atol=1e-6)
    twice = Architecture((dense("a"),), (Input("x", (None, 2)),), (Call("a", ("x",)),), ("a", "a"))
    writer.write(panels_of(twice), tmp_path / "twice")
    assert set(tf.saved_model.load(tmp_path / "twice").signatures["serving_default"].structured_outputs) == {"a", "a_1"}


def test_what_is_written_is_read_back(graph, tmp_path):
    """The architecture, every weight as it was stored, and assets: a document beside the graph says what the graph does not."""
    words = Tensor.from_array(np.frombuffer(b"one", np.uint8))
    given = replace(graph, assets={"assets/words.txt": words})
    writer.write(given, tmp_path / "model")
    found = triptych.load(tmp_path / "model").panels
    assert found.architecture == graph.architecture
    assert set(found.weights) == set(graph.weights)
    for name, array in graph.weights.items():
        assert np.array_equal(found.weights[name], array)
    assert {name: bytes(one.read()) for name, one in found.assets.items()} == {"assets/words.txt": b"one"}


@pytest.mark.parametrize("variables", ["[]", '{"one/kernel": 1}', '{"none": {"tensor": "w"}}', '{"one/kernel": {"tensor": "w", "axes": [0, 0]}}'])
def test_a_document_that_does_not_fit_the_checkpoint_is_refused(graph, tmp_path, variables):
    writer.write(graph, tmp_path / "model")
    (tmp_path / "model/assets.extra/triptych/variables.json").write_text(variables)
    with pytest.raises(InvalidModelError, match=r"variables\.json"):
        triptych.load(tmp_path / "model")
