"""Hostile pickles: each trick with what it would have done to a program that unpickles it."""

from torch_files import call, name, number, numbers, pickle, state, storage, tensor, text

ORDERED = call("collections", "OrderedDict")
COMMAND = text("touch /tmp/owned")
NESTED = b"B" + len(pickle(call("os", "system", COMMAND))).to_bytes(4, "little") + pickle(call("os", "system", COMMAND))

CALLS = {
    "a shell command": (call("os", "system", COMMAND), "os.system('touch /tmp/owned'), which would run a shell command"),
    "a shell command, by the module behind os": (call("posix", "system", COMMAND), "posix.system('touch /tmp/owned'), which would run a shell command"),
    "a shell command on Windows": (call("nt", "system", COMMAND), "nt.system('touch /tmp/owned'), which would run a shell command"),
    "a pipe to a shell": (call("os", "popen", COMMAND), "os.popen('touch /tmp/owned'), which would run a shell command"),
    "a program": (call("subprocess", "Popen", b"](" + text("touch") + text("x") + b"e"), "subprocess.Popen(['touch', 'x']), which would start a program"),
    "a program in the place of this one": (call("os", "execv", text("/bin/sh"), b"]"), "os.execv('/bin/sh', <list of 0>), which would start a program"),
    "a program, as a new object": (name("subprocess", "Popen") + text("touch x") + b"\x85\x81", "subprocess.Popen('touch x'), which would start a program"),
    "a program, as a new object with keywords": (name("subprocess", "Popen") + b")}(" + text("args") + text("sh") + b"u\x92", "subprocess.Popen(), which would start a program"),
    "a shell command, by INST of protocol 0": (b"(" + COMMAND + b"ios\nsystem\n", "os.system('touch /tmp/owned'), which would run a shell command"),
    "a shell command, by OBJ of protocol 1": (b"(" + name("os", "system") + COMMAND + b"o", "os.system('touch /tmp/owned'), which would run a shell command"),
    "Python text, named on the stack": (b"\x8c\x08builtins\x8c\x04eval\x93" + text("1+1") + b"\x85R", "builtins.eval('1+1'), which would run Python text"),
    "Python statements": (call("builtins", "exec", text("import os")), "builtins.exec('import os'), which would run Python text"),
    "Python 2's module of built-in functions": (call("__builtin__", "execfile", text("/tmp/x.py")), "__builtin__.execfile('/tmp/x.py'), which would run Python text"),
    "Python text, compiled": (call("builtins", "compile", text("x"), text("f"), text("exec")), "builtins.compile('x', 'f', 'exec'), which would run Python text"),
    "Python text that is timed": (call("timeit", "timeit", text("import os")), "timeit.timeit('import os'), which would run Python text"),
    "a script": (call("runpy", "run_path", text("/tmp/x.py")), "runpy.run_path('/tmp/x.py'), which would run Python text"),
    "an import": (call("builtins", "__import__", text("antigravity")), "builtins.__import__('antigravity'), which would import a module, which runs it"),
    "an import by importlib": (call("importlib", "import_module", text("antigravity")), "importlib.import_module('antigravity'), which would import a module, which runs it"),
    "an attribute of a module": (call("builtins", "getattr", name("os", "path"), text("sys")), "builtins.getattr(os.path, 'sys'), which would reach into an object for something to call"),
    "an attribute, by operator": (call("operator", "attrgetter", text("system")), "operator.attrgetter('system'), which would reach into an object for something to call"),
    "a function with arguments for later": (call("functools", "partial", name("os", "system"), COMMAND), "functools.partial(os.system, 'touch /tmp/owned'), which would reach into an object for something to call"),
    "a pickle inside the pickle": (call("pickle", "loads", NESTED), "which would unpickle more bytes without any check"),
    "PyTorch's loader inside the pickle": (call("torch.serialization", "load", text("/tmp/x.pt")), "torch.serialization.load('/tmp/x.pt'), which would unpickle more bytes without any check"),
    "a storage that is unpickled from bytes": (call("torch.storage", "_load_from_bytes", NESTED), "torch.storage._load_from_bytes(b'"),
    "an array file with objects": (call("numpy", "load", text("/tmp/x.npy")), "numpy.load('/tmp/x.npy'), which would unpickle more bytes without any check"),
    "bytecode": (call("marshal", "loads", NESTED), "which would build a function from bytecode"),
    "a function made of code": (call("types", "FunctionType", b"N", b"}"), "types.FunctionType(None, <dict of 0>), which would build a function from bytecode"),
    "a library": (call("ctypes", "CDLL", text("/tmp/x.so")), "ctypes.CDLL('/tmp/x.so'), which would call native code"),
    "a library of PyTorch operators": (call("torch.ops", "load_library", text("/tmp/x.so")), "torch.ops.load_library('/tmp/x.so'), which would call native code"),
    "a file that is opened for writing": (call("builtins", "open", text("/tmp/x"), text("w")), "builtins.open('/tmp/x', 'w'), which would open, change or remove files"),
    "a folder that is removed": (call("shutil", "rmtree", text("/home")), "shutil.rmtree('/home'), which would open, change or remove files"),
    "a file that PyTorch maps": (call("torch", "from_file", text("/etc/passwd")), "torch.from_file('/etc/passwd'), which would open, change or remove files"),
    "a connection": (call("socket", "create_connection", numbers(1, 2)), "socket.create_connection(<tuple of 2>), which would open a connection"),
    "a download": (call("urllib.request", "urlopen", text("http://127.0.0.1:9/x")), "urllib.request.urlopen('http://127.0.0.1:9/x'), which would open a connection"),
    "code from a hub": (call("torch.hub", "load", text("a/b"), text("m")), "torch.hub.load('a/b', 'm'), which would open a connection"),
    "a browser": (call("webbrowser", "open", text("http://127.0.0.1:9")), "webbrowser.open('http://127.0.0.1:9'), which would start a program"),
    "a package that is installed": (call("pip", "main", b"](" + text("install") + text("evil") + b"e"), "pip.main(['install', 'evil']), which would install or load packages"),
    "the end of the process": (call("sys", "exit"), "sys.exit(), which would end or stop the process"),
    "a class that nobody knows": (call("my_project.models", "Net", number(3)), "my_project.models.Net(3), which would run code of my_project.models"),
    "a call hidden in a weight that looks harmless": (state(a=tensor(), b=call("os", "system", COMMAND)), "os.system('touch /tmp/owned')"),
    "a call in an attribute of a module": (
        name("torch.nn.modules.linear", "Linear") + b")\x81}(" + text("_parameters") + b"}" + text("_modules") + b"}" + text("hook") + call("os", "system", COMMAND) + b"ub",
        "os.system('touch /tmp/owned')",
    ),
    "a tensor of another function": (
        call("torch._tensor", "_rebuild_from_type_v2", name("os", "system"), name("torch", "Tensor"), text("id") + b"\x85", b"N"), "os.system('id'), which would run a shell command",
    ),
}  # fmt: skip
"""Trick -> pickle, and what the refusal says that it would have done."""

