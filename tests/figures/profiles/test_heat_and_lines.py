"""Heat maps, profiles and their small print, on profiles that a formula gives."""

import math
import re

import pytest
from plotly.colors import sample_colorscale, unlabel_rgb

from resnet_viz.figures.palette import LOOKS
from resnet_viz.figures.patch import patch
from resnet_viz.figures.profiles.data import (
    BRANCH_SHARE,
    MAX_STEPS,
    column_name,
    profile_rows,
    thinned_profiles,
)
from resnet_viz.figures.profiles.heat import depth_multiples, layer_heat
from resnet_viz.figures.profiles.lines import profile_at
from resnet_viz.figures.profiles.page import profiles_page
from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.records import LAYER_COLUMNS, PROFILE_COLUMNS
from resnet_viz.ui.live_chart import _describe
from tests.figures.making import profiled

ALL = (*PROFILE_COLUMNS, BRANCH_SHARE)


def maps(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


def scale(figure):
    """The marker of the trace that carries the colour bar."""
    (trace,) = (trace for trace in figure.data if trace.uid == "scale")
    return trace.marker


def notes(figure):
    return [note.text for note in figure.layout.annotations]


@pytest.mark.parametrize("column", ALL)
@pytest.mark.parametrize("depth", [8, 20, 110])
@pytest.mark.parametrize("count", [1, 31])
def test_a_row_a_step_and_a_value_a_layer_or_block(column, depth, count):
    run = profiled("resnet", depth, steps=[1 + 10 * i for i in range(count)])
    (heat,) = maps(layer_heat([run], column))
    net = run[0].spec.net
    places = weighted_layers(net) if column in LAYER_COLUMNS else blocks_of(net)
    assert heat.transpose
    assert list(heat.x) == [1 + 10 * i for i in range(count)]
    assert len(heat.y) == len(places) == len(set(heat.y))
    assert {len(row) for row in heat.z} == {len(places)}
    for title, place in zip(heat.y, places, strict=True):
        assert place.title in title
    if column != BRANCH_SHARE:
        assert [list(row) for row in heat.z] == [list(p.values[column]) for p in run[1]]


def test_the_branch_share_is_the_branch_over_its_input():
    info, (profile,) = profiled("resnet", 8, steps=[1], branch_norm=[3, 4, 5], input_norm=[6, 4, 0])
    (heat,) = maps(layer_heat([(info, [profile])], BRANCH_SHARE))
    assert list(heat.z[0]) == [0.5, 1.0, None]


def test_the_hover_names_net_step_layer_shape_and_value():
    (heat,) = maps(layer_heat([profiled("plain", 8)], "gradient_norm"))
    for part in ("<b>plain-8</b>", "step %{x:,}", "%{y}", "gradient norm: %{z:.3g}"):
        assert part in heat.hovertemplate
    # 16×16 digits, width 8: channels into the stem and classes are the data's affair
    assert heat.y[0] == "layer 1: stem<br>3×3, to 8 channels, 16×16"
    assert heat.y[3] == "layer 4: stage 2, block 1, conv 1<br>3×3, 8→16, 8×8"
    assert heat.y[7] == "layer 8: head<br>32 channels to classes"
    (heat,) = maps(layer_heat([profiled("plain", 8)], "response_std"))
    assert heat.y[1] == "block 2: stage 2, block 1<br>8→16, 8×8"
    native = profiled("plain", 8, image_size=None)
    assert maps(layer_heat([native], "gradient_norm"))[0].y[3].endswith("<br>3×3, 8→16")


def colour_at(axis, value):
    """The colour that Plotly gives a value: linear between the stops of the scale."""
    share = (value - axis.cmin) / (axis.cmax - axis.cmin)
    return unlabel_rgb(sample_colorscale([list(stop) for stop in axis.colorscale], share)[0])


@pytest.mark.parametrize(("low", "high"), [(1e-7, 1e2), (0.5, 2.0), (3.0, 3.0)])
def test_equal_ratios_are_equal_steps_of_colour(low, high):
    run = profiled("plain", 8, steps=[1], gradient_norm=[low, *[math.sqrt(low * high)] * 6, high])
    figure = layer_heat([run], "gradient_norm")
    axis, bar = figure.layout.coloraxis, scale(figure)
    assert axis.cmin <= low
    assert axis.cmax >= high
    stops = [stop for stop, _colour in axis.colorscale]
    assert stops == sorted(stops)
    assert (stops[0], stops[-1]) == (0, 1)
    assert (bar.cmin, bar.cmax) == pytest.approx((math.log10(axis.cmin), math.log10(axis.cmax)))
    for share in (0.1, 0.25, 0.5, 0.8):
        value = 10 ** (bar.cmin + share * (bar.cmax - bar.cmin))
        (meant,) = sample_colorscale([list(stop) for stop in bar.colorscale], share)
        assert colour_at(axis, value) == pytest.approx(unlabel_rgb(meant), abs=4)


def test_the_colour_bar_says_that_it_is_a_log_scale_and_shows_plain_numbers():
    def bar(*values):
        values = [*values, *[values[0]] * (8 - len(values))]
        run = profiled("plain", 8, steps=[1], gradient_norm=values)
        return scale(layer_heat([run], "gradient_norm")).colorbar

    assert bar(1).title.text == "gradient norm (log scale)"
    assert bar(0.001, 10).ticktext == ("0.001", "0.01", "0.1", "1", "10")
    assert bar(1e-6, 1e-4).ticktext == ("10<sup>−6</sup>", "10<sup>−5</sup>", "0.0001")
    assert bar(1.0, 7.0).ticktext == ("1", "2", "5")
    assert len(bar(2.0, 2.01).ticktext) >= 1
    assert len(bar(1e-38, 1e38).ticktext) <= 9


def test_nets_side_by_side_share_the_colours():
    small = profiled("plain", 8, gradient_norm=[1e-3] * 8)
    large = profiled("resnet", 8, gradient_norm=[10.0] * 8)
    figure = layer_heat([small, large], "gradient_norm")
    assert {m.coloraxis for m in maps(figure)} == {"coloraxis"}
    assert figure.layout.coloraxis.cmin <= 1e-3
    assert figure.layout.coloraxis.cmax >= 10
    assert notes(figure)[:2] == ["plain-8", "resnet-8"]
    assert (figure.layout.yaxis.showticklabels, figure.layout.yaxis2.showticklabels) == (
        True,
        False,
    )


def test_the_input_is_at_the_bottom_and_each_stage_is_named_in_its_middle():
    axis = layer_heat([profiled("plain", 20)], "gradient_norm").layout.yaxis
    assert axis.range == (-0.5, 19.5)
    ticks = dict(zip(axis.ticktext, axis.tickvals, strict=True))
    assert list(ticks) == ["input", "output", "stage 1", "stage 2", "stage 3"]
    assert [round(ticks[name] * 2) / 2 for name in ticks] == [-0.5, 19.5, 3.5, 9.5, 15.5]
    # on a layer or between two, Plotly would hover the tick's text instead of the layer's
    assert all(abs(2 * tick - round(2 * tick)) > 0.1 for tick in axis.tickvals)


def test_zero_and_what_is_not_finite_stay_blank_and_the_small_print_counts_them():
    values = [0.0, math.nan, math.inf, 1, 1, 1, 1, 1]
    run = profiled("plain", 8, steps=[1, 11], gradient_norm=values)
    figure = layer_heat([run], "gradient_norm")
    assert [row[:4] for row in maps(figure)[0].z] == [[None, None, None, 1.0]] * 2
    assert notes(figure)[-1] == "blank: zero or not finite in float32 (6 values)"
    assert not any("blank" in text for text in notes(layer_heat([profiled()], "gradient_norm")))
    line = profile_at([run], "gradient_norm", 5)
    assert "missing: 3 zero or not finite in float32" in line.layout.xaxis.title.text
    nothing = layer_heat([profiled("plain", 8, gradient_norm=[0] * 8)], "gradient_norm")
    assert len(maps(nothing)) == 1


def test_a_picture_without_values_says_why():
    waiting = profiled("plain", 8, steps=[], status="queued")
    assert "not measured<br>yet" in notes(layer_heat([waiting], "gradient_norm"))
    assert "not measured" in notes(layer_heat([profiled(steps=[])], "gradient_norm"))
    figure = layer_heat([profiled("plain", 8), profiled("resnet", 8)], "sum_norm")
    assert "nothing is added<br>in these blocks" in notes(figure)
    assert [m.name for m in maps(figure)] == ["resnet-8"]
    for column in ALL:
        layer_heat([], column)
        depth_multiples([], column)
        assert "no measurements yet" in profile_at([], column).layout.xaxis.title.text


def test_a_line_marks_the_step_in_every_map():
    pair = [profiled("plain", 8), profiled("resnet", 8)]
    figure = layer_heat(pair, "gradient_norm", step=21)
    marks = [s for s in figure.layout.shapes if s.x0 == s.x1 == 21]
    assert {s.xref for s in marks} == {"x", "x2"}


def test_a_growing_run_leaves_room_for_the_steps_to_come():
    running = profiled("plain", 8, steps=[1, 11], status="running", planned=300)
    stopped = profiled("plain", 8, steps=[1, 11], status="stopped", planned=300)
    assert layer_heat([running], "gradient_norm").layout.xaxis.range[1] >= 300
    assert layer_heat([stopped], "gradient_norm").layout.xaxis.range[1] < 20


@pytest.mark.parametrize("count", [1, 2, 149, 150, 151, 500, 1000])
def test_thinning_keeps_measured_steps_and_both_ends(count):
    info, profiles = profiled("plain", 8, steps=range(1, count + 1))
    kept = thinned_profiles(profiles)
    assert len(kept) <= MAX_STEPS
    assert len(kept) > min(count, MAX_STEPS) / 2 - 2
    assert (kept[0], kept[-1]) == (profiles[0], profiles[-1])
    assert all(any(p is q for q in profiles) for p in kept)
    if count > MAX_STEPS:
        every = kept[1].step - kept[0].step
        figure = layer_heat([(info, profiles)], "gradient_norm")
        assert notes(figure)[-1] == f"one in {every} of the measured steps, and the last"


def test_a_growing_map_sends_its_new_steps_only():
    steps = range(1, 1001)
    info, profiles = profiled("resnet", 20, steps=steps, status="running", growth=1.00001)
    values = 20  # a step
    for count in (2, 30, 149, 700, 999):
        sent = [
            _describe(layer_heat([(info, profiles[:n])], "weight_norm", step=1), "")
            for n in (count, count + 1)
        ]
        change = patch(sent[:1], sent[1])
        assert set(change) == {"traces"}
        (uid,) = change["traces"]
        trace = change["traces"][uid]
        assert set(trace) == {"tails"}
        assert sum(map(len, trace["tails"]["z"][1])) <= 2 * values


def test_small_multiples_are_a_row_a_family_and_a_column_a_depth():
    runs = [profiled(f, d) for f in ("plain", "resnet", "preact") for d in (8, 20, 32, 56, 110)]
    figure = depth_multiples(runs, "gradient_norm")
    assert len(maps(figure)) == 15
    assert len({m.uid for m in maps(figure)}) == 15
    assert {m.coloraxis for m in maps(figure)} == {"coloraxis"}
    assert notes(figure)[:5] == [f"depth {d}" for d in (8, 20, 32, 56, 110)]
    assert notes(figure)[5:] == ["plain", "resnet", "preact"]
    cells = {m.name: (m.xaxis, m.yaxis) for m in maps(figure)}
    layout = figure.layout

    def place(name):
        x, y = (getattr(layout, f"{a[0]}axis{a[1:]}") for a in cells[name])
        return x.domain[0], y.domain[0]

    assert place("plain-8")[0] == place("resnet-8")[0] < place("plain-20")[0]
    assert place("plain-8")[1] == place("plain-20")[1] > place("resnet-8")[1]


def test_small_multiples_show_one_seed_a_net_and_leave_a_gap_where_there_is_no_net():
    runs = [
        profiled("plain", 8, steps=[], seed=0),
        profiled("plain", 8, seed=1),
        profiled("plain", 8, seed=2),
        profiled("resnet", 20, seed=0),
    ]
    names = [m.name for m in maps(depth_multiples(runs, "update_ratio"))]
    assert names == ["plain-8, seed 1", "resnet-20, seed 0"]


@pytest.mark.parametrize("column", ALL)
def test_a_profile_is_the_last_at_or_before_the_step(column):
    run = profiled("resnet", 20, steps=[1, 11, 21], growth=2.0)
    line = profile_at([run], column, 20).data[-1]
    expected = run[1][1].values.get(column)
    if expected is None:
        pairs = zip(run[1][1].values["branch_norm"], run[1][1].values["input_norm"], strict=True)
        expected = [a / b for a, b in pairs]
    assert list(line.y) == pytest.approx(list(expected))
    assert list(line.x) == list(range(1, len(expected) + 1))
    assert len(line.text) == len(expected)
    assert profile_at([run], column).data[-1].y[0] != line.y[0]  # the last step's


def test_a_profile_says_log_step_and_column_and_wears_its_family():
    figure = profile_at([profiled("plain", 8), profiled("resnet", 8)], "weight_norm", 11)
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis.title.text == "weight norm (log scale)"
    assert ">at step 11<" in figure.layout.xaxis.title.text
    lines = [t for t in figure.data if t.uid.startswith("run-")]
    assert [line.name for line in lines] == ["plain-8", "resnet-8"]
    assert [line.line.dash for line in lines] == [LOOKS[n].dash for n in ("plain", "resnet")]
    assert [line.marker.symbol for line in lines] == ["circle", "square"]


def test_nets_at_different_steps_say_so_each():
    runs = [profiled("plain", 8, steps=[1, 11]), profiled("resnet", 8, steps=[1], planned=11)]
    text = profile_at(runs, "gradient_norm", 200).layout.xaxis.title.text
    assert "plain-8 at step 11, resnet-8 at step 1" in text


def test_the_band_and_the_axis_hold_all_steps():
    run = profiled("plain", 8, steps=[1, 11, 21], growth=10.0)
    figures = [profile_at([run], "gradient_norm", step) for step in (1, 11, 21)]
    assert len({f.layout.yaxis.range for f in figures}) == 1
    low, high = figures[0].layout.yaxis.range
    every = [v for p in run[1] for v in p.values["gradient_norm"]]
    assert 10**low < min(every) < max(every) < 10**high
    band = figures[0].data[0]
    assert (min(band.y), max(band.y)) == (min(every), max(every))
    many = [profiled("plain", 8, seed=s) for s in range(4)]
    assert len(profile_at(many, "gradient_norm").data) == 4  # lines only


def test_stages_are_marked_where_all_nets_have_the_same():
    same = profile_at([profiled("plain", 20), profiled("resnet", 20)], "gradient_norm")
    assert [s.x0 for s in same.layout.shapes] == [1.5, 7.5, 13.5, 19.5]
    assert notes(same) == ["stage 1", "stage 2", "stage 3"]
    blocks = profile_at([profiled("plain", 20)], "response_std")
    assert [s.x0 for s in blocks.layout.shapes] == [0.5, 3.5, 6.5, 9.5]
    other = profile_at([profiled("plain", 20), profiled("plain", 8)], "gradient_norm")
    assert not other.layout.shapes


def test_names_tell_apart_what_differs_and_no_more():
    def names(*runs):
        return [m.name for m in maps(layer_heat(runs, "gradient_norm"))]

    assert names(profiled("plain", 8), profiled("resnet", 8)) == ["plain-8", "resnet-8"]
    assert names(profiled(seed=3), profiled(seed=4)) == ["plain-8, seed 3", "plain-8, seed 4"]
    rates = names(profiled(lr=0.1), profiled(lr=0.3))
    assert rates == ["plain-8, learning rate 0.1", "plain-8, learning rate 0.3"]


@pytest.mark.parametrize("column", ALL)
def test_every_uid_is_one_that_a_live_chart_takes(column):
    runs = [profiled("plain", 8), profiled("resnet", 8), profiled("resnet", 20)]
    for figure in (
        layer_heat(runs, column),
        depth_multiples(runs, column),
        profile_at(runs, column),
    ):
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", trace.uid) for trace in figure.data)
        _describe(figure, "")
    assert column_name(column)


def test_the_page_to_take_away_holds_figures_and_captions():
    runs = [profiled(f, d) for f in ("plain", "resnet") for d in (8, 20)]
    page = profiles_page(runs, "A <sweep>")
    assert "<h1>A &lt;sweep&gt;</h1>" in page
    assert page.count('class="plotly-graph-div"') == 6
    assert "plain-20" in page
    assert "first convolution over that of the last" in page
    assert "Nothing has been measured yet." in profiles_page([], "empty")


def test_the_table_behind_a_picture_has_a_row_a_layer_and_a_column_a_net():
    plain, resnet = profiled("plain", 8, steps=[1, 11]), profiled("resnet", 8, steps=[1, 11])
    rows = profile_rows([plain, resnet], "gradient_norm", 5)
    assert [row["number"] for row in rows] == list(range(1, 9))
    assert [rows[0]["place"], rows[-1]["place"]] == ["stem", "head"]
    for number, row in enumerate(rows):
        assert row["plain-8"] == plain[1][0].values["gradient_norm"][number]
        assert row["resnet-8"] == resnet[1][0].values["gradient_norm"][number]
    assert profile_rows([(plain[0], [])], "gradient_norm", None) == []
