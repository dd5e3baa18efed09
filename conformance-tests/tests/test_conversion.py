"""Requirements on converters: the reference with one thing broken on purpose fails cases that cite them, and no others of the same direction."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest
from triptych import adapter, converting
from triptych.errors import InvalidModelError, UnsupportedError, WeightsMismatchError
from triptych.layouts.hdf5 import Container
from triptych.model import Panels, Tensor, Weights

from triptych_conformance import __main__ as command
from triptych_conformance import _cases, _inspect, _judge, _report, _run

SUITE = Path(__file__).resolve().parents[1]
CASES = [case for case in _cases.load(SUITE).cases if case.role == "converter"]
READING, WRITING = {}, {}


def breaks(table, *requirements):
    """Registers a function that breaks the reference in a way that each of `requirements` forbids, in reading or in writing."""
    def register(function):
        for requirement in requirements:
            table.setdefault(requirement, []).append(function)
        return function

    return register


def read_changed(patch, change):
    """Has what was read changed: `change` gets the panels and what was not kept."""
    plain = converting.read_foreign
    patch.setattr(converting, "read_foreign", lambda request: change(*plain(request)))


def write_changed(patch, change):
    """Has what is to be written changed first."""
    plain = converting.write_foreign
    patch.setattr(converting, "write_foreign", lambda panels, request: plain(change(panels), request))


def every_weight(panels, change):
    tensors = {} if panels.weights is None else dict(panels.weights.tensors)
    return dataclasses.replace(panels, weights=Weights(change(tensors)))


def as_array(tensor, change):
    return Tensor.from_array(change(tensor.array())) if tensor.dtype not in {"bfloat16"} else tensor


def rotated(tensors):
    names = list(tensors)
    return dict(zip(names, [*tensors.values()][1:] + [*tensors.values()][:1], strict=True))


def turned(tensors):
    return {name: as_array(one, lambda array: array.T.copy()) if len(one.shape) == 2 else one for name, one in tensors.items()}


def swapped(tensors):
    return {name: as_array(one, lambda array: array.byteswap()) for name, one in tensors.items()}


@breaks(READING, "CNV-001")
def weights_have_the_names_of_their_neighbours(patch):
    read_changed(patch, lambda panels, lost: (every_weight(panels, rotated), lost))


@breaks(READING, "CNV-001")
def kernels_are_transposed(patch):
    read_changed(patch, lambda panels, lost: (every_weight(panels, turned), lost))


@breaks(READING, "CNV-001")
def bytes_are_in_the_other_order(patch):
    read_changed(patch, lambda panels, lost: (every_weight(panels, swapped), lost))


@breaks(READING, "CNV-002")
def the_last_layer_is_forgotten(patch):
    plain = converting.read_foreign

    def shorter(request):
        panels, lost = plain(request)
        if panels.architecture is None or "architecture" in request:
            return panels, lost
        return dataclasses.replace(panels, architecture=dataclasses.replace(panels.architecture, layers=panels.architecture.layers[:-1])), lost

    patch.setattr(converting, "read_foreign", shorter)


@breaks(READING, "CNV-003")
def a_step_is_forgotten(patch):
    def earlier(panels, lost):
        training = panels.training
        if training is None or training.progress is None:
            return panels, lost
        return dataclasses.replace(panels, training=dataclasses.replace(training, progress=dataclasses.replace(training.progress, step=1))), lost

    read_changed(patch, earlier)


@breaks(READING, "CNV-004")
def a_slot_is_forgotten(patch):
    def poorer(panels, lost):
        training = panels.training
        if training is None or not training.state:
            return panels, lost
        return dataclasses.replace(panels, training=dataclasses.replace(training, state=Weights(dict([*training.state.tensors.items()][1:])))), lost

    read_changed(patch, poorer)


@breaks(READING, "CNV-005")
def an_architecture_beside_is_not_looked_at(patch):
    plain = converting.read_foreign
    patch.setattr(converting, "read_foreign", lambda request: plain({name: value for name, value in request.items() if name != "architecture"}))


@breaks(READING, "CNV-008")
def nothing_is_said_of_what_is_left_out(patch):
    read_changed(patch, lambda panels, _: (panels, ()))


@breaks(READING, "CNV-009")
def weights_of_somebodys_layers_are_called_otherwise(patch):
    def change(panels, lost):
        owners = [path for path, _, layer in panels.architecture.walk() if ":" in layer.type] if panels.architecture else []
        return every_weight(panels, lambda tensors: {f"{name}_0" if name.startswith(tuple(f"{path}." for path in owners)) else name: one for name, one in tensors.items()}), lost

    read_changed(patch, change)


@breaks(READING, "CNV-020")
def lists_have_no_parts(patch):
    plain = Container.attribute
    patch.setattr(Container, "attribute", lambda self, path, name: None if name[-1].isdigit() else plain(self, path, name))


FORGIVEN = {"CNV-006": {"LAYOUT_TRUNCATED", "LAYOUT_INVALID", "TENSOR_OUTSIDE_FILE", "a shard is missing"}, "CNV-007": {"LAYOUT_WEIGHTS_MISMATCH", "WEIGHT_SHAPE_MISMATCH", "WEIGHT_MISSING", "WEIGHT_UNEXPECTED", "WEIGHT_COUNT"}, "SEC-005": {"LAYOUT_UNSUPPORTED", "a shard is elsewhere"}}
"""Requirement -> codes of the problems that a reader overlooks which does not keep it."""


@pytest.mark.parametrize("requirement", FORGIVEN)
def test_a_converter_that_overlooks_a_fault_fails_exactly_the_cases_that_have_it(requirement, ask, monkeypatch):
    plain = converting.read_foreign

    def overlooking(request):
        try:
            panels, lost = plain(request)
            for tensor in (panels.weights or Weights({})).tensors.values():
                tensor.read()  # a checksum of data is compared when they are read
        except (InvalidModelError, UnsupportedError, WeightsMismatchError) as error:
            codes = {problem.code for problem in error.problems}
            if request["layout"] == "hub" and codes == {"LAYOUT_UNSUPPORTED"}:
                codes = {"a shard is missing"}
            if any("beside the index" in problem.message for problem in error.problems):
                codes = {"a shard is elsewhere"}
            if codes <= FORGIVEN[requirement]:
                return Panels(), ()
            raise
        return panels, lost

    monkeypatch.setattr(converting, "read_foreign", overlooking)
    failing = {case.id for case in CASES if case.op == "import" and not case.accepts and not ask(case).passed}
    assert failing == {case.id for case in CASES if case.op == "import" and not case.accepts and requirement in case.requirements}


@breaks(WRITING, "CNV-010")
def kernels_are_written_transposed(patch):
    write_changed(patch, lambda panels: every_weight(panels, lambda tensors: {
        name: as_array(one, lambda array: array.T.reshape(array.shape)) if len(one.shape) == 2 else one for name, one in tensors.items()}))


@breaks(WRITING, "CNV-011")
def training_is_not_written(patch):
    write_changed(patch, lambda panels: dataclasses.replace(panels, training=None))


@breaks(WRITING, "CNV-011", "CNV-031", "CNV-033")
def a_step_is_not_written(patch):
    def earlier(panels):
        training = panels.training
        return panels if training is None or training.progress is None else dataclasses.replace(
            panels, training=dataclasses.replace(training, progress=dataclasses.replace(training.progress, step=1)))

    write_changed(patch, earlier)


@breaks(WRITING, "CNV-012")
def what_cannot_be_written_is_not_written(patch):
    refused_and_told_as_loss(patch)


@breaks(WRITING, "CNV-012")
def something_is_written_of_what_cannot_be(patch):
    refused_and_told_as_loss(patch, lambda path: path.write_bytes(b"something"))


def refused_and_told_as_loss(patch, instead=lambda path: None):
    """Has what cannot be written answered as if it had been, `instead` at its place."""
    plain = converting.write_foreign

    def answered(panels, request):
        try:
            return plain(panels, request)
        except Exception as error:  # noqa: BLE001 - whatever it was
            instead(Path(request["output"]))
            return (str(error),)

    patch.setattr(converting, "write_foreign", answered)


def written_and_changed(patch, suffix, change):
    """Has files that were written, and whose names end in `suffix`, changed afterwards."""
    plain = converting.write_foreign

    def afterwards(panels, request):
        lost = plain(panels, request)
        if request["output"].endswith(suffix):
            change(Path(request["output"]))
        return lost

    patch.setattr(converting, "write_foreign", afterwards)


@breaks(WRITING, "CNV-021")
def a_dataset_has_no_counter(patch):
    import h5py

    def renamed(path):
        with h5py.File(path, "r+") as file:
            found = []
            file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
            file.move(found[0], found[0] + "_1")

    written_and_changed(patch, "model.h5", renamed)


LAYOUTS = {
    "keras-hdf5": 20, "keras-archive": 22, "keras-weights": 22, "tensorflow-checkpoint": 26, "saved-model": 28, "pytorch": 30, "pytorch-distributed": 32, "safetensors": 34, "numpy": 36, "hub": 38,
}
"""Layout -> the number of the requirement on reading it; the next one is on writing it."""


def in_one_layout(layout, attribute):
    """Weights under the names of their neighbours, in one layout, read or written."""
    def names_of_neighbours(patch):
        plain = getattr(converting, attribute)

        def read(request):
            panels, lost = plain(request)
            return (every_weight(panels, rotated) if request["layout"] == layout else panels), lost

        def write(panels, request):
            return plain(every_weight(panels, rotated) if request["layout"] == layout else panels, request)

        patch.setattr(converting, attribute, read if attribute == "read_foreign" else write)

    names_of_neighbours.__name__ = layout.replace("-", "_")
    return names_of_neighbours


for layout, number in LAYOUTS.items():
    breaks(READING, f"CNV-{number:03}")(in_one_layout(layout, "read_foreign"))
    breaks(WRITING, f"CNV-{number + 1:03}")(in_one_layout(layout, "write_foreign"))


@breaks(READING, "CNV-030")
def strides_are_not_looked_at(patch):
    plain = converting.read_foreign

    def flat(request):
        panels, lost = plain(request)
        change = lambda tensors: {name: as_array(one, lambda array: array.ravel("F").reshape(array.shape)) if name == "turned.weight" else one for name, one in tensors.items()}
        return (every_weight(panels, change) if request["layout"] == "pytorch" else panels), lost

    patch.setattr(converting, "read_foreign", flat)


ROWS = [(name, function) for table in (READING, WRITING) for name, functions in sorted(table.items()) for function in functions]


@pytest.mark.parametrize(("requirement", "break_it"), ROWS, ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_a_broken_converter_fails_cases_that_cite_the_requirement_and_no_others(requirement, break_it, ask, monkeypatch):
    break_it(monkeypatch)
    op = "import" if requirement in READING else "export"
    asked = [case for case in CASES if case.op == op and (requirement in case.requirements or op == "import")]
    failing = [case for case in asked if not ask(case).passed]
    assert failing
    assert [case.id for case in failing if requirement not in case.requirements] == []


def test_every_requirement_on_converters_is_broken_here():
    cited = {name for case in CASES for name in case.requirements}
    assert cited == {*READING, *WRITING, *FORGIVEN}


# --- where a reader is not installed

@pytest.fixture
def blind(tmp_path, monkeypatch):
    """Nothing that looks at files is installed."""
    monkeypatch.setattr(_inspect.Inspectors, "look", lambda *_, **__: _inspect.Seen(missing="h5py is not installed"))


def test_what_nobody_can_look_at_is_not_judged(blind, ask):
    exported = [case for case in CASES if case.op == "export" and case.accepts]
    assert {ask(case).verdict for case in exported[:3]} == {"unjudged"}


def test_nobody_conforms_where_a_case_is_not_judged(suite):
    results = [_judge.result(case, "unjudged" if case.op == "export" and case.accepts else "pass", "h5py is not installed") for case in suite.cases]
    report = _report.build(suite, adapter.IMPLEMENTATION, results, {}, 0.0)
    said = {(row["role"], row["profile"]): row["conforms"] for row in report["conformance"]}
    assert said["converter", "keras-hdf5"] is None
    assert said["reader", "core"] is True
    assert "not judged" in _report.text(report)
    assert _report.failing(results, suite.levels, ["converter"]) == set()
    broken = [dataclasses.replace(one, verdict="fail") if one.case == "cnv-006-hdf5-whole" else one for one in results]
    report = _report.build(suite, adapter.IMPLEMENTATION, broken, {}, 0.0)
    assert next(row["conforms"] for row in report["conformance"] if row["profile"] == "keras-hdf5") is False


def test_a_run_that_could_not_judge_says_so(reference_command, blind, monkeypatch, capsys, tree):
    monkeypatch.setenv("PYTHONPATH", str(tree / "reference"))
    words = ["run", "--only", "cnv-021-*", "--", *reference_command]
    assert command.main(words) == command.UNUSABLE
    assert "UNJUDGED cnv-021-keras2-graph" in capsys.readouterr().out


def with_another_h5py(folder, text):
    """An interpreter that finds `text` in the place of h5py."""
    (folder / "h5py.py").write_text(text, encoding="utf-8")
    program = folder / "python"
    program.write_text(f"#!/bin/sh\nPYTHONPATH={folder}:$PYTHONPATH exec {sys.executable} \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def test_an_interpreter_without_readers_is_said_to_lack_them(tmp_path):
    with _inspect.Inspectors(with_another_h5py(tmp_path, "raise ImportError('there is none')\n")) as inspectors:
        assert "there is none" in inspectors.look("h5py", tmp_path / "x.h5").missing
    with _inspect.Inspectors(str(tmp_path / "no-such-program")) as inspectors:
        assert "no-such-program" in inspectors.look("h5py", tmp_path / "x.h5").missing


def test_a_reader_that_breaks_down_has_refused_the_file(tmp_path):
    with _inspect.Inspectors(with_another_h5py(tmp_path, "import os\nos._exit(3)\n")) as inspectors:
        assert "broke down" in inspectors.look("h5py", tmp_path / "x.h5").refused


def test_what_is_written_is_looked_at_by_a_process_of_its_own(inspectors, tmp_path):
    (tmp_path / "model.h5").write_bytes(b"no HDF5")
    seen = inspectors.look("h5py", tmp_path / "model.h5")
    assert (seen.facts, seen.missing) == (None, "")
    assert "OSError" in seen.refused


@pytest.mark.parametrize(("change", "place"), [
    (lambda seen: seen["architecture"]["layers"][0].update(extensions={"org.example": {}}), ""),
    (lambda seen: seen["architecture"]["layers"][0]["config"].update(use_bias=True), ""),
    (lambda seen: seen["architecture"]["layers"][0]["config"].update(use_bias=False), "/architecture/layers/shared/config/use_bias"),
    (lambda seen: seen["architecture"]["calls"].__setitem__(slice(1, 3), seen["architecture"]["calls"][2:0:-1]), ""),
    (lambda seen: seen["architecture"]["calls"].__setitem__(slice(0, 2), seen["architecture"]["calls"][1::-1]), "/architecture/calls"),
    (lambda seen: seen["training"]["optimizer"]["config"].update(amsgrad=True), "/training/optimizer/config/amsgrad"),
    (lambda seen: seen["state"].popitem(), "/state"),
])
def test_documents_are_compared_but_for_what_is_free(change, place, suite):
    from triptych_conformance import _foreign

    expected = suite.case("cnv-001-hdf5-keras2-graph").expected
    got = json.loads(json.dumps({name: value for name, value in expected.items() if name != "defaults"}))
    change(got)
    said = _foreign.read_otherwise(expected, got)
    assert said.startswith(f"observed{place}") if place else said == ""
