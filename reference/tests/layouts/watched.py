"""Runs a reader in a process that notes everything it imports, opens, starts or asks for outside the folder it is to read."""

import subprocess
import sys

_BEFORE = """
import sys
sys.path[:0] = sys.argv[2].split(":")
"""
_AFTER = """
go()  # everything that is needed is imported
events = []
def watch(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith(sys.argv[1]):
        return
    if event.partition(".")[0] in {"import", "open", "socket", "subprocess", "ctypes", "exec", "compile", "urllib"} or event.startswith(("os.", "pickle.", "marshal.")):
        events.append((event, arguments))
sys.addaudithook(watch)
go()
assert events == [], events[:3]
assert not set(sys.argv[3].split()) & set(sys.modules), "imported"
"""


def check(body, folder, *unwanted):
    """`body` defines ``go``, which reads what is in the folder ``sys.argv[1]``; of the modules `unwanted` none is loaded by it."""
    words = [sys.executable, "-c", _BEFORE + body + _AFTER, str(folder), ":".join(sys.path), " ".join(unwanted)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
