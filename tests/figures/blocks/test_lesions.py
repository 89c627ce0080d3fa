"""Charts and captions of lesions say what the numbers are."""

import pytest

from resnet_viz.figures.blocks.lesion_captions import (
    own_caption,
    randoms_caption,
    singles_caption,
)
from resnet_viz.figures.blocks.lesions import random_lesions, single_lesions
from resnet_viz.lesions import Randoms, Singles, Tally
from resnet_viz.specs import NetSpec

RESIDUAL, PLAIN = NetSpec("resnet", 14, width=4), NetSpec("plain", 14, width=4)
BARS = [
    ("resnet-14", Singles(RESIDUAL, 1000, 0.05, (0.5, 0.06, 0.07, 0.08, 0.09, 0.10))),
    ("plain-14", Singles(PLAIN, 1000, 0.06, (0.9, 0.8, None, 0.7, None, 0.91))),
]
CURVES = [
    ("resnet-14", Randoms(RESIDUAL, 1000, 0.05, (1, 2, 3, 4), ((0.1, 0.2),) * 2 + ((0.6,),) * 2, 6))
]


def test_a_bar_a_block_and_a_mark_where_none_can_go():
    figure = single_lesions(BARS).to_dict()
    bars = [trace for trace in figure["data"] if trace["type"] == "bar"]
    assert [bar["name"] for bar in bars] == ["resnet-14", "plain-14"]
    assert list(bars[1]["y"]) == pytest.approx([90, 80, None, 70, None, 91])
    (marks,) = [t for t in figure["data"] if t.get("mode") == "markers"]
    assert [round(x) for x in marks["x"]] == [3, 5]
    own = [t for t in figure["data"] if t.get("mode") == "lines"]
    assert [t["y"][0] for t in own] == pytest.approx([5, 6])


def test_the_caption_counts_what_guesses_and_compares_the_medians():
    text = singles_caption(BARS, classes=10)
    assert "resnet-14 errs on 5.0 % of 1,000 test images" in text
    assert "8.5 % at the median, at worst on 50.0 % (stage 1, block 1)" in text
    assert "Without 2 of the 4 it does no better than guessing (90.0 %)" in text
    assert "costs plain-14 79.0 percentage points and resnet-14 3.5" in text
    assert "much less" in text
    turned = [(f"x-{label}", each) for label, each in reversed(BARS)]
    assert "much less" in singles_caption(turned, 10)
    assert "much less" not in singles_caption(BARS[:1], 10)


def test_the_curve_begins_with_the_net_as_it_is():
    figure = random_lesions(CURVES).to_dict()
    line = next(t for t in figure["data"] if t["mode"] == "lines+markers")
    assert list(line["x"]) == [0, 1, 2, 3, 4]
    assert list(line["y"]) == pytest.approx([5, 15, 15, 60, 60])
    text = randoms_caption(CURVES, classes=10)
    assert "half way to guessing (47.5 %) once 3 of the 6 blocks" in text
    assert "nowhere faster than 45.0 points a block (from 2 to 3 removed)" in text


def test_an_own_lesion_is_told_with_what_was_before():
    text = own_caption("resnet-14", Tally(200, (10, 50)), "without 1.2")
    assert text == "**resnet-14**, without 1.2: 25.0 % of 200 test images wrong, 5.0 % before."
    assert "as it is errs on 5.0 %" in own_caption("resnet-14", Tally(200, (10, 10)), "")
