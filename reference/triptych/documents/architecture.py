"""The architecture document: plain data to `Architecture` and back, without loss (specification chapter 20)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from triptych.documents import schemas
from triptych.documents.members import in_order, typed_object
from triptych.documents.scalars import spell, unspell, unspell_extensions, unspell_members
from triptych.documents.text import raise_problems
from triptych.documents.versions import FORMAT_VERSION, check_version
from triptych.errors import Findings
from triptych.model import Architecture, Call, Composite, Input, Json, Layer, Parameter, WeightReference


def parse_architecture(data: Json, findings: Findings) -> Architecture:
    """The architecture that the document `data` says; what relates two places of it is judged by `triptych.checks`.

    Raises:
        InvalidModelError: `data` breaks the schema; every problem is listed.
        UnsupportedError: It is of a version that this reader does not know.
    """
    check_version(data, findings)
    schemas.check("architecture", data, findings)
    raise_problems(findings)
    composites = {name: _composite(item) for name, item in data.get("composites", {}).items()}
    graph = _graph(data)
    return replace(graph, composites=composites) if composites else graph


def _graph(data: Mapping[str, Any]) -> Architecture:
    calls = data.get("calls")
    return Architecture(
        layers=tuple(_layer(layer) for layer in data["layers"]),
        inputs=tuple(_input(item) for item in data.get("inputs", ())),
        calls=None if calls is None else tuple(_call(call) for call in calls),
        outputs=tuple(data.get("outputs", ())),
        name=data.get("name"),
        metadata=data.get("metadata", {}),
        extensions_used=tuple(data.get("extensions_used", ())),
        extensions_required=tuple(data.get("extensions_required", ())),
        extensions=unspell_extensions(data.get("extensions", {})),
    )


def _composite(data: Mapping[str, Any]) -> Composite:
    # The shapes of its inputs are those of a call.
    inputs = tuple(Input(name, None) for name in data.get("inputs", ()))  # type: ignore[arg-type]
    parameters = {
        name: Parameter(default=unspell(item["default"]), required=False) if "default" in item else Parameter()
        for name, item in data.get("parameters", {}).items()
    }
    return Composite(replace(_graph({**data, "inputs": ()}), inputs=inputs), parameters)


def _input(data: Mapping[str, Any]) -> Input:
    names = tuple(extent if isinstance(extent, str) else None for extent in data["shape"])
    return Input(
        name=data["name"],
        shape=tuple(None if isinstance(extent, str) else extent for extent in data["shape"]),
        names=names if any(names) else (),
        dtype=data.get("dtype", "float32"),
        metadata=data.get("metadata", {}),
        extensions=unspell_extensions(data.get("extensions", {})),
    )


def _layer(data: Mapping[str, Any]) -> Layer:
    nested = data.get("architecture")
    return Layer(
        name=data.get("name", ""),
        type=data["type"],
        config=unspell_members(data.get("config", {})),
        sublayers={role: _layer(layer) for role, layer in data.get("sublayers", {}).items()},
        architecture=None if nested is None else _graph(nested),
        weights={role: _weight(item) for role, item in data.get("weights", {}).items()},
        trainable=data.get("trainable", True),
        dtype=data.get("dtype", "float32"),
        compute_dtype=data.get("compute_dtype"),
        metadata=data.get("metadata", {}),
        extensions=unspell_extensions(data.get("extensions", {})),
    )


def _weight(data: Mapping[str, Any]) -> WeightReference:
    axes = data.get("axes")
    return WeightReference(data["tensor"], None if axes is None else tuple(axes), data.get("trainable"))


def _call(data: Mapping[str, Any]) -> Call:
    return Call(
        layer=data.get("layer", ""),
        inputs=tuple(data["inputs"]),
        arguments=unspell_members(data.get("arguments", {})),
        outputs=tuple(data.get("outputs", ())),
        extensions=unspell_extensions(data.get("extensions", {})),
        op=data.get("op"),
        config=unspell_members(data.get("config", {})),
    )


def architecture_to_data(architecture: Architecture) -> dict[str, Json]:
    """The document of `architecture`: members in their order, defaults left out."""
    data = {"format_version": FORMAT_VERSION, **_graph_to_data(architecture)}
    if not architecture.composites:
        return data
    # They stand behind the graph and before what is about the document.
    behind: tuple[str, ...] = ("metadata", "extensions_used", "extensions_required", "extensions")
    tail = {name: data.pop(name) for name in behind if name in data}
    composites = {name: _composite_to_data(architecture.composites[name]) for name in sorted(architecture.composites)}
    return {**data, "composites": composites, **tail}


def _composite_to_data(composite: Composite) -> dict[str, Json]:
    data: dict[str, Json] = {}
    if composite.parameters:
        data["parameters"] = {
            name: {} if one.required else {"default": in_order(spell(one.default))}
            for name, one in sorted(composite.parameters.items())
        }
    graph = composite.architecture
    if graph.inputs:
        data["inputs"] = [item.name for item in graph.inputs]
    return {**data, **_graph_to_data(replace(graph, inputs=()))}


def _graph_to_data(graph: Architecture) -> dict[str, Json]:
    data: dict[str, Json] = {}
    if graph.name is not None:
        data["name"] = graph.name
    if graph.inputs:
        data["inputs"] = [_input_to_data(item) for item in graph.inputs]
    data["layers"] = [_layer_to_data(layer) for layer in graph.layers]
    if graph.calls is not None:
        data["calls"] = [_call_to_data(call) for call in graph.calls]
    if graph.outputs:
        data["outputs"] = list(graph.outputs)
    if graph.metadata:
        data["metadata"] = in_order(graph.metadata)
    if graph.extensions_used:
        data["extensions_used"] = sorted(graph.extensions_used)
    if graph.extensions_required:
        data["extensions_required"] = sorted(graph.extensions_required)
    if graph.extensions:
        data["extensions"] = in_order(spell(graph.extensions))
    return data


def _input_to_data(item: Input) -> dict[str, Json]:
    data: dict[str, Json] = {"name": item.name, "shape": list(item.named_shape)}
    if item.dtype != "float32":
        data["dtype"] = item.dtype
    if item.metadata:
        data["metadata"] = in_order(item.metadata)
    if item.extensions:
        data["extensions"] = in_order(spell(item.extensions))
    return data


def _layer_to_data(layer: Layer) -> dict[str, Json]:
    data: dict[str, Json] = {"name": layer.name} if layer.name else {}
    data["type"] = layer.type
    if layer.config:
        data["config"] = _config_to_data(f"layers/{layer.type}", layer.config)
    if layer.sublayers:
        # "forward" before "backward", which is how everybody reads them; otherwise by code point.
        roles = sorted(layer.sublayers, key=lambda role: (role != "forward", role))
        data["sublayers"] = {role: _layer_to_data(layer.sublayers[role]) for role in roles}
    if layer.architecture is not None:
        data["architecture"] = _graph_to_data(layer.architecture)
    if layer.weights:
        data["weights"] = {role: _weight_to_data(layer.weights[role]) for role in sorted(layer.weights)}
    if not layer.trainable:
        data["trainable"] = False
    if layer.dtype != "float32":
        data["dtype"] = layer.dtype
    if layer.compute_dtype is not None:
        data["compute_dtype"] = layer.compute_dtype
    if layer.metadata:
        data["metadata"] = in_order(layer.metadata)
    if layer.extensions:
        data["extensions"] = in_order(spell(layer.extensions))
    return data


def _config_to_data(schema: str, config: Mapping[str, Json]) -> dict[str, Json]:
    known = [name for name in schemas.member_order(schema) if name in config]
    rest = sorted(set(config).difference(known))
    return {name: typed_object(spell(config[name])) for name in (*known, *rest)}


def _weight_to_data(reference: WeightReference) -> dict[str, Json]:
    data: dict[str, Json] = {"tensor": reference.tensor}
    if reference.axes is not None:
        data["axes"] = list(reference.axes)
    if reference.trainable is not None:
        data["trainable"] = reference.trainable
    return data


def _call_to_data(call: Call) -> dict[str, Json]:
    data: dict[str, Json] = {"layer": call.layer} if call.op is None else {"op": call.op}
    if call.op is not None and call.config:
        data["config"] = _config_to_data(f"operations/{call.op}", call.config)
    data["inputs"] = list(call.inputs)
    if call.arguments:
        data["arguments"] = in_order(spell(call.arguments))
    if call.outputs and call.outputs != (call.layer,):
        data["outputs"] = list(call.outputs)
    if call.extensions:
        data["extensions"] = in_order(spell(call.extensions))
    return data
