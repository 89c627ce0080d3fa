"""Whether speed is bought with the result: final test errors, ours and plain float32, seed by seed.

python -m benchmarks.accuracy --device auto --steps N [--folder FOLDER] [--json FILE]

Eight seeds of resnet-20, trained to the end twice: by `train_many` in the number format and memory
layout that the program measures to be the fastest here, and step by step (`Training.advance`) in
float32, contiguous. Both start from the same weights. Printed is the mean paired difference of the
final test error with its 95 % interval by Student's t, and whether it holds zero.

With `--folder` (CIFAR-10 as an image folder) the net and the recipe are He et al. 2015's at
`--steps` steps; without, the net is half as wide and learns drawn shapes of 16×16 pixels, which
takes minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.browser import temporary_home
from benchmarks.contest import say
from benchmarks.ratios import Paired
from benchmarks.rivals.child import PATIENCE_SECONDS, Child
from benchmarks.workloads import SEEDS, data_of
from resnet_viz.nets.costs import Machine
from resnet_viz.runs.lanes import available_cores, deal_lanes
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec

TRAINERS = "benchmarks.rivals.finals:Finals"
EAGER_PROCESSES = 8  # side by side on an accelerator, which one eager net does not fill


def runs_of(folder: Path | None, steps: int | None, seeds: int) -> list[RunSpec]:
    """The same net and recipe with every seed."""
    if folder is not None:
        recipe = TrainSpec(steps=steps or 2000, batch_size=128, lr=0.1, schedule="step")
        run = RunSpec(NetSpec("resnet", 20), data_of(folder), recipe)
    else:
        recipe = TrainSpec(steps=steps or 400, batch_size=64, lr=0.1, warmup_steps=20)
        data = DataSpec("shapes", image_size=16, crop_padding=2, flip=True)
        run = RunSpec(NetSpec("resnet", 20, width=8), data, recipe)
    return [replace(run, train=replace(run.train, seed=seed)) for seed in range(seeds)]


def train(
    runs: Sequence[RunSpec], machine: dict[str, Any], processes: int, *, eager: bool, threads: int
) -> list[float]:
    """Final test errors in the order of the runs, from so many processes side by side."""
    lanes = deal_lanes([1.0] * len(runs), min(processes, len(runs)))
    children = []
    for lane in sorted(set(lanes)):
        mine = [run for run, place in zip(runs, lanes, strict=True) if place == lane]
        arguments = {"runs": mine, "machine": machine, "eager": eager, "threads": threads}
        children.append(Child(TRAINERS, **arguments))
    try:
        for child in children:
            child.wait_ready()
            child.send("train")
        found = [child.receive(100 * PATIENCE_SECONDS) for child in children]
    finally:
        for child in children:
            child.close()
    queues = {lane: iter(errors) for lane, errors in zip(sorted(set(lanes)), found, strict=True)}
    return [next(queues[lane]) for lane in lanes]


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Both trainings, and what they differ by."""
    look = Child("benchmarks.rivals.devices:Look", device=options.device, threads=available_cores())
    try:
        found = look.call("look")
        runs = runs_of(options.folder, options.steps, options.seeds)
        look.call("load", [runs[0].data])
    finally:
        look.close()
    device, fast = found["device"], found["machine"]
    plain = replace(Machine.from_dict(fast), dtype="float32", channels_last=False).to_dict()
    on_cpu = device == "cpu"
    results: dict[str, Any] = {
        "started": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "machine": found,
        "run": runs[0].to_dict(),
        "note": note(fast),
    }
    for name, machine, processes, eager in (
        ("ours", fast, available_cores() if on_cpu else 1, False),
        ("float32", plain, available_cores() if on_cpu else EAGER_PROCESSES, True),
    ):
        start = time.perf_counter()
        results[name] = train(runs, machine, processes, eager=eager, threads=1)
        results[f"{name}_seconds"] = time.perf_counter() - start
        shown = " ".join(f"{100 * error:.2f}" for error in results[name])
        say(f"{name}: {shown} % in {results[f'{name}_seconds']:.0f} s")
    paired = Paired.of(results["float32"], results["ours"])
    results["difference"] = paired.to_dict()
    results["holds_zero"] = paired.low <= 0 <= paired.high
    return results


def note(machine: dict[str, Any]) -> str:
    """What the comparison is about on this device."""
    if machine["dtype"] != "float32":
        return f"ours trains in {machine['dtype']}"
    if not machine["channels_last"]:
        return "ours trains in float32 and contiguous here, too: the two are to be the same"
    return (
        "ours trains in float32 here, too: the difference is that of memory layout and kernels "
        "alone, not of the number format"
    )


def main() -> None:
    """Train, print and write; the exit status is 1 if the interval does not hold zero."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--steps", type=int, help="of every run; else 400, of a folder 2000")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with temporary_home() as home:
        os.environ["RESNET_VIZ_HOME"] = str(home)
        results = compare(options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1, default=str) + "\n", "utf-8")
    low, mean, high = (100 * results["difference"][key] for key in ("low", "mean", "high"))
    print(f"{results['machine']['device_name']}; {results['note']}.")
    print(
        f"Final test error, ours less float32, mean of {options.seeds} pairs: {mean:+.2f} points, "
        f"95 % interval {low:+.2f} to {high:+.2f}: "
        f"{'holds' if results['holds_zero'] else 'does not hold'} zero."
    )
    raise SystemExit(not results["holds_zero"])


if __name__ == "__main__":
    main()
