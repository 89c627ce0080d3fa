"""Runs with curves that the tests choose."""

import itertools
from collections.abc import Callable, Sequence

from resnet_viz.records import History, RunInfo
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec

_ids = itertools.count(1)


def run(
    family: str = "plain",
    depth: int = 8,
    errors: Sequence[float] | Callable[[int], float] = (0.5,),
    *,
    steps: int = 300,
    upto: int | None = None,
    lr: float = 0.1,
    seed: int = 0,
    status: str = "done",
    column: str = "running_error",
    width: int = 8,
    data: str = "digits",
    sweep: str = "sweep",
    **info: object,
) -> tuple[RunInfo, History]:
    """A run with a record at every step of 1..upto: `errors` of the step, or its last value."""
    upto = steps if upto is None else upto
    value = errors if callable(errors) else lambda _step: errors[0]
    history = History({column: list(range(1, upto + 1))}, {})
    history.values[column] = [value(s) for s in history.steps[column]]
    if not upto:
        history = History()
    spec = RunSpec(
        NetSpec(family, depth, width=width),
        DataSpec(data, image_size=16),
        TrainSpec(steps=steps, lr=lr, seed=seed),
    )
    return RunInfo(next(_ids), sweep, spec, status, step=upto, **info), history  # type: ignore[arg-type]
