"""Runs with curves that the tests choose."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from resnet_viz.records import History, Profile, RunInfo
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
    net: Mapping[str, Any] = MappingProxyType({}),
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
        NetSpec(family, depth, width=width, **net),
        DataSpec(data, image_size=16),
        TrainSpec(steps=steps, lr=lr, seed=seed),
    )
    return RunInfo(next(_ids), sweep, spec, status, step=upto, **info), history  # type: ignore[arg-type]


def profiled(
    family: str = "plain",
    depth: int = 8,
    *,
    steps: Iterable[int] = (1, 11, 21),
    planned: int | None = None,
    growth: float = 1.0,
    ratio: float = 1.0,
    image_size: int | None = 16,
    lr: float = 0.1,
    seed: int = 0,
    status: str = "done",
    sweep: str = "sweep",
    **fixed: Sequence[float],
) -> tuple[RunInfo, list[Profile]]:
    """A run with a profile at each of `steps`.

    Every value is `growth` times that of the profile before; gradients fall geometrically from
    the first convolution to the last, so that the first is `ratio` times the last. A column
    named in `fixed` holds just these values at every step.
    """
    steps = list(steps)
    net = NetSpec(family, depth, width=8)
    layers, blocks = depth, sum(net.stage_blocks)
    shapes: dict[str, list[float]] = {
        "gradient_norm": [ratio ** (1 - n / (layers - 2)) for n in range(layers)],
        "weight_norm": [2.0 + n for n in range(layers)],
        "update_ratio": [0.01 + n / 1000 for n in range(layers)],
        "response_std": [1.0 - n / (2 * blocks) for n in range(blocks)],
        "input_norm": [10.0 + n for n in range(blocks)],
        "branch_norm": [5.0 + n for n in range(blocks)],
        "sum_norm": [12.0 + n for n in range(blocks)],
    }
    if family == "plain":
        del shapes["sum_norm"]
    profiles = []
    for number, step in enumerate(steps):
        values = {c: tuple(v * growth**number for v in shape) for c, shape in shapes.items()}
        if growth != 1:  # a quotient would not change with time
            values["branch_norm"] = tuple(v * growth**number for v in values["branch_norm"])
        profiles.append(Profile(step, values | {c: tuple(v) for c, v in fixed.items()}))
    train = TrainSpec(steps=planned or max(steps, default=300), lr=lr, seed=seed)
    spec = RunSpec(net, DataSpec("digits", image_size=image_size), train)
    return RunInfo(next(_ids), sweep, spec, status, step=max(steps, default=0)), profiles
