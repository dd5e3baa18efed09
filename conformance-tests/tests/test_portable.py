"""The runner has no need of POSIX: where Windows differs, what it lacks is taken away here, and what it does otherwise is done in its place."""

import ast
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path, PureWindowsPath

import pytest

from triptych_conformance import _cases, _judge, _run

SUITE = Path(__file__).resolve().parents[1]
MODULES = sorted((SUITE / "triptych_conformance").rglob("*.py"))
LACKING_MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "select", "selectors", "posix", "syslog", "curses", "readline")
LACKING_NAMES = ("fork", "forkpty", "killpg", "setsid", "getuid", "geteuid", "getgid", "chown", "mkfifo", "sysconf", "uname", "wait3", "wait4")
LACKING_SIGNALS = ("SIGKILL", "SIGHUP", "SIGALRM", "SIGPIPE", "SIGUSR1", "SIGCHLD", "alarm", "setitimer", "pthread_kill")
WINDOWS_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in "0123456789")}
LONGEST_PATH = 200


def as_on_windows(program):
    """A program that runs `program` where Python has what it has on Windows; what starts processes keeps its own POSIX."""
    return (
        "import os, pathlib, platform, shutil, signal, subprocess, sys, tempfile, threading, types\n"
        "subprocess.signal = types.SimpleNamespace(**vars(signal))\nsubprocess.os = types.SimpleNamespace(**vars(os))\n"
        f"for name in {LACKING_MODULES!r}: sys.modules[name] = None\n"
        f"for name in {LACKING_NAMES!r}: os.__dict__.pop(name, None)\n"
        f"for name in {LACKING_SIGNALS!r}: signal.__dict__.pop(name, None)\n"
        "def refuse(*_): raise OSError('a required privilege is not held by the client')\n"
        "pathlib.Path.symlink_to = refuse\n"
        + program
    )


