"""What TensorFlow 1.15, 2.4, 2.10 and 2.15 saved of a trained model finds its places in the architecture, bit for bit, slots included."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

import triptych

ARCHIVES = sorted((Path(__file__).parents[2] / "fixtures" / "object_checkpoints").glob("*.zip"))
SOURCES = [(path, source) for path in ARCHIVES for source in (("weights/w", "named/m") if "1.15" in path.name else ("weights/w", "kept"))]


@pytest.fixture(params=SOURCES, ids=lambda pair: f"{pair[0].stem} {pair[1]}")
def saved(request, tmp_path):
    archive, source = request.param
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    with np.load(tmp_path / "values.npz") as values:
        # TensorFlow 1.15 saved objects without the optimizer, which was none of Keras'.
        kept = {name: array for name, array in values.items() if not (name.startswith("slot_") and "1.15" in archive.name and source == "weights/w")}
    return tmp_path / source, triptych.model_from_json((tmp_path / "model.json").read_text()), kept


def test_every_weight_and_every_slot_is_where_it_belongs(saved):
    source, model, values = saved
    report = model.load_weights(source)
    held = model.get_weights()
    assert len(held) == len(report.loaded) == sum(name.startswith("weight_") for name in values)
    for number, array in enumerate(held):
        assert array.tobytes() == values[f"weight_{number}"].tobytes()
    np.testing.assert_allclose(model.predict(values["x"]), values["y"], rtol=1e-5, atol=1e-6)


def test_slots_belong_to_the_weights_that_were_trained(saved):
    source, model, values = saved
    read = triptych.load(source)
    assert read.notes == ()
    slots = {name for name in values if name.startswith("slot_")}
    if not slots:
        assert read.training is None
        return
    assert read.training.progress.step == 3
    found = {}
    for name, array in read.training.state.items():
        _, _, weight = name.split(".", 2) if name.count(".") > 1 else ("", "", "")
        if weight in read.weights:
            found[name.split(".")[1], read.weights[weight].tobytes()] = array.tobytes()
    model.load_weights(source)
    trained = [array for array, slot in zip(model.get_weights(), triptych.vocabulary.weight_slots(model.architecture), strict=True) if slot.trainable]
    assert len(found) == len(slots) == 2 * len(trained)
    for number, array in enumerate(trained):
        for slot in ("momentum", "velocity"):
            assert found[slot, array.tobytes()] == values[f"slot_{slot}_{number}"].tobytes()


def test_it_is_written_again_as_it_was(saved, tmp_path):
    source, _, _ = saved
    read = triptych.load(source)
    assert triptych.save(read, tmp_path / "again.ckpt") == ()
    again = triptych.load(tmp_path / "again.ckpt")
    assert again.panels.extensions == read.panels.extensions
    assert {name: array.tobytes() for name, array in again.weights.items()} == {name: array.tobytes() for name, array in read.weights.items()}
