"""Judges an adapter, not the implementation behind it: three requests and a farewell, each with advice in words."""

from __future__ import annotations

import difflib
import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from triptych_conformance._adapter import (
    CASE_SECONDS,
    PROTOCOL,
    START_SECONDS,
    Adapter,
    AdapterError,
    AdapterTimeoutError,
    introduction,
    short,
)
from triptych_conformance._advice import advice
from triptych_conformance._cases import CORE, Case, Suite, SuiteDamagedError
from triptych_conformance._judge import OUTCOMES, observation, op_for

Json = Any
Step = tuple[bool, str]
STAGES = ("json", "bytes", "schema", "semantic", "resource")
"""What is most surely noticed comes first."""
UNKNOWN_OP = "juggle"
"""An operation nobody has; the honest answer is "skipped"."""
START = {"cmd": "start", "protocol": PROTOCOL}
SUSPICIOUS_SECONDS = 10.0
"""A start that takes longer is looked into while it is waited for."""
UNFINISHED = "the line that it wrote has no line break at its end"
BUFFERED = "it answers only when its input has ended: flush the output after each line, and answer each line before you read the next"


def _tells_order(expected: Mapping[str, Json]) -> bool:
    """Whether there are layers and an element whose bytes are others from behind."""
    words = (word for _, tensor in _tensors(expected) for word in tensor.get("bits", ()))
    return "architecture" in expected and any(bytes.fromhex(word) != bytes.fromhex(word)[::-1] for word in words if len(word) % 2 == 0)


def _samples(suite: Suite) -> tuple[Case, Case]:
    """A small case that is accepted, whose tensors tell the order of bytes, and the one that is most surely rejected."""
    core = [case for case in suite.cases if case.profile == CORE and case.role == "reader" and case.op == "read" and not case.links]
    good = [case for case in core if case.accepts and _tells_order(case.expected)]
    bad = [case for case in core if not case.accepts]
    if not good or not bad:
        raise SuiteDamagedError("no core case is accepted whose tensors tell the order of bytes, or none is rejected")
    return (
        min(good, key=lambda case: (len(json.dumps(case.expected)), case.id)),
        min(bad, key=lambda case: (STAGES.index(case.expect["stage"]), case.id)),
    )


