"""Who takes part: which processes stand for ourselves and for each rival on a device. No torch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.contest import Contest, say
from benchmarks.ratios import Spread
from benchmarks.rivals.child import Child
from benchmarks.rivals.modes import Mode
from benchmarks.rivals.mps import Mps
from benchmarks.rivals.side import Side
from benchmarks.roofline import step_bytes
from benchmarks.workloads import PAPER_STEPS, Workload
from resnet_viz.datasets.catalogue import describe
from resnet_viz.nets.costs import Machine
from resnet_viz.records import PROBE_EVERY
from resnet_viz.runs.lanes import deal, run_seconds
from resnet_viz.specs import RunSpec

# Steps of a real sweep of which a turn sees a part: on a CPU so few that every step is stored.
APP_STEPS = {"cpu": 1000, "mps": 1000, "cuda": PAPER_STEPS}


class Sides:
    """Makes the sides.

    Args:
        look: what `devices.Look` found.
    """

    def __init__(self, look: dict[str, Any], options: argparse.Namespace) -> None:
        self.device: str = look["device"]
        self._look, self._options = look, options
        self._cores: int = look["cores"]

    # --- against the rivals ---

    def enter_rivals(self, contest: Contest, workload: Workload, rivals: Sequence[str]) -> None:
        """Let ourselves and the rivals start, each behind the other so that none disturbs."""
        from benchmarks.rivals.sequential import Sequential
        from benchmarks.rivals.tutorial import Tutorial

        runs = workload.runs
        contest.enter("ours", lambda: self._ours(runs, PROBE_EVERY))
        everybody = {"runs": runs, "device": self.device, "threads": self._cores}
        if "tutorial" in rivals:
            contest.enter(
                "tutorial",
                lambda: self._side("tutorial", [Child(Tutorial, **everybody)], own_clock=True),
            )
        if not {"sequential", "processes"} & set(rivals):
            return
        child = Child(Sequential, **everybody, compiled=self._options.compile)
        try:
            chosen = child.call("choose", patience=self._options.patience)
        except Exception as error:  # noqa: BLE001 - then its mode is the plainest
            say(f"  trial: {error}")
            chosen = {"mode": Mode(), "trials": {"failed": str(error)}}
        say(f"  trial: {chosen['trials']}")
        trials = {"trials": chosen["trials"], "mode": chosen["mode"].name}
        if "sequential" in rivals:
            contest.enter("sequential", lambda: self._side("sequential", [child]), trials)
        else:
            child.close()
        if "processes" in rivals and len(runs) > 1:
            mode = chosen["mode"]
            with Mps(wanted=self._options.mps and self.device == "cuda") as mps:
                extra = {"mps": mps.state, "mode": mode.name}
                contest.enter("processes", lambda: self._processes(runs, mode), extra)

    def _side(self, name: str, children: list[Child], **options: Any) -> Side:
        return Side(name, children, patience=self._options.patience, **options)

    def _ours(self, runs: Sequence[RunSpec], probe_every: int, as_worker: bool = False) -> Side:
        """A process for each lane, as the program deals the runs out."""
        from benchmarks.rivals.ours import Ours

        machine = self._look["machine"]
        places = deal(runs, self.device, self._cores, Machine.from_dict(machine))
        children = []
        for lane in sorted({place.lane for place in places}):
            mine = [run for run, place in zip(runs, places, strict=True) if place.lane == lane]
            threads = next(place.threads for place in places if place.lane == lane)
            children.append(
                Child(
                    Ours,
                    runs=mine,
                    device=self.device,
                    threads=threads,
                    machine=machine,
                    probe_every=probe_every,
                    as_worker=as_worker,
                )
            )
        return self._side("ours", children)

    def _processes(self, runs: Sequence[RunSpec], mode: Mode) -> Side:
        """A process for each net; on a CPU of one thread, as many at a time as there are cores.

        The longest go first, which ends soonest. A mode is used as the trial found it.
        """
        from benchmarks.rivals.sequential import Sequential

        ordered = sorted(runs, key=run_seconds, reverse=True)
        children = [
            Child(Sequential, runs=[run], device=self.device, threads=1, mode=mode)
            for run in ordered
        ]
        on_cpu = self.device == "cpu"
        return self._side("processes", children, at_once=self._cores if on_cpu else None)

    # --- a real sweep against ourselves ---

    def enter_app(self, contest: Contest, workload: Workload) -> None:
        """Let a real sweep and ourselves without store and probes start.

        Both have a worker's priority.
        """
        from benchmarks.rivals.app import App

        runs = workload.runs
        if workload.name != "quick":  # which is trained whole
            steps = APP_STEPS[self.device]
            runs = tuple(replace(r, train=replace(r.train, steps=steps)) for r in runs)
        app = {"runs": runs, "device": self.device, "machine": self._look["machine"]}
        contest.enter("app", lambda: self._side("app", [Child(App, **app)], own_clock=True))
        if "app" not in contest.errors:
            contest.enter("bare", lambda: self._ours(runs, 0, as_worker=True))

    # --- roofline ---

    def roofline(self, workload: Workload, step_seconds: Sequence[float]) -> dict[str, Any] | None:
        """Counted traffic of a step of every net over what a copy would move in that time."""
        if not step_seconds:
            return None
        moved = 0
        for run in workload.runs:
            about = describe(run.data)
            moved += step_bytes(
                run.net,
                batch_size=run.train.batch_size,
                image_size=about.image_size,
                in_channels=about.channels,
                num_classes=len(about.classes),
                dtype=self._look["machine"]["dtype"],
            )
        seconds = Spread.of(step_seconds)
        copied = self._look["copy_bytes_per_second"]
        return {
            "bytes_a_step": moved,
            "copy_bytes_per_second": copied,
            "share": moved / (seconds.median * copied),
            "floor_seconds_a_step": moved / copied,
        }
