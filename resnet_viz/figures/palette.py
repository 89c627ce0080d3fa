"""How a net looks on every page: the colour is its family, the shade its depth.

The shades run from pale to deep within what stands out at 3:1 (WCAG AA for graphics) from
both the light and the dark page, so that one picture serves both. Colour is never the only
difference: families differ in dash and marker too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Look:
    """A family's shades from the shallowest net to the deepest, its line, marker and hatching."""

    shades: tuple[str, ...]
    dash: str
    symbol: str
    pattern: str


LOOKS = {
    "plain": Look(("#c98210", "#ca5904", "#c81b2c"), "solid", "circle", ""),
    "resnet": Look(("#0da0c4", "#0381d5", "#4d56dc"), "7px,3px", "square", "/"),
    "preact": Look(("#45a35a", "#049064", "#067463"), "2px,3px", "triangle-up", "x"),
    "highway": Look(("#a37ce0", "#9666d8", "#8d56d0"), "9px,3px,2px,3px", "diamond", "-"),
    "densenet": Look(("#a8895c", "#977443", "#8c653b"), "5px,2px,5px,2px,1px,2px", "cross", "."),
}
# Variants of one family share its colour: the first has its line and marker, the others these.
_OTHER_LINES = (
    ("solid", "diamond"),
    ("2px,3px", "triangle-up"),
    ("9px,3px,2px,3px", "x"),
    ("12px,4px", "star"),
    ("5px,2px,5px,2px,1px,2px", "pentagon"),
    ("4px,6px", "hexagon"),
)
NEUTRAL = "#808a97"  # published numbers and other things that are no net of ours


def line_and_marker(family: str, variant: int = 0) -> tuple[str, str]:
    """Dash and symbol of a family's variant of that number, from 0."""
    look = LOOKS[family]
    lines = ((look.dash, look.symbol), *_OTHER_LINES)
    return lines[variant % len(lines)]


def colour(family: str, depth: int, depths: Sequence[int]) -> str:
    """The colour of a net among its sweep's depths: the deeper, the darker and richer.

    Args:
        family: one of `LOOKS`.
        depth: one of `depths`.
        depths: every depth of the picture, in any order.

    Returns:
        "#rrggbb".
    """
    ranks = sorted(set(depths))
    place = ranks.index(depth) / (len(ranks) - 1) if len(ranks) > 1 else 1.0
    return _between(LOOKS[family].shades, place)


def _between(shades: Sequence[str], place: float) -> str:
    """The colour at `place`, 0..1, of a ramp of equally spaced shades."""
    position = place * (len(shades) - 1)
    first = min(int(position), len(shades) - 2)
    low, high = list(pairwise(map(_channels, shades)))[first]
    mixed = (a + (b - a) * (position - first) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{round(channel):02x}" for channel in mixed)


def _channels(shade: str) -> tuple[int, ...]:
    return tuple(int(shade[i : i + 2], 16) for i in (1, 3, 5))
