"""How what is compared is told apart: nets by their family's colour, methods by shade and marker.

No Plotly here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_viz.figures.palette import LOOKS, colour
from resnet_viz.inside import Curve, Localisation
from resnet_viz.sources import NetCard

# Of several lines of one family; the first is the family's own.
_SYMBOLS = ("diamond", "triangle-up", "x", "star", "cross", "triangle-down")


@dataclass(frozen=True)
class Curves:
    """Insertion and deletion of one map.

    Attributes:
        label: what tells the map from those beside it: its method, or its net.
        family: of its net.
        deletion, insertion: its curves.
        by_lot: deletion and insertion with its net's pixels in an order drawn by lot; None while
            that is not known.
    """

    label: str
    family: str
    deletion: Curve
    insertion: Curve
    by_lot: tuple[Curve, Curve] | None = None


@dataclass(frozen=True)
class Localised:
    """One method on one net."""

    card: NetCard
    found: Localisation


def shades(families: Sequence[str]) -> list[str]:
    """A colour for each of several lines, which are of these families: of one, pale to deep."""
    ranks = [families[:i].count(family) for i, family in enumerate(families)]
    return [
        colour(family, rank, range(families.count(family)))
        for family, rank in zip(families, ranks, strict=True)
    ]


def symbols(families: Sequence[str]) -> list[str]:
    """A marker for each of several lines, which are of these families."""
    ranks = [families[:i].count(family) for i, family in enumerate(families)]
    return [
        (LOOKS[family].symbol, *_SYMBOLS)[rank % (1 + len(_SYMBOLS))]
        for family, rank in zip(families, ranks, strict=True)
    ]


def card_labels(cards: Sequence[NetCard]) -> dict[NetCard, str]:
    """The nets' titles, with what else tells them apart: their steps, or what they are.

    In the order of their first appearance; equal cards have one label.
    """
    distinct = list(dict.fromkeys(cards))
    labels = {}
    for card in distinct:
        same = [other for other in distinct if other.title == card.title]
        steps = {other.step for other in same}
        told = len(same) > 1 and len(steps) == len(same) and card.step is not None
        number = f" ({same.index(card) + 1})" if len(same) > 1 else ""
        labels[card] = f"{card.title} @ {card.step:,}" if told else f"{card.title}{number}"
    return labels
