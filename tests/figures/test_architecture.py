"""Drawings, tables and captions of nets, from graphs."""

import re
import xml.etree.ElementTree as ET

import plotly.graph_objects as go
import pytest

from resnet_viz.architectures import NAMED, cifar
from resnet_viz.figures.architecture.arranging import arrange
from resnet_viz.figures.architecture.captions import (
    comparison_caption,
    net_caption,
    stage_caption,
)
from resnet_viz.figures.architecture.drawing import details, drawing_of
from resnet_viz.figures.architecture.errors import (
    OWN,
    SizedError,
    error_vs_size,
    errors_caption,
)
from resnet_viz.figures.architecture.one_by_one import (
    basic_block,
    block_costs,
    bottleneck_block,
    multiply_adds_of,
    parameters_of,
    saving_caption,
)
from resnet_viz.figures.architecture.table import compared_rows, shown_rows, stage_rows
from resnet_viz.figures.architecture.words import crumbs
from resnet_viz.nets.architectures import graph_of
from resnet_viz.nets.costs import count_costs
from resnet_viz.papers import PUBLISHED_ERRORS
from resnet_viz.specs import NetSpec

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def graphs():
    nets = {name: NAMED[name] for name in ("resnet152", "resnet50", "densenet121", "googlenet")}
    nets |= {"vgg16": NAMED["vgg16"], "lenet5": NAMED["lenet5"]}
    nets["resnet8"] = cifar(NetSpec("resnet", 8))
    nets["plain8"] = cifar(NetSpec("plain", 8))
    nets["resnet602"] = cifar(NetSpec("resnet", 602))
    return {name: graph_of(net) for name, net in nets.items()}


def places(drawing):
    """What can be opened in a drawing, in order; the drawing must be well-formed."""
    root = ET.fromstring(drawing.svg)
    return [g.get("data-place") for g in root.iter(f"{SVG}g") if g.get("data-place")]


@pytest.mark.parametrize("name", ["resnet152", "densenet121", "vgg16", "googlenet", "resnet602"])
def test_every_part_and_block_can_be_opened_from_the_whole_net(graphs, name):
    graph = graphs[name]
    found = places(drawing_of(graph, ""))
    assert set(found) == {part.key for part in graph.parts} | {
        block.key for part in graph.parts for block in part.blocks
    }
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", ["resnet152", "densenet121", "googlenet", "resnet602", "lenet5"])
def test_nothing_is_drawn_outside_of_the_drawing(graphs, name):
    graph = graphs[name]
    for place in ("", graph.stages[0].key, graph.stages[-1].blocks[-1].key):
        drawing = drawing_of(graph, place)
        for rect in ET.fromstring(drawing.svg).iter(f"{SVG}rect"):
            right = float(rect.get("x")) + float(rect.get("width"))
            bottom = float(rect.get("y")) + float(rect.get("height"))
            assert 0 <= float(rect.get("x")) <= right <= drawing.width + 0.5
            assert 0 <= float(rect.get("y")) <= bottom <= drawing.height + 0.5


def test_a_stage_opens_its_blocks_and_a_block_its_operations(graphs):
    graph = graphs["resnet152"]
    stage = graph.part("stage3")
    assert places(drawing_of(graph, "stage3")) == [block.key for block in stage.blocks]
    block = stage.blocks[6]
    assert places(drawing_of(graph, block.key)) == [op.id for op in block.operations]
    drawn = drawing_of(graph, f"{block.key}.branch.conv2").svg
    marked = re.findall(r'data-place="([^"]+)"[^>]*aria-current="true"', drawn)
    assert marked == [f"{block.key}.branch.conv2"]


def test_a_dense_stage_has_an_arc_for_every_connection(graphs):
    graph = graphs["densenet121"]
    for part in graph.stages:
        root = ET.fromstring(drawing_of(graph, part.key).svg)
        arcs = max((p.get("d").count("C") for p in root.iter(f"{SVG}path")), default=0)
        layers = len(part.blocks)
        assert arcs == layers * (layers + 1) // 2
        assert f"{arcs:,} connections" in drawing_of(graph, part.key).alt


def test_shapes_stand_on_the_arrows(graphs):
    graph = graphs["resnet50"]
    for shape in ("3×224×224", "64×56×56", "256×56×56", "512×28×28", "2048×7×7"):
        assert shape in drawing_of(graph, "").svg
    assert "128×56×56" in drawing_of(graph, "stage2.block1").svg  # before the stride


