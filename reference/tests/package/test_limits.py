"""Every limit holds at its value and refuses one more; declared sizes cost nothing."""

import tracemalloc

import numpy as np
import pytest
from conftest_package import make_panels

from triptych.errors import Findings, InvalidModelError, UnsupportedError
from triptych.limits import Limits
from triptych.model import Panels, Weights
from triptych.package import read_package, validate_package, write_package
from triptych.package.safetensors_file import read_header


def refused(path, **limits):
    with pytest.raises(UnsupportedError) as caught:
        read_package(path, limits=Limits(**limits))
    assert {one.requirement for one in caught.value.problems} <= {"SEC-016", "DOC-010"}
    assert [one.requirement for one in validate_package(path, limits=Limits(**limits))] != []


def test_members(target):
    write_package(make_panels(1), target, durable=False)
    count = 6 if target.is_dir() else 7
    read_package(target, limits=Limits(members=count))
    refused(target, members=count - 1)


def test_header_bytes(target):
    write_package(make_panels(1), target, durable=False)
    size = max(len(file) for file in [make_header(make_panels(1).weights), make_header(make_panels(1).training.state)])
    read_package(target, limits=Limits(header_bytes=size - 8))
    refused(target, header_bytes=size - 9)


def make_header(weights):
    from triptych.package.safetensors_file import plan

    return plan(weights.tensors).header


def test_tensors_and_shards(target):
    panels = Panels(weights=Weights.from_arrays({f"t{number}": np.zeros(1, np.float32) for number in range(5)}))
    write_package(panels, target, durable=False)
    read_package(target, limits=Limits(tensors=5))
    refused(target, tensors=4)
    write_package(panels, target, durable=False, max_shard_bytes=4)
    read_package(target, limits=Limits(shards=5))
    refused(target, shards=4)


@pytest.mark.parametrize(
    "claim",
    [
        (1 << 62).to_bytes(8, "little") + b"{}",
        (2**64 - 1).to_bytes(8, "little") + b"{}",
        b'\x55\0\0\0\0\0\0\0{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,73786976294838206464]}}'[:93],
        b'\x40\0\0\0\0\0\0\0{"a":{"dtype":"F32","shape":[1073741824],"data_offsets":[0,4294967296]}}'[:72],
    ],
)
def test_declared_sizes_cost_nothing(claim):
    length = int.from_bytes(claim[:8], "little")
    content = claim if length > 100 else (len(claim) - 8).to_bytes(8, "little") + claim[8:]
    tracemalloc.start()
    try:
        with pytest.raises((InvalidModelError, UnsupportedError)):
            findings = Findings()
            read_header(memoryview(content), findings)
            findings.raise_if_any()
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_the_specification_says_these_limits():
    """The tables of chapters 10 and 80 are the defaults."""
    import re
    from dataclasses import fields

    from triptych import resources

    said = set()
    for chapter in ("spec/10-documents.md", "spec/80-security.md"):
        for line in resources.read_text(chapter).splitlines():
            if line.startswith(("|", "**[DOC-008]", "**[DOC-009]")):
                said |= {int(number.replace(",", "")) for number in re.findall(r"(?<![\d^])\d[\d,]*", line)}
                said |= {int(number.replace(",", "")) << 20 for number in re.findall(r"(\d+) MiB", line)}
    missing = {one.name: one.default for one in fields(Limits) if one.default not in said}
    assert missing == {}


def test_a_name_of_any_length_is_refused_before_it_is_written(tmp_path):
    panels = Panels(weights=Weights.from_arrays({"x" * 1025: np.zeros(1, np.float32)}))
    with pytest.raises(InvalidModelError) as caught:
        write_package(panels, tmp_path / "m")
    assert [one.code for one in caught.value.problems] == ["TENSOR_NAME_INVALID"]
    findings = Findings()
    read_header(memoryview(make_header(panels.weights) + bytes(4)), findings)  # a header is no document: its grammar answers, not DOC-010
    assert [one.code for one in findings.problems] == ["TENSOR_NAME_INVALID"]
