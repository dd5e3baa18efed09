"""Writes ``cases/`` and ``manifest.json`` from the declarations beside this file: ``python conformance-tests/build_cases [DIR]``.

Every ``<area>.py`` here has a function ``cases()``. The standard library only; the reference is never asked.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import sys
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import kit  # noqa: E402 - the declarations import it by this name too

OPS = {"read", "validate", "rewrite", "write", "evaluate", "update", "names", "import", "export"}
KEYWORD = re.compile(r"\b(MUST NOT|MUST|SHOULD NOT|SHOULD|MAY)\b")
ROLES = {"reader", "validator", "writer", "evaluator", "converter"}
FOREIGN = {"keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "saved-model", "pytorch", "pytorch-distributed", "safetensors", "numpy", "hub"}
PROFILES = {"core", "yaml", "archive", "sharded", "training", "layers", "evaluate", "names", *FOREIGN}
STAGES = {"bytes", "json", "schema", "semantic", "resource"}
SUITE = "1.0.5"
"""Moves whenever a case is added, changed or withdrawn in a release."""
WITHDRAWN: dict[str, str] = {
    "doc-018-tab-indent": "DOC-028 forbids tabs everywhere; see doc-028-tab-after-a-colon",
    **{f"doc-024-{name}": f"DOC-029 says it now; see doc-029-{name}" for name in (
        "exponent-without-point", "exponent-without-sign", "leading-zero", "octal", "hexadecimal", "binary", "underscore", "base-60", "plus", "point-first", "point-last", "date")},
}
"""Case id -> why it was withdrawn; an id is never used again."""


def declared(area: Path) -> list[kit.Case]:
    """The cases that one file declares."""
    spec = importlib.util.spec_from_file_location(f"area_{area.stem}", area)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.cases())


def faults(cases: dict[str, kit.Case]) -> list[str]:
    """What is wrong with the declarations themselves."""
    found = []
    for case in cases.values():
        primary = case.requirements[0].lower() if case.requirements else "?"
        rules = {
            "id must be the first requirement in lower case and some words": re.fullmatch(rf"{primary}(-[a-z0-9]+)+", case.id),
            "id is withdrawn": case.id not in WITHDRAWN,
            "title must state a fact in 1 to 70 characters": 0 < len(case.title) <= 70 and not re.search(r"\bshould\b|\btests? that\b", case.title, re.IGNORECASE),
            "unknown op": case.op in OPS,
            "unknown role": case.role in ROLES,
            "unknown profile": case.profile in PROFILES,
            "one of accepted and rejected is needed": (case.accepted is None) != (case.rejected is None),
            "unknown stage": case.rejected is None or case.rejected[0] in STAGES,
            "an id stands twice among the requirements": len(set(case.requirements)) == len(case.requirements),
            "what is to be written is given where something is accepted for writing": (
                (case.written is not None) == (case.op in {"write", "rewrite"} and case.accepted is not None)),
            "a tolerance is for evaluating and updating, and needed there": (
                (case.tolerance is not None and case.tolerance.keys() in ({"relative"}, {"ulp"})) if case.op in {"evaluate", "update"} else case.tolerance is None),
            "a layout, which is the profile, and a path are for conversions, and needed there": (
                {"layout", "path"} <= case.foreign.keys() and case.foreign["layout"] == case.profile if case.op in {"import", "export"} else not case.foreign),
            "what is exported is looked at": case.op != "export" or case.accepted is None or "reader" in case.foreign,
            "options are for writing, and values for updates": not case.options or (case.options.keys() == {"values"} if case.op == "update" else case.op in {"write", "rewrite"}),
            "something to replace is for writing": case.existing is None or case.op in {"write", "rewrite"},
            "a writer's refusal and a foreign file have no code": case.rejected is None or (case.rejected[1] == "") == (case.role in {"writer", "converter"}),
            "an archive case has one file": kit.ARCHIVE not in case.files or len(case.files) == 1,
        }
        if case.rejected is not None:
            twin = cases.get(case.twin or "")
            rules[f"twin {case.twin} must be an accepting case that cites {', '.join(case.requirements)}"] = (
                twin is not None and twin.accepted is not None and set(case.requirements) <= set(twin.requirements))
            rules[f"twin {case.twin} must apply wherever the case does: its role, its profile or core, no other needs"] = twin is None or (
                twin.role == case.role and twin.profile in {case.profile, "core"} and set(twin.needs) <= set(case.needs))
        found += [f"{case.id}: {rule}" for rule, holds in rules.items() if not holds]
    return found


def content(case: kit.Case) -> dict[str, bytes]:
    """The files of the case's folder."""
    expect: dict[str, object] = {"outcome": "accepted"}
    if case.rejected is not None:
        stage, code, place = case.rejected
        expect = {"outcome": "rejected", "stage": stage, **({"code": code, "place": place} if code else {})}
        if case.also:
            expect["also"] = [{"code": c, "place": p} for c, p in case.also]
    facts: dict[str, object] = {
        "id": case.id, "title": case.title, "requirements": list(case.requirements), "role": case.role, "profile": case.profile,
        "since": case.since, "op": case.op, "expect": expect}
    if case.twin is not None:
        facts["twin"] = case.twin
    if case.tolerance is not None:
        facts["tolerance"] = dict(case.tolerance)
    if case.needs:
        facts["needs"] = list(case.needs)
    if case.options:
        facts["options"] = dict(case.options)
    if case.foreign:
        facts["foreign"] = dict(case.foreign)
    if case.numbered:
        facts["numbered"] = {name: list(said) for name, said in case.numbered.items()}
    if case.links:
        facts["links"] = dict(case.links)
    files: dict[str, bytes] = {}
    generated = {}
    for prefix, members in (("input", case.files), ("written", case.written or {}), ("existing", case.existing or {})):
        for name, data in members.items():
            member = "model.triptych" if name == kit.ARCHIVE else name
            if isinstance(data, kit.Generated):
                generated[member] = [list(part) for part in data.parts]
            else:
                files[f"{prefix}/{member}"] = data
    if generated:
        facts["generated"] = generated
    files["case.json"] = kit.document(facts)
    if case.accepted is not None:
        files["expected.json"] = kit.document(case.accepted)
    return files


