"""The text that `to_json` writes for a Keras is loaded by that Keras, whichever Keras the model comes from, and computes the same."""

import json
from pathlib import Path

import numpy as np
import pytest

import triptych

FIXTURES = Path(__file__).parents[1] / "fixtures" / "keras_yaml"
SHAPES = {"convolutional": [(2, 12, 12, 2)], "two_in_two_out": [(2, 6), (2, 4)], "recurrent": [(2, 7)]}


@pytest.fixture(scope="session")
def both(keras2, keras3):
    return {"keras2": keras2, "keras3": keras3}


def computes_the_same(k, text, model, inputs):
    """Real Keras loads `text`, and with weights of its own predicts what `model` evaluates with them."""
    real = k.models.model_from_json(text)
    generator = np.random.default_rng(5)
    real.set_weights([generator.uniform(0.1, 0.9, w.shape).astype(w.dtype) for w in real.get_weights()])
    model.set_weights(real.get_weights())
    expected = real(inputs, training=False)
    for one, other in zip(expected if isinstance(expected, list) else [expected], [found] if isinstance(found := model.predict(inputs), np.ndarray) else found, strict=True):
        np.testing.assert_allclose(other, np.asarray(one), rtol=1e-4, atol=1e-5)


def inputs_of(shapes, name):
    if name == "recurrent":
        return np.arange(14, dtype="int32").reshape(2, 7)
    found = [np.random.default_rng(2).normal(size=shape).astype("float32") for shape in shapes]
    return found if len(found) > 1 else found[0]


@pytest.mark.parametrize("target", ["keras2", "keras3"])
@pytest.mark.parametrize("source", ["keras2", "keras3"])
@pytest.mark.parametrize("name", list(SHAPES))
def test_text_of_either_keras_becomes_text_of_the_other(both, judge, name, source, target):
    text = judge.models[name](both[source])[0].to_json()
    model = triptych.model_from_json(text)
    written = model.to_json(dialect=target)
    if source == target:
        assert json.loads(written) == json.loads(text)
    computes_the_same(both[target], written, model, inputs_of(SHAPES[name], name))


@pytest.mark.parametrize("target", ["keras2", "keras3"])
@pytest.mark.parametrize(("writer", "shapes"), [("keras-1.2.2", [(2, 6, 6, 2), (2, 4)]), ("keras-2.3.1", [(2, 5, 3)])])
def test_text_of_old_keras_becomes_text_of_todays(both, writer, shapes, target):
    # No formula takes an infinite slope.
    model = triptych.model_from_yaml((FIXTURES / f"{writer}.yaml").read_text().replace(".inf", "0.2"))
    computes_the_same(both[target], model.to_json(dialect=target), model, inputs_of(shapes, writer))


def test_yaml_of_keras_2_says_what_its_json_says(both, judge):
    text = judge.models["two_in_two_out"](both["keras3"])[0].to_json()
    model = triptych.model_from_json(text)
    from_yaml = triptych.model_from_yaml(model.to_yaml(dialect="keras2")).to_json(dialect="keras2")
    assert json.loads(from_yaml) == json.loads(model.to_json(dialect="keras2"))


@pytest.mark.parametrize(("source", "target"), [("keras2", "keras3"), ("keras3", "keras2")])
def test_code_of_lambdas_becomes_that_of_the_other_keras(both, source, target):
    """Carried where it is asked for; only the real Keras of this test runs it."""
    k = both[source]
    text = k.Sequential([k.layers.Input((3,)), k.layers.Lambda(lambda x: x + 1, name="code", output_shape=(3,))]).to_json()
    written = triptych.model_from_json(text, allow_code=True).to_json(dialect=target)
    if target == "keras3":
        from keras.src.saving.serialization_lib import SafeModeScope
    else:
        from tf_keras.src.saving.serialization_lib import SafeModeScope
    with SafeModeScope(False):
        real = both[target].models.model_from_json(written)
    np.testing.assert_allclose(np.asarray(real(np.ones((2, 3), "float32"))), 2.0)
