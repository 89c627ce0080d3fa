"""Which runs of a sweep train together, in one process, in lockstep. No torch.

On a CPU there is one single-threaded process a core (faster than one process with all cores),
so a sweep is dealt out over as many lanes as there are cores; a lone run takes all cores. An
accelerator has one lane.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from resnet_viz.datasets.catalogue import FOLDER_IMAGE_SIZE, info
from resnet_viz.nets.costs import Machine, count_costs, step_seconds
from resnet_viz.specs import RunSpec

# Of a step, where this computer has not been measured: the shape of the law, not its scale.
_TYPICAL = Machine("cpu", "float32", True, 5e-5, 2e-9, 1e-10, 0)


@dataclass(frozen=True)
class Place:
    """Where a run trains: the number of its lane, and the threads of the lane's process."""

    lane: int
    threads: int


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_seconds(run: RunSpec, machine: Machine | None = None) -> float:
    """Estimated training seconds of a run in one process; without `machine` only in proportion."""
    known = None if run.data.name == "folder" else info(run.data.name)
    size = run.data.image_size or (known.image_size if known else FOLDER_IMAGE_SIZE)
    channels = known.channels if known else 3
    costs = count_costs(run.net, in_channels=channels, image_size=size)
    return run.train.steps * step_seconds(costs, run.train, machine or _TYPICAL)


def deal(runs: Sequence[RunSpec], device: str, cores: int, machine: Machine | None) -> list[Place]:
    """A place for each of the runs of a new sweep."""
    if device in ("cuda", "mps"):
        return [Place(0, 1)] * len(runs)
    if len(runs) == 1:
        return [Place(0, cores)]
    lanes = deal_lanes([run_seconds(run, machine) for run in runs], cores)
    return [Place(lane, 1) for lane in lanes]


def deal_lanes(seconds: Sequence[float], lanes: int) -> list[int]:
    """A lane for each job, the longest first, each to the lane with the least to do so far."""
    loads = [0.0] * lanes
    out = [0] * len(seconds)
    for job in sorted(range(len(seconds)), key=lambda j: -seconds[j]):
        out[job] = min(range(lanes), key=loads.__getitem__)
        loads[out[job]] += seconds[job]
    return out


def deal_again(runs: Sequence[tuple[str, RunSpec, int]], cores: int) -> list[int]:
    """Lanes of resumed runs: single-threaded ones share the cores, others have one each.

    Args:
        runs: sweep, spec and threads of each.
    """
    lanes = [cores + i for i in range(len(runs))]
    by_sweep: dict[str, list[int]] = {}
    for i, (sweep_id, _spec, threads) in enumerate(runs):
        if threads == 1:
            by_sweep.setdefault(sweep_id, []).append(i)
    for members in by_sweep.values():
        seconds = [run_seconds(runs[i][1]) for i in members]
        for i, lane in zip(members, deal_lanes(seconds, cores), strict=True):
            lanes[i] = lane
    return lanes
