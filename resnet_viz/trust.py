"""How far a map can be trusted, measured: the numbers behind it. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Infidelity:
    """How far a map is from telling what covering a part of the image does to the logit.

    Random squares are covered with the mean colour (Yeh et al. 2019, arXiv:1901.09392, "square
    removal"); the map's sum under a square is held against the fall of the target's logit.

    Attributes:
        value: mean of (sum under the square − fall of the logit)².
        best: the same after the map was multiplied by the one factor that suits it best
            (captum's `normalize`), so that maps in other units than logits can be compared.
        variation: mean of (fall of the logit)²: the infidelity of a map of zeros.
        samples: squares.
    """

    value: float
    best: float
    variation: float
    samples: int

    @property
    def unexplained(self) -> float:
        """Share of the logit's changes that the map does not tell: 0 all told, 1 nothing.

        NaN where no square changed the logit.
        """
        return self.best / self.variation if self.variation else float("nan")


@dataclass(frozen=True)
class Sensitivity:
    """How much a map changes when the image changes by less than one sees.

    Attributes:
        changes: a noisy copy of the image; L2 norm of the map's change over the map's norm.
        levels: most grey levels, of 255, by which a value of the image was changed.
    """

    changes: tuple[float, ...]
    levels: int

    @property
    def largest(self) -> float:
        """The max-sensitivity (Yeh et al. 2019, arXiv:1901.09392)."""
        return max(self.changes)
