"""Breaks each clause of each schema in turn and says which no case notices: ``python conformance-tests/mutants/mutate_schemas.py [GLOB]``.

A clause is loosened by taking it away: then something that a rejecting case holds must become valid, or of a validator's case a
problem that it wants must be gone. A clause is tightened by taking away one member of an enumeration, one of several types or
forms, or one member of a closed object: then something that an accepting case holds must become invalid. A bound is moved by one,
outwards (widened: as loosened) and inwards (narrowed: as tightened). What the cases hold is noted while the reference reads them;
the verdicts are those of jsonschema-rs alone.
"""

import copy
import fnmatch
import json
import re
import sys
import tempfile
from collections import Counter, defaultdict
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
BOUNDS = {"minimum": -1, "minLength": -1, "minItems": -1, "minProperties": -1, "exclusiveMinimum": -1, "maximum": 1, "maxLength": 1, "maxItems": 1, "maxProperties": 1, "exclusiveMaximum": 1}
"""Keyword -> the direction in which its range grows."""
SWAPPED = {"minimum": "exclusiveMinimum", "exclusiveMinimum": "minimum", "maximum": "exclusiveMaximum", "exclusiveMaximum": "maximum"}
"""Keyword -> the one of the same bound, which belongs to the range or not."""
VERDICTS = {"loosen": "loosen", "widen": "loosen", "tighten": "tighten", "narrow": "tighten"}
"""Kind of mutant -> whether more or less fits it."""
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
        places = {problem.place.rpartition("#")[2].removeprefix(prefix) for problem in findings.problems[before:] if problem.requirement != schemas.INTEGER}
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
    """(kind, path) of each mutant: "loosen" or "tighten" and what to take away, "widen" or "narrow" and the bound to move."""
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
        if key in {"enum", "anyOf", "type"} and isinstance(value, list) and len(value) > 1:
            yield from (("tighten", (*here, index)) for index in range(len(value)))
        if key in BOUNDS:
            yield from ((kind, here) for kind in ("widen", "narrow") if moved(node, key, kind) is not None)
        if key in {"properties", "$defs", "dependentSchemas", "patternProperties"}:
            for name, item in value.items():
                if key == "properties" and closed:
                    yield "tighten", (*here, name)
                yield from clauses(item, (*here, name))
        elif key not in {"enum", "const", "default", "examples", "required", "dependentRequired"}:
            yield from clauses(value, here)


def moved(node, key, kind):
    """The bound `key` of `node` as (keyword, value), wider or narrower by as little as can be; None where that says nothing.

    Among numbers that are no integers it is whether the bound itself belongs to the range that changes.
    """
    value, outwards = node[key], BOUNDS[key]
    if key in SWAPPED and "number" in node.get("type", ()):
        return (SWAPPED[key], value) if (kind == "widen") is key.startswith("exclusive") else None
    step = outwards if kind == "widen" else -outwards
    return (key, value + step) if value + step >= 0 or key in SWAPPED else None


def mutated(schema, kind, path):
    """`schema` with the clause at `path` taken away, or its bound moved."""
    if kind not in {"widen", "narrow"}:
        return without(schema, path)
    changed = copy.deepcopy(schema)
    node = parent(changed, path)
    key, value = moved(node, path[-1], kind)
    del node[path[-1]]
    node[key] = value
    return changed


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


# --- what changes nothing

CONFIGS = ("layers/", "operations/", "optimizers/", "losses/", "metrics/", "schedules/", "initializers/", "regularizers/", "constraints/")
SAID_BEFORE = "chapter 90 asks for it before the schema, in the steps a to c"


def changes_nothing(kind, name, place):
    """Why no document at all can tell that the clause at `place` is gone, or its bound moved; empty if there is no reason."""
    text = "/".join(map(str, place))
    if VERDICTS[kind] == "tighten":
        return next((reason for (kind_, name_, pattern), reason in NARROWER.items() if (kind, name) == (kind_, name_) and re.fullmatch(pattern, text)), "")
    if name == "layers/Model":
        return "a layer of type Model has no config (ARC-009)"
    if place == ("type",):
        return "the schema of the document says that a config is an object" if name.startswith(CONFIGS) else SAID_BEFORE if name in DOCUMENTS else ""
    if place[-2:] == ("propertyNames", "type"):
        return "a name of a member is a string"
    if place[-1] == "maxLength" and longest(parent(load(name), place).get("pattern", "")) <= parent(load(name), place)["maxLength"]:
        return "the pattern is no longer"
    if (name in DOCUMENTS and text in {"allOf/0", "allOf/0/$ref", "properties/format_version/$ref"}) or (name == "common" and text.startswith(("$defs/version/", "$defs/document/"))):
        return SAID_BEFORE
    if re.fullmatch(r"\$defs/(sub)?layer/allOf/[01]/if/required/0", text):
        return "a layer without a type is refused for that"
    return "where there is no text, no pattern is broken, which `not` forbids" if (name, text) == ("common", "$defs/name/type") else ""


