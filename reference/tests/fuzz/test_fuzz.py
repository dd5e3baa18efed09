"""Every parser has a target, every corpus is small and passes, a short seeded run finds nothing, and a broken parser is found."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import triptych
from triptych.layouts import LAYOUTS

REFERENCE = Path(__file__).resolve().parents[2]
CORPUS = REFERENCE / "fuzz" / "corpus"
GROUPS = {"documents and containers": slice(0, 19), "Keras": slice(19, 27), "TensorFlow and PyTorch": slice(27, 100)}
"""Targets that go into one process; a few seconds of each."""


def python(code, *arguments):
    """What `code` prints, in a process of its own: what watches executions cannot be taken back."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, *arguments], cwd=REFERENCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def targets():
    return json.loads(python("import json; from fuzz.targets import TARGETS; print(json.dumps({name: one.layouts for name, one in TARGETS.items()}))"))


def test_every_layout_has_a_target():
    assert {layout.name for layout in LAYOUTS} == {name for layouts in targets().values() for name in layouts}


def test_every_target_has_a_corpus_and_every_corpus_a_target():
    assert {path.name for path in CORPUS.iterdir()} == set(targets())
    assert all(any(path.iterdir()) for path in CORPUS.iterdir())


def test_corpora_are_small():
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert max(sizes) <= 1 << 16
    assert sum(sizes) < 3 << 20


SHORT = """
import sys
from fuzz import corpus, mutating
from fuzz.execution import Executor
from fuzz.targets import TARGETS
failures = []
for name in sys.argv[1].split(","):
    executor = Executor(TARGETS[name])
    for label, data in corpus.inputs(name):
        if (finding := executor.run(data)) is not None:
            failures.append((label, finding.kind, finding.text))
    executor.close()
    result = mutating.run(TARGETS[name], corpus.contents(name), executions=TARGETS[name].short + len(corpus.contents(name)), seed=1)
    failures += [(name, kind, one.text, one.data[:2000].hex()) for kind, one in result.findings.items()]
    print(result)
assert not failures, failures
"""


@pytest.mark.parametrize("group", GROUPS)
def test_corpora_and_what_is_like_them_raise_nothing_but_declared_errors(group):
    names = list(targets())[GROUPS[group]]
    print(python(SHORT, ",".join(names)))


REACHED = """
import json
from fuzz import corpus, tracing
from fuzz.execution import Executor
from fuzz.targets import TARGETS
found = set()
for target in TARGETS.values():
    executor = Executor(target)
    found |= tracing.functions_of(lambda: [executor.run(data) for data in corpus.contents(target.name)])
    executor.close()
print(json.dumps(sorted(found)))
"""
PARSED = {"data", "content", "text", "head", "tail", "block", "view", "graph", "function"}
"""What parsers call the bytes that they are given."""
NOT_OF_FILES = {
    ("layouts/keras_v3/shards.py", "is_index"), ("layouts/tensorflow/wire.py", "has_more"), ("package/manifest.py", "digest"),
    ("package/manifest.py", "document_record"), ("package/archive.py", "crc_fault"),
    ("package/verify.py", "_digest"), ("layouts/keras_v3/lookup_assets.py", "_reader"), ("layouts/saved_model/documents.py", "_mapping"),
    ("layouts/tensorflow/bundle_index.py", "_swapped"),
}  # fmt: skip
"""Functions that are given bytes and read nothing in them, put them down, or put them in another order."""


def parsers():
    """The functions of the reference that take the bytes of a file."""
    root = Path(triptych.__path__[0])
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] in ("cli", "frameworks", "surface", "vocabulary") or "writ" in path.name or path.name in ("atomic.py", "files.py", "pickling.py", "streaming.py", "yaml_writer.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
                kinds = {one.arg: ast.unparse(one.annotation) for one in node.args.args if one.annotation is not None}
                if any(argument in PARSED and ("bytes" in kind or "memoryview" in kind) for argument, kind in kinds.items()):
                    yield name, node.name


def test_every_function_that_takes_bytes_of_a_file_is_reached_by_a_corpus():
    reached = {tuple(one) for one in json.loads(python(REACHED))}
    asked = set(parsers())
    assert len(asked) > 60
    assert asked - reached - NOT_OF_FILES == set()


BROKEN = """
import json, os, socket, subprocess, sys, warnings
from fuzz import mutating
from fuzz.mutators import blind
from fuzz.target import Disagreement, Target

def index_error(data):
    return [1, 2][data[0]] if data[:1] in (b"\\3", b"\\4") else None

def imports(data):
    __import__("antigravity" if data[:1] == b"\\3" else "json")

def writes(data):
    if data[:1] == b"\\3":
        open("owned", "w")

def reads(data):
    if data[:1] == b"\\3":
        open("/etc/hostname")

def runs(data):
    if data[:1] == b"\\3":
        try:
            subprocess.Popen(["true"])
        except Exception:
            pass

def evaluates(data):
    if data[:1] == b"\\3":
        eval("1 + 1")

def never_ends(data):
    while data[:1] == b"\\3":
        pass

def allocates(data):
    b"a" * (300 << 20 if data[:1] == b"\\3" else 1)

def wants_everything(data):
    bytes(8 << 30 if data[:1] == b"\\3" else 1)

def warns(data):
    if data[:1] == b"\\3":
        warnings.warn("half of it is dropped", RuntimeWarning)

def lies(data, given, result):
    if data[:1] == b"\\3":
        raise Disagreement("no")

def harmless(data):
    return bytes(data)

def nothing(data):
    return None

kinds = {}
for parse in (index_error, imports, writes, reads, runs, evaluates, never_ends, allocates, wants_everything, warns, harmless):
    found = mutating.run(Target(parse.__name__, parse, blind.mutated), [b"abc"], executions=3000, seconds=20)
    kinds[parse.__name__] = [found.executions, [kind.partition(" in ")[0].partition(":")[0] for kind in found.findings]]
found = mutating.run(Target("lies", nothing, blind.mutated, judge=lies), [b"abc"], executions=3000)
kinds["lies"] = [found.executions, [kind.partition(" in ")[0] for kind in found.findings]]
print(json.dumps(kinds))
"""


def test_a_broken_parser_is_found():
    """Each breaks its word on inputs that begin with one byte of 256; two seconds of them are enough."""
    found = json.loads(python(BROKEN))
    assert found.pop("harmless") == [3000, []]
    assert {name: kinds for name, (_, kinds) in found.items()} == {
        "index_error": ["IndexError"],
        "imports": ["Forbidden"],
        "writes": ["Forbidden"],
        "reads": ["Forbidden"],
        "runs": ["Forbidden"],
        "evaluates": ["Forbidden"],
        "never_ends": ["TooSlow"],
        "allocates": ["memory"],
        "wants_everything": ["MemoryError"] if sys.platform == "linux" else [],
        "warns": ["RuntimeWarning"],
        "lies": ["Disagreement"],
    }
    assert not (REFERENCE / "owned").exists()


def test_the_same_seed_makes_the_same_inputs():
    code = "from random import Random; from fuzz import corpus, mutating; from fuzz.targets import TARGETS; import hashlib\n"
    code += "print([hashlib.sha256(b''.join(mutating.variant(one, corpus.contents(one.name), rng) for _ in range(20))).hexdigest() for one in TARGETS.values() for rng in [Random(3)]])"
    assert python(code) == python(code)
