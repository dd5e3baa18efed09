"""What Keras 1 stored otherwise: gates one by one, kernels with other axes. Expected arrays are put together by hand."""

import h5py
import numpy as np
import pytest

from triptych.layouts.keras_hdf5 import reader, writer
from triptych.layouts.keras_weights.assignment import Array
from triptych.layouts.keras_weights.fitting import is_keras_1
from triptych.layouts.keras_weights.gates import joined, taken_apart
from triptych.model import Tensor


def stored(gates, *, layer="l"):
    """Arrays as Keras 1 listed them: for each gate W, U, b."""
    arrays, tensors = [], []
    for number, gate in enumerate(gates):
        for kind, shape in (("W", (2, 3)), ("U", (3, 3)), ("b", (3,))):
            arrays.append(Array(f"{layer}_{kind}_{gate}:0", shape))
            tensors.append(Tensor.from_array(np.full(shape, number, "float32")))
    return arrays, tensors


def test_lstm_gates_are_joined_as_input_forget_candidate_output():
    arrays, tensors = joined(*stored("icfo"))
    assert [a.name for a in arrays] == ["l_W:0", "l_U:0", "l_b:0"]
    np.testing.assert_array_equal(tensors[2].array(), np.repeat([0, 2, 1, 3], 3).astype("float32"))
    assert tensors[0].shape == (2, 12)


def test_gru_gates_are_joined_in_their_order():
    _, tensors = joined(*stored("zrh"))
    np.testing.assert_array_equal(tensors[0].array(), np.tile(np.repeat([0, 1, 2], 3), (2, 1)).astype("float32"))


@pytest.mark.parametrize("gates", ["icfo", "zrh"])
def test_gates_are_taken_apart_into_what_they_were(gates):
    arrays, tensors = stored(gates)
    together = joined(arrays, tensors)
    apart = taken_apart([a.name for a in arrays], {a.name: t for a, t in zip(*together, strict=True)})
    assert [bytes(t.read()) for t in apart] == [bytes(t.read()) for t in tensors]


def test_layers_without_gates_are_left_alone():
    assert joined([Array("d_W:0", (2, 3))], [Tensor.from_array(np.zeros((2, 3), "float32"))]) is None


def test_no_version_is_the_first():
    assert [is_keras_1(version) for version in (None, "1.2.2", "0.3.1", "2.0.0", "3.0.0")] == [True, True, True, False, False]


def test_gates_of_a_weights_file_stay_apart(tmp_path):
    """Without an architecture nobody needs them joined, and the file comes back as it was."""
    arrays, tensors = stored("icfo")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = np.asarray([b"l"])
        group = file.create_group("l")
        group.attrs["weight_names"] = np.asarray([a.name.encode() for a in arrays])
        for array, tensor in zip(arrays, tensors, strict=True):
            group[array.name] = tensor.array()
    panels = reader.read(tmp_path / "a.h5")
    assert len(panels.weights) == 12
    writer.write(panels, tmp_path / "b.h5")
    with h5py.File(tmp_path / "a.h5") as one, h5py.File(tmp_path / "b.h5") as two:
        assert list(one["l"].attrs["weight_names"]) == list(two["l"].attrs["weight_names"])
        assert dict(one.attrs).keys() == dict(two.attrs).keys()
        for array in arrays:
            np.testing.assert_array_equal(one["l"][array.name], two["l"][array.name])