def test_a_whole_run_of_liars_needs_nothing_that_windows_lacks(suite, tmp_path):
    """Crash, time-out, nonsense and a rejection each; a run, smoke, show, export and every report."""
    program = as_on_windows(
        "from triptych_conformance.__main__ import main\n"
        "for kind in ('crash', 'garbage', 'hang', 'reject-all', 'chatty'):\n"
        f"    liar = [sys.executable, {str(SUITE / 'mutants' / 'liar.py')!r}, kind]\n"
        "    words = ['--report', kind + '.json', '--junit', kind + '.xml', '--write-known-failures', kind + '.toml', '--transcript', kind + '.txt']\n"
        "    words += ['--only', 'cnf-001-one-*', '--only', 'pkg-*link*', '--timeout', '0.5', '--jobs', '2']\n"
        "    assert main(['run', *words, '--', *liar]) == 0\n"
        "    assert main(['run', '--only', 'cnf-001-one-layer', '--timeout', '0.5', '--', *liar]) == 1\n"
        "    assert main(['smoke', '--timeout', '0.5', '--', *liar]) == 1\n"
        "    assert main(['render', kind + '.json', '--format', 'junit']) == 0\n"
        "    assert main(['show', 'cnf-001-one-layer', '--timeout', '0.5', '--', *liar]) == 1\n"
        "assert main(['show', 'cnf-001-one-layer', '--input', 'laid']) == 0\n"
        "assert main(['export', 'suite.zip']) == 0\n"
    )
    environment = {"PYTHONPATH": str(SUITE), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in tmp_path.glob("*.*"):
        assert path.suffix == ".zip" or b"\r" not in path.read_bytes(), path
    report = json.loads((tmp_path / "reject-all.json").read_bytes())
    linked = [one["verdict"] for one in report["results"] if suite.case(one["case"]).links]
    assert linked
    assert set(linked) == {"n/a"}


def calls(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node, node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_text_is_written_with_line_feeds_and_in_utf_8(path):
    """Whatever is opened as text says so: elsewhere the line ends and the encoding are others."""
    for node, name in calls(path):
        of_module = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in {"tarfile", "zipfile", "gzip"}
        modes = [argument.value for argument in node.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
        is_text = name == "open" and not of_module and not any("b" in mode for mode in modes)
        needed = {"write_text": {"encoding", "newline"}, "read_text": {"encoding"}}.get(name, {"encoding", "newline"} if is_text else set())
        assert needed <= {keyword.arg for keyword in node.keywords}, f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_names_of_files_are_spelled_with_slashes(path):
    """A relative path becomes a text by as_posix alone: elsewhere it is spelled with backslashes."""
    for node, name in calls(path):
        if name == "str" and node.args and isinstance(node.args[0], ast.Call):
            assert getattr(node.args[0].func, "attr", "") != "relative_to", f"{path.name}:{node.lineno}"


def test_an_answer_with_a_carriage_return_is_an_answer(suite):
    """What an adapter prints as text ends with two characters on Windows."""
    _, results = _run.run([sys.executable, str(SUITE / "mutants" / "beginner.py"), "CRLF"], suite.select(["cnf-001-one-layer"]))
    assert [one.verdict for one in results] == ["pass"]


def test_a_place_with_backslashes_is_not_exact(suite):
    """Members are named with slashes whatever the machine."""
    case = next(case for case in suite.cases if not case.accepts and "/" in case.expect.get("place", "").partition("#")[0])
    problem = {"code": case.expect["code"], "place": str(PureWindowsPath(case.expect["place"]))}
    assert _judge.judge(case, 0, {"seq": 0, "outcome": "rejected", "problems": [problem]}, op="read").diagnosis == "code"


def test_a_temporary_file_that_is_still_open_ends_no_run(suite, monkeypatch, tmp_path):
    """Windows does not remove what a slow or killed adapter holds open; the run goes on and leaves it behind."""
    def in_use(path, **_):
        raise PermissionError(13, "the process cannot access the file because it is being used by another process", str(path))

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("os.unlink", in_use)
    _, results = _run.run([sys.executable, str(SUITE / "adapters" / "minimal.py")], suite.select(["cnf-001-one-layer"]))
    monkeypatch.undo()
    assert [one.verdict for one in results] == ["pass"]
    assert [path.name for path in tmp_path.rglob("stderr")] == ["stderr"]


def committed():
    return [path.relative_to(SUITE.parent).as_posix() for path in SUITE.rglob("*") if "__pycache__" not in path.parts]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_who_reads_no_further_is_told_nothing_where_that_is_an_invalid_argument(unbuffered, tmp_path):
    """So says Windows of a pipe that nobody reads, and of much else."""
    program = (
        "import errno, io, os, stat, sys\nclass Pipe(io.FileIO):\n    def write(self, data):\n        if stat.S_ISFIFO(os.fstat(1).st_mode):\n"
        "            raise OSError(errno.EINVAL, 'Invalid argument')\n        return super().write(data)\n"
        "raw = Pipe(1, 'w', closefd=False)\nsys.stdout = io.TextIOWrapper(raw if os.environ['PYTHONUNBUFFERED'] else io.BufferedWriter(raw), write_through=True)\n"
        "from triptych_conformance.__main__ import main\nsys.exit(main(['list']))\n"
    )
    environment = {"PYTHONPATH": str(SUITE), "PATH": "", "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


def test_what_is_rendered_for_other_programs_is_the_same_bytes_in_every_code_page(tmp_path):
    """Standard output that is redirected has the encoding of the system, and ends lines as it does; a JUnit file says that it is UTF-8."""
    def said(page, *words):
        environment = {"PYTHONPATH": str(SUITE), "PATH": "", "PYTHONIOENCODING": page}
        done = subprocess.run([sys.executable, "-m", "triptych_conformance", *words], env=environment, capture_output=True, check=False)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done.stdout

    adapter = f"import json, runpy, sys; START = runpy.run_path({str(SUITE / 'adapters' / 'minimal.py')!r})['START']\nfor line in sys.stdin:\n    print(json.dumps({{**START, 'name': 'Prüf → ✓'}}), flush=True)"
    path = tmp_path / "report.json"
    shown = said("cp437", "run", "--only", "cnf-001-one-layer", "--report", str(path), "--", sys.executable, "-c", adapter)
    assert "Prüf \\u2192 \\u2713".encode("cp437") in shown
    for form in ("junit", "markdown", "badge"):
        pages = {said(page, "render", str(path), "--format", form) for page in ("utf-8", "cp1252", "cp437")}
        assert len(pages) == 1
        assert form == "badge" or "Prüf → ✓".encode() in pages.pop()


def test_a_system_that_makes_no_link_and_does_not_say_so_has_none(suite, monkeypatch, tmp_path):
    monkeypatch.setattr(Path, "symlink_to", lambda *_: None)
    case = next(case for case in suite.cases if case.links)
    with pytest.raises(_cases.NotPossibleHereError, match="no symbolic links here"):
        case.lay_out(tmp_path / "input")


def test_a_suite_whose_lines_were_converted_says_so(suite, tmp_path):
    """So git does on Windows with a copy that lies in somebody's repository; an export brings what forbids it."""
    (case,) = suite.select(["cnf-001-one-layer"])
    copy = tmp_path / "cases" / "cnf" / case.id
    shutil.copytree(case.folder, copy)
    whole = "".join(f"{value}  {name}\n" for name, value in _cases.digests(tmp_path / "cases").items()).encode()
    manifest = {"suite": "0", "digest": f"sha256:{hashlib.sha256(whole).hexdigest()}", "cases": 1, "files": _cases.digests(tmp_path / "cases"), "requirements": {}, "withdrawn": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert [one.id for one in _cases.load(tmp_path).cases] == [case.id]
    path = copy / "case.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(_cases.SuiteDamagedError, match="cnf-001-one-layer/case.json; line feeds have become CRLF"):
        _cases.load(tmp_path)
    path.write_bytes(b"{}\r\n")
    with pytest.raises(_cases.SuiteDamagedError, match="case.json$"):
        _cases.load(tmp_path)


def test_no_wait_of_a_run_is_long():
    """Windows interrupts no wait: whoever waits without end in the main thread cannot be stopped by Ctrl-C."""
    tree = ast.parse((SUITE / "triptych_conformance" / "_run.py").read_text(encoding="utf-8"))
    waits = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"wait", "map", "as_completed", "join"}]
    assert [ast.unparse(node.args[1]) for node in waits] == ["LISTEN_SECONDS"]
    assert _run.LISTEN_SECONDS < 1


def test_every_path_of_the_suite_is_one_on_windows():
    names = committed()
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert len(name) < LONGEST_PATH, name
        for part in name.split("/"):
            assert not re.search(r'[<>:"\\|?*\x00-\x1f]|[. ]$', part), name
            assert part.partition(".")[0].casefold() not in WINDOWS_RESERVED, name


def test_what_is_laid_out_is_a_path_on_windows(suite):
    """What the runner makes of a case: names of links and of generated members, too."""
    for case in suite.cases:
        for name in [*case.links, *case.generated, *case.numbered]:
            assert not re.search(r'[<>:"\\|?*]|[. ]$', name), case.id
