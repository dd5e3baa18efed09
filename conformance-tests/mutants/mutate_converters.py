"""Gets one thing wrong in what the reference's converters read or write, by a table of usual mistakes, and says in which layouts cases notice.

``python conformance-tests/mutants/mutate_converters.py [--only GLOB] [--reading]``

Mistakes are made between the files and the model, so that they are the same in every layout: names, axes, gates, statistics, windows, paddings, slots, dtypes, the order
of bytes. In reading, exactly the cases whose model a mistake changes have to notice it. In writing, the first case of each layout that notices is enough, because most of what is
written is looked at by a framework; a layout in which none does is printed. In which layouts a mistake cannot be made, and why not, stands in `CANNOT`.
"""

import argparse
import dataclasses
import fnmatch
import json
import sys
import tempfile
from collections import defaultdict
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from triptych import adapter, converting
from triptych.dtypes import BY_NAME, DTYPES
from triptych.errors import TriptychError
from triptych.model import Tensor, Weights
from triptych_conformance import _cases, _inspect, _judge

ALL = frozenset({
    "keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "saved-model", "pytorch", "pytorch-distributed", "safetensors", "numpy", "hub",
})
WHOLE = frozenset({"keras-hdf5", "keras-archive", "saved-model"})
"""Layouts that hold an architecture."""
KERAS = WHOLE | {"keras-weights"}


@dataclasses.dataclass(frozen=True)
class Mistake:
    """One way to be wrong."""

    name: str
    change: object
    """Panels -> panels."""
    places: frozenset = ALL
    """The layouts in which a case has to notice it, in reading and in writing, but for those that `CANNOT` has a reason for."""

    def wanted(self, op):
        """The layouts in which it can be made."""
        return self.places - self.reasons(op).keys()

    def reasons(self, op):
        """The others -> why not."""
        rows = [(layouts, why) for mistakes, ops, layouts, why in CANNOT if fnmatch.fnmatchcase(self.name, mistakes) and op in ops]
        return {layout: why for layouts, why in rows for layout in layouts & self.places}


def tensors_changed(change):
    """Panels with other weights: `change` gets and returns them by name."""
    return lambda panels: panels if panels.weights is None else dataclasses.replace(panels, weights=Weights(change(dict(panels.weights.tensors))))


def state_changed(change):
    """The same of the training state."""
    def changed(panels):
        training = panels.training
        if training is None or training.state is None:
            return panels
        return dataclasses.replace(panels, training=dataclasses.replace(training, state=Weights(change(dict(training.state.tensors)))))

    return changed


def each(change, applies=lambda name, tensor: True):
    """Tensors with `change` to the array of each that it applies to; those that numpy lacks stay."""
    def changed(tensors):
        return {name: Tensor.from_array(change(one.array()).reshape(one.shape)) if plain(one) and applies(name, one) else one for name, one in tensors.items()}

    return changed


def plain(tensor):
    return tensor.dtype not in {"bfloat16"} and BY_NAME[tensor.dtype].item_bits >= 8 and "float8" not in tensor.dtype


def rotated(tensors):
    """Each tensor under the name of the next."""
    return dict(zip(tensors, [*tensors.values()][1:] + [*tensors.values()][:1], strict=True))


def exchanged(first, second):
    """Two kinds of tensors in each other's place, by a word of their names."""
    def changed(tensors):
        other = {}
        for name in tensors:
            words = name.split(".")
            swapped = ".".join(second if word == first else first if word == second else word for word in words)
            other[name] = tensors.get(swapped, tensors[name])
        return other

    return changed


