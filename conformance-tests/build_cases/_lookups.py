"""Cases of vocabularies, in configs and in assets, and of values that are strings (chapter 25)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import kit
from kit import Case
from lyr import AT, DENSE, bad, call, chain, good, graph, layer

WORDS = "assets/words.txt"
CONFIG = f"{AT}/layers/0/config"


def lookup(config: kit.Json = None, type_: str = "StringLookup", *, dtype: str = "string", **more: kit.Json) -> kit.Json:
    """An architecture of one lookup and what comes after it."""
    whole = chain(layer(type_, config, "lookup"), *more.get("behind", ()), shape=more.get("shape", [None, 3]))
    whole["inputs"][0]["dtype"] = dtype
    return whole


def stored(id_: str, title: str, requirements: list[str], architecture: kit.Json, assets: Mapping[str, bytes], **more: kit.Json) -> Case:
    """An accepting case with assets."""
    return Case(id_, title, requirements, kit.package(architecture, assets=assets), profile="layers",
                accepted=kit.observe(architecture, assets=assets, **more))


def broken(id_: str, title: str, requirement: str, content: bytes, code: str, *, twin: str, config: kit.Json = None, type_: str = "StringLookup") -> Case:
    """A rejecting case: what is wrong stands in the asset."""
    architecture = lookup({"vocabulary": {"asset": WORDS}, **(config or {})}, type_, dtype="string" if type_ == "StringLookup" else "int64")
    return Case(id_, title, [requirement], kit.package(architecture, assets={WORDS: content}), profile="layers", rejected=("semantic", code, WORDS), twin=twin)


def assets() -> Iterable[Case]:
    twin = "lyr-036-vocabulary-in-an-asset"
    listed = {"vocabulary": {"asset": WORDS}}
    yield stored(twin, "The vocabulary of a lookup stands in an asset", ["LYR-036", "LYR-037", "LYR-038"], lookup(listed), {WORDS: "the\nof\n\nna\u00efve \r\n".encode()})
    yield Case("lyr-036-no-such-asset", "A vocabulary names an asset that is not there", ["LYR-036"], kit.package(lookup(listed), assets={"assets/word.txt": b"the\n"}),
               profile="layers", rejected=("semantic", "VOCABULARY_MISSING", f"{CONFIG}/vocabulary/asset"), twin=twin)
    yield Case("lyr-036-a-section", "A vocabulary names the document it stands in", ["LYR-036"], kit.package(lookup({"vocabulary": {"asset": "architecture.json"}})),
               profile="layers", rejected=("semantic", "VOCABULARY_MISSING", f"{CONFIG}/vocabulary/asset"), twin=twin)
    yield broken("lyr-037-latin-1", "A vocabulary is in ISO 8859-1", "LYR-037", b"the\nna\xefve\n", "VOCABULARY_INVALID", twin=twin)
    yield broken("lyr-037-last-line-open", "The last line of a vocabulary has no end", "LYR-037", b"the\nof", "VOCABULARY_INVALID", twin=twin)
    yield broken("lyr-037-empty", "The asset of a vocabulary is empty", "LYR-037", b"", "VOCABULARY_INVALID", twin=twin)
    integers = lookup(listed, "IntegerLookup", dtype="int64")
    yield stored("lyr-037-integers", "A vocabulary of integers stands in an asset", ["LYR-037"], integers, {WORDS: b"12\n-7\n0\n9223372036854775807\n"})
    for slug, title, line in (("words", "a word", b"the"), ("leading-zero", "an integer with a leading zero", b"07"), ("65-bits", "an integer of 65 bits", b"9223372036854775808")):
        yield broken(f"lyr-037-integers-and-{slug}", f"A vocabulary of integers has {title}", "LYR-037", b"12\n" + line + b"\n", "VOCABULARY_INVALID",
                     twin="lyr-037-integers", type_="IntegerLookup")
    yield broken("lyr-038-twice-in-an-asset", "A token stands twice in an asset", "LYR-038", b"the\nof\nthe\n", "VOCABULARY_TOKEN_DUPLICATE", twin=twin)
    yield broken("lyr-038-mask-token-in-an-asset", "The token of masked elements stands in the asset, too", "LYR-038", b"\nthe\n", "VOCABULARY_TOKEN_DUPLICATE",
                 config={"mask_token": ""}, twin=twin)


def arrays() -> Iterable[Case]:
    words = ["the", "of", "[UNK]", "The"]
    yield good("lyr-038-array", "Tokens stand in an array; one is that of unknown elements", ["LYR-038", "LYR-003"], lookup({"vocabulary": words}))
    for slug, title, config, place in (
        ("twice-in-an-array", "A token stands twice in an array", {"vocabulary": ["the", "of", "the"]}, "/vocabulary/2"),
        ("mask-token-in-an-array", "The token of masked elements stands in the array, too", {"vocabulary": ["the", ""], "mask_token": ""}, "/vocabulary/1"),
    ):
        yield bad(f"lyr-038-{slug}", title, "LYR-038", lookup(config), "VOCABULARY_TOKEN_DUPLICATE", f"{CONFIG}{place}", twin="lyr-038-array")
    yield bad("lyr-003-integers-for-strings", "The vocabulary of a StringLookup has an integer", "LYR-003", lookup({"vocabulary": ["the", 7]}),
              "LAYER_CONFIG_INVALID", f"{CONFIG}/vocabulary", stage="schema", twin="lyr-038-array")
    dense = {"name": "out", "type": "Dense", "config": {"units": 2}}
    hot = {"output_mode": "multi_hot", "num_oov_indices": 2}
    said = {"vocabulary": {"asset": WORDS}, "vocabulary_size": 5, **hot}
    yield stored("lyr-039-size-of-an-asset", "The size of a vocabulary is said, and a layer behind knows it", ["LYR-039", "LYR-016"],
                 lookup(said, behind=[dense]), {WORDS: b"the\nof\na\n"}, parameters=(12, 0))
    masked = {"vocabulary": words, "mask_token": "", "vocabulary_size": 6}
    yield good("lyr-039-with-a-mask", "An index for masked elements counts, too", ["LYR-039"], lookup(masked))
    yield Case("lyr-039-asset-of-another-size", "An asset has more tokens than its lookup says", ["LYR-039"], kit.package(lookup(said), assets={WORDS: b"the\nof\na\nto\n"}),
               profile="layers", rejected=("semantic", "VOCABULARY_SIZE_MISMATCH", f"{CONFIG}/vocabulary_size"), twin="lyr-039-size-of-an-asset")
    yield bad("lyr-039-mask-forgotten", "The size of a vocabulary leaves out the mask", "LYR-039", lookup({**masked, "vocabulary_size": 5}),
              "VOCABULARY_SIZE_MISMATCH", f"{CONFIG}/vocabulary_size", twin="lyr-039-with-a-mask")
    yield good("lyr-007-lookup-padded", "What a lookup encodes is padded to max_tokens", ["LYR-007", "LYR-016"],
               lookup({"vocabulary": words, "output_mode": "count", "max_tokens": 9, "pad_to_max_tokens": True}, behind=[dense]), parameters=(20, 0))
    weighed = {"vocabulary": words, "output_mode": "tf_idf", "max_tokens": 9, "pad_to_max_tokens": True}
    yield good("lyr-016-lookup-weights", "What tf_idf multiplies by is a weight where it is not said", ["LYR-016"], lookup(weighed, behind=[dense]), parameters=(20, 9))
    for slug, title, config in (
        ("too-many-tokens", "A lookup has more indices than max_tokens", {"vocabulary": words, "max_tokens": 4}),
        ("padded-to-nothing", "A lookup pads to max_tokens and does not say it", {"vocabulary": words, "output_mode": "count", "pad_to_max_tokens": True}),
        ("inverted-counts", "A lookup is inverted and counts", {"vocabulary": words, "output_mode": "count", "invert": True}),
        ("weights-for-some", "A lookup has fewer idf_weights than indices", {"vocabulary": words, "output_mode": "tf_idf", "idf_weights": [0.5, 0.25, 1.0, 2.0]}),
    ):
        numbers = "invert" in config
        yield bad(f"lyr-007-{slug}", title, "LYR-007", lookup(config, dtype="int64" if numbers else "string"), "CALL_INPUT_SHAPE", f"{AT}/layers/0", twin="lyr-007-lookup-padded")


def strings() -> Iterable[Case]:
    config = {"vocabulary": ["the", "of"]}
    one, embed = layer("StringLookup", config, "lookup"), layer("Embedding", {"input_dim": 3, "output_dim": 2}, "embed")
    twin = "lyr-040-into-a-lookup"
    yield good(twin, "Strings enter a lookup, numbers what is behind it", ["LYR-040"], lookup(config, behind=[embed]), parameters=(6, 0))
    yield good("lyr-040-out-of-a-lookup", "An inverted lookup takes numbers", ["LYR-040"], lookup({**config, "invert": True}, dtype="int64"))
    inner = {"name": "inner", "type": "Model", "architecture": {"inputs": [{"name": "x", "shape": [None, 3], "dtype": "string"}], "layers": [one]}}

    def fed(*layers: kit.Json, dtype: str = "string") -> kit.Json:
        whole = chain(*layers, shape=[None, 3])
        whole["inputs"][0]["dtype"] = dtype
        return whole

    yield good("lyr-040-into-a-nested-one", "A nested architecture declares strings and is given them", ["LYR-040"], fed(inner))
    places = (
        ("into-dense", "Strings enter a Dense layer", fed(DENSE), "/layers/0"),
        ("into-an-embedding", "Strings enter an Embedding layer", fed(embed), "/layers/0"),
        ("numbers-into-a-lookup", "Numbers enter a StringLookup", fed(one, dtype="int64"), "/layers/0"),
        ("strings-into-integers", "Strings enter an IntegerLookup", fed(layer("IntegerLookup", {"vocabulary": [1, 2]})), "/layers/0"),
        ("tokens-into-dense", "What an inverted lookup yields enters a Dense layer", fed(layer("StringLookup", {**config, "invert": True}), DENSE, dtype="int64"), "/layers/1"),
        ("numbers-into-a-nested-one", "A nested architecture declares strings and is given numbers", fed(inner, dtype="int64"), "/layers/0"),
    )
    for slug, title, architecture, place in places:
        yield bad(f"lyr-040-{slug}", title, "LYR-040", architecture, "VALUE_KIND_MISMATCH", f"{AT}{place}", twin=twin)
    joined = graph([one], [{"op": "concatenate", "config": {"axis": 1}, "inputs": ["a", "b"], "outputs": ["both"]}, call("lookup", "both")], ["lookup"], a=[None, 1], b=[None, 1])
    for given in joined["inputs"]:
        given["dtype"] = "string"
    yield bad("lyr-040-into-an-operation", "Strings enter an operation", "LYR-040", joined, "VALUE_KIND_MISMATCH", f"{AT}/calls/0", twin=twin)


def texts() -> Iterable[Case]:
    config = {"vocabulary": ["the", "[UNK]", "cat"], "vocabulary_size": 5, "output_sequence_length": 7}
    twin = "lyr-007-texts"
    embed = layer("Embedding", {"input_dim": 5, "output_dim": 2}, "embed")
    tail = [embed, layer("Flatten", name="flat"), layer("Dense", {"units": 1, "use_bias": False}, "out")]
    yield good(twin, "Texts become as many indices as is said", ["LYR-007", "LYR-016", "LYR-038", "LYR-039", "LYR-040"],
               lookup(config, "TextVectorization", shape=[None, 1], behind=tail), parameters=(24, 0))
    yield good("lyr-007-texts-one-axis", "Texts of a batch have no further axis", ["LYR-007"], lookup(config, "TextVectorization", shape=[None]))
    yield good("lyr-016-texts-pairs", "Tokens that are given make two single ones and a pair", ["LYR-016", "LYR-007"],
               lookup({"vocabulary": ["the"], "split": None, "ngrams": [1, 2]}, "TextVectorization", shape=[None, 2], behind=tail), parameters=(16, 0))
    for slug, title, change, shape in (
        ("two-texts", "Two texts for each of the batch", {}, [None, 2]),
        ("tokens-without-an-axis", "Tokens that are given have no axis", {"split": None}, [None]),
        ("length-of-counts", "Counts of tokens have a length", {"output_mode": "count", "vocabulary_size": 4}, [None]),
    ):
        yield bad(f"lyr-007-{slug}", title, "LYR-007", lookup({**config, **change}, "TextVectorization", shape=shape), "CALL_INPUT_SHAPE", f"{AT}/layers/0", twin=twin)
    yield bad("lyr-038-empty-text", "The empty text is a token of texts", "LYR-038", lookup({"vocabulary": ["the", ""]}, "TextVectorization", shape=[None, 1]),
              "VOCABULARY_TOKEN_DUPLICATE", f"{CONFIG}/vocabulary/1", twin=twin)
    yield bad("lyr-039-texts", "A size counts neither padding nor unknown tokens", "LYR-039", lookup({**config, "vocabulary_size": 3}, "TextVectorization", shape=[None, 1]),
              "VOCABULARY_SIZE_MISMATCH", f"{CONFIG}/vocabulary_size", twin=twin)
    yield bad("lyr-040-numbers-for-texts", "Numbers are given for texts", "LYR-040", lookup(config, "TextVectorization", shape=[None, 1], dtype="int64"),
              "VALUE_KIND_MISMATCH", f"{AT}/layers/0", twin=twin)


def lyr_cases() -> Iterable[Case]:
    """The cases of chapter 25."""
    for part in (assets, arrays, strings, texts):
        yield from part()
