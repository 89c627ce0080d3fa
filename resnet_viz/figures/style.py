"""What every figure of the program has in common."""

from __future__ import annotations

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


def layout(x_title: str, y_title: str, *, subtitle: str = "", view: str = "") -> dict[str, Any]:
    """Layout of a chart with two axes.

    Args:
        x_title, y_title: what the axes show, with units.
        subtitle: small print above the chart: what is averaged over what.
        view: a live chart keeps a person's zoom until this changes.
    """
    return {
        "template": TEMPLATE,
        "margin": {"l": 56, "r": 12, "t": 36, "b": 48},
        "title": {
            "text": subtitle,
            "font": {"size": 12},
            "x": 0,
            "xref": "paper",
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "pad": {"b": 10},
        },
        "xaxis": {"title": {"text": x_title}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": y_title}, "rangemode": "tozero"},
        "hovermode": "closest",
        "legend": {"groupclick": "togglegroup", "tracegroupgap": 0, "yref": "paper"},
        "uirevision": view or f"{x_title}|{y_title}",
    }
