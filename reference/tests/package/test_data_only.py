"""Reading a package imports nothing that it names, opens no socket, starts no process and opens no file outside of it."""

import os
import subprocess
import sys

from conftest_package import make_panels

from triptych.model import Architecture, Input, Layer, Panels
from triptych.package import write_package

CODE = """
import sys
sys.path[:0] = sys.argv[2].split(":")
from triptych.package import read_package, validate_package
read_package(sys.argv[1], verify="full"); validate_package(sys.argv[1], full=True)   # everything that is needed is imported
events = []
def watch(event, arguments):
    if event == "open" and str(arguments[0]).startswith(sys.argv[1]):
        return
    if event.partition(".")[0] in {"import", "open", "socket", "subprocess", "ctypes", "exec", "compile", "urllib"} or event.startswith(("os.", "pickle.", "marshal.")):
        if event not in {"os.listdir", "os.scandir", "os.walk"} and not (event == "open" and isinstance(arguments[0], int)):
            events.append((event, arguments))
sys.addaudithook(watch)
read_package(sys.argv[1], verify="full"); validate_package(sys.argv[1], full=True)
loud = [(e, a) for e, a in events if not (e == "open" and a[0] and not str(a[0]).startswith("/"))]   # members are opened relative to the folder
assert loud == [], loud
assert "antigravity" not in sys.modules
"""


def test_nothing_happens_because_a_package_says_so(target):
    hostile = {"module": "antigravity", "class_name": "os.system", "config": {"code": "__import__('antigravity')", "url": "http://127.0.0.1:9/x", "file": "/etc/passwd"}}
    layer = Layer("evil", "keras:antigravity", {}, extensions={"keras": hostile})
    architecture = Architecture((layer,), (Input("x", (None, 3)),), extensions_used=("keras",))
    good = make_panels(1)
    write_package(Panels(architecture=architecture, assets=good.assets, provenance={"$ref": "file:///etc/passwd"}), target, durable=False)
    paths = ":".join([os.path.dirname(__file__), *sys.path])
    done = subprocess.run([sys.executable, "-c", CODE, target, paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
