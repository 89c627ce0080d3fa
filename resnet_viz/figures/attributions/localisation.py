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

_LEFT, _RIGHT = [0.0, 0.57], [0.63, 1.0]  # widths of the two panels
_TOP, _BOTTOM, _NET, _GAP = 56, 128, 26, 14  # pixels: of a net in a method's row, between rows


def localisation(measured: Sequence[Localised]) -> go.Figure:
    """On the left, share of the absolute attribution on the object, one dot an image; on the
    right, how often the strongest pixel lies on it. A row a method. The dashed line is what chance
    gives: the object's share. The figure needs the height that it has, `layout.height`.

    Args:
        measured: a method of a net at most once.
    """
    labels = card_labels([m.card for m in measured])
    titles = method_titles(measured)
    names = list(dict.fromkeys(m.found.method for m in measured))
    titles = {name: title.replace(" (", "<br>(") for name, title in titles.items()}
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
        "orientation": "h",
        "x": [share for _title, share in shares],
        "y": [title for title, _share in shares],
        "boxmean": True,
        "boxpoints": "all",
        "jitter": 0.6,
        "pointpos": 0,
        "line": {"color": shade, "width": 1.5},
        "fillcolor": "rgba(0,0,0,0)",
        "marker": {"color": shade, "symbol": look.symbol, "size": 4, "opacity": 0.35},
        "hovertemplate": f"<b>{label}</b>, %{{y}}<br>"
        + _("{share} % on the object").format(share="%{x:.0f}")
        + "<extra></extra>",
    }
    intervals = [wilson(sum(f.hits), len(f.hits)) for _title, f in found]
    hits = [100 * fmean(f.hits) for _title, f in found]
    bar = {
        "type": "bar",
        "uid": f"{identifier(label)}-hits",
        **shared,
        "showlegend": False,
        "orientation": "h",
        "xaxis": "x2",
        "yaxis": "y2",
        "x": hits,
        "y": [title for title, _f in found],
        "marker": {"color": shade, "pattern": {"shape": LOOKS[card.net.family].pattern}},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [100 * high - x for (_l, high), x in zip(intervals, hits, strict=True)],
            "arrayminus": [x - 100 * low for (low, _h), x in zip(intervals, hits, strict=True)],
            "color": NEUTRAL,
            "thickness": 1.5,
        },
        "text": [
            _("{n} of {total}").format(n=sum(f.hits), total=len(f.hits)) for _title, f in found
        ],
        "textposition": "none",
        "hovertemplate": f"<b>{label}</b>, %{{y}}<br>"
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
    made = layout(_("attribution on the object (%)"), "", small_print=_small_print(measured))
    other = layout(
        _("strongest pixel on it (% of images)"), "", small_print=[_("with the 95 % interval")]
    )
    percent = {"range": [0, 100], "rangemode": "normal"}
    rows = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(order),
        "range": [len(order) - 0.5, -0.5],  # from the top
        "rangemode": "normal",
    }
    made["xaxis"] |= {"domain": _LEFT, **percent}
    made["xaxis2"] = other["xaxis"] | {"domain": _RIGHT, "anchor": "y2", **percent}
    made["yaxis"] |= rows
    made["yaxis2"] = rows | {"anchor": "x2", "matches": "y", "showticklabels": False}
    nets = len({m.card for m in measured})
    height = _TOP + _BOTTOM + max(1, len(order)) * (max(1, nets) * _NET + _GAP)
    made["margin"] |= {"t": _TOP, "b": _BOTTOM}
    made |= {"boxmode": "group", "barmode": "group", "bargap": 0.25, "boxgap": 0.25}
    return made | {"height": height} | _chance_marks(chance(measured))


def _chance_marks(level: float) -> dict[str, Any]:
    """Layout: a line through each panel at what chance gives, with its number on top."""
    if not math.isfinite(level):
        return {}
    x = 100 * level
    marks = [(f"x{axis}", f"y{axis} domain") for axis in ("", "2")]
    shapes = [
        {
            "type": "line",
            "xref": x_axis,
            "yref": y_axis,
            "x0": x,
            "x1": x,
            "y0": 0,
            "y1": 1,
            "line": {"color": NEUTRAL, "width": 1.5, "dash": "6px,4px"},
        }
        for x_axis, y_axis in marks
    ]
    notes = [
        {
            "text": _("chance: {share:.0f} %").format(share=x),
            "xref": x_axis,
            "yref": y_axis,
            "x": x,
            "y": 1,
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": 12},
        }
        for x_axis, y_axis in marks
    ]
    return {"shapes": shapes, "annotations": notes}


def _small_print(measured: Sequence[Localised]) -> list[str]:
    if not measured:
        return [_("no measurements yet")]
    images = sorted({len(m.found.inside) for m in measured})
    text = _("{n} test images of the drawn shapes, a dot each")
    lines = [text.format(n=", ".join(map(str, images)))]
    lines.append(_("boxes: quartiles and median; mean dashed"))
    empty = sum(not math.isfinite(s) for m in measured for s in m.found.inside)
    if empty:
        total = sum(len(m.found.inside) for m in measured)
        left_out = _("no dot for {n} of {total} maps, which are zero everywhere")
        lines.append(left_out.format(n=empty, total=total))
    return lines
