"""Packages at random, the same ones for the same seed: extreme numbers, every dtype, names and texts from all over Unicode.

Nothing here is canonical: members stand in any order and say their defaults, so that two writers have much to agree on.
"""

import hashlib
import json
import math
import random
import struct
import unicodedata
from pathlib import Path

CODES = {
    "bool": "BOOL", "float4_e2m1fn": "F4", "float6_e2m3fn": "F6_E2M3", "float6_e3m2fn": "F6_E3M2", "uint8": "U8", "int8": "I8",
    "float8_e5m2": "F8_E5M2", "float8_e4m3fn": "F8_E4M3", "float8_e8m0fnu": "F8_E8M0", "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ", "int16": "I16", "uint16": "U16", "float16": "F16", "bfloat16": "BF16", "int32": "I32",
    "uint32": "U32", "float32": "F32", "complex64": "C64", "float64": "F64", "int64": "I64", "uint64": "U64",
}
BITS = {name: next(bits for bits in (64, 32, 16, 8, 6, 4, 0) if str(bits) in name or not bits) or 8 for name in CODES} | {
    "float4_e2m1fn": 4, "float6_e2m3fn": 6, "float6_e3m2fn": 6, "float8_e5m2": 8, "float8_e4m3fn": 8, "float8_e8m0fnu": 8,
    "float8_e4m3fnuz": 8, "float8_e5m2fnuz": 8,
}
FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.1, 1e-4, 9.999999999999999e-5, 1e-5, 1e15, 9999999999999998.0, 1e16, 1e21, 1e22, 1e23, 5e-324, -5e-324,
    2.2250738585072014e-308, 2.225073858507201e-308, 1.7976931348623157e308, 9007199254740993.0, 4503599627370497.5, 123456789.125,
]
INTEGERS = [0, 1, -1, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 10**15, 10**16]
TEXTS = [
    "", "yes", "No", "ON", "y", "null", "Null", "true", "~", "=", "<<", ".inf", "-.INF", ".nan", "0", "-1", "1_000", "0o17", "0x1F", "012",
    "1e3", "1.5", "+1", "12:30:00", "2001-02-03", "- a", "a: b", "a #b", "#", "&a", "*a", "!t", "? k", "|", ">", "%", "@", "`", "{", "[]",
    ",", "---", "...", " lead", "trail ", "two\nlines", "tab\t", "\r\n", "back\\slash", 'quote"', "'", "a/b.c-d+e_f", "-dash", ".dot",
    "\u0085", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff", "\x00", "\x1b", "\x7f", "\x9f", "\xa0", "\xad", "\ud7ff", "\ue000",
    "e\u0301", "\u00e9", "\u0bc6\u0bbe", "\u1112\u1161\u11ab", "\U0001f469\u200d\U0001f52c", "\U0001d11e", "\U0010ffff", "\U0001f1e9",
    "__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "length", "\u017f", "\u0130", "\ufb01",
]
LETTERS = "abcXYZ019_.- é\u0142ß\u03a3\u0416\u05d0\u0627\u0e01\u4e2d\uac00\uff21\U00010330\U0001d504\U0001f600"


