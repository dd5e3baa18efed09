"""Speaks the conformance protocol for this reader: one JSON object a line in, one out (``conformance-tests/PROTOCOL.md``).

``TRIPTYCH_DISABLE=WGT-004,ARC-001`` switches requirements off: the suite's own test of its cases, no public interface.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import traceback
from collections.abc import Container, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from triptych import __version__, converting
from triptych.dtypes import BY_NAME
from triptych.errors import (
    ConversionError,
    Findings,
    InvalidModelError,
    Problem,
    UnsupportedError,
    UsageError,
    WeightsMismatchError,
)
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Json, Panels, Tensor, Weights

if TYPE_CHECKING:
    from triptych.model.weights import Array

PROTOCOL = 1
SWITCH = "TRIPTYCH_DISABLE"
BITS_LIMIT = 64
"""Most elements that an observation spells out."""
IMPLEMENTATION = {
    "protocol": PROTOCOL, "name": "triptych-reference", "version": __version__, "language": "python", "spec": ["1.0"],
    "roles": ["reader", "validator", "writer", "evaluator", "converter"],
    "profiles": ["core", "yaml", "archive", "sharded", "training", "layers", "evaluate", "names", *converting.PROFILES],
    "extensions": ["keras"],
}


def observe_tensor(tensor: Tensor) -> dict[str, Json]:
    """`tensor` with its elements as hexadecimal bits, most significant digit first; the digest of its bytes if they are many."""
    if tensor.size > BITS_LIMIT:
        return {"dtype": tensor.dtype, "shape": list(tensor.shape), "sha256": hashlib.sha256(tensor.read()).hexdigest()}
    return _spelled(tensor)


def _spelled(tensor: Tensor) -> dict[str, Json]:
    """`tensor` with every element in bits."""
    data = tensor.read()
    facts: dict[str, Json] = {"dtype": tensor.dtype, "shape": list(tensor.shape)}
    item_bits = BY_NAME[tensor.dtype].item_bits
    if item_bits < 8:
        packed = int.from_bytes(data, "little")
        digits = -(-item_bits // 4)
        return {**facts, "bits": [f"{packed >> item_bits * i & (1 << item_bits) - 1:0{digits}x}" for i in range(tensor.size)]}
    parts = 2 if tensor.dtype == "complex64" else 1
    step = item_bits // 8 // parts
    words = [bytes(data[start : start + step])[::-1].hex() for start in range(0, len(data), step)]
    return {**facts, "bits": ["".join(words[start : start + parts]) for start in range(0, len(words), parts)]}


def _evaluate(panels: Panels, inputs: Path) -> dict[str, Json]:
    """What the model in `panels` makes of the arrays in the file `inputs`."""
    from triptych.layouts import safetensors_weights
    from triptych.surface.model import Model

    given = safetensors_weights.LAYOUT.read(inputs).weights
    assert given is not None
    assert panels.architecture is not None
    strings = {one.name for one in panels.architecture.inputs if one.dtype == "string"}
    yielded = Model(panels).predict({name: _texts(array) if name in strings else array for name, array in given.items()})
    names = panels.architecture.outputs or (panels.architecture.layers[-1].name,)
    arrays = yielded if isinstance(yielded, list) else [yielded]
    return {"outputs": {name: _spelled(Tensor.from_array(_as_numbers(array))) for name, array in zip(names, arrays, strict=True)}}


def _texts(array: Array) -> Array:
    """The strings whose bytes stand along the last axis of `array`, each followed by zeros."""
    import numpy as np

    flat = np.empty(array[..., 0].size, object)
    flat[:] = [bytes(row).rstrip(b"\0") for row in array.reshape(flat.size, -1)]
    return flat.reshape(array.shape[:-1])


def _as_numbers(array: Array) -> Array:
    """`array`; of strings, their bytes along a further axis, as long as the longest."""
    import numpy as np

    if array.dtype != object:
        return array
    texts = [text.encode() for text in array.ravel().tolist()]
    width = max(map(len, texts), default=0)
    return np.frombuffer(b"".join(text.ljust(width, b"\0") for text in texts), np.uint8).reshape(*array.shape, width)


def _update(panels: Panels, gradients: Path, values: list[float]) -> dict[str, Json]:
    """The weights in `panels` after their optimizer took the steps that the file `gradients` holds, one after the other; each of `values` ends an epoch."""
    from triptych.layouts import safetensors_weights
    from triptych.model import Component
    from triptych.vocabulary.training import step
    from triptych.vocabulary.training.constrained import constraints_of
    from triptych.vocabulary.training.schedules import state_after_epoch

    given = safetensors_weights.LAYOUT.read(gradients).weights
    assert given is not None
    assert panels.weights is not None
    assert panels.training is not None
    assert panels.training.optimizer is not None
    training, rule = panels.training, panels.training.optimizer
    optimizer, progress = Component(rule.type, rule.config), training.progress
    weights, state = dict(panels.weights), dict(training.state or {})
    start, epoch = (progress.step or 0, progress.epoch or 0) if progress else (0, 0)
    steps, held = dict(given), {} if panels.architecture is None else constraints_of(panels.architecture)
    held = {name: one for name, one in held.items() if name in steps}
    for index in range(max((len(one) for one in steps.values()), default=0)):
        stepped = step(optimizer, weights, {name: one[index] for name, one in steps.items()}, state, count=start + index, epoch=epoch,
                       constraints={name: one.constraint for name, one in held.items()}, axes={name: one.axes for name, one in held.items()})
        weights, state = stepped.weights, stepped.state
        if values:
            epoch += 1
            state |= state_after_epoch(optimizer.config["learning_rate"], state, values[index], step=start + index + 1, epoch=epoch)
    return {"tensors": {name: _spelled(Tensor.from_array(array)) for name, array in sorted(weights.items())}}


def _observe_weights(weights: Weights) -> dict[str, Json]:
    return {name: observe_tensor(tensor) for name, tensor in sorted(weights.tensors.items())}


def _parameters(panels: Panels) -> dict[str, Json] | None:
    """How many numbers can be trained and how many not; None where a layer's weights are not known."""
    from triptych import vocabulary

    assert panels.architecture is not None
    counts: dict[str, tuple[int, bool]] = {}
    for slot in vocabulary.weight_slots(panels.architecture):
        shape = slot.shape
        if panels.weights is not None and slot.tensor in panels.weights:
            shape = panels.weights.tensor(slot.tensor).shape
        extents = [extent for extent in shape or () if extent is not None]
        if shape is None or len(extents) < len(shape):
            return None
        counts[slot.tensor] = (math.prod(extents), slot.trainable or counts.get(slot.tensor, (0, False))[1])
    trainable = sum(count for count, is_trainable in counts.values() if is_trainable)
    return {"trainable": trainable, "non_trainable": sum(count for count, _ in counts.values()) - trainable}


