"""Progress, estimates and readers, against counts made by hand."""

from dataclasses import replace

import pytest

from resnet_viz.datasets.catalogue import info
from resnet_viz.nets.costs import Machine, count_costs
from resnet_viz.records import RunInfo
from resnet_viz.runs.estimate import estimate_sweep, measured_slowdown, why_it_cannot_fit
from resnet_viz.runs.progress import measure_progress
from resnet_viz.sweeps import PRESETS

QUICK = PRESETS["quick"]
# A step takes a second for each million multiply-adds of its batch, and nothing else.
MACHINE = Machine("cpu", "float32", False, 0.0, 0.0, 1e-6, 100_000_000)


def run(number, spec, **values):
    return RunInfo(number, "s", spec, **{"status": "queued", **values})


def test_nothing_done_is_nothing_and_all_done_is_all():
    specs = QUICK.runs()
    waiting = measure_progress([run(i, s) for i, s in enumerate(specs)], 2)
    assert (waiting.share, waiting.seconds_left, waiting.active) == (0, None, 8)
    done = [run(i, s, status="done", step=300, seconds=5.0) for i, s in enumerate(specs)]
    assert measure_progress(done, 2).share == pytest.approx(1)
    assert measure_progress(done, 2).seconds_left is None


def test_time_left_is_what_equal_nets_took_shared_by_the_processes():
    spec = QUICK.runs()[0]
    half = [
        run(i, spec, status="running", step=150, seconds=10.0, images_per_second=100.0)
        for i in range(4)
    ]
    progress = measure_progress(half, 2)
    assert progress.share == pytest.approx(0.5)
    assert progress.seconds_left == pytest.approx(4 * 10 / 2)
    # Two processes, two nets in turn in each: every process shows 100 images a second.
    assert progress.images_per_second == pytest.approx(200)


def test_an_estimate_is_the_longest_lane_of_counted_costs():
    specs = QUICK.runs()
    shape = {"in_channels": 1, "image_size": 16, "num_classes": 10}
    counted = [count_costs(s.net, **shape) for s in specs]
    total = sum(300 * 64 * c.multiply_adds * 1e-6 for c in counted)
    one = estimate_sweep(specs, info("digits"), device="cpu", cores=1, machine=MACHINE)
    two = estimate_sweep(specs, info("digits"), device="cpu", cores=2, machine=MACHINE)
    assert one.nets == 8
    assert one.parameters == sum(c.parameters for c in counted)
    assert one.seconds == pytest.approx(1.05 * total)
    assert one.seconds / 2 <= two.seconds < 0.6 * one.seconds
    assert two.memory_bytes > one.memory_bytes > 100e6
    unknown = estimate_sweep(specs, info("digits"), device="cpu", cores=2, machine=None)
    assert unknown.seconds is None


def test_runs_that_took_twice_as_long_double_the_estimate():
    shape = {"in_channels": 1, "image_size": 16}
    done = []
    for number, spec in enumerate(QUICK.runs()):
        seconds = 2 * 300 * 64 * count_costs(spec.net, **shape).multiply_adds * 1e-6
        values = {"status": "done", "device": "cpu", "threads": 1, "seconds": seconds}
        done.append(run(number, spec, **values))
    assert measured_slowdown(done, MACHINE) == pytest.approx(2)
    assert measured_slowdown([], MACHINE) == 1
    assert measured_slowdown(done, None) == 1


def test_a_sweep_larger_than_the_memory_is_refused_with_the_reason():
    huge = replace(QUICK, width=1024, train=replace(QUICK.train, batch_size=4096))
    estimate = estimate_sweep(huge.runs(), info("digits"), device="cpu", cores=2, machine=MACHINE)
    assert "smaller batch" in why_it_cannot_fit(estimate, device="cpu")
    fits = estimate_sweep(QUICK.runs(), info("digits"), device="cpu", cores=2, machine=MACHINE)
    assert why_it_cannot_fit(fits, device="cpu") is None
