"""What Keras says of its objects in a SavedModel: a JSON text for each, in a file of its own since TensorFlow 2.5, before in the graph.

In these texts tuples, shapes and types are objects with a class name, and numbers tell which parts two layers share; read here, they
are what the same Keras writes into HDF5 files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from triptych.errors import shorten
from triptych.layouts.keras_config.plain import REFUSED, levels
from triptych.layouts.problems import invalid, truncated, unsupported
from triptych.layouts.saved_model.folder import METADATA, Folder
from triptych.layouts.saved_model.objects import Objects
from triptych.layouts.tensorflow import messages, wire
from triptych.limits import Limits
from triptych.model import Json

_WRAPPERS = ("__tuple__", "TensorShape")
_SHARED = "shared_object_id"


@dataclass(frozen=True, slots=True)
class KerasObjects:
    """The texts by object."""

    texts: Mapping[int, str] = field(default_factory=dict)
    paths: Mapping[int, str] = field(default_factory=dict)
    """``root.layer_with_weights-0``; only where the file of its own says it."""
    identifiers: Mapping[int, str] = field(default_factory=dict)
    place: str = METADATA

    def of(self, number: int | None) -> dict[str, Json]:
        """What is said of an object; nothing where there is no text.

        Raises:
            InvalidModelError: The text is no JSON object.
        """
        text = self.texts.get(-1 if number is None else number)
        if not text:
            return {}
        here = f"{self.place}, object {number}"
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise invalid(here, f"expected JSON, got {shorten(str(error))}") from error
        if not isinstance(value, dict):
            raise invalid(here, f"expected an object, got {shorten(value)}")
        if levels(value) >= REFUSED:
            raise unsupported(here, f"expected less than {REFUSED} levels of nesting, got {levels(value)}")
        found: dict[str, Json] = unwrapped(value)
        return found

    def name(self, number: int) -> str | None:
        """The name of a layer or model."""
        said = self.of(number)
        config = said.get("config")
        for value in (said.get("name"), config.get("name") if isinstance(config, dict) else None):
            if isinstance(value, str) and value:
                return value
        return None


def read_keras_objects(folder: Folder, objects: Objects, limits: Limits) -> KerasObjects:
    """What Keras says in its own file, or in the graph of `objects`.

    Raises:
        InvalidModelError: The file is damaged, or speaks of objects that are not there.
        UnsupportedError: It exceeds a limit.
    """
    if METADATA not in folder.files:
        texts = {number: one.metadata for number, one in enumerate(objects.all) if one.metadata}
        return KerasObjects(texts, place="saved_model.pb, object_graph_def")
    data = folder.small(METADATA, limits.document_bytes)
    most = len(objects.all)
    if any(number >= most for number, _ in enumerate(wire.parts(memoryview(data), 1, METADATA))):
        raise invalid(METADATA, f"expected a text for each of {most} objects at most, got more")
    nodes = messages.parse("KerasMetadata", data, METADATA).nodes
    for node in nodes:
        if not 0 <= node.node_id < most:
            raise invalid(METADATA, f"expected objects from 0 to {most - 1}, got {node.node_id}")
    if objects.all[0].is_keras and not any(node.node_id == 0 for node in nodes):
        raise truncated(METADATA, "expected what Keras says of the model, it says nothing of it")
    return KerasObjects(
        {node.node_id: node.metadata for node in nodes},
        {node.node_id: node.node_path for node in nodes},
        {node.node_id: node.identifier for node in nodes},
    )


def unwrapped(value: Json) -> Json:
    """`value` with tuples and shapes as lists, and without the numbers of shared parts."""
    if isinstance(value, list):
        return [unwrapped(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") in _WRAPPERS and isinstance(value.get("items"), list):
        return [unwrapped(item) for item in value["items"]]
    return {key: unwrapped(item) for key, item in value.items() if key != _SHARED}


__all__ = ["KerasObjects", "read_keras_objects", "unwrapped"]
