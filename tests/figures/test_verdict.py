"""The rules of degradation as a truth table, on curves whose answer is known."""

import math
import random

import pytest

from resnet_viz.figures.captions import sweep_caption
from resnet_viz.figures.verdict import judge
from tests.figures.making import run


def family(verdict, name):
    return next(f for f in verdict.families if f.family == name)


def two_depths(shallow, deep, **common):
    """Plain-8 and plain-56 with one run for each error given."""
    return [
        *(run("plain", 8, [e], seed=s, **common) for s, e in enumerate(shallow)),
        *(run("plain", 56, [e], seed=s, **common) for s, e in enumerate(deep)),
    ]


@pytest.mark.parametrize(
    ("shallow", "deep", "degradation"),
    [
        ([0.001], [0.52], True),  # the effect itself
        ([0.001], [0.001], False),
        ([0.30], [0.10], False),  # the deep net is better
        ([0.001], [0.015], False),  # under two points
        ([0.001], [0.03], True),
        ([0.50], [0.53], False),  # 1600 images cannot tell these apart
        ([0.001, 0.002, 0.003], [0.50, 0.45, 0.55], True),
        ([0.10, 0.12, 0.11], [0.05, 0.10, 0.60], False),  # one bad seed of three
        ([0.30, 0.31, 0.32], [0.34, 0.35, 0.36], True),  # small, but every seed agrees
    ],
)
def test_degradation_is_called_when_the_difference_is_large_and_sure(shallow, deep, degradation):
    verdict = judge(two_depths(shallow, deep))
    plain = family(verdict, "plain")
    assert plain.degradation is degradation
    mean = [sum(errors) / len(errors) for errors in (shallow, deep)]
    assert plain.difference == pytest.approx(mean[1] - mean[0])
    assert verdict.seeds == (len(shallow), len(deep))


def test_the_deepest_is_compared_with_the_best_shallower_depth():
    runs = [run(depth=d, errors=[e]) for d, e in ((8, 0.2), (20, 0.05), (32, 0.1), (56, 0.3))]
    plain = family(judge(runs), "plain")
    assert (plain.shallowest.depth, plain.deepest.depth) == (8, 56)
    assert plain.best_shallower is not None
    assert plain.best_shallower.depth == 20
    assert plain.difference == pytest.approx(0.25)


def test_standard_error_of_two_means_of_seeds():
    runs = two_depths([0.1, 0.2, 0.3], [0.5, 0.7])
    plain = family(judge(runs), "plain")
    assert plain.standard_error == pytest.approx(math.sqrt(0.01 / 3 + 0.02 / 2))


def test_nets_are_compared_at_the_largest_step_that_all_have_reached():
    runs = [
        run(depth=8, errors=lambda s: 0.5 if s <= 100 else 0.0, upto=300, status="running"),
        run(depth=56, errors=[0.5], upto=100, status="running"),
    ]
    verdict = judge(runs)
    assert verdict.step == 100
    assert not verdict.finished
    assert family(verdict, "plain").degradation is False
    assert sweep_caption(verdict).startswith("So far, after 100 steps, plain-56 errs on 50.0 %")


def test_nothing_measured_yet():
    for runs in ([], [run(upto=0, status="queued")]):
        verdict = judge(runs)
        assert verdict.families == ()
        assert sweep_caption(verdict).startswith("Nothing has been measured yet.")


def test_only_some_nets_have_points():
    runs = [run(depth=8), run(depth=20), run(depth=56, upto=0, status="queued")]
    verdict = judge(runs)
    assert verdict.waiting == ("plain-56",)
    assert family(verdict, "plain").deepest.depth == 20
    assert not verdict.finished
    assert "Not started yet: plain-56." in sweep_caption(verdict)


def test_diverged_nets_are_named_and_left_out():
    runs = [
        run(depth=8, errors=[0.1]),
        run(depth=20, errors=[0.1]),
        run(depth=56, errors=[0.9], upto=3, status="diverged"),
    ]
    verdict = judge(runs)
    assert (verdict.step, verdict.diverged) == (300, ("plain-56",))
    assert family(verdict, "plain").deepest.depth == 20
    assert "Diverged and left out: plain-56." in sweep_caption(verdict)


def test_a_net_of_which_one_seed_diverged_is_still_compared():
    runs = [*two_depths([0.1], [0.1]), run(depth=56, seed=1, upto=3, status="diverged")]
    verdict = judge(runs)
    assert verdict.diverged == ("plain-56 (1 of 2)",)
    assert family(verdict, "plain").deepest.depth == 56


def test_a_net_stopped_at_once_does_not_drag_the_others_back():
    runs = [*two_depths([0.1], [0.5]), run(depth=20, upto=10, status="stopped")]
    verdict = judge(runs)
    assert (verdict.step, verdict.cut_short) == (300, ("plain-20",))
    assert "Stopped early and left out: plain-20." in sweep_caption(verdict)


def test_one_depth_cannot_degrade():
    verdict = judge([run(depth=20, errors=[0.2])])
    assert family(verdict, "plain").degradation is None
    assert "no other depth to compare with" in sweep_caption(verdict)
    assert "degradation" not in sweep_caption(verdict)


def test_too_early_to_compare():
    verdict = judge(two_depths([0.5], [0.9], upto=24, status="running"))
    assert sweep_caption(verdict) == "After 24 of 300 steps it is too early to compare."


