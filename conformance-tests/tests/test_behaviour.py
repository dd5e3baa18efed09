"""Requirements that no check enforces: the reference with one thing broken on purpose fails a case that cites them."""

import dataclasses
import importlib
import json
import re
import tomllib
from pathlib import Path

import pytest
from triptych import adapter, documents, dtypes
from triptych.documents import architecture as architecture_documents
from triptych.layouts.tf_checkpoint import names_elsewhere
from triptych.model import Architecture, Call
from triptych.package import safetensors_file, shards
from triptych.vocabulary import LAYER_TYPES, evaluator, inference, slots
from triptych.vocabulary.operations import OPERATIONS
from triptych.vocabulary.training import TYPES

from triptych_conformance import _cases

TREE = Path(__file__).resolve().parents[2]
SUITE = TREE / "conformance-tests"
MUTANTS = {}


def mutant(*requirements):
    """Registers a function that breaks the reference in a way that each of `requirements` forbids."""
    def register(function):
        for requirement in requirements:
            MUTANTS.setdefault(requirement, []).append(function)
        return function

    return register


def edit_json(patch, change):
    plain = documents.dump_json
    patch.setattr(documents, "dump_json", lambda data: change(plain, data))


def everywhere(data, change):
    """`data` with `change` applied to every value, inner ones first."""
    if isinstance(data, dict):
        data = {name: everywhere(value, change) for name, value in data.items()}
    elif isinstance(data, (list, tuple)):
        data = [everywhere(value, change) for value in data]
    return change(data)


