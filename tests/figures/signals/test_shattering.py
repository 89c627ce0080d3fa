"""Pictures and words of shattered gradients."""

import json
import math
import re
from itertools import pairwise

import pytest

from resnet_viz.figures.palette import LOOKS, NEUTRAL, colour
from resnet_viz.figures.signals.shattering import autocorrelation, gradient_lines
from resnet_viz.figures.signals.shattering_captions import half_lag, shattering_caption
from resnet_viz.signals import Shattering
from resnet_viz.specs import NetSpec

POINTS = 101  # so that a step is one per cent of the line


def measured(what="plain", depth=8, forgets=10, *, spread=0.0, seeds=1, step=None, **net):
    """A straight fall that is below one half first `forgets` steps on; or `step` at lag 1."""
    noise = what in ("white", "brown")
    line = [max(0.0, 1 - 0.5001 * lag / forgets) for lag in range(POINTS // 2)]
    line[1] = line[1] if step is None else step
    return Shattering(
        net=None if noise else NetSpec(what, depth, **net),
        noise=what if noise else "",
        position=tuple(i / (POINTS - 1) for i in range(POINTS)),
        slope=tuple(5 + (-1) ** i for i in range(POINTS)),
        autocorrelation=tuple(line),
        spread=(0.0, *[spread] * (len(line) - 1)) if spread else (),
        seeds=seeds,
    )


WHITE = measured("white", forgets=1, step=0.0, spread=0.05, seeds=100)
BROWN = measured("brown", forgets=30, spread=0.2, seeds=100)
NETS = [measured(f, d) for d in (8, 56) for f in ("plain", "resnet")]


@pytest.mark.parametrize("figure", [gradient_lines, autocorrelation])
@pytest.mark.parametrize("what", [[], [WHITE, BROWN], [WHITE, BROWN, *NETS[:1]], NETS])
def test_traces_have_their_own_identifiers_and_the_figure_is_plain(figure, what):
    drawn = figure(what)
    uids = [trace.uid for trace in drawn.data]
    assert len(set(uids)) == len(uids) >= len(what)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", uid) for uid in uids)
    values = json.loads(drawn.to_json())
    assert values["layout"]["template"]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert values["layout"]["uirevision"]


def test_a_picture_a_net_noises_on_top_a_column_a_family_depth_downwards():
    figure = gradient_lines([WHITE, BROWN, *NETS, measured("resnet", 20)])
    places = {}
    for trace in figure.data:
        x, y = (
            figure.layout[getattr(trace, f"{a}axis").replace(a, f"{a}axis")].domain for a in "xy"
        )
        places[trace.name] = (x[0], y[0])
    left, right = places["plain-8"][0], places["resnet-8"][0]
    assert left < right
    assert [places[n][0] for n in ("white noise", "plain-56")] == [left] * 2
    assert [places[n][0] for n in ("brown noise", "resnet-20", "resnet-56")] == [right] * 3
    column = [places[n][1] for n in ("brown noise", "resnet-8", "resnet-20", "resnet-56")]
    assert column == sorted(column, reverse=True)
    assert places["plain-56"][1] == places["resnet-56"][1]
    titles = {a.text for a in figure.layout.annotations}
    assert {f"<b>{name}</b>" for name in places} <= titles


def test_pictures_do_not_overlap_and_grow_with_their_rows():
    few, many = gradient_lines(NETS[:2]), gradient_lines([WHITE, BROWN, *NETS])
    assert few.layout.height < many.layout.height
    domains = sorted({tuple(many.layout[f"yaxis{n}"].domain) for n in range(2, 7)})
    assert all(low[1] < high[0] for low, high in pairwise(domains))


def test_slopes_are_drawn_without_their_mean_on_one_scale():
    figure = gradient_lines(NETS)
    assert list(figure.data[0].y[:2]) == pytest.approx([1, -1], abs=0.05)
    assert (figure.data[0].x[0], figure.data[0].x[-1]) == (0, 100)
    ranges = {tuple(figure.layout[f"yaxis{n}"].range) for n in ("", 2, 3, 4)}
    assert len(ranges) == 1


def test_only_outer_axes_have_numbers():
    figure = gradient_lines([WHITE, BROWN, *NETS, measured("plain", 110)])
    below, beside = set(), set()
    for trace in figure.data:
        below |= {trace.name} if _axis(figure, trace, "x").showticklabels else set()
        beside |= {trace.name} if _axis(figure, trace, "y").showticklabels else set()
    assert below == {"plain-110", "resnet-56"}
    assert beside == {"white noise", "plain-8", "plain-56", "plain-110"}


def _axis(figure, trace, letter):
    return figure.layout[getattr(trace, f"{letter}axis").replace(letter, f"{letter}axis")]


def test_a_line_a_net_by_lag_in_its_look_and_the_noises_in_grey():
    figure = autocorrelation([WHITE, BROWN, *NETS])
    lines = {trace.name: trace for trace in figure.data}
    assert list(lines) == ["plain-8", "resnet-8", "plain-56", "resnet-56", *NOISE_NAMES]
    plain = lines["plain-56"]
    assert plain.line.color == colour("plain", 56, [8, 56])
    assert lines["plain-8"].line.color == colour("plain", 8, [8, 56])
    assert plain.line.width > lines["plain-8"].line.width
    assert lines["resnet-8"].line.dash == LOOKS["resnet"].dash
    assert {lines[name].line.color for name in NOISE_NAMES} == {NEUTRAL}
    assert lines["white noise"].line.dash != lines["brown noise"].line.dash
    assert list(plain.x) == pytest.approx(range(POINTS // 2))  # per cent of the line
    assert list(plain.y) == list(NETS[0].autocorrelation)


NOISE_NAMES = ["white noise", "brown noise"]


def test_a_band_shows_the_spread_of_a_net():
    figure = autocorrelation([BROWN, measured(spread=0.1, seeds=3), measured("resnet")])
    assert [t.uid for t in figure.data if t.fill] == ["band-plain-8"]
    band, line = figure.data[0], figure.data[1]
    half = len(line.y)
    assert list(band.y[:half])[3] == pytest.approx(line.y[3] + 0.1)
    assert list(band.y[half:])[::-1][3] == pytest.approx(line.y[3] - 0.1)
    assert band.legendgroup == line.legendgroup
    assert not band.showlegend
    assert "standard deviation of 3" in line.hovertemplate
    assert "1 to 3 seeds" in figure.layout.xaxis.title.text


def test_the_half_lag_is_the_first_below_one_half():
    assert half_lag(measured(forgets=7)) == pytest.approx(0.07)
    assert half_lag(measured(forgets=7, spread=0.2), 1) > 0.07
    assert half_lag(measured(forgets=7, spread=0.2), -1) < 0.07
    assert half_lag(measured(forgets=200)) is None


def test_the_caption_tells_each_nets_lag_and_those_of_the_noises():
    caption = shattering_caption([WHITE, BROWN, *NETS[:2], measured("plain", 56, forgets=3)])
    assert "101 points" in caption
    assert "plain-8 10.0, resnet-8 10.0, plain-56 3.0, white noise 1.0, brown noise 30.0" in caption
    assert "One seed" in caption
    assert "over 49.0" in shattering_caption([measured(forgets=200)])


@pytest.mark.parametrize(
    ("plain", "resnet", "says"),
    [
        (2, 12, "plain-8 falls below one half sooner than resnet-8: at a lag 6.0 times shorter."),
        (12, 2, "resnet-8 falls below one half sooner than plain-8: at a lag 6.0 times shorter."),
        (12, 12, "plain-8 and resnet-8 reach one half at the same lag."),
        (12, 200, "plain-8 falls below one half sooner than resnet-8."),
    ],
)
def test_plain_against_residual_comes_from_the_data(plain, resnet, says):
    nets = [measured(forgets=plain), measured("resnet", forgets=resnet)]
    assert says in shattering_caption(nets)


@pytest.mark.parametrize(("spread", "says"), [(0.01, "more than"), (0.3, "but no more than")])
def test_it_says_whether_the_seeds_differ_as_much(spread, says):
    common = {"spread": spread, "seeds": 4}
    nets = [measured(forgets=8, **common), measured("resnet", forgets=12, **common)]
    caption = shattering_caption(nets)
    assert re.search(rf"1\.5 times shorter, {says} (the )?seeds differ", caption)
    assert "Means of 4 seeds" in caption


def test_nets_are_compared_at_the_greatest_depth_that_both_have():
    nets = [measured("plain", d, forgets=5) for d in (8, 56)] + [measured("resnet", 8)]
    caption = shattering_caption([*nets, measured("preact", 56)])
    assert "plain-8 falls below one half sooner than resnet-8" in caption
    assert "plain-56 falls below one half sooner than preact-56" in caption
    assert "sooner" not in shattering_caption([measured("plain", 56), measured("resnet", 8)])


def test_a_net_is_like_white_noise_only_if_its_next_point_is():
    def says(step):
        return "no more correlated than white noise" in shattering_caption(
            [WHITE, measured(step=step)]
        )

    assert says(0.0)
    assert says(-0.09)
    assert not says(0.11)
    assert not says(-0.11)


def test_batch_norm_is_mentioned_only_where_there_is_one():
    assert "batch norm keeps the statistics" in shattering_caption(NETS)
    assert "batch norm" not in shattering_caption([measured(norm="none")])


def test_a_constant_gradient_has_no_autocorrelation_and_is_named():
    net = NetSpec("resnet", 20)
    flat = Shattering(net, "", (0.0, 0.5, 1.0), (2.0,) * 3, (math.nan,), (), 2)
    caption = shattering_caption([flat, *NETS[:1]])
    assert "not change or is not finite: resnet-20." in caption
    assert "resnet-20 nan" not in caption
    assert set(gradient_lines([flat]).data[0].y) == {0}
    infinite = Shattering(net, "", (0.0, 0.5, 1.0), (math.nan,) * 3, (math.nan,), (), 2)
    assert gradient_lines([infinite, *NETS]).layout.yaxis.range[1] < 10


def test_before_any_net_is_measured_the_caption_says_so():
    assert shattering_caption([]) == shattering_caption([WHITE]) == "No net has been measured yet."
