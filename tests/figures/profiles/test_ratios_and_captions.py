"""First over last convolution, against depth and in words, on profiles that a formula gives."""

import math
import re

import pytest

from resnet_viz.figures.profiles.captions import profile_caption, ratio_caption
from resnet_viz.figures.ratios import RatioPoint, ratio_vs_depth, ratios_at
from resnet_viz.records import Profile
from tests.figures.making import profiled


def test_the_ratio_is_the_first_convolution_over_the_last_which_is_not_the_head():
    norms = [12.0, 1, 1, 1, 1, 1, 4.0, 100.0]
    (point,) = ratios_at([profiled("plain", 8, gradient_norm=norms)])
    assert (point.family, point.depth, point.ratios, point.steps) == ("plain", 8, (3.0,), (21,))


def test_seeds_of_a_net_share_a_point_and_other_recipes_do_not():
    runs = [profiled("plain", d, seed=s, ratio=10.0**s) for d in (8, 20) for s in range(3)]
    points = ratios_at(runs)
    assert [(p.depth, len(p.ratios), p.label) for p in points] == [(8, 3, ""), (20, 3, "")]
    assert [p.mean for p in points] == pytest.approx([10, 10])  # geometric mean of 1, 10, 100
    assert points[0].shown == pytest.approx((1, 10, 100))
    rates = ratios_at([profiled("plain", 8, lr=r) for r in (0.1, 0.3)])
    assert [p.label for p in rates] == ["learning rate 0.1", "learning rate 0.3"]


def test_points_are_of_the_step_asked_for_and_say_what_has_not_come_so_far():
    info, profiles = profiled("plain", 8, steps=[1, 11, 21], ratio=2.0)
    profiles[1] = Profile(11, {"gradient_norm": (6.0, 1, 1, 1, 1, 1, 1.0, 1)})
    runs = [(info, profiles), profiled("resnet", 8, steps=[1], planned=21, status="running")]
    plain, resnet = ratios_at(runs, 15)
    assert (plain.ratios, plain.steps, plain.reached) == ((6.0,), (11,), True)
    assert (resnet.steps, resnet.reached) == ((1,), False)
    assert [p.family for p in ratios_at([*runs, profiled("preact", 8, steps=[])])] == [
        "plain",
        "resnet",
    ]
    symbols = [t.marker.symbol[0] for t in ratio_vs_depth([plain, resnet]).data]
    assert symbols == ["circle", "square-open"]


def test_one_line_a_family_on_a_log_axis_with_bars_from_least_to_most():
    figure = ratio_vs_depth(
        [
            RatioPoint("plain", 8, (1.0, 4.0)),
            RatioPoint("plain", 56, (10.0, 1000.0)),
            RatioPoint("resnet", 56, (0.9,)),
        ]
    )
    plain, resnet = figure.data
    assert (list(plain.x), list(plain.y)) == ([8, 56], pytest.approx([2, 100]))
    assert list(plain.error_y.array) == pytest.approx([2, 900])
    assert list(plain.error_y.arrayminus) == pytest.approx([1, 90])
    assert resnet.error_y.array is None
    assert figure.layout.yaxis.type == "log"
    assert "(log scale)" in figure.layout.yaxis.title.text
    low, high = figure.layout.yaxis.range
    assert low < math.log10(0.9)
    assert high > 3
    small_print = re.findall(r">([^<]+)</span>", figure.layout.xaxis.title.text)
    assert small_print == ["geometric mean of 1 to 2 seeds; bars: least to most"]
    assert "2 seeds: 10, 1,000" in plain.text[1]


def test_a_line_marks_where_both_ends_are_equal():
    figure = ratio_vs_depth([RatioPoint("plain", 8, (50.0,))])
    (line,), (note,) = figure.layout.shapes, figure.layout.annotations
    assert (line.y0, line.y1, note.text) == (1, 1, "equal")
    assert note.y == 0  # an annotation on a log axis stands at a logarithm
    assert figure.layout.yaxis.range[0] < 0


def test_what_has_no_logarithm_is_left_out_and_counted():
    points = [RatioPoint("plain", 8, (math.nan, 0.0, 4.0)), RatioPoint("plain", 20, (math.inf,))]
    figure = ratio_vs_depth(points)
    assert list(figure.data[0].x) == [8]
    assert "left out: 3 that are zero or not finite" in figure.layout.xaxis.title.text
    assert "no measurements yet" in ratio_vs_depth([]).layout.xaxis.title.text
    assert math.isnan(points[1].mean)


def test_recipes_of_a_family_have_their_own_shade_and_entry():
    points = [RatioPoint("plain", 8, (1.0,), f"norm {n}") for n in ("batch", "none")]
    lines = ratio_vs_depth(points).data
    assert [line.name for line in lines] == ["plain (norm batch)", "plain (norm none)"]
    assert len({line.line.color for line in lines}) == 2
    assert len({line.uid for line in lines}) == 2


