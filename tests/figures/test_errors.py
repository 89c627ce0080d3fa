import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from resnet_viz.figures.errors import error_name, error_vs_depth, error_vs_step
from resnet_viz.figures.palette import LOOKS, colour
from resnet_viz.papers import CIFAR10_TEST_ERROR
from tests.figures.making import run


def seeded(family, depth, errors, **common):
    return [run(family, depth, [e], seed=s, **common) for s, e in enumerate(errors)]


def test_a_line_a_run_in_per_cent_with_the_look_of_its_net():
    runs = [run("plain", 8, [0.25]), run("plain", 56, [0.5]), run("resnet", 56, [0.01])]
    figure = error_vs_step(runs)
    assert [t.name for t in figure.data] == ["plain-8", "plain-56", "resnet-56"]
    first = figure.data[0]
    assert (first.x[0], first.x[-1], set(first.y)) == (1, 300, {25.0})
    assert [t.line.color for t in figure.data] == [
        colour("plain", 8, [8, 56]),
        colour("plain", 56, [8, 56]),
        colour("resnet", 56, [56]),
    ]
    assert [t.line.dash for t in figure.data] == [
        LOOKS[f].dash for f in ("plain", "plain", "resnet")
    ]


def test_seeds_and_rates_of_a_net_share_colour_and_legend_entry():
    runs = [run(depth=d, seed=s, lr=r) for d in (8, 20) for s in (0, 1) for r in (0.1, 0.3)]
    figure = error_vs_step(runs)
    assert len(figure.data) == 8
    assert len({t.line.color for t in figure.data}) == 2
    assert [t.name for t in figure.data if t.showlegend] == ["plain-8", "plain-20"]
    assert len({t.uid for t in figure.data}) == 8
    assert [t.legendgroup for t in figure.data] == [t.name for t in figure.data]


def test_the_step_hover_names_net_recipe_step_and_error():
    hover = error_vs_step([run("resnet", 20, seed=7, lr=0.3)]).data[0].hovertemplate
    for part in ("resnet-20", "seed 7", "learning rate 0.3", "%{x:,}", "%{y:.1f} %"):
        assert part in hover


def test_long_curves_are_thinned_and_many_curves_more():
    figure = error_vs_step([run(errors=lambda s: s % 7 / 7, steps=9000)])
    assert len(figure.data[0].x) <= 2000
    assert (figure.data[0].x[0], figure.data[0].x[-1]) == (1, 9000)
    runs = [run(seed=s, errors=lambda s: s % 7 / 7, steps=2000) for s in range(100)]
    assert sum(len(t.x) for t in error_vs_step(runs).data) <= 40_000


@pytest.mark.parametrize("figure", [error_vs_step, error_vs_depth])
def test_a_figure_without_runs_still_says_what_it_would_show(figure):
    drawn = figure([])
    assert drawn.layout.yaxis.title.text == "training error (%)<br>mean of the last 25 steps"
    assert len(drawn.data) == 0


@pytest.mark.parametrize("column", ["running_error", "train_error", "val_error", "test_error"])
def test_axes_say_which_error_it_is(column):
    figure = error_vs_depth([run(column=column)], column)
    assert figure.layout.yaxis.title.text == error_name(column)
    assert figure.layout.xaxis.title.text.startswith("depth (weighted layers)<br>")
    assert figure.layout.xaxis.type is None  # linear


def test_a_line_a_family_with_error_bars_of_its_seeds():
    runs = [
        *seeded("plain", 8, [0.1, 0.3]),
        *seeded("plain", 56, [0.5, 0.5]),
        *seeded("resnet", 56, [0.2, 0.2]),
    ]
    plain, resnet = error_vs_depth(runs).data
    assert (plain.name, list(plain.x)) == ("plain", [8, 56])
    assert list(plain.y) == pytest.approx([20, 50])
    assert list(plain.error_y.array) == pytest.approx([100 * 0.02**0.5, 0])
    assert "20.0 ± 14.1 % (2 seeds)" in plain.text[0]
    assert (resnet.marker.symbol[0], plain.marker.symbol[0]) == ("square", "circle")


def test_the_small_print_says_what_is_averaged_and_chosen():
    def small_print(runs):
        return re.findall(r">([^<]+)</span>", error_vs_depth(runs).layout.xaxis.title.text)

    assert small_print([]) == ["no measurements yet"]
    assert small_print([run()]) == ["one seed"]
    three = seeded("plain", 8, [0.1, 0.2, 0.3])
    assert small_print(three) == ["mean ± standard deviation of 3 seeds"]
    assert small_print([*three, run(depth=20)]) == ["mean ± standard deviation of 1 to 3 seeds"]
    rates = [run(lr=0.1), run(lr=0.3)]
    assert small_print(rates) == ["one seed", "best of 2 learning rates"]
    assert "hollow: not finished" in small_print([run(status="running")])


