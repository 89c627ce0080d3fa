"""Runs of one net, gathered into one point of a chart. Standard library only."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, TypeAlias

from resnet_viz.records import History, RunInfo
from resnet_viz.specs import RESIDUAL_FAMILIES

Run: TypeAlias = tuple[RunInfo, History]
Runs: TypeAlias = Sequence[Run]

# What may differ between the runs of one line of a chart: its depth axis, what is averaged
# (seed), what is chosen from (lr), and what the depth may decide: the warm-up, and the growth rate
# at which a DenseNet is as large as another net of its depth.
_WITHIN_A_LINE = {"family", "depth", "seed", "lr", "warmup_error", "growth_rate"}


@dataclass(frozen=True)
class Point:
    """One net's error: the mean over the seeds of its best learning rate.

    Attributes:
        family, depth: the net.
        variant: in what its line differs from the others of its family, or "".
        mean: fraction.
        std: sample standard deviation over the seeds (n - 1), None for one seed.
        n: seeds in the mean.
        lr: learning rate of these runs.
        rates: learning rates tried, of which it is the best; those that diverged count.
        step: steps taken when the error was measured, the least of the seeds.
        finished: every run in the mean has ended as planned.
        batch_size: images a step.
    """

    family: str
    depth: int
    variant: str
    mean: float
    std: float | None
    n: int
    lr: float
    rates: int
    step: int
    finished: bool
    batch_size: int

    @property
    def name(self) -> str:
        """Family and depth, as `NetSpec.name`."""
        return f"{self.family}-{self.depth}"

    @property
    def title(self) -> str:
        """Its name, and in what its line differs: "resnet-56 (shortcut C)"."""
        return f"{self.name} ({self.variant})" if self.variant else self.name


@dataclass(frozen=True)
class _Measured:
    """One run with its error in the column asked for, and what its rate is judged by."""

    info: RunInfo
    step: int
    error: float
    training_error: float


def aggregate(runs: Runs, column: str, step: int | None = None) -> list[Point]:
    """One point a net: mean and spread over seeds, at the best of its learning rates.

    The best rate is the one with the lowest mean running error whatever the column, so that
    a net is the same in every view and no rate is chosen by its test error. Diverged runs
    and runs without a value are left out.

    Args:
        runs: any runs, of one sweep or of several.
        column: "running_error", "train_error", "val_error" or "test_error".
        step: take each run's last value at or before this step; None for its last.

    Returns:
        Points in order of family (as they first appear), variant and depth.
    """
    labels = variants(runs)
    groups: dict[tuple[str, str], dict[int, dict[float, list[_Measured]]]] = {}
    for run in runs:
        info, measured = run[0], _measure(run, column, step)
        net, lr = info.spec.net, info.spec.train.lr
        if measured is not None or info.status == "diverged":
            line = groups.setdefault((net.family, labels[info.id]), {})
            tried = line.setdefault(net.depth, defaultdict(list))[lr]
            tried += [measured] if measured else []
    families = list(dict.fromkeys(family for family, _ in groups))
    return [
        _point(depth, variant, by_rate)
        for (_, variant), line in sorted(
            groups.items(), key=lambda item: (families.index(item[0][0]), item[0][1])
        )
        for depth, by_rate in sorted(line.items())
        if any(by_rate.values())
    ]


def _point(depth: int, variant: str, by_rate: dict[float, list[_Measured]]) -> Point:
    rates = [rate for rate, measured in by_rate.items() if measured]
    lr = min(rates, key=lambda rate: (fmean(m.training_error for m in by_rate[rate]), rate))
    best = by_rate[lr]
    seeds: dict[int, list[float]] = defaultdict(list)
    for m in best:
        seeds[m.info.spec.train.seed].append(m.error)
    errors = [fmean(of_seed) for of_seed in seeds.values()]
    return Point(
        family=best[0].info.spec.net.family,
        depth=depth,
        variant=variant,
        mean=fmean(errors),
        std=stdev(errors) if len(errors) > 1 else None,
        n=len(errors),
        lr=lr,
        rates=len(by_rate),
        step=min(m.step for m in best),
        finished=all(m.info.status == "done" for m in best),
        batch_size=best[0].info.spec.train.batch_size,
    )


def _measure(run: Run, column: str, step: int | None) -> _Measured | None:
    info, _ = run
    if info.status == "diverged":
        return None
    found = value_at(run, column, step)
    if found is None:
        return None
    training = value_at(run, "running_error", step)
    return _Measured(info, *found, training_error=training[1] if training else found[1])


def value_at(run: Run, column: str, step: int | None = None) -> tuple[int, float] | None:
    """The step and value of a run's last record at or before `step` (None: of all).

    A run that came without its records answers with the latest value that it carries.
    """
    info, history = run
    steps = history.steps.get(column)
    if steps:
        count = len(steps) if step is None else bisect_right(steps, step)
        return (steps[count - 1], history.values[column][count - 1]) if count else None
    latest: float | None = getattr(info, column)
    if latest is None or (step is not None and info.step > step):
        return None
    return info.step, latest


def variants(runs: Runs) -> dict[int, str]:
    """Run id to what sets it apart from other runs: "" or "width 16, steps 600".

    Runs of several sweeps are set apart by their sweep, too: the same recipe and seed in two
    of them is not two seeds, and their learning rates were not chosen from one another.
    """
    names = differing(runs)
    labels = {}
    for info, _ in runs:
        fields = _recipe(info)
        labels[info.id] = ", ".join(f"{name} {fields[name]}" for name in names if name in fields)
    return labels


def differing(runs: Runs) -> list[str]:
    """Fields in which the runs differ, other than those that a line of a chart may hold.

    Of the nets, in which those of one family do: each family may have a width of its own.
    """
    values: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for info, _ in runs:
        net = info.spec.net
        for name, value in _recipe(info).items():
            values[name][net.family if hasattr(net, name) else ""].add(repr(value))
    return [
        name
        for name, groups in values.items()
        if name == "start" or any(len(group) > 1 for group in groups.values())
    ]


def _recipe(info: RunInfo) -> dict[str, Any]:
    spec = info.spec
    net = {name: value for name, value in vars(spec.net).items() if spec.net.uses(name)}
    if spec.net.family not in RESIDUAL_FAMILIES:
        del net["init"]  # most of the choices are for residual nets, and a sweep leaves others out
    fields = {"sweep": info.sweep_id, **net, **vars(spec.data), **vars(spec.train)}
    fields["data"] = fields.pop("name")
    if spec.start is not None:  # trained weights: no other seed of a net from random ones
        fields["start"] = spec.start[:8]
    return {name: value for name, value in fields.items() if name not in _WITHIN_A_LINE}
