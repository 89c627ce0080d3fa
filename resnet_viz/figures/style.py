"""What every figure of the program has in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

_CLEAR = "rgba(0,0,0,0)"
_GRID = "rgba(128,138,151,0.25)"  # shows on white and on near-black
_AXIS = {"gridcolor": _GRID, "linecolor": _GRID, "zerolinecolor": _GRID, "automargin": True}

TEMPLATE = go.layout.Template(
    layout={
        "paper_bgcolor": _CLEAR,
        "plot_bgcolor": _CLEAR,
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {"align": "left"},
    }
)


def layout(
    x_title: str, y_title: str, *, small_print: Sequence[str] = (), view: str = ""
) -> dict[str, Any]:
    """Layout of a chart with two axes.

    Args:
        x_title, y_title: what the axes show, with units.
        small_print: lines under the title of the x axis: what is averaged over what.
        view: what is looked at; a live chart keeps a person's zoom until this or a title changes.
    """
    lines = (f'<span style="font-size: 12px">{line}</span>' for line in small_print)
    return {
        "template": TEMPLATE,
        # Enough below for the title, the small print and three rows of legend, so that charts
        # side by side are equally high.
        "margin": {"l": 56, "r": 12, "t": 36, "b": 128},
        "xaxis": {
            "title": {"text": "<br>".join([x_title, *lines]), "standoff": 8},
            "rangemode": "tozero",
            "ticklabelstandoff": 6,  # clear of the markers at zero
        },
        "yaxis": {"title": {"text": y_title}, "rangemode": "tozero"},
        "hovermode": "closest",
        "legend": {
            "groupclick": "togglegroup",
            "orientation": "h",  # under the chart, which needs the width more
            "yref": "container",
            "yanchor": "bottom",
            "y": 0,
        },
        "uirevision": f"{x_title}|{y_title}|{view}",
    }


def identifier(text: str) -> str:
    """`text` as a trace's uid: Plotly makes CSS classes of them."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text)
