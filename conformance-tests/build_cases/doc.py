"""Cases of chapter 10: JSON and YAML text, and the one data model behind both."""

from __future__ import annotations

from collections.abc import Iterable

import kit
from kit import Case

PROBE = {"format_version": "1.0", "layers": [{"name": "probe", "type": "org.example:Probe", "config": {"x": 1}}]}
"""An architecture whose one layer holds whatever a case puts into its config."""
HEAD = '{"format_version":"1.0","layers":[{"name":"probe","type":"org.example:Probe","config":'
TAIL = "}]}"
YAML_HEAD = 'format_version: "1.0"\nlayers:\n  - name: probe\n    type: "org.example:Probe"\n'
AT = "architecture.json#/layers/0/config"
YAML_AT = "architecture.yaml#/layers/0/config"


def probe(config: kit.Json) -> dict[str, kit.Json]:
    """The architecture of one layer with this config, as it is observed."""
    return {"format_version": "1.0", "layers": [{"name": "probe", "type": "org.example:Probe", "config": config}]}


def json_text(config: str | bytes) -> dict[str, bytes | kit.Generated]:
    """A package whose architecture holds the JSON text `config` as its layer's config."""
    middle = config if isinstance(config, bytes) else config.encode()
    return kit.package(HEAD.encode() + middle + TAIL.encode())


def yaml_text(config: str) -> dict[str, bytes | kit.Generated]:
    """The same in YAML; `config` follows the colon."""
    return kit.package(f"{YAML_HEAD}    config: {config}\n")


def accepts(id_: str, title: str, config: str, seen: kit.Json, *requirements: str) -> Case:
    return Case(id_, title, [id_[:7].upper(), *requirements], json_text(config), accepted=kit.observe(probe(seen)))


def rejects(id_: str, title: str, config: str | bytes, code: str, place: str, twin: str, stage: str = "json") -> Case:  # noqa: PLR0917 - a row of a table
    return Case(id_, title, [id_[:7].upper()], json_text(config), rejected=(stage, code, place), twin=twin)


def accepts_yaml(id_: str, title: str, config: str, seen: kit.Json, *requirements: str) -> Case:
    return Case(id_, title, [id_[:7].upper(), *requirements], yaml_text(config), accepted=kit.observe(probe(seen)), profile="yaml")


def rejects_yaml(id_: str, title: str, config: str, code: str, place: str, twin: str) -> Case:  # noqa: PLR0917 - a row of a table
    return Case(id_, title, [id_[:7].upper()], yaml_text(config), rejected=("json", code, place), twin=twin, profile="yaml")


def nested(levels: int) -> str:
    """Arrays inside each other, as a config's member, so that the whole document has `levels` levels."""
    return '{"x":' + "[" * (levels - 4) + "]" * (levels - 4) + "}"


def deep(levels: int) -> kit.Json:
    """What `nested` says."""
    data: list[kit.Json] = []
    for _ in range(levels - 5):
        data = [data]
    return {"x": data}


def cases() -> Iterable[Case]:
    import _limits
    from _edges import pairs_of_integers  # a layer's config is where they stand

    yield from pairs_of_integers()
    yield from _limits.of_documents()
    yield from text_cases()
    yield from number_cases()
    yield from limit_cases()
    yield from writing_cases()
    yield from yaml_cases()


