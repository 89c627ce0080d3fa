"""What is made of repeated measurements: quartiles, ratios of rounds, intervals. No torch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of a few measurements.

    Attributes:
        low, high: lower and upper quartile, by linear interpolation between the sorted values
            (the smallest is at 0, the largest at 1).
        count: of measurements.
    """

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of one value or more."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0], 1)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high, len(values))

    def to_dict(self) -> dict[str, Any]:
        """Plain values by field name."""
        return asdict(self)


def ratios(rival: Sequence[float], ours: Sequence[float]) -> list[float]:
    """Rival's seconds over ours, round by round; above 1 ours is faster.

    What is left of the longer list is not compared: a round that was not finished.
    """
    return [theirs / mine for theirs, mine in zip(rival, ours, strict=False)]


def with_warm_up(warm: float, step_seconds: Sequence[float], steps: int) -> float:
    """Seconds of a whole training: its warm-up, and `steps` steps at the median pace."""
    return warm + steps * statistics.median(step_seconds)


@dataclass(frozen=True)
class Paired:
    """The mean difference of pairs and its 95 % interval by Student's t distribution."""

    mean: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, first: Sequence[float], second: Sequence[float]) -> Paired:
        """Second less first, pair by pair.

        Raises:
            ValueError: fewer than two pairs, or lists of different lengths.
        """
        from scipy.stats import t  # scikit-learn brings it; only the accuracy needs it

        differences = [b - a for a, b in zip(first, second, strict=True)]
        count = len(differences)
        if count < 2:
            raise ValueError("an interval needs at least two pairs")
        mean = statistics.fmean(differences)
        half = t.ppf(0.975, count - 1) * statistics.stdev(differences) / math.sqrt(count)
        return cls(mean, mean - float(half), mean + float(half), count)

    def to_dict(self) -> dict[str, Any]:
        """Plain values by field name."""
        return asdict(self)
