"""Who takes part: which processes stand for ourselves and for each rival on a device. No torch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from benchmarks.contest import Contest, say
from benchmarks.ratios import Spread
from benchmarks.rivals.child import Child, ChildError
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

SEQUENTIAL = "benchmarks.rivals.sequential:Sequential"


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
        runs = workload.runs
        everybody = {"runs": runs, "device": self.device, "threads": self._cores}
        made = {"ours": self._ours(runs, PROBE_EVERY)}  # all start at once, but nobody works yet
        if "tutorial" in rivals:
            children = [Child("benchmarks.rivals.tutorial:Tutorial", **everybody)]
            made["tutorial"] = self._side("tutorial", children, own_clock=True)
        tries = {"sequential", "processes"} & set(rivals)
        if tries:
            child = Child(SEQUENTIAL, **everybody, compiled=self._options.compile)
            made["sequential"] = self._side("sequential", [child])
        for side in made.values():
            with suppress(ChildError):  # who has not started says so when it is to warm up
                side.wait_ready()
        for name in ("ours", "tutorial"):
            if name in made:
                contest.enter(name, made[name])
        if tries:
            self._enter_tuned(contest, runs, made["sequential"], tries)

    def _enter_tuned(
        self, contest: Contest, runs: Sequence[RunSpec], side: Side, tries: set[str]
    ) -> None:
        """The hand-tuned loop, once in one process and once in many, in the modes of a trial."""
        try:
            chosen = side.children[0].call("choose", patience=self._options.patience)
        except ChildError as error:
            side.close()
            contest.errors |= dict.fromkeys(tries, f"the trial of modes failed: {error}")
            return
        say(f"  trial: {chosen['trials']}")
        if "sequential" in tries:
            found = {"trials": chosen["trials"], "mode": chosen["mode"].name}
            contest.enter("sequential", side, found)
        else:
            side.close()
        if "processes" in tries and len(runs) > 1:
            mode = chosen["side_by_side"]
            with Mps(wanted=self._options.mps and self.device == "cuda") as mps:
                found = {"mps": mps.state, "mode": mode.name}
                contest.enter("processes", self._processes(runs, mode, mps), found)

    def _side(self, name: str, children: list[Child], **options: Any) -> Side:
        return Side(name, children, patience=self._options.patience, **options)

    def _ours(self, runs: Sequence[RunSpec], probe_every: int, as_worker: bool = False) -> Side:
        """A process for each lane, as the program deals the runs out."""
        machine = self._look["machine"]
        places = deal(runs, self.device, self._cores, Machine.from_dict(machine))
        children = []
        for lane in sorted({place.lane for place in places}):
            mine = [run for run, place in zip(runs, places, strict=True) if place.lane == lane]
            threads = next(place.threads for place in places if place.lane == lane)
            children.append(
                Child(
                    "benchmarks.rivals.ours:Ours",
                    runs=mine,
                    device=self.device,
                    threads=threads,
                    machine=machine,
                    probe_every=probe_every,
                    as_worker=as_worker,
                )
            )
        return self._side("ours", children)

    def _processes(self, runs: Sequence[RunSpec], mode: Mode, mps: Mps) -> Side:
        """A process for each net; on a CPU of one thread, as many at a time as there are cores.

        The longest go first, which ends soonest. A mode is used as the trial found it.
        """
        ordered = sorted(runs, key=run_seconds, reverse=True)
        children = [
            Child(SEQUENTIAL, runs=[run], device=self.device, threads=1, mode=mode)
            for run in ordered
        ]
        if self.device == "cpu":
            return self._side("processes", children, at_once=self._cores)
        return self._side("processes", children, warm_alone=True, afterwards=mps.stop)

    # --- a real sweep against ourselves ---

    def enter_app(self, contest: Contest, workload: Workload) -> None:
        """Let a real sweep and ourselves without store and probes start.

        Both have a worker's priority.
        """
        runs = workload.runs
        if workload.name != "quick":  # which is trained whole
            steps = APP_STEPS[self.device]
            runs = tuple(replace(r, train=replace(r.train, steps=steps)) for r in runs)
        app = {"runs": runs, "device": self.device, "machine": self._look["machine"]}
        contest.enter(
            "app", self._side("app", [Child("benchmarks.rivals.app:App", **app)], own_clock=True)
        )
        if "app" not in contest.errors:
            contest.enter("bare", self._ours(runs, 0, as_worker=True))

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
