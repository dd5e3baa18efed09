"""What nothing uses is found with its place, and is no problem."""

from __future__ import annotations

import json

from triptych.cli import main
from triptych.documents.architecture import parse_architecture
from triptych.errors import Findings
from triptych.model import Panels
from triptych.model.unused import unused
from triptych.surface.model import Model

INNER = {"inputs": [{"name": "a", "shape": [None, 4]}, {"name": "b", "shape": [None, 4]}], "layers": [{"name": "spare", "type": "Flatten"}], "calls": [], "outputs": ["a"]}
DOCUMENT = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 4]}, {"name": "forgotten", "shape": [None]}, {"name": "m", "shape": [None, 4]}],
    "layers": [{"name": "used", "type": "Flatten"}, {"name": "idle", "type": "Flatten"}, {"name": "inner", "type": "Model", "architecture": INNER}],
    "calls": [
        {"layer": "used", "inputs": ["x"], "arguments": {"mask": [{"value": "m"}]}},
        {"layer": "inner", "inputs": ["x", "used"]},
        {"op": "split", "config": {"parts": 2, "axis": 1}, "inputs": ["inner"], "outputs": ["left", "right"]},
        {"op": "exp", "inputs": ["left"], "outputs": ["lost"]},
    ],
    "outputs": ["left"],
    "composites": {"Never": {"layers": []}},
}


def test_every_loose_end_has_its_place():
    """A value of several, an argument and a nested output count as used."""
    found = dict(unused(parse_architecture(DOCUMENT, Findings())))
    assert list(found) == ["/layers/1", "/inputs/1", "/calls/3", "/layers/2/architecture/layers/0", "/layers/2/architecture/inputs/1", "/composites/Never"]
    assert found["/calls/3"] == "no call takes 'lost', and no output names it"


def test_a_sequential_architecture_uses_all():
    """There is nothing to find."""
    assert list(unused(parse_architecture({"format_version": "1.0", "layers": [{"name": "a", "type": "Flatten"}]}, Findings()))) == []


def test_validate_lists_them_when_asked(tmp_path, capsys):
    """The verdict stays valid."""
    Model(Panels(architecture=parse_architecture(DOCUMENT, Findings()))).save(tmp_path / "m")
    assert main(["validate", str(tmp_path / "m")]) == 0
    assert capsys.readouterr().out == "valid (tensors not read)\n"
    assert main(["validate", "--unused", str(tmp_path / "m")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tmp_path / 'm'}: unused at /layers/1: no call names layer 'idle'"
    assert len(lines) == 7 and lines[-1] == "valid (tensors not read)"
    assert main(["validate", "--unused", "--format", "json", str(tmp_path / "m")]) == 0
    assert len(json.loads(capsys.readouterr().out)["results"][0]["unused"]) == 6
