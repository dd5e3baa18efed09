"""Pictures of graphs, judged by what a reader of the SVG sees: boxes, their text and where arrows lead."""

import os
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
import zlib
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych.cli import main
from triptych.model import Input, Layer, Panels, Weights
from triptych.model.architecture import Architecture, Call, WeightReference
from triptych.surface.picture import picture_of, rasterized
from triptych.surface.picture.boxes import LONGEST, columns, cut
from triptych.surface.picture.ranks import ranked

SVG = "{http://www.w3.org/2000/svg}"
WIDEST_ADVANCE = 0.6025
"""Of DejaVu Sans Mono and Menlo, in ems; Consolas, Liberation and Courier are narrower."""


def model(architecture):
    return triptych.Model(Panels(architecture=architecture))


def graph(layers, calls, outputs, inputs=("x",)):
    return Architecture(tuple(layers), tuple(Input(name, (None, 4)) for name in inputs), tuple(calls), outputs, name="g")


def dense(name, **more):
    return Layer(name, "Dense", {"units": 4}, **more)


def chain(length, *, branches=0, prefix="d"):
    """A chain with a skip over every seventh layer and, each twenty layers, `branches` side by side."""
    layers, calls, last, kept, count = [], [], "x", [], 0
    while count < length:
        if branches and count % 20 == 10:
            names = [f"{prefix}{count}_{index}" for index in range(branches)]
            layers += [dense(name) for name in names]
            calls += [Call(name, (last,)) for name in names]
            calls.append(Call("", tuple(names), outputs=(f"sum{count}",), op="add"))
            last, count = f"sum{count}", count + branches
            kept.append(last)
        else:
            name = f"{prefix}{count}"
            layers.append(dense(name))
            calls.append(Call(name, (last,)))
            last, count = name, count + 1
            if count % 7 == 0:
                kept.append(last)
    calls.append(Call("", (last, *kept), outputs=("end",), op="concatenate", config={"axis": -1}))
    return graph(layers, calls, ("end",))


def nested():
    inner = graph([dense("a"), dense("b")], [Call("a", ("x",)), Call("b", ("a",))], ("b",))
    middle = graph([Layer("in", "Model", architecture=inner), dense("c")], [Call("in", ("x",)), Call("c", ("in",))], ("c",))
    layers = [Layer("m", "Model", architecture=middle), dense("tail")]
    calls = [Call("m", ("x",)), Call("m", ("y",), outputs=("second",)), Call("", ("m", "second"), outputs=("s",), op="add"), Call("tail", ("s",))]
    return graph(layers, calls, ("tail", "s"), inputs=("x", "y"))


MODELS = {
    "one": graph([dense("only")], [Call("only", ("x",))], ("only",)),
    "sequence": Architecture((dense("a"), Layer("flat", "Flatten"), dense("b")), (Input("x", (None, 4)),)),
    "chain": chain(60),
    "long": chain(300, branches=5),
    "nested": nested(),
    "unused": graph([dense("a"), dense("alone")], [Call("a", ("x",))], ("a",)),
    "names": Architecture((dense("<b>&\"'\u202e" + "n" * 900), dense("層" * 40), dense("]]>"))),
}


@cache
def drawn(name):
    return ET.fromstring(picture_of(model(MODELS[name]), depth=2))