def test_a_drawing_as_a_file_is_xml_and_knows_light_and_dark(graphs):
    file = drawing_of(graphs["resnet8"], "").file
    ET.fromstring(file)
    assert "prefers-color-scheme" in file
    assert "var(" not in file


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("googlenet", "stage1.block1"),
        ("resnet50", "stage2.block1"),
        ("resnet50", "stage2.block2"),
        ("resnet8", "stage2.block1"),
    ],
)
def test_no_two_operations_of_a_flow_diagram_share_a_place_and_no_arrow_crosses_one(
    graphs, name, place
):
    graph = graphs[name]
    _part, block, _operation = graph.find(place)
    found = arrange(block.operations, graph.entries(block.operations))
    spots = [(spot.layer, spot.lane) for spot in found.spots.values()]
    assert len(spots) == len(set(spots))
    edges = {(edge.start, edge.end) for edge in found.edges}
    assert edges == {(i, op.id) for op in block.operations for i in op.inputs}
    for edge in found.edges:
        start, end = found.spots[edge.start], found.spots[edge.end]
        passed = {(layer, edge.lane) for layer in range(start.layer + 1, end.layer)}
        assert not passed & set(spots)


def test_the_way_to_a_place_and_its_details(graphs):
    graph = graphs["resnet50"]
    place = "stage2.block1.shortcut.conv"
    assert [title for _place, title in crumbs(graph, place)] == [
        "ResNet-50",
        "stage 2",
        "block 1",
        "shortcut.conv",
    ]
    values = dict(details(graph, place))
    assert values["kernel"] == "1×1"
    assert values["stride"] == "2"
    assert values["parameters"] == f"{256 * 512:,}"
    assert values["multiply-adds"] == f"{256 * 512 * 28 * 28:,}"
    assert (values["in"], values["out"]) == ("256×56×56", "512×28×28")


def test_the_table_adds_up_and_grows_with_the_batch(graphs):
    graph = graphs["resnet50"]
    *parts, whole = stage_rows(graph, 32)
    for name in ("layers", "parameters", "multiply_adds"):
        assert sum(row[name] for row in parts) == whole[name]
    assert parts[1]["blocks"] == "[1×1, 64 · 3×3, 64 · 1×1, 256] × 3"
    assert whole["kept_bytes"] == 32 * stage_rows(graph, 1)[-1]["kept_bytes"]


def test_two_nets_differ_where_their_numbers_do_and_nowhere_else(graphs):
    plain, residual = graphs["plain8"], graphs["resnet8"]
    for row in compared_rows(plain, residual, 1):
        assert set(row["differs"]) <= {"kept_bytes"}  # option A adds no parameter
    rows = compared_rows(graphs["resnet50"], graphs["densenet121"], 1)
    (lonely,) = [row for row in rows if row["part"] == "transition1"]
    assert "parameters" in lonely["differs"]
    stem = [row for row in rows if row["part"] == "stem"]
    assert stem[0]["differs"] == []
    shown = shown_rows(rows, [graphs["resnet50"], graphs["densenet121"]])
    assert shown[0]["parameters"] == "9.54 k"
    assert shown[2]["parameters"].startswith("≠")
    assert "as many parameters" in comparison_caption(plain, residual, 8)


def test_captions_are_counted_from_the_graph(graphs):
    text = net_caption(graphs["resnet152"])
    assert "46 of 50 shortcuts are identities; the others: 4 projections" in text
    assert "60.2 M parameters" in text
    assert "21 + 78 + 300 + 136 = 535 connections" in net_caption(graphs["densenet121"])
    assert "2 identities with zero-padding" in net_caption(graphs["resnet8"])
    assert "shortcut" not in net_caption(graphs["plain8"])
    assert stage_caption(graphs["resnet152"].part("stage3")).startswith("35 of 36 blocks")


def test_a_bottleneck_costs_what_torch_counts():
    from torch import nn

    basic, bottleneck = basic_block(64, 56), bottleneck_block(256, 64, 56)
    for block in (basic, bottleneck):
        convs = [nn.Conv2d(c.c_in, c.c_out, c.kernel, bias=False) for c in block]
        assert parameters_of(block) == sum(conv.weight.numel() for conv in convs)
        assert multiply_adds_of(block) == parameters_of(block) * 56 * 56
    assert (parameters_of(basic), parameters_of(bottleneck)) == (73_728, 69_632)
    text = saving_caption(basic_block(256, 14), bottleneck_block(256, 64, 14))
    assert "16.9 times fewer" in text
    assert "1·1·256·64 + 3·3·64·64 + 1·1·64·256" in text
    assert "times more" in saving_caption(basic_block(16, 14), bottleneck_block(256, 64, 14))
    assert len(block_costs(basic, bottleneck).data) == 2 * 5


