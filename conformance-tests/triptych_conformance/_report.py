"""The report as one JSON document, and everything rendered from it: text, Markdown, badge, JUnit."""

from __future__ import annotations

import html
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from triptych_conformance._cases import CORE, Suite
from triptych_conformance._judge import COUNTED, INEXACT, UNJUDGED, Result, by_requirement, counts_against

Json = Any
REPORT = 1
"""Version of the report's own schema (``schemas/report.schema.json``)."""
FOREIGN = (
    "keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "saved-model", "pytorch", "pytorch-distributed", "safetensors", "numpy", "hub",
)
"""Profiles of foreign layouts."""
ORDER = (CORE, "yaml", "archive", "sharded", "training", "layers", "evaluate", "names", *FOREIGN)


def binding(requirement: str, levels: Mapping[str, str]) -> bool:
    """Whether `requirement` is one that conformance depends on."""
    return levels.get(requirement, "MUST") == "MUST"


def failing(results: Sequence[Result], levels: Mapping[str, str], roles: Sequence[str]) -> set[str]:
    """Identifiers of the cases that count against an implementation with `roles`: skipped ones too, those of mere SHOULDs not."""
    return {one.case for one in results if counts_against(one, roles) and any(binding(requirement, levels) for requirement in one.requirements)}


def outcome(one: Mapping[str, Json], report: Mapping[str, Json]) -> str:
    """The verdict of a result, or *inexact* where it passes and counts against a validator all the same."""
    inexact = one["verdict"] == "pass" and one["diagnosis"] in INEXACT and "validator" in report["implementation"]["roles"]
    return "inexact" if inexact else one["verdict"]


def _conformance(results: Sequence[Result], implementation: Mapping[str, Json], levels: Mapping[str, str], *, whole: bool) -> list[Json]:
    table = []
    for role in implementation["roles"]:
        judged = [one for one in results if one.role == role or (role == "validator" and one.role == "reader")]
        for profile in sorted({CORE, *implementation["profiles"]}, key=lambda name: (name not in ORDER, (*ORDER, name).index(name), name)):
            mine = [one for one in judged if one.profile == profile]
            held = {name: holds for name, holds in by_requirement(mine).items() if holds is not None and binding(name, levels)}
            if role == "validator":
                inexact = {name for one in mine if one.diagnosis in INEXACT for name in one.requirements}
                held = {name: holds and name not in inexact for name, holds in held.items()}
            undecided = {name for one in mine if one.verdict == UNJUDGED for name in one.requirements if binding(name, levels)}
            if held or undecided:
                good = sum(map(bool, held.values()))
                asked = len(held.keys() | undecided)
                table.append({
                    "role": role, "profile": profile, "requirements": asked, "hold": good,
                    "conforms": False if whole and good < len(held) else None if undecided or not whole else True,
                    **({"unjudged": sum(one.verdict == UNJUDGED for one in mine)} if undecided else {}),
                })
    return table


def build(suite: Suite, implementation: Mapping[str, Json], results: Sequence[Result], known: Mapping[str, str], seconds: float) -> dict[str, Json]:
    """The report."""
    requirements = []
    for name, holds in by_requirement(results).items():
        counted = [one for one in results if name in one.requirements and one.verdict in COUNTED]
        requirements.append({
            "id": name, "level": suite.levels.get(name, "MUST"), "holds": holds,
            "cases": len(counted), "passed": sum(one.passed for one in counted),
        })
    whole = len(results) == len(suite.cases)
    return {
        "report": REPORT,
        "suite": {"version": suite.version, "digest": suite.digest, "cases": len(suite.cases)},
        "implementation": dict(implementation),
        "environment": {"system": platform.platform(), "runner": f"{platform.python_implementation()} {platform.python_version()}"},
        "seconds": round(seconds, 3),
        "complete": whole,
        "verdicts": dict(sorted(Counter(one.verdict for one in results).items())),
        "diagnosis": dict(sorted(Counter(one.diagnosis for one in results if one.diagnosis != "n/a").items())),
        "conformance": _conformance(results, implementation, suite.levels, whole=whole),
        "requirements": requirements,
        "results": [
            {
                "case": one.case, "requirements": list(one.requirements), "role": one.role, "profile": one.profile,
                "verdict": one.verdict, "diagnosis": one.diagnosis,
                **({"detail": one.detail} if one.detail else {}),
                **({"stderr": one.stderr} if one.stderr else {}),
                **({"known": known[one.case]} if one.case in known else {}),
            }
            for one in results
        ],
    }


