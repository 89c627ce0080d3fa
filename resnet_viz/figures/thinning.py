"""Fewer points for the same picture. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

MAX_POINTS = 2000  # a trace; a chart is about a thousand pixels wide


def thinned(
    x: Sequence[int], y: Sequence[float], limit: int = MAX_POINTS
) -> tuple[list[int], list[float]]:
    """The points of a curve that a picture needs: both ends, and every stretch's extremes.

    Kept points are measured ones, none is an average. A stretch is a power of two of points
    long and starts at a multiple of its length, so that a growing curve keeps the points it
    had, except the last few, until the length doubles: a live chart is sent the end only.

    Args:
        x, y: equally long; y without NaN.
        limit: at most so many points are returned; 4 or more.
    """
    count = len(x)
    if count <= limit:
        return list(x), list(y)
    length = 2
    while 2 * -(-count // length) > limit - 2:
        length *= 2
    kept = {0, count - 1}
    for start in range(0, count, length):
        stretch = y[start : start + length]
        kept.add(start + stretch.index(min(stretch)))
        kept.add(start + stretch.index(max(stretch)))
    order = sorted(kept)
    return [x[i] for i in order], [y[i] for i in order]