def text_cases() -> Iterable[Case]:
    yield accepts("doc-001-four-bytes", "A character of four bytes", '{"x":"\U0001d11e"}', {"x": "\U0001d11e"})
    yield rejects("doc-001-overlong-slash", "A slash encoded in two bytes", b'{"x":"\xc0\xaf"}', "TEXT_NOT_UTF8", "architecture.json", "doc-001-four-bytes", "bytes")
    yield rejects("doc-001-latin-1", "A character encoded in Latin-1", b'{"x":"\xe9"}', "TEXT_NOT_UTF8", "architecture.json", "doc-001-four-bytes", "bytes")
    yield rejects("doc-001-encoded-surrogate", "A surrogate encoded in three bytes", b'{"x":"\xed\xa0\x80"}', "TEXT_NOT_UTF8", "architecture.json", "doc-001-four-bytes", "bytes")
    yield Case("doc-002-no-mark", "The text begins with its first brace", ["DOC-002"], kit.package(PROBE), accepted=kit.observe(PROBE))
    yield Case("doc-002-utf-8-mark", "A byte order mark before the text", ["DOC-002"], kit.package(b"\xef\xbb\xbf" + kit.document(PROBE)),
               rejected=("bytes", "TEXT_NOT_UTF8", "architecture.json"), twin="doc-002-no-mark")
    yield Case("doc-002-utf-16", "A document in UTF-16 with its mark", ["DOC-002"], kit.package(kit.text(PROBE).encode("utf-16")),
               rejected=("bytes", "TEXT_NOT_UTF8", "architecture.json"), twin="doc-002-no-mark")
    yield accepts("doc-003-all-kinds", "Every kind of JSON value", ' { "x" : [ null , true , false , -0.5 , 2e+3 , "\\u0041\\n" , { } , [ ] ] } ',
                  {"x": [None, True, False, -0.5, 2000.0, "A\n", {}, []]})
    for name, title, text in (
        ("comment", "A comment", '{"x":1/* one */}'), ("trailing-comma", "A comma before a closing bracket", '{"x":[1,]}'),
        ("single-quotes", "A string in single quotes", "{'x':1}"), ("leading-zero", "A number with a leading zero", '{"x":01}'),
        ("plus-sign", "A number with a plus sign", '{"x":+1}'), ("bare-point", "A number that ends with its point", '{"x":1.}'),
        ("hexadecimal", "A hexadecimal number", '{"x":0x1F}'), ("control-character", "A line break inside a string", '{"x":"a\nb"}'),
        ("unknown-escape", "An escape that JSON does not know", '{"x":"\\x41"}'), ("unquoted-name", "A name without quotes", "{x:1}"),
        ("python-literal", "True with a capital", '{"x":True}'), ("cut-short", "An object that never ends", '{"x":1'),
    ):
        yield rejects(f"doc-003-{name}", title, text, "JSON_SYNTAX", "architecture.json", "doc-003-all-kinds")
    yield Case("doc-003-two-values", "A second value after the first", ["DOC-003"], kit.package(kit.document(PROBE) + b"{}"),
               rejected=("json", "JSON_SYNTAX", "architecture.json"), twin="doc-003-all-kinds")
    yield Case("doc-003-empty", "An empty file", ["DOC-003"], kit.package(b""), rejected=("json", "JSON_SYNTAX", "architecture.json"), twin="doc-003-all-kinds")
    yield accepts("doc-004-names-differ-in-case", "Names that differ in case only", '{"x":1,"X":2}', {"x": 1, "X": 2})
    yield rejects("doc-004-same-name", "A name twice in an object", '{"x":1,"x":2}', "OBJECT_DUPLICATE_NAME", AT, "doc-004-names-differ-in-case")
    yield rejects("doc-004-same-name-escaped", "A name twice, once written as an escape", '{"x":1,"\\u0078":2}', "OBJECT_DUPLICATE_NAME", AT, "doc-004-names-differ-in-case")
    yield Case("doc-004-at-the-top", "A member of the document twice", ["DOC-004"],
               kit.package(b'{"format_version":"1.0","layers":[],"layers":[]}'), rejected=("json", "OBJECT_DUPLICATE_NAME", "architecture.json#"), twin="doc-004-names-differ-in-case")
    yield accepts("doc-005-surrogate-pair", "A pair of surrogate escapes", '{"x":"\\ud834\\udd1e"}', {"x": "\U0001d11e"})
    yield rejects("doc-005-high-surrogate-alone", "A high surrogate without its partner", '{"x":"\\ud834"}', "STRING_LONE_SURROGATE", f"{AT}/x", "doc-005-surrogate-pair")
    yield rejects("doc-005-low-surrogate-first", "A low surrogate before a high one", '{"x":"\\udd1e\\ud834"}', "STRING_LONE_SURROGATE", f"{AT}/x", "doc-005-surrogate-pair")
    yield rejects("doc-005-in-a-name", "A lone surrogate in a name", '{"\\ud834":1}', "STRING_LONE_SURROGATE", AT, "doc-005-surrogate-pair")
    yield Case("doc-011-an-object", "A document that is an object", ["DOC-011"], kit.package(PROBE), accepted=kit.observe(PROBE))
    yield Case("doc-011-an-array", "A document that is an array", ["DOC-011"], kit.package([PROBE]), rejected=("schema", "DOCUMENT_NOT_OBJECT", "architecture.json#"), twin="doc-011-an-object")
    for name, title, text in (("null", "A document that is null", b"null\n"), ("a-number", "A document that is a number", b"1\n"), ("false", "A document that is false", b"false\n"), ("a-string", "A document that is a string", b'"layers"\n')):
        yield Case(f"doc-011-{name}", title, ["DOC-011"], kit.package(text), rejected=("schema", "DOCUMENT_NOT_OBJECT", "architecture.json#"), twin="doc-011-an-object")
    yield Case("doc-011-manifest-null", "A manifest that is null", ["DOC-011"], kit.package(PROBE, raw={"manifest.json": b"null\n"}),
               rejected=("schema", "DOCUMENT_NOT_OBJECT", "manifest.json#"), twin="doc-011-an-object")
    yield Case("doc-011-training-null", "A training document that is null", ["DOC-011"], kit.package(PROBE, training=b"null\n"),
               rejected=("schema", "DOCUMENT_NOT_OBJECT", "training.json#"), twin="doc-011-an-object", profile="training")
    for name, title, text in (("yaml-null", "A document in YAML that is null", "null\n"), ("yaml-marker", "A document in YAML of its first marker", "---\n"), ("yaml-markers", "A document in YAML of its markers", "---\n...\n")):
        yield Case(f"doc-011-{name}", title, ["DOC-011"], kit.package(text), rejected=("schema", "DOCUMENT_NOT_OBJECT", "architecture.yaml#"), twin="doc-011-an-object", profile="yaml")


