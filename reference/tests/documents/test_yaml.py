"""YAML text: what every parser reads alike is read, the rest is refused, and what is written is read alike by others."""

import io
import time

import pytest
import ruamel.yaml
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from triptych.documents import dump_json, dump_yaml, parse_json, parse_yaml
from triptych.documents.plain_scalars import AmbiguousScalar, resolve_plain
from triptych.documents.scalars import spell
from triptych.errors import Findings, TriptychError, UsageError
from triptych.limits import Limits


def read(text, **limits):
    return parse_yaml(text if isinstance(text, bytes) else text.encode(), Findings(), limits=Limits(**limits))


def problems(text, **limits):
    with pytest.raises(TriptychError) as caught:
        read(text, **limits)
    return [(problem.code, problem.place) for problem in caught.value.problems]


def yaml_1_1(text):
    return yaml.load(text, Loader=yaml.CSafeLoader)


def yaml_1_2(text):
    return ruamel.yaml.YAML(typ="safe", pure=True).load(io.StringIO(text))


AMBIGUOUS = [
    "no", "No", "NO", "yes", "Yes", "on", "off", "OFF", "y", "Y", "n", "N", "True", "TRUE", "False", "Null", "NULL", "~", "=",
    "1e3", "1E3", "1e+3", "1.0e3", "1.e3", "010", "0o7", "0x1F", "0X1F", "0b101", "1_000", "1,000", "+1", "+1.5", ".5", "5.", "-.5", "00", "-01",
    "12:30:00", "12:30", "1:30.5", "190:20:30", "2024-01-01", "2024-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "1.2.3", ".", "..", "0x", "1__0", "-1:2", "1a", "--", "12-30", "3x3", "?a", ":a",
]  # fmt: skip


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_a_scalar_that_needs_quotes_is_refused(text):
    with pytest.raises(AmbiguousScalar):
        resolve_plain(text)
    assert problems(f"a: {text}") == [("YAML_AMBIGUOUS_SCALAR", "/a")]
    assert read(f'{{a: "{text}"}}') == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [("null", None), ("", None), ("true", True), ("false", False), ("0", 0), ("-0", 0), ("-12", -12), ("1.0", 1.0), ("-0.5", -0.5), ("1.0e-5", 1e-5), ("1.5E+16", 1.5e16), ("relu", "relu"),
     ("a b", "a b"), ("same_upper", "same_upper"), ("a:b", "a:b"), ("e3", "e3"), ("v1.0", "v1.0"), ("NaN", "NaN"), ("Infinity", "Infinity"), ("_1", "_1")],
)  # fmt: skip
def test_a_scalar_that_all_parsers_read_alike_is_read(text, value):
    found = resolve_plain(text)
    assert (type(found), found) == (type(value), value)


@given(st.text(st.sampled_from("0123456789_+-.:eExXoObBtTyYnNfFaAiInNzZ~= ,"), max_size=12).map(str.strip))
@example("0o17")
@example("1_0:5")
@example("0b1_0")
@example("-_")
@example("+_1")
def test_a_scalar_is_accepted_only_if_both_yaml_versions_read_the_same(text):
    """PyYAML and ruamel judge: whatever we accept without quotes, they read as we do."""
    document = f"a:\n  - {text}\n"
    try:
        value = read(document)
    except TriptychError:
        return
    for parser in (yaml_1_1, yaml_1_2):
        other = parser(document)
        assert repr(other) == repr(value), parser.__name__


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: &x 1", "YAML_ALIAS", "/a"), ("a: *x", "YAML_ALIAS", "/a"), ("&x a: 1", "YAML_ALIAS", ""), ("a: !!str 1", "YAML_TAG", "/a"), ("!t {a: 1}", "YAML_TAG", ""), ("a: [!x 1]", "YAML_TAG", "/a/0"),
        ("<<: {a: 1}", "YAML_MERGE_KEY", ""), ("1: a", "YAML_NAME_NOT_STRING", ""), ("null: a", "YAML_NAME_NOT_STRING", ""), ("? [a]\n: b", "YAML_NAME_NOT_STRING", ""), ("? {a: 1}\n: b", "YAML_NAME_NOT_STRING", ""),
        ("?\n: a", "YAML_NAME_NOT_STRING", ""), ("a: 1\na: 2", "OBJECT_DUPLICATE_NAME", ""), ("{a: 1, \"\\x61\": 2}", "OBJECT_DUPLICATE_NAME", ""), ("a: .inf", "NUMBER_NOT_FINITE", "/a"), ("a: -.INF", "NUMBER_NOT_FINITE", "/a"),
        ("a: .NaN", "NUMBER_NOT_FINITE", "/a"), ("a: 1\n---\nb: 2", "YAML_SEVERAL_DOCUMENTS", ""), ("%YAML 1.2\n---\na: 1", "YAML_SEVERAL_DOCUMENTS", ""), ("%TAG ! tag:x,1:\n---\na: 1", "YAML_SEVERAL_DOCUMENTS", ""),
        ("a: \"\u2028\"", "YAML_LINE_BREAK", ""), ("# \x85\na: 1", "YAML_LINE_BREAK", ""), ("a: 18446744073709551616", "NUMBER_OUT_OF_RANGE", "/a"), ("a: 1.0e+400", "NUMBER_OUT_OF_RANGE", "/a"),
        ("a: " + "1" * 65, "NUMBER_TOO_LONG", "/a"), ("a: " + "1" * 5000, "NUMBER_TOO_LONG", "/a"), ("a: [1", "YAML_SYNTAX", ""), ("\ta: 1", "YAML_SYNTAX", ""), ("", "YAML_SYNTAX", ""), ("a: \"\\ud800\"", "YAML_SYNTAX", ""),
        ("a: \x01", "YAML_SYNTAX", ""), ("a: @b", "YAML_SYNTAX", ""),
    ],
)  # fmt: skip
def test_what_is_refused(text, code, place):
    assert (code, place) in problems(text)


