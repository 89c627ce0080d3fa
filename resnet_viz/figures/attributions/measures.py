"""What is measured of attribution maps alone, without their net. Numpy only.

A map is float32 (channels, S, S), or (1, S, S) with one value a pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def rank_correlation(values: Floats, other: Floats) -> float:
    """Spearman's correlation between two maps of one image, as in Adebayo et al. 2018 (4.1).

    Of the absolute values, summed over channels; equal values share their mean rank. NaN where
    one of the maps has the same value everywhere.

    Args:
        values, other: of equal height and width.

    Returns:
        1 for the same order of the pixels, 0 for none in common, -1 for the opposite order.
    """
    ranks, other_ranks = (_ranks(np.abs(m.astype(np.float64)).sum(0)) for m in (values, other))
    ranks -= ranks.mean()
    other_ranks -= other_ranks.mean()
    norms = float(np.linalg.norm(ranks) * np.linalg.norm(other_ranks))
    return float(ranks @ other_ranks) / norms if norms else float("nan")


def _ranks(values: Floats) -> NDArray[np.float64]:
    _values, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    return (below + (counts - 1) / 2)[places.ravel()]


def relative_change(values: Floats, other: Floats) -> float:
    """L2 norm of the change from one map to the other, over the norm of the first.

    Over 1 where that is zero, as captum's `sensitivity_max` has it.
    """
    norm = float(np.linalg.norm(values))
    return float(np.linalg.norm(other - values)) / (norm or 1.0)


def share_inside(values: Floats, mask: NDArray[np.bool_]) -> float:
    """Share of the absolute attribution that lies on the mask; NaN for a map of zeros.

    Args:
        mask: (S, S).
    """
    strength = np.abs(values.astype(np.float64)).sum(0)
    return float(strength[mask].sum() / strength.sum()) if strength.any() else float("nan")


def strongest_inside(values: Floats, mask: NDArray[np.bool_]) -> bool:
    """Whether the pixel with the highest value, summed over channels, lies on the mask.

    The pointing game (Zhang et al. 2016, arXiv:1608.00507). A map with one value everywhere
    points nowhere.

    Args:
        mask: (S, S).
    """
    strength = values.sum(0)
    return bool(strength.min() < strength.max() and mask.flat[strength.argmax()])