def test_a_net_that_was_meant_to_take_few_steps_is_compared():
    assert not judge(two_depths([0.5], [0.9], steps=10)).too_early


def test_residual_nets_that_degrade_are_called_so():
    runs = [run("resnet", 8, [0.1]), run("resnet", 56, [0.65])]
    verdict = judge(runs)
    assert family(verdict, "resnet").degradation is True
    assert "resnet-56 errs on 65.0 %" in sweep_caption(verdict)
    assert ": degradation, +55.0 points." in sweep_caption(verdict)


def test_nets_of_several_recipes_are_not_compared():
    verdict = judge([run(depth=8, width=8), run(depth=56, width=16)])
    assert (verdict.mixed, verdict.families) == (("width",), ())
    assert "differ in more than their depth (width)" in sweep_caption(verdict)


def test_every_shortcut_of_a_sweep_has_its_own_verdict():
    runs = [
        run("resnet", depth, [error], net={"shortcut": shortcut})
        for shortcut, errors in (("A", (0.1, 0.1)), ("scaled", (0.2, 0.6)))
        for depth, error in zip((8, 56), errors, strict=True)
    ]
    verdict = judge(runs)
    assert not verdict.mixed
    assert [f.degradation for f in verdict.families] == [False, True]
    assert "resnet-56 (shortcut scaled) errs on 60.0 %" in sweep_caption(verdict)


def test_nets_of_several_sweeps_are_not_compared():
    verdict = judge([run(depth=8, sweep="a"), run(depth=56, sweep="b")])
    assert (verdict.mixed, verdict.families) == (("sweep",), ())


def smoothed(level, slope, noise, seed):
    """A mean of the last 25 of noisy values around a line: as a running error is."""
    random_ = random.Random(seed)
    raw = [level + slope * s + random_.gauss(0, noise) for s in range(301)]
    return lambda s: sum(raw[max(0, s - 24) : s + 1]) / len(raw[max(0, s - 24) : s + 1])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("slope", "noise", "direction"),
    [(-8e-4, 0.06, "falling"), (8e-4, 0.06, "rising"), (0.0, 1e-3, "flat")],
)
def test_the_trend_of_the_deepest_net(slope, noise, direction, seed):
    curve = smoothed(0.5, slope, noise, seed)
    trend = family(judge([run(errors=[0.1]), run(depth=56, errors=curve)]), "plain").trend
    assert trend.direction == direction
    if slope:
        assert trend.slope == pytest.approx(slope, abs=6e-4)  # two standard errors of the noise


def test_noise_alone_is_rarely_called_a_trend():
    directions = [
        family(judge([run(depth=56, errors=smoothed(0.5, 0, 0.06, seed))]), "plain").trend.direction
        for seed in range(40)
    ]
    assert sum(d in ("falling", "rising") for d in directions) <= 8


def test_a_short_run_has_no_trend():
    runs = [run(depth=56, errors=lambda s: 1 - s / 100, steps=60)]
    assert family(judge(runs), "plain").trend.direction == "unclear"


def test_the_whole_caption_of_a_quick_sweep():
    runs = [
        run("plain", 8, [0.001]),
        run("plain", 56, lambda s: 0.76 - 8e-4 * s),
        run("resnet", 8, [0.001]),
        run("resnet", 56, [0.001]),
    ]
    assert sweep_caption(judge(runs)) == (
        "After 300 steps plain-56 errs on 52.0 % of its training images "
        "(mean of the last 25 steps), plain-8 on 0.1 %: "
        "degradation, +51.9 points. resnet-56 errs on 0.1 %, resnet-8 on 0.1 %: no degradation. "
        "One seed. Still falling: plain-56 by 8.0 points per 100 steps; "
        "slow is not the same as stuck."
    )


def test_a_stuck_net_that_degrades_is_not_said_to_fall():
    caption = sweep_caption(judge(two_depths([0.1], [0.8])))
    assert "Hardly falling any more: plain-56 by 0.0 points per 100 steps." in caption
    assert "Still falling" not in caption


def test_captions_of_several_seeds_and_rates_say_so():
    runs = [
        run("plain", depth, [error], seed=seed, lr=lr)
        for depth, error in ((8, 0.1), (56, 0.5))
        for seed in range(3)
        for lr in (0.02, 0.1)
    ]
    assert "Means of 3 seeds, each net at the best of up to 2 learning rates" in sweep_caption(
        judge(runs)
    )


def test_small_differences_are_given_but_not_called_degradation():
    caption = sweep_caption(judge(two_depths([0.001], [0.015])))
    assert "+1.4 points, too little or too uncertain to call degradation" in caption


@pytest.mark.parametrize("error", [0.11, 0.37, 0.93])
def test_captions_follow_the_numbers(error):
    caption = sweep_caption(judge(two_depths([0.05], [error])))
    assert f"plain-56 errs on {100 * error:.1f} %" in caption
    assert f"+{100 * (error - 0.05):.1f} points" in caption


def test_a_difference_before_the_end_is_not_yet_called_degradation():
    runs = [
        run("plain", 8, [0.1], upto=100, status="running"),
        run("plain", 56, [0.6], upto=100, status="running"),
    ]
    assert "+50.0 points so far" in sweep_caption(judge(runs))
    assert "degradation" not in sweep_caption(judge(runs))
