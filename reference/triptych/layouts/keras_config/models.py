"""A Keras model object, Sequential or Functional, as an architecture, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from triptych.errors import ConversionError
from triptych.layouts.keras_config import branches, graph, inputs, objects
from triptych.layouts.keras_config.edits import difference
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.graph_writing import operation_name, write_graph
from triptych.layouts.keras_config.layers import EXTENSION, Layers, Writing, extension_of, free_name
from triptych.layouts.keras_config.plain import Unsayable, is_name, unsayable
from triptych.model import Architecture, Input, Json, Layer
from triptych.vocabulary import Misfit, infer

_BRANCHES = "branches"
_ROUNDS = 4
"""How often layers that do not fit their type are taken for extension types before the whole model is."""
_MODULES = {"Sequential": "keras", "Functional": "keras.src.models.functional"}


def read(original: Mapping[str, Json], generation: Generation) -> Architecture:
    """The architecture that the model object `original` describes, with the edits that lead back to it.

    Raises:
        Unsayable: Our graphs cannot say it.
    """
    flat = branches.as_graph(original) if generation < (2,) else None
    if flat is not None:
        return _keep(read(flat, generation), _BRANCHES, dict(original))
    class_name, config = original.get("class_name"), original.get("config")
    listed = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(listed, list):
        unsayable("a model")
    sequential = class_name == "Sequential"
    opaque: frozenset[str] = frozenset()
    for _ in range(_ROUNDS):
        architecture = (
            _read_sequential(config, listed, generation, opaque)
            if sequential
            else graph.read_graph(_object(config), LAYERS, generation, opaque)
        )
        problems = infer(architecture).problems
        if not problems:
            break
        misfits = _misfits(architecture, problems) - opaque
        if not misfits:
            unsayable("a graph that fits no types")
        opaque |= misfits
    else:
        unsayable("a graph that fits no types")
    name = config.get("name") if isinstance(config, dict) else None
    architecture = replace(architecture, name=name if isinstance(name, str) and is_name(name) else None)
    try:
        generated = _generate(architecture, {"trainable": True}, architecture.name, Writing(generation, edits_apply=True))
    except ConversionError:
        unsayable("operations of a generation that had none")
    return _keep(architecture, "edits", difference(_shell(generated), _shell(original)))


def _object(config: Json) -> Mapping[str, Json]:
    return config if isinstance(config, dict) else unsayable("a model")


def _keep(architecture: Architecture, key: str, value: Json) -> Architecture:
    if not value:
        return architecture
    return replace(
        architecture, extensions={**architecture.extensions, EXTENSION: {**extension_of(architecture.extensions), key: value}}
    )


def _shell(model: Mapping[str, Json]) -> dict[str, Json]:
    """The model object without its layers, and without what its place in a graph adds."""
    shell = {
        key: value
        for key, value in model.items()
        if key not in ("config", "inbound_nodes") and not (key == "name" and "inbound_nodes" in model)
    }
    config = model.get("config")
    if isinstance(config, dict):
        shell["config"] = {key: value for key, value in config.items() if key not in ("layers", "trainable")} | (
            {"trainable": config["trainable"]} if "trainable" in config else {}
        )
    return shell


def _misfits(architecture: Architecture, problems: Iterable[Misfit]) -> frozenset[str]:
    """Names of the layers of which `problems` say that they break a requirement of their type."""
    found = set()
    for problem in problems:
        parts = problem.pointer.split("/")
        if len(parts) > 2 and parts[1] == "layers":
            found.add(architecture.layers[int(parts[2])].name)
        elif len(parts) > 2 and parts[1] == "calls" and architecture.calls is not None:
            found.add(operation_name(architecture, int(parts[2])) or architecture.calls[int(parts[2])].layer)
    return frozenset(found)


# Sequential


def _read_sequential(config: Json, listed: list[Json], generation: Generation, opaque: frozenset[str]) -> Architecture:
    entering: tuple[Input, ...] = ()
    how = None
    rest = list(listed)
    if rest and isinstance(rest[0], dict) and rest[0].get("class_name") == "InputLayer":
        entering, how = (inputs.read(rest.pop(0), generation),), "layer"
    if any(isinstance(one, dict) and one.get("class_name") == "InputLayer" for one in rest):
        unsayable("an input in the middle")
    first: dict[str, Json] = {}
    if rest and not entering:
        entering = _input_of(rest[0])
        how = "first" if entering else None
    if rest and entering:
        first = first_config(entering[0], _name_of(rest[0]), how, generation)
    layers: list[Layer] = []
    taken: set[str] = set()
    for number, one in enumerate(rest):
        layer = LAYERS.read(one, generation, opaque=free_name(_name_of(one) or "", taken) in opaque, entering=first if number == 0 else {}, taken=taken)
        taken.add(layer.name)
        layers.append(layer)
    if not entering and layers and layers[0].architecture is not None and len(layers[0].architecture.inputs) == 1:
        inner = layers[0].architecture.inputs[0]
        entering, how = (Input(inner.name, inner.shape, inner.dtype),), "nested"
    architecture = Architecture(layers=tuple(layers), inputs=entering)
    form = "list" if isinstance(config, list) else "object"
    if form != _default_form(generation):
        architecture = _keep(architecture, "config", form)
    if entering and how != _default_input(architecture, generation):
        architecture = _keep(architecture, "input", how)
    return architecture


def _default_form(generation: Generation) -> str:
    return "list" if generation < (2, 2, 3) else "object"


def _default_input(architecture: Architecture, generation: Generation) -> str:
    """Where the input of a sequential model is said: in a layer of its own, in the first layer, or in the model that is the first."""
    if generation >= (2, 3, 50):
        return "layer"
    return "nested" if architecture.layers and architecture.layers[0].architecture is not None else "first"


def _name_of(original: Json) -> str:
    config = original.get("config") if isinstance(original, dict) else None
    name = config.get("name") if isinstance(config, dict) else None
    return name if isinstance(name, str) else ""


def _input_of(original: Json) -> tuple[Input, ...]:
    """The input that a first layer's config says."""
    config = original.get("config") if isinstance(original, dict) else None
    if not isinstance(config, dict) or not isinstance(config.get("batch_input_shape"), list):
        return ()
    policy = config.get("input_dtype", config.get("dtype"))
    dtype = policy if isinstance(policy, str) else None
    try:
        return (
            Input(
                f"{_name_of(original) or 'layer'}_input", inputs.read_shape(config["batch_input_shape"]), inputs.read_dtype(dtype)
            ),
        )
    except Unsayable:
        return ()