def smoke(command: Sequence[str], suite: Suite, *, timeout: float = CASE_SECONDS, start_timeout: float = START_SECONDS) -> list[Step]:
    """(good, what happened) for each step, up to the first that is not good: what comes after is mostly its consequence.

    Raises:
        OSError: The command cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="model-", ignore_cleanup_errors=True) as folder, Adapter(command, timeout=timeout) as adapter:
        try:
            implementation = _start(adapter, command, start_timeout)
        except AdapterError as error:
            return [(False, f"start: {_with_log(error, adapter)}")]
        steps = _introduced(implementation, suite)
        if not steps[0][0]:
            return steps
        good_case, bad_case = _samples(suite)
        reading = op_for(good_case, implementation["roles"])
        if reading is None:
            return [*steps, (False, 'roles: one of "reader" and "validator" is needed')]
        requests = (
            ("accepted", reading, good_case, good_case.lay_out(Path(folder) / "0" / "input")),
            ("rejected", reading, bad_case, bad_case.lay_out(Path(folder) / "1" / "input")),
            ("skipped", UNKNOWN_OP, good_case, Path(folder) / "0" / "input"),
        )
        for seq, (wanted, op, case, path) in enumerate(requests):
            request = {"cmd": "run", "seq": seq, "op": op, "input": str(path)}
            try:
                answer = adapter.ask(request)
            except AdapterTimeoutError as error:
                return [*steps, (False, f"{wanted}: {error}; {_silence(adapter, timeout)}")]
            except AdapterError as error:
                return [*steps, (False, f"{wanted}: {_with_log(error, adapter)}")]
            steps.append(_step(wanted, request, answer, case))
            if not steps[-1][0]:
                return steps
        return [*steps, _farewell(adapter)]


def _with_log(error: AdapterError, adapter: Adapter) -> str:
    """`error` and the end of what the adapter wrote to its standard error."""
    return "\n        | ".join([str(error), *adapter.log.splitlines()[-5:]])


def _start(adapter: Adapter, command: Sequence[str], seconds: float) -> dict[str, Json]:
    """What the adapter says about itself; one that is silent is asked in a process of its own whether it only buffers.

    Raises:
        AdapterError: It does not say it.
    """
    soon = min(seconds, SUSPICIOUS_SECONDS)
    try:
        return adapter.start(soon)
    except AdapterTimeoutError:
        with Adapter(command) as other:
            other.send(START)
            spoke = other.finish(soon)
    try:
        return introduction(adapter.receive(max(seconds - 2 * soon, 0.1)))
    except AdapterTimeoutError:
        problem = _held_back(spoke) if spoke else "it wrote nothing, neither at once nor when its input ended"
        raise AdapterTimeoutError(f"no answer in {seconds:g} s; {problem}") from None


def _held_back(lines: Sequence[bytes]) -> str:
    """Why `lines` came only when the input had ended."""
    return advice(lines[0]) or (BUFFERED if lines[0].endswith(b"\n") else UNFINISHED)


def _silence(adapter: Adapter, seconds: float) -> str:
    """Why there was no answer in time: it is late, unfinished, held back, or there is none."""
    try:
        adapter.receive(seconds)
    except AdapterTimeoutError:
        lines = adapter.finish()
        return _held_back(lines) if lines else "nor when its input ended"
    except AdapterError as error:
        return str(error)
    return f"it came within {2 * seconds:g} s: a case has {seconds:g} s, or what --timeout says"


def _introduced(implementation: Mapping[str, Json], suite: Suite) -> list[Step]:
    """What is to be said of the answer to start: the words in it are those of the suite."""
    wrong = [(False, f"start: {problem}") for problem in unknown_words(implementation, suite)]
    return wrong or [(True, f"start: {implementation['name']} {implementation['version']}, {', '.join(implementation['roles'])}")]


def unknown_words(implementation: Mapping[str, Json], suite: Suite) -> list[str]:
    """What is said of each role and profile of an adapter that the suite does not know."""
    problems = []
    for member, known in (("roles", {case.role for case in suite.cases}), ("profiles", {case.profile for case in suite.cases})):
        for word in implementation[member]:
            if word not in known:
                near = difflib.get_close_matches(word.lower(), sorted(known), 1)
                meant = f"; {near[0]!r} is" if near else f"; they are {', '.join(sorted(known))}"
                problems.append(f"{word!r} is none of the {member}{meant}")
    return problems


def _farewell(adapter: Adapter) -> Step:
    lines = adapter.finish()
    if lines:
        first = short(lines[0].decode(errors="replace").strip(), 80)
        return False, f"end: {len(lines)} lines more than were asked for, the first {first!r}; {advice(lines[0]) or 'one request has one answer'}"
    if not adapter.has_ended:
        adapter.kill()
        return False, "end: the adapter goes on although its input has ended; it has to stop there"
    return True, "end: good"


def _step(wanted: str, request: Mapping[str, Json], answer: Mapping[str, Json], case: Case) -> Step:
    seq, op = request["seq"], request["op"]
    outcome = answer.get("outcome")
    if type(answer.get("seq")) is not int or answer.get("seq") != seq:
        hint = "; has a request been answered twice?" if "protocol" in answer or answer.get("seq") in range(seq) else ""
        return False, f"{wanted}: the answer must repeat \"seq\": {seq}; it says {answer.get('seq')!r}{hint}"
    if outcome not in OUTCOMES:
        return False, f"{wanted}: your adapter answered {outcome!r}; the words are {', '.join(OUTCOMES)}"
    if outcome == "errored":
        return False, f"{wanted}: your implementation failed inside: {str(answer.get('detail', 'no detail'))[-300:]}"
    if outcome != wanted:
        if wanted == "skipped":
            return False, f"skipped: an operation that you do not know ({UNKNOWN_OP!r}) is answered with 'skipped', not with {outcome!r}"
        return False, f"{wanted}: your adapter answered {outcome!r} {short(answer.get('problems', ''))}; see: triptych-conformance show {case.id}"
    if wanted == "accepted" and op == "read":
        return _observed(answer.get("observed"), case)
    if wanted == "rejected":
        return _problems(answer.get("problems"), request["input"])
    return True, f"{wanted}: good"


def _observed(observed: Json, case: Case) -> Step:
    if not isinstance(observed, dict):
        return False, 'accepted: "observed", an object that says what was read, is missing'
    for name, tensor in _tensors(observed):
        if not isinstance(tensor, dict):
            return False, f"accepted: tensor {name!r} is an object with dtype, shape and bits, not {short(tensor, 80)}"
        dtype, bits = tensor.get("dtype"), tensor.get("bits")
        if isinstance(dtype, str) and dtype != dtype.lower():
            return False, f"accepted: dtypes go by their names in chapter 40, such as 'float32', not {dtype!r}"
        if bits is not None and not (isinstance(bits, list) and all(isinstance(one, str) and re.fullmatch(r"[0-9a-f]+", one) for one in bits)):
            return False, f"accepted: bits are strings of hexadecimal digits, such as '3f800000' for 1.0, one for each element, not {short(bits, 80)}"
    if found := observation(case.expected, observed):
        return True, f"accepted: the words are right; what was seen is not yet: {found}"
    return True, "accepted: good"


def _tensors(observed: Mapping[str, Json]) -> Iterable[tuple[str, Json]]:
    tensors = observed.get("tensors")
    return tensors.items() if isinstance(tensors, dict) else ()


def _problems(problems: Json, path: str) -> Step:
    if not problems:
        return True, 'rejected: good; "problems" (code, place, message) would earn the second score'
    if not isinstance(problems, list) or not all(isinstance(one, dict) for one in problems):
        return False, f'rejected: "problems" is a list of objects with code, place and message, not {short(problems, 80)}'
    for one in problems:
        code, place = one.get("code"), one.get("place")
        if not isinstance(code, str) or not re.fullmatch(r"[A-Z][A-Z0-9_]*", code):
            return False, f"rejected: a code is one of spec/errors.toml, such as 'JSON_SYNTAX', not {short(code, 80)!r}"
        if not isinstance(place, str) or path in place or re.match(r"/|#|[A-Za-z]:", place) or "\\" in place.partition("#")[0]:
            return False, (
                "rejected: a place is the name of a member within the package, then # and a JSON Pointer, "
                f"such as 'architecture.json#/layers/1/name', not {short(place, 120)!r}"
            )
    return True, "rejected: good"
