"""A long attribution in shares that add up. No torch: the server adds what was computed apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Share:
    """One of `of` parts of the steps, samples, windows or regions that a method goes through.

    Attributes:
        number: from 0.
        of: how many parts there are.
    """

    number: int
    of: int

    def part(self, units: int) -> range:
        """Its own among `units`; shares of one whole differ by one at most."""
        return range(units * self.number // self.of, units * (self.number + 1) // self.of)


WHOLE = Share(0, 1)


def count_windows(side: int, window: int, stride: int) -> int:
    """Windows that cover a square image; the last of a row may reach over its edge."""
    return (math.ceil((side - window) / stride) + 1) ** 2


def add(parts: Sequence[Mapping[str, NDArray[np.float32]]]) -> dict[str, NDArray[np.float32]]:
    """The sums of arrays of one name, which are the same in every part."""
    return {name: np.sum([part[name] for part in parts], axis=0) for name in parts[0]}


def finish(sums: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """The method's result out of the sum of all shares.

    Args:
        sums: "values", and "coarse" where there is a layer's map; of VarGrad "mean" and
            "mean_square" of the gradient, of which the variance is made here.
    """
    if "mean_square" not in sums:
        return dict(sums)
    return {"values": sums["mean_square"] - sums["mean"] ** 2}
