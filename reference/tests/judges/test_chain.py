"""A trained model through every checkpoint layout and back: the file that comes out is the one that went in, and training goes on.

Checkpoints, state dictionaries and hub folders hold no architecture, the first of them no configuration of training either: it is joined to their
weights from the first file, as somebody would who has them alone.
"""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")

JOINING = ("--architecture", "first.h5")
CHAIN = [("model.ckpt",), ("model.pt", *JOINING), ("hub", "--layout", "hub"), ("model.triptych", *JOINING), ("last.h5",)]
"""What each step writes, and how it is told to."""


def everything(k):
    """Layers of every kind of state: batch normalization, a recurrent layer, a nested model, a frozen one, dropout; Adam."""
    layers = k.layers
    frozen = layers.Dense(6, name="frozen", trainable=False)
    inner = k.Sequential([layers.Input((6,)), frozen, layers.BatchNormalization(name="inner_norm"), layers.Dense(4, name="free")], name="inner")
    x = layers.Input((5, 6), name="x")
    y = layers.LSTM(6, return_sequences=True, name="lstm")(layers.BatchNormalization(name="norm")(x))
    y = layers.Bidirectional(layers.GRU(3), name="both_ways")(y)
    y = layers.Dense(1, name="head")(layers.Dropout(0.3, name="drop")(inner(y)))
    model = k.Model(x, y, name="everything")
    model.compile(k.optimizers.Adam(0.01, clipnorm=1.0), k.losses.Huber(delta=0.5), metrics=[k.metrics.MeanAbsoluteError(name="mae")])
    return model


def losses_of(k, judge, path, x, y):
    """The next five losses of the model at `path`, whose dropout has the same seeds each time."""
    k.utils.set_random_seed(7)
    return judge.next_losses(k, k.models.load_model(path), x, y)


@pytest.fixture(scope="module")
def chain(keras2, judge, tmp_path_factory):
    """The folder of a chain, with the notes of each step."""
    folder = tmp_path_factory.mktemp("chain")
    keras2.utils.set_random_seed(3)
    model = everything(keras2)
    x, y = judge.data(16, 5, 6), judge.data(16, 1, seed=5)
    for _ in range(4):
        model.train_on_batch(x, y)
    model.save(folder / "first.h5")
    notes, before = [], "first.h5"
    for target, *options in CHAIN:
        command = [sys.executable, "-m", "triptych", "convert", before, target, *options]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        notes.append(run.stderr.splitlines())
        before = target
    return folder, notes, x, y


def test_nothing_is_lost_on_the_way_but_what_is_joined_again(chain):
    """And the note in a hub folder's weights that tells programs how to read them, which the last layout has no place for."""
    _, notes, _, _ = chain
    lost = {line.split(": ")[1] for step in notes[:-1] for line in step}
    assert lost == {"architecture", "the configuration of training"}
    assert notes[-1] == ["not kept: metadata of the package: Keras HDF5 has no place for it"]


def test_the_last_file_holds_what_the_first_does_bit_for_bit(chain, judge):
    """Weights, optimizer state, configurations of model and training, names, attributes."""
    folder, _, _, _ = chain
    assert judge.differences(folder / "first.h5", folder / "last.h5") == []


def test_keras_goes_on_with_either_alike(chain, keras2, judge):
    folder, _, x, y = chain
    losses = [losses_of(keras2, judge, folder / name, x, y) for name in ("first.h5", "last.h5")]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 5


@pytest.mark.parametrize("kind", ["keras2", "keras3"])
def test_a_weights_file_of_keras_with_its_optimizer_becomes_the_whole_model_again(kind, judge, request, tmp_path):
    """The variables of the optimizer lie in a bare list, whose order the configuration of the architecture's file tells."""
    import triptych

    keras = request.getfixturevalue(kind)
    keras.utils.set_random_seed(3)
    model = everything(keras)
    x, y = judge.data(16, 5, 6), judge.data(16, 1, seed=5)
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(tmp_path / "whole.keras")
    model.save_weights(tmp_path / "w.weights.h5")
    triptych.save(triptych.load(tmp_path / "whole.keras"), tmp_path / "w.npz")
    assert triptych.load(tmp_path / "w.npz", architecture=tmp_path / "whole.keras").training is None
    joined = triptych.load(tmp_path / "w.weights.h5", architecture=tmp_path / "whole.keras")
    assert set(joined.training.state) == set(triptych.load(tmp_path / "whole.keras").training.state)
    assert triptych.save(joined, tmp_path / "again.keras") == ()
    losses = [losses_of(keras, judge, tmp_path / name, x, y) for name in ("whole.keras", "again.keras")]
    assert losses[0] == losses[1]