def first_config(value: Input, layer_name: str, how: str | None, generation: Generation) -> dict[str, Json]:
    """What the config of the first layer says of the model's input."""
    if generation >= (3,) or how == "nested" or (how == "layer" and value.name != f"{layer_name}_input"):
        return {}
    shape: dict[str, Json] = {"batch_input_shape": list(value.shape)}
    if generation < (2,):
        return {**shape, "input_dtype": value.dtype}
    return {**shape, "dtype": value.dtype} if generation < (2, 3) else shape


def _write_sequential(architecture: Architecture, writing: Writing) -> list[Json]:
    generation = writing.generation
    kept = extension_of(architecture.extensions).get("input") if writing.edits_apply else None
    how = kept if kept in ("layer", "first", "nested") else _default_input(architecture, generation)
    listed: list[Json] = []
    first: dict[str, Json] = {}
    for value in architecture.inputs[:1]:
        if how == "layer":
            listed.append(inputs.write(value, writing))
        if architecture.layers:
            first = first_config(value, architecture.layers[0].name, how, generation)
    for number, layer in enumerate(architecture.layers):
        listed.append(LAYERS.write(layer, writing, entering=first if number == 0 else {}))
    return listed


# Both


def _generate(architecture: Architecture, place: Mapping[str, Json], name: str | None, writing: Writing) -> dict[str, Json]:
    """The model object before its own edits, its layers' included."""
    generation = writing.generation
    config: dict[str, Json] = {} if name is None else {"name": name}
    if architecture.calls is None:
        class_name = "Sequential"
        form = extension_of(architecture.extensions).get("config") if writing.edits_apply else None
        if form not in ("list", "object"):
            form = _default_form(generation)
        if form == "list":
            return {"class_name": class_name, "config": _write_sequential(architecture, writing)}
        if generation >= (3,):
            config |= {"trainable": place["trainable"], "dtype": objects.write_policy("float32", None, generation)}
            if architecture.inputs:
                config["build_input_shape"] = list(architecture.inputs[0].shape)
        config["layers"] = _write_sequential(architecture, writing)
    else:
        class_name = "Functional" if generation >= (2, 4) else "Model"
        if generation >= (2, 13):
            config["trainable"] = place["trainable"]
        config |= write_graph(architecture, LAYERS, writing)
    if not generation.wrapped:
        return {"class_name": class_name, "config": config}
    module = _MODULES[class_name] if generation >= (3,) or class_name == "Sequential" else "tf_keras.src.engine.functional"
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": class_name if class_name == "Functional" else None,
    }


def write(architecture: Architecture, place: Mapping[str, Json], name: str | None, writing: Writing) -> dict[str, Json]:
    """The model object of `architecture`, called `name`, ``trainable`` as `place` says."""
    generated = _generate(architecture, place, name or architecture.name, writing)
    config = generated["config"]
    finished: dict[str, Json] = writing.finish(
        _shell(generated), architecture.extensions, f"model {name or architecture.name or ''}".strip()
    )
    if isinstance(config, dict):
        if not isinstance(finished.get("config"), dict):
            return generated
        whole = {**finished, "config": {**finished["config"], "layers": config["layers"]}}
        kept = extension_of(architecture.extensions).get(_BRANCHES) if writing.edits_apply else None
        return (branches.restored(kept, whole) if kept is not None else None) or whole
    return {**finished, "config": config}


LAYERS = Layers(read, write)
"""The one translator of layers; it comes back here for nested models."""