def write(path: Path, data: bytes) -> None:
    """Replaces `path` unless it has this content already; another build may run at the same time."""
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    beside.write_bytes(data)
    beside.replace(path)


def write_area(folder: Path, cases: list[kit.Case]) -> None:
    """Makes `folder` hold exactly `cases`."""
    wanted = {folder / case.id / name: data for case in cases for name, data in content(case).items()}
    for path, data in wanted.items():
        write(path, data)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path not in wanted:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def levels(spec: Path) -> dict[str, str]:
    """Requirement -> MUST, SHOULD or MAY, as the specification's sentences say."""
    found = {}
    for path in sorted(spec.rglob("*.md")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if mark := re.match(r"\*\*\[([A-Z]{3}-[0-9]{3})\]\*\* (?!\*Withdrawn)(.+)$", line):
                keywords = KEYWORD.findall(mark[2])
                found[mark[1]] = keywords[0].split()[0] if keywords else "MAY"
    return dict(sorted(found.items()))


def write_manifest(root: Path) -> int:
    """Lists every file of ``cases/`` with its digest; the number of cases."""
    base = root / "cases"
    names = sorted((path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()), key=str.encode)
    digests = {name: hashlib.sha256((base / name).read_bytes()).hexdigest() for name in names}
    count = sum(name.endswith("/case.json") and name.count("/") == 2 for name in names)
    whole = hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()).hexdigest()
    manifest = {"suite": SUITE, "cases": count, "digest": f"sha256:{whole}", "withdrawn": WITHDRAWN,
                "requirements": levels(HERE.parents[1] / "spec"), "files": digests}
    write(root / "manifest.json", (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
    return count


def main(arguments: list[str]) -> int:
    """Builds everything; an area that cannot be loaded keeps its folder and makes the status 1."""
    root = Path(arguments[0]) if arguments else HERE.parent
    by_area: dict[str, list[kit.Case]] = {}
    status = 0
    for path in sorted(HERE.glob("*.py")):
        if path.stem in {"kit", "__main__"} or path.stem.startswith("_"):
            continue
        try:
            by_area[path.stem] = declared(path)
        except Exception:  # noqa: BLE001 - an area somebody is writing must not stop the others
            traceback.print_exc()
            status = 1
    everything = [case for cases in by_area.values() for case in cases]
    known = {case.id: case for case in everything}
    problems = faults(known)
    problems += [f"{id_}: declared twice" for id_ in sorted(known) if sum(case.id == id_ for case in everything) > 1]
    problems += [f"{case.id}: is declared in {area}.py" for area, cases in by_area.items() for case in cases if not case.id.startswith(f"{area}-")]
    for area, cases in by_area.items():
        write_area(root / "cases" / area, cases)
    if not status and (root / "cases").is_dir():
        for folder in (root / "cases").iterdir():
            if folder.name not in by_area:
                shutil.rmtree(folder)
    count = write_manifest(root)
    for problem in problems:
        print("PROBLEM", problem)
    print(f"{count} cases, {len(problems)} problems")
    return 1 if problems else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
