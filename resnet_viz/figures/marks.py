"""What charts along a net share: stage borders, axes, and marks for what a log axis cannot show.

Plotly's own dictionaries; no figure is made here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from resnet_viz.figures.palette import colour
from resnet_viz.figures.spread import NetSignals, Spread
from resnet_viz.i18n import _
from resnet_viz.specs import NetSpec

LINE = "rgba(128,138,151,0.55)"  # shows on white and on near-black
EDGE_AXIS = "y9"  # 0..1 over the whole height, so that a mark stays at the edge when zoomed
_MOST_TICKS = 12
_PLAIN = (-4, 5)  # exponents between which a number is written without one
_MARKERS_UP_TO = 130  # points of a line; more of them run into one another


def see_through(shade: str, opacity: float) -> str:
    """ "#rrggbb" as an rgba() colour."""
    red, green, blue = (int(shade[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def shade_of(group: NetSignals, groups: Sequence[NetSignals]) -> str:
    """The family's colour; several of its nets run from pale to deep, the deeper the deeper."""
    nets = sorted(
        (g.net for g in groups if g.net.family == group.net.family), key=lambda net: net.depth
    )
    return colour(group.net.family, nets.index(group.net), range(len(nets)))


def line_mode(count: int) -> dict[str, Any]:
    """Mode and marker size of a line of so many points."""
    if count > _MARKERS_UP_TO:
        return {"mode": "lines"}
    return {"mode": "lines+markers", "marker": {"size": 7 if count <= 30 else 5}}


def number_axis(low: float, high: float) -> dict[str, Any]:
    """A linear axis of whole numbers from `low` to `high`, half a step of air at each end."""
    step = _round_step((high - low) / _MOST_TICKS)
    return {"range": [low - 0.5, high + 0.5], "tick0": 0, "dtick": step, "zeroline": False}


def _round_step(least: float) -> int:
    """The first of 1, 2, 5, 10, 20, ... that is not less than `least`."""
    return next(s * 10**power for power in range(9) for s in (1, 2, 5) if s * 10**power >= least)


def way_back(blocks: int) -> str:
    """Title of an axis of block numbers on which the gradient goes from right to left."""
    text = _("← the gradient travels this way; block ({n}: the last, {end}: its output)")
    return text.format(n=blocks, end=blocks + 1)


def log_axis(values: Iterable[float | None], ticks: int = 7) -> dict[str, Any]:
    """A log axis around `values`, with ticks that suit them; without values it has none.

    Args:
        values: None and zero are passed over.
        ticks: about as many as its height has place for.
    """
    logs = [math.log10(v) for v in values if v]
    axis: dict[str, Any] = {"type": "log", "range": [-0.5, 0.5]}
    if not logs:
        return axis | {"showticklabels": False}
    low, high = min(logs), max(logs)
    decades = high - low
    axis["range"] = [low - 0.06 * decades - 0.05, high + 0.06 * decades + 0.05]
    if 3 * decades > ticks + 0.5 or (decades > 0.8 and not _PLAIN[0] < low < high < _PLAIN[1]):
        return axis | {"dtick": _round_step(decades / ticks), "exponentformat": "power"}
    if decades > 0.8:
        return axis | {"dtick": "D2", "tickformat": "~g"}  # at 1, 2 and 5
    return axis


def edge_axis() -> dict[str, Any]:
    """The layout's entry `yaxis9` for `EDGE_AXIS`."""
    return {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}


def edge_marks(
    uid: str,
    x: Sequence[float],
    found: Sequence[Spread],
    texts: Sequence[str],
    shade: str,
    row: int,
) -> list[dict[str, Any]]:
    """Marks for values that are zero (at the bottom edge) or not finite (at the top).

    Only where no seed has a value that the log axis shows.

    Args:
        uid: begins the traces' uids.
        x, found, texts: equally long.
        shade: "#rrggbb".
        row: 0 for the first net; the marks of the next lie a little further from the edge.
    """
    traces = []
    for name, symbol, level, at in (
        ("zero", "x-thin-open", 0.012 + 0.03 * row, lambda s: s.zeros and not s.overflows),
        ("overflow", "asterisk-open", 0.988 - 0.03 * row, lambda s: s.overflows),
    ):
        places = [i for i, s in enumerate(found) if s.mean is None and at(s)]
        if places:
            trace = {
                "type": "scatter",
                "uid": f"{uid}-{name}",
                "mode": "markers",
                "yaxis": EDGE_AXIS,
                "showlegend": False,
                "cliponaxis": False,
                "marker": {"symbol": symbol, "size": 7, "color": shade, "line": {"width": 1.5}},
                "x": [x[i] for i in places],
                "y": [level] * len(places),
                "text": [texts[i] for i in places],
                "hovertemplate": "%{text}<extra></extra>",
            }
            traces.append(trace)
    return traces


def edge_print(groups: Sequence[tuple[NetSignals, Sequence[Spread]]], things: str) -> list[str]:
    """Small print: how many values the edges stand for.

    Args:
        groups: nets with what is drawn of them.
        things: what is counted, such as "layers".
    """
    lines = []
    for text, pick in (
        (_("× at the bottom: exactly zero ({nets})"), lambda s: s.zeros and not s.overflows),
        (_("✳ at the top: overflow ({nets})"), lambda s: s.overflows),
    ):
        counts = [
            (group.label, sum(bool(s.mean is None and pick(s)) for s in found), len(found))
            for group, found in groups
        ]
        told = [
            _("{net}: {n} of {total} {things}").format(net=net, n=n, total=total, things=things)
            for net, n, total in counts
            if n
        ]
        if told:
            lines.append(text.format(nets="; ".join(told)))
    return lines


def band(uid: str, x: Sequence[float], found: Sequence[Spread], shade: str) -> dict[str, Any]:
    """A surface from the least to the most of every place; gaps where there is no value."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    start = 0
    for end in range(len(x) + 1):
        if end == len(x) or found[end].mean is None:
            stretch = range(start, end)
            if stretch:
                xs += [*(x[i] for i in stretch), *(x[i] for i in reversed(stretch)), None]
                ys += [*(found[i].low for i in stretch)]
                ys += [*(found[i].high for i in reversed(stretch)), None]
            start = end + 1
    return {
        "type": "scatter",
        "uid": f"{uid}-band",
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": see_through(shade, 0.18),
        "hoverinfo": "skip",
        "showlegend": False,
        "x": xs[:-1],
        "y": ys[:-1],
    }


def stage_ends(net: NetSpec) -> list[int]:
    """The number of the last block of each stage, counted over the whole net from 1."""
    return list(accumulate(net.stage_blocks))


def stage_borders(borders: Sequence[float]) -> dict[str, Any]:
    """Layout: a thin line at each border, and between two of them the stage's number on top.

    Args:
        borders: where stage 1 begins, where each stage ends.
    """
    shapes = [
        {
            "type": "line",
            "yref": "paper",
            "x0": x,
            "x1": x,
            "y0": 0,
            "y1": 1,
            "layer": "below",
            "line": {"color": LINE, "width": 1, "dash": "dot"},
        }
        for x in borders
    ]
    notes = [
        {
            "text": _("stage {s}").format(s=s),
            "x": (borders[s - 1] + borders[s]) / 2,
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": 12},
        }
        for s in range(1, len(borders))
    ]
    # Above the plot there is room for the stages, and above those for the chart's buttons.
    return {"shapes": shapes, "annotations": notes, "margin": {"t": 56}}
