"""What corpora begin with: inputs of the conformance cases, genuine files from our tests' fixtures, files of our own writers, attacks made by hand.

Needs a checkout with its tests, and the packages of the extra ``test``.
"""

from __future__ import annotations

import io
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from fuzz import attacks, folders
from fuzz.mutators import zips

_ROOT = Path(__file__).resolve().parents[2]
_CASES = _ROOT / "conformance-tests" / "cases"
_FIXTURES = _ROOT / "reference" / "tests" / "fixtures"
_MOST_BYTES = 1 << 16
_SMALL = {"cnv-005-keras-1-alone": "keras-hdf5", "cnv-006-hdf5-whole": "keras-hdf5", "cnv-006-archive-whole": "keras-archive", "cnv-022-bfloat16": "keras-archive", "cnv-005-weights-small": "keras-weights"}
"""Case -> target: files of Keras a quarter as long as those of the fixtures, and as quickly read."""
_DIALECTS: tuple[Any, ...] = ("keras1", "keras2", "keras3")
_KERAS_FILES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("keras-archive", "m.keras", {}),
    *(("keras-hdf5", "m.h5", {"dialect": dialect}) for dialect in _DIALECTS),
)
"""Target, file and options of what our writers make of a small model."""
Seeds = Iterator[tuple[str, bytes]]


def of(target: str) -> Seeds:
    """Name and content of each seed of `target`."""
    makers = {name: value for name, value in globals().items() if name.startswith("_seeds_")}
    for maker in makers.values():
        for name, data in maker().get(target, {}).items():
            if len(data) <= _MOST_BYTES:
                yield name.replace("/", "-").replace(" ", "-"), data
    for name, data in attacks.ATTACKS.get(target, {}).items():
        yield f"attack-{name.replace(' ', '-')}", data


Found = Mapping[str, Mapping[str, bytes]]


