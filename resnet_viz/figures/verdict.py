"""Whether a sweep shows degradation, and how sure one can be. Standard library only.

Degradation (He et al. 2015, 1): a deeper net has a higher *training* error than a shallower
one. The rules below are this program's own:

* Nets are compared by running error at the largest step that all of them have reached.
* The deepest net of a family is compared with the best of its shallower ones.
* The difference counts when it is more than `LEAST_DIFFERENCE` and more than two standard
  errors. The variance of a net's mean is that of its seeds, but at least that of counting
  errors in a finite number of images, so that one seed has one too.
* A curve "falls" or is "flat" over the last quarter of its steps when a least-squares line
  says so beyond two standard errors, which allow for neighbours sharing most of their window.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from resnet_viz.figures.aggregate import Point, Run, Runs, aggregate, differing, value_at, variants
from resnet_viz.records import RUNNING_STEPS

COLUMN = "running_error"
LEAST_DIFFERENCE = 0.02  # two percentage points
LEAST_FALL = 0.01  # over the last quarter of the steps
COMPARABLE = {"shortcut", "order"}  # what a sweep may vary on purpose, each with its own verdict


@dataclass(frozen=True)
class Trend:
    """How a net's running error moves over the last quarter of its steps.

    Attributes:
        slope: change of the error, a fraction, per step; mean over its seeds.
        direction: "falling", "flat", "rising", or "unclear" where noise hides it.
    """

    slope: float
    direction: str


@dataclass(frozen=True)
class FamilyVerdict:
    """What the nets of one family show, or of one variant of it.

    Attributes:
        family: as `NetSpec.family`.
        shallowest, deepest: of the nets that could be compared.
        best_shallower: the net with the lowest error among those less deep than the deepest;
            None when there is only one depth.
        difference: error of the deepest minus error of `best_shallower`, a fraction.
        standard_error: of that difference.
        degradation: by the rules above; None when there is only one depth.
        trend: of the deepest net.
    """

    family: str
    shallowest: Point
    deepest: Point
    best_shallower: Point | None
    difference: float | None
    standard_error: float | None
    degradation: bool | None
    trend: Trend


@dataclass(frozen=True)
class Verdict:
    """What a sweep shows so far.

    Attributes:
        step: the step at which the nets were compared; 0 before the first measurement.
        steps: steps that were planned, the most of the runs.
        finished: every run that was compared has taken all its steps.
        families: in the order of the runs.
        seeds: least and most seeds behind the nets compared.
        rates: most learning rates from which a net had its best.
        waiting: nets that have no measurement yet; "plain-20 (1 of 3)" where others of its runs
            have one.
        diverged, cut_short: nets left out: a loss that was not finite, or stopped before half
            the steps of the others.
        mixed: fields other than depth and those of `COMPARABLE` in which the nets differ, "sweep"
            among them; then nothing is compared.
    """

    step: int
    steps: int
    finished: bool
    families: tuple[FamilyVerdict, ...]
    seeds: tuple[int, int]
    rates: int
    waiting: tuple[str, ...]
    diverged: tuple[str, ...]
    cut_short: tuple[str, ...]
    mixed: tuple[str, ...] = ()

    @property
    def too_early(self) -> bool:
        """The running error has not seen its number of steps yet."""
        return self.step < min(RUNNING_STEPS, self.steps)


def judge(runs: Runs) -> Verdict:
    """Compare the nets of a sweep, running or finished.

    Args:
        runs: of one sweep, with their records.
    """
    diverged = [run for run in runs if run[0].status == "diverged"]
    reached = {run[0].id: _reached(run) for run in runs if run[0].status != "diverged"}
    furthest = max(reached.values(), default=0)
    cut_short = [
        run
        for run in runs
        if run[0].status in ("stopped", "failed") and reached[run[0].id] < furthest / 2
    ]
    left_out = {run[0].id for run in (*diverged, *cut_short)}
    compared = [r for r in runs if r[0].id not in left_out and reached[r[0].id]]
    waiting = [r for r in runs if r[0].id not in left_out and not reached[r[0].id]]
    step = min((reached[run[0].id] for run in compared), default=0)
    tried = [*compared, *diverged]  # a rate that diverged was tried, too
    mixed = tuple(name for name in differing(tried) if name not in COMPARABLE)
    points = [] if mixed else aggregate(tried, COLUMN, step)
    labels = variants(tried)
    lines = dict.fromkeys((p.family, p.variant) for p in points)
    return Verdict(
        step=step,
        steps=max((run[0].spec.train.steps for run in compared), default=0),
        finished=bool(compared) and all(run[0].status == "done" for run in (*compared, *waiting)),
        families=tuple(
            _judge_family(
                [p for p in points if (p.family, p.variant) == line],
                [run for run in compared if labels[run[0].id] == line[1]],
                step,
            )
            for line in lines
        ),
        seeds=(min((p.n for p in points), default=0), max((p.n for p in points), default=0)),
        rates=max((p.rates for p in points), default=0),
        waiting=_names(waiting, runs),
        diverged=_names(diverged, runs),
        cut_short=_names(cut_short, runs),
        mixed=mixed,
    )


def _judge_family(points: Sequence[Point], runs: Runs, step: int) -> FamilyVerdict:
    """`points`: of one family, shallow first."""
    deepest, shallower = points[-1], points[:-1]
    best = min(shallower, key=lambda p: p.mean, default=None)
    difference = error = degradation = None
    if best is not None:
        difference = deepest.mean - best.mean
        error = math.sqrt(_variance(deepest) + _variance(best))
        degradation = difference > max(LEAST_DIFFERENCE, 2 * error)
    return FamilyVerdict(
        family=deepest.family,
        shallowest=points[0],
        deepest=deepest,
        best_shallower=best,
        difference=difference,
        standard_error=error,
        degradation=degradation,
        trend=_trend([run for run in runs if _belongs(run, deepest)], step),
    )


def _variance(point: Point) -> float:
    """Of the mean over seeds: see the rules at the top."""
    images = point.batch_size * min(point.step, RUNNING_STEPS)
    counting = point.mean * (1 - point.mean) / max(1, images)
    return max(counting, (point.std or 0.0) ** 2) / point.n


def _belongs(run: Run, point: Point) -> bool:
    spec = run[0].spec
    return spec.net.name == point.name and spec.train.lr == point.lr


def _trend(runs: Runs, step: int) -> Trend:
    """Mean slope of one net's seeds, judged against its standard error."""
    lines = [line for run in runs if (line := _line(run, step)) is not None]
    if not lines:
        return Trend(0.0, "unclear")
    slope = fmean(slope for slope, _ in lines)
    error = math.sqrt(sum(error**2 for _, error in lines)) / len(lines)
    span = step / 4
    change, noise = slope * span, 2 * error * span
    if abs(change) > max(LEAST_FALL, noise):
        return Trend(slope, "falling" if change < 0 else "rising")
    return Trend(slope, "flat" if abs(change) + noise < LEAST_FALL else "unclear")