def observe(panels: Panels) -> dict[str, Json]:
    """What was read, as plain data."""
    from triptych.documents.architecture import architecture_to_data
    from triptych.documents.training import training_to_data

    seen: dict[str, Json] = {"sections": []}
    if panels.architecture is not None:
        seen["sections"].append("architecture")
        seen["architecture"] = architecture_to_data(panels.architecture)
        parameters = _parameters(panels)
        if parameters is not None:
            seen["parameters"] = parameters
    if panels.weights is not None:
        seen["sections"].append("weights")
        seen["tensors"] = _observe_weights(panels.weights)
    if panels.training is not None:
        seen["sections"].append("training")
        seen["training"] = training_to_data(panels.training)
        if panels.training.state is not None:
            seen["sections"].append("training_state")
            seen["state"] = _observe_weights(panels.training.state)
    if panels.assets:
        seen["assets"] = {
            name: {"size": asset.nbytes, "sha256": hashlib.sha256(asset.read()).hexdigest()} for name, asset in sorted(panels.assets.items())
        }
    return seen


def _tensor(facts: Mapping[str, Json]) -> Tensor:
    item_bits = BY_NAME[facts["dtype"]].item_bits
    if item_bits < 8:
        packed = sum(int(bits, 16) << item_bits * i for i, bits in enumerate(facts["bits"]))
        data = packed.to_bytes(item_bits * len(facts["bits"]) // 8, "little")
    else:
        step = item_bits // 8
        half = step // 2 if facts["dtype"] == "complex64" else step
        data = b"".join(bytes.fromhex(bits)[start : start + half][::-1] for bits in facts["bits"] for start in range(0, step, half))
    return Tensor(facts["dtype"], tuple(facts["shape"]), lambda: memoryview(data))


def _given(path: Path, findings: Findings) -> Panels:
    """The model that an observation describes."""
    from dataclasses import replace

    from triptych.documents.architecture import parse_architecture
    from triptych.documents.training import parse_training
    from triptych.model import Training

    given = json.loads(path.read_bytes())
    weights, state = (
        Weights({name: _tensor(facts) for name, facts in given[key].items()}) if key in given else None for key in ("tensors", "state")
    )
    training = parse_training(given["training"], findings.at("training.json")) if "training" in given else None
    if state is not None:
        training = replace(training or Training(), state=state)
    architecture = parse_architecture(given["architecture"], findings.at("architecture.json")) if "architecture" in given else None
    return Panels(architecture=architecture, weights=weights, training=training)


def _write(panels: Panels, request: Mapping[str, Json]) -> None:
    from triptych import package

    package.write_package(
        panels, Path(request["output"]), form=request.get("form", "directory"), max_shard_bytes=request.get("max_shard_bytes"),
        architecture_spelling=request.get("spelling", "json"),
    )


def _read(path: Path, findings: Findings) -> Panels:
    from triptych import package

    panels = package.read_package(path, limits=DEFAULT_LIMITS, verify="full", findings=findings)
    findings.raise_if_any()
    return panels


def perform(request: Mapping[str, Json], findings: Findings) -> dict[str, Json]:
    """The answer to a request to run, but for its number and for rejections.

    Raises:
        InvalidModelError: The input breaks the specification.
        UnsupportedError: The input goes beyond this reader.
        ConversionError: The layout to be written cannot hold the model.
        WeightsMismatchError: The weights of a foreign file are not those of the architecture beside it.
    """
    path = Path(request["input"])
    match request["op"]:
        case "read":
            return {"outcome": "accepted", "observed": observe(_read(path, findings))}
        case "validate":
            from triptych import package

            problems = package.validate_package(path, limits=DEFAULT_LIMITS, full=True, disabled=findings.disabled)
            return _rejected(problems) if problems else {"outcome": "accepted"}
        case "rewrite":
            _write(_read(path, findings), request)
            return {"outcome": "accepted"}
        case "evaluate":
            return {"outcome": "accepted", "observed": _evaluate(_read(path, findings), Path(request["inputs"]))}
        case "update":
            return {"outcome": "accepted", "observed": _update(_read(path, findings), Path(request["gradients"]), request.get("values", []))}
        case "names":
            return _names(_read(path, findings), findings)
        case "import":
            panels, lost = converting.read_foreign(request)
            return {"outcome": "accepted", "observed": observe(panels), "not_kept": list(lost)}
        case "export":
            return {"outcome": "accepted", "not_kept": list(converting.write_foreign(_read(path, findings), request))}
        case "write":
            panels = _given(path, findings)
            findings.raise_if_any()
            _write(panels, request)
            return {"outcome": "accepted"}
        case op:
            return {"outcome": "skipped", "reason": f"no operation {op!r} here"}


def _names(panels: Panels, findings: Findings) -> dict[str, Json]:
    """The answer to a request for the names that frameworks have for each weight of the architecture in `panels`."""
    from triptych.layouts.tf_checkpoint.names_elsewhere import names_elsewhere

    if panels.architecture is None:
        raise UsageError("expected a package with an architecture, got one without")
    try:
        names = names_elsewhere(panels.architecture, findings.at("architecture.json"))
    except ConversionError as error:  # of what Keras has no place for, this program works out no names
        return {"outcome": "skipped", "reason": error.problems[0].message}
    return {"outcome": "accepted", "observed": {"names": dict(names)}}


def _rejected(problems: tuple[Problem, ...]) -> dict[str, Json]:
    return {
        "outcome": "rejected",
        "problems": [{"code": one.code, "place": one.place, "message": one.message, "requirement": one.requirement} for one in problems],
    }


def answer(request: Mapping[str, Json], disabled: Container[str] = frozenset()) -> dict[str, Json]:
    """The answer to one request."""
    if request["cmd"] == "start":
        return dict(IMPLEMENTATION)
    findings = Findings(disabled)  # type: ignore[arg-type]
    try:
        return {"seq": request["seq"], **perform(request, findings)}
    except (InvalidModelError, UnsupportedError, ConversionError, WeightsMismatchError) as error:
        return {"seq": request["seq"], **_rejected(error.problems)}
    except UsageError:  # a target that may not be replaced; nothing is wrong with the package
        return {"seq": request["seq"], **_rejected(())}
    except Exception:  # noqa: BLE001 - this is the edge: whatever it was, the runner has to hear of it
        return {"seq": request["seq"], "outcome": "errored", "detail": traceback.format_exc()}


def main(source: IO[str] = sys.stdin, target: IO[str] = sys.stdout) -> None:
    """Answers every request of `source` on `target`."""
    disabled = frozenset(filter(None, os.environ.get(SWITCH, "").split(",")))
    for line in source:
        reply: dict[str, Any] = answer(json.loads(line), disabled)
        target.write(json.dumps(reply, allow_nan=False) + "\n")
        target.flush()


if __name__ == "__main__":
    main()
