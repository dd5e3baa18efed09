"""Files of every generation of Keras, made by that generation: read, evaluated, and upgraded to files that today's Keras loads.

What is expected are the predictions and losses that the old framework itself stored beside its files.
"""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import triptych

pytestmark = pytest.mark.filterwarnings("ignore")

FIXTURES = Path(__file__).parents[1] / "fixtures" / "old_keras"
MODELS = [
    (archive.stem, name.removesuffix(".npz"))
    for archive in sorted(FIXTURES.glob("*.zip"))
    for name in zipfile.ZipFile(archive).namelist()
    if name.endswith(".npz")
]
TOLERANCE = 1e-5
"""Of the largest magnitude among the predictions."""


class Fixture:
    """The files of one model of one version, and what that version made of it."""

    def __init__(self, writer, name, folder):
        with zipfile.ZipFile(FIXTURES / f"{writer}.zip") as archive:
            for member in archive.namelist():
                if member.startswith((f"{name}.", f"{name}_weights")):
                    archive.extract(member, folder)
        self.writer, self.name, self.folder = writer, name, folder
        with np.load(folder / f"{name}.npz") as kept:
            self.inputs, self.targets, self.predictions = ([kept[k] for k in kept.files if k.rstrip("0123456789") == word] for word in ("x", "y", "predictions"))
            self.losses = kept["losses"].tolist()

    def files(self, *suffixes):
        """Those files of the model that this version could write."""
        return [path for suffix in suffixes if (path := self.folder / f"{self.name}{suffix}").exists()]

    def judge(self, predictions):
        """Compare `predictions` with those that the old framework stored."""
        predictions = predictions if isinstance(predictions, list | tuple) else [predictions]
        for one, expected in zip(predictions, self.predictions, strict=True):
            np.testing.assert_allclose(np.asarray(one), expected, rtol=0, atol=TOLERANCE * np.abs(expected).max())

    @property
    def given(self):
        """The inputs as Keras takes them."""
        return self.inputs if len(self.inputs) > 1 else self.inputs[0]


ONLY_THEIRS = {("keras-1.2.2", "merges"): "keras:Merge", ("keras-1.2.2", "two_branches"): "keras:Highway"}
"""Models with a layer that Keras 1 alone had (the cosine of a Merge, Highway) -> the extension type that it is carried as."""


@pytest.fixture(params=[pair for pair in MODELS if pair not in ONLY_THEIRS], ids=lambda pair: "-".join(pair))
def old(request, tmp_path):
    return Fixture(*request.param, tmp_path)


@pytest.mark.parametrize(("pair", "kept"), ONLY_THEIRS.items(), ids=lambda one: "-".join(one) if isinstance(one, tuple) else one)
def test_a_layer_that_keras_1_alone_had_is_carried_and_named(pair, kept, tmp_path):
    """It goes back to its file unchanged, and nobody computes something else in its place."""
    fixture = Fixture(*pair, tmp_path)
    (path,) = fixture.files(".h5")
    model = triptych.load(path)
    with pytest.raises(triptych.UnsupportedError, match=kept):
        model.predict(fixture.inputs)
    triptych.save(model, tmp_path / "again.h5")
    again = triptych.load(tmp_path / "again.h5")
    assert json.loads(again.to_json(dialect="keras")) == json.loads(model.to_json(dialect="keras"))
    assert {name: array.tobytes() for name, array in again.weights.items()} == {name: array.tobytes() for name, array in model.weights.items()}


def test_it_predicts_what_its_own_framework_predicted(old):
    for path in old.files(".h5", ".keras"):
        old.judge(triptych.load(path).predict(old.inputs))


def test_its_architecture_text_with_its_weights_file_predicts_the_same(old):
    texts = [triptych.model_from_json(path.read_text()) for path in old.files(".json")]
    texts += [triptych.model_from_yaml(path.read_text()) for path in old.files(".yaml")]
    for model in texts:
        for path in old.files("_weights.h5", ".weights.h5"):
            model.load_weights(path)
            old.judge(model.predict(old.inputs))


@pytest.mark.parametrize("target", ["keras3.h5", "keras3.keras"])
def test_todays_keras_3_loads_its_upgrade_and_predicts_the_same(old, keras3, target):
    for path in old.files(".h5", ".keras"):
        triptych.save(triptych.load(path), old.folder / target, dialect="keras3")
        old.judge(keras3.models.load_model(old.folder / target)(old.given, training=False))


def test_tf_keras_loads_its_upgrade_and_goes_on_training_as_it_did(old, keras2):
    """Lost slots or a lost step count would show as percents; later optimizers place epsilon elsewhere, and TensorFlow 1 had other
    gradients of a hard sigmoid, which shows as less than half a percent.
    """
    for path in old.files(".h5", ".keras"):
        notes = triptych.save(triptych.load(path), old.folder / "keras2.h5", dialect="keras2")
        if any("has no activation hard_sigmoid" in note for note in notes):
            continue  # Keras 3 computes another function under this name, and the writer says that Keras 2 has none like it
        model = keras2.models.load_model(old.folder / "keras2.h5")
        old.judge(model(old.given, training=False))
        if old.name == "channels_first" or (old.writer, old.name) == ("keras-3.0.5", "functional"):
            continue  # TensorFlow trains the first on a GPU alone; the other has slots for a frozen layer, which the notes name
        model.run_eagerly = True
        targets = old.targets if len(old.targets) > 1 else old.targets[0]
        losses = [np.ravel(model.train_on_batch(old.given, targets))[0] for _ in old.losses]
        np.testing.assert_allclose(losses, old.losses, rtol=5e-3)