def _line(run: Run, step: int) -> tuple[float, float] | None:
    """Least-squares slope of a running error over the quarter before `step`, and its error.

    None where the quarter is shorter than the running error's own window: nothing in it is
    independent of the rest.
    """
    _, history = run
    if step < 4 * RUNNING_STEPS:
        return None
    steps = history.steps.get(COLUMN, [])
    part = slice(bisect_right(steps, step * 3 / 4), bisect_right(steps, step))
    quarter = list(zip(steps[part], history.values.get(COLUMN, [])[part], strict=True))
    if len(quarter) < 4:
        return None
    middle, level = fmean(s for s, _ in quarter), fmean(v for _, v in quarter)
    spread = sum((s - middle) ** 2 for s, _ in quarter)
    slope = sum((s - middle) * (v - level) for s, v in quarter) / spread
    residual = sum((v - level - slope * (s - middle)) ** 2 for s, v in quarter)
    shared = max(1.0, RUNNING_STEPS * len(quarter) / (step / 4))  # records that share a window
    return slope, math.sqrt(residual / (len(quarter) - 2) * shared / spread)


def _reached(run: Run) -> int:
    found = value_at(run, COLUMN)
    return found[0] if found else 0


def _names(some: Runs, runs: Runs) -> tuple[str, ...]:
    """Names of the nets of `some` of the runs: "plain-20", or "plain-20 (1 of 3)"."""
    total = Counter(run[0].spec.net.name for run in runs)
    counts = Counter(run[0].spec.net.name for run in some)
    return tuple(
        name if count == total[name] else f"{name} ({count} of {total[name]})"
        for name, count in counts.items()
    )
