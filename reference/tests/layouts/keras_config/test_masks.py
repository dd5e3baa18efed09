"""How masks are merged is said at import, by the Keras that was read, and named at export where the other Keras differs."""

import json

import numpy as np
import pytest

from triptych.layouts.keras_config import read_model_config, write_model_config
from triptych.model import Panels
from triptych.surface.model import Model

ROWS = [np.where(np.arange(4)[:, None] < length, np.random.default_rng(length).normal(size=(2, 4, 3)), 0).astype("float32") for length in (2, 3)]


def joined(keras, *, masked=True, kind="Multiply"):
    """Two values, each masked where it is 0, merged, and the mean of the steps that count."""
    given = [keras.Input((4, 3), name=name) for name in "ab"]
    values = [keras.layers.Masking(name=f"m{n}")(one) if masked else one for n, one in enumerate(given)]
    return keras.Model(given, keras.layers.GlobalAveragePooling1D()(getattr(keras.layers, kind)(name="merge")(values)))


def merging(architecture):
    return next(layer for layer in architecture.layers if layer.name == "merge")


@pytest.mark.parametrize("kind", ["Add", "Multiply", "Concatenate"])
def test_each_keras_merges_masks_by_its_own_rule(tools, keras2, keras3, kind):
    for keras, version, said in ((keras2, "2.21.0", "all"), (keras3, "3.15.1", None)):
        model = joined(keras, kind=kind)
        architecture = tools.there_and_back(json.loads(model.to_json()), version)
        assert merging(architecture).config.get("masks") == said
        assert np.allclose(Model(Panels(architecture=architecture)).predict(ROWS), model(ROWS), atol=1e-6)


def test_keras_3_lost_masks_until_3_4(tools, keras3):
    config = json.loads(joined(keras3).to_json())
    said = [merging(tools.there_and_back(config, version)).config.get("masks") for version in ("3.0.5", "3.3.3", "3.4.0")]
    assert said == ["none", "none", None]


def test_nothing_is_said_where_nothing_is_masked(tools, keras2):
    architecture = tools.there_and_back(json.loads(joined(keras2, masked=False).to_json()), "2.21.0")
    assert "masks" not in merging(architecture).config
    assert write_model_config(architecture, dialect="keras3")[1] == ()


def test_another_rule_is_named_when_a_model_changes_its_keras(keras2, keras3):
    old = read_model_config(json.loads(joined(keras2).to_json()), keras_version="2.21.0", backend=None)
    new = read_model_config(json.loads(joined(keras3).to_json()), keras_version="3.15.1", backend=None)
    assert write_model_config(old, dialect="keras3")[1] == ("layer merge: Keras 3.3.3 merges masks by the rule any, not by all",)
    assert write_model_config(new, dialect="keras2")[1] == ("layer merge: Keras 2.10.0 merges masks by the rule all, not by any",)
    assert write_model_config(old)[1] == write_model_config(new)[1] == ()
