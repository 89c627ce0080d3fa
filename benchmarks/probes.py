"""What the profiles of a training cost: the same net with and without, side by side.

python -m benchmarks.probes [--rounds 30] [--dtype bfloat16]

Both trainings go step by step in turn on one thread, as a worker trains a sweep; one of them
measures every tenth step layer by layer, as it does by default. A round is ten steps of each; its
cost is the ratio of their processor times. The exit status is 1 if the median of a net's rounds
is above the aim.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import torch

from resnet_viz.nets.costs import Machine
from resnet_viz.records import PROBE_EVERY
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.training.machine import measure_machine
from resnet_viz.training.training import Training

AIM = 0.02
# net, image size in pixels, batch
CASES = (
    (NetSpec("resnet", 20, width=8), 16, 64),
    (NetSpec("plain", 56, width=8), 16, 64),
    (NetSpec("resnet", 20, width=16), 32, 128),
)


def step_seconds(training: Training) -> float:
    """Processor time of one step."""
    start = time.process_time()
    training.advance()
    return time.process_time() - start


def measure_costs(
    net: NetSpec, size: int, batch: int, machine: Machine, rounds: int
) -> list[float]:
    """Extra share of the processor time, one a round."""
    steps = 10_000  # of which 500 go by before the first evaluation
    data = DataSpec("digits", image_size=size)
    spec = RunSpec(net, data, TrainSpec(steps=steps, batch_size=batch))
    probed, bare = (
        Training(spec, device="cpu", threads=1, machine=machine, probe_every=every)
        for every in (PROBE_EVERY, 0)
    )
    costs = []
    for _ in range(1 + rounds):
        seconds = {probed: 0.0, bare: 0.0}
        for i in range(PROBE_EVERY):
            for training in (probed, bare) if i % 2 else (bare, probed):
                seconds[training] += step_seconds(training)
        costs.append(seconds[probed] / seconds[bare] - 1)
    return costs[1:]  # in the first everything is new


def main() -> None:
    """Measure every net and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, choices=range(2, 49), metavar="2..48")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), help="else the faster one")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.dtype:
        machine = Machine("cpu", options.dtype, True, 0, 0, 0, 0)
    else:
        machine = measure_machine("cpu")
    print(f"{machine.dtype}, a profile every {PROBE_EVERY} steps, {options.rounds} rounds")
    print(
        f"{'net':>10}  {'width':>5}  {'pixels':>6}  {'quartile':>8}  {'median':>8}  {'quartile':>8}"
    )
    medians = []
    for net, size, batch in CASES:
        costs = measure_costs(net, size, batch, machine, options.rounds)
        low, median, high = statistics.quantiles(costs, n=4)
        medians.append(median)
        shown = "  ".join(f"{100 * cost:>6.2f} %" for cost in (low, median, high))
        print(f"{net.name:>10}  {net.width:>5}  {size:>6}  {shown}", flush=True)
    print(f"aim: a median of at most {100 * AIM:.0f} %")
    sys.exit(any(median > AIM for median in medians))


if __name__ == "__main__":
    main()
