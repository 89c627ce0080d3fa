import json
import math
import re

import pytest

from resnet_viz.figures.palette import LOOKS, colour
from resnet_viz.figures.signals.layers import (
    boundary_gradient,
    gradient_vs_layer,
    ratio_points,
    response_vs_layer,
)
from resnet_viz.figures.spread import Images
from tests.figures.making_signals import signal

FAMILIES = ("plain", "resnet", "preact")
FIGURES = [gradient_vs_layer, response_vs_layer, boundary_gradient]


def lines(figure):
    return {t.name: t for t in figure.data if t.showlegend}


def small_print(figure):
    return re.findall(r">([^<]+)</span>", figure.layout.xaxis.title.text)


def test_a_line_a_net_with_the_geometric_mean_of_its_seeds():
    signals = [signal("plain", gradient=[g] * 8, seed=s) for s, g in enumerate((1.0, 100.0))]
    figure = gradient_vs_layer([*signals, signal("resnet", gradient=[7.0] * 8)])
    assert list(lines(figure)) == ["plain-8", "resnet-8"]
    line = lines(figure)["plain-8"]
    assert list(line.x) == list(range(1, 9))
    assert list(line.y) == pytest.approx([10.0] * 8)
    assert figure.layout.yaxis.type == "log"
    assert "log axis" in figure.layout.yaxis.title.text
    assert small_print(figure)[0] == "geometric mean of 1 to 2 seeds, band: lowest to highest"


def test_the_band_goes_from_the_least_to_the_most():
    signals = [signal(gradient=[g] * 8, seed=s) for s, g in enumerate((2.0, 3.0, 5.0))]
    (band,) = [t for t in gradient_vs_layer(signals).data if t.fill]
    assert list(band.y) == [2.0] * 8 + [5.0] * 8
    assert list(band.x) == [*range(1, 9), *range(8, 0, -1)]
    assert not [t for t in gradient_vs_layer(signals[:1]).data if t.fill]
    assert small_print(gradient_vs_layer(signals[:1])) == ["one seed, batches of 16 images"]


def test_families_have_their_colours_dashes_and_symbols():
    drawn = lines(gradient_vs_layer([signal(family) for family in FAMILIES]))
    for family in FAMILIES:
        line = drawn[f"{family}-8"]
        assert line.line.color == colour(family, 8, [8])
        assert (line.line.dash, line.marker.symbol) == (LOOKS[family].dash, LOOKS[family].symbol)


def test_zeros_lie_at_the_bottom_edge_and_are_counted():
    gradient = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    figure = gradient_vs_layer([signal(gradient=gradient)])
    (line,) = lines(figure).values()
    assert list(line.y[1:3]) == [None, None]
    (marks,) = [t for t in figure.data if t.yaxis == "y9"]
    assert list(marks.x) == [2, 3]
    assert max(marks.y) < 0.1
    assert "exactly zero" in marks.text[0]
    assert tuple(figure.layout.yaxis9.range) == (0, 1)
    assert "× at the bottom: exactly zero (plain-8: 2 of 8 layers)" in small_print(figure)


def test_an_overflow_lies_at_the_top_edge():
    figure = response_vs_layer([signal(response=[1.0] * 6 + [math.inf, math.nan])])
    (marks,) = [t for t in figure.data if t.yaxis == "y9"]
    assert (list(marks.x), min(marks.y) > 0.9) == ([7, 8], True)
    assert "✳ at the top: overflow (plain-8: 2 of 8 layers)" in small_print(figure)


