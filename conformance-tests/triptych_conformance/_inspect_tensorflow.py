"""Looks at files with TensorFlow, tf-keras and Keras 3: they load the model and say its weights, its optimizer's variables and what it predicts."""

from __future__ import annotations

import importlib
import struct
from typing import Any

from triptych_conformance._spelling import spelled

Json = Any
MODULES = {"tensorflow": "tensorflow", "tf-keras": "tf_keras", "keras": "keras"}


def readers(name: str) -> Any:
    """The module that reads.

    Raises:
        ImportError: It is not installed.
    """
    return importlib.import_module(MODULES[name])


def look(module: Any, request: dict[str, Json]) -> dict[str, Json]:
    """What `module` makes of the file, looking at it as ``as`` says."""
    return LOOKS[request["as"]](module, request)


def _array(facts: Json) -> Any:
    numpy = importlib.import_module("numpy")
    values = [struct.unpack(">f", bytes.fromhex(word))[0] for word in facts["bits"]]
    return numpy.array(values, facts["dtype"]).reshape(facts["shape"])


def _model(keras: Any, request: dict[str, Json]) -> dict[str, Json]:
    """A whole model, loaded and compiled: weights in order, the optimizer's variables, predictions."""
    keras.backend.clear_session()
    model = keras.models.load_model(request["path"])
    return _facts(model, request)


def _weights(keras: Any, request: dict[str, Json]) -> dict[str, Json]:
    """Weights alone, loaded into the model of which the request holds Keras' own JSON."""
    keras.backend.clear_session()
    model = keras.models.model_from_json(request["json"])
    if "compile" in request:
        options = dict(request["compile"])
        model.compile(getattr(keras.optimizers, options.pop("optimizer"))(**options), loss="mse")
        model.optimizer.build(model.trainable_variables)
    status = model.load_weights(request["path"])
    if hasattr(status, "assert_consumed"):
        status.assert_consumed()
    return _facts(model, request)


def _facts(model: Any, request: dict[str, Json]) -> dict[str, Json]:
    numpy = importlib.import_module("numpy")
    inputs = [_array(one) for one in request["inputs"]]
    yielded = model.predict_on_batch(inputs if len(inputs) > 1 else inputs[0])
    arrays = yielded if isinstance(yielded, list) else [yielded]
    optimizer = getattr(model, "optimizer", None)
    variables = getattr(optimizer, "variables", ())
    variables = variables() if callable(variables) else variables
    return {
        "weights": [spelled(array) for array in model.get_weights()],
        "outputs": {name: spelled(numpy.asarray(one)) for name, one in zip(getattr(model, "output_names", [model.layers[-1].name]), arrays, strict=True)},
        **({} if optimizer is None else {"optimizer": type(optimizer).__name__, "variables": [spelled(numpy.asarray(one)) for one in variables]}),
    }


def _checkpoint(tensorflow: Any, request: dict[str, Json]) -> dict[str, Json]:
    """Every key of a checkpoint with its tensor; of strings, which hold graphs of objects, the key alone."""
    numpy = importlib.import_module("numpy")
    reader = tensorflow.train.load_checkpoint(request["path"])
    found: dict[str, Json] = {}
    for key, dtype in sorted(reader.get_variable_to_dtype_map().items()):
        if dtype == tensorflow.string:
            found[key] = "string"
            continue
        array = numpy.asarray(reader.get_tensor(key))
        found[key] = {**spelled(array.view("uint16") if dtype == tensorflow.bfloat16 else array), "dtype": dtype.name}
    return {"tensors": found}


def _signature(tensorflow: Any, request: dict[str, Json]) -> dict[str, Json]:
    """What a SavedModel yields when it is served: the signature ``serving_default``."""
    serve = tensorflow.saved_model.load(request["path"]).signatures["serving_default"]
    names = sorted(serve.structured_input_signature[1])
    yielded = serve(**{name: tensorflow.constant(_array(one)) for name, one in zip(names, request["inputs"], strict=True)})
    return {"outputs": {name: spelled(one.numpy()) for name, one in sorted(yielded.items())}}


LOOKS = {"checkpoint": _checkpoint, "signature": _signature, "model": _model, "weights": _weights}
