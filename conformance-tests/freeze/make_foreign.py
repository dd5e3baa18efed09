"""Has frameworks write files of their own layouts, and freezes the files with what the frameworks themselves say is in them.

``python conformance-tests/freeze/make_foreign.py [SLUG…]``; ``--old FOLDER`` takes in what old frameworks wrote (``foreign_old.py``). The files go into ``foreign.zip``; weights, the optimizer's slots and predictions, each asked
of the framework, into ``foreign.json``, with the version of the writer. The names of the weights are those of the specification, listed by hand in the
order of ``get_weights()``. What the documents of each model say is written by hand, too, in ``build_cases/_foreign_models.py``.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import foreign_dtypes
import foreign_keras
import foreign_kinds
import foreign_named
import foreign_optimizers
import foreign_slots
import foreign_tensorflow
import foreign_torch
import foreign_unknown
import numpy as np
from foreign_common import ROWS, Json

from triptych_conformance._spelling import spelled

ROOMS = (foreign_dtypes, foreign_keras, foreign_kinds, foreign_named, foreign_optimizers, foreign_slots, foreign_tensorflow, foreign_torch, foreign_unknown)
"""Modules whose import fills `ROWS`."""


def archive(rows: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """The files of all rows in one ZIP file, the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for slug, members in sorted(rows.items()):
            for name, data in sorted(members.items()):
                file.writestr(zipfile.ZipInfo(f"{slug}/{name}"), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def old(folder: Path) -> Json:
    """What an old framework said, in ``facts.json`` and ``arrays.npz`` of `folder`."""
    said = json.loads((folder / "facts.json").read_bytes())
    with np.load(folder / "arrays.npz") as file:
        arrays = {name: file[name] for name in file.files}

    def part(word: str) -> dict[str, Json]:
        return {name.partition("/")[2]: spelled(array) for name, array in sorted(arrays.items()) if name.startswith(f"{word}/")}

    inputs, outputs = part("inputs"), part("outputs")
    return {
        **{name: value for name, value in said.items() if name != "output_names"}, "tensors": part("tensors"), "state": part("state"),
        "inputs": list(inputs.values()), "outputs": dict(zip(said["output_names"], outputs.values(), strict=True)),
    }


def main(wanted: Sequence[str]) -> None:
    """Asks for the rows that are `wanted`, all of them if none is named, and keeps what is there of others."""
    facts: dict[str, Json] = json.loads((HERE / "foreign.json").read_bytes()) if (HERE / "foreign.json").is_file() else {}
    files: dict[str, dict[str, bytes]] = {}
    if (HERE / "foreign.zip").is_file():
        with zipfile.ZipFile(HERE / "foreign.zip") as kept_files:
            for name in kept_files.namelist():
                slug, _, member = name.partition("/")
                files.setdefault(slug, {})[member] = kept_files.read(name)
    if list(wanted[:1]) == ["--old"]:
        for folder in sorted(Path(wanted[1]).iterdir()):
            facts[folder.name] = old(folder)
            files[folder.name] = {path.relative_to(folder / "files").as_posix(): path.read_bytes() for path in sorted((folder / "files").rglob("*")) if path.is_file()}
        wanted = ["--old"]
    for slug in () if list(wanted) == ["--old"] else wanted or ROWS:
        with tempfile.TemporaryDirectory() as folder:
            facts[slug] = ROWS[slug](Path(folder))
            files[slug] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}
        print(slug, {name: len(data) for name, data in files[slug].items()})
    known = {slug for slug in facts if slug in ROWS or slug.startswith("old-")}
    facts, files = {slug: facts[slug] for slug in sorted(known)}, {slug: files[slug] for slug in known}
    (HERE / "foreign.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (HERE / "foreign.zip").write_bytes(archive(files))


if __name__ == "__main__":
    main(sys.argv[1:])