def caption(*runs, column="gradient_norm", step=None):
    return profile_caption(runs, column, step)


def test_both_ends_are_told_with_the_way_computed():
    text = caption(
        profiled("plain", 20, ratio=100.0),
        profiled("resnet", 20, ratio=1.5),
        profiled("preact", 20, ratio=0.1),
    )
    assert text.startswith(
        "At step 21, gradient norm of the first convolution over that of the last: "
        "plain-20 100 (100 against 1), it grows towards the input; "
        "resnet-20 1.5 (1.5 against 1), equal within a factor of two; "
        "preact-20 0.1 (0.1 against 1), it shrinks towards the input."
    )
    assert "vanish" not in text
    assert "explo" not in text


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (2.1, "it grows towards the input"),
        (1.9, "equal within a factor of two"),
        (0.51, "equal within a factor of two"),
        (0.48, "it shrinks towards the input"),
    ],
)
def test_within_a_factor_of_two_the_ends_are_about_equal(ratio, words):
    assert f"), {words}." in caption(profiled("plain", 20, ratio=ratio))


def test_one_odd_layer_at_an_end_is_no_growth():
    norms = [10.0, *[1.0] * 19]
    assert "larger at the input, but not steadily" in caption(
        profiled("plain", 20, gradient_norm=norms)
    )
    norms = [0.1, *[1.0] * 19]
    assert "smaller at the input, but not steadily" in caption(
        profiled("plain", 20, gradient_norm=norms)
    )


def test_seeds_are_told_with_their_spread_and_whether_they_agree():
    text = caption(*(profiled("plain", 8, seed=s, ratio=10.0 ** (s + 1)) for s in range(3)))
    assert "plain-8 100 (geometric mean of 3 seeds, 10 to 1,000), it grows towards" in text
    text = caption(*(profiled("plain", 8, seed=s, ratio=10.0 ** (2 * s - 1)) for s in range(2)))
    assert "plain-8 1 (geometric mean of 2 seeds, 0.1 to 10), not the same way in all seeds" in text


def test_the_change_over_training_is_from_the_first_to_the_last_step_measured():
    info, profiles = profiled("plain", 8, ratio=8.0, steps=[1, 11, 21])
    profiles[-1] = Profile(21, {"gradient_norm": (2.0, 1, 1, 1, 1, 1, 1.0, 1)})
    assert "From step 1 to step 21 this ratio went from 8 to 2 in plain-8." in caption(
        (info, profiles), step=1
    )
    assert "From step" not in caption((info, profiles[:1]))


def test_of_blocks_the_first_block_is_held_against_the_last():
    text = caption(profiled("resnet", 8, branch_norm=[8.0, 4.0, 2.0]), column="branch_norm")
    assert "norm of F(x) of the first block over that of the last: resnet-8 4 (8 against 2)" in text
    text = caption(profiled("plain", 8), profiled("resnet", 8), column="sum_norm")
    assert "Nothing is added in a block, so there is no sum in: plain-8." in text


def test_what_is_not_over_is_told_with_how_far_it_is():
    text = caption(
        profiled("plain", 8, steps=[1, 11], planned=300, status="running"),
        profiled("resnet", 8, steps=[1], planned=300, status="diverged"),
        profiled("preact", 8, steps=[], planned=300, status="queued"),
    )
    assert text.startswith("At step 1 to 11, ")
    assert "Still training: plain-8 (step 11 of 300)." in text
    assert "Diverged: resnet-8 (step 1 of 300)." in text
    assert "Nothing measured yet in: preact-8." in text


def test_missing_values_are_told_and_no_ratio_is_made_of_them():
    norms = [0.0, 1, 1, math.nan, 1, 1, 1, 1]
    text = caption(profiled("plain", 8, gradient_norm=norms))
    assert "plain-8 none, as one of them is zero or not finite" in text
    assert "plain-8: 2 of 8 values are zero or not finite in float32." in text
    assert "towards the input" not in text


def test_without_profiles_the_caption_says_so():
    assert caption() == "Nothing has been measured yet."
    assert ratio_caption([]) == "Nothing has been measured yet."


def test_the_ratio_against_depth_in_words():
    text = ratio_caption(
        [
            RatioPoint("plain", 8, (1.0, 4.0), steps=(91, 91)),
            RatioPoint("plain", 56, (10.0, 1000.0), steps=(91, 91)),
            RatioPoint("resnet", 8, (1.0,), steps=(91,)),
            RatioPoint("resnet", 56, (0.5,), steps=(91,)),
        ]
    )
    assert text == (
        "Gradient norm of the first convolution over that of the last at step 91: "
        "plain from 2 (2 seeds: 1 to 4) at depth 8 to 100 (2 seeds: 10 to 1,000) at depth 56, "
        "it rises with depth; "
        "resnet from 1 at depth 8 to 0.5 at depth 56, about the same at both depths. "
        "At depth 56 the ratio of plain is 200 times that of resnet."
    )