def number_cases() -> Iterable[Case]:
    least, most = -(2**63), 2**64 - 1
    yield accepts("doc-006-ends-of-the-range", "The least and the greatest integer", f'{{"x":[{least},{most}]}}', {"x": [least, most]})
    yield rejects("doc-006-one-above", "An integer of 2^64", f'{{"x":{most + 1}}}', "NUMBER_OUT_OF_RANGE", f"{AT}/x", "doc-006-ends-of-the-range")
    yield rejects("doc-006-one-below", "An integer below -2^63", f'{{"x":{least - 1}}}', "NUMBER_OUT_OF_RANGE", f"{AT}/x", "doc-006-ends-of-the-range")
    yield accepts("doc-007-greatest-float", "The greatest finite float and the least subnormal", '{"x":[1.7976931348623157e308,4.9e-324]}',
                  {"x": [1.7976931348623157e308, 5e-324]})
    yield rejects("doc-007-too-large", "A float that rounds to infinity", '{"x":1e400}', "NUMBER_OUT_OF_RANGE", f"{AT}/x", "doc-007-greatest-float")
    yield accepts("doc-008-64-characters", "A number of 64 characters", '{"x":0.' + "1" * 62 + "}", {"x": 0.1111111111111111})
    yield rejects("doc-008-65-characters", "A number of 65 characters", '{"x":0.' + "1" * 63 + "}", "NUMBER_TOO_LONG", f"{AT}/x", "doc-008-64-characters")
    spelled = {"x": [{"float": "NaN"}, {"float": "Infinity"}, {"float": "-Infinity"}]}
    yield Case("doc-013-three-spellings", "The three floats that are not finite", ["DOC-013"], kit.package(probe(spelled)), accepted=kit.observe(probe(spelled)))
    yield Case("doc-013-rewritten", "Floats that are not finite survive a rewrite", ["DOC-013"], kit.package(probe(spelled)), op="rewrite", role="writer",
               accepted=kit.observe(probe(spelled)), written=kit.package(probe(spelled)))
    for literal in ("NaN", "Infinity", "-Infinity"):
        yield rejects(f"doc-013-bare-{literal.lower().replace('-', 'minus-')}", f"{literal} as JavaScript writes it", f'{{"x":{literal}}}', "NUMBER_NOT_FINITE", f"{AT}/x", "doc-013-three-spellings")
    dense = {"format_version": "1.0", "layers": [{"name": "dense", "type": "Dense", "config": {"units": 2}}]}
    point = {"format_version": "1.0", "layers": [{"name": "dense", "type": "Dense", "config": {"units": 2.0}}]}
    yield Case("doc-027-integer-extent", "An extent without a point", ["DOC-027"], kit.package(dense), accepted=kit.observe(dense))
    yield Case("doc-027-extent-with-point", "An extent with a point", ["DOC-027"], kit.package(point),
               rejected=("semantic", "INTEGER_EXPECTED", "architecture.json#/layers/0/config/units"), twin="doc-027-integer-extent", profile="layers")
    for name, title, extent in (("extent-of-an-input", "An extent of an input", 2), ("extent-of-an-input-with-point", "An extent of an input with a point", 2.0)):
        taken = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, extent]}], "layers": [{"name": "flat", "type": "Flatten"}]}
        outcome = {"accepted": kit.observe(taken)} if extent.__class__ is int else {
            "rejected": ("semantic", "INTEGER_EXPECTED", "architecture.json#/inputs/0/shape/1"), "twin": "doc-027-extent-of-an-input"}
        yield Case(f"doc-027-{name}", title, ["DOC-027"], kit.package(taken), **outcome)
    inside = {"format_version": "1.0", "layers": [{"name": "conv", "type": "Conv2D", "config": {"filters": 2, "kernel_size": [3, 3.0]}}]}
    yield Case("doc-027-inside-alternatives", "A point in one of two extents, where one extent would do as well", ["DOC-027"], kit.package(inside),
               rejected=("semantic", "INTEGER_EXPECTED", "architecture.json#/layers/0/config/kernel_size/1"), twin="doc-027-integer-extent", profile="layers")