def test_published_dense_nets_are_counted_as_their_paper_counts_them():
    """Huang et al. 2017, Table 2: parameters to the digits that it prints."""
    dense = [e for e in PUBLISHED_ERRORS if e.family == "densenet" and e.measure == "test"]
    assert len(dense) == 6
    for error in dense:
        counted = count_costs(error.net.spec, image_size=32, num_classes=10).parameters
        assert round(counted / 1e6, 1) == error.parameters / 1e6, error.title


def test_a_block_too_long_for_the_table_says_how_many_convolutions_it_has(graphs):
    rows = {row["part"]: row["blocks"] for row in stage_rows(graphs["googlenet"], 1)}
    assert rows["stage1"] == "[6 convolutions each] × 2"


def segments(data):
    """Straight pieces of a path of M, H and V: (x, y, x, y) each."""
    found, x, y = [], 0.0, 0.0
    for command, numbers in re.findall(r"([MHV])([-\d. ]+)", data):
        values = [float(value) for value in numbers.split()]
        to = {"M": (*values, 0)[:2], "H": (values[0], y), "V": (x, values[0])}[command]
        if command != "M":
            found.append((x, y, *to))
        x, y = to
    return found


@pytest.mark.parametrize(
    "spec",
    [
        NetSpec("highway", 8),
        NetSpec("resnet", 8, shortcut="exclusive_gate"),
        NetSpec("resnet", 8, shortcut="shortcut_gate"),
        NetSpec("preact", 8, shortcut="B"),
        NetSpec("densenet", 10),
    ],
    ids=lambda spec: spec.name,
)
def test_no_arrow_runs_through_an_operation(spec):
    graph = graph_of(cifar(spec))
    for block in (block for stage in graph.stages for block in stage.blocks):
        root = ET.fromstring(drawing_of(graph, block.key).svg)
        boxes = []
        for cell in root.iter():
            if cell.get("class") != "cell":
                continue
            if cell.tag == f"{SVG}circle":
                x, y, r = (float(cell.get(name)) for name in ("cx", "cy", "r"))
                boxes.append((x - r + 4, y - r + 4, x + r - 4, y + r - 4))
            else:
                x, y, w, h = (float(cell.get(name)) for name in ("x", "y", "width", "height"))
                boxes.append((x + 2, y + 2, x + w - 2, y + h - 2))
        lines = [
            s for p in root.iter(f"{SVG}path") for s in segments(p.get("d")) if p.get("marker-end")
        ]
        assert len(lines) >= len(block.operations)
        for x0, y0, x1, y1 in lines:
            for left, top, right, bottom in boxes:
                across = min(x0, x1) < right and max(x0, x1) > left
                assert not (across and min(y0, y1) < bottom and max(y0, y1) > top), block.key


def points():
    return [
        SizedError(e.title, e.family, e.error, e.protocol, e.source, 1e6 + n, 1e9, "", e.note)
        for n, e in enumerate(PUBLISHED_ERRORS)
        if e.measure == "top1"
    ]


def test_every_published_point_is_drawn_once_and_names_its_protocol_and_source():
    figure = error_vs_size(points(), "parameters", "top-1 error (%)")
    assert isinstance(figure, go.Figure)
    drawn = [hover for trace in figure.data for hover in trace.customdata]
    assert len(drawn) == len(points())
    for hover in drawn:
        assert "validation images" in hover
        assert "Table" in hover
    assert figure.layout.xaxis.type == "log"
    assert "log axis" in figure.layout.xaxis.title.text


def test_own_runs_are_drawn_beside_with_their_badge_and_the_caption_leaves_them_out():
    own = SizedError("resnet-20", "resnet", 0.01, OWN, "your run 3", 1e5, 1e7, "", "same protocol")
    known = [
        SizedError("a", "plain", 0.10, "10-crop", "P, Table 1", 4e6, None, ""),
        SizedError("b", "resnet", 0.08, "10-crop", "P, Table 1", 1e6, None, ""),
    ]
    figure = error_vs_size([*known, own], "parameters", "error")
    (mine,) = [trace for trace in figure.data if "your runs" in trace.name]
    assert "same protocol" in mine.customdata[0]
    text = errors_caption([*known, own])
    assert "b errs less than a with 4.0 times fewer parameters" in text
    assert "resnet-20" not in text
    assert len(error_vs_size(known, "multiply_adds", "error").data) == 0


def test_a_drawing_never_lets_a_name_become_markup():
    """Names come from this program, but a drawing goes into the page as it is."""
    graph = graph_of(NAMED["lenet5"])
    hostile = type(graph)("<img src=x>", graph.family, graph.depth, graph.operations)
    assert "<img" not in drawing_of(hostile, "").svg
