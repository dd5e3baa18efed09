"""Finds the cases, insists that they are the ones the manifest lists, and lays a case's input out at a neutral path."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from triptych_conformance._inspect import Inspectors, Seen

Json = Any
CORE = "core"
ARCHIVE = "model.triptych"
GIVEN = "given.json"
EVALUATE, UPDATE = "evaluate", "update"
IMPORT, EXPORT = "import", "export"
FOREIGN = "foreign"
"""The folder of an input that holds a file of another layout, or several."""
WRITING = ("write", "rewrite", EXPORT)
MODEL = "model"
BESIDE = {EVALUATE: "inputs", UPDATE: "gradients"}
"""Operation -> what it is given beside a package: arrays in a safetensors file of this name, under this name in the request."""


class SuiteDamagedError(Exception):
    """The cases on disk are not the ones that the manifest lists."""


class NotPossibleHereError(Exception):
    """The machine cannot lay out the input of a case (symbolic links on some systems)."""


def root() -> Path:
    """The folder that holds ``cases/``, ``manifest.json`` and ``schemas/``: in the wheel, or in a checkout."""
    packaged = Path(__file__).parent / "_data"
    return packaged if packaged.is_dir() else Path(__file__).parents[1]


def _repeated(text: str, count: int, first: int | None = None) -> bytes:
    """A part of a generated member: `text` again and again, its ``{}`` being a number that counts from `first`."""
    return text.encode() * count if first is None else "".join(text.replace("{}", str(first + number)) for number in range(count)).encode()


@dataclass(frozen=True, slots=True)
class Case:
    """One case as its folder describes it."""

    id: str
    title: str
    requirements: tuple[str, ...]
    role: str
    profile: str
    since: str
    op: str
    expect: Mapping[str, Json]
    folder: Path
    twin: str | None = None
    needs: tuple[str, ...] = ()
    """Extensions that an implementation has to know for the case to apply to it."""
    tolerance: Mapping[str, float] | None = None
    """How far an evaluation or update may depart from what is expected."""
    options: Mapping[str, Json] = field(default_factory=dict)
    foreign: Mapping[str, Json] = field(default_factory=dict)
    """For import and export: the ``layout``, the ``path`` of the file, and how it is looked at."""
    links: Mapping[str, str] = field(default_factory=dict)
    generated: Mapping[str, list[list[Json]]] = field(default_factory=dict)
    numbered: Mapping[str, list[Json]] = field(default_factory=dict)

    @property
    def accepts(self) -> bool:
        """Whether a conforming implementation accepts the input."""
        return bool(self.expect["outcome"] == "accepted")

    @property
    def expected(self) -> Json:
        """The observation to be made, or None for a rejecting case."""
        path = self.folder / "expected.json"
        return json.loads(path.read_bytes()) if path.is_file() else None

    def asks(self, op: str, given: Path) -> dict[str, Json]:
        """What a request to perform `op` says of the input that was laid out at `given`."""
        if op == IMPORT:
            beside = {"architecture": str(given / "architecture.json")} if (given / "architecture.json").is_file() else {}
            return {"op": op, "input": str(given / FOREIGN / self.foreign["path"]), "layout": self.foreign["layout"], **beside}
        if op in BESIDE:
            return {"op": op, "input": str(given / MODEL), BESIDE[op]: str(given / f"{BESIDE[op]}.safetensors"), **self.options}
        return {"op": op, "input": str(given)}

    def output(self, folder: Path) -> Path | None:
        """Where in `folder` an adapter is to write; None where the operation writes nothing."""
        if self.op == EXPORT:
            return folder / str(self.foreign["path"])
        return folder / (ARCHIVE if self.options.get("form") == "archive" else MODEL) if self.op in WRITING else None

    def asks_to_write(self, output: Path) -> dict[str, Json]:
        """What a request says of the file that is to be written to `output`."""
        said = {name: self.foreign[name] for name in ("layout", "generation") if name in self.foreign} if self.op == EXPORT else {}
        return {"output": str(output), **said, **self.options}

    def look(self, inspectors: Inspectors, output: Path) -> Seen | None:
        """What a stranger's reader makes of the foreign file that was written to `output`; None where nothing was written, or had to be."""
        if self.op != EXPORT or not self.accepts or not any(output.parent.iterdir()):
            return None
        return inspectors.look(self.foreign["reader"], output, **self.foreign.get("look", {}))

    def lay_existing(self, target: Path) -> bool:
        """Copies what a writer finds at `target` before it begins; whether there is anything."""
        source = self.folder / "existing"
        archive = source / ARCHIVE
        if archive.is_file():
            shutil.copyfile(archive, target)
        elif source.is_dir():
            shutil.copytree(source, target)
        return source.is_dir()

    def lay_out(self, target: Path) -> Path:
        """Copies the input to `target`, a new folder, and returns the path an adapter is given.

        Raises:
            NotPossibleHereError: The machine refuses a symbolic link.
        """
        source = self.folder / "input"
        target.mkdir(parents=True)
        for path in sorted(source.rglob("*")) if source.is_dir() else ():
            copy = target / path.relative_to(source)
            if path.is_dir():
                copy.mkdir(parents=True, exist_ok=True)
            else:
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        for name, parts in self.generated.items():
            with (target / name).open("wb") as file:
                file.writelines(_repeated(*part) for part in parts)
        for name, (count, text) in self.numbered.items():
            for number in range(count):
                (target / name.replace("{}", str(number))).write_bytes(text.encode())
        for name, destination in self.links.items():
            try:
                (target / name).symlink_to(destination)
            except (OSError, NotImplementedError) as error:
                raise NotPossibleHereError(f"no symbolic links here: {error}") from error
            if not (target / name).is_symlink():
                raise NotPossibleHereError("no symbolic links here: one was made, and there is none")
        for name in (ARCHIVE, GIVEN):
            if [path.name for path in target.iterdir()] == [name]:
                return target / name
        return target


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases and what the manifest says about them."""

    version: str
    digest: str
    levels: Mapping[str, str]
    """Requirement -> MUST, SHOULD or MAY."""
    withdrawn: Mapping[str, str]
    cases: tuple[Case, ...]
    folder: Path
    """Where ``cases/``, ``manifest.json`` and ``schemas/`` are."""

    def select(self, patterns: Iterable[str]) -> tuple[Case, ...]:
        """The cases whose identifier, or one of whose requirements, matches one of `patterns`.

        Raises:
            SuiteDamagedError: None does; a run of nothing must not look like success.
        """
        wanted = tuple(patterns)
        chosen = tuple(
            case for case in self.cases
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted for name in (case.id, *case.requirements))
        )
        if not chosen:
            raise SuiteDamagedError(f"no case matches {', '.join(wanted)}")
        return chosen

    def case(self, case_id: str) -> Case:
        """The case of this identifier.

        Raises:
            KeyError: There is none.
        """
        for case in self.cases:
            if case.id == case_id:
                return case
        raise KeyError(case_id)


def digests(folder: Path) -> dict[str, str]:
    """Every file below `folder`, by its relative name, with its SHA-256."""
    names = sorted((path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()), key=str.encode)
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def _has_crlf(folder: Path, listed: Mapping[str, str], present: Mapping[str, str]) -> bool:
    """Whether a file is as `listed` but for the ends of its lines."""
    changed = (name for name in listed.keys() & present.keys() if listed[name] != present[name])
    return any(hashlib.sha256((folder / "cases" / name).read_bytes().replace(b"\r\n", b"\n")).hexdigest() == listed[name] for name in changed)


def _case(path: Path) -> Case:
    facts = json.loads(path.read_bytes())
    facts["requirements"] = tuple(facts["requirements"])
    facts["needs"] = tuple(facts.get("needs", ()))
    return Case(folder=path.parent, **facts)


def load(folder: Path) -> Suite:
    """The suite in `folder`.

    Raises:
        SuiteDamagedError: A file is missing, changed or not listed, or the count is wrong.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError) as error:
        raise SuiteDamagedError(f"manifest.json cannot be read: {error}") from error
    listed, present = manifest["files"], digests(folder / "cases")
    if listed != present:
        wrong = sorted(name for name in listed.keys() | present.keys() if listed.get(name) != present.get(name))
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        why = "; line feeds have become CRLF: check out without core.autocrlf, or with the .gitattributes that belongs to the suite" if _has_crlf(folder, listed, present) else ""
        raise SuiteDamagedError(f"not as manifest.json says: {', '.join(wrong[:5])}{more}{why}")
    whole = hashlib.sha256("".join(f"{value}  {name}\n" for name, value in listed.items()).encode()).hexdigest()
    if manifest["digest"] != f"sha256:{whole}":
        raise SuiteDamagedError("manifest.json does not match its own digest")
    cases = tuple(_case(path) for path in sorted((folder / "cases").glob("*/*/case.json")))
    if len(cases) != manifest["cases"] or not cases:
        raise SuiteDamagedError(f"manifest.json counts {manifest['cases']} cases, {len(cases)} are here")
    return Suite(manifest["suite"], manifest["digest"], manifest["requirements"], manifest["withdrawn"], cases, folder)


@cache
def suite() -> Suite:
    """The suite that belongs to this package."""
    return load(root())