def test_a_single_seed_has_no_error_bars_and_its_rate_is_named():
    figure = error_vs_depth([run(errors=[0.2], lr=0.1), run(errors=[0.1], lr=0.3)])
    assert figure.data[0].error_y.array is None
    assert "learning rate 0.3, the best of 2 by training error" in figure.data[0].text[0]


def test_a_net_in_training_is_hollow_and_says_how_far_it_is():
    runs = [run(depth=8), run(depth=56, upto=120, status="running")]
    (line,) = error_vs_depth(runs).data
    assert list(line.marker.symbol) == ["circle", "circle-open"]
    assert "so far (step 120)" in line.text[1]
    assert "after 300 steps" in line.text[0]


def test_published_numbers_only_under_the_test_error():
    names = ("resnet-110", "plain-20", "resnet-20", "resnet-20")  # two seeds of the last
    published = [CIFAR10_TEST_ERROR[name] for name in names]
    runs = [run("resnet", 20, [0.1], column="test_error")]
    for column in ("running_error", "train_error", "val_error"):
        assert len(error_vs_depth(runs, column, published).data) <= 1
    _, ghosts = error_vs_depth(runs, "test_error", published).data
    drawn = {
        (x, round(y, 2)): text for x, y, text in zip(ghosts.x, ghosts.y, ghosts.text, strict=True)
    }
    assert set(drawn) == {(20, 8.75), (110, 6.43), (20, 9.0)}
    assert len(ghosts.x) == 3
    assert "best of five" in drawn[110, 6.43]
    assert "Table 6" in drawn[20, 8.75]
    assert "read from Fig. 6" in drawn[20, 9.0]
    assert set(ghosts.marker.symbol) == {"square-open-dot", "circle-open-dot"}


def test_figures_are_plain_data_that_a_browser_can_read():
    runs = [*seeded("plain", 8, [0.1, 0.3]), *seeded("preact", 20, [0.2, 0.3])]
    for figure in (error_vs_step(runs), error_vs_depth(runs)):
        values = json.loads(figure.to_json())
        assert values["layout"]["template"]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
        assert len(figure.to_json()) < 60_000


def test_shades_do_not_change_while_nets_arrive():
    queued = [run(depth=d, upto=0, status="queued") for d in (20, 56)]
    (line,) = error_vs_depth([run(depth=8), *queued]).data
    assert line.marker.color[0] == colour("plain", 8, [8, 20, 56])


@pytest.mark.parametrize("module", ["errors", "verdict", "captions", "aggregate", "palette"])
def test_figures_need_neither_torch_nor_streamlit(module):
    code = f"import resnet_viz.figures.{module}, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "streamlit"} & set(loaded)
    if module != "errors":
        assert "plotly" not in loaded


@pytest.mark.parametrize("figure", [error_vs_step, error_vs_depth])
def test_zoom_is_kept_within_a_view_and_not_beyond(figure):
    runs = [run()]
    other_sweep = [(replace(info, sweep_id="other"), history) for info, history in runs]
    view = figure(runs).layout.uirevision
    assert figure([*runs, run(depth=20)]).layout.uirevision == view
    assert figure(runs, "test_error").layout.uirevision != view
    assert figure(other_sweep).layout.uirevision != view


def test_two_sweeps_are_two_lines_of_one_seed_each():
    runs = [run(errors=[0.1], sweep="a"), run(errors=[0.3], sweep="b")]
    figure = error_vs_depth(runs)
    assert [t.name for t in figure.data] == ["plain (sweep a)", "plain (sweep b)"]
    assert ">one seed<" in figure.layout.xaxis.title.text
    entries = [t.name for t in error_vs_step(runs).data if t.showlegend]
    assert entries == ["plain-8 (sweep a)", "plain-8 (sweep b)"]


def test_variants_of_a_family_differ_in_line_and_marker():
    shortcuts = ("A", "C", "scaled", "dropout")
    runs = [
        run("resnet", depth, [0.1], net={"shortcut": shortcut})
        for shortcut in shortcuts
        for depth in (8, 20)
    ]
    lines = error_vs_depth(runs).data
    assert len({(line.line.dash, line.marker.symbol[0]) for line in lines}) == len(shortcuts)
    assert len({line.line.dash for line in error_vs_step(runs).data}) == len(shortcuts)


def test_depths_too_near_to_be_read_share_a_tick():
    runs = [run(family, depth, [0.1]) for family in ("plain", "resnet") for depth in (8, 20, 56)]
    runs += [run("densenet", depth, [0.1]) for depth in (7, 19, 55)]
    assert error_vs_depth(runs).layout.xaxis.tickvals == (8, 20, 56)
