"""JSON text: strict reading, canonical writing, and nothing but declared errors on any bytes."""

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from triptych.documents import dump_json, parse_json
from triptych.documents.scalars import number_text
from triptych.errors import Findings, InvalidModelError, TriptychError, UnsupportedError, UsageError
from triptych.limits import Limits


def read(text, **limits):
    return parse_json(text if isinstance(text, bytes) else text.encode(), Findings(), limits=Limits(**limits))


def problems(text, **limits):
    with pytest.raises(TriptychError) as caught:
        read(text, **limits)
    return [(problem.code, problem.place) for problem in caught.value.problems], caught.value


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [('{"a" 1}', 1, 6), ('{\n  "a": tru\n}', 2, 8), ("", 1, 1), ('{"a": "b\nc"}', 1, 9), ("[1] 2", 1, 5), ("{'a': 1}", 1, 2)],
)
def test_a_syntax_error_says_line_and_column(text, line, column):
    found, error = problems(text)
    assert found == [("JSON_SYNTAX", "")]
    assert f"at line {line}, column {column}:" in error.problems[0].message


def test_a_member_is_named_in_the_place():
    with pytest.raises(InvalidModelError) as caught:
        parse_json(b'{"a": {"b": 1, "b": 2}}', Findings(member="architecture.json"))
    assert caught.value.problems[0].place == "architecture.json#/a"


def test_all_faults_that_can_be_told_apart_are_listed():
    found, _ = problems('{"a/b": [{"x": 1, "x": NaN}, 1e400], "c~": 18446744073709551616}')
    assert found == [
        ("OBJECT_DUPLICATE_NAME", "/a~1b/0"),
        ("NUMBER_NOT_FINITE", "/a~1b/0/x"),
        ("NUMBER_OUT_OF_RANGE", "/a~1b/1"),
        ("NUMBER_OUT_OF_RANGE", "/c~0"),
    ]


@pytest.mark.parametrize("levels", [1, 127, 128])
def test_128_levels_are_read(levels):
    assert read("[" * levels + "]" * levels) is not None


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":[', "{"])
@pytest.mark.parametrize("count", [129, 1_000, 100_000])
def test_deeper_text_is_refused_before_the_parser_sees_it(opening, count, monkeypatch):
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("the parser ran"))
    found, error = problems(opening * count)
    assert found == [("NESTING_TOO_DEEP", "")]
    assert "line 1, column" in error.problems[0].message


def test_brackets_in_strings_are_no_levels():
    text = json.dumps({"a": "[" * 500, 'b\\"[': '\\"' + "{" * 500})
    assert read(text) == json.loads(text)


@pytest.mark.parametrize("text", ['\\"' * 40_000 + "[" * 200, '"' + '\\"' * 100_000, "[" * 200 + '"' + '\\"' * 100_000, '["' * 100_000, "[" * 128 + "{" * 100_000])
def test_hostile_text_takes_linear_time(text):
    started = time.process_time()
    with pytest.raises(InvalidModelError):
        read(text)
    assert time.process_time() - started < 2


def test_values_are_counted_exactly():
    assert read("[1, [], {}, {}, \"\"]", values=6) == [1, [], {}, {}, ""]
    found, error = problems("[1, [], {}, {}, \"\"]", values=5)
    assert found == [("DOCUMENT_LIMIT_EXCEEDED", "")]
    assert isinstance(error, UnsupportedError)


@pytest.mark.parametrize(("text", "limits"), [('["ab"]', {"string_bytes": 2}), ('{"ab": 1}', {"name_bytes": 2}), ("[1]", {"document_bytes": 3}), ("[123]", {"number_chars": 3})])
def test_a_limit_is_kept_and_one_more_is_refused(text, limits):
    assert read(text, **limits) == json.loads(text)
    (name, value), = limits.items()
    found, _ = problems(text, **{name: value - 1, **({} if name in {"name_bytes", "document_bytes", "number_chars"} else {"name_bytes": 1})})
    assert found[0][0] in {"DOCUMENT_LIMIT_EXCEEDED", "NUMBER_TOO_LONG"}