def gates_exchanged(tensors):
    """The first two gates of each recurrent layer in each other's place."""
    import numpy as np

    found = dict(tensors)
    for name, recurrent in tensors.items():
        prefix, _, role = name.rpartition(".")
        if role != "recurrent_kernel":
            continue
        units, width = recurrent.shape[0], recurrent.shape[-1]
        order = [1, 0, *range(2, width // units)]
        for other in (f"{prefix}.{role}" for role in ("kernel", "recurrent_kernel", "bias")):
            if other in tensors:
                parts = np.split(tensors[other].array(), width // units, axis=-1)
                found[other] = Tensor.from_array(np.concatenate([parts[gate] for gate in order], axis=-1))
    return found


def padding_changed(panels):
    """Every layer without padding."""
    if panels.architecture is None:
        return panels
    layers = [dataclasses.replace(one, config={**one.config, "padding": "valid"}) if one.config.get("padding") == "same_upper" else one for one in panels.architecture.layers]
    return dataclasses.replace(panels, architecture=dataclasses.replace(panels.architecture, layers=tuple(layers)))


def turned_round(array):
    """A kernel turned round along its windows."""
    return array[::-1, ::-1]


def relabelled(dtype, other):
    """Tensors of `dtype` as of `other`, which has elements of the same size."""
    return tensors_changed(lambda tensors: {name: dataclasses.replace(one, dtype=other) if one.dtype == dtype else one for name, one in tensors.items()})


def with_neighbour(dtype):
    """The dtype of the same size that comes next."""
    alike = [one.name for one in DTYPES if one.item_bits == BY_NAME[dtype].item_bits]
    return alike[(alike.index(dtype) + 1) % len(alike)]


OF_LAYERS = ("bfloat16", "float16", "float64")
"""Dtypes in which Keras' layers keep what they learn, besides float32."""
DTYPES_OF_FILES = (
    "bool", *OF_LAYERS, "complex64", "int8", "uint8", "int16", "uint16", "uint32", "uint64",
    "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz",
)
CANNOT = (
    ("padding*", ("export",), ALL - WHOLE, "it has no place for an architecture"),
    ("slots*", ("import", "export"), frozenset({"safetensors", "numpy", "hub"}), "it has no place for a training"),
    ("slots*", ("import",), frozenset({"keras-weights"}), "it does not say which optimizer its variables are of"),
    ("slots*", ("export",), frozenset({"saved-model"}), "a SavedModel that can be trained on is nothing that a converter owes"),
    *((f"dtype: {name} *", ("import", "export"), KERAS, "no layer that Keras saves without code keeps its weights in it") for name in DTYPES_OF_FILES if name not in OF_LAYERS),
    *((f"dtype: {name} *", ("import", "export"), frozenset({"tensorflow-checkpoint"}), "TensorFlow has no such dtype") for name in DTYPES_OF_FILES if name.endswith(("fnu", "fnuz"))),
    *((f"dtype: {name} *", ("import", "export"), frozenset({"numpy"}), "numpy by itself has no such dtype") for name in DTYPES_OF_FILES if name == "bfloat16" or "float8" in name),
)
"""Mistakes, operations, layouts in which they cannot be made, and why not."""
MATRIX = lambda name, one: len(one.shape) == 2 and min(one.shape) > 1
WINDOWS = lambda name, one: name.endswith("kernel") and len(one.shape) == 4
WORDS = lambda name, one: BY_NAME[one.dtype].item_bits > 8 and one.dtype != "complex64"
MISTAKES = [
    Mistake("names: those of neighbours", tensors_changed(rotated)),
    Mistake("names: gamma for beta", tensors_changed(exchanged("gamma", "beta"))),
    Mistake("axes: kernels transposed", tensors_changed(each(lambda array: array.T.copy(), MATRIX))),
    Mistake("axes: windows turned round", tensors_changed(each(turned_round, WINDOWS))),
    Mistake("gates: the first two exchanged", tensors_changed(gates_exchanged)),
    Mistake("statistics: mean for variance", tensors_changed(exchanged("moving_mean", "moving_variance"))),
    Mistake("padding: none", padding_changed),
    Mistake("slots: those of neighbours", state_changed(rotated)),
    Mistake("slots: momentum for velocity", state_changed(exchanged("momentum", "velocity"))),
    Mistake("bytes: most significant first", tensors_changed(each(lambda array: array.byteswap(), WORDS))),
    *(Mistake(f"dtype: {name} as {with_neighbour(name)}", relabelled(name, with_neighbour(name))) for name in sorted(DTYPES_OF_FILES)),
]
COSTS = ("python", "h5py", "torch", "tensorflow", "tf-keras", "keras")
"""Who looks at files, by how long a look takes."""


def converter_cases():
    """The cases of converters that accept."""
    return [case for case in _cases.suite().cases if case.role == "converter" and case.accepts]


class Bench:
    """The cases of converters that accept, laid out, and those who look at what is written."""

    def __init__(self, folder, inspectors):
        self.folder, self.inspectors, self.count = Path(folder), inspectors, 0
        self.cases = converter_cases()
        self.given = {case.id: case.lay_out(self.folder / str(number)) for number, case in enumerate(self.cases)}

    def of(self, op):
        """The cases of `op`; those that are looked at soonest first."""
        return sorted((case for case in self.cases if case.op == op), key=lambda case: COSTS.index(case.foreign["reader"]) if op == "export" else 0)

    def holds(self, case, concerned=(True,)):
        """Whether the reference passes `case` as it is now; what is written is not looked at where nothing in it is `concerned`."""
        self.count += 1
        request = {"cmd": "run", "seq": 0, **case.asks(case.op, self.given[case.id])}
        output = case.output(self.folder / f"output{self.count}")
        if output is not None:
            output.parent.mkdir()
            request |= case.asks_to_write(output)
        answer = json.loads(json.dumps(adapter.answer(request)))
        if output is not None and not any(concerned) and answer["outcome"] == "accepted":
            return True
        seen = case.look(self.inspectors, output) if output is not None and answer["outcome"] == "accepted" else None
        return _judge.judge(case, 0, answer, op=case.op, output=output, seen=seen).passed


@contextmanager
def made(mistake, concerned):
    """The mistake, made by the converter in both directions; `concerned` gets whether it changed anything."""
    read, write = converting.read_foreign, converting.write_foreign

    def changed(panels):
        other = mistake.change(panels)
        concerned.append(observed(other) != observed(panels))
        return other

    def reading(request):
        panels, lost = read(request)
        return changed(panels), lost

    converting.read_foreign, converting.write_foreign = reading, lambda panels, request: write(changed(panels), request)
    try:
        yield
    finally:
        converting.read_foreign, converting.write_foreign = read, write


def observed(panels):
    """What an adapter would say, of slots those with weights alone."""
    seen = adapter.observe(panels)
    return {name: {key: one for key, one in value.items() if key.count(".") > 1} if name == "state" else value for name, value in seen.items()}


def tried(bench, mistake, op, *, first=False):
    """Layout -> (cases that the mistake concerns, those of them that notice), each by name; with `first`, no case after one of its layout has noticed."""
    found = defaultdict(lambda: ([], []))
    for case in bench.of(op):
        concerns, notices = found[case.profile]
        if first and notices:
            continue
        concerned = []
        with made(mistake, concerned):
            try:
                passes = bench.holds(case, concerned)
            except (TriptychError, ValueError):
                passes = False
        if any(concerned):
            concerns.append(case.id)
        if not passes:
            notices.append(case.id)
    return {layout: both for layout, both in found.items() if any(both)}


def faults(mistake, found, op):
    """What is wrong with what was noticed."""
    yield from (f"{mistake.name}: nothing notices it in {layout}" for layout in sorted(mistake.wanted(op)) if not found.get(layout, ([], []))[1])
    yield from (f"{mistake.name}: noticed in {layout}, although {why}" for layout, why in mistake.reasons(op).items() if found.get(layout, ([], []))[1])
    for concerns, notices in found.values():
        yield from (f"{mistake.name}: {case} fails, and is not concerned" for case in notices if case not in concerns)
        if op == "import":
            yield from (f"{mistake.name}: {case} is concerned, and passes" for case in concerns if case not in notices)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="*", metavar="GLOB", help="mistakes to make, as they are printed: 'gates*'")
    parser.add_argument("--reading", action="store_true", help="in reading alone")
    chosen = parser.parse_args(arguments)
    wrong = []
    with tempfile.TemporaryDirectory() as folder, _inspect.Inspectors() as inspectors:
        bench = Bench(folder, inspectors)
        for mistake in MISTAKES:
            for op in ("import", "export")[: 1 if chosen.reading else 2] if fnmatch.fnmatchcase(mistake.name, chosen.only) else ():
                found = tried(bench, mistake, op, first=op == "export")
                said = ", ".join(f"{layout} {len(notices)}/{len(concerns)}" for layout, (concerns, notices) in sorted(found.items()))
                print(f"{op}  {mistake.name}: {said}", flush=True)
                reasons = sorted(mistake.reasons(op).items(), key=itemgetter(1))
                for why, rows in groupby(reasons, key=itemgetter(1)):
                    print(f"        not in {', '.join(sorted(layout for layout, _ in rows))}: {why}")
                wrong += faults(mistake, found, op)
    print(*wrong, sep="\n")
    print(f"{len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
