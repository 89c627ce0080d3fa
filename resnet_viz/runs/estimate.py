"""What a sweep will take on this computer, before it starts. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import psutil

from resnet_viz.datasets.catalogue import DatasetInfo
from resnet_viz.i18n import _
from resnet_viz.nets.costs import Machine, count_costs, step_seconds, training_bytes
from resnet_viz.records import RunInfo
from resnet_viz.runs.lanes import deal, run_seconds
from resnet_viz.specs import RunSpec

TYPICAL_WORKER_BYTES = 600e6  # before this computer has been measured
EVALUATION_SHARE = 1.05  # evaluations and bookkeeping on top of the steps
JUDGED_RUNS = 16  # the newest finished runs, against which the estimate is corrected


@dataclass(frozen=True)
class Estimate:
    """Of a sweep.

    Attributes:
        nets: runs.
        parameters: of all nets together.
        seconds: until the last is done with nothing else in the queue; None before this
            computer has been measured.
        memory_bytes: of all processes at once.
    """

    nets: int
    parameters: int
    seconds: float | None
    memory_bytes: float


def estimate_sweep(
    runs: list[RunSpec],
    info: DatasetInfo,
    *,
    device: str,
    cores: int,
    machine: Machine | None,
    slowdown: float = 1.0,
) -> Estimate:
    """Counts from the specs, time and memory from what was measured on this computer.

    Args:
        info: the data set of the runs.
        device: "cpu", "cuda" or "mps".
        cores: worker processes on a CPU.
        machine: measured; None before.
        slowdown: how much longer than estimated the last runs took; see `measured_slowdown`.
    """
    size = runs[0].data.image_size or info.image_size
    costs = [
        count_costs(
            run.net, in_channels=info.channels, image_size=size, num_classes=len(info.classes)
        )
        for run in runs
    ]
    places = deal(runs, device, cores, machine)
    lanes = {place.lane for place in places}
    images = (info.train_images + info.test_images) * info.channels * size**2
    memory = len(lanes) * ((machine.base_bytes if machine else TYPICAL_WORKER_BYTES) + images)
    memory += sum(training_bytes(c, run.train) for c, run in zip(costs, runs, strict=True))
    seconds = None
    if machine:
        loads = dict.fromkeys(lanes, 0.0)
        for place, run, cost in zip(places, runs, costs, strict=True):
            loads[place.lane] += run.train.steps * step_seconds(cost, run.train, machine)
        seconds = EVALUATION_SHARE * slowdown * max(loads.values())
    return Estimate(len(runs), sum(c.parameters for c in costs), seconds, memory)


def measured_slowdown(runs: Sequence[RunInfo], machine: Machine | None) -> float:
    """Seconds that finished runs took over what was estimated for them; 1.0 where there are none.

    A computer that was busy when it was measured, or is busy now, corrects itself so.
    """
    if machine is None:
        return 1.0
    done = [r for r in runs if r.status == "done" and r.device == machine.device]
    done = [r for r in done if r.seconds > 0 and (r.threads == 1 or machine.device != "cpu")]
    ratios = [run.seconds / run_seconds(run.spec, machine) for run in done[-JUDGED_RUNS:]]
    return median(ratios) if ratios else 1.0


def why_it_cannot_fit(estimate: Estimate, *, device: str) -> str | None:
    """The reason to refuse a sweep, for a person, or None.

    On an accelerator only its own memory would tell, which this process cannot ask.
    """
    total = psutil.virtual_memory().total
    if device != "cpu" or estimate.memory_bytes <= 0.9 * total:
        return None
    return _(
        "These nets need about {need:.1f} GB of memory at once, and this computer has {total:.1f} "
        "GB. Choose fewer or shallower nets, smaller images, a smaller width or a smaller batch."
    ).format(need=estimate.memory_bytes / 1e9, total=total / 1e9)
