"""Hand-written curves of the nine nets of Figure 6, for tests of what is made of them."""

from __future__ import annotations

from typing import Any

from resnet_viz.reproductions import figure6, paper_split
from resnet_viz.specs import DataSpec
from resnet_viz.sweeps import SweepSpec

CIFAR10 = paper_split(DataSpec("cifar10"), train_images=50_000, image_size=32)


def spec(iterations: int = 64_000) -> SweepSpec:
    return figure6(CIFAR10, iterations=iterations)


def final_error(run: dict[str, Any]) -> float:
    """A test error of each net that no other one has, all below 20 %."""
    net = run["spec"]["net"]
    return net["depth"] / 1000 + (0.05 if net["family"] == "plain" else 0.0)


def written_runs(sweep: SweepSpec, every: int, status: str = "done") -> list[dict[str, Any]]:
    """Runs as `tables.sweep_json` gives them: a training record every so many iterations."""
    runs = []
    for spec in sweep.runs():
        run: dict[str, Any] = {"spec": spec.to_dict(full=True), "status": status}
        steps, last = sweep.train.steps, final_error(run)
        training = [
            {
                "kind": "training",
                "step": step,
                "running_error": last / 2 + 0.5 * (1 - step / steps) + 1e-5 * (step * 7919 % 997),
                "running_loss": 1.0 / step,
                "lr": 0.1,
            }
            for step in range(every, steps + 1, every)
        ]
        tested = [
            {
                "kind": "evaluation",
                "step": step,
                "test_error": last + 0.5 * (1 - step / steps),
                "val_error": last,
            }
            for step in range(steps // 20, steps + 1, steps // 20)
        ]
        speeds = [{"kind": "speed", "step": s, "seconds": s / 100} for s in (steps // 2, steps)]
        run["records"] = [*training, *tested, *speeds]
        runs.append(run)
    return runs
