"""How fast many nets train: ourselves beside what people write by hand, on the same work.

python -m benchmarks.training --device auto --json FILE

Workloads: the quick sweep's eight nets; the nine nets of He et al. 2015, Fig. 6; resnet-20 alone;
eight seeds of resnet-20. Rivals: "tutorial", a loop as in the tutorials; "sequential", the best
hand-tuned loop of stock PyTorch that a short trial finds, one net after another; "processes", that
loop in a process for each net side by side; "bare", ourselves without store and probes, against a
real sweep of the program. Sides take turns, A B C A B C; every ratio is of one round. Starting of
processes and warm-up are timed apart; a second ratio counts the warm-up in, once for the real
number of steps. The file is written anew after every round.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import resnet_viz
from benchmarks.browser import temporary_home
from benchmarks.contest import Contest, say
from benchmarks.report import print_table
from benchmarks.rivals.child import Child
from benchmarks.rivals.sides import Sides
from benchmarks.workloads import Workload, workloads
from resnet_viz.runs.lanes import available_cores

RIVALS = ("tutorial", "sequential", "processes", "bare")
_SETTINGS = ("OMP_", "GOMP_", "MKL_", "PYTORCH_", "CUDA_")  # what may change the speed
TURN_SECONDS = {"cpu": 4.0, "cuda": 2.0, "mps": 4.0}


def main() -> None:
    """Measure, print a table, write the file."""
    options = parse()
    with temporary_home() as home:
        os.environ["RESNET_VIZ_HOME"] = str(home)  # of every process that is started from here
        Benchmark(options).run()


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    known = list(workloads())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    add("--json", type=Path, metavar="FILE")
    add("--folder", type=Path, help="CIFAR-10 as an image folder, train/<class>/…, test/<class>/…")
    add("--workloads", type=_names(known), default=known, help=",".join(known))
    add("--rivals", type=_names(RIVALS), default=list(RIVALS), help=",".join(RIVALS))
    add("--repeats", type=int, default=5)
    add("--steps", type=int, help="of every net in a turn; else as many as fill a turn")
    add("--turn-seconds", type=float, help="of a turn, about: 4, on CUDA 2")
    add("--app-seconds", type=float, default=10.0, help="of a turn of a real sweep, about")
    add("--app-steps", type=int, default=300, help="of the quick sweep, trained whole")
    add("--budget", type=float, help="seconds after which no further round begins")
    add("--patience", type=float, default=300.0, help="seconds until a silent rival is ended")
    add("--compile", action="store_true", help="try torch.compile, too, which takes minutes")
    add("--mps", action="store_true", help="give rival processes NVIDIA's MPS, where it is")
    return parser.parse_args(arguments)


def _names(known: Any) -> Any:
    def parse_names(text: str) -> list[str]:
        found = text.split(",")
        for name in found:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return found

    return parse_names


class Benchmark:
    """All workloads, one after another, and the file of results."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._started = time.monotonic()
        self._parts = 0  # of the work that have not taken turns yet
        self._results: dict[str, Any] = {
            "command": sys.argv[1:],
            "started": time.strftime("%Y-%m-%d %H:%M:%S %z"),
            "environment": {
                name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)
            },
            "program": resnet_viz.__version__,
            "workloads": {},
            "finished": False,
        }

    def run(self) -> None:
        """Measure everything that was asked for."""
        options = self._options
        chosen = [workloads(options.folder)[name] for name in options.workloads]
        say("looking at the device and making the data")
        look = Child(
            "benchmarks.rivals.devices:Look", device=options.device, threads=available_cores()
        )
        try:
            found = look.call("look", patience=options.patience)
            data = list(dict.fromkeys(run.data for w in chosen for run in w.runs))
            found["data"] = [spec.to_dict() for spec in data]
            found |= look.call("load", data, patience=options.patience)
        finally:
            look.close()
        found["content"] = "the time of a step does not depend on what the images show"
        self._results["machine"] = found
        self._save()
        say(f"{found['device_name']}, torch {found['torch']}, {found['machine']['dtype']}")
        sides = Sides(found, options)
        rivals = [name for name in options.rivals if name != "bare"]
        self._parts = len(chosen) * (bool(rivals) + ("bare" in options.rivals))
        for workload in chosen:
            say(f"{workload.name}: {workload.title}")
            self._results["workloads"][workload.name] = workload.to_dict()
            if rivals:
                self._measure_rivals(workload, sides, rivals)
            if "bare" in options.rivals:
                self._measure_app(workload, sides)
        self._results["finished"] = True
        self._save()
        print_table(self._results)

    def _end(self) -> float:
        """When nothing new may begin, by `time.monotonic`."""
        budget = self._options.budget
        return float("inf") if budget is None else self._started + budget

    def _deadline(self) -> float:
        """When the part that is about to take turns has to stop: all that are left get as much."""
        now = time.monotonic()
        self._parts -= 1
        return now + (self._end() - now) / (self._parts + 1)

    def _measure_rivals(self, workload: Workload, sides: Sides, rivals: list[str]) -> None:
        """Ourselves against the rivals."""
        options = self._options
        seconds = options.turn_seconds or TURN_SECONDS[sides.device]
        contest = self._contest(workload, sides, "rivals", "ours", seconds, options.steps)
        try:
            sides.enter_rivals(contest, workload, rivals)
            contest.rounds(options.repeats, self._deadline())
            found = sides.roofline(workload, contest.step_seconds("ours"))
            self._results["workloads"][workload.name]["roofline"] = found
            self._save()
        finally:
            contest.close()

    def _measure_app(self, workload: Workload, sides: Sides) -> None:
        """A real sweep against ourselves, bare."""
        options, whole = self._options, workload.name == "quick"
        steps = options.app_steps if whole else options.steps
        contest = self._contest(workload, sides, "app", "app", options.app_seconds, steps, whole)
        try:
            sides.enter_app(contest, workload)
            contest.rounds(options.repeats, self._deadline())
        finally:
            contest.close()

    def _contest(
        self,
        workload: Workload,
        sides: Sides,
        part: str,
        ours: str,
        seconds: float,
        steps: int | None,
        whole: bool = False,
    ) -> Contest:
        def save(results: dict[str, Any]) -> None:
            self._results["workloads"][workload.name][part] = results
            self._save()

        return Contest(
            sides.device,
            ours,
            turn_seconds=seconds,
            steps=steps,
            method="train_whole" if whole else "train",
            real_steps=workload.real_steps if part == "rivals" else None,
            end=self._end(),
            save=save,
        )

    def _save(self) -> None:
        """Write the whole file anew, so that a killed benchmark loses nothing."""
        file: Path | None = self._options.json
        if file is None:
            return
        self._results["seconds"] = time.monotonic() - self._started
        part = file.with_suffix(".part")
        part.write_text(json.dumps(self._results, indent=1, default=str) + "\n", "utf-8")
        os.replace(part, file)


if __name__ == "__main__":
    main()
