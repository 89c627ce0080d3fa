import tomllib
from pathlib import Path

import pytest

from resnet_viz.figures.palette import LOOKS, NEUTRAL, colour
from resnet_viz.specs import FAMILIES

THEME = tomllib.loads(
    (Path(__file__).parents[2] / ".streamlit/config.toml").read_text(encoding="utf-8")
)["theme"]
DEPTHS = (8, 20, 32, 44, 56, 110)


def luminance(shade):
    """WCAG 2.1, relative luminance."""
    channels = [int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """WCAG 2.1, contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_net_stands_out_from_both_pages(family, theme):
    for depth in DEPTHS:
        assert contrast(colour(family, depth, DEPTHS), THEME[theme]["backgroundColor"]) >= 3
    assert contrast(NEUTRAL, THEME[theme]["backgroundColor"]) >= 3


@pytest.mark.parametrize("family", FAMILIES)
def test_deeper_is_darker_whatever_the_order_of_the_depths(family):
    shades = [luminance(colour(family, d, DEPTHS[::-1])) for d in DEPTHS]
    assert shades == sorted(shades, reverse=True)
    assert len(set(shades)) == len(DEPTHS)


def test_a_single_depth_has_the_deepest_shade():
    assert colour("plain", 20, [20]) == LOOKS["plain"].shades[-1]


def test_colour_is_not_the_only_difference_between_families():
    assert set(LOOKS) == set(FAMILIES)
    assert len({look.dash for look in LOOKS.values()}) == len(LOOKS)
    assert len({look.symbol for look in LOOKS.values()}) == len(LOOKS)
    assert len({look.pattern for look in LOOKS.values()}) == len(LOOKS)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("surface", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_and_links_are_readable(theme, surface):
    for name in ("textColor", "linkColor"):
        assert contrast(THEME[theme][name], THEME[theme][surface]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_white_labels_are_readable_on_buttons(theme):
    assert contrast(THEME[theme]["primaryColor"], "#ffffff") >= 4.5
