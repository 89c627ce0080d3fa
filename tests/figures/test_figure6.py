"""Figure 6: which curve is where, how it is drawn, and the paper's numbers beside it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from resnet_viz.figures.figure6 import figure6, figure6_page, highest
from resnet_viz.papers import CIFAR10_TEST_ERROR
from resnet_viz.records import History
from resnet_viz.runs.reference import compact_run, read_reference, write_reference
from resnet_viz.specs import DataSpec
from tests.cli.figure6 import spec, written_runs

NINE = {"plain": (20, 32, 44, 56), "resnet": (20, 32, 44, 56, 110)}


@pytest.fixture
def runs(tmp_path):
    path = tmp_path / "runs.json"
    written = [compact_run(run) for run in written_runs(spec(2000), every=20)]
    write_reference(path, written, machine="", command="")
    return read_reference(path).runs


def traces(figure, ending):
    return {t.uid.removesuffix(f"-{ending}"): t for t in figure.data if t.uid.endswith(ending)}


def test_plain_nets_are_left_and_residual_ones_right(runs):
    figure = figure6(runs)
    names = {f"{family}-{depth}" for family, depths in NINE.items() for depth in depths}
    for ending in ("running_error", "test_error", "published"):
        found = traces(figure, ending)
        assert found.keys() == names
        for name, trace in found.items():
            assert trace.xaxis == ("x" if name.startswith("plain") else "x2")


def test_training_error_is_dashed_and_test_error_bold(runs):
    figure = figure6(runs)
    histories = {info.spec.net.name: history for info, history in runs}
    training, tested = traces(figure, "running_error"), traces(figure, "test_error")
    for name, history in histories.items():
        assert training[name].line.dash not in (None, "solid")
        assert tested[name].line.dash in (None, "solid")
        assert tested[name].line.width > 2 * training[name].line.width
        assert training[name].line.color == tested[name].line.color
        for trace, column in ((training[name], "running_error"), (tested[name], "test_error")):
            assert list(trace.x) == history.steps[column]
            assert list(trace.y) == pytest.approx([100 * v for v in history.values[column]])
    assert len({trace.line.color for trace in tested.values()}) == 9


def test_the_papers_final_errors_stand_right_of_the_curves(runs):
    for name, mark in traces(figure6(runs), "published").items():
        assert list(mark.y) == pytest.approx([100 * CIFAR10_TEST_ERROR[name].test_error])
        assert mark.x[0] > 2000
        assert "arXiv:1512.03385" in mark.hovertemplate


def test_the_axis_ends_where_the_papers_does_if_all_nets_have_come_below(runs):
    assert highest(runs) == 20
    assert tuple(figure6(runs).layout.yaxis2.range) == (0, 20)
    early = [(info, first_half(history)) for info, history in runs]
    assert 35 < highest(early) <= 100
    assert tuple(figure6(early).layout.yaxis.range) == (0, highest(early))


def first_half(history):
    cut = History()
    for column, steps in history.steps.items():
        n = sum(step <= 1000 for step in steps)
        cut.steps[column], cut.values[column] = steps[:n], history.values[column][:n]
    return cut


def test_before_the_first_record_the_figure_has_the_papers_marks_alone(runs):
    figure = figure6([(info, History()) for info, _history in runs])
    assert not any(t.x for ending in ("running_error",) for t in traces(figure, ending).values())
    assert len(traces(figure, "published")) == 9


def test_the_table_gives_a_difference_on_the_papers_data_alone(runs):
    page = figure6_page(runs, ["on what"])
    assert "<p>on what</p>" in page
    assert "plain-110" in page.lower()
    rows = dict(re.findall(r"<tr><td>([a-z]+-\d+)</td>(.*?)</tr>", page))
    assert len(rows) == 9
    assert "8.75" in rows["resnet-20"]
    assert "−6.75" in rows["resnet-20"]  # 2.00 measured, 8.75 published
    assert "≈ 9.00" in rows["plain-20"]
    other = DataSpec("shapes")
    elsewhere = [(replace(i, spec=replace(i.spec, data=other)), h) for i, h in runs]
    assert "−6.75" not in figure6_page(elsewhere, [])