def limit_cases() -> Iterable[Case]:
    yield Case("doc-009-128-levels", "128 levels", ["DOC-009"], json_text(nested(128)), accepted=kit.observe(probe(deep(128))))
    yield rejects("doc-009-129-levels", "129 levels", nested(129), "NESTING_TOO_DEEP", "architecture.json", "doc-009-128-levels")
    yield Case("doc-009-100-000-levels", "100,000 levels", ["DOC-009"], kit.package(kit.Generated((("[", 100_000),))),
               rejected=("json", "NESTING_TOO_DEEP", "architecture.json"), twin="doc-009-128-levels")
    brackets = {"x": "[" * 200}
    yield accepts("doc-009-brackets-in-a-string", "200 brackets in a string", f'{{"x":"{"[" * 200}"}}', brackets)
    yield accepts("doc-010-name-of-1024-bytes", "A name of 1,024 bytes", f'{{"{"x" * 1024}":1}}', {"x" * 1024: 1})
    yield rejects("doc-010-name-of-1025-bytes", "A name of 1,025 bytes", f'{{"{"x" * 1025}":1}}', "DOCUMENT_LIMIT_EXCEEDED", AT, "doc-010-name-of-1024-bytes", "resource")
    yield rejects("doc-010-name-of-513-characters", "A name of 513 characters and 1,026 bytes", f'{{"{"é" * 513}":1}}', "DOCUMENT_LIMIT_EXCEEDED", AT, "doc-010-name-of-1024-bytes", "resource")
    name = "x" * 1025
    yield Case("doc-010-name-of-a-tensor", "A manifest names a tensor in 1,025 bytes", ["DOC-010"],
               kit.package(None, {name: kit.f32([1])}), rejected=("resource", "DOCUMENT_LIMIT_EXCEEDED", "manifest.json#/members/model.safetensors/tensor_digests"), twin="doc-010-name-of-1024-bytes")
    plain = kit.text(PROBE)
    rest = (4 << 20) - len(plain)
    for size, id_, title in ((rest, "doc-010-yaml-of-4-mib", "YAML of 4 MiB"), (rest + 1, "doc-010-yaml-of-one-byte-more", "YAML of 4 MiB and a byte")):
        files = kit.package("", replace={"architecture.yaml": kit.Generated(((plain, 1), ("#" + "-" * 62 + "\n", size // 64), ("#", size % 64)))})
        if size == rest:
            yield Case(id_, title, ["DOC-010"], files, accepted=kit.observe(PROBE), profile="yaml")
        else:
            yield Case(id_, title, ["DOC-010"], files, rejected=("resource", "DOCUMENT_LIMIT_EXCEEDED", "architecture.yaml"), twin="doc-010-yaml-of-4-mib", profile="yaml")
    named = {**PROBE, "metadata": {"author": "Ada", "note": "1"}}
    wrong = {**PROBE, "metadata": {"author": "Ada", "note": 1}}
    yield Case("doc-015-strings", "Metadata of strings", ["DOC-015"], kit.package(named), accepted=kit.observe(named))
    yield Case("doc-015-a-number", "A number among the metadata", ["DOC-015"], kit.package(wrong), rejected=("schema", "METADATA_NOT_STRINGS", "architecture.json#/metadata/note"), twin="doc-015-strings")
    digits = {**PROBE, "metadata": {"author": "Ada", "2024": 1}}
    yield Case("doc-015-name-of-digits", "A number under a name of digits", ["DOC-015"], kit.package(digits), rejected=("schema", "METADATA_NOT_STRINGS", "architecture.json#/metadata/2024"), twin="doc-015-strings")


def rewrite(id_: str, title: str, text: bytes, written: kit.Json, *requirements: str, profile: str = "core") -> Case:
    return Case(id_, title, list(requirements), kit.package(text), op="rewrite", role="writer", profile=profile,
                accepted=kit.observe(written), written=kit.package(written))


def writing_cases() -> Iterable[Case]:
    config = {"int": 1, "float": 1.0, "minus_zero": -0.0, "big": 2**64 - 1, "list": [1, 1.0]}
    yield rewrite("doc-012-one-and-one-point-zero", "1 and 1.0 survive as what they are", kit.document(probe(config)), probe(kit.sort_maps(config)), "DOC-012")
    text = ('{"layers":[{"type":"org.example:Probe","config":{"b":1E5,"a":10.50,"c":[0.00001,1e16,0.0001,9999999999999998.0],"\\u00e9":"\\u00e9\\/\\u007F\\u2028\\u001F\\t",'
            '"B":[[1,2],{}],"d":[],"e":{"y":null,"x":true}},"name":"probe"}],"name":"net","format_version":"1.0"}')
    written = {"format_version": "1.0", "name": "net", "layers": [{"name": "probe", "type": "org.example:Probe", "config": {
        "B": [[1, 2], {}], "a": 10.5, "b": 100000.0, "c": [1e-5, 1e16, 1e-4, 9999999999999998.0], "d": [], "e": {"x": True, "y": None}, "é": "é/\x7f\u2028\x1f\t"}}]}
    yield rewrite("doc-014-from-compact-text", "Compact text in another order", text.encode(), written, "DOC-014", "DOC-017")
    dense = {"format_version": "1.0", "layers": [{"name": "dense", "type": "Dense", "config": {"units": 2, "activation": "relu", "kernel_initializer": {"type": "HeNormal", "config": {"seed": 3}}}}]}
    text = b'{"format_version":"1.0","layers":[{"name":"dense","type":"Dense","config":{"kernel_initializer":{"config":{"seed":3},"type":"HeNormal"},"activation":"relu","units":2}}]}'
    yield rewrite("doc-017-config-in-another-order", "A config in another order than its table", text, dense, "DOC-017")
    schedule = {"type": "CosineDecay", "config": {"alpha": 0.1, "decay_steps": 9, "initial_learning_rate": 0.5}}
    trained = {"format_version": "1.0", "optimizer": {"type": "Lion", "config": {"beta_1": 0.5, "beta_2": 0.25, "learning_rate": schedule, "weight_decay": 0.125}}}
    text = (b'{"format_version":"1.0","optimizer":{"type":"Lion","config":{"learning_rate":{"config":{"initial_learning_rate":0.5,"decay_steps":9,"alpha":0.1},"type":"CosineDecay"},'
            b'"weight_decay":0.125,"beta_1":0.5,"beta_2":0.25}}}')
    yield Case("doc-017-config-of-an-optimizer", "A config of an optimizer in the order of its tables", ["DOC-017"], kit.package(training=text), op="rewrite", role="writer", profile="training",
               accepted=kit.observe(training=trained), written=kit.package(training=trained))
    named = {"format_version": "1.0", "optimizer": {"type": "example:Own", "config": {"-": 1, "config": {"type": "T", "a": 2}, "type": "U"}}}
    text = b'{"format_version":"1.0","optimizer":{"type":"example:Own","config":{"type":"U","config":{"a":2,"type":"T"},"-":1}}}'
    yield Case("doc-017-type-within-a-config", "A config of an optimizer has a member named type", ["DOC-017"], kit.package(training=text), op="rewrite", role="writer", profile="training",
               accepted=kit.observe(training=named), written=kit.package(training=named))
    default = {"config": {"axis": 1}, "type": "T"}
    uses = {"format_version": "1.0", "layers": [{"name": "a", "type": "C"}], "composites": {"C": {"parameters": {"p": {"default": default}}, "layers": [{"name": "flat", "type": "Flatten"}]}}}
    text = (b'{"format_version":"1.0","layers":[{"name":"a","type":"C"}],"composites":{"C":{"layers":[{"name":"flat","type":"Flatten"}],'
            b'"parameters":{"p":{"default":{"type":"T","config":{"axis":1}}}}}}}')
    yield rewrite("doc-017-default-of-a-parameter", "A default of a parameter in another order", text, uses, "DOC-017")
    lists = {**PROBE, "extensions_used": ["EXT_b", "Z", "a"], "extensions": {"EXT_b": {}, "a": {}}}
    text = kit.document({**lists, "extensions_used": ["a", "Z", "EXT_b"]})
    yield rewrite("doc-017-lists-of-extensions", "A list of extensions in another order", text, lists, "DOC-017")
    said = (b'{"format_version":"1.0","inputs":[{"name":"x","shape":[null,2],"dtype":"float32","metadata":{}}],"layers":[{"name":"flat","type":"Flatten","config":{},'
            b'"weights":{},"trainable":true,"dtype":"float32","extensions":{}}],"calls":[{"layer":"flat","inputs":["x"],"arguments":{},"outputs":["flat"]}],"outputs":["flat"]}')
    short = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 2]}], "layers": [{"name": "flat", "type": "Flatten"}],
             "calls": [{"layer": "flat", "inputs": ["x"]}], "outputs": ["flat"]}
    yield rewrite("doc-016-defaults-said", "Members that say their default", said, short, "DOC-016")
    kept = {"format_version": "1.0", "layers": [{"name": "a", "type": "Dense", "config": {"units": 2}, "weights": {"bias": {"tensor": "b", "axes": [0], "trainable": True}}, "compute_dtype": "float32"}]}
    yield rewrite("doc-016-what-depends-on-the-rest", "Members that say what follows from others stay", kit.document(kept), kept, "DOC-016")
    told = {"format_version": "1.0", "losses": [{"type": "MeanSquaredError", "config": {}, "weight": 1, "extensions": {}}, {"type": "MeanSquaredError", "weight": 1.0}],
            "metrics": [{"type": "MeanSquaredError", "weighted": False}], "progress": {"best": {}}, "metadata": {}, "extensions_used": []}
    short = {"format_version": "1.0", "losses": [{"type": "MeanSquaredError"}, {"type": "MeanSquaredError", "weight": 1.0}], "metrics": [{"type": "MeanSquaredError"}], "progress": {}}
    yield Case("doc-016-defaults-of-training", "A loss with the weight 1, and one with 1.0", ["DOC-016"], kit.package(training=told), op="rewrite", role="writer", profile="training",
               accepted=kit.observe(training=short), written=kit.package(training=short))
    bare = {"provenance": {}, "metadata": {}, "extensions_used": [], "extensions_required": [], "extensions": {}}
    yield Case("doc-016-defaults-of-a-manifest", "A manifest with objects and arrays without content", ["DOC-016"], kit.package(PROBE, manifest=bare), op="rewrite", role="writer",
               accepted=kit.observe(PROBE), written=kit.package(PROBE))
    yield from yaml_writing_cases()


STRANGE = (
    ("base_60", "12:30:00", '"12:30:00"'), ("break", "a\nb", '"a\\nb"'), ("colon", "a: b", '"a: b"'), ("date", "2024-01-01", '"2024-01-01"'), ("empty", "", '""'),
    ("equals", "=", '"="'), ("exponent", "1e3", '"1e3"'), ("flow", "[a, {b", '"[a, {b"'), ("inside", "keras.layers/a+b-c", "keras.layers/a+b-c"), ("int", "12", '"12"'),
    ("large", 1e16, "1.0e+16"), ("list", [1, 1.0, "no", "relu", None, True], '[1, 1.0, "no", relu, null, true]'), ("mark", "\ufeffa", '"\\ufeffa"'), ("merge", "<<", '"<<"'),
    ("minus", -0.0, "-0.0"), ("next_line", "a\x85b", '"a\\u0085b"'), ("no", "No", '"No"'), ("note", "\U0001d11e é", '"\U0001d11e é"'), ("octal", "0o7", '"0o7"'), ("on", "on", '"on"'),
    ("plain", "relu", "relu"), ("quote", '"\\', '"\\"\\\\"'), ("separator", "a\u2028b", '"a\\u2028b"'), ("small", 1e-5, "1.0e-5"), ("tilde", "~", '"~"'), ("word_null", "null", '"null"'),
    ("y", "y", '"y"'),
)
"""Name, value, and the value as YAML text, by name."""


def yaml_writing_cases() -> Iterable[Case]:
    config = {name: value for name, value, _ in STRANGE}
    lines = [f"      {chr(34) * (name in 'y no on')}{name}{chr(34) * (name in 'y no on')}: {text}" for name, _, text in STRANGE]
    written = f"{YAML_HEAD}    config:\n" + "\n".join(lines) + "\n"
    yield Case("doc-026-strings-that-look-like-others", "Strings that YAML parsers read as something else", ["DOC-026"], kit.package(probe(config)), op="rewrite", role="writer",
               profile="yaml", options={"spelling": "yaml"}, accepted=kit.observe(probe(config)), written=kit.package(written))
    config = {"": 6, "1": 2, "a b": 4, "inf": {"float": "Infinity"}, "null": 3, "x" * 1001: {"z": 7}, "x" * 1002: 8, "é": [[1, []], {"c": {}, "d": [[2]]}]}
    written = (f'{YAML_HEAD}    config:\n      "": 6\n      "1": 2\n      "a b": 4\n      inf:\n        float: Infinity\n      "null": 3\n      ? {"x" * 1001}\n      :\n        z: 7\n'
               f'      ? {"x" * 1002}\n      : 8\n      "é":\n        - - 1\n          - []\n        - c: {{}}\n          d:\n            - [2]\n')
    yield Case("doc-026-names-and-nesting", "Names that need quotes, long names and nested collections", ["DOC-026"], kit.package(probe(config)), op="rewrite", role="writer",
               profile="yaml", options={"spelling": "yaml"}, accepted=kit.observe(probe(config)), written=kit.package(written))


LIKE_NUMBERS = (("exponent-without-point", "1e3"), ("exponent-without-sign", "1.0e3"), ("leading-zero", "010"), ("octal", "0o7"), ("hexadecimal", "0x1F"), ("binary", "0b1"), ("underscore", "1_000"),
                ("base-60", "12:30:00"), ("plus", "+1"), ("point-first", ".5"), ("point-last", "5."), ("date", "2024-01-01"))


def yaml_cases() -> Iterable[Case]:
    people = ('# A small network.\nformat_version: "1.0"\nname: tiny\ninputs: [{name: x, shape: [null, 2], dtype: float32}]\nlayers:\n'
              "  - {name: dense, type: Dense, config: {units: 2, activation: relu}}   # two units\n")
    seen = {"format_version": "1.0", "name": "tiny", "inputs": [{"name": "x", "shape": [None, 2]}], "layers": [{"name": "dense", "type": "Dense", "config": {"units": 2, "activation": "relu"}}]}
    yield Case("doc-018-as-people-write-it", "YAML with comments and flow collections", ["DOC-018", "DOC-019"], kit.package(people), accepted=kit.observe(seen), profile="yaml")
    yield Case("doc-018-json-is-yaml", "JSON text in a YAML member", ["DOC-018"], kit.package(kit.text(PROBE)), accepted=kit.observe(PROBE), profile="yaml")
    yield Case("doc-018-block-scalars", "Literal and folded strings", ["DOC-018"], kit.package(YAML_HEAD + "    config:\n      a: |\n        one\n        two\n      b: >-\n        one\n        two\n"),
               accepted=kit.observe(probe({"a": "one\ntwo\n", "b": "one two"})), profile="yaml")
    for name, title, config in (("open-flow", "A flow collection that never ends", "{x: 1"), ("open-string", "A string that never ends", '{x: "a}'),
                                ("continued-at-the-left", "A flow collection goes on at the left of its name", "{x: a,\n  z: b}"), ("colon-at-a-bracket", "A colon touches a bracket", "{x: [a:]}"),
                                ("escaped-surrogates", "A pair of escapes of surrogates", '{x: "\\ud834\\udd1e"}'), ("escaped-slash", "An escape of a slash", '{x: "a\\/b"}'),
                                ("comment-at-a-string", "A comment touches a string in quotes", '{x: "a"#c\n      }'), ("comment-at-a-bracket", "A comment touches a bracket", "{x: [1]}#c"),
                                ("comment-at-a-name", "A comment touches a name", '{"x"#c\n      : 1}'), ("comment-at-a-literal", "A comment touches the mark of a literal string", "\n      x: |#c\n        a"),
                                ("mark", "A byte order mark inside a string", '{x: "a\ufeffb"}'), ("mark-in-a-comment", "A byte order mark in a comment", "{x: a} # \ufeff"),
                                ("colon-on-the-next-line", "A colon on the line behind its name", "{x\n      : 1}"), ("colon-behind-a-name-in-quotes", "A colon on the line behind its name in quotes", '{"x"\n      : 1}'),
                                ("name-over-two-lines", "A name over two lines", '{"x\n      y": 1}'), ("quoted-hash-at-the-left", "A string goes on at the left with a hash", '{x: "a\n# b"}')):
        yield rejects_yaml(f"doc-018-{name}", title, config, "YAML_SYNTAX", "architecture.yaml", "doc-018-as-people-write-it")
    yield accepts_yaml("doc-018-continued", "Lines that go on, and a colon behind a name in quotes", '{x: a,\n      z: b\n      c, "s":1, t: "\\U0001d11e"}', {"x": "a", "z": "b c", "s": 1, "t": "\U0001d11e"})
    yield accepts_yaml("doc-018-comments", "Comments behind scalars, between lines and beside hashes", '\n      a: prob #e\n      b: "c#d" #e#f\n      g#h: i#j\n      k: [1, # l\n# m\n        2]\n# n\n      o: | # p\n        q#r\n      s: "\\\\/"',
                       {"a": "prob", "b": "c#d", "g#h": "i#j", "k": [1, 2], "o": "q#r\n", "s": "\\/"})
    yield accepts_yaml("doc-018-name-behind-a-question-mark", "A name over two lines behind a question mark", '\n      ? "a\n        b"\n      : 1\n      c: {? d\n        : 2}', {"a b": 1, "c": {"d": 2}})
    yield Case("doc-028-escaped", "A tab and a carriage return as escapes, and lines that end with both", ["DOC-028"],
               kit.package(f'{YAML_HEAD}    config: {{x: "a\\tb\\rc"}}\n'.replace("\n", "\r\n")), accepted=kit.observe(probe({"x": "a\tb\rc"})), profile="yaml")
    for name, title, config in (("tab-after-a-colon", "A tab instead of a space", "{x:\ta}"), ("tab-in-a-comment", "A tab in a comment", "{x: a} #\ta"),
                                ("carriage-return-alone", "A carriage return without a line feed", '{x: "a\rb"}')):
        yield rejects_yaml(f"doc-028-{name}", title, config, "YAML_SYNTAX", "architecture.yaml", "doc-028-escaped")
    yield Case("doc-018-no-document", "A YAML file of one comment", ["DOC-018"], kit.package("# nothing\n"), rejected=("json", "YAML_SYNTAX", "architecture.yaml"), twin="doc-018-as-people-write-it", profile="yaml")
    yield Case("doc-019-one-document-marked", "One document between its markers", ["DOC-019"], kit.package(f"---\n{people}...\n"), accepted=kit.observe(seen), profile="yaml")
    yield Case("doc-018-an-end-and-another", "The end of a document marked twice", ["DOC-018", "DOC-019"], kit.package(f"{people}...\n# and again\n...\n"), accepted=kit.observe(seen), profile="yaml")
    yield Case("doc-018-an-end-of-nothing", "The end of a document that is not there", ["DOC-018"], kit.package("...\n"), rejected=("json", "YAML_SYNTAX", "architecture.yaml"), twin="doc-018-an-end-and-another", profile="yaml")
    yield Case("doc-019-two-documents", "A second document", ["DOC-019"], kit.package(f"{people}---\n{people}"), rejected=("json", "YAML_SEVERAL_DOCUMENTS", "architecture.yaml"), twin="doc-019-one-document-marked", profile="yaml")
    yield Case("doc-019-version-directive", "A directive that asks for YAML 1.1", ["DOC-019"], kit.package(f"%YAML 1.1\n---\n{people}"), rejected=("json", "YAML_SEVERAL_DOCUMENTS", "architecture.yaml"), twin="doc-019-one-document-marked", profile="yaml")
    yield accepts_yaml("doc-020-ampersand-in-quotes", "An ampersand and an asterisk inside quotes", '{x: "&a", z: "*a"}', {"x": "&a", "z": "*a"})
    yield rejects_yaml("doc-020-anchor", "An anchor that nothing refers to", "{x: &a 1}", "YAML_ALIAS", f"{YAML_AT}/x", "doc-020-ampersand-in-quotes")
    laughs = "\n      a: &a [x, x]\n" + "".join(f"      {b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    yield rejects_yaml("doc-020-billion-laughs", "Aliases that expand to 86 million values", laughs.rstrip("\n"), "YAML_ALIAS", f"{YAML_AT}/a", "doc-020-ampersand-in-quotes")
    yield accepts_yaml("doc-021-exclamation-in-quotes", "An exclamation mark inside quotes", '{x: "!!float 1"}', {"x": "!!float 1"})
    for name, title, config in (("core-tag", "A tag of the core schema", "{x: !!float 1}"), ("local-tag", "A local tag", "{x: !a 1}"), ("python-tag", "A tag that names a Python object", "{x: !!python/name:os.system a}"), ("bare-tag", "The tag of one exclamation mark", "{x: ! a}")):
        yield rejects_yaml(f"doc-021-{name}", title, config, "YAML_TAG", f"{YAML_AT}/x", "doc-021-exclamation-in-quotes")
    yield accepts_yaml("doc-022-merge-key-in-quotes", "A name of two angle brackets in quotes", '{"<<": {a: 1}}', {"<<": {"a": 1}})
    yield rejects_yaml("doc-022-merge-key", "A merge key", "{<<: {a: 1}}", "YAML_MERGE_KEY", YAML_AT, "doc-022-merge-key-in-quotes")
    yield accepts_yaml("doc-023-number-in-quotes", "A number in quotes as a name", '{"1": a}', {"1": "a"})
    for name, title, config in (("number", "A number as a name", "{1: a}"), ("true", "True as a name", "{true: a}"), ("null", "Null as a name", "{null: a}"), ("array", "An array as a name", "{[a]: b}")):
        yield rejects_yaml(f"doc-023-{name}", title, config, "YAML_NAME_NOT_STRING", YAML_AT, "doc-023-number-in-quotes")
    yield accepts_yaml("doc-024-read-alike", "Scalars that every parser reads alike", "{a: null, b: true, c: false, d: -1, e: 0, f: 1.0e-5, g: -0.5, h: relu, i: keras.layers, j: , k: a b}",
                       {"a": None, "b": True, "c": False, "d": -1, "e": 0, "f": 1e-5, "g": -0.5, "h": "relu", "i": "keras.layers", "j": None, "k": "a b"})
    yield accepts_yaml("doc-029-numbers-and-quotes", "Numbers, and strings in quotes that begin like one", '{a: -1, b: 0.5e+3, c: "3x3", d: "1.2.3", e: "+1"}', {"a": -1, "b": 500.0, "c": "3x3", "d": "1.2.3", "e": "+1"})
    yield accepts_yaml("doc-024-quoted", "Words in quotes that parsers disagree about without", '{a: "no", b: "1e3", c: \'~\', d: "0o7", e: "12:30:00", f: "2024-01-01"}',
                       {"a": "no", "b": "1e3", "c": "~", "d": "0o7", "e": "12:30:00", "f": "2024-01-01"})
    for name, scalar in (("no", "no"), ("yes-in-capitals", "YES"), ("on", "On"), ("y", "y"), ("true-with-capital", "True"), ("null-with-capital", "Null"), ("tilde", "~"), ("equals", "="), ("merge-key-as-a-value", "<<")):
        yield rejects_yaml(f"doc-024-{name}", f"{scalar} without quotes", f"{{x: {scalar}}}", "YAML_AMBIGUOUS_SCALAR", f"{YAML_AT}/x", "doc-024-quoted")
    for name, scalar in (*LIKE_NUMBERS, ("extents", "3x3"), ("version", "1.2.3"), ("point-alone", "."), ("minus-and-a-word", "-a"), ("hexadecimal-cut-short", "0x")):
        yield rejects_yaml(f"doc-029-{name}", f"{scalar} without quotes", f"{{x: {scalar}}}", "YAML_AMBIGUOUS_SCALAR", f"{YAML_AT}/x", "doc-029-numbers-and-quotes")
    yield rejects_yaml("doc-024-as-a-name", "no as a name without quotes", "{no: 1}", "YAML_AMBIGUOUS_SCALAR", YAML_AT, "doc-024-quoted")
    yield rejects_yaml("doc-013-yaml-infinity", "Infinity as YAML writes it", "{x: .inf}", "NUMBER_NOT_FINITE", f"{YAML_AT}/x", "doc-013-three-spellings")
    yield rejects_yaml("doc-004-yaml-same-name", "A name twice in a YAML mapping", "{x: 1, x: 2}", "OBJECT_DUPLICATE_NAME", f"{YAML_AT}", "doc-004-names-differ-in-case")
    yield rejects_yaml("doc-009-yaml-129-levels", "129 levels in YAML", "{x: " + "[" * 125 + "]" * 125 + "}", "NESTING_TOO_DEEP", "architecture.yaml", "doc-009-128-levels")
    yield rejects_yaml("doc-006-yaml-one-above", "An integer of 2^64 in YAML", f"{{x: {2**64}}}", "NUMBER_OUT_OF_RANGE", f"{YAML_AT}/x", "doc-006-ends-of-the-range")
    yield accepts_yaml("doc-025-escaped", "Foreign line breaks as escapes", '{x: "a\\Lb\\Nc\\Pd"}', {"x": "a\u2028b\x85c\u2029d"})
    for name, character in (("line-separator", "\u2028"), ("paragraph-separator", "\u2029"), ("next-line", "\x85")):
        yield rejects_yaml(f"doc-025-{name}", f"A {name.replace('-', ' ')} as it is", f'{{x: "a{character}b"}}', "YAML_LINE_BREAK", "architecture.yaml", "doc-025-escaped")
