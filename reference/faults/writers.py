"""Every writer of the project, as one call that saves a small model into a folder."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import triptych
from triptych.errors import SaveError
from triptych.model import Architecture, Component, Input, Layer, Panels, Progress, Tensor, Training, Weights
from triptych.surface.model import Model

OLD, NEW, LATER = 1, 2, 3
"""The models: what stands before, what is saved over it, and what is saved after that."""


@dataclass(frozen=True, slots=True)
class Writer:
    """One way of writing files."""

    name: str
    target: str
    """Name of what it writes, or of the file that readers begin with, inside a folder of its own."""
    save: Callable[[Path, int], object]
    """Called with that folder and with which model to write."""
    prepare: Callable[[Path], object] | None = None
    """Called with the empty folder: puts there what is read, or what the writer adds to."""
    replaces: bool = True
    """Whether it writes over what it wrote before."""
    kind: str = "one"
    """How it commits: ``one`` name, a ``group`` of files, or a ``series``."""
    own_calls: bool = True
    """Whether each system call is of what is read and written. resvg opens the machine's fonts, and draws without those that fail."""


@cache
def panels_of(number: int) -> Panels:
    """A model with all three panels and an asset; all of them differ in their bytes, and some in their sizes."""
    generator = np.random.default_rng(number)
    units = 4 + number
    arrays = {"dense.kernel": generator.standard_normal((3, units), dtype=np.float32), "dense.bias": generator.standard_normal(units, dtype=np.float32)}
    architecture = Architecture((Layer("dense", "Dense", {"units": units}),), (Input("x", (None, 3)),))
    state = {"optimizer.step": np.array(number, np.int64), **{f"optimizer.momentum.{name}": array * 2 for name, array in arrays.items()}}
    training = Training(Component("SGD", {"learning_rate": 0.1, "momentum": 0.9}), progress=Progress(step=number), state=Weights.from_arrays(state))
    content = bytes([number]) * (100 + 50 * number)
    assets = {"assets/labels.txt": Tensor("uint8", (len(content),), lambda: memoryview(content))}
    return Panels(architecture, Weights.from_arrays(arrays), training, assets, name="net", metadata={"seed": f"{number:08}"})


def _saved(name: str, folder: Path, number: int, **options: Any) -> object:
    return triptych.save(Model(panels_of(number)), folder / name, **options)


def _weights(name: str, folder: Path, number: int) -> object:
    return Model(panels_of(number)).save_weights(folder / name)


def _sources(folder: Path) -> None:
    for number in (OLD, NEW, LATER):
        triptych.save(Model(panels_of(number)), folder / f"source-{number}.h5")


def _command(*words: str) -> None:
    from triptych.cli import main

    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(io.StringIO()):
        status = main(list(words))
    if status == 130:
        raise KeyboardInterrupt
    if status:
        raise SaveError(None, said.getvalue())


def _converted(name: str, folder: Path, number: int) -> None:
    _command("convert", str(folder / f"source-{number}.h5"), str(folder / name), "-f", "-q")


def _plotted(name: str, folder: Path, number: int) -> None:
    _command("plot", str(folder / f"source-{number}.h5"), "-o", str(folder / name), "-f")


def _hub(folder: Path) -> None:
    triptych.save(Model(panels_of(OLD)), folder / "hub", layout="hub", max_shard_bytes=40)


def _adopted(folder: Path, _: int) -> None:
    _command("adopt", str(folder / "hub"))


def _series(folder: Path, number: int) -> None:
    from triptych.checkpoints import Checkpoint, Series
    from triptych.package import write_package

    checkpoint = Checkpoint(f"step-{number:08d}.triptych", number, metrics={"loss": 1 / number})
    Series(folder / "run", "loss", keep_last=1).add(checkpoint, partial(write_package, panels_of(number)))


def _written(name: str, layout: str, folder: Path, number: int, **options: Any) -> Any:
    return _saved(name, folder, number, layout=layout, **options)


def all_writers() -> tuple[Writer, ...]:
    """Every writer there is."""
    def save(title: str, name: str, layout: str, *, kind: str = "one", target: str = "", replaces: bool = True, **options: Any) -> Writer:
        return Writer(title, target or name, partial(_written, name, layout, **options), kind=kind, replaces=replaces)

    return (
        save("package, folder", "model", "triptych"),
        save("package, archive", "model.triptych", "triptych"),
        save("package, shards and YAML", "model", "triptych", max_shard_bytes=40, spelling="yaml"),
        Writer("weights alone", "weights.safetensors", partial(_weights, "weights.safetensors")),
        Writer("checkpoint series", "run", _series, kind="series"),
        Writer("adopt, a hub's folder", "hub", _adopted, _hub, replaces=False),
        save("hub folder", "hub", "hub", max_shard_bytes=40, replaces=False),
        save("TensorFlow checkpoint", "ckpt", "tf-checkpoint", kind="group", target="ckpt.index", max_shard_bytes=40),
        save("SavedModel", "saved", "saved-model"),
        save("Keras HDF5", "model.h5", "keras-hdf5"),
        save("Keras archive", "model.keras", "keras-archive"),
        save("Keras weights", "model.weights.h5", "keras-weights"),
        save("Keras weights, shards", "model.weights.json", "keras-weights", kind="group", max_shard_bytes=100),
        save("PyTorch", "model.pt", "torch"),
        save("PyTorch, distributed", "dcp", "torch-distributed", max_shard_bytes=2000),
        save("safetensors", "model.safetensors", "safetensors"),
        save("numpy, npz", "model.npz", "npz"),
        save("numpy, folder", "arrays", "npy"),
        save("architecture, JSON", "model.json", "architecture-json"),
        save("architecture, YAML", "model.yaml", "architecture-yaml"),
        Writer("convert, to a package", "out.triptych", partial(_converted, "out.triptych"), _sources),
        Writer("convert, to PyTorch", "out.pt", partial(_converted, "out.pt"), _sources),
        Writer("plot, SVG", "graph.svg", partial(_plotted, "graph.svg"), _sources),
        Writer("plot, PNG", "graph.png", partial(_plotted, "graph.png"), _sources, own_calls=False),
    )


def content_of(path: Path) -> dict[str, bytes]:
    """The bytes of every file below `path`, private folders of saves left out; folders have the name that ends with a slash and no bytes."""
    found: dict[str, bytes] = {}
    for entry in sorted(os.scandir(path), key=lambda one: one.name):
        if entry.is_dir(follow_symlinks=False):
            if not is_litter(entry.name):
                found |= {f"{entry.name}/": b"", **{f"{entry.name}/{name}": data for name, data in content_of(Path(entry.path)).items()}}
        else:
            found[entry.name] = Path(entry.path).read_bytes()
    return found


def litter_in(path: Path) -> list[str]:
    """Private folders of saves, at any depth."""
    return [f"{root}/{name}" for root, folders, _ in os.walk(path) for name in folders if is_litter(name)]


def is_litter(name: str) -> bool:
    """Whether a folder of this name is a save's own."""
    return name.startswith(".") and name.endswith(".tmp")


def emptied(folder: Path) -> Path:
    """The folder, with nothing in it."""
    for entry in folder.iterdir() if folder.exists() else ():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    folder.mkdir(exist_ok=True)
    return folder
