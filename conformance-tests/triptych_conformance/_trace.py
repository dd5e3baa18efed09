"""Joins specification, error registry, schemas, code and cases on requirement identifiers; every loose end is a problem."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych_conformance._cases import Case, load
from triptych_conformance._grid import Grid
from triptych_conformance._places import FORM, fits, form_of

Json = Any
MARK = re.compile(r"^\*\*\[([A-Z]{3}-[0-9]{3})\]\*\* (.+)$")
WITHDRAWN = re.compile(r"^\*Withdrawn in [0-9]+\.[0-9]+(; see [A-Z]{3}-[0-9]{3})?\.\*$")
KEYWORD = re.compile(r"\b(MUST NOT|MUST|SHALL NOT|SHALL|SHOULD NOT|SHOULD|MAY|REQUIRED|RECOMMENDED|OPTIONAL)\b")
LEVELS = ("MUST", "SHOULD", "MAY")
LITERAL = re.compile(r"[\"']([A-Z]{3}-[0-9]{3})[\"']")
COMMENT = re.compile(r"^req: ([A-Z]{3}-[0-9]{3}(?:, [A-Z]{3}-[0-9]{3})*)$")
STAGES = ("bytes", "json", "schema", "semantic", "resource")
CODE = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")
KEYWORD_PARAGRAPH = "RFC 2119"
"""The one line outside requirements that may spell the keywords: it says what they mean."""


class NoCheckoutError(Exception):
    """The specification is not here: `trace` is for the development tree."""


@dataclass(slots=True)
class Requirement:
    """One normative sentence and everything that points to it."""

    id: str
    level: str
    where: str
    sentence: str
    codes: list[str] = field(default_factory=list)
    schemas: list[str] = field(default_factory=list)
    code_places: list[str] = field(default_factory=list)
    accepting: list[str] = field(default_factory=list)
    rejecting: list[str] = field(default_factory=list)
    waiver: str = ""


def read_spec(folder: Path, problems: list[str]) -> dict[str, Requirement]:
    """The requirements of every chapter; a keyword outside of one is a problem."""
    found: dict[str, Requirement] = {}
    for path in sorted(folder.rglob("*.md")):
        fenced = False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            where = f"{path.relative_to(folder).as_posix()}:{number}"
            fenced ^= line.startswith("```")
            mark = None if fenced else MARK.match(line)
            if mark is None:
                if not fenced and KEYWORD.search(line) and KEYWORD_PARAGRAPH not in line:
                    problems.append(f"{where}: normative keyword outside a requirement")
                if not fenced and re.match(r"^\W*\[[A-Z]{3}-[0-9]{3}\]", line):
                    problems.append(f"{where}: a requirement is written **[ABC-001]** and its whole sentence on the line")
                continue
            name, sentence = mark[1], mark[2]
            if name in found:
                problems.append(f"{where}: {name} is defined twice, first at {found[name].where}")
            if WITHDRAWN.match(sentence):
                continue
            keywords = KEYWORD.findall(sentence)
            level = keywords[0].split()[0] if keywords else "?"
            if len(keywords) != 1 or level not in LEVELS:
                problems.append(f"{where}: {name} has to hold one keyword MUST, SHOULD or MAY, has {keywords}")
            found[name] = Requirement(name, level, where, sentence)
    return found


def _comments(node: Json, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if isinstance(node.get("$comment"), str):
            yield path, node["$comment"]
        for key, value in node.items():
            yield from _comments(value, f"{path}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _comments(value, f"{path}/{index}")


def read_schemas(folder: Path, problems: list[str]) -> Iterator[tuple[str, str]]:
    """(requirement, where) for every ``"$comment": "req: …"``."""
    for path in sorted(folder.rglob("*.json")):
        for where, comment in _comments(json.loads(path.read_bytes()), f"{path.name}#"):
            match = COMMENT.match(comment)
            if match:
                for name in match[1].split(", "):
                    yield name, where
            elif "req" in comment.partition(" ")[0]:
                problems.append(f"{where}: $comment {comment!r} is not 'req: ABC-001[, …]'")


def read_code(folder: Path) -> Iterator[tuple[str, str]]:
    """(requirement, where) for every requirement that the reference's source names as a literal; read as text."""
    for path in sorted(folder.rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for name in LITERAL.findall(line):
                yield name, f"{path.name}:{number}"


def _errors(path: Path, problems: list[str]) -> dict[str, Json]:
    entries: dict[str, Json] = tomllib.loads(path.read_text(encoding="utf-8"))
    members = {"requirements", "stage", "since", "message", "advice"}
    for code, entry in entries.items():
        if not CODE.match(code):
            problems.append(f"errors.toml: {code} is not SCREAMING_SNAKE")
        if missing := members - entry.keys():
            problems.append(f"errors.toml: {code} lacks {', '.join(sorted(missing))}")
        if ("place" in entry) != bool(entry.get("requirements")):
            problems.append(f"errors.toml: {code} has to say its place exactly if it has requirements")
        problems += [f"errors.toml: {code} has the place {one!r}, which is of no form" for one in entry.get("place", ()) if not FORM.fullmatch(form_of(one))]
        if unknown := entry.keys() - members - {"deprecated", "place"}:
            problems.append(f"errors.toml: {code} has unknown members {', '.join(sorted(unknown))}")
        if entry.get("stage") not in STAGES:
            problems.append(f"errors.toml: {code} has stage {entry.get('stage')!r}")
    return entries


def _link(requirements: Mapping[str, Requirement], source: str, links: Iterable[tuple[str, str]], member: str, problems: list[str]) -> None:
    unknown: dict[str, str] = {}
    for name, where in links:
        if name in requirements:
            getattr(requirements[name], member).append(where)
        else:
            unknown.setdefault(name, where)
    problems += [f"{source}: unknown requirement {name} ({where})" for name, where in unknown.items()]


def _judge_case(
    case: Case, cases: Mapping[str, Case], requirements: Mapping[str, Requirement], errors: Mapping[str, Json], problems: list[str]
) -> None:
    if case.accepts or not set(case.requirements) <= requirements.keys():
        return
    if "code" not in case.expect:  # a foreign file, whose faults others name, or a writer's refusal
        _judge_twin(case, cases, problems)
        return
    codes = {code for name in case.requirements if name in requirements for code in requirements[name].codes}
    problems += [
        f"{case.id}: expects {problem['code']}, {', '.join(case.requirements)} has {', '.join(sorted(codes)) or 'no code'}"
        for problem in (case.expect, *case.expect.get("also", ())) if problem["code"] not in codes
    ]
    stage = errors.get(case.expect["code"], {}).get("stage")
    if stage != case.expect["stage"]:
        problems.append(f"{case.id}: says stage {case.expect['stage']}, {case.expect['code']} has {stage}")
    problems += [
        f"{case.id}: expects {problem['code']} at {problem['place']!r}, which has none of the forms of its places"
        for problem in (case.expect, *case.expect.get("also", ())) if not fits(problem["place"], errors.get(problem["code"], {}).get("place", ()))
    ]
    _judge_twin(case, cases, problems)


def _judge_twin(case: Case, cases: Mapping[str, Case], problems: list[str]) -> None:
    twin = cases.get(case.twin or "")
    if twin is None or not twin.accepts or not set(case.requirements) <= set(twin.requirements):
        problems.append(f"{case.id}: twin {case.twin} is not an accepting case of {', '.join(case.requirements)}")


def _judge_requirement(one: Requirement, *, has_code: bool, problems: list[str]) -> None:
    if one.waiver:
        if one.accepting or one.rejecting:
            problems.append(f"{one.id}: waived, yet {[*one.accepting, *one.rejecting][0]} tests it")
        if one.codes:
            problems.append(f"{one.id}: waived, yet it has the code {one.codes[0]}")
        return
    if not one.accepting:
        problems.append(f"{one.id}: no accepting case")
    if len(one.codes) > 1:
        problems.append(f"{one.id}: more than one code: {', '.join(one.codes)}")
    if one.codes and not one.rejecting:
        problems.append(f"{one.id}: has the code {one.codes[0]} and no rejecting case")
    if one.codes and has_code and not one.schemas and not one.code_places:
        problems.append(f"{one.id}: has the code {one.codes[0]}, and neither a schema nor the reference names it")


def trace(tree: Path) -> tuple[list[Requirement], Grid, list[str]]:
    """Every requirement with what points to it, those on converters by layout, and the problems, of the checkout at `tree`.

    Raises:
        NoCheckoutError: There is no specification in `tree`.
        SuiteDamagedError: The cases are not those of the manifest.
    """
    if not (tree / "spec").is_dir():
        raise NoCheckoutError("trace works in a checkout, where spec/ is")
    problems: list[str] = []
    requirements = read_spec(tree / "spec", problems)
    errors = _errors(tree / "spec" / "errors.toml", problems)
    suite = load(tree / "conformance-tests")
    cases = {case.id: case for case in suite.cases}
    _link(requirements, "errors.toml", ((name, code) for code, entry in errors.items() for name in entry["requirements"]), "codes", problems)
    _link(requirements, "schemas", read_schemas(tree / "schemas", problems), "schemas", problems)
    source = tree / "reference" / "triptych"
    _link(requirements, "reference", read_code(source), "code_places", problems)
    for member, accepts in (("accepting", True), ("rejecting", False)):
        links = ((name, case.id) for case in suite.cases if case.accepts is accepts for name in case.requirements)
        _link(requirements, "cases", links, member, problems)
    waived = tomllib.loads((tree / "conformance-tests" / "waived.toml").read_text(encoding="utf-8"))
    grid = Grid(suite.cases, {name: reason for name, reason in waived.items() if " " in name})
    problems += grid.problems()
    for name, reason in waived.items():
        if " " in name:
            continue
        if name in requirements and isinstance(reason, str) and reason:
            requirements[name].waiver = reason
        else:
            problems.append(f"waived.toml: {name} is no requirement, or has no reason")
    if {name: one.level for name, one in requirements.items()} != dict(suite.levels):
        problems.append("manifest.json: the levels are not those of spec/; run build_cases")
    for case in suite.cases:
        _judge_case(case, cases, requirements, errors, problems)
    for one in requirements.values():
        _judge_requirement(one, has_code=source.is_dir(), problems=problems)
    return list(requirements.values()), grid, problems


def render(table: Iterable[Requirement]) -> list[str]:
    """The coverage table, one line a requirement."""
    lines = []
    for one in table:
        enforced = [*one.schemas[:1], *one.code_places[:1]]
        more = len(one.schemas) + len(one.code_places) - len(enforced)
        lines.append(
            f"{one.id:8} {one.level:6} {one.where:24} {','.join(one.codes) or '-':32} {' '.join(enforced) or '-'}{f' …{more}' if more else ''}  "
            f"+{len(one.accepting)} -{len(one.rejecting)} {one.waiver}".rstrip()
        )
    return lines
