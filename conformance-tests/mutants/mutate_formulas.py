"""Changes the reference's formulas in one place at a time and says which changes no case notices.

``python conformance-tests/mutants/mutate_formulas.py [--only GLOB] [--every N] [--seed N] [--floor PERCENT] [--quiet]``

What computes is what the formulas of layer types, operations, optimizers, schedules and constraints lead to; besides it the evaluator, the tables of dtypes,
safetensors files, and the names of chapter 45. Each change is put into the running functions; the cases run that ran its lines before, and the first that
fails has noticed it. A case that takes far longer than before has noticed it, too. Losses, metrics and initializers have no operation of the protocol.
"""

import argparse
import ast
import fnmatch
import functools
import gc
import json
import random
import signal
import sys
import tempfile
import time
import types
import warnings
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import code_changes
from triptych import adapter, dtypes
from triptych.vocabulary import LAYER_TYPES
from triptych.vocabulary.operations import OPERATIONS
from triptych.vocabulary.training import TYPES
from triptych_conformance import _cases, _inspect, _judge

ROOT = Path(adapter.__file__).parent
COMPUTING = "vocabulary/"
WHOLE = ("vocabulary/walk.py", "vocabulary/evaluator.py", "vocabulary/training/step.py", "dtypes.py", "package/safetensors_file.py", "package/safetensors_header.py")
"""Modules all of whose functions are changed."""
NAMING = ("layouts/tf_checkpoint/names_elsewhere.py", "layouts/tf_checkpoint/keras_paths.py", "layouts/keras_weights/places.py", "layouts/keras_v3/object_paths.py")
"""The same; their strings are changed, too."""
FAMILIES = ("optimizers", "schedules", "constraints")
OPS = ("evaluate", "update", "names", "read", "write", "rewrite", "import", "export")
LOOKED_AT_BY = {"h5py", "python"}
"""Of what is exported, that which these look at, who need no framework."""

MOST = 200
"""How many cases a mutant is shown to at most."""


class TimedOut(BaseException):
    """No `Exception`: the adapter would answer with it."""


@dataclass
class Score:
    """What became of the changes to one function."""

    killed: int = 0
    lived: list = field(default_factory=list)

    @property
    def count(self):
        return self.killed + len(self.lived)


class Bench:
    """The cases, laid out, with the lines that each of them runs."""

    def __init__(self, cases, folder, inspectors):
        self.folder, self.inspectors = Path(folder), inspectors
        self.cases = [case for case in cases if case.op in OPS and (case.op != "export" or not case.accepts or case.foreign["reader"] in LOOKED_AT_BY)]
        self.given = {case.id: case.lay_out(self.folder / str(number)) for number, case in enumerate(self.cases)}
        self.seconds, self.running, self.ways = {}, defaultdict(set), {}
        files = {str(path) for path in modules()}
        for case in self.cases:
            lines = set()
            start = time.process_time()
            with _traced(files, lines):
                assert self.holds(case), f"{case.id} fails as things are"
            self.seconds[case.id] = time.process_time() - start
            for line in lines:
                self.running[line].add(case.id)
            for file, ran in groupby(sorted(lines), key=itemgetter(0)):
                self.ways[case.id, file] = hash(tuple(ran))
        self.cases.sort(key=lambda case: self.seconds[case.id])

    def holds(self, case):
        """Whether the reference passes `case` as it is now."""
        request = {"cmd": "run", "seq": 0, **case.asks(case.op, self.given[case.id])}
        with tempfile.TemporaryDirectory(dir=self.folder) as folder, warnings.catch_warnings(), _limited(max(1, 50 * self.seconds.get(case.id, 1))):
            warnings.simplefilter("ignore")
            output = case.output(Path(folder) / "output")
            if output is not None:
                output.parent.mkdir()
                request |= case.asks_to_write(output)
                case.lay_existing(output)
            try:
                answer = json.loads(json.dumps(adapter.answer(request)))
            except (TimedOut, ValueError, TypeError):
                return False
            seen = case.look(self.inspectors, output) if case.op == "export" and answer.get("outcome") == "accepted" else None
            return _judge.judge(case, 0, answer, op=case.op, output=output, seen=seen).passed

    def that_run(self, file, lines):
        """The cases that run any of `lines`, at most MOST: those that run other lines of `file` than the ones before them first, then fast ones."""
        wanted = set().union(*(self.running.get((file, line), ()) for line in lines))
        ways = Counter()
        ranked = []
        for case in self.cases:
            if case.id in wanted:
                way = self.ways[case.id, file]
                ranked.append((ways[way], case))
                ways[way] += 1
        return [case for _, case in sorted(ranked, key=itemgetter(0))[:MOST]]


