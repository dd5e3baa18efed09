"""Smoke names each mistake that everybody makes with a first adapter; a run names it, too, where it meets it."""

import sys
from pathlib import Path

import pytest

from triptych_conformance import _run, _smoke
from triptych_conformance._adapter import AdapterError

SUITE = Path(__file__).resolve().parents[1]
MISTAKES = {
    "wrong words": "your adapter answered 'valid'; the words are accepted, rejected, skipped, errored",
    "banner": "write banners, logs and warnings to standard error",
    "byte order mark": "begins with a byte order mark; write UTF-8 without one",
    "UTF-16": "this is UTF-16; write UTF-8",
    "spread JSON": "write each answer on one line, without indentation",
    "printed object": "JSON has double quotes",
    "blank lines": "the line is empty",
    "absolute places": "a place is the name of a member within the package",
    "bare pointers": "then # and a JSON Pointer, such as 'architecture.json#/layers/1/name', not '/format'",
    "codes in words": "a code is one of spec/errors.toml, such as 'JSON_SYNTAX', not 'not json'",
    "problems are texts": '"problems" is a list of objects with code, place and message',
    "seq as text": "the answer must repeat \"seq\": 0; it says '0'",
    "codes of safetensors": "dtypes go by their names in chapter 40, such as 'float32', not 'F32'",
    "decimals": "bits are strings of hexadecimal digits, such as '3f800000' for 1.0",
    "nothing observed": '"observed", an object that says what was read, is missing',
    "errors for unknown operations": "is answered with 'skipped', not with 'rejected'",
    "reader in capitals": "'Reader' is none of the roles; 'reader' is",
    "protocol as text": 'expected an answer to start with "protocol": 1',
    "no profiles": "expected a list of strings 'profiles' in the answer to start",
    "answers twice": 'the answer must repeat "seq": 0; it says None; has a request been answered twice?',
    "one request": "ended with exit status 0 before it answered; it has to read on until its standard input ends",
    "fails at once": "no module named reader",
}
SILENT = {
    "buffers": "it answers only when its input has ended: flush the output after each line",
    "reads to the end": "answer each line before you read the next",
    "no line break": "the line that it wrote has no line break at its end",
}


@pytest.fixture
def smoke(suite):
    return lambda kind, **seconds: _smoke.smoke([sys.executable, str(SUITE / "mutants" / "beginner.py"), kind], suite, **seconds)


@pytest.mark.parametrize(("kind", "sentence"), MISTAKES.items(), ids=list(MISTAKES))
def test_a_mistake_has_a_sentence_that_helps(kind, sentence, smoke):
    wrong = [text for good, text in smoke(kind) if not good]
    assert len(wrong) == 1
    assert sentence in wrong[0]


@pytest.mark.parametrize(("kind", "sentence"), SILENT.items(), ids=list(SILENT))
def test_silence_is_explained(kind, sentence, smoke, monkeypatch):
    monkeypatch.setattr(_smoke, "SUSPICIOUS_SECONDS", 1.0)
    (good, text), = smoke(kind, start_timeout=3.0)
    assert not good
    assert sentence in text


def test_an_answer_that_comes_late_is_told_from_one_that_does_not_come(smoke):
    assert smoke("late", timeout=1.0)[-1] == (False, "accepted: no answer in 1 s; it came within 2 s: a case has 1 s, or what --timeout says")


def test_an_adapter_that_goes_on_without_input_is_told_so(smoke, monkeypatch):
    plain = _smoke.Adapter.finish
    monkeypatch.setattr(_smoke.Adapter, "finish", lambda self: plain(self, 0.5))
    assert smoke("goes on")[-1] == (False, "end: the adapter goes on although its input has ended; it has to stop there")


@pytest.mark.parametrize("kind", ["right", "CRLF"])
def test_what_is_right_is_good(kind, smoke):
    """A carriage return before the line break is what text files of Windows have: it is left aside."""
    assert [good for good, _ in smoke(kind)] == [True] * 5


def test_what_was_seen_is_the_implementation_s_business(smoke):
    steps = smoke("something else seen")
    assert all(good for good, _ in steps)
    assert "what was seen is not yet" in steps[1][1]


@pytest.mark.parametrize("kind", ["banner", "spread JSON", "byte order mark", "printed object"])
def test_a_run_names_the_mistake_as_well(kind, suite):
    with pytest.raises(AdapterError, match=MISTAKES[kind]):
        _run.run([sys.executable, str(SUITE / "mutants" / "beginner.py"), kind], suite.select(["cnf-001-*"]))
