"""Nets that looked at one image, as charts take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_viz.figures.palette import colour
from resnet_viz.inside import Overview
from resnet_viz.specs import NetSpec


@dataclass(frozen=True)
class Looked:
    """One net, or one checkpoint of it, that looked at the image.

    Attributes:
        net: its spec.
        label: what it is called among those shown: "resnet-20", "resnet-20 after 300 steps".
        overview: what was found in it.
        step: gradient steps behind it; None where not known.
    """

    net: NetSpec
    label: str
    overview: Overview
    step: int | None = None


def shades(looks: Sequence[Looked]) -> list[str]:
    """A colour each: the family's; the deeper the net and the longer trained, the deeper."""
    found = []
    for look in looks:
        ranks = sorted({_rank(other) for other in looks if other.net.family == look.net.family})
        found.append(colour(look.net.family, ranks.index(_rank(look)), range(len(ranks))))
    return found


def _rank(look: Looked) -> tuple[int, float]:
    return look.net.depth, float("inf") if look.step is None else look.step
