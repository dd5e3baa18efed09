"""What cases of foreign layouts are made of: files that frameworks wrote (``freeze/``), read; and packages of the same models, written as such files."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import _foreign_models as models
import kit
from kit import Case

FREEZE = Path(__file__).resolve().parents[1] / "freeze"
FACTS: dict[str, kit.Json] = json.loads((FREEZE / "foreign.json").read_bytes())
"""Slug -> what a framework said of the file it wrote."""


READS = {
    "keras-hdf5": "CNV-020", "keras-archive": "CNV-022", "keras-weights": "CNV-022", "tensorflow-checkpoint": "CNV-026", "saved-model": "CNV-028",
    "pytorch": "CNV-030", "pytorch-distributed": "CNV-032", "safetensors": "CNV-034", "numpy": "CNV-036", "hub": "CNV-038",
}
"""Layout -> the requirement on whoever reads it."""
WRITES = {name: f"CNV-{int(requirement[4:]) + 1:03}" for name, requirement in READS.items()}
"""Layout -> the requirement on whoever writes it."""


def _files() -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    with zipfile.ZipFile(FREEZE / "foreign.zip") as file:
        for name in file.namelist():
            slug, _, member = name.partition("/")
            found.setdefault(slug, {})[member] = file.read(name)
    return found


FILES = _files()
"""Slug -> member -> bytes, as the framework wrote them."""


def stored(tensors: kit.Json) -> dict[str, kit.TensorSpec]:
    """Tensors from their spelling in bits."""
    def little(word: str, parts: int) -> bytes:
        step = len(word) // parts
        return b"".join(bytes.fromhex(word[start : start + step])[::-1] for start in range(0, len(word), step))

    return {name: (one["dtype"], one["shape"], b"".join(little(word, 2 if one["dtype"] == "complex64" else 1) for word in one["bits"])) for name, one in tensors.items()}


@dataclass(frozen=True)
class Frozen:
    """A frozen file, and what the documents of its model say."""

    slug: str
    architecture: kit.Json = None
    training: kit.Json = None

    @property
    def facts(self) -> kit.Json:
        """What the framework said."""
        return FACTS[self.slug]

    @property
    def files(self) -> dict[str, bytes]:
        """The files as a case's input."""
        return {f"foreign/{name}": data for name, data in FILES[self.slug].items()}

    @property
    def state(self) -> dict[str, kit.TensorSpec] | None:
        """The slots of the optimizer."""
        return stored(self.facts["state"]) if self.facts.get("state") else None

    @property
    def observed(self) -> kit.Json:
        """What has to be observed."""
        seen = kit.observe(self.architecture, stored(self.facts["tensors"]), self.training, self.state)
        return {**seen, "defaults": models.defaults(self.architecture, self.training)}

    @property
    def package(self) -> kit.Files:
        """The package of the same model."""
        return kit.package(self.architecture, stored(self.facts["tensors"]), self.training, self.state)

    @property
    def owed(self) -> list[str]:
        """The requirements that reading the file meets, whatever its layout."""
        said = (("CNV-002", self.architecture), ("CNV-003", self.training), ("CNV-004", self.state))
        return ["CNV-001", *(name for name, one in said if one is not None)]


@dataclass(frozen=True)
class Place:
    """A layout, the path of its file in an input or output, and who looks at what is written."""

    layout: str
    path: str
    generation: str = ""
    reader: str = ""
    loses: bool = False

    @property
    def facts(self) -> dict[str, kit.Json]:
        """As a case says it."""
        said = {"layout": self.layout, "path": self.path, "generation": self.generation, "loses": self.loses, "reader": self.reader}
        return {name: value for name, value in said.items() if value}


def case(name: str, title: str, *, cites: Sequence[str], place: Place, op: str, look: kit.Json = None, **more: kit.Json) -> Case:
    """A case of a converter."""
    foreign = {**place.facts, **({"look": look} if look else {})}
    return Case(name, title, list(dict.fromkeys(cites)), op=op, role="converter", profile=place.layout, foreign=foreign, **more)


def read(name: str, title: str, *, of: Frozen, place: Place, cites: Sequence[str] = ()) -> Case:
    """A frozen file is read: its documents are those of `of`, its tensors those that the framework said it had."""
    return case(name, title, cites=[*cites, READS[place.layout], *of.owed], place=place, op="import", files=of.files, accepted=of.observed)


def joined(name: str, title: str, *, of: Frozen, place: Place, cites: Sequence[str] = ()) -> Case:
    """Weights alone are read, with the architecture beside them."""
    given = {**of.files, "architecture.json": kit.document(of.architecture)}
    return case(name, title, cites=["CNV-005", *cites, READS[place.layout], *(one for one in of.owed if one != "CNV-002")], place=place, op="import", files=given, accepted=of.observed)


def refused(name: str, title: str, *, files: kit.Files, twin: str, place: Place, cites: Sequence[str], stage: str = "semantic") -> Case:
    """A file that is rejected."""
    return case(name, title, cites=cites, place=place, op="import", files=files, rejected=(stage, "", ""), twin=twin)


