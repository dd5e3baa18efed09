"""Weights that another generation or backend laid out: read as what they compute, loaded into other architectures, and returned as they were."""

import json

import h5py
import numpy as np
import pytest

import triptych
from triptych.layouts.keras_hdf5 import reader, writer

pytestmark = pytest.mark.filterwarnings("ignore")

RNG = np.random.default_rng(7)


def random(*shape):
    return RNG.normal(size=shape).astype("float32")


def keras_file(path, layers, arrays, *, version="2.1.3", backend="tensorflow"):
    """A whole model if `layers` are configurations, else a weights file; `arrays` are by layer and name."""
    with h5py.File(path, "w") as file:
        root = file
        if layers:
            config = [{"class_name": kind, "config": said} for kind, said in layers]
            file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config}).encode()
            root = file.create_group("model_weights")
        for group in (file, root):
            for name, value in (("keras_version", version), ("backend", backend)):
                if value is not None:
                    group.attrs[name] = value.encode()
        root.attrs["layer_names"] = np.asarray([name.encode() for name in arrays])
        for layer, held in arrays.items():
            group = root.create_group(layer)
            group.attrs["weight_names"] = np.asarray([name.encode() for name in held])
            for name, array in held.items():
                group[name] = array
    return path


def datasets(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None)
    return found


def comes_back(path, tmp_path):
    assert writer.write(reader.read(path), tmp_path / "back.h5") == ()
    return datasets(tmp_path / "back.h5") == datasets(path)


LINE = random(3, 1, 1)
CONV1D = {"name": "c", "batch_input_shape": [None, 9, 1], "filters": 1, "kernel_size": [3], "padding": "valid", "strides": [1], "use_bias": False}
KERAS1_CONV1D = {"name": "c", "batch_input_shape": [None, 9, 1], "nb_filter": 1, "filter_length": 3, "border_mode": "valid", "subsample_length": 1, "bias": False}


@pytest.mark.parametrize(
    ("kind", "config", "name", "version", "backend"),
    [("Conv1D", CONV1D, "c/kernel", "2.1.3", "theano"), ("Convolution1D", KERAS1_CONV1D, "c_W", "1.2.2", None)],
)
def test_theano_convolves(tmp_path, kind, config, name, version, backend):
    """Theano turns a kernel round before it slides it, every other backend does not: NumPy's convolution is the judge.

    A file of Keras 1 does not say its backend; names without the counter of TensorFlow's variables do.
    """
    kernel = LINE if version[0] == "2" else LINE[:, None]
    path = keras_file(tmp_path / "a.h5", [(kind, config)], {"c": {name: kernel}}, version=version, backend=backend)
    x = random(1, 9, 1)
    model = triptych.load(path)
    np.testing.assert_allclose(model.predict(x)[0, :, 0], np.convolve(x[0, :, 0], LINE[:, 0, 0], "valid"), rtol=1e-5)
    assert comes_back(path, tmp_path)
    model.save(tmp_path / "new.h5", dialect="keras2")
    with h5py.File(tmp_path / "new.h5") as file:
        assert file.attrs["backend"] == "tensorflow"
        np.testing.assert_array_equal(np.ravel(file["model_weights/c/c/kernel:0"]), LINE[::-1, 0, 0])


def test_counters_tell_tensorflow(tmp_path):
    path = keras_file(tmp_path / "a.h5", [("Convolution1D", KERAS1_CONV1D)], {"c": {"c_W:0": LINE[:, None]}}, version="1.2.2", backend=None)
    np.testing.assert_array_equal(triptych.load(path).get_weights()[0], LINE)


def test_theano_kernels_with_filters_first_are_turned_round_as_they_lie(tmp_path):
    config = {"name": "c", "batch_input_shape": [None, 2, 5, 5], "nb_filter": 3, "nb_row": 2, "nb_col": 3, "dim_ordering": "th"}
    kernel, bias = random(3, 2, 2, 3), random(3)
    path = keras_file(tmp_path / "a.h5", [("Convolution2D", config)], {"c": {"c_W": kernel, "c_b": bias}}, version="1.2.2", backend=None)
    model = triptych.load(path)
    np.testing.assert_array_equal(model.weights["c.kernel"], kernel[:, :, ::-1, ::-1])
    assert comes_back(path, tmp_path)
    model.save(tmp_path / "new.h5", dialect="keras2")
    with h5py.File(tmp_path / "new.h5") as file:
        np.testing.assert_array_equal(file["model_weights/c/c/kernel:0"], kernel[:, :, ::-1, ::-1].transpose(2, 3, 1, 0))


