"""TensorFlow's files: tables, Snappy, bundles and V1 checkpoints, state files, graphs of objects, SavedModels and what is in them."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from fuzz.mutators import blind, files, tables, texts
from fuzz.mutators import wire as fields
from fuzz.target import MISSING, Disagreement, Target
from fuzz.targets.reading import all_of, as_folder, read_one
from triptych.layouts import saved_model, tf_checkpoint
from triptych.layouts.saved_model import meta_graph, objects
from triptych.layouts.saved_model.operations import survey
from triptych.layouts.tensorflow import messages, object_graph, snappy, sorted_table, state_file, string_elements, wire
from triptych.layouts.tensorflow.bundle import open_bundle
from triptych.layouts.tensorflow.locate import locate
from triptych.limits import DEFAULT_LIMITS


def _table(data: memoryview) -> list[tuple[bytes, bytes]]:
    return [(key, bytes(value)) for key, value in sorted_table.entries(data, "w.index", DEFAULT_LIMITS)]


def _same_table(_data: bytes, _: Any, entries: list[tuple[bytes, bytes]]) -> None:
    if entries and list(tables.entries_of(tables.built(entries, Random(1)))) != entries:
        raise Disagreement("the table has other entries when it is written and read again")


def _snappy(data: memoryview) -> bytes:
    return snappy.unpack(data)


def _bundle(folder: Path) -> None:
    bundle = open_bundle(locate(folder), limits=DEFAULT_LIMITS)
    for key in bundle.keys:
        if bundle.dtype_of(key) == "string":
            bundle.strings(key)
        else:
            read_one(bundle.tensor(key))


def _state(folder: Path) -> None:
    found = state_file.read_state(folder)
    latest = state_file.latest(folder)
    if found is not None and latest is not None and not latest.is_relative_to(folder):
        raise AssertionError(f"expected a checkpoint in the folder, got {latest}")


def _text_state(data: bytes, rng: Random) -> bytes:
    return texts.mutated(data, rng, (b"model_checkpoint_path", b"all_model_checkpoint_paths", b': "', b"../", b"/", b"\\", b"C:", b"\\000", b"\\u00e9", b"#", b"{", b"}", b"1.5", b"nan"))


def _as_state_file(data: bytes, folder: Path) -> Path:
    (folder / "checkpoint").write_bytes(data)
    return folder


def _graph(data: memoryview) -> object_graph.ObjectGraph:
    return object_graph.read_graph(data)


def _same_graph(_data: bytes, _: Any, graph: object_graph.ObjectGraph) -> None:
    if object_graph.read_graph(object_graph.graph_bytes(graph)) != graph:
        raise Disagreement("the graph is another one when it is written and read again")


def _meta_graph(data: memoryview) -> None:
    found, _ = meta_graph.chosen(data, "saved_model.pb", DEFAULT_LIMITS)
    objects.read_objects(found.objects, "saved_model.pb", DEFAULT_LIMITS)
    survey(found.graph, found.saver, "saved_model.pb", constants=True)
    meta_graph.signature_data(found.signatures)


_TITLES = ("BundleHeader", "BundleEntry", "SavedTensorSlices", "TrackableObjectGraph", "CheckpointState", "SavedModel", "KerasMetadata", "Fingerprint")


def _messages(data: memoryview) -> None:
    if not len(data):
        return
    title = _TITLES[data[0] % len(_TITLES)]
    for _ in wire.fields(data[1:], title):
        pass
    messages.parse(title, data[1:], title)


def _message(data: bytes, rng: Random) -> bytes:
    return bytes([rng.randrange(len(_TITLES))]) + fields.mutated(data[1:], rng) if rng.random() < 0.1 else data[:1] + fields.mutated(data[1:], rng)


def _strings(data: memoryview) -> tuple[bytes, ...]:
    count, crc = int.from_bytes(data[:2], "little"), int.from_bytes(data[2:6], "little")
    return string_elements.parse(data[6:], count, crc, "s", big_endian=bool(count & 1), most=1000)


TARGETS = (
    Target("table", _table, tables.mutated, judge=_same_table, short=200, longest=1 << 14),
    Target("snappy", _snappy, blind.mutated, declared=(ValueError,), longest=1 << 12),
    Target("bundle", _bundle, files.of_bundles, as_folder(), declared=MISSING, short=200, longest=1 << 14),
    Target("tf-checkpoint", all_of(tf_checkpoint.read), files.of_bundles, as_folder(), declared=MISSING, layouts=("tf-checkpoint",), short=200, longest=1 << 15),
    Target("tf-state", _state, _text_state, _as_state_file, longest=1 << 12),
    Target("object-graph", _graph, fields.mutated, judge=_same_graph, short=200, longest=1 << 13),
    Target("messages", _messages, _message, longest=1 << 13),
    Target("string-tensor", _strings, blind.mutated, longest=1 << 10),
    Target("meta-graph", _meta_graph, fields.mutated, short=200, longest=1 << 15),
    Target("saved-model", all_of(saved_model.read), files.of_bundles, as_folder(), declared=MISSING, layouts=("saved-model",), short=200, longest=1 << 15),
)