def test_a_band_has_a_gap_where_there_is_no_value():
    gradient = [1.0, 2.0, 0.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    signals = [signal(gradient=gradient, seed=s) for s in (0, 1)]
    (band,) = [t for t in gradient_vs_layer(signals).data if t.fill]
    assert list(band.x) == [1, 2, 2, 1, None, *range(4, 9), *range(8, 3, -1)]


def test_the_hover_names_net_layer_stage_shape_and_value():
    figure = gradient_vs_layer([signal("resnet", gradient=[0.5] * 8)], Images(1, 16, 5))
    texts = lines(figure)["resnet-8"].text
    assert texts[0] == "<b>resnet-8</b><br>layer 1: stem<br>3×3, 1→16, 16×16<br>0.5"
    assert "layer 4: stage 2, block 1, conv 1<br>3×3, 16→32, 8×8" in texts[3]
    assert "head<br>64→5" in texts[7]


def test_stage_borders_stand_between_layers_of_different_stages():
    figure = gradient_vs_layer([signal(depth=20)])
    assert [shape.x0 for shape in figure.layout.shapes] == [1.5, 7.5, 13.5, 19.5]
    assert [note.text for note in figure.layout.annotations] == ["stage 1", "stage 2", "stage 3"]
    bottleneck = gradient_vs_layer([signal(depth=20, block="bottleneck")])
    assert [shape.x0 for shape in bottleneck.layout.shapes] == [1.5, 7.5, 13.5, 19.5]
    assert not gradient_vs_layer([signal(depth=8), signal(depth=20)]).layout.shapes


def test_boundaries_are_one_more_than_blocks():
    figure = boundary_gradient([signal(boundary=[8.0, 4.0, 2.0, 1.0])])
    (line,) = lines(figure).values()
    assert (list(line.x), list(line.y)) == ([0, 1, 2, 3], [8, 4, 2, 1])
    assert "input of stage 1, block 1<br>16 channels, 32×32" in line.text[0]
    assert "output of stage 3, block 1<br>64 channels, 8×8" in line.text[3]


@pytest.mark.parametrize("figure", FIGURES)
def test_traces_have_uids_that_a_live_chart_takes(figure):
    gradient = [0.0, *[1.0] * 7]
    signals = [
        signal(f, gradient=gradient, response=gradient, boundary=[0.0, 1.0, 1.0, 1.0], seed=s)
        for f in FAMILIES
        for s in (0, 1)
    ]
    drawn = figure([*signals, signal("resnet", init="zero_gamma")])
    uids = [t.uid for t in drawn.data]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", uid) for uid in uids)
    assert "NaN" not in drawn.to_json()


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_without_signals_still_has_axes(figure):
    drawn = figure([])
    assert len(drawn.data) == 0
    assert small_print(drawn)[0] == "no measurements yet"


@pytest.mark.parametrize("figure", FIGURES)
def test_zoom_is_kept_at_one_depth(figure):
    at_eight = figure([signal()]).layout.uirevision
    assert figure([signal(), signal("resnet")]).layout.uirevision == at_eight
    assert figure([signal(depth=20)]).layout.uirevision != at_eight


def test_very_deep_nets_have_lines_without_markers_and_few_ticks():
    figure = gradient_vs_layer([signal(depth=1202)])
    (line,) = lines(figure).values()
    assert line.mode == "lines"
    assert len(line.x) == 1202
    assert 1202 / figure.layout.xaxis.dtick <= 13


def test_a_ratio_point_a_net_with_a_ratio_a_seed():
    signals = [
        signal("resnet", 20, gradient=[6.0, *[1.0] * 19]),
        signal("resnet", 8, gradient=[2.0, *[1.0] * 7], seed=0),
        signal("resnet", 8, gradient=[3.0, *[1.0] * 7], seed=1),
        signal("plain", 8, gradient=[5.0, *[1.0] * 5, 2.0, 9.0]),
    ]
    points = [(p.family, p.depth, p.ratios, p.label) for p in ratio_points(signals)]
    assert points == [
        ("resnet", 8, (2.0, 3.0), ""),
        ("resnet", 20, (6.0,), ""),
        ("plain", 8, (2.5,), ""),
    ]


def test_figures_are_plain_data_and_light():
    signals = [signal(f, 56, seed=s) for f in FAMILIES for s in range(3)]
    text = gradient_vs_layer(signals).to_json()
    assert json.loads(text)["layout"]["yaxis"]["type"] == "log"
    assert len(text) < 60_000