def test_every_problem_says_line_and_column():
    with pytest.raises(TriptychError) as caught:
        read("a: 1\nb:\n  - no\n  - &x 1\n")
    assert [problem.message.rpartition(" at ")[2] for problem in caught.value.problems] == ["line 3, column 5", "line 4, column 5"]


def test_no_more_problems_are_made_than_are_told():
    findings = Findings()
    with pytest.raises(TriptychError) as caught:
        parse_yaml(("[" + "no, " * 1_000_000 + "]").encode(), findings)
    assert len(caught.value.problems) == 100
    assert len(findings.problems) < 200


def test_an_alias_bomb_is_refused_without_being_expanded():
    bomb = "a: &a [x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20))
    assert problems(bomb)[0] == ("YAML_ALIAS", "/a")


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000, "".join(" " * i + "a:\n" for i in range(1000))])
def test_100_000_levels_are_refused(text):
    assert len(problems(text)) <= 100
    assert problems(text)[-1][0] in {"NESTING_TOO_DEEP", "YAML_SYNTAX", "YAML_NAME_NOT_STRING"}


@pytest.mark.parametrize("text", ["a: 'it''s", "[" * 100 + "a, " * 100_000, "&a " * 100_000, "# " * 1_000_000, '"' + "\\n" * 500_000, "a" * 2_000_000, "- a\n" * 100_000, "{" + "a: 1, " * 50_000, "? a\n" * 50_000])
def test_hostile_text_ends_soon(text):
    started = time.process_time()
    try:
        read(text)
    except TriptychError:
        pass
    assert time.process_time() - started < 8


@pytest.mark.parametrize(("text", "limits"), [("[1, {a: b}]", {"values": 4}), ("[ab]", {"string_bytes": 2}), ("{ab: 1}", {"name_bytes": 2}), ("[1]", {"yaml_bytes": 3}), ("[[1]]", {"depth": 2})])
def test_a_limit_is_kept_and_one_more_is_refused(text, limits):
    read(text, **limits)
    (name, value), = limits.items()
    assert problems(text, **{name: value - 1})[0][0] in {"DOCUMENT_LIMIT_EXCEEDED", "NESTING_TOO_DEEP"}


def test_bom_and_utf_16_are_refused():
    assert problems(b"\xef\xbb\xbfa: 1")[0][0] == problems("a: 1".encode("utf-16"))[0][0] == problems(b"a: \xff")[0][0] == "TEXT_NOT_UTF8"


def test_json_text_is_yaml_text():
    data = {"a": [1, 2.5, None, {"b": "c", "d": []}], "e": {}, "f": "no"}
    assert read(dump_json(data)) == data


def test_the_canonical_text():
    data = {"a": [{"b": 1, "c": [1, "x", "no"]}, [[1], []], "s p"], "d": {}, "e": {"f": {"g": None}}, "1": float("inf")}
    assert dump_yaml(data) == (
        'a:\n  - b: 1\n    c: [1, x, "no"]\n  - - [1]\n    - []\n  - "s p"\nd: {}\ne:\n  f:\n    g: null\n"1":\n  float: Infinity\n'
    )


@pytest.mark.parametrize("data", [2**64, "\ud800", {1: 2}, object(), {"a": b""}, [{1, 2}]])
def test_what_no_document_can_hold_is_refused_by_the_writer(data):
    with pytest.raises(UsageError):
        dump_yaml(data)


def test_the_writer_stops_where_the_reader_would():
    def nest(levels, leaf):
        data = leaf
        for _ in range(levels):
            data = {"a": data}
        return data

    for leaf in ([], [1], {}, {"b": 1}, [{}]):
        levels = 128 - (2 if leaf == [{}] else 1)
        assert read(dump_yaml(nest(levels, leaf))) == nest(levels, leaf)
        with pytest.raises(UsageError):
            dump_yaml(nest(levels + 1, leaf))


strange = st.text(max_size=12) | st.sampled_from([*AMBIGUOUS, "null", "true", "<<", "- a", "a: b", "# a", "a #b", "%a", "@a", "`a", "|", ">", "'a", "&a", "*a", "!a", "?", "? a", "\x85", "\u2028", "\ufeff", "\xa0", "a\n", " a", "\t", "\ufffe"])
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | strange,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(strange, inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(plain)
@example({"k" * 1001: {"a": 1}, "é" * 600: [1], "\x01" * 400: 1, "": {"": []}})
def test_what_is_written_is_read_alike_by_us_and_by_yaml_1_1_and_1_2(data):
    text = dump_yaml(data)
    assert repr(read(text, yaml_bytes=1 << 30, name_bytes=1 << 20)) == repr(data)
    assert repr(yaml_1_1(text)) == repr(data)
    assert repr(yaml_1_2(text)) == repr(data)


@settings(max_examples=200, deadline=None)
@given(plain)
def test_json_and_yaml_say_the_same(data):
    assert repr(read(dump_yaml(data))) == repr(parse_json(dump_json(data).encode(), Findings()))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=40) | st.text(st.sampled_from("ab:-?[]{},&*!|>'\"%@`#\n \t01.~<\\xu"), max_size=40).map(str.encode))
@example(b"\xff")
@example(b"? - a\n")
def test_any_bytes_are_read_or_refused(data):
    try:
        value = read(data)
    except TriptychError as error:
        assert all(problem.code and problem.message for problem in error.problems)
    else:
        assert repr(read(dump_yaml(value))) == repr(spell(value))