def written(name: str, title: str, *, of: Frozen | kit.Files, seen: kit.Json, place: Place, cites: Sequence[str], look: kit.Json = None) -> Case:
    """A package becomes a file in which a stranger's reader finds this."""
    package = of.package if isinstance(of, Frozen) else of
    return case(name, title, cites=[*cites, WRITES[place.layout], "CNV-010"], place=place, op="export", files=package, accepted=seen, look=look)


def loads(name: str, title: str, *, of: Frozen, place: Place, cites: Sequence[str] = (), keeps: Sequence[str] = ("weights", "optimizer", "variables"), **look: kit.Json) -> Case:
    """A package becomes a file that its framework loads: the same arrays in the framework's order, and the same predictions."""
    loaded = {name: one for name, one in of.facts["loaded"].items() if name in keeps}
    seen = {**loaded, "outputs": of.facts["outputs"]}
    return case(name, title, cites=["CNV-011", *cites, WRITES[place.layout]], place=place, op="export", files=of.package, accepted=seen,
                look={"as": "model", "inputs": of.facts["inputs"], **look})


def not_written(name: str, title: str, *, files: kit.Files, twin: str, place: Place) -> Case:
    """A package that cannot become such a file."""
    return case(name, title, cites=["CNV-012"], place=place, op="export", files=files, rejected=("semantic", "", ""), twin=twin)


MODEL, INPUT = "/vars", "/layers/input_layer/vars"
"""Where a file by object path says what the model is called, and the input of one that is not sequential."""


def tree(seen: Mapping[str, kit.Json]) -> kit.Json:
    """What h5py has to see in a written file: the datasets of the frozen one, its lists of names, of which the order of layers is free, and what objects with weights are called."""
    lists: dict[str, kit.Json] = {}
    for place, said in seen["attributes"].items():
        if "weight_names" in said:
            lists[place] = {"weight_names": said["weight_names"]}
        elif "layer_names" in said:
            lists[place] = {"layer_names": {"any_order": sorted(said["layer_names"])}}
        elif "name" in said and (place == MODEL or any(one.startswith(f"{place}/") for one in seen["datasets"])):
            lists[place] = {"name": said["name"]}
    if MODEL in lists and INPUT not in seen["attributes"]:
        lists[INPUT] = {"name": None}
    return {"datasets": seen["datasets"], "attributes": lists}


def rezipped(content: bytes, member: str, old: bytes, new: bytes) -> bytes:
    """A ZIP file whose `member` has `new` where it had `old`, with the checksum of what it now is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(packed, "w") as file:
        for name in given.namelist():
            data = given.read(name)
            assert name != member or old in data, f"{member} has no {old!r}"
            file.writestr(zipfile.ZipInfo(name), data.replace(old, new) if name == member else data)
    return packed.getvalue()


def others(of: Frozen, *, layout: str, twin: str, place: Place) -> Iterable[Case]:
    """Weights beside architectures that they are not those of: one extent is another, one weight is missing, one too many."""
    last = of.architecture["layers"][-1]
    wrong = {
        "shape": ("of one unit more", [{**last, "config": {**last["config"], "units": last["config"]["units"] + 1}}]),
        "missing": ("with a layer more", [last, {**last, "name": "more"}]),
        "left-over": ("without a bias", [{**last, "config": {**last["config"], "use_bias": False}}]),
    }
    for word, (title, layers) in wrong.items():
        other = {**of.architecture, "layers": [*of.architecture["layers"][:-1], *layers]}
        yield refused(f"cnv-007-{layout}-{word}", f"Weights beside an architecture {title}", twin=twin, place=place, cites=["CNV-007", "CNV-005"],
                      files={**of.files, "architecture.json": kit.document(other)})


def alone(dtype: str, count: int, size: int) -> kit.Files:
    """A package of one weight with `count` elements, in `size` bytes."""
    return kit.package(None, {"out.bias": (dtype, [count], bytes(size))})


EIGHTHS = kit.package({**models.SMALL, "layers": [{**models.SMALL["layers"][0], "dtype": "float8_e4m3fn"}]},
                      {"out.bias": ("float8_e4m3fn", [2], bytes(2)), "out.kernel": ("float8_e4m3fn", [3, 2], bytes(6))})
"""A model whose weights have eight bits, which few layouts know."""
FOUR = {**models.SMALL, "layers": [models.dense("out", 4)]}
SIXTHS_OF_A_LAYER, WORDS_OF_A_LAYER = (
    kit.package({**FOUR, "layers": [{**FOUR["layers"][0], "dtype": dtype}]}, {"out.bias": (dtype, [4], bytes(bits // 2)), "out.kernel": (dtype, [3, 4], bytes(bits * 3 // 2))})
    for dtype, bits in (("float6_e2m3fn", 6), ("float32", 32)))
"""A layer of four units, whose weights have six bits, and 32."""
SIXTHS, WORDS = alone("float6_e2m3fn", 4, 3), alone("float32", 4, 16)
"""One weight alone whose elements have six bits, which only safetensors knows; and the same in 32."""
ZEROS = {"out.bias": {"dtype": "float32", "shape": [4], "bits": ["00000000"] * 4}}
"""What a stranger sees of `WORDS`."""
