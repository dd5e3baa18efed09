"""Operations that TensorFlow 2.3 kept as nodes of its graph: its own configurations, and what it computed."""

import json
from pathlib import Path

import numpy as np
import pytest

from triptych.errors import ConversionError
from triptych.layouts.keras_config import read_model_config, write_model_config
from triptych.model import Panels
from triptych.surface.model import Model

FOUND = json.loads((Path(__file__).parents[2] / "fixtures" / "tensorflow_2_3" / "operations.json").read_text())["models"]
X = ((np.arange(72) * 29 % 64 - 31) / 16).reshape(3, 4, 6).astype("float32")


@pytest.mark.parametrize("name", FOUND)
def test_nodes_are_operations_and_compute_what_tensorflow_2_3_computed(tools, keras2, name):
    found = FOUND[name]
    theirs = np.asarray(found["values"], "float32").reshape(found["shape"])
    architecture = tools.there_and_back(found["config"], "2.4.0-tf")
    assert architecture.layers == ()
    assert np.allclose(Model(Panels(architecture=architecture)).predict(X), theirs, rtol=1e-5, atol=1e-6)
    config, notes = write_model_config(tools.bare(architecture), dialect="keras2")
    assert notes == ()
    assert np.allclose(keras2.models.model_from_json(json.dumps(config))(X), theirs, rtol=1e-5, atol=1e-6)


def test_a_changed_operation_is_not_written_for_a_tensorflow_that_has_only_nodes():
    from dataclasses import replace

    architecture = read_model_config(FOUND["looked up"]["config"], keras_version="2.3.0-tf", backend=None)
    (call,) = architecture.calls
    changed = replace(architecture, calls=(replace(call, config={**call.config, "indices": [1]}),))
    with pytest.raises(ConversionError, match="expected layers alone for Keras"):
        write_model_config(changed)
