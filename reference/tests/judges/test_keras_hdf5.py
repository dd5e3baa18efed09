"""Keras HDF5 → Triptych → Keras HDF5, with real tf-keras as the judge.

Each model goes through every form of a package; all ways lead to one and the same file, and that file is to Keras what the first one was.
"""

import json

import h5py
import numpy as np
import pytest

import triptych

pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = ["convolutional", "two_in_two_out", "nested", "recurrent", "odd_names"]


class Journey:
    """One trained model, its file, and the file that came back by each way."""

    def __init__(self, keras, judge, name, folder):
        self.keras = keras
        self.model, self.x, self.y = judge.trained(keras, judge.models[name])
        self.source = folder / "source.h5"
        self.model.save(self.source)
        model = triptych.load(self.source)
        self.returned = {}
        for way, target, options in (
            ("directory", "directory", {}),
            ("archive", "model.triptych", {}),
            ("yaml", "yaml", {"spelling": "yaml"}),
            ("shards", "shards", {"max_shard_bytes": max(sum(t.nbytes for t in model.weights.tensors.values()) // 3, 600)}),
        ):
            triptych.save(model, folder / target, **options)
            assert triptych.validate(folder / target) == ()
            self.returned[way] = folder / f"{way}.h5"
            self.notes = triptych.save(triptych.load(folder / target), self.returned[way])
        self.shards = sorted(p.name for p in (folder / "shards").glob("model-*.safetensors"))


@pytest.fixture(scope="module", params=NAMES)
def journey(request, keras2, judge, tmp_path_factory):
    return Journey(keras2, judge, request.param, tmp_path_factory.mktemp(request.param))


def test_every_tensor_slot_name_and_configuration_comes_back(journey, judge):
    """Groups, attributes with their encodings, datasets with their dtypes, and configurations as JSON: nothing differs."""
    assert len(journey.shards) >= 3 or len(list(journey.source.parent.glob("shards/*.safetensors"))) >= 2
    assert judge.differences(journey.source, journey.returned["directory"]) == []
    assert journey.notes == ()
    content = {path.read_bytes() for path in journey.returned.values()}
    assert len(content) == 1, "the ways through directory, archive, YAML and shards lead to different files"


def test_predictions_and_the_next_five_losses_are_those_of_the_source(journey, judge):
    load = journey.keras.models.load_model
    first, second = load(journey.source), load(journey.returned["archive"])
    for one, two in zip(judge.flat(first.predict(journey.x, verbose=0)), judge.flat(second.predict(journey.x, verbose=0)), strict=True):
        np.testing.assert_array_equal(one, two)
    assert judge.next_losses(journey.keras, first, journey.x, journey.y) == judge.next_losses(journey.keras, second, journey.x, journey.y)
    for one, two in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_optimizer_slots_are_keyed_by_the_weight_they_belong_to(keras2, judge, tmp_path):
    model, _, _ = judge.trained(keras2, judge.models["convolutional"])
    model.save(tmp_path / "m.h5")
    training = triptych.load(tmp_path / "m.h5").training
    variables = {v.name: v.numpy() for v in model.optimizer.variables}
    assert training.progress.step == 3
    np.testing.assert_array_equal(training.state["optimizer.momentum.conv.kernel"], variables["Adam/m/conv/kernel:0"])
    np.testing.assert_array_equal(training.state["optimizer.velocity.out.bias"], variables["Adam/v/out/bias:0"])
    assert set(training.state) == {f"optimizer.{slot}.{name}" for slot in ("momentum", "velocity") for name in trainable_names(model)}


def trainable_names(model):
    names = [".".join(v.name.removesuffix(":0").split("/")) for v in model.trainable_variables]
    return [name.replace("depth.depthwise_kernel", "depth.kernel") for name in names]


OPTIMIZERS = {
    "SGD": lambda o: o.SGD(0.01, momentum=0.9),
    "SGD without momentum": lambda o: o.SGD(0.01),
    "RMSprop": lambda o: o.RMSprop(0.01, momentum=0.5, centered=True),
    "Adam with amsgrad": lambda o: o.Adam(0.01, amsgrad=True),
    "AdamW": lambda o: o.AdamW(0.01),
    "Nadam": lambda o: o.Nadam(0.01),
    "Adamax": lambda o: o.Adamax(0.01),
    "Adagrad": lambda o: o.Adagrad(0.01),
    "Adadelta": lambda o: o.Adadelta(0.01),
    "Ftrl": lambda o: o.Ftrl(0.01),
    "Adam with moving averages": lambda o: o.Adam(0.01, use_ema=True),
    "a schedule": lambda o: o.Adam(o.schedules.ExponentialDecay(0.01, 2, 0.9)),
    "legacy Adam": lambda o: o.legacy.Adam(0.01),
    "legacy SGD": lambda o: o.legacy.SGD(0.01, momentum=0.9),
    "legacy RMSprop": lambda o: o.legacy.RMSprop(0.01, momentum=0.5),
    "legacy Nadam": lambda o: o.legacy.Nadam(0.01),
    "legacy Adadelta": lambda o: o.legacy.Adadelta(0.01),
    "legacy Ftrl": lambda o: o.legacy.Ftrl(0.01),
}


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_goes_on_where_it_stopped(keras2, judge, tmp_path, kind):
    def build(k):
        model = k.Sequential([k.layers.Input((3,)), k.layers.Dense(4, activation="relu", name="a"), k.layers.Dense(1, name="b")])
        model.compile(OPTIMIZERS[kind](k.optimizers), "mse")
        return model, judge.data(8, 3), judge.data(8, 1, seed=2)

    model, x, y = judge.trained(keras2, build)
    model.save(tmp_path / "source.h5")
    read = triptych.load(tmp_path / "source.h5")
    assert not [name for name in read.training.state or () if name.startswith("keras.")]
    triptych.save(read, tmp_path / "package")
    triptych.save(triptych.load(tmp_path / "package"), tmp_path / "back.h5")
    assert judge.differences(tmp_path / "source.h5", tmp_path / "back.h5") == []
    first, second = (keras2.models.load_model(tmp_path / name) for name in ("source.h5", "back.h5"))
    assert judge.next_losses(keras2, first, x, y) == judge.next_losses(keras2, second, x, y)


def test_a_model_that_was_never_compiled_stays_so(keras2, judge, tmp_path):
    model = keras2.Sequential([keras2.layers.Input((3,)), keras2.layers.Dense(2)])
    model.save(tmp_path / "a.h5")
    read = triptych.load(tmp_path / "a.h5")
    assert read.training is None
    triptych.save(read, tmp_path / "b.h5")
    assert judge.differences(tmp_path / "a.h5", tmp_path / "b.h5") == []


@pytest.mark.parametrize("name", NAMES)
def test_weights_files_come_back_and_load(keras2, judge, tmp_path, name):
    model, x, _ = judge.trained(keras2, judge.models[name])
    model.save_weights(tmp_path / "a.h5")
    expected = model.get_weights()
    triptych.save(triptych.load(tmp_path / "a.h5"), tmp_path / "a.triptych")
    triptych.save(triptych.load(tmp_path / "a.triptych"), tmp_path / "b.h5")
    assert judge.differences(tmp_path / "a.h5", tmp_path / "b.h5") == []
    model.set_weights([np.zeros_like(w) for w in expected])
    model.load_weights(tmp_path / "b.h5")
    for one, two in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, two)


def test_weights_of_a_whole_model_written_alone_are_what_keras_writes(keras2, judge, tmp_path):
    model, _, _ = judge.trained(keras2, judge.models["nested"])
    model.save(tmp_path / "whole.h5")
    model.save_weights(tmp_path / "a.h5")
    triptych.load(tmp_path / "whole.h5").save_weights(tmp_path / "b.h5")
    assert judge.differences(tmp_path / "a.h5", tmp_path / "b.h5") == []


def test_a_model_thawed_after_it_was_saved_keeps_each_layers_weights(keras2, tmp_path):
    """Keras loads by position and swaps the two layers; their names say better."""
    layers = keras2.layers
    first = layers.Dense(3, name="d1")
    inner = keras2.Sequential([layers.Input((3,)), first, layers.Dense(3, name="d2")], name="inner")
    model = keras2.Sequential([layers.Input((3,)), inner])
    first.trainable = False
    model.save(tmp_path / "frozen.h5")
    kernel = first.get_weights()[0]
    with h5py.File(tmp_path / "frozen.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        thaw(config)
        file.attrs["model_config"] = json.dumps(config)
    swapped = keras2.models.load_model(tmp_path / "frozen.h5")
    assert not np.array_equal(swapped.get_layer("inner").get_layer("d1").get_weights()[0], kernel)
    read = triptych.load(tmp_path / "frozen.h5")
    np.testing.assert_array_equal(read.weights["inner.d1.kernel"], kernel)


def thaw(value):
    if isinstance(value, dict):
        if value.get("trainable") is False:
            value["trainable"] = True
        for item in value.values():
            thaw(item)
    elif isinstance(value, list):
        for item in value:
            thaw(item)


@pytest.fixture(scope="module")
def wide(keras2):
    """3,000 layers with long names: lists of names that no HDF5 attribute holds in one piece."""
    layers = keras2.layers
    x = layers.Input((2,), name="x")
    ends = []
    for number in range(1500):
        y = layers.Dense(2, name=f"a_rather_long_name_for_a_layer_so_that_the_list_of_all_outgrows_a_header_dense_{number:04}")(x)
        ends.append(layers.Activation("tanh", name=f"a_rather_long_name_for_a_layer_so_that_the_list_of_all_outgrows_a_header_tanh_{number:04}")(y))
    return keras2.Model(x, layers.Add(name="sum")(ends), name="wide")


def test_three_thousand_layers_with_long_names(wide, judge, tmp_path):
    assert len(wide.layers) == 3002
    wide.save(tmp_path / "a.h5")
    triptych.save(triptych.load(tmp_path / "a.h5"), tmp_path / "a.triptych")
    triptych.save(triptych.load(tmp_path / "a.triptych"), tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5") as file:
        assert sorted(file["model_weights"].attrs)[:4] == ["backend", "keras_version", "layer_names0", "layer_names1"]
    assert judge.differences(tmp_path / "a.h5", tmp_path / "b.h5") == []
    expected = wide.get_weights()
    wide.set_weights([np.zeros_like(w) for w in expected])
    wide.load_weights(tmp_path / "b.h5")
    for one, two in zip(wide.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_triptych_model_that_never_was_keras_loads_in_keras(keras2, tmp_path, dense):
    model = dense(4, 2)
    triptych.save(model, tmp_path / "m.h5")
    loaded = keras2.models.load_model(tmp_path / "m.h5")
    for one, two in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_example_predicts_what_it_predicted(keras2, examples, tmp_path):
    triptych.save(triptych.load(examples / "digits_cnn.h5"), tmp_path / "digits")
    triptych.save(triptych.load(tmp_path / "digits"), tmp_path / "digits.h5")
    kept = np.load(examples / "digits_cnn_predictions.npz")
    scans = (kept["scans"] / 16).astype("float32").repeat(4, axis=1).repeat(4, axis=2)
    inputs = np.stack([scans] * 3, axis=-1)
    first, second = (keras2.models.load_model(path) for path in (examples / "digits_cnn.h5", tmp_path / "digits.h5"))
    one, two = (model.predict(inputs, batch_size=16, verbose=0) for model in (first, second))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(two, kept["predictions"], atol=1e-5)  # made on another processor
    assert (two.argmax(axis=1) == kept["labels"]).mean() > 0.8


def test_our_file_is_listed_as_keras_file_is(examples, judge, tmp_path, capsys):
    """What ``h5ls`` would print of both, side by side, for whoever reads the output of this test."""
    triptych.save(triptych.load(examples / "digits_cnn.h5"), tmp_path / "ours.h5")
    keras, ours = judge.listing(examples / "digits_cnn.h5"), judge.listing(tmp_path / "ours.h5")
    for name in sorted(keras.keys() | ours.keys()):
        print(f"{'=' if keras.get(name) == ours.get(name) else '≠'} {name:60} {keras.get(name, ('-',))[0]:40} {ours.get(name, ('-',))[0]}")
    assert keras == ours
