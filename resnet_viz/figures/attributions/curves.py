"""Insertion and deletion: the target's probability while pixels come or go, most important first.

Petsiuk et al. 2018, arXiv:1806.07421.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.attributions.lines import Curves, shades, symbols
from resnet_viz.figures.palette import LOOKS
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.inside import Curve

_LEFT, _RIGHT = [0.0, 0.47], [0.53, 1.0]  # widths of the two panels


def deletion_and_insertion(curves: Sequence[Curves]) -> go.Figure:
    """Deletion on the left, insertion on the right, one line a map, its areas in the legend.

    What pixels by lot give is dotted, in the colour of the map.

    Args:
        curves: of one image.
    """
    families = [c.family for c in curves]
    traces: list[dict[str, Any]] = []
    for c, shade, symbol in zip(curves, shades(families), symbols(families), strict=True):
        line = {
            "mode": "lines+markers",
            "line": {"color": shade, "dash": LOOKS[c.family].dash, "width": 2},
            "marker": {"color": shade, "symbol": symbol, "size": 6},
        }
        if c.by_lot is not None:
            look = {"color": shade, "dash": "2px,4px", "width": 1.5}
            name = _("{label}, pixels by lot").format(label=c.label)
            traces += _pair(identifier(name), name, c.by_lot, {"mode": "lines", "line": look})
        traces += _pair(identifier(c.label), c.label, (c.deletion, c.insertion), line)
    figure = go.Figure(traces)
    figure.update_layout(_layout())
    return figure


def _pair(
    uid: str, name: str, pair: tuple[Curve, Curve], look: dict[str, Any]
) -> list[dict[str, Any]]:
    deletion, insertion = pair
    text = _("{label}: areas {deletion:.2f} and {insertion:.2f}")
    name = text.format(label=name, deletion=deletion.area, insertion=insertion.area)
    hover = _("{share} % of the pixels: probability {probability} %").format(
        share="%{x:.0f}", probability="%{y:.1f}"
    )
    return [
        {
            "type": "scatter",
            "uid": f"{uid}-{curve.kind}",
            "name": name,
            "legendgroup": uid,
            "showlegend": axis == "",
            "cliponaxis": False,
            **look,
            "x": [100 * share for share in curve.share],
            "y": [100 * p for p in curve.probability],
            "xaxis": f"x{axis}",
            "yaxis": f"y{axis}",
            "hovertemplate": f"<b>{name}</b><br>{hover}<extra></extra>",
        }
        for curve, axis in ((deletion, ""), (insertion, "2"))
    ]


def _layout() -> dict[str, Any]:
    made = layout(
        _("pixels taken away (%)"),
        _("probability of the target (%)"),
        small_print=[_("replaced by the mean colour")],
    )
    other = layout(_("pixels put in (%)"), "", small_print=[_("into a blurred copy of the image")])
    percent = {"range": [0, 100], "rangemode": "normal"}
    made["xaxis"] |= {"domain": _LEFT, **percent}
    made["xaxis2"] = other["xaxis"] | {"domain": _RIGHT, **percent}
    made["yaxis"] |= percent
    made["yaxis2"] = {"anchor": "x2", "matches": "y", "showticklabels": False}
    titles = (
        (_LEFT, _("deletion: a good map falls early")),
        (_RIGHT, _("insertion: a good map rises early")),
    )
    made["annotations"] = [
        {
            "text": text,
            "x": sum(domain) / 2,
            "xanchor": "center",
            "y": 1,
            "xref": "paper",
            "yref": "paper",
            "yanchor": "bottom",
            "showarrow": False,
        }
        for domain, text in titles
    ]
    made["margin"] |= {"t": 64, "b": 150}  # the toolbar above the titles
    return made
