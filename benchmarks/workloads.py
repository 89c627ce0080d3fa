"""What the training benchmark trains: the same runs for ourselves and for every rival. No torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.sweeps import PRESETS, WARMUP_DEPTH, WARMUP_ERROR

FIGURE6 = (
    *(("plain", depth) for depth in (20, 32, 44, 56)),
    *(("resnet", depth) for depth in (20, 32, 44, 56, 110)),
)
PAPER_STEPS = 64_000  # He et al. 2015, 4.2
# The quick recipe has 300 steps, of which the benchmark needs more for one turn on a GPU. With so
# many, a run still logs and probes every tenth step.
QUICK_STEPS = 10_000
SEEDS = 8
SHAPES = DataSpec("shapes", image_size=32, crop_padding=4, flip=True, val_images=500)


@dataclass(frozen=True)
class Workload:
    """Runs that are trained together.

    Attributes:
        name: on the command line.
        title: for people.
        runs: what is trained, in the order of a sweep. Turns take their first steps.
        real_steps: steps of every run in the real thing, for which warm-up is paid once.
    """

    name: str
    title: str
    runs: tuple[RunSpec, ...]
    real_steps: int

    def to_dict(self) -> dict[str, Any]:
        """What a file of results says of it."""
        return {
            "title": self.title,
            "nets": [run.net.name for run in self.runs],
            "real_steps": self.real_steps,
        }


def data_of(folder: Path | None) -> DataSpec:
    """32×32 colour images in ten classes: CIFAR-10 in an image folder, else drawn shapes.

    The time of a step does not depend on what the images show.
    """
    if folder is None:
        return SHAPES
    return replace(SHAPES, name="folder", folder=str(folder.resolve()), val_images=5000)


def workloads(folder: Path | None = None) -> dict[str, Workload]:
    """Every workload by name.

    Args:
        folder: CIFAR-10 as an image folder, or None.
    """
    data = data_of(folder)
    quick = PRESETS["quick"]
    quick = replace(quick, train=replace(quick.train, steps=QUICK_STEPS))
    nets = tuple(_paper_run(family, depth, data) for family, depth in FIGURE6)
    lone = _paper_run("resnet", 20, data)
    return {
        w.name: w
        for w in (
            Workload("quick", "quick sweep, 8 nets", tuple(quick.runs()), 300),
            Workload("figure6", "He et al. 2015, Fig. 6, 9 nets", nets, PAPER_STEPS),
            Workload("resnet-20", "resnet-20 alone", (lone,), PAPER_STEPS),
            Workload(
                "seeds",
                f"{SEEDS} seeds of resnet-20",
                tuple(replace(lone, train=replace(lone.train, seed=s)) for s in range(SEEDS)),
                PAPER_STEPS,
            ),
        )
    }


def _paper_run(family: str, depth: int, data: DataSpec) -> RunSpec:
    """He et al. 2015, 4.2: batch 128, lr 0.1 in three steps, ResNet-110 warmed up."""
    warmup = WARMUP_ERROR if depth >= WARMUP_DEPTH else None
    train = TrainSpec(
        steps=PAPER_STEPS, batch_size=128, lr=0.1, schedule="step", warmup_error=warmup
    )
    return RunSpec(NetSpec(family, depth), data, train)