@contextmanager
def _traced(files, lines):
    """Notes the lines of `files` that run."""
    def line(frame, event, _):
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    def call(frame, event, _):
        return line(frame, event, _) if frame.f_code.co_filename in files else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def _limited(seconds):
    """Raises TimedOut after `seconds` of work, where the machine can."""
    if not hasattr(signal, "SIGVTALRM"):
        yield
        return

    def end(*_):
        raise TimedOut

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def modules():
    """The files whose functions may be changed."""
    return [*sorted((ROOT / COMPUTING).rglob("*.py")), *(ROOT / name for name in (*WHOLE, *NAMING) if not name.startswith(COMPUTING))]


def formulas():
    """(file, first line) of every function that a formula leads to."""
    waiting = [one.formula for one in OPERATIONS.values()]
    waiting += [one for kind in LAYER_TYPES.values() for one in (kind.formula, kind.mask)]
    waiting += [one.formula for family in FAMILIES for one in TYPES[family].values()]
    seen, found = set(), set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        match one:
            case types.FunctionType() if one.__module__.startswith("triptych.vocabulary"):
                found.add((one.__code__.co_filename, one.__code__.co_firstlineno))
                codes = [one.__code__, *code_changes.nested(one.__code__)]
                names = {name for code in codes for name in code.co_names}
                for name in names & one.__globals__.keys():
                    value = one.__globals__[name]
                    waiting += [vars(value)[other] for other in names & vars(value).keys()] if isinstance(value, types.ModuleType) else [value]
                for cell in one.__closure__ or ():
                    with suppress(ValueError):
                        waiting.append(cell.cell_contents)
            case functools.partial():
                waiting += [one.func, *one.args, *one.keywords.values()]
            case property():
                waiting.append(one.fget)
            case dict():
                waiting += one.values()
            case list() | tuple():
                waiting += one
            case type() if one.__module__.startswith("triptych.vocabulary") and not issubclass(one, Exception):
                waiting += vars(one).values()
            case _ if hasattr(one, "__wrapped__"):
                waiting.append(one.__wrapped__)
    return found


def code_mutants(wanted="*"):
    """(name of a function, file, its changes) of each function that computes."""
    computing = formulas()
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        by_name = defaultdict(list)
        for unit in code_changes.units(tree):
            first = min([unit.node.lineno, *(one.lineno for one in getattr(unit.node, "decorator_list", ()))])
            if name in WHOLE or name in NAMING or any((str(path), line) in computing for line in range(first, unit.node.end_lineno + 1)):
                by_name[f"{name}:{unit.name}"] += code_changes.changes(unit, strings=name in NAMING)
        for label, found in by_name.items():
            if found and fnmatch.fnmatchcase(label, wanted):
                yield label, str(path), found


class Living:
    """The functions that exist, by the code they run."""

    def __init__(self):
        gc.collect()
        self.functions, self.caches = defaultdict(list), []
        for one in gc.get_objects():
            if isinstance(one, types.FunctionType) and one.__code__.co_filename.startswith(str(ROOT)):
                self.functions[_place(one.__code__)].append(one)
            elif isinstance(one, functools._lru_cache_wrapper) and str(getattr(one, "__module__", "")).startswith(("triptych.vocabulary", "triptych.dtypes", "triptych.layouts")):
                self.caches.append(one)

    def forget(self):
        for one in self.caches:
            one.cache_clear()

    @contextmanager
    def changed(self, file, change):
        """The running functions with `change`; yields whether there is anything that runs it."""
        plain = list(code_changes.nested(code_changes.compiled(change.unit, file)))
        change.make()
        try:
            other = list(code_changes.nested(code_changes.compiled(change.unit, file)))
        finally:
            change.undo()
        swaps = [(function, new) for old, new in zip(plain, other, strict=False) for function in self.functions.get(_place(old), ())
                 if function.__code__.co_freevars == new.co_freevars and function.__code__ != new]
        before = [(function, function.__code__) for function, _ in swaps]
        self.forget()
        try:
            for function, code in swaps:
                function.__code__ = code
            yield bool(swaps)
        finally:
            for function, code in before:
                function.__code__ = code
            self.forget()


def _place(code):
    """What tells `code` from any other: lambdas may share a line."""
    ends = [end for *_, end in code.co_positions() if end] if code.co_name == "<lambda>" else ()
    return code.co_filename, code.co_firstlineno, code.co_qualname, max(ends, default=0)


