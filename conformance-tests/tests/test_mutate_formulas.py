"""Every function that computes has a change that some case notices, but for those named here; a suite without cases of a type notices no change to it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import mutate_formulas as mutate
import pytest

SUITE = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SUITE.parent / "reference"), str(SUITE)])}
UNTESTED = {
    "vocabulary/evaluator.py:Evaluator.alone", "vocabulary/evaluator.py:_located",  # one layer by itself, places of problems: no case asks
    "package/safetensors_file.py:write_safetensors", "package/safetensors_header.py:collector_paused",  # another writer than that of packages; speed
    "layouts/tf_checkpoint/keras_paths.py:held_weights",  # weights in whatever order
}
SOURCE = '''
def clipped(x):
    """Between -1 and 1."""
    if x.any() and not x.all():
        x = x * 2
    return min(x[-1], 1.5) + 1
'''


ASKED = """
import fnmatch, json, pathlib, sys, tempfile
sys.path.insert(0, sys.argv[1])
import mutate_formulas as mutate
import pytest
from triptych_conformance import _cases, _inspect

cases, tries, only = sys.argv[2], int(sys.argv[3]), sys.argv[4]
with tempfile.TemporaryDirectory() as folder, _inspect.Inspectors() as inspectors:
    bench = mutate.Bench([case for case in _cases.load(pathlib.Path(sys.argv[5])).cases if fnmatch.fnmatchcase(case.id, cases)], folder, inspectors)
    found = mutate.scores(bench, only, tries=tries or None)
    stays = [case.id for case in bench.cases[:300] if not bench.holds(case)]
print(json.dumps([len(bench.cases), stays, {label: [score.killed, score.count] for label, score in found.items()}]))
"""


def asked(cases, tries, only):
    """How many cases there were, which of them fail afterwards, and what became of the changes to each function: in a process where nobody else has changed one."""
    done = subprocess.run([sys.executable, "-c", ASKED, str(SUITE / "mutants"), cases, str(tries), only, str(SUITE)], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_change_to_each_function_that_computes_is_noticed():
    count, stays, found = asked("*", 8, "*")
    assert count > 1000
    assert stays == []
    assert [label for label, (_, changes) in found.items() if not changes] == []
    assert {label for label, (killed, _) in found.items() if not killed} == UNTESTED


@pytest.mark.parametrize(("pattern", "noticed"), [("maxpooling", False), ("averagepooling", True)])
def test_a_suite_without_cases_of_a_type_notices_no_change_to_it(pattern, noticed):
    label = "vocabulary/pooling.py:_mean"
    count, _, found = asked(f"evl-*-{pattern}*", 0, label)
    killed, changes = found[label]
    assert count > 3
    assert changes > 10
    assert (killed > 10) is noticed
    assert noticed or not killed


def test_every_small_change_is_made_and_taken_back():
    tree = ast.parse(SOURCE)
    (unit,) = mutate.code_changes.units(tree)
    plain = ast.unparse(tree)
    changed = []
    for one in mutate.code_changes.changes(unit):
        one.make()
        changed.append(ast.unparse(tree).splitlines())
        one.undo()
        assert ast.unparse(tree) == plain
    lines = {line.strip() for text in changed for line in set(text) - set(plain.splitlines())}
    assert lines == {
        "if x.any() or not x.all():", "if not (x.any() and (not x.all())):", "if x.all() and (not x.all()):", "if x.any() and x.all():", "if x.any() and (not x.any()):",
        "pass", "x = x / 2", "x = x * 3", "x = x * 1", "return min(x[-1], 1.5) - 1", "return max(x[-1], 1.5) + 1", "return min(x[0], 1.5) + 1", "return min(x[-2], 1.5) + 1",
        "return min(x[-1], 1.6500000000000001) + 1", "return min(x[-1], 1.5) + 2", "return min(x[-1], 1.5) + 0"}
