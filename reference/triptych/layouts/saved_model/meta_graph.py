"""One graph of a SavedModel with what stands beside it: tags, signatures, names of variables and assets, and the graph of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from triptych.errors import shorten
from triptych.layouts.problems import invalid, unsupported
from triptych.layouts.tensorflow import element_types, messages, wire
from triptych.limits import Limits
from triptych.model import Json
from triptych.package.names import member_name_fault

SERVE = "serve"
_INITIALISATION = "__saved_model_init_op"
"""A signature that is none: the operation to run first."""
_META_GRAPHS = 2
_INFO, _GRAPH, _SAVER, _COLLECTIONS, _SIGNATURES, _ASSETS, _OBJECTS = 1, 2, 3, 4, 5, 6, 7
_KEY, _VALUE = 1, 2
_MOST_GRAPHS = 1000
_REFERENCE = 100
"""What is added to a dtype's number where a reference to a variable is meant."""
_LISTS_OF_VARIABLES = ("trainable_variables", "variables", "model_variables", "local_variables")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of TensorFlow 1 as a collection lists it."""

    name: str
    """Without ``:0``; what its value is called in the checkpoint, unless it is a part of a larger one."""
    trainable: bool


@dataclass(slots=True)
class MetaGraph:
    """One graph and what is said of it; messages that are large are views, to be walked."""

    tags: Sequence[str]
    version: str
    """Of the TensorFlow that wrote it."""
    place: str
    graph: memoryview
    objects: memoryview
    saver: Any = None
    signatures: dict[str, Any] = field(default_factory=dict)
    asset_files: list[str] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)
    """By name."""


def chosen(data: memoryview, place: str, limits: Limits) -> tuple[MetaGraph, list[Sequence[str]]]:
    """The graph for serving among those of the SavedModel message `data`, and the tags of the others.

    That is the one tagged with nothing but "serve", else the first with "serve" among its tags, else the first.

    Raises:
        InvalidModelError: The message is damaged, or has no graph.
        UnsupportedError: A limit is exceeded.
    """
    found = []
    for number, view in enumerate(wire.parts(data, _META_GRAPHS, place)):
        if number >= _MOST_GRAPHS:
            raise unsupported(place, f"expected at most {_MOST_GRAPHS} graphs, got more")
        found.append((_info(view, f"{place}, graph {number}", limits), view))
    if not found:
        raise invalid(place, "expected a SavedModel with at least one graph, got none")
    tags = [list(info.tags) for info, _ in found]
    best = tags.index([SERVE]) if [SERVE] in tags else next((n for n, one in enumerate(tags) if SERVE in one), 0)
    return _read(found[best][1], found[best][0], f"{place}, graph {best}", limits), [one for n, one in enumerate(tags) if n != best]


def _one(view: memoryview, number: int, place: str) -> memoryview:
    """The value of field `number`, which a writer says once; empty where it does not."""
    found = list(wire.parts(view, number, place))
    if len(found) > 1:
        raise invalid(place, f"expected field {number} once, got it {len(found)} times")
    return found[0] if found else memoryview(b"")


def _parsed(title: str, view: memoryview, place: str, limits: Limits) -> Any:
    if len(view) > limits.document_bytes:
        raise unsupported(place, f"expected a {title} message of at most {limits.document_bytes:,} bytes, got {len(view):,}")
    return messages.parse(title, view, place)


def _info(view: memoryview, place: str, limits: Limits) -> Any:
    return _parsed("MetaInfo", _one(view, _INFO, place), f"{place}, meta_info_def", limits)


def _read(view: memoryview, info: Any, place: str, limits: Limits) -> MetaGraph:
    result = MetaGraph(list(info.tags), info.tensorflow_version, place, _one(view, _GRAPH, place), _one(view, _OBJECTS, place))
    saver = _one(view, _SAVER, place)
    result.saver = _parsed("Saver", saver, f"{place}, saver_def", limits) if len(saver) else None
    for entry in wire.parts(view, _SIGNATURES, place):
        name = wire.text(entry, _KEY, f"{place}, signature_def")
        here = f"{place}, signature {shorten(name)}"
        result.signatures[name] = _parsed("Signature", _one(entry, _VALUE, here), here, limits)
        if len(result.signatures) > limits.members:
            raise unsupported(place, f"expected at most {limits.members:,} signatures, got more")
    for entry in wire.parts(view, _ASSETS, place):
        name = _parsed("AssetFile", entry, f"{place}, asset_file_def", limits).filename
        if fault := member_name_fault(name):
            raise invalid(f"{place}, asset_file_def", f"{fault}, got {shorten(name)}")
        result.asset_files.append(name)
        if len(result.asset_files) > limits.members:
            raise unsupported(place, f"expected at most {limits.members:,} assets, got more")
    listed = {}
    for entry in wire.parts(view, _COLLECTIONS, place):
        name = wire.text(entry, _KEY, f"{place}, collection_def")
        if name in _LISTS_OF_VARIABLES:
            listed[name] = _one(entry, _VALUE, f"{place}, collection {name}")
    result.variables = {
        one.name: one for name in reversed(_LISTS_OF_VARIABLES) if name in listed for one in _variables(listed[name], name, place, limits)
    }
    return result


def _variables(view: memoryview, collection: str, place: str, limits: Limits) -> Iterator[Variable]:
    """The variables that a collection lists."""
    here = f"{place}, collection {collection}"
    bytes_list = 2
    for values in wire.parts(view, bytes_list, here):
        for number, entry in enumerate(wire.parts(values, 1, here)):
            if number >= limits.tensors:
                raise unsupported(here, f"expected at most {limits.tensors:,} variables, got more")
            yield Variable(wire.text(entry, 1, here).removesuffix(":0"), collection == "trainable_variables")


def signature_data(signatures: Mapping[str, Any]) -> dict[str, Json]:
    """Signatures as plain data: for each the method's name, and each input and output with its dtype and shape."""
    return {
        name: {
            "method": one.method_name,
            "inputs": {key: _tensor(one.inputs[key]) for key in sorted(one.inputs)},
            "outputs": {key: _tensor(one.outputs[key]) for key in sorted(one.outputs)},
        }
        for name, one in sorted(signatures.items())
        if name != _INITIALISATION
    }


def _tensor(info: Any) -> dict[str, Json]:
    unknown = info.tensor_shape.unknown_rank
    return {
        "dtype": element_types.name_of(info.dtype % _REFERENCE) or f"type {info.dtype}",
        "shape": None if unknown else [None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim],
        **({"tensor": info.name} if info.name else {}),
    }


__all__ = ["MetaGraph", "Variable", "chosen", "signature_data"]