def _verdict(row: Mapping[str, Json]) -> str:
    if row["conforms"] is None and row.get("unjudged"):
        return f"not judged: {row['unjudged']} cases need a reader that is not installed"
    return {True: "conforms", False: "does not conform", None: "partial run"}[row["conforms"]]


def _who(report: Mapping[str, Json]) -> str:
    return f"{report['implementation']['name']} {report['implementation']['version']}"


def _counted(report: Mapping[str, Json]) -> list[Json]:
    return [one for one in report["requirements"] if one["holds"] is not None]


def _not_applicable(report: Mapping[str, Json]) -> str:
    """What was not declared, or is not possible here, in one line; an empty text if everything applied."""
    rest = [one for one in report["results"] if one["verdict"] == "n/a"]
    roles = Counter(one["role"] for one in rest)
    whole = {role for role in roles if all(one["verdict"] == "n/a" for one in report["results"] if one["role"] == role)}
    parts = [f"{role} {roles[role]}" for role in sorted(whole)]
    profiles = Counter((one["role"], one["profile"]) for one in rest if one["role"] not in whole)
    parts += [f"{role} {profile} {number}" for (role, profile), number in sorted(profiles.items())]
    return f"not applicable: {_numbered(len(rest), 'case')} ({', '.join(parts)})" if rest else ""


