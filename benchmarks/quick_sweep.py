"""The quick sweep from the command line, seed by seed: how long it takes, and what it shows.

python -m benchmarks.quick_sweep [--seeds 3]

Every seed is one whole command in a new data folder, the first look at the computer included.
The exit status is 1 if a seed misses a criterion.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.browser import ROOT, end_workers, temporary_home
from resnet_viz.runs.store import RunStore

SECONDS = 55.0
NETS = ("plain-56", "resnet-56", "resnet-20")


def run_sweep(home: Path, seed: int) -> tuple[float, dict[str, float]]:
    """One command; its wall time in seconds, and the running error of every net by name."""
    file = home / "sweep.json"
    command = [sys.executable, "-m", "resnet_viz", "sweep", "--preset", "quick"]
    command += ["--seed", str(seed), "--json", str(file)]
    start = time.perf_counter()
    subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "RESNET_VIZ_HOME": str(home)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - start
    end_workers(RunStore(home))
    errors = {}
    for run in json.loads(file.read_text("utf-8"))["runs"]:
        net = run["spec"]["net"]
        errors[f"{net['family']}-{net['depth']}"] = run["running_error"]
    return seconds, errors


def missed_criteria(seconds: float, errors: dict[str, float]) -> list[str]:
    """What a sweep does not show, in words; empty if all is as it should be."""
    plain, deep, shallow = (errors[net] for net in NETS)
    criteria = {
        "plain-56 errs on at least 20 %": plain >= 0.2,
        "plain-56 errs at least 5 times as often as resnet-56": plain >= 5 * deep,
        "resnet-56 errs at most 2 points more often than resnet-20": deep <= shallow + 0.02,
        f"at most {SECONDS:.0f} s": seconds <= SECONDS,
    }
    return [text for text, holds in criteria.items() if not holds]


def main() -> None:
    """Run the seeds and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quick_sweep", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'seed':>4}  {'seconds':>7}  " + "  ".join(f"{net:>9}" for net in NETS))
    missed = []
    for seed in range(options.seeds):
        with temporary_home() as home:
            seconds, errors = run_sweep(home, seed)
        missed.append(missed_criteria(seconds, errors))
        shown = "  ".join(f"{100 * errors[net]:>7.1f} %" for net in NETS)
        print(f"{seed:>4}  {seconds:>7.1f}  {shown}  {'; '.join(missed[-1]) or 'as it should be'}")
    print(f"{missed.count([])} of {len(missed)} seeds meet every criterion")
    sys.exit(any(missed))


if __name__ == "__main__":
    main()
