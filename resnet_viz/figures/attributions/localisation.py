"""How well methods find the object whose place is known, over many images, net beside net."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.attributions.lines import Localised, card_labels, shades
from resnet_viz.figures.palette import LOOKS, NEUTRAL
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.inside import Localisation
from resnet_viz.methods import methods
from resnet_viz.sources import NetCard

_UPPER, _LOWER = [0.45, 1.0], [0.0, 0.36]  # heights of the two panels
_PATTERNS = {"plain": "", "resnet": "/", "preact": "x"}


def localisation(measured: Sequence[Localised]) -> go.Figure:
    """Above, share of the absolute attribution on the object, one dot an image; below, how often
    the strongest pixel lies on it. The dashed line is what chance gives: the object's share.

    Args:
        measured: a method of a net at most once.
    """
    labels = card_labels([m.card for m in measured])
    titles = method_titles(measured)
    names = list(dict.fromkeys(m.found.method for m in measured))
    order = [titles[name] for name in names]
    figure = go.Figure()
    for (card, label), shade in zip(
        labels.items(), shades([card.net.family for card in labels]), strict=True
    ):
        mine = {m.found.method: m.found for m in measured if m.card == card}
        found = [(titles[name], mine[name]) for name in names if name in mine]
        figure.add_traces(_net_traces(card, label, shade, found))
    figure.update_layout(_layout(measured, order))
    return figure


def _net_traces(
    card: NetCard, label: str, shade: str, found: Sequence[tuple[str, Localisation]]
) -> list[dict[str, Any]]:
    look = LOOKS[card.net.family]
    shared = {
        "name": label,
        "legendgroup": label,
        "offsetgroup": label,
        "alignmentgroup": "nets",
    }
    shares = [(title, 100 * s) for title, f in found for s in f.inside if math.isfinite(s)]
    box = {
        "type": "box",
        "uid": f"{identifier(label)}-inside",
        **shared,
        "x": [title for title, _share in shares],
        "y": [share for _title, share in shares],
        "boxmean": True,
        "boxpoints": "all",
        "jitter": 0.6,
        "pointpos": 0,
        "line": {"color": shade, "width": 1.5},
        "fillcolor": "rgba(0,0,0,0)",
        "marker": {"color": shade, "symbol": look.symbol, "size": 4, "opacity": 0.35},
        "hovertemplate": f"<b>{label}</b>, %{{x}}<br>"
        + _("{share} % on the object").format(share="%{y:.0f}")
        + "<extra></extra>",
    }
    intervals = [wilson(sum(f.hits), len(f.hits)) for _title, f in found]
    hits = [100 * fmean(f.hits) for _title, f in found]
    bar = {
        "type": "bar",
        "uid": f"{identifier(label)}-hits",
        **shared,
        "showlegend": False,
        "yaxis": "y2",
        "x": [title for title, _f in found],
        "y": hits,
        "marker": {"color": shade, "pattern": {"shape": _PATTERNS[card.net.family]}},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [100 * high - y for (_l, high), y in zip(intervals, hits, strict=True)],
            "arrayminus": [y - 100 * low for (low, _h), y in zip(intervals, hits, strict=True)],
            "color": NEUTRAL,
            "thickness": 1.5,
        },
        "text": [
            _("{n} of {total}").format(n=sum(f.hits), total=len(f.hits)) for _title, f in found
        ],
        "textposition": "none",
        "hovertemplate": f"<b>{label}</b>, %{{x}}<br>"
        + _("strongest pixel on the object in {count} images").format(count="%{text}")
        + "<extra></extra>",
    }
    return [box, bar]


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    z = 1.96
    middle = (hits + z**2 / 2) / (total + z**2)
    half = z / (total + z**2) * math.sqrt(hits * (total - hits) / total + z**2 / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def chance(measured: Sequence[Localised]) -> float:
    """Mean share of the pixels that the object covers; NaN without measurements."""
    shares = [s for m in measured for s in m.found.mask_share]
    return fmean(shares) if shares else float("nan")


def method_titles(measured: Sequence[Localised]) -> dict[str, str]:
    """Titles of the methods, by name."""
    found = {m.found.method: m.card for m in measured}
    return {
        name: next(m.title for m in methods(card.net, card.image_size) if m.name == name)
        for name, card in found.items()
    }


def _layout(measured: Sequence[Localised], order: Sequence[str]) -> dict[str, Any]:
    made = layout("", _("attribution on<br>the object (%)"), small_print=_small_print(measured))
    percent = {"range": [0, 100], "rangemode": "normal"}
    made["xaxis"] |= {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(order),
        "anchor": "y2",
        "rangemode": "normal",
    }
    made["yaxis"] |= {"domain": _UPPER, **percent}
    made["yaxis2"] = {"domain": _LOWER, "title": {"text": _("strongest pixel<br>on it (%)")}}
    made["yaxis2"] |= percent
    level = 100 * chance(measured)
    if math.isfinite(level):
        made["shapes"] = [
            {
                "type": "line",
                "xref": "paper",
                "yref": axis,
                "x0": 0,
                "x1": 1,
                "y0": level,
                "y1": level,
                "line": {"color": NEUTRAL, "width": 1.5, "dash": "6px,4px"},
            }
            for axis in ("y", "y2")
        ]
        made["annotations"] = [
            {
                "text": _("chance: {share:.0f} %").format(share=level),
                "xref": "paper",
                "x": 1,
                "xanchor": "right",
                "y": level,
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"color": NEUTRAL, "size": 12},
            }
        ]
    return made | {"boxmode": "group", "barmode": "group"}


def _small_print(measured: Sequence[Localised]) -> list[str]:
    if not measured:
        return [_("no measurements yet")]
    images = sorted({len(m.found.inside) for m in measured})
    text = _("{n} test images of the drawn shapes; boxes: quartiles, median and mean (dashed)")
    lines = [text.format(n=", ".join(map(str, images))), _("bars: with the 95 % interval")]
    empty = sum(not math.isfinite(s) for m in measured for s in m.found.inside)
    if empty:
        total = sum(len(m.found.inside) for m in measured)
        left_out = _("no dot for {n} of {total} maps, which are zero everywhere")
        lines.append(left_out.format(n=empty, total=total))
    return lines