def _numbered(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"


def _not_held(report: Mapping[str, Json], *, must: bool) -> list[Json]:
    return [one for one in report["requirements"] if one["holds"] is False and (one["level"] == "MUST") is must]


def summary(report: Mapping[str, Json]) -> str:
    """The last lines of a run."""
    counted = _counted(report)
    verdicts = report["verdicts"]
    applied = sum(number for verdict, number in verdicts.items() if verdict in COUNTED)
    lines = [f"{row['role']:10} {row['profile']:20} {row['hold']:4}/{row['requirements']:<4} {_verdict(row)}" for row in report["conformance"]]
    diagnosis = report["diagnosis"]
    parts = [
        f"{verdicts.get('pass', 0)}/{applied} cases",
        f"{sum(one['holds'] for one in counted)}/{len(counted)} requirements",
        f"diagnosis exact {diagnosis.get('exact', 0)}/{sum(diagnosis.values())}",
    ]
    if verdicts.get(UNJUDGED):
        parts.append(f"{verdicts[UNJUDGED]} not judged")
    if rest := _not_applicable(report):
        lines.append(rest)
    lines.append(f"{_who(report)}, suite {report['suite']['version']}: {', '.join(parts)}, {report['seconds']:.1f} s")
    return "\n".join(lines)


def text(report: Mapping[str, Json]) -> str:
    """Every case that did not pass, every requirement that does not hold, then the summary."""
    lines = []
    for one in report["results"]:
        if (came := outcome(one, report)) not in {"pass", "n/a"}:
            note = f"  (known: {one['known']})" if "known" in one else ""
            lines += [f"{came.upper():8} {one['case']}  [{', '.join(one['requirements'])}]{note}", f"         {one.get('detail', '')}"]
            lines += [f"         | {line}" for line in one.get("stderr", "").splitlines()[-5:]]
    for said, must in (("not held", True), ("advice (SHOULD, MAY) not followed", False)):
        if missing := _not_held(report, must=must):
            lines.append(f"{said}: {' '.join(one['id'] for one in missing)}")
    if (rough := sum(report["diagnosis"].get(one, 0) for one in INEXACT)) and "validator" not in report["implementation"]["roles"]:
        lines.append(f"{_numbered(rough, 'rejection')} explained otherwise than expected, which a reader may: --diagnoses lists them")
    return "\n".join([*lines, summary(report)])


def diagnoses(report: Mapping[str, Json]) -> str:
    """Every rejection whose code or place is not the expected one."""
    rows = [one for one in report["results"] if one["diagnosis"] in INEXACT]
    return "\n".join(f"{one['diagnosis'].upper():8} {one['case']}  [{', '.join(one['requirements'])}]\n         {one.get('detail', '')}" for one in rows)


def markdown(report: Mapping[str, Json]) -> str:
    """A table for a README."""
    lines = [
        f"**{_who(report)}** against the Triptych conformance suite {report['suite']['version']} ({report['suite']['cases']} cases)", "",
        "| role | profile | requirements held | |", "|---|---|---|---|",
    ]
    lines += [f"| {row['role']} | {row['profile']} | {row['hold']} of {row['requirements']} | {_verdict(row)} |" for row in report["conformance"]]
    for said, must in (("Not held", True), ("Advice not followed", False)):
        if missing := _not_held(report, must=must):
            lines += ["", f"{said}: " + ", ".join(f"{one['id']} ({one['passed']} of {one['cases']} cases)" for one in missing)]
    if rest := _not_applicable(report):
        lines += ["", rest[0].upper() + rest[1:]]
    return "\n".join(lines)


def badge(report: Mapping[str, Json], role: str | None = None, profile: str | None = None) -> dict[str, Json]:
    """The endpoint document of shields.io for a role (the first) and a profile (core)."""
    profile = profile or CORE
    row = next((row for row in report["conformance"] if row["profile"] == profile and role in {None, row["role"]}), None)
    if row is None:
        said = " ".join(filter(None, (profile, role)))
        return {"schemaVersion": 1, "label": "triptych", "message": f"{said}: nothing run", "color": "lightgrey"}
    color = "brightgreen" if row["conforms"] else "lightgrey" if row["conforms"] is None else "orange"
    return {"schemaVersion": 1, "label": "triptych", "message": f"{profile} {row['role']} {row['hold']}/{row['requirements']}", "color": color}


def _printable(value: str) -> str:
    return "".join(c if c in "\t\n" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" else "�" for c in value)


def _safe(value: str) -> str:
    return f'"{html.escape(_printable(value)).replace(chr(10), "&#10;").replace(chr(9), "&#9;")}"'


def _text(value: str) -> str:
    return html.escape(_printable(value), quote=False)


def junit(report: Mapping[str, Json]) -> str:
    """The report as JUnit XML; what did not come to a verdict is an error, what is known or does not apply is skipped."""
    rows = []
    counts: Counter[str] = Counter()
    for one in report["results"]:
        inner, came = "", outcome(one, report)
        if came in {"n/a", UNJUDGED} or ("known" in one and came != "pass"):
            counts["skipped"] += 1
            # As text: the schema of Jenkins knows no attribute of it.
            inner = f"<skipped>{_text(one.get('known', one.get('detail', 'not applicable')))}</skipped>"
        elif came != "pass":
            kind = "error" if came in {"crash", "timeout", "protocol"} else "failure"
            counts[kind] += 1
            inner = f"<{kind} type={_safe(came)} message={_safe(one.get('detail', ''))}/>"
        if "stderr" in one:
            inner += f"<system-err>{_text(one['stderr'])}</system-err>"
        place = ".".join((one["role"], one["profile"], one["requirements"][0]))
        rows.append(f"  <testcase classname={_safe(place)} name={_safe(one['case'])}>{inner}</testcase>\n")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<testsuite name={_safe('triptych conformance: ' + _who(report))} tests=\"{len(rows)}\" failures=\"{counts['failure']}\" "
        f"errors=\"{counts['error']}\" skipped=\"{counts['skipped']}\" time=\"{report['seconds']}\">\n{''.join(rows)}</testsuite>\n"
    )