@cache
def _seeds_of_cases() -> Found:
    """The inputs of the conformance suite: documents, tensors, folders and archives."""
    found: dict[str, dict[str, bytes]] = {}

    def add(target: str, name: str, data: bytes) -> None:
        found.setdefault(target, {})[name] = data

    for case in sorted(_CASES.glob("*/*")):
        place = case / "input"
        if not place.is_dir():
            continue
        files = {path.relative_to(place).as_posix(): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
        for name, data in files.items():
            label = f"{case.name}-{name}"
            if name.endswith(".json"):
                add("json", label, data)
            if name.startswith("architecture."):
                add(f"architecture-{name.rpartition('.')[2]}", label, data)
            if name.endswith(".yaml"):
                add("yaml", label, data)
            if name.endswith(".safetensors"):
                add("safetensors", label, data)
                add("safetensors-file", label, data)
            if name.endswith(".triptych"):
                add("archive-framing", label, data)
                add("package-archive", label, data)
                add("zip", label, data)
            if name.endswith(".txt"):
                add("vocabulary", label, data)
            if name == "manifest.json" or not name.endswith(".safetensors"):
                add("places", label, data[:4096])
        if target := _SMALL.get(case.name):
            add(target, f"small-{case.name}", next(data for name, data in files.items() if name.startswith("foreign/")))
        elif len(files) > 1:
            add("package", case.name, folders.pack(files))
    return found


@cache
def _seeds_of_fixtures() -> Found:
    """Genuine files of many versions of Keras, TensorFlow and PyTorch."""
    found: dict[str, dict[str, bytes]] = {}

    def add(target: str, name: str, data: bytes) -> None:
        found.setdefault(target, {})[name] = data

    for path in sorted(_FIXTURES.rglob("*.zip")):
        members = {name: data for name, data in zips.members_of(path.read_bytes()).items() if not name.endswith("/")}
        label = path.stem
        for name, data in members.items():
            one = f"{label}-{name}"
            if name.endswith(".weights.h5"):
                add("keras-weights", one, data)
                add("hdf5", one, data)
            elif name.endswith(".h5"):
                add("keras-hdf5", one, data)
                add("hdf5", one, data)
            elif name.endswith(".keras"):
                add("keras-archive", one, data)
                add("zip", one, data)
            elif name.endswith(".npz"):
                add("npz", one, data)
                add("zip", one, data)
                for member, array in zips.members_of(data).items():
                    add("npy", f"{one}-{member}", array[:4096])
                add("npy-folder", one, folders.pack(zips.members_of(data)))
            elif name.endswith(".json"):
                add("keras-json", one, data)
            elif name.endswith(".yaml"):
                add("keras-yaml", one, data)
            elif name.endswith(".index"):
                add("table", one, data)
            elif name.endswith(".metadata"):
                add("torch-metadata", one, data)
            elif name.endswith(".distcp"):
                add("torch-archive", one, data)
            elif name.endswith("checkpoint"):
                add("tf-state", one, data)
        for folder in sorted({name.rpartition("/")[0] for name in members}):
            inside = {name.removeprefix(f"{folder}/"): data for name, data in members.items() if folder and name.startswith(f"{folder}/")}
            _folder(f"{label}-{folder}", inside, add)
    for path in sorted((_FIXTURES / "keras_yaml").iterdir()):
        if path.suffix in (".json", ".yaml"):
            add(f"keras-{path.suffix[1:]}", path.name, path.read_bytes())
    snappy = {path.name: path.read_bytes() for path in sorted((_FIXTURES / "tensorflow_checkpoints").glob("snappy.*"))}
    add("table", "snappy.index", snappy["snappy.index"])
    add("bundle", "snappy", folders.pack(snappy))
    add("tf-checkpoint", "snappy", folders.pack(snappy))
    return found


def _folder(name: str, files: Mapping[str, bytes], add: Any) -> None:
    if "saved_model.pb" in files:
        add("saved-model", name, folders.pack(files))
        add("meta-graph", name, files["saved_model.pb"])
    elif "saved_model.pbtxt" in files:
        add("saved-model", name, folders.pack(files))
    elif any(one.endswith(".index") or "-00000-of-" in one for one in files) and not any("/" in one for one in files):
        add("bundle", name, folders.pack(files))
        add("tf-checkpoint", name, folders.pack(files))
        for one, data in files.items():
            if one.endswith(".index"):
                _messages_of(f"{name}-{one}", data, add)
            elif "data" not in one and one != "checkpoint":
                add("table", f"{name}-{one}", data)
    elif any(one.endswith(".metadata") or one.startswith("shard-") for one in files):
        add("torch-distributed", name, folders.pack(files))


def _messages_of(name: str, index: bytes, add: Any) -> None:
    from fuzz.mutators import tables

    for number, (key, value) in enumerate(tables.entries_of(index)):
        if number < 3:
            add("messages", f"{name}-{number}", bytes([0 if not key else 1]) + value)
    entries = dict(tables.entries_of(index))
    add("messages", f"{name}-header", b"\0" + entries.get(b"", b""))


@cache
def _seeds_of_writers() -> Found:
    """Small models as our own writers and PyTorch put them down."""
    import torch

    import triptych

    sys.path.insert(0, str(_ROOT / "reference" / "tests" / "layouts" / "torch_pickle"))
    found: dict[str, dict[str, bytes]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        layers = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
        optimizer = torch.optim.Adam(layers.parameters())
        layers(torch.ones(4, 3)).sum().backward()
        optimizer.step()
        states: dict[str, Any] = {
            "state": layers.state_dict(),
            "training": {"model": layers.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "best": 0.5, "rng": torch.get_rng_state()[:16]},
            "module": torch.nn.Linear(2, 1),
            "views": {"a": (base := torch.arange(6.0)).view(2, 3).t(), "b": base[2:], "c": torch.tensor(1.5, dtype=torch.bfloat16), "d": torch.tensor([True])},
            "numpy": {"a": torch.arange(3).numpy(), "w": torch.ones(2)},
            "sparse": {"s": torch.eye(3).to_sparse(), "q": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)},
        }
        for name, value in states.items():
            torch.save(value, folder / "a.pt")
            data = (folder / "a.pt").read_bytes()
            found.setdefault("torch-archive", {})[f"torch-{name}"] = data
            found.setdefault("pickle", {})[f"torch-{name}"] = next(content for one, content in zips.members_of(data).items() if one.endswith("data.pkl"))
            torch.save(value, folder / "a.pt", _use_new_zipfile_serialization=False)
            found.setdefault("torch-stream", {})[f"torch-{name}"] = (folder / "a.pt").read_bytes()
        torch.jit.script(torch.nn.Linear(2, 1)).save(str(folder / "s.pt"))  # type: ignore[no-untyped-call]
        found["torch-archive"]["torch-script"] = (folder / "s.pt").read_bytes()
        _torch_by_hand(folder, found)
        weights = triptych.load(folder / "by-hand.pt")
        for name, target in (("w.npz", "npz"), ("w.safetensors", "safetensors-file"), ("w.pt", "torch-archive"), ("w.triptych", "package-archive")):
            triptych.save(weights, folder / name)
            found.setdefault(target, {})["written"] = (folder / name).read_bytes()
        found["archive-framing"] = {"written": found["package-archive"]["written"]}
        found["zip"] = {"written": found["npz"]["written"], "deflated": zips.written({"a.txt": b"a" * 500, "b/c.txt": b"bc" * 9}, zipfile.ZIP_DEFLATED), "torch": found["torch-archive"]["written"]}
        for layout in ("hub", "torch-distributed", "npy"):
            triptych.save(weights, folder / layout, layout=layout)
            found.setdefault({"npy": "npy-folder"}.get(layout, layout), {})["written"] = _packed(folder / layout)
        found["torch-metadata"] = {"small-written": (folder / "torch-distributed" / ".metadata").read_bytes()}
        triptych.save(weights, folder / "sharded", layout="hub", max_shard_bytes=16)
        found["hub"]["sharded"] = _packed(folder / "sharded")
        found["hub"]["pickled"] = folders.pack({"pytorch_model.bin": found["torch-archive"]["torch-state"], "config.json": b"{}"})
        states_in_two = {"pytorch_model-00001-of-00002.bin": {"a": torch.ones(2)}, "pytorch_model-00002-of-00002.bin": {"b": torch.ones(1)}}
        parts = {}
        for name, value in states_in_two.items():
            torch.save(value, folder / name)
            parts[name] = (folder / name).read_bytes()
        index = b'{"metadata": {"total_size": 12}, "weight_map": {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}}'
        found["hub"]["pickled-shards"] = folders.pack({"pytorch_model.bin.index.json": index, **parts})
        found["keras-shards"] = _shards(folder)
        _saved_checkpoints(folder, weights, found)
    return found


def _packed(folder: Path) -> bytes:
    return folders.pack({path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()})


def _torch_by_hand(folder: Path, found: dict[str, dict[str, bytes]]) -> None:
    import torch_files as made  # type: ignore[import-not-found]

    body = made.state(a=made.tensor(), b=made.tensor(shape=(4,), strides=(1,)))
    found["torch-archive"]["by-hand"] = made.archive(folder / "by-hand.pt", body).read_bytes()
    found["torch-stream"]["by-hand"] = made.stream(folder / "stream.pt", body, [("0", 4, bytes(16))]).read_bytes()
    found["torch-tar"] = {"by-hand": made.tar(folder / "tar.pt", b"}(" + made.text("a") + made.number(1) + b"u").read_bytes()}


def _shards(folder: Path) -> dict[str, bytes]:
    import triptych

    members = zips.members_of((_FIXTURES / "old_keras" / "keras-3.8.0.zip").read_bytes())
    (folder / "operations.keras").write_bytes(members["operations.keras"])
    model = triptych.load(folder / "operations.keras")
    (folder / "k").mkdir()
    triptych.save(model, folder / "k" / "m.weights.json", max_shard_bytes=300)
    return {"sharded": _packed(folder / "k")}


def _saved_checkpoints(folder: Path, weights: Any, found: dict[str, dict[str, bytes]]) -> None:
    import triptych
    from triptych.layouts.tensorflow import object_graph, sorted_table
    from triptych.limits import DEFAULT_LIMITS

    (folder / "c").mkdir()
    triptych.save(weights, folder / "c" / "w.ckpt")
    found["tf-checkpoint"] = {"written": _packed(folder / "c")}
    found["bundle"] = dict(found["tf-checkpoint"])
    model = triptych.load(_ROOT / "examples" / "digits_cnn.h5")
    triptych.save(triptych.model_from_json(model.to_json()), folder / "digits", overwrite=True)
    found["keras-json"] = {f"digits-{dialect}": model.to_json(dialect=dialect).encode() for dialect in _DIALECTS}
    for path in sorted(_FIXTURES.rglob("*.zip")):
        for name, data in zips.members_of(path.read_bytes()).items():
            if name.endswith(".index"):
                for key, value in sorted_table.entries(memoryview(data), "", DEFAULT_LIMITS):
                    if key == object_graph.KEY.encode():
                        found.setdefault("object-graph", {})[f"{path.stem}-{name}"] = _unwrapped(bytes(value), path, name)
    found["object-graph"] = {name: data for name, data in found.get("object-graph", {}).items() if data}


def _unwrapped(_entry: bytes, path: Path, index: str) -> bytes:
    """The bytes of the object graph of one checkpoint in a fixture."""
    from triptych.layouts.tensorflow import object_graph
    from triptych.layouts.tensorflow.bundle import open_bundle

    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        archive.extractall(place)
        bundle = open_bundle(Path(place) / index.removesuffix(".index"))
        return bundle.strings(object_graph.KEY)[0] if object_graph.KEY in bundle else b""


@cache
def _seeds_of_evaluations() -> Found:
    """The models of the evaluator's cases, of a layer or two each, as our writers put them into Keras' files and texts, and their tensors for TensorFlow.js."""
    import h5py

    import triptych

    found: dict[str, dict[str, bytes]] = {target: {} for target in ("keras-archive", "keras-hdf5", "tfjs", "keras-json", "keras-yaml")}
    with tempfile.TemporaryDirectory() as place:
        for case in sorted(_CASES.glob("evl/*")):
            model = triptych.load(case / "input" / "model")
            for target, file, options in _KERAS_FILES:
                path = Path(place) / file
                with suppress(triptych.ConversionError):
                    triptych.save(model, path, **options)
                    found[target][f"{case.name}-{options.get('dialect', 'keras3')}"] = path.read_bytes()
                    if options.get("dialect") == "keras2":
                        with h5py.File(path) as opened:
                            if "model_weights" in opened:
                                found["tfjs"][case.name] = _tfjs(opened)
            for dialect in _DIALECTS if model.architecture else ():
                with suppress(triptych.ConversionError):
                    found["keras-json"][f"{case.name}-{dialect}"] = model.to_json(dialect=dialect).encode()
                    if dialect != "keras3":  # which has no YAML
                        found["keras-yaml"][f"{case.name}-{dialect}"] = model.to_yaml(dialect=dialect).encode()
    return found


@cache
def _seeds_of_trainings() -> Found:
    """Training configurations as Keras' files hold them, and lists of tensors for TensorFlow.js."""
    import h5py

    found: dict[str, dict[str, bytes]] = {"keras-training": {}, "keras-json": {}, "tfjs": {}}
    for path in sorted(_FIXTURES.rglob("*.zip")):
        for name, data in zips.members_of(path.read_bytes()).items():
            if not name.endswith(".h5") or name.endswith(("weights.h5", "_weights.h5")):
                continue
            with h5py.File(io.BytesIO(data)) as file:
                for attribute, target in (("training_config", "keras-training"), ("model_config", "keras-json")):
                    if attribute in file.attrs:
                        text = file.attrs[attribute]
                        found[target][f"{path.stem}-{name}-{attribute}"] = text.encode() if isinstance(text, str) else bytes(text)
                # The names that Keras 1 gave to weights are none that TensorFlow.js has.
                if "model_config" in file.attrs and "keras-1." not in path.stem:
                    found["tfjs"][f"{path.stem}-{name}"] = _tfjs(file)
    return found


def _tfjs(file: Any) -> bytes:
    import json

    weights, data = [], b""
    arrays: dict[str, Any] = {}
    file["model_weights"].visititems(lambda name, item: arrays.__setitem__(name, item[()]) if hasattr(item, "dtype") else None)
    for name, array in arrays.items():
        weights.append({"name": (name.partition("/")[2] or name).removesuffix(":0"), "shape": list(array.shape), "dtype": "float32"})
        data += array.astype("<f4").tobytes()
    text = file.attrs["model_config"]
    config = json.loads(text if isinstance(text, str) else bytes(text))
    document = {"format": "layers-model", "modelTopology": {"keras_version": "2.3.1", "backend": "tensorflow", "model_config": config}, "weightsManifest": [{"paths": ["w.bin"], "weights": weights}]}
    return folders.pack({"model.json": json.dumps(document).encode(), "w.bin": data})
