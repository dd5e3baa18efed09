"""Which stored array becomes which weight, by name and by position."""

import h5py
import numpy as np
import pytest

from triptych.errors import InvalidModelError
from triptych.layouts.keras_weights.assignment import Array, Place, assign, keras_order
from triptych.layouts.keras_hdf5.attributes import write_names
from triptych.layouts.keras_weights.lineage import Owner
from triptych.layouts.keras_weights.names import parse, tensor_names, unique
from triptych.model import Layer


def place(path, role, shape, *, trainable=True):
    *_, last = path
    return Place(Owner("", ".".join(path), path, Layer(last, "Dense")), role, ".".join([*path, role]), shape, trainable)


def two_dense(*, first_frozen):
    return [
        place(("inner", "d1"), "kernel", (3, 3), trainable=not first_frozen),
        place(("inner", "d1"), "bias", (3,), trainable=not first_frozen),
        place(("inner", "d2"), "kernel", (3, 3)),
        place(("inner", "d2"), "bias", (3,)),
    ]


FROZEN_ORDER = [Array("d2/kernel:0", (3, 3)), Array("d2/bias:0", (3,)), Array("d1/kernel:0", (3, 3)), Array("d1/bias:0", (3,))]
ANONYMOUS = [Array("Variable:0", (3, 3)), Array("Variable_1:0", (3,)), Array("Variable_2:0", (3, 3)), Array("Variable_3:0", (3,))]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dense_1/kernel:0", (("dense_1",), "kernel")),
        ("dense_1_W:0", (("dense_1",), "kernel")),
        ("bn_running_std:0", (("bn",), "moving_variance")),
        ("bi/forward_gru/gru_cell_1/bias:0", (("bi", "forward_gru", "gru_cell_1"), "bias")),
        ("rnn/l/lstm_cell/kernel", (("rnn", "l", "lstm_cell"), "kernel")),
        ("kernel", ((), "kernel")),
    ],
)
def test_a_name_says_its_scopes_and_its_role(name, expected):
    assert parse(name) == expected


def test_keras_stores_trainables_first():
    assert keras_order(two_dense(first_frozen=True)) == [2, 3, 0, 1]


@pytest.mark.parametrize("first_frozen", [True, False])
def test_names_win_over_an_order_of_other_flags(first_frozen):
    assert assign("inner", FROZEN_ORDER, two_dense(first_frozen=first_frozen)) == [2, 3, 0, 1]


@pytest.mark.parametrize(("first_frozen", "expected"), [(True, [2, 3, 0, 1]), (False, [0, 1, 2, 3])])
def test_position_decides_where_names_say_nothing(first_frozen, expected):
    assert assign("inner", ANONYMOUS, two_dense(first_frozen=first_frozen)) == expected


def test_a_layer_renamed_after_it_was_built_is_read_by_position():
    places = [place(("new_name",), "kernel", (2, 3)), place(("new_name",), "bias", (3,))]
    assert assign("new_name", [Array("old/kernel:0", (2, 3)), Array("old/bias:0", (3,))], places) == [0, 1]


def test_layers_whose_names_were_exchanged_are_told_apart_by_shape():
    places = [place(("m", "a"), "kernel", (2, 3)), place(("m", "b"), "kernel", (3, 4))]
    assert assign("m", [Array("b/kernel:0", (2, 3)), Array("a/kernel:0", (3, 4))], places) == [0, 1]


def test_an_order_that_some_names_contradict_is_an_error():
    arrays = [Array("d2/kernel:0", (3, 3)), Array("d2/bias:0", (3,)), Array("Variable:0", (3, 3)), Array("Variable_1:0", (3,))]
    with pytest.raises(InvalidModelError, match="names and order of weights to agree"):
        assign("inner", arrays, two_dense(first_frozen=False))


def test_directions_are_told_apart_by_name():
    def direction(role, name):
        return Place(Owner("", f"bi.{role}", ("bi", f"@{role}"), Layer("", "LSTM")), name, f"bi.{role}.{name}", (2, 2), True)

    places = [direction("forward", "kernel"), direction("backward", "kernel")]
    arrays = [Array("bi/backward_lstm/kernel:0", (2, 2)), Array("bi/forward_lstm/kernel:0", (2, 2))]
    assert assign("bi", arrays, places) == [1, 0]


def test_a_wrong_shape_and_a_wrong_count_name_the_weight():
    places = [place(("d",), "kernel", (2, 3)), place(("d",), "bias", (3,))]
    with pytest.raises(InvalidModelError, match=r"expected shape \(2, 3\) for 'kernel' of 'd', 'd/kernel:0' has \(3, 2\)"):
        assign("d", [Array("d/kernel:0", (3, 2)), Array("d/bias:0", (3,))], places)
    with pytest.raises(InvalidModelError, match="expected 2 weights"):
        assign("d", [Array("d/kernel:0", (2, 3))], places)


def test_tensor_names_without_an_architecture_are_the_canonical_ones():
    assert tensor_names("l", ["l/lstm_cell/kernel:0"]) == ["l.kernel"]
    assert tensor_names("d", ["d_W:0", "d_b:0"]) == ["d.kernel", "d.bias"]
    assert tensor_names("inner", ["inner_d/kernel:0"]) == ["inner.inner_d.kernel"]
    assert tensor_names("bi", ["bi/forward_gru/gru_cell/kernel:0", "bi/backward_gru/gru_cell_1/kernel:0"]) == ["bi.forward.kernel", "bi.backward.kernel"]
    assert tensor_names("blk/a", ["blk/a/kernel:0"]) == ["blk/a.kernel"]
    assert tensor_names("s", ["s/depthwise_kernel:0", "s/pointwise_kernel:0"]) == ["s.depthwise_kernel", "s.pointwise_kernel"]


def test_names_are_made_fit_for_tensors():
    assert unique(["a", "a", "", "e\u0301", "x\n"]) == ["a", "a_2", "_", "\u00e9", "x_"]
    assert len(unique(["n" * 5000])[0].encode()) <= 1024


def attributes_of(names, path, *, fixed=False):
    with h5py.File(path, "w") as file:
        write_names(file, "layer_names", names, fixed=fixed)
    with h5py.File(path) as file:
        return {name: (value.dtype.kind, len(value)) for name, value in file.attrs.items()}


def test_lists_are_split_as_keras_splits_them(tmp_path):
    """The numbers are those of real files: 701 names of 112 bytes become 351 and 350."""
    assert attributes_of([f"{n:0112}" for n in range(701)], tmp_path / "a.h5") == {"layer_names0": ("S", 351), "layer_names1": ("S", 350)}
    assert attributes_of([f"{n:016}" for n in range(4032)], tmp_path / "b.h5") == {"layer_names": ("O", 4032)}
    assert attributes_of([], tmp_path / "c.h5") == {"layer_names": ("f", 0)}
    assert attributes_of(["a", "bc"], tmp_path / "d.h5", fixed=True) == {"layer_names": ("S", 2)}


def test_very_many_short_names_fit_at_one_width(tmp_path):
    """Keras itself fails here: "object header message is too large"."""
    assert attributes_of([f"d{n}" for n in range(6000)], tmp_path / "a.h5") == {"layer_names": ("S", 6000)}


def test_arrays_of_a_plain_layer_are_views_on_the_file(examples_file):
    from triptych.layouts.keras_hdf5 import reader

    weights = reader.read(examples_file).weights
    first, second = weights["dense_1.kernel"], weights["dense_1.kernel"]
    assert np.shares_memory(first, second)
    assert not first.flags.writeable
