"""Gets one thing wrong in what the reference's converters read or write, by a table of usual mistakes, and says in which layouts cases notice.

``python conformance-tests/mutants/mutate_converters.py [--only GLOB] [--reading]``

Mistakes are made between the files and the model, so that they are the same in every layout: names, axes, gates, statistics, windows, paddings, slots, dtypes, the order
of bytes. In reading, exactly the cases whose model a mistake changes have to notice it. In writing, the first case of each layout that notices is enough, because most of what is
written is looked at by a framework; a layout in which none does is printed.
"""

import argparse
import dataclasses
import fnmatch
import json
import sys
import tempfile
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

from triptych import adapter, converting
from triptych.dtypes import BY_NAME, DTYPES
from triptych.errors import TriptychError
from triptych.model import Tensor, Weights
from triptych_conformance import _cases, _inspect, _judge

KERAS = {"keras-hdf5", "keras-archive", "keras-weights"}
TRAINED = {"keras-hdf5", "keras-archive", "tensorflow-checkpoint", "saved-model", "pytorch", "pytorch-distributed"}
ALL = {*KERAS, *TRAINED, "safetensors", "numpy", "hub"}
NARROW = {"pytorch", "safetensors", "tensorflow-checkpoint"}


@dataclasses.dataclass(frozen=True)
class Mistake:
    """One way to be wrong."""

    name: str
    change: object
    """Panels -> panels."""
    reading: set
    """The layouts in which a case has to notice it when files are read."""
    writing: set
    """The same when they are written."""


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


DTYPE_PLACES = {
    "bool": NARROW | {"numpy", "hub"}, "bfloat16": NARROW | {"hub", "keras-hdf5", "keras-archive"}, "float16": NARROW | {"numpy"}, "complex64": NARROW | {"numpy"},
    **dict.fromkeys(("int8", "uint8", "int16", "uint16", "uint32", "uint64", "float64"), NARROW | {"numpy"}), "float8_e4m3fn": NARROW, "float8_e5m2": NARROW,
    **dict.fromkeys(("float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz"), {"pytorch", "safetensors"}),
}
"""Dtype -> the layouts that have it and whose files the suite has."""
MATRIX = lambda name, one: len(one.shape) == 2 and min(one.shape) > 1
WINDOWS = lambda name, one: name.endswith("kernel") and len(one.shape) == 4
WORDS = lambda name, one: BY_NAME[one.dtype].item_bits > 8 and one.dtype != "complex64"
MISTAKES = [
    Mistake("names: those of neighbours", tensors_changed(rotated), ALL, ALL),
    Mistake("names: gamma for beta", tensors_changed(exchanged("gamma", "beta")), KERAS - {"keras-archive"} | {"tensorflow-checkpoint"},
            {"keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "saved-model"}),
    Mistake("axes: kernels transposed", tensors_changed(each(lambda array: array.T.copy(), MATRIX)), ALL, ALL),
    Mistake("axes: windows turned round", tensors_changed(each(turned_round, WINDOWS)), {"keras-hdf5", "keras-weights", "tensorflow-checkpoint"},
            {"keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "saved-model"}),
    Mistake("gates: the first two exchanged", tensors_changed(gates_exchanged), {"keras-hdf5", "keras-weights"}, {"keras-hdf5", "keras-archive", "saved-model"}),
    Mistake("statistics: mean for variance", tensors_changed(exchanged("moving_mean", "moving_variance")), {"keras-hdf5", "keras-weights", "tensorflow-checkpoint"},
            {"keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "saved-model", "pytorch"}),
    Mistake("padding: none", padding_changed, {"keras-hdf5"}, {"keras-hdf5", "keras-archive", "saved-model"}),
    Mistake("slots: those of neighbours", state_changed(rotated), TRAINED, {"keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "pytorch", "pytorch-distributed"}),
    Mistake("slots: momentum for velocity", state_changed(exchanged("momentum", "velocity")), TRAINED,
            {"keras-hdf5", "keras-archive", "keras-weights", "tensorflow-checkpoint", "pytorch", "pytorch-distributed"}),
    Mistake("bytes: most significant first", tensors_changed(each(lambda array: array.byteswap(), WORDS)), ALL, ALL),
    *(Mistake(f"dtype: {name} as {with_neighbour(name)}", relabelled(name, with_neighbour(name)), places, set()) for name, places in sorted(DTYPE_PLACES.items())),
]


class Bench:
    """The cases of converters that accept, laid out, and those who look at what is written."""

    def __init__(self, folder, inspectors):
        self.folder, self.inspectors, self.count = Path(folder), inspectors, 0
        self.cases = [case for case in _cases.suite().cases if case.role == "converter" and case.accepts]
        self.given = {case.id: case.lay_out(self.folder / str(number)) for number, case in enumerate(self.cases)}

    def holds(self, case):
        """Whether the reference passes `case` as it is now."""
        self.count += 1
        request = {"cmd": "run", "seq": 0, **case.asks(case.op, self.given[case.id])}
        output = case.output(self.folder / f"output{self.count}")
        if output is not None:
            output.parent.mkdir()
            request |= case.asks_to_write(output)
        answer = json.loads(json.dumps(adapter.answer(request)))
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
    for case in bench.cases:
        concerns, notices = found[case.profile]
        if case.op != op or (first and notices):
            continue
        concerned = []
        with made(mistake, concerned):
            try:
                passes = bench.holds(case)
            except (TriptychError, ValueError):
                passes = False
        if any(concerned):
            concerns.append(case.id)
        if not passes:
            notices.append(case.id)
    return {layout: both for layout, both in found.items() if any(both)}


def faults(mistake, found, op):
    """What is wrong with what was noticed."""
    wanted = mistake.reading if op == "import" else mistake.writing
    yield from (f"{mistake.name}: nothing notices it in {layout}" for layout in sorted(wanted) if not found.get(layout, ([], []))[1])
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
            for op in ("import", "export")[: 1 if chosen.reading or not mistake.writing else 2] if fnmatch.fnmatchcase(mistake.name, chosen.only) else ():
                found = tried(bench, mistake, op, first=op == "export")
                said = ", ".join(f"{layout} {len(notices)}/{len(concerns)}" for layout, (concerns, notices) in sorted(found.items()))
                print(f"{op}  {mistake.name}: {said}", flush=True)
                wrong += faults(mistake, found, op)
    print(*wrong, sep="\n")
    print(f"{len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
