"""How far a sweep is and how long it still takes, from what its runs have done. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_viz.records import ACTIVE, RunInfo
from resnet_viz.runs.lanes import run_seconds


@dataclass(frozen=True)
class Progress:
    """Of a sweep.

    Attributes:
        share: of the work done, 0..1, each net weighted by its cost.
        seconds_left: estimate for the runs that wait or train; None before anything is measured.
        images_per_second: of all processes together now, or None.
        active: runs that wait or train.
    """

    share: float
    seconds_left: float | None
    images_per_second: float | None
    active: int


def measure_progress(runs: Sequence[RunInfo], processes: int) -> Progress:
    """Progress of runs that `processes` worker processes share."""
    weights = [run_seconds(run.spec) for run in runs]
    done = [run.step / run.spec.train.steps for run in runs]
    share = sum(w * d for w, d in zip(weights, done, strict=True)) / sum(weights)
    training = [run for run in runs if run.status == "running"]
    speeds = [r.images_per_second for r in training if r.images_per_second]
    lanes = max(1, min(processes, len(training)))
    # Nets in lockstep take turns, so their times add up within a process.
    overall = lanes * len(speeds) / sum(1 / speed for speed in speeds) if speeds else None
    active = [i for i, run in enumerate(runs) if run.status in ACTIVE]
    measured = [i for i, run in enumerate(runs) if run.seconds and done[i]]
    left = None
    if active and measured:
        # Seconds of one process a unit of weight, as measured; resumes keep adding to seconds.
        spent = sum(runs[i].seconds for i in measured)
        rate = spent / sum(weights[i] * done[i] for i in measured)
        work = sum(weights[i] * (1 - done[i]) for i in active)
        left = rate * work / max(1, min(processes, len(active)))
    return Progress(share, left, overall, len(active))