def boxes_of(root):
    """id -> (x, y, width, height) of every box."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        found[group.get("id")] = tuple(float(rect.get(key)) for key in ("x", "y", "width", "height"))
    assert len(found) == len(list(root.iter(f"{SVG}g")))
    return found


def arrows_of(root):
    for path in root.iter(f"{SVG}path"):
        if path.get("class") == "arrow":
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.get("d"))]
            yield path.get("data-from"), path.get("data-to"), list(zip(numbers[::2], numbers[1::2], strict=True))


def named(root):
    """id -> first line of each box."""
    return {group.get("id"): group.find(f"{SVG}text").text for group in root.iter(f"{SVG}g")}


@pytest.mark.parametrize("name", MODELS)
def test_no_two_boxes_overlap_and_all_are_inside_the_picture_and_their_frames(name):
    root = drawn(name)
    width, height = float(root.get("width")), float(root.get("height"))
    found = boxes_of(root)
    for x, y, w, h in found.values():
        assert 0 <= x and x + w <= width and 0 <= y and y + h <= height
    for (one, a), (two, b) in combinations(found.items(), 2):
        outer, inner = (a, b) if two.startswith(f"{one}-") else (b, a) if one.startswith(f"{two}-") else (None, None)
        if outer is not None:
            assert outer[0] <= inner[0] and inner[0] + inner[2] <= outer[0] + outer[2]
            assert outer[1] + 20 <= inner[1] and inner[1] + inner[3] <= outer[1] + outer[3]
        else:
            apart = a[0] + a[2] <= b[0] or b[0] + b[2] <= a[0] or a[1] + a[3] <= b[1] or b[1] + b[3] <= a[1]
            assert apart, (one, two)


@pytest.mark.parametrize("name", MODELS)
def test_no_text_is_wider_or_higher_than_its_box_in_the_widest_font(name):
    root = drawn(name)
    size = float(root.get("font-size"))
    for group in root.iter(f"{SVG}g"):
        x, y, width, height = (float(group.find(f"{SVG}rect").get(key)) for key in ("x", "y", "width", "height"))
        lines = group.findall(f"{SVG}text")
        for line in lines:
            assert float(line.get("x")) == pytest.approx(x + width / 2, abs=0.11)
            assert columns(line.text) * WIDEST_ADVANCE * size < width - 4, line.text
            assert columns(line.text) <= LONGEST
            assert y < float(line.get("y")) - size * 0.8 and float(line.get("y")) < y + height
        assert all(float(two.get("y")) - float(one.get("y")) > size for one, two in pairwise(lines))


@pytest.mark.parametrize("name", MODELS)
def test_each_arrow_leaves_the_box_it_names_and_ends_at_the_top_of_the_one_it_names(name):
    root = drawn(name)
    found = boxes_of(root)
    ways = {}
    arrows = list(arrows_of(root))
    for source, _, points in arrows:
        ways.setdefault(source, set()).add(points[-1])
    for source, target, points in arrows:
        x, y, width, height = found[source]
        leaves = abs(points[0][0] - x - width / 2) < 0.2 and abs(points[0][1] - y - height) < 0.2
        assert leaves or any(abs(points[0][0] - one) < 0.2 and abs(points[0][1] - two) < 0.2 for one, two in ways[source])
        if target is not None:
            x, y, width, _ = found[target]
            assert points[-1] == pytest.approx((x + width / 2, y), abs=0.2)


@pytest.mark.parametrize("name", ["chain", "long", "nested"])
def test_no_arrow_runs_through_a_box(name):
    root = drawn(name)
    everywhere = boxes_of(root)
    frames = {one.rpartition("-")[0] for one in everywhere}
    x, y, w, h = np.array([box for one, box in everywhere.items() if one not in frames]).T
    steps = np.linspace(0, 1, 12)[:, None]
    for source, target, points in arrows_of(root):
        for (ax, ay), (bx, by) in pairwise(points):
            px, py = ax + (bx - ax) * steps, ay + (by - ay) * steps
            hit = (x + 0.3 < px) & (px < x + w - 0.3) & (y + 0.3 < py) & (py < y + h - 0.3)
            assert not hit.any(), (source, target)


@pytest.mark.parametrize("name", ["one", "chain", "long"])
def test_every_layer_appears_once_and_every_arrow_of_the_graph_is_drawn_once(name):
    architecture = MODELS[name]
    root = drawn(name)
    words = named(root)
    shown = sorted(words.values())
    values = [one for call in architecture.calls for one in call.output_names]
    assert shown == sorted([*values, "input x", *(f"output {one}" for one in architecture.outputs)])
    expected = {("input x" if value == "x" else value, call.output_names[0]) for call in architecture.calls for value in call.inputs}
    expected |= {(one, f"output {one}") for one in architecture.outputs}
    got = [(words[source], words[target]) for source, target, _ in arrows_of(root) if target is not None]
    assert sorted(got) == sorted(expected)


def test_nested_graphs_are_drawn_to_the_depth_asked_for_and_a_second_call_is_not_drawn_inside():
    words = {depth: sorted(named(ET.fromstring(picture_of(model(MODELS["nested"]), depth=depth))).values()) for depth in (0, 1, 2)}
    outer = ["input x", "input y", "m", "m", "output s", "output tail", "s", "tail"]
    assert words[0] == outer
    assert words[1] == sorted([*outer, "input x", "in", "c", "output c"])
    assert words[2] == sorted([*words[1], "input x", "a", "b", "output b"])
    text = picture_of(model(MODELS["nested"]))
    assert "call 1 of 2" in text and "call 2 of 2" in text


def test_boxes_say_type_shape_parameters_and_what_is_frozen():
    layers = (dense("a"), dense("b", trainable=False), Layer("f", "Flatten"), Layer("bi", "Bidirectional", {}, {"forward": Layer("", "LSTM", {"units": 2})}))
    root = ET.fromstring(picture_of(model(Architecture(layers[:3], (Input("x", (None, 4)),)))))
    said = {group.find(f"{SVG}text").text: [line.text for line in group.findall(f"{SVG}text")] for group in root.iter(f"{SVG}g")}
    assert said["a"] == ["a", "Dense", "(None, 4)", "20 parameters"]
    assert said["f"] == ["f", "Flatten", "(None, 4)"]
    dashed = {group.find(f"{SVG}text").text for group in root.iter(f"{SVG}g") if group.find(f"{SVG}rect").get("stroke-dasharray")}
    assert dashed == {"b"}
    assert "Bidirectional of LSTM" in picture_of(model(Architecture(layers[3:], (Input("x", (None, 3, 4)),))))


def test_a_layer_whose_size_nobody_knows_and_an_extension_are_drawn():
    tied = Layer("t", "keras:Odd", {}, weights={"w": WeightReference("t.w")})
    text = picture_of(triptych.Model(Panels(architecture=Architecture((tied, dense("d"))), weights=Weights.from_arrays({"t.w": np.zeros((2, 3))}))))
    assert "keras:Odd" in text and "6 parameters" in text and "parameters unknown" in text


def test_the_picture_is_one_text_for_one_model_whatever_the_hashes_of_strings():
    code = "import sys; sys.path.insert(0, sys.argv[1]); from test_picture import *; sys.stdout.buffer.write(picture_of(model(MODELS['chain'])).encode())"
    texts = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run([sys.executable, "-c", code, str(Path(__file__).parent)], capture_output=True, env=environment, check=True)
        texts.add(run.stdout)
    assert texts == {picture_of(model(MODELS["chain"])).encode()}


def test_a_hostile_name_is_text_and_nothing_else():
    text = picture_of(model(MODELS["names"]))
    assert "\u202e" not in text and "\\u202e" in text
    root = ET.fromstring(text)
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {"svg", "title", "desc", "defs", "marker", "path", "g", "rect", "text"}
    assert "href" not in text
    tooltips = [group.find(f"{SVG}title").text for group in root.iter(f"{SVG}g")]
    assert any("<b>&\"'" in one and "n" * 900 in one for one in tooltips)


def test_the_picture_has_a_title_and_a_description_for_those_who_do_not_see_it():
    root = drawn("chain")
    assert root.get("role") == "img"
    title, description = (root.find(f"{SVG}{tag}") for tag in ("title", "desc"))
    assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert title.text == "Graph of g" and description.text.startswith("63 boxes")


def test_a_long_graph_is_folded_until_it_is_about_as_tall_as_wide():
    root = drawn("long")
    width, height = float(root.get("width")), float(root.get("height"))
    assert 1 / 2.5 < width / height < 2.5


def test_long_names_are_cut_in_their_middle():
    assert cut("a" * LONGEST) == "a" * LONGEST
    assert cut("head" + "x" * 99 + "tail").startswith("headx") and cut("head" + "x" * 99 + "tail").endswith("xtail")
    assert columns(cut("層" * 40)) <= LONGEST


def test_ranks_are_as_long_as_the_longest_way_and_arrows_of_one_box_share_their_way():
    found = ranked(5, [(0, 1), (1, 2), (2, 3), (0, 3), (0, 2), (4, 3)])
    assert found.rank[:5] == (0, 1, 2, 3, 2)
    assert len(found.rank) == 7 and set(found.origin[5:]) == {0}
    turned = ranked(6, [(0, 3), (1, 2), (0, 4), (1, 5)])
    order = [[point for point in row] for row in turned.rows]
    assert order in ([[0, 1], [3, 4, 2, 5]], [[1, 0], [2, 5, 3, 4]])


def size_of(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_a_png_has_twice_the_size_and_its_text_is_drawn(tmp_path, monkeypatch):
    source, target = tmp_path / "m.json", tmp_path / "m.PNG"
    triptych.save(model(MODELS["sequence"]), source)
    assert main(["plot", str(source), "-o", str(target)]) == 0
    root = ET.fromstring(picture_of(triptych.load(source)))
    assert size_of(target.read_bytes()) == pytest.approx([2 * float(root.get(side)) for side in ("width", "height")], abs=2)
    text = picture_of(model(MODELS["sequence"]))
    assert zlib.crc32(rasterized(text)) != zlib.crc32(rasterized(re.sub("<text.*</text>", "", text)))
    monkeypatch.setattr("triptych.surface.picture.LONGEST_SIDE", 100)
    assert max(size_of(rasterized(text))) == pytest.approx(100, abs=1)


def test_the_command_writes_svg_replaces_only_when_forced_and_names_what_it_cannot_do(tmp_path, capsys, monkeypatch):
    source, target = tmp_path / "m.json", tmp_path / "m.svg"
    triptych.save(model(MODELS["nested"]), source)
    assert main(["plot", str(source), "-o", str(target), "--depth", "2"]) == 0
    assert target.read_text(encoding="utf-8") == picture_of(triptych.load(source), depth=2)
    assert main(["plot", str(source), "-o", str(target)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["plot", str(source), "-o", str(target), "-f", "--depth", "0"]) == 0
    assert main(["plot", str(source), "-o", str(tmp_path / "m.gif")]) == 2
    assert main(["plot", str(source), "-o", str(tmp_path / "n.svg"), "--depth", "-1"]) == 2
    weights = tmp_path / "w.safetensors"
    triptych.Model(Panels(weights=Weights.from_arrays({"a": np.zeros(2)}))).save(weights)
    assert main(["plot", str(weights), "-o", str(tmp_path / "n.svg")]) == 2
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    assert main(["plot", str(source), "-o", str(tmp_path / "n.png")]) == 3
    assert "pip install 'triptych[png]'" in capsys.readouterr().err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["m.json", "m.svg", "w.safetensors"]
