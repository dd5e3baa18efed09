"""Two models compared: documents member by member, tensors by number, and what the command makes of it."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import ml_dtypes
import numpy as np
import pytest

import triptych
from triptych.cli import main
from triptych.model import Component, Composite, Input, Layer, Metric, Panels, Progress, Tensor, Training, Weights
from triptych.model.architecture import Architecture, Call
from triptych.surface.difference import diff
from triptych.surface.distance import CHUNK, Tolerance, distance

EXACT = Tolerance.of(None, None)


def layer(name, units=3, **more):
    return Layer(name, "Dense", {"units": units}, **more)


def graph(*layers, calls, outputs):
    return Architecture(layers, (Input("x", (None, 4)),), tuple(calls), outputs, name="m")


def base():
    inner = graph(layer("a"), layer("b"), calls=[Call("a", ("x",)), Call("b", ("a",))], outputs=("b",))
    outer = graph(layer("head"), Layer("nest", "Model", architecture=inner), calls=[Call("nest", ("x",)), Call("head", ("nest",))], outputs=("head",))
    rng = np.random.default_rng(3)
    weights = {f"{name}.kernel": rng.normal(size=(4, 3)).astype(np.float32) for name in ("head", "nest.a", "nest.b")}
    training = Training(
        Component("Adam", {"learning_rate": 0.001}),
        metrics=(Metric("MeanSquaredError"),),
        progress=Progress(step=7),
        state=Weights.from_arrays({"optimizer.m.head.kernel": np.zeros((4, 3), np.float32)}),
    )
    return Panels(architecture=outer, weights=Weights.from_arrays(weights), training=training)


def of(panels, **more):
    return triptych.Model(replace(panels, **more))


def test_a_model_is_the_same_as_itself_and_both_are_read_whole():
    found = diff(of(base()), of(base()))
    assert found.is_same
    assert (found.weights.compared, found.weights.bit_identical, found.state.compared) == (3, 3, 1)


def test_a_changed_layer_deep_inside_has_its_pointer_on_each_side_and_both_values():
    one, two = base(), base()
    inner = two.architecture.layers[1]
    changed = replace(inner.architecture, layers=(layer("new"), layer("a", 5), layer("b")), name="other")
    moved = replace(two.architecture, layers=(replace(inner, architecture=changed), two.architecture.layers[0]))
    found = {(c.kind, c.subject): c for c in diff(of(one), of(two, architecture=moved)).architecture}
    units = found["changed", "layer nest.a"]
    assert (units.pointers, units.before, units.after) == (
        ("/layers/1/architecture/layers/0/config/units", "/layers/0/architecture/layers/1/config/units"), 3, 5
    )
    assert found["added", "layer nest.new"].pointers == (None, "/layers/0/architecture/layers/0")
    assert found["changed", "nest name"].after == "other"
    assert found["changed", "order of layers"].before == ["head", "nest"]
    assert len(found) == 4


def test_calls_are_matched_by_what_they_yield_whatever_their_order():
    calls = [Call("a", ("x",)), Call("b", ("x",)), Call("", ("a", "b"), outputs=("sum",), op="add")]
    one = graph(layer("a"), layer("b"), calls=calls, outputs=("sum",))
    turned = graph(layer("a"), layer("b"), calls=[calls[1], calls[0], calls[2]], outputs=("sum",))
    assert diff(of(Panels(architecture=one)), of(Panels(architecture=turned))).is_same
    other = graph(layer("a"), layer("b"), calls=[*calls[:2], Call("", ("a", "a"), outputs=("sum",), op="add")], outputs=("a",))
    found = diff(of(Panels(architecture=one)), of(Panels(architecture=other))).architecture
    assert [(c.subject, c.pointers[0], c.before, c.after) for c in found] == [
        ("call sum", "/calls/2/inputs", ["a", "b"], ["a", "a"]),
        ("outputs", "/outputs", ["sum"], ["a"]),
    ]


def test_sequences_sublayers_composites_and_missing_members_are_compared():
    def model(units, **more):
        wrapped = Layer("w", "Bidirectional", {}, {"for/ward": layer("", units), **more.pop("roles", {})})
        inner = Composite(Architecture((layer("c", units),), (Input("y", None),), (Call("c", ("y",)),), ("c",)))
        return of(Panels(architecture=Architecture((wrapped,), composites={"My~Block": inner}, **more)))

    found = diff(model(3), model(4, roles={"backward": layer("")}, metadata={"by": "me"})).architecture
    assert [(c.kind, c.subject, c.pointers) for c in found] == [
        ("changed", "layer w.for/ward", ("/layers/0/sublayers/for~1ward/config/units",) * 2),
        ("added", "layer w.backward", (None, "/layers/0/sublayers/backward")),
        ("changed", "layer My~Block.c", ("/composites/My~0Block/layers/0/config/units",) * 2),
        ("added", "metadata", (None, "/metadata")),
    ]
    sequence = of(Panels(architecture=Architecture((layer("a"),))))
    drawn = of(Panels(architecture=graph(layer("a"), calls=[Call("a", ("x",))], outputs=("a",))))
    assert ("changed", "model", "a sequence", "a graph") in [(c.kind, c.subject, c.before, c.after) for c in diff(sequence, drawn).architecture]


def test_true_is_not_one_and_one_is_one_point_nought():
    def model(value):
        return of(Panels(architecture=Architecture((Layer("a", "x:Y", {"v": [value]}),))))

    assert not diff(model(True), model(1)).is_same
    assert diff(model(1), model(1.0)).is_same


def test_training_is_compared_in_its_configuration_progress_and_state():
    one = base()
    state = Weights.from_arrays({"optimizer.v.head.kernel": np.zeros((4, 3), np.float32)})
    two = replace(one.training, optimizer=Component("Adam", {"learning_rate": 0.01}), metrics=(), progress=Progress(step=9), state=state)
    found = diff(of(one), of(one, training=two))
    assert [(c.kind, c.subject, c.pointers[0]) for c in found.training] == [
        ("changed", "optimizer", "/optimizer/config/learning_rate"),
        ("removed", "metrics", "/metrics/0"),
        ("changed", "progress", "/progress/step"),
    ]
    assert [(c.kind, c.name) for c in found.state.changes] == [("removed", "optimizer.m.head.kernel"), ("added", "optimizer.v.head.kernel")]
    assert diff(of(one), of(one, training=two), only="weights").is_same


def test_a_panel_that_one_side_lacks_is_a_difference_and_one_that_both_lack_cannot_be_asked_for():
    found = diff(of(base()), of(base(), training=None))
    assert found.missing == (("training", "second"),)
    assert not found.is_same
    with pytest.raises(triptych.UsageError, match="neither has it"):
        diff(of(base(), weights=None), of(base(), weights=None), only="weights")
    with pytest.raises(triptych.UsageError, match="got 'graph'"):
        diff(of(base()), of(base()), only="graph")
    for bad in (-1.0, float("nan")):
        with pytest.raises(triptych.UsageError, match="rtol"):
            diff(of(base()), of(base()), rtol=bad)


def test_what_is_ignored_is_no_difference_wherever_it_stands():
    def model(seen, **more):
        dense = layer("a", extensions={"keras": {"seen": seen}}, **more)
        nest = Layer("nest", "Model", architecture=graph(dense, calls=[Call("a", ("x",))], outputs=("a",)))
        outer = graph(nest, calls=[Call("nest", ("x",))], outputs=("nest",))
        return of(Panels(architecture=replace(outer, extensions_used=("keras",), extensions={"keras": {"version": seen}})))

    one, two = model(1), model(2)
    assert [c.pointers[0] for c in diff(one, two).architecture] == ["/layers/0/architecture/layers/0/extensions/keras/seen", "/extensions/keras/version"]
    for ignored in ("extensions", "extensions.keras", "keras"):
        assert diff(one, two, ignore=[ignored]).is_same
        assert diff(one, two, ignore=[ignored]).ignored == (ignored,)
    assert [c.pointers[0] for c in diff(one, two, ignore=["extensions.keras.version"]).architecture] == ["/layers/0/architecture/layers/0/extensions/keras/seen"]
    bare = of(Panels(architecture=replace(one.architecture, layers=(replace(one.architecture.layers[0], name="nest"),), extensions_used=(), extensions={})))
    assert diff(one, bare, ignore=["extensions.keras"]).is_same
    assert not diff(one, bare, ignore=["extensions.torch"]).is_same
    for bad in ("", "a..b", "a."):
        with pytest.raises(triptych.UsageError, match="member to ignore"):
            diff(one, two, ignore=[bad])


def test_assets_belong_to_the_architecture():
    def model(text):
        return of(base(), assets={"assets/words.txt": Tensor.from_array(np.frombuffer(text, np.uint8))})

    found = diff(model(b"one"), model(b"two"))
    assert found.differs("architecture") and not found.differs("weights")
    assert found.assets.changes[0].name == "assets/words.txt"


def measured(a, b, tolerance=EXACT):
    return distance(Tensor.from_array(np.asarray(a)), Tensor.from_array(np.asarray(b)), tolerance)


def test_distances_are_those_that_numpy_computes_over_several_chunks():
    rng = np.random.default_rng(0)
    b = rng.normal(size=CHUNK * 2 + 5).astype(np.float32)
    a = b.copy()
    a[[1, CHUNK, -1]] += np.float32([1e-3, 2, -0.5])
    found = measured(a, b)
    apart = np.abs(a.astype(float) - b)
    assert (found.elements, found.differing, found.nan, found.is_bit_identical) == (a.size, 3, 0, False)
    assert found.max_abs == apart.max()
    assert found.max_rel == (apart / np.abs(b.astype(float))).max()


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "complex64", "int8", "uint8", "int64", ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn])
def test_tolerances_are_those_of_numpy_allclose(dtype):
    rng = np.random.default_rng(1)
    for scale in (0.01, 0.1, 1.0):
        b = (rng.normal(size=50) * 20).astype(dtype)
        a = (b.astype(np.complex128) + scale * rng.normal(size=50)).real.astype(dtype)
        wide = np.complex128 if np.dtype(dtype).kind == "c" else np.float64
        for atol, rtol in ((0, 0), (0.05, 0), (0, 0.05), (0.3, 0.1), (5, 5)):
            assert measured(a, b, Tolerance.of(atol, rtol)).is_close == np.allclose(a.astype(wide), b.astype(wide), rtol=rtol, atol=atol), (atol, rtol)


@pytest.mark.parametrize("a, b", [(np.inf, np.inf), (np.inf, -np.inf), (np.inf, 1), (1, np.inf), (np.nan, np.nan), (np.nan, 1), (np.inf, np.nan), (0.0, -0.0)])
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_what_is_not_finite_is_close_where_numpy_says_so(a, b, dtype):
    a, b = np.array([a], dtype), np.array([b], dtype)
    found = measured(a, b, Tolerance.of(1, 1))
    assert found.is_close == np.allclose(a, b, atol=1, rtol=1, equal_nan=True)
    assert found.nan == int(np.isnan(a[0]) != np.isnan(b[0]))
    assert found.differing == int(not found.is_close)
    assert not np.isnan(found.max_abs) and not np.isnan(found.max_rel)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16])
def test_the_steps_between_floats_are_counted_across_zero(dtype):
    tiny = np.finfo(dtype).smallest_subnormal if dtype in {"float16", "float32", "float64"} else ml_dtypes.finfo(dtype).smallest_subnormal
    steps = np.array([-2, -1, 0, 1, 3], np.float64) * np.float64(tiny)
    found = measured(steps.astype(dtype)[[0, 1, 4]], steps.astype(dtype)[[3, 2, 4]])
    assert (found.max_ulp, found.differing) == (3, 2)
    one = np.array([1, 1], dtype)
    assert measured(one, one + np.array([0, np.finfo(dtype).eps if dtype in {"float16", "float32", "float64"} else ml_dtypes.finfo(dtype).eps], dtype)).max_ulp == 1
    assert measured(one, -one).max_ulp == 2 * int(one.view(f"int{8 * one.itemsize}")[0])


def test_the_relative_norm_is_that_of_numpy():
    rng = np.random.default_rng(2)
    b = rng.normal(size=CHUNK + 7)
    a = b + 0.01 * rng.normal(size=b.size)
    assert measured(a, b).rel_norm == pytest.approx(np.linalg.norm(a - b) / np.linalg.norm(b), rel=1e-12)
    assert measured(np.float32([1, 0]), np.float32([0, 0])).rel_norm == np.inf
    assert measured(np.float32([np.nan, 1, 2]), np.float32([5, np.nan, 1])).rel_norm == 1
    assert measured(np.float32([np.inf]), np.float32([1])).rel_norm is None
    assert measured(np.int8([1]), np.int8([2])).max_ulp is None


def test_bits_count_where_no_tolerance_is_given():
    zero = measured(np.float32([0.0]), np.float32([-0.0]))
    assert (zero.differing, zero.is_bit_identical, zero.is_close) == (0, False, False)
    payload = np.array([0x7FC00000, 0x7FC00001], np.uint32).view(np.float32)
    assert measured(payload[:1], payload[1:]).differing == 0
    assert measured(payload, payload).is_bit_identical


def test_integers_beyond_doubles_are_told_apart_and_so_are_dtypes():
    found = measured(np.int64([2**62 + 1, -(2**63)]), np.int64([2**62, 2**63 - 1]))
    assert (found.differing, found.max_abs) == (2, float(2**64))
    assert measured(np.uint64([2**64 - 1]), np.uint64([2**64 - 2])).max_abs == 1
    other = measured(np.float32([1, 2]), np.float64([1, 2]))
    assert (other.differing, other.is_bit_identical) == (0, False)


def test_packed_elements_are_compared_as_bytes():
    tensors = [Tensor("float4_e2m1fn", (4,), lambda data=data: memoryview(data)) for data in (b"\x12\x34", b"\x12\x35")]
    assert distance(tensors[0], tensors[0], EXACT).is_bit_identical
    found = distance(*tensors, Tolerance.of(9, 9))
    assert (found.differing, found.is_close) == (None, False)


@pytest.fixture
def pair(tmp_path):
    """Two packages: the second with one weight moved, one renamed, one of another shape."""
    one = base()
    arrays = dict(one.weights)
    arrays["head.kernel"] = arrays["head.kernel"] + np.float32(1e-4)
    arrays["nest.a.kernel"] = arrays["nest.a.kernel"].astype(np.float16)
    arrays["nest.b.other"] = arrays.pop("nest.b.kernel")
    paths = tmp_path / "a.triptych", tmp_path / "b.safetensors"
    triptych.Model(Panels(weights=one.weights)).save(paths[0])
    triptych.Model(Panels(weights=Weights.from_arrays(arrays))).save(paths[1])
    return [str(path) for path in paths]


def test_the_command_says_same_or_different_by_its_status(pair, capsys):
    assert main(["diff", pair[0], pair[0]]) == 0
    assert capsys.readouterr().out == "weights: same (3 tensors compared, 3 bit-identical)\nsame\n"
    assert main(["diff", *pair]) == 1
    out = capsys.readouterr().out
    assert "+  nest.b.other" in out and "-  nest.b.kernel" in out and "float32 → float16" in out and out.endswith("different\n")
    assert "12 of 12 differ, max abs 0.0001" in out


def test_the_json_report_has_the_keys_that_the_help_names(pair, capsys):
    assert main(["diff", *pair, "--format", "json", "--atol", "0.001"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"report", "same", "compared", "ignored", "missing", "architecture", "weights", "training"}
    weights = report["weights"]
    assert (weights["compared"], weights["bit_identical"], weights["within_tolerance"]) == (2, 0, 1)
    changes = {one["name"]: one for one in weights["changes"]}
    assert set(changes) == {"nest.a.kernel", "nest.b.kernel", "nest.b.other"}
    assert changes["nest.b.other"]["before"] is None
    far = changes["nest.a.kernel"]["distance"]
    assert set(far) == {"elements", "differing", "max_abs", "max_rel", "rel_norm", "max_ulp", "nan", "bit_identical", "close"} and far["close"]
    with pytest.raises(SystemExit):
        main(["diff", "--help"])
    said = capsys.readouterr().out
    keys = {*report, *weights, *far, *changes["nest.a.kernel"], "subject", "before_pointer", "after_pointer", "assets", "state"} - {"report"}
    assert [key for key in keys if f'"{key}"' not in said and f"{key} " not in said and f"{key}," not in said] == []


def test_reports_obey_their_schema_and_long_tables_are_cut_with_counts(tmp_path, capsys):
    paths = [str(tmp_path / f"{name}.triptych") for name in "ab"]
    for path, shift, count in zip(paths, (0, np.float32(1e-6)), (130, 125), strict=True):
        arrays = {f"t{number:03}": np.full(3, number + shift, np.float32) for number in range(count)}
        arrays |= {"packed": np.zeros(2, np.int8), "infinite": np.float32([np.inf, 1]) + shift, "zero": np.float32([0, 0]) + shift}
        triptych.Model(Panels(weights=Weights.from_arrays(arrays))).save(path)
    assert main(["schema", "reports/diff"]) == 0
    check = jsonschema.Draft202012Validator(json.loads(capsys.readouterr().out))
    for arguments in ([], ["--tolerance", "1e-3"], ["--ignore", "metadata"], ["--only", "weights"]):
        assert main(["diff", *paths, "--format", "json", *arguments]) == 1
        report = json.loads(capsys.readouterr().out)
        assert list(check.iter_errors(report)) == []
    assert list(check.iter_errors(report | {"same": 1}))
    assert main(["diff", *paths, "--limit", "3"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1:4]] == ["infinite", "t000", "t001"]
    assert "1 of 2 differ" in lines[1] and "3 of 3 differ, max abs 1e-06, rel 1," in lines[2] and "ulp" in lines[3]
    assert lines[4].startswith("  … and ") and "5 removed" in lines[4] and lines[4].endswith("--limit 0 lists them")
    assert lines[5].endswith("; farthest is t000")
    assert main(["diff", *paths, "--limit", "0"]) == 1
    assert len(capsys.readouterr().out.splitlines()) > 20
    assert main(["diff", *paths, "--tolerance", "1", "--atol", "1"]) == main(["diff", *paths, "--limit", "-1"]) == 2


def test_what_could_not_be_compared_is_neither_same_nor_different(pair, tmp_path, capsys):
    cut = tmp_path / "cut.triptych"
    cut.write_bytes(Path(pair[0]).read_bytes()[:-9])
    flipped = tmp_path / "flipped.triptych"
    data = bytearray(Path(pair[0]).read_bytes())
    data[data.index(triptych.load(pair[0]).weights["head.kernel"].tobytes())] ^= 1
    flipped.write_bytes(data)
    for path in (cut, flipped, tmp_path / "none", __file__):
        assert main(["diff", pair[0], str(path)]) == 3
        assert "same" not in capsys.readouterr().out
    assert main(["diff", *pair, "--only", "training"]) == 2
    assert main(["diff", *pair, "--atol", "-1"]) == 2


def test_a_name_cannot_command_the_terminal(tmp_path, capsys):
    for index, name in enumerate(("a\u202e[2J", "b")):
        triptych.Model(Panels(architecture=Architecture((layer(name),)))).save(tmp_path / f"{index}.json")
    assert main(["diff", str(tmp_path / "0.json"), str(tmp_path / "1.json")]) == 1
    assert "\u202e" not in capsys.readouterr().out