def test_a_name_of_escapes_counts_as_what_it_says():
    assert read('{"' + "\\u0061" * 1024 + '": 1}') == {"a" * 1024: 1}


def test_no_more_problems_are_made_than_are_told():
    findings = Findings()
    with pytest.raises(InvalidModelError) as caught:
        parse_json(("[" + "NaN," * 1_000_000 + "NaN]").encode(), findings)
    assert len(caught.value.problems) == 100
    assert len(findings.problems) < 200


def test_4301_digits_are_a_problem_and_no_crash():
    assert problems("[" + "1" * 4301 + "]")[0] == [("NUMBER_TOO_LONG", "/0")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"), (0.001, "0.001"), (1e-4, "0.0001"), (1e-5, "1.0e-5"), (1.5e-7, "1.5e-7"), (9999999999999998.0, "9999999999999998.0"), (1e16, "1.0e+16"),
        (1.5e16, "1.5e+16"), (-0.0, "-0.0"), (5e-324, "5.0e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"), (0.1 + 0.2, "0.30000000000000004"),
        (0, "0"), (-1, "-1"), (2**64 - 1, "18446744073709551615"),
    ],
)  # fmt: skip
def test_numbers_have_one_spelling(value, text):
    assert number_text(value) == text


def test_the_canonical_text():
    data = {"b": [1, 2.5, None, True, "x"], "a": {}, "c": [], "d": [[1], {"e": []}], "f": [float("nan")]}
    assert dump_json(data) == (
        '{\n  "b": [1, 2.5, null, true, "x"],\n  "a": {},\n  "c": [],\n  "d": [\n    [1],\n    {\n      "e": []\n    }\n  ],\n'
        '  "f": [\n    {\n      "float": "NaN"\n    }\n  ]\n}\n'
    )


def test_what_is_escaped():
    assert dump_json('"\\/\b\f\n\r\t\x00\x1f\x7f\x80\u2028\u2029\ufeff\U0001d11e') == '"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\x80\\u2028\\u2029\ufeff\U0001d11e"\n'


@pytest.mark.parametrize("data", [2**64, -(2**63) - 1, "\ud800", {"\udfff": 1}, {1: 2}, {None: 1}, object(), b"x", {"a": {1, 2}}, [1j]])
def test_what_no_document_can_hold_is_refused_by_the_writer(data):
    with pytest.raises(UsageError):
        dump_json(data)


def test_the_writer_stops_where_the_reader_would():
    def nest(levels):
        data = []
        for _ in range(levels - 1):
            data = [data]
        return data

    assert read(dump_json(nest(128))) == nest(128)
    with pytest.raises(UsageError):
        dump_json(nest(129))


def test_a_map_of_100_000_strings_is_written_about_as_fast_as_by_the_standard_library():
    data = {f"layer_{i}.kernel": f"model-{i % 9:05}-of-00009.safetensors" for i in range(100_000)}
    best = {}
    for name, write in (("ours", dump_json), ("theirs", lambda d: json.dumps(d, indent=2))):
        best[name] = min(_seconds(write, data) for _ in range(5))
    assert best["ours"] < 5 * best["theirs"]


def _seconds(function, argument):
    started = time.process_time()
    function(argument)
    return time.process_time() - started


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=30,
)


def same(one, other):
    """Equal, with 1 and 1.0 kept apart, and 0.0 and -0.0."""
    return repr(one) == repr(other) if not isinstance(one, dict) else list(one) == list(other) and all(same(one[k], other[k]) for k in one)


@given(plain)
def test_what_is_written_is_read(data):
    text = dump_json(data)
    assert same(read(text), data)
    assert same(json.loads(text), data)
    assert dump_json(read(text)) == text


@settings(max_examples=500)
@given(st.binary(max_size=64) | st.text(st.sampled_from('{}[]",:\\u0123dDeE.-+ntrfalse \n\ud800'), max_size=40).map(lambda t: t.encode("utf-8", "surrogatepass")))
@example(b'\\"')
@example(b'{"\\"')
def test_any_bytes_are_read_or_refused(data):
    try:
        value = read(data)
    except TriptychError as error:
        assert all(problem.code and problem.message for problem in error.problems)
    else:
        assert value == json.loads(data)
