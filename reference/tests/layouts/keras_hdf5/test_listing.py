"""What h5ls and h5dump would show of our files is what they show of Keras' own, object by object (``pytest -rP`` prints it)."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from triptych.layouts.keras_hdf5 import reader, writer

pytestmark = pytest.mark.filterwarnings("ignore")

CHARSETS = {h5py.h5t.CSET_ASCII: "ASCII", h5py.h5t.CSET_UTF8: "UTF-8"}
PADDINGS = {h5py.h5t.STR_NULLTERM: "null-terminated", h5py.h5t.STR_NULLPAD: "null-padded", h5py.h5t.STR_SPACEPAD: "space-padded"}
LAYOUTS = {h5py.h5d.COMPACT: "compact", h5py.h5d.CONTIGUOUS: "contiguous", h5py.h5d.CHUNKED: "chunked"}


def spelled(kind):
    """A type with all that HDF5 says of it."""
    if kind.get_class() != h5py.h5t.STRING:
        return f"{kind.dtype.str if kind.get_class() != h5py.h5t.OPAQUE else 'opaque'}, {kind.get_size()} bytes"
    width = "variable" if kind.is_variable_str() else f"{kind.get_size()} bytes"
    return f"string, {width}, {CHARSETS[kind.get_cset()]}, {PADDINGS[kind.get_strpad()]}"


def listing(path):
    """A line for each group, attribute and dataset, in the order of their names; groups say in which order they list what is in them."""
    lines = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            plan = item.id.get_create_plist()
            filters = [plan.get_filter(index)[0] for index in range(plan.get_nfilters())]
            stored = LAYOUTS[plan.get_layout()] + (f", filters {filters}" if filters else "")
            lines.append(f"/{name}  dataset {item.shape}  {spelled(item.id.get_type())}  {stored}")
        else:
            lines.append(f"/{name}  group of {len(item)}")
        for title in sorted(item.attrs):
            found = item.attrs.get_id(title)
            lines.append(f"/{name}@{title}  attribute {found.shape}  {spelled(found.get_type())}")

    with h5py.File(path) as file:
        visit("", file)
        file.visititems(visit)
        plan = file.id.get_create_plist()
        lines.append(f"superblock {plan.get_version()}, user block {plan.get_userblock()}")
    return lines


def contents(path):
    """The elements of every dataset, and every attribute but texts of configurations and versions."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes()
        for title, value in item.attrs.items():
            if title not in ("model_config", "training_config", "keras_version"):
                found[f"{name}@{title}"] = np.asarray(value).tolist()

    with h5py.File(path) as file:
        visit("", file)
        file.visititems(visit)
    return found


def plain(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            *(layers.Conv2D(3, 3, name="conv"), layers.BatchNormalization(name="norm"), layers.Flatten(name="flat")),
            layers.Dense(2, "softmax", name="out"),
        ],
        name="plain",
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.train_on_batch(np.ones((2, 8, 8, 2), "float32"), np.eye(2, dtype="float32"))
    return model


def woven(keras):
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="inner_dense")], name="inner")
    shared = layers.Dense(4, name="shared")
    left, right = keras.Input((5, 4), name="left"), keras.Input((4,), name="right")
    states = layers.Bidirectional(layers.LSTM(2), name="both")(left)
    steps = layers.TimeDistributed(layers.Dense(3, name="dense"), name="each")(left)
    joined = layers.Concatenate(name="joined")([states, inner(shared(shared(right))), layers.GlobalAveragePooling1D(name="mean")(steps)])
    model = keras.Model([left, right], layers.Dense(1, name="out")(joined), name="woven")
    inner.layers[-1].trainable = False
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mean_squared_error")
    model.train_on_batch([np.ones((2, 5, 4), "float32"), np.ones((2, 4), "float32")], np.ones((2, 1), "float32"))
    return model


def many(keras):
    """So many layers of such long names that their list is split."""
    layers = [keras.layers.Dense(1, name=f"{'a_long_name' * 36}_{number}") for number in range(170)]
    return keras.Sequential([keras.Input((1,)), *layers], name="many")


@pytest.mark.parametrize("make", [plain, woven, many])
@pytest.mark.parametrize(("fixture", "dialect"), [("keras2", "keras2"), ("keras3", "keras3")])
def test_our_files_are_built_as_keras_builds_them(request, tmp_path, make, fixture, dialect):
    """Of what was read from a file and, harder, without what the file said of itself.

    Left out of the comparison are the texts: they name the version that they are written for. The name of a wrapped layer,
    which only Keras has, is its default here.
    """
    theirs, ours = tmp_path / "theirs.h5", tmp_path / "ours.h5"
    keras = request.getfixturevalue(fixture)
    keras.backend.clear_session()  # Keras numbers what has no name of its own, and other tests of this process have counted
    make(keras).save(theirs)
    panels = reader.read(theirs)
    expected = listing(theirs)
    if make is not many:
        print(f"{make.__name__} of {fixture}:", *expected, sep="\n  ")
    writer.write(panels, ours)
    assert listing(ours) == expected
    assert contents(ours) == contents(theirs)
    training = None if panels.training is None else replace(panels.training, extensions={}, extensions_used=())
    writer.write(replace(panels, training=training, extensions={}, extensions_used=()), ours, dialect=dialect)
    assert listing(ours) == expected
    assert contents(ours) == contents(theirs)
