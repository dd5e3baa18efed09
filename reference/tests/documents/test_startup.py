"""Reading a JSON document costs nothing but the standard library and the validator in front."""

import subprocess
import sys

HEAVY = {"numpy", "h5py", "yaml", "jsonschema", "referencing", "hypothesis", "rich", "ml_dtypes", "safetensors", "tensorflow"}


def loaded(code):
    out = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"], capture_output=True, text=True, check=True)
    return HEAVY.intersection(out.stdout.split())


def test_json_needs_no_heavy_module():
    text = b'{"format_version": "1.0", "layers": [{"name": "a", "type": "Dense", "config": {"units": 2.0, "activation": 1}}]}'
    code = f"""
from triptych.documents import *
from triptych.checks import check_architecture
from triptych.errors import Findings
findings = Findings()
architecture = parse_architecture(parse_json({text!r}, findings), findings)
check_architecture(architecture, findings)
assert len(findings.problems) == 2, findings.problems
dump_json(architecture_to_data(architecture)); dump_yaml(architecture_to_data(architecture))
"""
    assert loaded(code) == set()


def test_yaml_needs_yaml_alone():
    assert loaded("from triptych.documents import *; from triptych.errors import Findings; parse_yaml(b'a: 1', Findings())") == {"yaml"}
