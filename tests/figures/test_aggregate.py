from dataclasses import replace
from math import sqrt

import pytest

from resnet_viz.figures.aggregate import aggregate, value_at, variants
from tests.figures.making import run


def test_one_point_a_net_in_order_of_family_and_depth():
    runs = [run("resnet", 20), run("plain", 20), run("resnet", 8), run("plain", 8)]
    assert [p.name for p in aggregate(runs, "running_error")] == [
        "resnet-8",
        "resnet-20",
        "plain-8",
        "plain-20",
    ]


def test_mean_and_sample_standard_deviation_over_seeds():
    runs = [run(errors=[e], seed=s) for s, e in enumerate((0.1, 0.2, 0.6))]
    (point,) = aggregate(runs, "running_error")
    assert point.n == 3
    assert point.mean == pytest.approx(0.3)
    assert point.std == pytest.approx(sqrt((0.04 + 0.01 + 0.09) / 2))


def test_one_seed_has_no_standard_deviation():
    (point,) = aggregate([run(errors=[0.25])], "running_error")
    assert (point.mean, point.std, point.n) == (0.25, None, 1)


def test_the_best_rate_is_that_of_the_lowest_mean_over_its_seeds():
    runs = [
        run(errors=[0.10], lr=0.3, seed=0),
        run(errors=[0.60], lr=0.3, seed=1),
        run(errors=[0.30], lr=0.1, seed=0),
        run(errors=[0.32], lr=0.1, seed=1),
    ]
    (point,) = aggregate(runs, "running_error")
    assert (point.lr, point.rates, point.n) == (0.1, 2, 2)
    assert point.mean == pytest.approx(0.31)


def test_no_rate_is_chosen_by_its_test_error():
    good_in_training = run(errors=[0.1], lr=0.1)
    good_in_testing = run(errors=[0.2], lr=0.3)
    for (_, history), error in ((good_in_training, 0.5), (good_in_testing, 0.05)):
        history.steps["test_error"] = [300]
        history.values["test_error"] = [error]
    (point,) = aggregate([good_in_training, good_in_testing], "test_error")
    assert (point.lr, point.mean) == (0.1, 0.5)


def test_a_diverged_run_is_left_out_but_its_rate_was_tried():
    runs = [run(errors=[0.2], lr=0.1), run(errors=[0.01], lr=3.0, status="diverged")]
    (point,) = aggregate(runs, "running_error")
    assert (point.mean, point.lr, point.rates) == (0.2, 0.1, 2)
    assert aggregate([run(status="diverged")], "running_error") == []


def test_a_net_without_a_value_has_no_point():
    runs = [run(depth=8), run(depth=20, upto=0, status="queued")]
    assert [p.depth for p in aggregate(runs, "running_error")] == [8]
    assert aggregate(runs, "test_error") == []
    assert aggregate([], "running_error") == []


def test_values_are_taken_at_the_step_asked_for():
    runs = [run(errors=lambda s: s / 1000, upto=300, status="running")]
    (point,) = aggregate(runs, "running_error", step=120)
    assert (point.mean, point.step, point.finished) == (0.12, 120, False)
    (point,) = aggregate(runs, "running_error")
    assert (point.mean, point.step) == (0.3, 300)


def test_a_point_is_finished_when_all_its_seeds_are_and_has_the_least_of_their_steps():
    runs = [run(seed=0), run(seed=1, upto=120, status="running")]
    (point,) = aggregate(runs, "running_error")
    assert (point.finished, point.step) == (False, 120)


def test_a_run_without_records_answers_with_its_latest_value():
    info, history = run(upto=0, running_error=0.4)
    assert value_at((info, history), "running_error") == (0, 0.4)
    assert value_at((info, history), "test_error") is None


def test_runs_of_other_recipes_are_not_averaged():
    runs = [run(errors=[0.1], width=8), run(errors=[0.3], width=16)]
    points = aggregate(runs, "running_error")
    assert [(p.variant, p.mean) for p in points] == [("width 16", 0.3), ("width 8", 0.1)]


def test_seed_and_rate_and_depth_do_not_make_a_variant():
    runs = [run(depth=8, seed=0), run(depth=20, seed=1, lr=0.3), run("resnet", 8)]
    assert set(variants(runs).values()) == {""}


def test_one_seed_of_two_sweeps_is_not_two_seeds():
    runs = [run(errors=[0.1], sweep="a"), run(errors=[0.3], sweep="b")]
    points = aggregate(runs, "running_error")
    assert [(p.variant, p.mean, p.n, p.std) for p in points] == [
        ("sweep a", 0.1, 1, None),
        ("sweep b", 0.3, 1, None),
    ]


def test_no_rate_is_chosen_across_sweeps():
    runs = [run(errors=[0.1], lr=0.1, sweep="a"), run(errors=[0.3], lr=0.3, sweep="b")]
    points = aggregate(runs, "running_error")
    assert [(p.variant, p.lr, p.rates) for p in points] == [
        ("sweep a", 0.1, 1),
        ("sweep b", 0.3, 1),
    ]


def test_a_seed_trained_twice_counts_once():
    runs = [run(errors=[e], seed=s) for e, s in ((0.1, 0), (0.3, 0), (0.6, 1))]
    (point,) = aggregate(runs, "running_error")
    assert (point.n, point.mean) == (2, pytest.approx(0.4))


def test_data_sets_of_two_families_are_named():
    runs = [run("plain", data="digits", sweep="a"), run("resnet", data="shapes", sweep="b")]
    assert list(variants(runs).values()) == ["sweep a, data digits", "sweep b, data shapes"]


def test_a_shortcut_that_a_plain_net_cannot_have_sets_no_family_apart():
    info, history = run("resnet", 20)
    projected = replace(info.spec, net=replace(info.spec.net, shortcut="B"))
    runs = [run("plain", 20), (replace(info, spec=projected), history)]
    assert set(variants(runs).values()) == {""}
    assert "shortcut A" in variants([*runs, run("resnet", 8)]).values()
