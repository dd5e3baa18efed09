"""Vocabularies that Keras' lookups learnt or read from a file: in a SavedModel they stand in tables, not in the configuration of their layers.

A table has its content in the checkpoint, or gets it when the model is loaded: from constants of the graph or from a file among the assets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.checks import LOOKUPS
from triptych.layouts.problems import unsupported
from triptych.layouts.saved_model import constants
from triptych.layouts.saved_model.folder import ASSETS, Folder
from triptych.layouts.saved_model.keras_model import layers_of
from triptych.layouts.saved_model.keras_objects import KerasObjects
from triptych.layouts.saved_model.meta_graph import MetaGraph
from triptych.layouts.saved_model.nodes import Node, nodes
from triptych.layouts.saved_model.variables import Variables
from triptych.limits import Limits
from triptych.model import Json

_TABLES = ("lookup_table", "_table")
"""The attributes by which a lookup holds its table."""
_INNER = ("_lookup_layer", "_index_lookup_layer")
"""The attributes by which a TextVectorization holds the lookup inside."""
Elements = Sequence[Any]
"""Texts as bytes, or integers."""


@dataclass(frozen=True, slots=True)
class Lookups:
    """Where the content of tables may stand."""

    folder: Folder
    graph: MetaGraph
    keras: KerasObjects
    variables: Variables
    limits: Limits

    def filled(self, config: Mapping[str, Json], number: int = 0) -> dict[str, Json]:
        """The configuration of the model at object `number`, with the vocabularies that its lookups have.

        Raises:
            InvalidModelError: A constant, a file or the checkpoint is damaged.
            UnsupportedError: A file exceeds a limit.
        """
        inner = config.get("config")
        listed = inner.get("layers") if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or not isinstance(listed, list):
            return dict(config)
        known = layers_of(number, self.keras, self.variables)
        layers = [self._layer(one, known) if isinstance(one, dict) else one for one in listed]
        return {**config, "config": {**inner, "layers": layers}}

    def _layer(self, layer: dict[str, Json], known: Mapping[str, int]) -> dict[str, Json]:
        config = layer.get("config")
        name = config.get("name") if isinstance(config, dict) else None
        number = known.get(name) if isinstance(name, str) else None
        if number is None or not isinstance(config, dict):
            return layer
        if isinstance(config.get("layers"), list):
            return self.filled(layer, number)
        if layer.get("class_name") not in LOOKUPS or isinstance(config.get("vocabulary"), list):
            return layer
        tokens = self._tokens(layer["class_name"], config, number)
        return layer if tokens is None else {**layer, "config": {**config, "vocabulary": tokens}}

    def _tokens(self, kind: str, config: Mapping[str, Json], number: int) -> list[Json] | None:
        """The tokens of one lookup without those of masked and unknown elements; None where its table does not say them."""
        objects = self.variables.objects
        holders = [number, *(inner for name in _INNER if (inner := objects.at(number, name)) is not None)]
        tables = [table for one in holders for name in _TABLES if (table := objects.at(one, name)) is not None]
        for table in tables:
            found = self._of_checkpoint(table) or self._of_initialisation(table)
            if found is None:
                continue
            keys, values = found
            if config.get("invert") or isinstance(values[0], bytes):
                keys, values = values, keys
            return _in_order(keys, values, _reserved(kind, config), integers=kind == "IntegerLookup")
        return None

    def _of_checkpoint(self, table: int) -> tuple[Elements, Elements] | None:
        start = self.variables.objects.tables.get(table)
        if start is None:
            return None
        keys, values = (self.variables.elements(f"{start}-{part}") for part in ("keys", "values"))
        return (keys, values) if keys and values and len(keys) == len(values) else None

    def _of_initialisation(self, table: int) -> tuple[Elements, Elements] | None:
        objects = self.variables.objects
        asked = objects.at(table, "_initialize")
        traces = objects.all[asked].functions if asked is not None else ()
        bound = [objects.all[number] for trace in traces[:1] for number in objects.bound.get(trace, ())]
        files = [one.asset for one in bound if one.asset is not None]
        if files and files[0] < len(self.graph.asset_files):
            lines = self._lines(f"{ASSETS}{self.graph.asset_files[files[0]]}")
            return None if lines is None else (lines, range(len(lines)))
        names = [one.operation for one in bound if one.operation]
        there = self._constants(names)
        found = [constants.listed(there[name], self.graph.place) if name in there else None for name in names]
        usable = [one for one in found if one]
        return (usable[0], usable[1]) if len(usable) == 2 and len(usable[0]) == len(usable[1]) else None

    def _constants(self, names: Sequence[str]) -> dict[str, Node]:
        wanted = set(names)
        found = nodes(self.graph.graph, self.graph.place) if wanted else ()
        return {node.name: node for node in found if not node.function and node.name in wanted}

    def _lines(self, name: str) -> list[bytes] | None:
        if name not in self.folder.files:
            return None
        data = self.folder.small(name, self.limits.document_bytes)
        return data.removesuffix(b"\n").replace(b"\r\n", b"\n").split(b"\n")


def _reserved(kind: str, config: Mapping[str, Json]) -> int:
    """How many indices come before those of the vocabulary."""
    if kind == "TextVectorization":
        return 2 if config.get("output_mode", "int") == "int" else 1
    unknown = config.get("num_oov_indices", 1)
    masked = config.get("mask_token") is not None and config.get("output_mode", "int") == "int"
    return masked + (unknown if isinstance(unknown, int) and not isinstance(unknown, bool) and unknown >= 0 else 1)


def _in_order(keys: Elements, values: Elements, reserved: int, *, integers: bool) -> list[Json] | None:
    """The tokens by their indices."""
    if isinstance(values, range):
        pairs = list(zip(values, keys, strict=True))  # a file lists them as they come, and none of the reserved ones
    else:
        pairs = sorted((value, key) for value, key in zip(values, keys, strict=True) if isinstance(value, int) and value >= reserved)
        if [index for index, _ in pairs] != list(range(reserved, reserved + len(pairs))):
            return None
    try:
        return [int(key) if integers else key.decode() if isinstance(key, bytes) else str(key) for _, key in pairs]
    except ValueError:
        raise unsupported("assets", "expected a vocabulary of texts in UTF-8 or of integers, got other bytes") from None


__all__ = ["Lookups"]