CUDNN = {
    "l": {"l/kernel:0": random(2, 12), "l/recurrent_kernel:0": random(3, 12), "l/bias:0": random(24)},
    "g": {"g/kernel:0": random(3, 6), "g/recurrent_kernel:0": random(2, 6), "g/bias:0": random(12)},
}
FIRST = {"name": "l", "batch_input_shape": [None, 4, 2], "units": 3, "return_sequences": True}


@pytest.fixture(scope="module")
def plain(keras2, tmp_path_factory):
    """A model of plain layers into which tf-keras itself loaded weights for CuDNN."""
    path = keras_file(tmp_path_factory.mktemp("cudnn") / "w.h5", (), CUDNN, version="2.3.1")
    layers = keras2.layers
    model = keras2.Sequential([keras2.Input((4, 2)), layers.LSTM(3, return_sequences=True, name="l"), layers.GRU(2, name="g")])
    model.load_weights(path)
    return model, path


def test_layers_for_cudnn_are_the_plain_ones_and_return_as_they_were(plain, keras3, tmp_path):
    """tf-keras, which converts the weights of such a file itself, is the judge; Keras 3 loads what we make of it."""
    model, _ = plain
    path = keras_file(tmp_path / "a.h5", [("CuDNNLSTM", FIRST), ("CuDNNGRU", {"name": "g", "units": 2})], CUDNN, version="2.3.1")
    ours = triptych.load(path)
    assert [layer.type for layer in ours.architecture.layers] == ["LSTM", "GRU"]
    x = random(2, 4, 2)
    np.testing.assert_allclose(ours.predict(x), model(x), rtol=1e-5, atol=1e-6)
    assert comes_back(path, tmp_path)
    for name, options in (("new.h5", {"dialect": "keras3"}), ("new.keras", {})):
        notes = ours.save(tmp_path / name, **options)
        assert "recurrent_bias" in "".join(notes)  # two biases learn twice as fast as their sum
        np.testing.assert_allclose(keras3.models.load_model(tmp_path / name)(x), model(x), rtol=1e-5, atol=1e-6)


def test_weights_for_cudnn_load_into_plain_layers(plain):
    model, path = plain
    ours = triptych.model_from_json(model.to_json())
    ours.load_weights(path)
    for one, other in zip(ours.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_weights_of_keras_1_load_into_an_architecture_of_keras_2(keras2, tmp_path):
    """By position, as tf-keras loads them: gates one by one, kernels with other axes, biases without names."""
    gates = {f"l_{part}_{gate}:0": random(*shape) for gate in "icfo" for part, shape in (("W", (6, 2)), ("U", (2, 2)), ("b", (2,)))}
    arrays = {
        "conv1d": {"conv1d_W:0": random(3, 1, 4, 6), "conv1d_b:0": random(6)},
        "lstm": gates,
        "gru": {f"param_{n}": random(*shape) for n, shape in enumerate([(2, 5), (5, 5), (5,)] * 3)},
        "dense": {"param_0": random(5, 2), "param_1": random(2)},
    }
    path = keras_file(tmp_path / "w.h5", (), arrays, version=None, backend=None)
    layers = keras2.layers
    model = keras2.Sequential(
        [
            keras2.Input((7, 4)),
            layers.Conv1D(6, 3),
            layers.LSTM(2, return_sequences=True),
            layers.GRU(5, reset_after=False),
            layers.Dense(2),
        ]
    )
    model.load_weights(path)
    ours = triptych.model_from_json(model.to_json())
    assert len(ours.load_weights(path).loaded) == 10
    for one, other in zip(ours.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_names_with_slashes_are_others_in_keras_3(keras2, keras3, tmp_path):
    """DenseNet and others that Keras 2 published are full of them; Keras 3 takes none."""
    start = keras2.Input((4,), name="in")
    first = keras2.layers.Dense(3, name="block/a")(start)
    inner = keras2.Sequential([keras2.Input((3,)), keras2.layers.Dense(3, name="deep/a")], name="part/one")
    model = keras2.Model(start, keras2.layers.Add(name="block_a")([inner(first), first]), name="m")
    model.compile(keras2.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, 3), "float32"))
    model.save(tmp_path / "old.h5")
    x = random(2, 4)
    for name, options in (("new.h5", {"dialect": "keras3"}), ("new.keras", {})):
        notes = triptych.load(tmp_path / "old.h5").save(tmp_path / name, **options)
        assert [note.split(" is called ")[1] for note in notes] == ["'block_a_1'", "'part_one'", "'deep_a'"]
        np.testing.assert_allclose(keras3.models.load_model(tmp_path / name)(x), model(x), rtol=1e-5, atol=1e-6)
    again = triptych.load(tmp_path / "new.h5")
    assert "optimizer.momentum.block_a_1.kernel" in again.training.state
