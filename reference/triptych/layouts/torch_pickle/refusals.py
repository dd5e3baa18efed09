"""Says what a call that a file asks for would have done, so that whoever meets the refusal knows what was tried."""

from __future__ import annotations

from typing import Any

from triptych.layouts.torch_pickle.values import Global, Ordered, Record, StoredTensor, Tagged

_TEXT = 80
_DOES = {
    "run a shell command": ("os.system", "posix.system", "nt.system", "os.popen", "posix.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "commands.getoutput", "platform.popen", "pydoc.pipepager", "pydoc.tempfilepager", "torch.utils.collect_env"),
    "start a program": ("subprocess", "os.spawn", "os.exec", "os.posix_spawn", "posix.exec", "posix.fork", "posix.posix_spawn", "os.fork", "pty.spawn", "multiprocessing", "asyncio", "webbrowser", "_posixsubprocess", "os.startfile", "imaplib.IMAP4_stream", "uuid._get_command_stdout", "test.support.script_helper"),
    "run Python text": ("builtins.eval", "builtins.exec", "builtins.compile", "__builtin__.eval", "__builtin__.exec", "__builtin__.execfile", "__builtin__.compile", "code", "codeop", "timeit", "cProfile", "profile", "pdb", "bdb", "trace", "doctest", "runpy", "idlelib", "torch.jit.unsupported_tensor_ops.execWrapper", "numpy.testing", "numpy.f2py", "lib2to3", "turtledemo"),
    "import a module, which runs it": ("builtins.__import__", "__builtin__.__import__", "importlib", "imp", "pkgutil", "pydoc.locate", "zipimport"),
    "build a function from bytecode": ("marshal", "types.FunctionType", "types.CodeType", "types.LambdaType", "cloudpickle", "dill", "new", "torch.package"),
    "unpickle more bytes without any check": ("pickle", "_pickle", "cPickle", "joblib", "shelve", "torch.load", "torch.serialization.load", "torch.storage._load_from_bytes", "numpy.load", "pandas.read_pickle"),
    "call native code": ("ctypes", "cffi", "_ctypes", "torch.ops.load_library", "torch._C", "torch.utils.cpp_extension"),
    "reach into an object for something to call": ("builtins.getattr", "__builtin__.getattr", "operator", "_operator", "builtins.setattr", "builtins.vars", "builtins.globals", "functools", "inspect", "builtins.map", "builtins.filter", "builtins.apply", "__builtin__.apply", "itertools"),
    "open, change or remove files": ("builtins.open", "__builtin__.open", "io", "_io", "os.open", "os.remove", "os.unlink", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "posix", "shutil", "pathlib", "tempfile", "fileinput", "linecache", "zipfile", "tarfile", "logging", "distutils", "torch.save", "numpy.save", "numpy.fromfile", "torch.from_file", "sqlite3", "codecs.open"),
    "run something beside or after this program": ("threading", "_thread", "concurrent", "atexit", "weakref.finalize", "sched"),
    "stop and wait for somebody": ("builtins.breakpoint", "builtins.input", "builtins.help", "__builtin__.raw_input", "getpass"),
    "open a connection": ("logging.config.listen", "imaplib", "poplib", "nntplib", "socketserver", "wsgiref", "socket", "_socket", "urllib", "urllib2", "http", "httplib", "requests", "ftplib", "smtplib", "telnetlib", "xmlrpc", "ssl", "aiohttp", "torch.hub", "torch.distributed"),
    "install or load packages": ("pip", "setuptools", "ensurepip", "conda", "pkg_resources"),
    "end or stop the process": ("sys.exit", "os._exit", "os.abort", "os.kill", "posix._exit", "posix.kill", "builtins.exit", "builtins.quit", "signal", "faulthandler", "time.sleep"),
}  # fmt: skip
"""What calls do -> names of callables, or of modules all of whose callables do it; the longest name that fits counts."""


def deed(called: Global) -> str:
    """What calling `called` does, as a verb phrase; empty if nothing is known about it."""
    full = str(called)
    found = [
        (len(name), verb)
        for verb, names in _DOES.items()
        for name in names
        if full == name or full.startswith(f"{name}.") or (name.startswith(("os.", "posix.")) and full.startswith(name))
    ]
    return max(found)[1] if found else ""


def call(called: Global, arguments: Any) -> str:
    """The call as text, with what it would have done."""
    inside = ", ".join(map(brief, arguments)) if isinstance(arguments, tuple) else f"*{brief(arguments)}"
    text = f"{called}({inside})"
    did = deed(called)
    return f"{_cut(text, 4 * _TEXT)}, which would {did or f'run code of {_cut(called.module)}'}"


def _cut(text: str, most: int = _TEXT) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def brief(value: Any) -> str:
    """`value` in a few words; never descends into it, so that no nesting or sharing can make it long."""
    if isinstance(value, str | bytes):
        text = ascii(value[:_TEXT])
        return text if len(value) <= _TEXT else f"{text}…"
    if isinstance(value, Global):
        return _cut(str(value))
    if isinstance(value, Record):
        return f"<an object of {_cut(str(value.kind))}>"
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if value.bit_length() < 256 else f"<an integer of {value.bit_length()} bits>"
    if isinstance(value, StoredTensor):
        return "<a tensor>"
    if isinstance(value, Tagged):
        return f"<{value.kind}>"
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], str | bytes | int):
        return f"({brief(value[0])},)"
    if isinstance(value, list) and 0 < len(value) <= 4 and all(isinstance(item, str | bytes) for item in value):
        return f"[{', '.join(map(brief, value))}]"
    kind = "OrderedDict" if isinstance(value, Ordered) else type(value).__name__
    return f"<{kind} of {len(value)}>" if hasattr(value, "__len__") else f"<{kind}>"
