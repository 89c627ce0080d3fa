"""A net's error without some of its blocks, against which and against how many.

Veit et al. 2016, arXiv:1605.06431, Fig. 3 and Fig. 5 (a).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.marks import number_axis, see_through, stage_borders, stage_ends
from resnet_viz.figures.palette import LOOKS, colour
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of
from resnet_viz.lesions import Randoms, Singles
from resnet_viz.specs import NetSpec

_PATTERNS = {"plain": "/", "resnet": "", "preact": "."}  # colour is never the only difference
_OWN_DASH = "1px,5px"
Labelled = tuple[str, Singles]


def shades(nets: Sequence[NetSpec]) -> list[str]:
    """A colour each: the family's; of two of one family the deeper is the deeper."""
    found = []
    for i, net in enumerate(nets):
        ranks = sorted((n.depth, k) for k, n in enumerate(nets) if n.family == net.family)
        found.append(colour(net.family, ranks.index((net.depth, i)), range(len(ranks))))
    return found


def single_lesions(found: Sequence[Labelled]) -> go.Figure:
    """Error without each block, a bar a block and net; dotted, the net as it is.

    A × at the foot: that block cannot go.
    """
    colours = shades([each.net for _label, each in found])
    traces: list[dict[str, Any]] = []
    most = max((len(each.without) for _label, each in found), default=1)
    for (label, each), shade in zip(found, colours, strict=True):
        numbers = range(1, len(each.without) + 1)
        pattern = {"shape": _PATTERNS.get(each.net.family, ""), "size": 6, "fillmode": "overlay"}
        traces.append(
            {
                "type": "bar",
                "uid": identifier(label),
                "name": label,
                "legendgroup": label,
                "marker": {"color": shade, "pattern": {**pattern, "fgcolor": "#fff"}},
                "x": list(numbers),
                "y": [None if e is None else 100 * e for e in each.without],
                "text": _hovers(label, each),
                "textposition": "none",
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
        traces.append(_own_line(label, each, most, shade))
    for row, (label, each) in enumerate(found):
        if None in each.without:
            traces.append(_stuck(label, each, (row + 0.5) / len(found) - 0.5))
    notes = [_("dotted: the error of the net as it is"), images_print(found)]
    if any(None in each.without for _label, each in found):
        notes.append(_("×: this plain block changes the shape and cannot go"))
    figure = go.Figure(traces)
    names = " ".join(label for label, _each in found)
    title = _("block that was removed")
    made = layout(title, _("test error without it (%)"), small_print=notes, view=names)
    figure.update_layout(made, barmode="group", bargap=0.25)
    figure.update_layout(xaxis=number_axis(1, most), yaxis={"range": [0, 102]})
    ends = {tuple(stage_ends(each.net)) for _label, each in found}
    if len(ends) == 1:
        figure.update_layout(stage_borders([0.5, *(end + 0.5 for end in ends.pop())]))
    return figure


def _own_line(label: str, each: Singles, most: int, shade: str) -> dict[str, Any]:
    text = _("<b>{net}</b> as it is: {error}")
    return {
        "type": "scatter",
        "uid": identifier(f"{label} itself"),
        "legendgroup": label,
        "showlegend": False,
        "mode": "lines",
        "line": {"color": shade, "dash": _OWN_DASH, "width": 2.5},
        "x": [0.5, most + 0.5],
        "y": [100 * each.error] * 2,
        "hovertemplate": text.format(net=label, error=percent(each.error)) + "<extra></extra>",
    }


def _stuck(label: str, each: Singles, shift: float) -> dict[str, Any]:
    """A mark in the place of each bar that there cannot be."""
    places = [i + 1 + 0.75 * shift for i, error in enumerate(each.without) if error is None]
    text = _("<b>{net}</b><br>this block changes the shape; without a shortcut it cannot go")
    return {
        "type": "scatter",
        "uid": identifier(f"{label} stays"),
        "legendgroup": label,
        "showlegend": False,
        "mode": "markers",
        "marker": {"symbol": "x-thin-open", "size": 9, "color": "#808a97", "line": {"width": 2}},
        "x": places,
        "y": [2.5] * len(places),
        "hovertemplate": text.format(net=label) + "<extra></extra>",
    }


def _hovers(label: str, each: Singles) -> list[str]:
    text = _("<b>{net}</b><br>without {block}: {error}<br>as it is: {own}")
    return [
        ""
        if error is None
        else text.format(
            net=label, block=block.title, error=percent(error), own=percent(each.error)
        )
        for block, error in zip(blocks_of(each.net), each.without, strict=True)
    ]


def random_lesions(found: Sequence[tuple[str, Randoms]]) -> go.Figure:
    """Error against the number of blocks removed at random; mean and spread over the draws."""
    colours = shades([each.net for _label, each in found])
    traces: list[dict[str, Any]] = []
    for (label, each), shade in zip(found, colours, strict=True):
        look = LOOKS[each.net.family]
        x = [0, *each.counts]
        means, spreads = [each.error, *each.means], [0.0, *each.spreads]
        high = [100 * min(1.0, m + s) for m, s in zip(means, spreads, strict=True)]
        low = [100 * max(0.0, m - s) for m, s in zip(means, spreads, strict=True)]
        text = _("<b>{net}</b><br>{k} of {n} blocks removed: {mean} ± {spread}")
        texts = [
            text.format(net=label, k=k, n=each.removable, mean=percent(m), spread=percent(s))
            for k, m, s in zip(x, means, spreads, strict=True)
        ]
        band = {
            "type": "scatter",
            "uid": identifier(f"{label} band"),
            "legendgroup": label,
            "showlegend": False,
            "mode": "lines",
            "line": {"width": 0},
            "fill": "toself",
            "fillcolor": see_through(shade, 0.18),
            "hoverinfo": "skip",
            "x": [*x, *reversed(x)],
            "y": [*high, *reversed(low)],
        }
        line = {
            "type": "scatter",
            "uid": identifier(label),
            "name": label,
            "legendgroup": label,
            "mode": "lines+markers",
            "line": {"color": shade, "dash": look.dash, "width": 2},
            "marker": {"symbol": look.symbol, "size": 7},
            "x": x,
            "y": [100 * m for m in means],
            "text": texts,
            "hovertemplate": "%{text}<extra></extra>",
        }
        traces += [band, line]
    figure = go.Figure(traces)
    draws = max((len(row) for _label, each in found for row in each.errors), default=1)
    notes = [
        _("mean ± standard deviation of {n} draws for each number").format(n=draws),
        images_print(found),
    ]
    names = " ".join(label for label, _each in found)
    title = _("number of blocks removed")
    figure.update_layout(layout(title, _("test error (%)"), small_print=notes, view=names))
    most = max((each.counts[-1] for _label, each in found), default=1)
    figure.update_layout(xaxis=number_axis(0, most), yaxis={"range": [0, 102]})
    return figure


def images_print(found: Sequence[tuple[str, Singles | Randoms]]) -> str:
    """On how many images each net's numbers were measured."""
    counts = {each.images for _label, each in found}
    if len(counts) == 1:
        return _("{n:,} test images").format(n=counts.pop())
    each_net = (f"{label}: {each.images:,}" for label, each in found)
    return _("test images: {counts}").format(counts="; ".join(each_net))


def percent(fraction: float) -> str:
    """A fraction as "12.3 %"."""
    return f"{100 * fraction:.1f} %"
