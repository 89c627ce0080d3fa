"""What only a GPU can show, in one command: the engine's steps, and figure 6 of He et al. 2015.

python -m benchmarks.gpu --out FOLDER [--folder CIFAR] [--seconds 400]

First the milliseconds of a round of steps (each net once), of the nets alone and side by side,
started one by one and as captured graphs. Then the nine nets of the figure, with as many
iterations as fit into the time that is left; their records and last checkpoints are written.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from resnet_viz.nets.costs import Machine
from resnet_viz.records import Profile
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.sweeps import WARMUP_ERROR
from resnet_viz.training.graphed import GraphedTraining
from resnet_viz.training.loop import train_many
from resnet_viz.training.training import Training

NETS = (
    *(NetSpec("plain", depth) for depth in (20, 32, 44, 56)),
    *(NetSpec("resnet", depth) for depth in (20, 32, 44, 56, 110)),
)
BFLOAT16 = Machine("cuda", "bfloat16", True, 0, 0, 0, 0)
FLOAT32 = Machine("cuda", "float32", True, 0, 0, 0, 0)
ROUNDS = 60
SPARE_SECONDS = 25.0  # for evaluations and files


def run_of(net: NetSpec, data: DataSpec, steps: int, seed: int = 0) -> RunSpec:
    """A run with the paper's recipe (He et al. 2015, 4.2), its schedule scaled to `steps`."""
    warmup = WARMUP_ERROR if net.depth >= 110 else None
    train = TrainSpec(
        steps=steps, batch_size=128, lr=0.1, schedule="step", warmup_error=warmup, seed=seed
    )
    return RunSpec(net, data, train)


def round_ms(trainings: Sequence[Training], rounds: int = ROUNDS) -> float:
    """Milliseconds of a round: one step of each training, after a warm-up."""
    for _ in range(12):
        for training in trainings:
            training.advance()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(rounds):
        for training in trainings:
            training.advance()
    torch.cuda.synchronize()
    return 1e3 * (time.perf_counter() - start) / rounds


def copy_bandwidth() -> float:
    """Bytes a second, read and written, of a large copy on the device."""
    source = torch.randint(0, 255, (1 << 31,), dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    target.copy_(source)
    start.record()
    for _ in range(5):
        target.copy_(source)
    end.record()
    end.synchronize()
    return 2 * 5 * source.numel() / (start.elapsed_time(end) / 1e3)


def timings(data: DataSpec) -> dict[str, float]:
    """Milliseconds of rounds, by what was timed."""
    found: dict[str, float] = {}

    def note(name: str, kind: type[Training], machine: Machine, nets: Sequence[NetSpec]) -> None:
        runs = [run_of(net, data, 64_000, seed) for seed, net in enumerate(nets)]
        made = [kind(run, device="cuda", machine=machine, probe_every=0) for run in runs]
        found[name] = round(round_ms(made), 3)
        print(f"{name}: {found[name]} ms", flush=True)

    small, deep = NetSpec("resnet", 20), NetSpec("resnet", 110)
    note("resnet-20 float32, one by one", Training, FLOAT32, [small])
    note("resnet-20 bfloat16, one by one", Training, BFLOAT16, [small])
    note("resnet-20 float32, graph", GraphedTraining, FLOAT32, [small])
    note("resnet-20 bfloat16, graph", GraphedTraining, BFLOAT16, [small])
    note("resnet-110 bfloat16, graph", GraphedTraining, BFLOAT16, [deep])
    for count in (2, 4, 8):
        note(f"{count} resnet-20, graphs on streams", GraphedTraining, BFLOAT16, [small] * count)
    return found


def train_figure(data: DataSpec, end: float, out: Path, most: int) -> dict[str, Any]:
    """Train the nine nets with as many iterations as fit before `end` (of `time.monotonic`)."""
    trial = [
        GraphedTraining(run_of(net, data, 64_000), device="cuda", machine=BFLOAT16) for net in NETS
    ]
    ms = round_ms(trial, 130)  # measured steps among them
    del trial
    torch.cuda.empty_cache()
    left = end - time.monotonic() - SPARE_SECONDS
    steps = min(most, int(left / 1.1 / (ms / 1e3)) // 1000 * 1000)
    print(f"nine nets: {ms:.2f} ms a round; {steps} iterations", flush=True)
    if steps < 1000:
        return {"round_ms": ms}
    trainings = [
        GraphedTraining(run_of(net, data, steps), device="cuda", machine=BFLOAT16) for net in NETS
    ]
    records: list[list[dict[str, Any]]] = [[] for _ in NETS]
    start, told = time.monotonic(), 0.0
    for chunk in train_many(trainings, should_stop=lambda _: time.monotonic() > end):
        if chunk.error:
            print(chunk.error, flush=True)
        records[chunk.index] += [
            {"kind": r.kind, "step": r.step, "values": dict(r.values)}
            for r in chunk.records
            if not isinstance(r, Profile)
        ]
        if time.monotonic() - told > 20:
            told = time.monotonic()
            print(f"{told - start:.0f} s: step {trainings[0].step} of {steps}", flush=True)
    seconds = time.monotonic() - start
    print(f"trained for {seconds:.0f} s", flush=True)
    runs = []
    for training, found in zip(trainings, records, strict=True):
        name = training.spec.net.name
        training.checkpoint().save(out / f"{name}.safetensors")
        last = next((r for r in reversed(found) if r["kind"] == "evaluation"), None)
        print(name, training.step, last, flush=True)
        runs.append({"spec": training.spec.to_dict(), "step": training.step, "records": found})
    return {"round_ms": ms, "seconds": seconds, "iterations": steps, "runs": runs}


def main() -> None:
    """Measure, then train for the time that is left."""
    parser = argparse.ArgumentParser("benchmarks.gpu", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the results go")
    parser.add_argument("--folder", help="CIFAR-10 as images; drawn shapes if there is none")
    parser.add_argument("--seconds", type=float, default=400, help="for everything")
    parser.add_argument("--iterations", type=int, default=64_000, help="of the nine nets, at most")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    kind = {"name": "folder", "folder": options.folder} if options.folder else {"name": "shapes"}
    data = DataSpec(**kind, crop_padding=4, flip=True, val_images=5000 if options.folder else 0)
    found: dict[str, Any] = {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "copy_bytes_per_second": copy_bandwidth(),
        "round_ms": timings(data),
    }
    (options.out / "gpu.json").write_text(json.dumps(found))
    found["figure6"] = train_figure(data, end, options.out, options.iterations)
    (options.out / "gpu.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
