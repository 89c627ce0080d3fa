import math
import re

import pytest

from resnet_viz.figures.palette import colour
from resnet_viz.figures.signals.shortcut import BRANCH, arrival, gradient_split, split_cosine
from tests.figures.making_signals import decomposition, split
from tests.figures.test_palette import THEME, contrast

FIRST = [0.25, 0.5, 1.0]


def traces(figure):
    return {t.uid: t for t in figure.data}


def test_both_parts_and_their_sum_on_a_log_axis():
    splits = [
        split(shortcut_norm=a, branch_norm=b, total_norm=c)
        for a, b, c in ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    ]
    figure = gradient_split(decomposition(splits=splits))
    found = traces(figure)
    assert list(found["shortcut"].y) == [1, 4, 7]
    assert list(found["branch"].y) == [2, 5, 8]
    assert list(found["total"].y) == [3, 6, 9]
    assert found["shortcut"].line.color == colour("resnet", 8, [8])
    assert (figure.layout.yaxis.type, "log axis" in figure.layout.yaxis.title.text) == ("log", True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_branch_stands_out_from_both_pages(theme):
    assert contrast(BRANCH, THEME[theme]["backgroundColor"]) >= 3


def test_blocks_whose_shortcut_is_no_identity_are_hollow():
    figure = gradient_split(decomposition())
    symbols = traces(figure)["shortcut"].marker.symbol
    assert list(symbols) == ["square", "square-open", "square-open"]
    assert "hollow: the shortcut is no identity (zero-padding)" in figure.layout.xaxis.title.text
    same = gradient_split(decomposition(splits=[split()] * 3))
    assert "hollow" not in same.layout.xaxis.title.text


def test_a_branch_of_zero_lies_at_the_bottom_edge():
    splits = [split(branch_norm=0.0, cosine=math.nan)] * 3
    figure = gradient_split(decomposition(splits=splits))
    assert list(traces(figure)["branch"].y) == [None] * 3
    assert list(traces(figure)["branch-zero"].x) == [1, 2, 3]
    cosine = split_cosine([decomposition(splits=splits)])
    assert "no cosine in 3 of 3 blocks" in cosine.layout.xaxis.title.text
    assert "NaN" not in cosine.to_json() + figure.to_json()


def test_cosines_from_minus_one_to_one_a_net_a_trace():
    splits = [split(cosine=c) for c in (-1.0, 0.0, 0.5)]
    figure = split_cosine([decomposition(splits=splits), decomposition("preact")])
    assert [t.name for t in figure.data] == ["resnet-8", "preact-8"]
    assert list(figure.data[0].y) == [-1, 0, 0.5]
    low, high = figure.layout.yaxis.range
    assert low <= -1 < 1 <= high


def test_what_arrives_starts_with_all_of_it_at_the_last_output():
    splits = [split(arrived=share) for share in FIRST]
    figure = arrival([decomposition("preact", splits=splits)])
    (line,) = figure.data
    assert (list(line.x), list(line.y)) == ([1, 2, 3, 4], [25, 50, 100, 100])
    assert "% of the norm" in figure.layout.yaxis.title.text
    assert figure.layout.xaxis.title.text.startswith("← the gradient travels this way")


def test_the_relu_after_the_addition_has_a_panel_where_there_is_one():
    post = decomposition("resnet", splits=[split(passed=p, blocked=0.5) for p in FIRST])
    figure = arrival([post, decomposition("preact")])
    assert [t.yaxis for t in figure.data] == [None, None, "y2"]
    assert list(figure.data[2].y) == [25, 50, 100]
    assert "lets 25 % of the squared gradient norm through" in figure.data[2].text[0]
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert "ReLU" not in arrival([decomposition("preact")]).data[0].text[0]


def test_the_hover_explains_each_shortcut():
    texts = traces(gradient_split(decomposition()))["shortcut"].text
    assert "block 1: stage 1, block 1" in texts[0]
    assert "identity, the gradient passes it unchanged" in texts[0]
    for words in ("zero-padding", "one pixel in 4", "gradient of the 16 padded channels is lost"):
        assert words in texts[1]
    splits = [split(shortcut="projection", shared_first=True)] * 3
    projected = gradient_split(decomposition("preact", splits=splits, shortcut="C"))
    text = traces(projected)["shortcut"].text[1]
    assert "projection, 1×1 convolution, 16→32 channels" in text
    assert "norm and ReLU stand before the fork" in text


def test_one_net_before_and_after_training_is_two_lines():
    figure = arrival([decomposition("preact"), decomposition("preact", step=300)])
    assert [t.name for t in figure.data] == ["preact-8 after 0 steps", "preact-8 after 300 steps"]
    assert len({t.line.color for t in figure.data}) == 2
    assert "after 0, 300 steps" in figure.layout.xaxis.title.text


@pytest.mark.parametrize("depth", [20, 56, 110])
def test_uids_are_its_own_and_stages_are_marked(depth):
    both = [decomposition("resnet", depth), decomposition("preact", depth)]
    n = (depth - 2) // 6
    for figure in (gradient_split(both[0]), split_cosine(both), arrival(both)):
        uids = [t.uid for t in figure.data]
        assert len(set(uids)) == len(uids)
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", uid) for uid in uids)
        borders = [shape.x0 for shape in figure.layout.shapes]
        assert borders == [0.5, n + 0.5, 2 * n + 0.5, 3 * n + 0.5]


def test_figures_without_a_decomposition_still_have_axes():
    for figure in (split_cosine([]), arrival([])):
        assert len(figure.data) == 0
        assert "no measurements yet" in figure.layout.xaxis.title.text
