"""The feature reuse that comes with the program, for the first visit. No torch.

`benchmarks/feature_reuse.py` trains the net and measures it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from resnet_viz.reuse import Reuse, StageReuse
from resnet_viz.specs import RunSpec

SHIPPED = Path(__file__).parents[1] / "assets" / "reuse.json"


@dataclass(frozen=True)
class ShippedReuse:
    """What was measured, of which run, and the error that its net made on the test images."""

    run: RunSpec
    test_error: float
    reuse: Reuse


@cache
def shipped_reuse() -> ShippedReuse:
    """What comes with the program."""
    values = json.loads(SHIPPED.read_text("utf-8"))
    run = RunSpec.from_dict(values["run"])
    stages = tuple(
        StageReuse(s, tuple(map(tuple, weights))) for s, weights in enumerate(values["stages"], 1)
    )
    return ShippedReuse(run, values["test_error"], Reuse(run.net, run.train.steps, stages))


def shipped_text(run: RunSpec, test_error: float, reuse: Reuse) -> str:
    """The contents of the file that `shipped_reuse` reads; weights to four digits."""
    stages = [
        [[None if w is None else float(f"{w:.4g}") for w in row] for row in stage.weights]
        for stage in reuse.stages
    ]
    values = {"run": run.to_dict(), "test_error": test_error, "stages": stages}
    return json.dumps(values) + "\n"