class Source:
    """Values and names drawn from one stream of random numbers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.texts = [text for text in TEXTS if text]

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def number(self) -> float:
        """A finite float, of every magnitude alike."""
        if self.chance(0.3):
            return self.random.choice(FLOATS)
        if self.chance(0.3):
            return round(self.random.uniform(-1000, 1000), self.random.randrange(8)) + 0.0
        while not math.isfinite(value := struct.unpack("<d", self.random.randbytes(8))[0]):
            pass
        return value

    def integer(self) -> int:
        return self.random.choice(INTEGERS) if self.chance(0.5) else self.random.randint(-(2**63), 2**64 - 1) >> self.random.randrange(64)

    def text(self) -> str:
        if self.chance(0.5):
            return self.random.choice(TEXTS)
        return "".join(self.random.choices([*LETTERS, *self.texts], k=self.random.randrange(12)))

    def name(self) -> str:
        """A name that chapters 20 and 40 allow."""
        wanted = self.text() if self.chance(0.7) else "".join(self.random.choices(LETTERS, k=5))
        kept = "".join(one for one in wanted if unicodedata.category(one) not in {"Cc", "Cf", "Co", "Zl", "Zp"})
        return unicodedata.normalize("NFC", kept) or "n"

    def names(self, most: int) -> list[str]:
        return list(dict.fromkeys(self.name() for _ in range(self.random.randint(1, most))))

    def value(self, depth: int = 0):
        kind = self.random.randrange(9 if depth < 5 else 6)
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.random.randrange(5))]
        if kind >= 7:
            return self.object(depth + 1)
        return [None, self.chance(0.5), self.integer(), self.number(), self.text(), {"float": self.random.choice(["NaN", "Infinity", "-Infinity"])}][kind]

    def object(self, depth: int = 0) -> dict:
        names = ["type", "config", "float", "parameter", "10", "9", "-1", *(self.text() for _ in range(5))]
        return {name: self.value(depth) for name in self.random.choices(names, k=self.random.randrange(6))}

    def strings(self) -> dict:
        return {self.text(): self.text() for _ in range(self.random.randrange(4))}

    def shuffled(self, members: dict) -> dict:
        """The members that are said, in any order."""
        said = [(name, value) for name, value in members.items() if value is not ...]
        self.random.shuffle(said)
        return dict(said)

    def maybe(self, value, probability: float = 0.5):
        return value if self.chance(probability) else ...

    def extensions(self, used: set) -> object:
        names = self.random.sample(["a", "EXT_b", "Z9", "constructor"], k=self.random.randrange(3))
        used |= set(names)
        return self.maybe({name: self.object() for name in names})


def tensors(source: Source, names: list[str]) -> dict:
    """Name -> dtype, shape and bytes; a scalar and a tensor of nothing among them now and then."""
    found = {}
    for name in names:
        dtype = source.random.choice(list(CODES))
        shape = source.random.choice([[], [0], [1], [3], [2, 4], [4, 0, 2], [1, 1, 8], [5, 16]])
        if BITS[dtype] * math.prod(shape) % 8:
            shape = [*shape, 4]
        data = source.random.randbytes(BITS[dtype] * math.prod(shape) // 8)
        found[name] = (dtype, shape, bytes(one & 1 for one in data) if dtype == "bool" else data)
    return found


def _safetensors(source: Source, content: dict) -> tuple[bytes, dict]:
    """A file with the tensors in any order, and its record in the manifest."""
    order = list(content)
    source.random.shuffle(order)
    header, end = {}, 0
    for name in order:
        dtype, shape, data = content[name]
        header[name] = source.shuffled({"dtype": CODES[dtype], "shape": shape, "data_offsets": [end, end + len(data)]})
        end += len(data)
    if source.chance(0.3):
        header["__metadata__"] = {"format": "pt"}
    text = json.dumps(header, ensure_ascii=source.chance(0.5)).encode()
    head = struct.pack("<Q", len(text)) + text
    return head + b"".join(content[name][2] for name in order), {
        "header_digest": _digest(head), "tensor_digests": {name: _digest(content[name][2]) for name in order},
    }


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _part(source: Source, used: set, **members: object) -> dict:
    return source.shuffled({**members, "extensions": source.extensions(used)})


def _document(source: Source, used: set, **members: object) -> dict:
    extensions = source.extensions(used)
    listed = sorted(used)
    source.random.shuffle(listed)
    return source.shuffled({
        "format_version": "1.0", "metadata": source.maybe(source.strings()), "extensions": extensions,
        "extensions_used": listed or source.maybe([]), "extensions_required": source.maybe([]), **members,
    })


def _layer(source: Source, used: set, **members: object) -> dict:
    return _part(source, used, trainable=source.maybe(source.chance(0.7)), dtype=source.maybe(source.random.choice(["float32", "float16"])),
                 compute_dtype=source.maybe("bfloat16"), metadata=source.maybe(source.strings()), **members)


def _known_layers(source: Source, used: set) -> list[dict]:
    """Layers of chapter 26 whose configs say defaults and things nearly like them."""
    return [
        _layer(source, used, name="known.dense", type="Dense", config=source.shuffled({
            "units": source.random.randint(1, 9), "activation": source.maybe("linear"), "use_bias": source.maybe(source.chance(0.5)),
            "kernel_initializer": source.maybe(source.shuffled({"type": "Constant", "config": {"value": source.number()}})),
            "kernel_regularizer": source.maybe({"type": "L2", "config": {"l2": abs(source.number())}}),
        })),
        _layer(source, used, name="known.two", type="Bidirectional", sublayers=source.shuffled({
            role: _layer(source, used, type="LSTM", config=source.shuffled({
                "units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "return_sequences": source.maybe(False), "go_backwards": source.maybe(role == "backward"),
            })) for role in ("backward", "forward")
        })),
    ]


def architecture(source: Source, owned: list[str] | None) -> dict:
    """An architecture whose layers own the tensors named; of any layers where none are given."""
    used: set = set()
    names = iter(dict.fromkeys(source.name() for _ in range(40)))
    layers = []
    for tensor in owned or []:
        entry = source.shuffled({"tensor": tensor, "axes": ..., "trainable": source.maybe(source.chance(0.5))})
        layers.append(_layer(source, used, name=next(names), type="example:" + "Any Thing", config=source.maybe(source.object()), weights={"w": entry}))
    if owned is None:
        layers += _known_layers(source, used)
        inner = source.shuffled({"name": source.maybe(source.name()), "layers": [_layer(source, used, name=source.name(), type="example:T")]})
        layers.append(_layer(source, used, name="known.inner", type="Model", architecture=inner))
    calls, outputs, inputs = ..., ..., ...
    if layers and source.chance(0.5):
        inputs = [_part(source, used, name="in", shape=[None, "n", source.random.randrange(2**53)], dtype=source.maybe("float32"))]
        calls = [
            _part(source, used, op="x:op", config=source.maybe(source.object()), inputs=["in"], outputs=["v"]),
            _part(source, used, layer=(kept := layers[0])["name"], inputs=["v"], outputs=source.maybe([kept["name"]]),
                  arguments=... if owned is None else source.maybe({"mask": {"value": "in"}, "scale": source.number(), "many": [source.integer(), source.text(), None]})),
        ]
        outputs = ["v", kept["name"]]
    composites = {"C": source.shuffled({"layers": [], "parameters": source.maybe({"p": {"default": source.value()}, "q": {}}), "metadata": source.maybe({})})}
    return _document(source, used, name=source.maybe(source.name()), inputs=inputs, layers=layers, calls=calls, outputs=outputs,
                     composites=source.maybe(source.random.choice([{}, composites])))


def training(source: Source) -> dict:
    """A training document with parts of chapter 51 and of somebody else."""
    used: set = set()
    rate = source.random.choice([source.number(), source.shuffled({"type": "ExponentialDecay", "config": source.shuffled({
        "initial_learning_rate": abs(source.number()), "decay_steps": source.random.randint(1, 2**40), "decay_rate": 0.5})})])
    optimizer = source.random.choice([
        {"type": "SGD", "config": source.shuffled({"learning_rate": abs(rate) if isinstance(rate, float) else rate, "momentum": source.maybe(0.5)})},
        {"type": "example:Own", "config": source.object()},
    ])
    return _document(
        source, used, optimizer=source.maybe(_part(source, used, **source.shuffled(optimizer)), 0.8),
        losses=source.maybe([_part(source, used, type="example:Loss", weight=source.maybe(source.random.choice([1, 1.0, 0, -0.0, 2.0, source.number(), source.integer()])))]),
        metrics=source.maybe([_part(source, used, type="example:M", config=source.maybe(source.object()), weighted=source.maybe(source.chance(0.5)))]),
        progress=source.maybe(source.shuffled({
            "step": source.maybe(source.random.randrange(2**53)), "epoch": source.maybe(0), "samples": source.maybe(2**53 - 1),
            "best": source.maybe({source.name(): source.random.choice([source.number(), source.integer(), {"float": "NaN"}]) for _ in range(3)}),
        })),
    )


def write_package(folder: Path, seed: int) -> None:
    """Writes the package of a seed as a folder; it is valid."""
    source = Source(seed)
    files, records, sections, used = {}, {}, {}, set()

    def document(name: str, section: str | None, value: object) -> None:
        files[name] = (json.dumps(value, ensure_ascii=source.chance(0.5), indent=source.random.choice([None, 1])) + "\n" * source.random.randrange(2)).encode()
        records[name] = {"size": len(files[name]), "digest": _digest(files[name])}
        if section:
            sections[section] = name

    content = tensors(source, source.names(12)) if source.chance(0.8) else None
    if content is None or source.chance(0.6):
        document("graph/the.json", "architecture", architecture(source, None if content is None else list(content)))
    for section, name, held in (("weights", "w.safetensors", content), ("training_state", "s.safetensors", None)):
        if section == "training_state" and source.chance(0.5):
            document("training.json", "training", training(source))
            slots = [f"optimizer.momentum.{one}" for one in list(content or {})[:3]]
            held = tensors(source, [*slots, "optimizer.count", "random.keras"]) if source.chance(0.7) else None
        if held is not None:
            files[name], record = _safetensors(source, held)
            records[name] = source.shuffled({"size": len(files[name]), **record})
            sections[section] = name
    for number in range(source.random.randrange(4)):
        segment = "".join(one for one in source.name() if one not in '\\:*?"<>|/').strip(". ")
        name = f"assets/{number}{unicodedata.normalize('NFC', segment)}".rstrip(". ")
        files[name] = source.random.randbytes(source.random.choice([0, 1, 63, 64, 65, 1000, 65_535, 65_536]))
        records[name] = {"size": len(files[name]), "digest": _digest(files[name])}
    extensions = source.extensions(used)
    manifest = source.shuffled({
        "format": "triptych", "format_version": "1.0", "name": source.maybe(source.name()), "sections": source.shuffled(sections),
        "members": source.shuffled(records), "producer": source.maybe(source.shuffled({"name": source.text(), "version": source.text()})),
        "license": source.maybe("Apache-2.0 OR MIT"), "provenance": source.maybe(source.strings()), "metadata": source.maybe(source.strings()),
        "extensions_used": sorted(used) or source.maybe([]), "extensions_required": source.maybe([]), "extensions": extensions,
    })
    files["manifest.json"] = json.dumps(manifest, ensure_ascii=source.chance(0.5)).encode()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
