"""Learning rates by hand, and the paper's recipe."""

import pytest

from resnet_viz.datasets.load import load
from resnet_viz.nets.costs import Machine
from resnet_viz.records import PROBE_EVERY
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, SpecError, TrainSpec
from resnet_viz.sweeps import PRESETS
from resnet_viz.training.schedule import (
    evaluation_interval,
    kept_steps,
    learning_rate,
    log_interval,
    probe_interval,
)
from resnet_viz.training.training import Training


def test_the_papers_rate_falls_at_32k_and_48k():
    train = PRESETS["paper"].runs()[0].train
    rates = [learning_rate(train, step) for step in (0, 31_999, 32_000, 47_999, 48_000, 63_999)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_cosine_after_linear_warm_up():
    train = TrainSpec(steps=120, lr=0.2, warmup_steps=20)
    assert learning_rate(train, 0) == pytest.approx(0.01)
    assert learning_rate(train, 19) == pytest.approx(0.2)
    assert learning_rate(train, 20) == pytest.approx(0.2)
    assert learning_rate(train, 70) == pytest.approx(0.1)
    assert 0 < learning_rate(train, 119) < 1e-4


def test_a_warm_up_longer_than_the_run_never_divides_by_nothing():
    train = TrainSpec(steps=10, lr=0.1, warmup_steps=20)
    assert learning_rate(train, 9) == pytest.approx(0.05)


@pytest.mark.parametrize(("threshold", "last_rate"), [(1.0, 0.1), (0.0, 0.01)])
def test_the_warm_up_by_error_is_judged_every_100_steps(threshold, last_rate):
    run = RunSpec(
        NetSpec("resnet", 8, width=2),
        DataSpec("digits"),
        TrainSpec(steps=110, batch_size=8, schedule="constant", warmup_error=threshold),
    )
    training = Training(run, device="cpu", machine=Machine("cpu", "float32", False, 0, 0, 0, 0))
    rates = {}
    while not training.finished:
        for record in training.advance():
            if record.kind == "training":
                rates[record.step] = record.values["lr"]
    assert [rates[step] for step in range(1, 101)] == pytest.approx([0.01] * 100)
    assert [rates[step] for step in range(101, 111)] == pytest.approx([last_rate] * 10)


def test_a_long_run_keeps_about_a_thousand_records_and_twenty_evaluations():
    train = PRESETS["paper"].runs()[0].train
    assert train.steps / log_interval(train) <= 1000
    assert train.steps / evaluation_interval(train, 15_000) <= 20
    digits = load(DataSpec("digits"))
    quick = PRESETS["quick"].train
    # An image evaluated costs a third of one trained on: evaluations stay under 2 %.
    cost = len(digits.test_labels) / 3 / (evaluation_interval(quick, 360) * quick.batch_size)
    assert cost < 0.02


def test_profiles_come_as_asked_for_and_by_default_no_oftener_than_training_records():
    short, long = TrainSpec(steps=300), TrainSpec(steps=64_000)
    assert probe_interval(short, PROBE_EVERY) == 10
    assert probe_interval(long, PROBE_EVERY) == log_interval(long) == 64
    assert probe_interval(long, 3) == 3
    assert probe_interval(short, 0) == probe_interval(short, None) == 0
    for wrong in (-1, 2.5, True, "10", 10**9):
        with pytest.raises(SpecError, match="probe_every"):
            probe_interval(short, wrong)


def test_kept_steps_are_half_a_decade_apart_from_the_end_with_the_beginning_before_them():
    assert kept_steps(300) == (0, 1, 3, 9, 30, 95, 300)
    assert kept_steps(64_000) == (0, 202, 640, 2024, 6400, 20_239, 64_000)
    assert kept_steps(1) == (0, 1)
    assert kept_steps(10) == (0, 1, 3, 10)