def table_mutants():
    """(name, what is changed, how, how it is taken back) of each row of the table of dtypes."""
    def put(row, member, value):
        return functools.partial(object.__setattr__, row, member, value)

    for row, neighbour in zip(dtypes.DTYPES, (*dtypes.DTYPES[1:], dtypes.DTYPES[0]), strict=True):
        bits = row.item_bits * 2
        yield row.name, f"item_bits {row.item_bits} → {bits}", put(row, "item_bits", bits), put(row, "item_bits", row.item_bits)
        said = f"safetensors {row.safetensors} → {neighbour.safetensors}"
        yield row.name, said, put(row, "safetensors", neighbour.safetensors), put(row, "safetensors", row.safetensors)
        yield row.name, f"name {row.name} → {neighbour.name}", put(row, "name", neighbour.name), put(row, "name", row.name)


def mutants(bench, wanted="*"):
    """(function, place, what is changed, its cases, a context that changes it) of every mutant."""
    living = Living()
    for label, file, found in code_mutants(wanted):
        for change in found:
            place = f"{Path(file).relative_to(ROOT).as_posix()}:{change.line}"
            yield label, place, change.said, functools.partial(bench.that_run, file, change.lines), functools.partial(living.changed, file, change)
    texts = {case.id: b"".join(path.read_bytes() for path in case.folder.rglob("*") if path.is_file()) for case in bench.cases}

    @contextmanager
    def turned(make, undo):
        living.forget()
        make()
        try:
            yield True
        finally:
            undo()
            living.forget()

    def naming(name):
        spelled = [f'"{one}"'.encode() for one in (name, dtypes.BY_NAME[name].safetensors)]
        return [case for case in bench.cases if any(one in texts[case.id] for one in spelled)]

    for name, said, make, undo in table_mutants():
        label = f"dtypes.py:DTYPES {name}"
        if fnmatch.fnmatchcase(label, wanted):
            yield label, "dtypes.py", said, functools.partial(naming, name), functools.partial(turned, make, undo)


def is_noticed(bench, cases, changing):
    """Whether one of `cases` fails while a mutant lives; None where it does not live, because nothing runs what it changes."""
    found = cases()
    try:
        with changing() as lives:
            return any(not bench.holds(case) for case in found) if lives else None
    except (ValueError, SyntaxError):  # a change that does not compile
        return None


def scores(bench, wanted="*", *, every=1, seed=0, tries=None, say=lambda *_: None):
    """Name of a function -> its score; with `tries`, of its changes until one is noticed, but no more than that, in an order by `seed`."""
    by_function = defaultdict(list)
    for label, *mutant in mutants(bench, wanted):
        by_function[label].append(mutant)
    found = {}
    for label, each in by_function.items():
        score = found[label] = Score()
        if every > 1 or tries:
            random.Random(f"{seed} {label}").shuffle(each)
        for place, said, cases, changing in each[: max(1, len(each) // every)]:
            noticed = is_noticed(bench, cases, changing)
            if noticed is None:
                continue
            if noticed:
                score.killed += 1
            else:
                score.lived.append(f"{place}: {said}" + ("" if cases() else " (no case runs it)"))
            if tries and (noticed or score.count == tries):
                break
        say(label, score)
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="*", metavar="GLOB", help="functions to change, as they are printed: vocabulary/pooling.py:*")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one in N changes to each function")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which of them")
    parser.add_argument("--floor", type=float, default=0, metavar="PERCENT", help="exit 1 where fewer are noticed")
    parser.add_argument("--quiet", action="store_true", help="no survivors, only scores")
    chosen = parser.parse_args(arguments)

    def say(label, score):
        print(f"{label}: {score.killed} of {score.count} noticed", *([] if chosen.quiet else score.lived), sep="\n  ", flush=True)

    with tempfile.TemporaryDirectory() as folder, _inspect.Inspectors() as inspectors:
        bench = Bench(_cases.suite().cases, folder, inspectors)
        found = scores(bench, chosen.only, every=chosen.every, seed=chosen.seed, say=say)
        broken = [case.id for case in bench.cases if not bench.holds(case)]
    assert not broken, f"a mutant left traces: {broken[:5]}"
    killed, count = sum(one.killed for one in found.values()), sum(one.count for one in found.values())
    untested = [label for label, one in found.items() if one.count and not one.killed]
    print(f"{killed} of {count} changes to {len(found)} functions noticed ({100 * killed / max(count, 1):.1f} %); functions none of whose changes is: {len(untested)}")
    return int(100 * killed < chosen.floor * count or not count)


if __name__ == "__main__":
    sys.exit(main())