OTHERS = {
    "a tensor class with code of its own": (call("torch._tensor", "_rebuild_from_type_v2", name("torch._utils", "_rebuild_tensor_v2"), name("evil", "Tensor"), b")", b"N"), "class evil.Tensor, whose code decides"),
    "an object with code that sets its state": (name("evil", "Config") + b")\x81}(" + text("a") + number(1) + b"ub", "an object of evil.Config, whose code decides"),
    "an object by copyreg": (call("copyreg", "_reconstructor", name("evil", "Config"), name("builtins", "object"), b"N") + b"}b", "an object of evil.Config"),
    "an object of a class that is a dictionary, too": (call("copyreg", "_reconstructor", name("evil", "Config"), name("builtins", "dict"), b"}"), "that is also a builtins.dict"),
    "a dictionary with code of its own": (name("evil", "Dict") + b")\x81(" + text("a") + number(1) + b"u", "an object of evil.Dict, whose code decides"),
    "a queue that is no queue": (call("collections", "deque", number(3)), "expected the items of a queue"),
    "a class that is changed": (name("torch", "Tensor") + b"}(" + text("__reduce_ex__") + number(1) + b"ub", "a change of torch.Tensor at byte"),
    "a name alone": (b"}" + text("a") + name("os", "system") + b"s", "the name os.system, which loading would look up and import"),
    "a registered class": (b"\x82\x01", "EXT1, which looks up a class"),
    "bytes from outside the file": (b"\x97", "NEXT_BUFFER, which takes bytes from outside"),
    "a storage of another class": (b"(" + text("storage") + name("os", "system") + text("0") + text("cpu") + number(4) + b"tQ", "expected a class of storages, got os.system"),
    "a class with its source text in an archive": (b"(" + text("module") + name("os", "system") + text("x.py") + text("import os") + b"tQ", "expected a reference to a storage"),
    "a call of what a call made": (ORDERED + b")R", "expected a call of something named"),
    "a key whose hash never ends": (b"}" + b"N" + b"2\x86" * 60 + b"Ns", "expected keys that are text or numbers"),
    "a memo of four billion": (b"Nr\xff\xff\xff\x0f", "values to remember, got number 268,435,455"),
    "lists in lists without end": (b"]" * 100_000 + b"a" * 99_999, "nested at most 128 deep"),
    "a list that holds itself": (b"]q\x00h\x00a", "nested at most 128 deep"),
    "an integer of 300 bytes": (b"\x8b\x2c\x01\x00\x00" + b"\x01" * 300, "an integer of at most 1024 bits"),
    "digits without end": (b"L" + b"9" * 40_000 + b"L\n", "an integer of at most"),
    "two gigabytes of text that are not there": (b"\x8d\x00\x00\x00\x80\x00\x00\x00\x00", "a string of at most 16,777,216 bytes"),
    "bytes of nine exabytes": (b"\x8e" + b"\xff" * 7 + b"\x7f", "a string of at most 16,777,216 bytes"),
    "an array of nine exabytes": (b"\x96" + b"\xff" * 7 + b"\x7f", "a string of at most 16,777,216 bytes"),
    "a frame larger than the file": (b"\x95" + b"\xff" * 7 + b"\x7f", "a frame of"),
    "eight billion elements from one": (tensor((2**33,), (0,)), "of 16 stored ones; got more"),
    "a view that reaches outside its storage": (tensor((2, 2), (2, 1), 1), "expected a tensor inside the 16 bytes of its storage"),
    "a view that reaches before its storage": (call("torch._utils", "_rebuild_tensor_v2", storage(), number(0), numbers(2), numbers(-1), b"\x89", ORDERED), "expected integers from 0"),
    "an offset before the storage": (tensor((1,), (1,), -1), "expected an offset from 0"),
    "sizes whose product overflows": (tensor((2**40, 2**40), (0, 0)), "elements, got the shape"),
    "a storage that is not in the archive": (tensor(key="7"), "expected this member, there is none"),
    "a storage with a path for a key": (tensor(key="../../etc/passwd"), "expected this member, there is none"),
    "a storage longer than its member": (tensor(count=5), "expected 20 bytes in the member"),
    "a storage of two lengths": (b"}(" + text("a") + tensor() + text("b") + tensor((1,), (1,), count=1) + b"u", "expected storage 'data/0' to be the 4 elements of before"),
}  # fmt: skip
"""Trick -> pickle, and what the refusal says of it."""
DOUBLED = b"".join(b"](h" + bytes([i]) + b"h" + bytes([i]) + b"eq" + bytes([i + 1]) for i in range(60))
OTHERS["a list that doubles sixty times"] = (b"](K\x01eq\x00" + DOUBLED + b"]q\xff" + b"0" * 62 + b"h\x3c", "of them; got more")
