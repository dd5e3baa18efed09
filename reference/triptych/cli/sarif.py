"""The outcomes of a check as SARIF 2.1.0, which code hosts and editors show beside the files.

A rule is an error code of the registry; the requirement that is broken is a taxon of the specification. What could not be told is a
result of kind *open* and makes the run unsuccessful.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from triptych.cli.judging import Outcome
from triptych.cli.reports import said
from triptych.errors import Problem, registry
from triptych.package.names import unspelled

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_SPECIFICATION = "Triptych specification"
_AT_LINE = re.compile(r"\bat line (\d+), column (\d+)")


def as_sarif(outcomes: Sequence[Outcome]) -> str:
    """The report, with one run."""
    from triptych import __version__

    rules = {code: number for number, code in enumerate(registry())}
    driver = {"name": "triptych", "semanticVersion": __version__, "rules": [_rule(code, entry) for code, entry in registry().items()]}
    unknown = [one for one in outcomes if one.verdict == "unknown"]
    told = [_notification(one, problem) for one in unknown for problem in one.problems or (None,)]
    invocation = {"executionSuccessful": not unknown, "toolExecutionNotifications": told}
    results = [_result(one, problem, rules) for one in outcomes for problem in one.problems]
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "taxonomies": [_taxonomy({problem.requirement for one in outcomes for problem in one.problems} - {""})],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str, entry: Mapping[str, object]) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code, "shortDescription": {"text": str(entry["message"])}}
    if advice := entry.get("advice"):
        rule["help"] = {"text": str(advice)}
    rule["properties"] = {"requirements": entry["requirements"], "stage": entry["stage"]}
    return rule


def _taxonomy(requirements: set[str]) -> dict[str, Any]:
    """The specification, with the sentences that are broken."""
    from triptych.cli.explain import sentences
    from triptych.documents import FORMAT_VERSION

    texts = sentences() if requirements else {}
    taxa = [{"id": name, "fullDescription": {"text": texts.get(name, name)}} for name in sorted(requirements)]
    return {"name": _SPECIFICATION, "version": FORMAT_VERSION, "taxa": taxa}


def _result(outcome: Outcome, problem: Problem, rules: Mapping[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {"ruleId": problem.code, "ruleIndex": rules[problem.code]}
    result |= {"kind": "fail", "level": "error"} if outcome.verdict == "invalid" else {"kind": "open", "level": "none"}
    result |= {"message": {"text": problem.message or problem.code}, "locations": [_location(outcome.path, problem)]}
    if problem.requirement:
        result["taxa"] = [{"id": problem.requirement, "toolComponent": {"name": _SPECIFICATION, "index": 0}}]
    return result


def _notification(outcome: Outcome, problem: Problem | None) -> dict[str, Any]:
    text = said(outcome) if problem is None else problem.message or problem.code
    return {"level": "error", "message": {"text": text}, "locations": [{"physicalLocation": {"artifactLocation": _artifact(outcome.path)}}]}


def _location(path: str, problem: Problem) -> dict[str, Any]:
    """The file, the line where it is text, and the place as the specification spells it."""
    member, _, pointer = ("", "", problem.place) if problem.place.startswith("/") else problem.place.partition("#")
    file = _file(Path(path), unspelled(member))
    physical: dict[str, Any] = {"artifactLocation": _artifact(str(file))}
    region = _region(file, pointer if problem.place.partition("#")[1] or not member else None, problem.message)
    if region is not None:
        physical["region"] = region
    location: dict[str, Any] = {"physicalLocation": physical}
    if problem.place:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.place, "kind": "value" if pointer else "member"}]
    return location


def _file(path: Path, member: str) -> Path:
    """The file that holds `member`: one of a folder, or the archive itself."""
    if member and not Path(member).is_absolute() and ".." not in Path(member).parts:
        file = path / member
        try:
            if file.is_file() and not file.is_symlink():
                return file
        except (OSError, ValueError):
            return path
    return path


def _artifact(path: str) -> dict[str, str]:
    """Where a file is: beneath the folder of the run, or absolute."""
    uri = quote(Path(path).as_posix().encode("utf-8", "surrogateescape"))
    return {"uri": f"file://{uri}"} if Path(path).is_absolute() else {"uri": uri, "uriBaseId": "%SRCROOT%"}


def _region(file: Path, pointer: str | None, message: str) -> dict[str, int] | None:
    """The line that is meant, of a file of text."""
    from triptych.documents.lines import TEXT_LIMIT, line_of

    if file.suffix not in (".json", ".yaml", ".yml") or not file.is_file():
        return None
    if found := _AT_LINE.search(message):
        return {"startLine": max(1, int(found[1])), "startColumn": max(1, int(found[2]))}
    try:
        with file.open("rb") as source:
            content = source.read(TEXT_LIMIT + 1)
        line = None if pointer is None or len(content) > TEXT_LIMIT else line_of(content.decode("utf-8"), pointer)
    except (OSError, UnicodeDecodeError):
        return None
    return None if line is None else {"startLine": line}
