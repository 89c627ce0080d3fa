"""Shattered gradients (Balduzzi et al. 2017, arXiv:1702.08591): lines and autocorrelation.

Every function takes what is measured so far, noises included, of nets that differ in family or
depth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.palette import LOOKS, NEUTRAL, colour
from resnet_viz.figures.signals.shattering_captions import (
    name_of,
    shattering_caption as shattering_caption,
)
from resnet_viz.figures.style import layout
from resnet_viz.i18n import _
from resnet_viz.signals import Shattering

Cell = tuple[int, int]  # row and column from 0

_TOP, _BOTTOM, _ROW = 40, 56, 88  # pixels
_ROW_SHARE = 0.72  # of a row's height that its picture takes; the rest is for the title
_COLUMN_GAP = 0.04
_STANDARD_DEVIATIONS = 3.0  # that every picture shows at least, up and down
_NOISE_DASHES = {"white": "2px,3px", "brown": "12px,4px"}
_BAND_OPACITY = 0.18


def gradient_lines(measured: Sequence[Shattering]) -> go.Figure:
    """Slope along the line, a picture a net: noises on top, a column a family, depth downwards.

    The mean is taken off, and all pictures have one scale. The figure needs the height that it
    has, `layout.height`.
    """
    cells = _cells(measured)
    rows = 1 + max((row for row, _column in cells), default=0)
    columns = 1 + max((column for _row, column in cells), default=0)
    centred = [[value - fmean(m.slope) for value in m.slope] for m in measured]
    highest = max((abs(v) for vs in centred for v in vs if math.isfinite(v)), default=0.0)
    reach = max(1.05 * highest, _STANDARD_DEVIATIONS)
    figure = go.Figure(layout=_lines_layout(rows))
    for number, (m, values, cell) in enumerate(zip(measured, centred, cells, strict=True), 1):
        suffix = "" if number == 1 else str(number)
        lowest = not any(row > cell[0] and column == cell[1] for row, column in cells)
        x_domain, y_domain = _domains(cell, rows, columns)
        figure.update_layout(
            {
                f"xaxis{suffix}": {
                    **_axis(x_domain, f"y{suffix}"),
                    "range": [0, 100],
                    "matches": None if number == 1 else "x",
                    "showticklabels": lowest,
                },
                f"yaxis{suffix}": {
                    **_axis(y_domain, f"x{suffix}"),
                    "range": [-reach, reach],
                    "matches": None if number == 1 else "y",
                    "showticklabels": cell[1] == 0,
                    "nticks": 4,
                },
            }
        )
        figure.add_trace(_slope_line(m, values, suffix, measured))
        figure.add_annotation(
            text=f"<b>{name_of(m)}</b>",
            **{"x": x_domain[0], "xref": "paper", "xanchor": "left", "showarrow": False},
            **{"y": y_domain[1], "yref": "paper", "yanchor": "bottom"},
        )
    return figure


def _cells(measured: Sequence[Shattering]) -> list[Cell]:
    """Where each picture stands."""
    nets = [m.net for m in measured if m.net]
    families = [family for family in LOOKS if any(net.family == family for net in nets)]
    columns = len(families) or len(measured)
    noises = sum(m.net is None for m in measured)
    rows = {depth: row for row, depth in enumerate(sorted({net.depth for net in nets}))}
    first = -(-noises // columns) if columns else 0
    free = iter(range(noises))
    return [
        (first + rows[m.net.depth], families.index(m.net.family))
        if m.net
        else divmod(next(free), columns)
        for m in measured
    ]


def _domains(cell: Cell, rows: int, columns: int) -> tuple[list[float], list[float]]:
    """Shares of the drawing area that a picture takes, in x and y."""
    width = (1 - _COLUMN_GAP * (columns - 1)) / columns
    left = cell[1] * (width + _COLUMN_GAP)
    bottom = (rows - 1 - cell[0]) / rows
    return [left, left + width], [bottom, bottom + _ROW_SHARE / rows]


def _axis(domain: list[float], anchor: str) -> dict[str, Any]:
    return {"domain": domain, "anchor": anchor, "zeroline": True}


def _lines_layout(rows: int) -> dict[str, Any]:
    x_title = _("position on the line from the first image to the second (%)")
    y_title = _("slope less its mean (standard deviations)")
    base = layout(x_title, y_title)
    below = {"x": 0.5, "xanchor": "center", "y": 0, "yanchor": "top", "yshift": -24}
    beside = {"x": 0, "xanchor": "right", "xshift": -34, "y": 0.5, "yanchor": "middle"}
    common = {"xref": "paper", "yref": "paper", "showarrow": False, "font": {"size": 14}}
    return {
        **{name: base[name] for name in ("template", "hovermode", "uirevision")},
        "height": _TOP + _BOTTOM + rows * _ROW,
        "margin": {"l": 64, "r": 12, "t": _TOP, "b": _BOTTOM},
        "showlegend": False,
        "annotations": [
            {"text": x_title, **below, **common},
            {"text": y_title, "textangle": -90, **beside, **common},
        ],
    }


def _slope_line(
    m: Shattering, values: list[float], suffix: str, measured: Sequence[Shattering]
) -> go.Scatter:
    hover = [f"<b>{name_of(m)}</b>", _("at {x} % of the line: {y} standard deviations")]
    return go.Scatter(
        uid=f"slope-{_uid(m)}",
        name=name_of(m),
        mode="lines",
        line={"color": _colour(m, measured), "width": 1.2},
        x=[100 * position for position in m.position],
        y=values,
        xaxis=f"x{suffix}",
        yaxis=f"y{suffix}",
        hovertemplate="<br>".join(hover).format(x="%{x:.1f}", y="%{y:.1f}") + "<extra></extra>",
    )


def autocorrelation(measured: Sequence[Shattering]) -> go.Figure:
    """Autocorrelation of the input gradient by lag, a line a net, beside the noises.

    A band is one standard deviation over the seeds up and down.
    """
    x_title = _("lag (% of the line)")
    y_title = _("autocorrelation of the input gradient")
    described = layout(x_title, y_title, small_print=_small_print(measured))
    described["yaxis"] |= {"range": [-0.35, 1.05], "rangemode": "normal", "zeroline": True}
    described["xaxis"] |= {"range": [0, 50]}
    noises_last = sorted(measured, key=lambda m: m.net is None)  # so that they are on top
    lines = [_lag_line(m, measured) for m in noises_last]
    bands = [_band(m, measured) for m in measured if m.net and m.spread]
    return go.Figure([*bands, *lines], described)


def _lag_line(m: Shattering, measured: Sequence[Shattering]) -> go.Scatter:
    dash = LOOKS[m.net.family].dash if m.net else _NOISE_DASHES[m.noise]
    value = _("autocorrelation {y} at a lag of {x} % of the line")
    lines = [f"<b>{name_of(m)}</b>", value.format(x="%{x:.1f}", y="%{y:.2f}")]
    if m.spread:
        text = _("± {spread} (standard deviation of {n})")
        lines.append(text.format(spread="%{customdata:.2f}", n=m.seeds))
    return go.Scatter(
        uid=f"lag-{_uid(m)}",
        name=name_of(m),
        legendgroup=_uid(m),
        mode="lines",
        line={"color": _colour(m, measured), "dash": dash, "width": _width(m, measured)},
        x=_lags(m),
        y=list(m.autocorrelation),
        customdata=list(m.spread) or None,
        hovertemplate="<br>".join(lines) + "<extra></extra>",
    )


def _band(m: Shattering, measured: Sequence[Shattering]) -> go.Scatter:
    pairs = list(zip(m.autocorrelation, m.spread, strict=True))
    lags = _lags(m)
    shade = _colour(m, measured)
    channels = ",".join(str(int(shade[i : i + 2], 16)) for i in (1, 3, 5))
    return go.Scatter(
        uid=f"band-{_uid(m)}",
        name=name_of(m),
        legendgroup=_uid(m),
        showlegend=False,
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=f"rgba({channels},{_BAND_OPACITY})",
        hoverinfo="skip",
        x=lags + lags[::-1],
        y=[r + s for r, s in pairs] + [r - s for r, s in reversed(pairs)],
    )


def _lags(m: Shattering) -> list[float]:
    """Lags in per cent of the line."""
    return [100 * position for position in m.position[: len(m.autocorrelation)]]


def _small_print(measured: Sequence[Shattering]) -> list[str]:
    seeds = [m.seeds for m in measured if m.net]
    if not seeds:
        return [_("no measurements yet")]
    low, high = min(seeds), max(seeds)
    if high == 1:
        return [_("one seed")]
    n = str(high) if low == high else _("{low} to {high}").format(low=low, high=high)
    return [_("mean and standard deviation (band) of {n} seeds").format(n=n)]


def _uid(m: Shattering) -> str:
    return m.net.name if m.net else f"{m.noise}-noise"


def _colour(m: Shattering, measured: Sequence[Shattering]) -> str:
    return colour(m.net.family, m.net.depth, list(_depths(m, measured))) if m.net else NEUTRAL


def _width(m: Shattering, measured: Sequence[Shattering]) -> float:
    """The deeper, the wider."""
    if not m.net:
        return 2
    ranks = sorted(set(_depths(m, measured)))
    return 1.5 + 1.5 * ranks.index(m.net.depth) / max(1, len(ranks) - 1)


def _depths(m: Shattering, measured: Sequence[Shattering]) -> Iterator[int]:
    """Depths of the nets of its family."""
    return (o.net.depth for o in measured if o.net and m.net and o.net.family == m.net.family)
