"""Breaks each clause of each schema in turn and says which no case notices: ``python conformance-tests/mutants/mutate_schemas.py [GLOB]``.

A clause is loosened by taking it away: then something that a rejecting case holds must become valid, or of a validator's case a
problem that it wants must be gone. A clause is tightened by taking away one member of an enumeration, or one member of a closed
object: then something that an accepting case holds must become invalid. What the cases hold is noted while the reference reads
them; the verdicts are those of jsonschema-rs alone.
"""

import copy
import fnmatch
import json
import re
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any as Json

import jsonschema_rs

from triptych import adapter
from triptych.documents import schemas
from triptych.documents.schema_errors import faults_of_jsonschema_rs
from triptych_conformance import _cases

FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "1.0"
CLAUSES = {
    "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "propertyNames", "items", "contains", "additionalProperties",
    "unevaluatedProperties", "unevaluatedItems", "if", "not", "$ref",
}
GROUPS = {"required": None, "dependentRequired": None, "allOf": None, "prefixItems": None, "dependentSchemas": None}
"""Keywords whose members are clauses of their own."""


@dataclass(frozen=True)
class Instance:
    """What a case holds of a schema."""

    data: Json
    wanted: frozenset[str] | None
    """The places, in the data, of the problems that the case wants from a validator; None: the verdict alone decides."""


def collect():
    """Verdict -> name of a schema -> what the cases hold of it, each once."""
    found = {True: defaultdict(dict), False: defaultdict(dict)}
    plain, asked = schemas.check, []

    def noting(name, data, findings, prefix=""):
        before = len(findings.problems)
        plain(name, data, findings, prefix)
        places = {problem.place.rpartition("#")[2].removeprefix(prefix) for problem in findings.problems[before:]}
        wanted = frozenset(places & {place.removeprefix(prefix) for place in asked[0] if place.startswith(prefix)}) if asked[0] is not None else None
        found[not places][name].setdefault((json.dumps(data, sort_keys=True), wanted), Instance(data, wanted))

    schemas.check = noting
    try:
        with tempfile.TemporaryDirectory() as folder:
            for number, case in enumerate(_cases.suite().cases):
                if case.op in {"read", "validate", "evaluate", "update", "names"}:
                    asked[:] = [{one["place"].partition("#")[2] for one in (case.expect, *case.expect.get("also", ()))} if case.op == "validate" and not case.accepts else None]
                    request = case.asks(case.op, case.lay_out(Path(folder) / str(number)))
                    adapter.answer({"cmd": "run", "seq": 0, **request, "op": "validate"})
    finally:
        schemas.check = plain
    return found


def clauses(node, path=()):
    """(kind, path) of each clause: "loosen" and what to take away, "tighten" and what to take away."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from clauses(item, (*path, index))
        return
    if not isinstance(node, dict):
        return
    closed = node.get("unevaluatedProperties") is False or node.get("additionalProperties") is False
    for key, value in node.items():
        here = (*path, key)
        if key in CLAUSES:
            yield "loosen", here
        if key in GROUPS and isinstance(value, (list, dict)):
            yield from (("loosen", (*here, part)) for part in (range(len(value)) if isinstance(value, list) else value))
        if key == "enum" and len(value) > 1:
            yield from (("tighten", (*here, index)) for index in range(len(value)))
        if key in {"properties", "$defs", "dependentSchemas", "patternProperties"}:
            for name, item in value.items():
                if key == "properties" and closed:
                    yield "tighten", (*here, name)
                yield from clauses(item, (*here, name))
        elif key not in {"enum", "const", "default", "examples", "required", "dependentRequired"}:
            yield from clauses(value, here)


def without(schema, path):
    changed = copy.deepcopy(schema)
    nodes = [changed]
    for step in path[:-1]:
        nodes.append(nodes[-1][step])
    node = nodes[-1]
    del node[path[-1]]
    if node == []:  # a list of no subschemas is none
        del nodes[-2][path[-2]]
    if path[-1] == "if":
        node.pop("then", None)
        node.pop("else", None)
    return changed


@cache
def load(name):
    return json.loads((FOLDER / f"{name}{schemas.SUFFIX}").read_bytes())


def named(uri):
    return uri.removeprefix(schemas.BASE).removesuffix(schemas.SUFFIX)


@cache
def reach(name):
    """Every schema that `name` leads to."""
    seen, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            text = json.dumps(load(one))
            waiting += [ref.removeprefix("../").removesuffix(schemas.SUFFIX) for ref in re.findall(r'"\$ref": "([^"#]+)', text)]
    return frozenset(seen)


def noticed(name, changed, instances, *, becomes):
    """Whether some instance gets the verdict `becomes` where `changed` stands in place of the schema `name`."""
    def retrieve(uri):
        one = named(uri)
        return changed if one == name else load(one)

    roots = sorted((root for root in instances if name in reach(root)), key=lambda root: (root != name, root))
    for root in roots:
        compiled = jsonschema_rs.Draft202012Validator(changed if root == name else load(root), retriever=retrieve, pattern_options=jsonschema_rs.RegexOptions())
        if any(tells(compiled, instance, becomes=becomes) for instance in instances[root].values()):
            return True
    return False


def tells(compiled, instance, *, becomes):
    """Whether a case that holds `instance` comes out otherwise where `compiled` judges it."""
    if not becomes or instance.wanted is None:
        return compiled.is_valid(instance.data) is becomes
    return not instance.wanted <= {fault.pointer for fault in faults_of_jsonschema_rs(compiled.iter_errors(instance.data))}


def survivors(wanted="*"):
    """(kind, schema, pointer) of each mutant that no case notices, and how many there were of each kind."""
    found = collect()
    instances = {"loosen": found[False], "tighten": found[True]}
    counts, lived = defaultdict(int), []
    for path in sorted(FOLDER.rglob(f"*{schemas.SUFFIX}")):
        name = path.relative_to(FOLDER).as_posix().removesuffix(schemas.SUFFIX)
        if not fnmatch.fnmatchcase(name, wanted):
            continue
        for kind, place in clauses(load(name)):
            counts[kind] += 1
            changed, kinds = without(load(name), place), ["loosen", "tighten"] if {"not", "if"} & {*place[:-1]} else [kind]
            if not any(noticed(name, changed, instances[one], becomes=one == "loosen") for one in kinds):  # what a condition loses may let in or keep out
                lived.append((kind, name, "/" + "/".join(map(str, place))))
    return lived, dict(counts)


if __name__ == "__main__":
    lived, counts = survivors(*sys.argv[1:])
    for one in lived:
        print(*one)
    for kind, number in counts.items():
        alive = sum(one[0] == kind for one in lived)
        print(f"{kind}: {number - alive} of {number} noticed", file=sys.stderr)