DOCUMENTS = ("architecture", "manifest", "training")
NARROWER = {
    ("narrow", "manifest", "properties/sections/properties/[a-z_]+/minLength"): "the name of a section has an ending (PKG-013)",
    ("narrow", "shard_index", "properties/weight_map/additionalProperties/minLength"): "the name of a shard has an ending (WGT-014)",
    ("narrow", "common", "[$]defs/version/maxLength"): "there is one version, and it is shorter (VER-003)",
    ("narrow", "schedules/PiecewiseConstantDecay", "properties/values/minItems"): "beside one boundary stand two values (TRN-017)",
}
"""(kind, schema, pattern of the place) -> why."""
OPEN = {
    ("narrow", "manifest", "properties/sections/properties/training/maxLength"): "an archive with a training document, which takes two profiles",
    ("narrow", "manifest", "properties/sections/properties/training_state/maxLength"): "the same, and its state",
    ("narrow", "shard_index", "properties/weight_map/additionalProperties/maxLength"): "an archive with shards, which takes two profiles",
    ("narrow", "operations/split", "properties/parts/anyOf/1/maxItems"): "a document of 65,536 numbers, and what is to be seen of it",
}
"""(kind, schema, place) -> what a case would have to be that notices; nobody wrote it."""


def parent(schema, place):
    """What holds the last step of `place`."""
    for step in place[:-1]:
        schema = schema[step]
    return schema


def longest(pattern):
    """How many characters a text has at most that matches all of `pattern`: no fewer than it has; endless where it need not match from end to end."""
    body = re.sub(r"\[[^]]*\]|\\.", "x", pattern)
    if not re.fullmatch(r"\^[^*+]*\$", body) or ",}" in body:
        return sys.maxsize
    return sum(int(most or 1) for most in re.findall(r"[^^$(){}|](?:\{(?:\d+,)?(\d+)\})?", body))


# --- what is noticed

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
    return not instance.wanted <= {fault.pointer for fault in faults_of_jsonschema_rs(compiled.iter_errors(instance.data), instance.data)}


@dataclass(frozen=True)
class Mutant:
    """A schema without one of its clauses."""

    kind: str
    name: str
    place: tuple[str | int, ...]
    is_noticed: bool
    excuse: str
    """Why nothing can notice it, if so."""

    @property
    def is_open(self):
        """Whether a case is known to be missing."""
        return (self.kind, self.name, "/".join(map(str, self.place))) in OPEN

    def __str__(self):
        return f"{self.kind} {self.name} /{'/'.join(map(str, self.place))}"


def mutants(wanted="*"):
    """Every mutant of the schemas whose name matches `wanted`."""
    found = collect()
    instances = {"loosen": found[False], "tighten": found[True]}
    for path in sorted(FOLDER.rglob(f"*{schemas.SUFFIX}")):
        name = path.relative_to(FOLDER).as_posix().removesuffix(schemas.SUFFIX)
        if fnmatch.fnmatchcase(name, wanted):
            for kind, place in clauses(load(name)):
                changed, kinds = mutated(load(name), kind, place), ["loosen", "tighten"] if {"not", "if"} & {*place[:-1]} else [VERDICTS[kind]]  # what a condition loses may let in or keep out
                is_noticed = any(noticed(name, changed, instances[one], becomes=one == "loosen") for one in kinds)
                yield Mutant(kind, name, place, is_noticed, changes_nothing(kind, name, place))


def main(wanted="*"):
    """Print the mutants that no case notices though a document could, and the counts."""
    found = list(mutants(wanted))
    for one in found:
        if not one.is_noticed and not one.excuse:
            print(one, "(known)" if one.is_open else "")
    for kind in VERDICTS:
        real = [one for one in found if one.kind == kind and not one.excuse]
        print(f"{kind}: {sum(one.is_noticed for one in real)} of {len(real)} noticed", file=sys.stderr)
    for excuse, number in Counter(one.excuse for one in found if one.excuse).most_common():
        print(f"{number} change nothing: {excuse}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