@mutant("DOC-012")
def whole_floats_become_integers(patch):
    edit_json(patch, lambda plain, data: plain(everywhere(data, lambda value: int(value) if isinstance(value, float) and value == value // 1 else value)))


@mutant("DOC-014", "CNF-004", "CNF-005")
def json_is_written_compactly(patch):
    edit_json(patch, lambda plain, data: json.dumps(json.loads(plain(data))))


@mutant("DOC-017")
def members_are_sorted(patch):
    edit_json(patch, lambda plain, data: plain(everywhere(data, lambda value: dict(sorted(value.items())) if isinstance(value, dict) else value)))


@mutant("DOC-026")
def yaml_is_json(patch):
    patch.setattr(documents, "dump_yaml", documents.dump_json)


@mutant("DOC-016")
def defaults_are_written(patch):
    plain = architecture_documents.architecture_to_data

    def told(architecture):
        data = plain(architecture)
        return {**data, "layers": [{"name": layer["name"], "type": layer["type"], **layer, "trainable": layer.get("trainable", True)} for layer in data["layers"]]}

    patch.setattr(architecture_documents, "architecture_to_data", told)
    patch.setattr(documents, "architecture_to_data", told)


@mutant("EXT-007")
def unknown_extensions_are_dropped(patch):
    plain = documents.architecture_to_data
    patch.setattr(documents, "architecture_to_data", lambda architecture: everywhere(
        plain(architecture), lambda value: {name: item for name, item in value.items() if not name.startswith("extensions")} if isinstance(value, dict) else value))


@mutant("ARC-025")
def sequential_layers_apply_from_last_to_first(patch):
    plain = slots.infer
    turned = lambda graph: dataclasses.replace(graph, layers=graph.layers[::-1]) if isinstance(graph, Architecture) and graph.is_sequential else graph
    patch.setattr(slots, "infer", lambda architecture: plain(turned(architecture)))
    patch.setattr("triptych.vocabulary.infer", lambda architecture: plain(turned(architecture)))


@mutant("ARC-026")
def a_value_has_a_name_of_its_own(patch):
    patch.setattr(Call, "output_names", property(lambda self: self.outputs or (f"{self.layer}:0",)))


@mutant("ARC-023")
def tensors_are_named_with_slashes(patch):
    plain = slots._slots_of
    patch.setattr(slots, "_slots_of", lambda shapes: [
        dataclasses.replace(slot, tensor=slot.tensor if slot.role in slot.layer.weights else slot.tensor.replace(".", "/")) for slot in plain(shapes)])


@mutant("ARC-027")
def axes_are_read_the_other_way_round(patch):
    plain = slots._slots_of

    def inverse(axes):
        return None if axes is None or sorted(axes) != list(range(len(axes))) else tuple(axes.index(axis) for axis in range(len(axes)))

    patch.setattr(slots, "_slots_of", lambda shapes: [dataclasses.replace(slot, axes=inverse(slot.axes)) for slot in plain(shapes)])


@mutant("ARC-024", "LYR-017")
def everything_is_trainable(patch):
    plain = slots._slots_of
    patch.setattr(slots, "_slots_of", lambda shapes: [dataclasses.replace(slot, trainable=True) for slot in plain(shapes)])


@mutant("LYR-016")
def every_matrix_is_one_wider(patch):
    plain = slots._slots_of
    patch.setattr(slots, "_slots_of", lambda shapes: [
        dataclasses.replace(slot, shape=slot.shape and (*slot.shape[:-1], slot.shape[-1] and slot.shape[-1] + 1)) for slot in plain(shapes)])


@mutant("WGT-016", "CNF-001")
def elements_are_big_endian(patch):
    plain = adapter.observe_tensor

    def turned(tensor):
        facts = plain(tensor)
        return {**facts, **({"bits": ["".join(re.findall("..", word)[::-1]) for word in facts["bits"]]} if "bits" in facts else {})}

    patch.setattr(adapter, "observe_tensor", turned)


@mutant("WGT-016")
def elements_are_column_major(patch):
    plain = adapter.observe_tensor

    def turned(tensor):
        facts = plain(tensor)
        if "bits" in facts and len(tensor.shape) == 2:
            rows, columns = tensor.shape
            facts["bits"] = [facts["bits"][row * columns + column] for column in range(columns) for row in range(rows)]
        return facts

    patch.setattr(adapter, "observe_tensor", turned)


@mutant("WGT-019")
def packed_elements_begin_with_the_highest_bits(patch):
    plain = adapter.observe_tensor

    def turned(tensor):
        facts = plain(tensor)
        if "bits" in facts and dtypes.BY_NAME[tensor.dtype].item_bits < 8:
            size = 2 if len(facts["bits"][0]) == 1 else 4
            facts["bits"] = [bits for begin in range(0, len(facts["bits"]), size) for bits in facts["bits"][begin : begin + size][::-1]]
        return facts

    patch.setattr(adapter, "observe_tensor", turned)


@mutant("WGT-017")
def tensors_are_stored_by_name_alone(patch):
    patch.setattr(dtypes, "RANK", dict.fromkeys(dtypes.RANK, 0))


@mutant("WGT-018")
def shards_count_from_zero(patch):
    plain = shards.index_data
    patch.setattr(shards, "index_data", lambda parts: everywhere(plain(parts), lambda value: value.replace("-0000", "-0001") if isinstance(value, str) else value))


@mutant("CNF-002")
def the_reader_leaves_a_note(patch):
    plain = adapter.perform

    def noting(request, findings):
        answer = plain(request, findings)
        path = Path(request["input"])
        (path if path.is_dir() else path.parent).joinpath("note.txt").write_text("read")
        return answer

    patch.setattr(adapter, "perform", noting)


@mutant("CNF-003")
def one_problem_is_enough(patch):
    plain = adapter._rejected
    patch.setattr(adapter, "_rejected", lambda problems: plain(problems[:1]))


@mutant("SEC-002")
def what_a_header_says_is_allocated(patch):
    reading = importlib.import_module("triptych.package.read")
    plain = reading.read_header

    def greedy(data, findings, **options):
        bytearray(int.from_bytes(data[:8], "little"))
        return plain(data, findings, **options)

    patch.setattr(reading, "read_header", greedy)


@mutant("SEC-007")
def depth_is_left_to_the_parser(patch):
    patch.setattr("triptych.documents.json_reader._check_depth", lambda *given: None)


@mutant("SEC-013")
def any_folder_is_replaced(patch):
    patch.setattr("triptych.package.write.check_replaceable", lambda target: None)


@mutant("VER-004")
def the_next_version_is_written(patch):
    patch.setattr(architecture_documents, "FORMAT_VERSION", "1.1")


@mutant("VER-005")
def only_the_next_version_is_read(patch):
    patch.setattr("triptych.documents.versions.FORMAT_VERSION", "1.1")


@mutant("EVL-001")
def a_dense_layer_forgets_its_bias(patch):
    plain = LAYER_TYPES["Dense"]
    patch.setitem(LAYER_TYPES, "Dense", dataclasses.replace(plain, formula=lambda call: plain.formula(dataclasses.replace(
        call, weights={role: value * (role != "bias") for role, value in call.weights.items()}))))


@mutant("EVL-002")
def dropout_scales(patch):
    patch.setitem(LAYER_TYPES, "Dropout", dataclasses.replace(LAYER_TYPES["Dropout"], formula=lambda call: call.input / (1 - call.config["rate"])))


@mutant("EVL-003")
def masks_are_forgotten(patch):
    patch.setattr(evaluator.Evaluator, "_masks_said", lambda _, said, masks: [None] * len(masks))


@mutant("EVL-004")
def everything_is_computed_in_float32(patch):
    patch.setattr(evaluator, "WIDE", ("float32",))


@mutant("EVL-005")
def outputs_come_in_reverse(patch):
    plain = evaluator.evaluate

    def turned(*args, **options):
        result = plain(*args, **options)
        return dataclasses.replace(result, outputs=result.outputs[::-1])

    patch.setattr(evaluator, "evaluate", turned)


@mutant("EVL-006")
def a_sum_is_a_difference(patch):
    patch.setitem(OPERATIONS, "add", dataclasses.replace(OPERATIONS["add"], formula=OPERATIONS["subtract"].formula))


@mutant("EVL-007")
def a_sign_is_forgotten(patch):
    plain = TYPES["optimizers"]["Lion"]
    patch.setitem(TYPES["optimizers"], "Lion", dataclasses.replace(plain, formula=lambda update: (update.weight - update.rate * update.gradient, plain.formula(update)[1])))


@mutant("EVL-008")
def integers_become_numbers_everywhere(patch):
    patch.setitem(LAYER_TYPES, "Flatten", dataclasses.replace(LAYER_TYPES["Flatten"], keeps_dtype=False))


@mutant("TRN-016")
def gradients_are_not_clipped(patch):
    patch.setattr(importlib.import_module("triptych.vocabulary.training.step"), "clipped", lambda gradients, config: gradients)


@mutant("ARC-035")
def composites_hold_nothing(patch):
    patch.setattr(inference, "expand", lambda architecture: dataclasses.replace(architecture, composites={}))


def held_otherwise(patch, change):
    plain = names_elsewhere.held_weights
    patch.setattr(names_elsewhere, "held_weights", lambda graph, dialect: [dataclasses.replace(one, steps=change(one.steps, dialect)) for one in plain(graph, dialect)])


@mutant("NAM-001")
def layers_without_weights_count_too(patch):
    held_otherwise(patch, lambda steps, dialect: tuple(step[::-1] for step in steps) if dialect == "keras2" else steps)


@mutant("NAM-002")
def nothing_is_private(patch):
    held_otherwise(patch, lambda steps, dialect: tuple(tuple(name.lstrip("_") for name in step) for step in steps) if dialect == "keras3" else steps)


@mutant("NAM-003")
def variables_have_no_counter(patch):
    plain = names_elsewhere.default_names
    patch.setattr(names_elsewhere, "default_names", lambda *given: [name.removesuffix(":0") for name in plain(*given)])


@mutant("NAM-004")
def layers_go_by_their_own_names(patch):
    plain = names_elsewhere.saved_objects
    patch.setattr(names_elsewhere, "saved_objects", lambda *given: [dataclasses.replace(one, path=f"layers/{one.name}", other=None) for one in plain(*given)])


@mutant("NAM-006")
def the_last_weight_names_a_tensor(patch):
    plain = names_elsewhere._part_of_keras
    patch.setattr(names_elsewhere, "_part_of_keras", lambda graph, pointer: reversed(list(plain(graph, pointer))))


@mutant("NAM-007")
def every_layer_is_part_of_the_model(patch):
    plain = names_elsewhere.keras_order
    patch.setattr(names_elsewhere, "keras_order", lambda graph: list(dict.fromkeys([*plain(graph), *(layer.name for layer in graph.layers)])))


def uncoded():
    waived = tomllib.loads((SUITE / "waived.toml").read_text(encoding="utf-8"))
    coded = {name for entry in tomllib.loads((TREE / "spec" / "errors.toml").read_text(encoding="utf-8")).values() for name in entry["requirements"]}
    converted = {name for case in _cases.load(SUITE).cases if case.role == "converter" for name in case.requirements}  # test_conversion.py breaks those
    return set(json.loads((SUITE / "manifest.json").read_bytes())["requirements"]) - coded - set(waived) - converted


def test_every_requirement_is_enforced_or_has_a_mutant_or_is_waived():
    assert uncoded() == set(MUTANTS)


@pytest.mark.parametrize(("requirement", "break_it"), [(name, function) for name, functions in sorted(MUTANTS.items()) for function in functions],
                         ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_a_broken_reference_fails_a_case_that_cites_the_requirement(requirement, break_it, ask, suite, monkeypatch):
    cited = [case for case in suite.cases if requirement in case.requirements]
    assert all(ask(case).passed for case in cited)
    break_it(monkeypatch)
    assert any(not ask(case).passed for case in cited)


def test_a_waiver_that_points_to_a_test_points_to_one_that_exists():
    for name, reason in tomllib.loads((SUITE / "waived.toml").read_text(encoding="utf-8")).items():
        for path in re.findall(r"[\w/]+/(?=test_)", reason):
            for test in re.findall(r"test_\w+\.py", reason):
                assert (TREE / path / test).is_file(), f"{name}: {path}{test}"
