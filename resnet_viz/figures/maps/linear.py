"""What linear probes read from a net, block by block: their errors, and what they say of an image.

Alain & Bengio 2016, arXiv:1610.01644.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.marks import line_mode, number_axis, stage_borders, stage_ends
from resnet_viz.figures.palette import LOOKS, colour
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.inside import Floats, LinearProbes, Prediction
from resnet_viz.layers import blocks_of, depths_reached
from resnet_viz.specs import NetSpec

_OWN_DASH = "1px,5px"  # of the net's own error: no family's


@dataclass(frozen=True)
class Probed:
    """One net, or one checkpoint of it, with its probes.

    Attributes:
        label: what it is called among those shown: "resnet-20", "resnet-20 after 300 steps".
        probes: of the net.
        placed: (points, classes), what every probe says of the image; None without an image.
        prediction: what the net itself says of it.
    """

    label: str
    probes: LinearProbes
    placed: Floats | None = None
    prediction: Prediction | None = None

    @property
    def target(self) -> int:
        """The class that the net names for the image."""
        assert self.prediction is not None
        return self.prediction.top(1)[0]


def probe_depths(net: NetSpec) -> list[int]:
    """Weighted layers up to each point: 1 for the stem, two or three more with every block."""
    return depths_reached(net)


def probe_places(net: NetSpec) -> list[str]:
    """Every point in words."""
    return [_("stem"), *(block.title for block in blocks_of(net))]


def probe_error_vs_depth(found: Sequence[Probed]) -> go.Figure:
    """Test error of the probe after every block, and as dots each net's own; a line a net."""
    traces: list[dict[str, Any]] = []
    for each, shade in zip(found, _shades(found), strict=True):
        probes, x = each.probes, probe_depths(each.probes.net)
        text = _("<b>{net}</b><br>{place}<br>probe: {test} of the test images wrong, {train} of ")
        text += _("those that it was fitted to")
        texts = [
            text.format(net=each.label, place=place, test=_percent(test), train=_percent(train))
            for place, test, train in zip(
                *(probe_places(probes.net), probes.test_error, probes.train_error), strict=True
            )
        ]
        traces.append(_line(each, x, [100 * e for e in probes.test_error], texts, shade))
        own = _("<b>{net}</b><br>the net itself: {error} of the same test images wrong")
        traces.append(
            {
                "type": "scatter",
                "uid": identifier(f"{each.label} itself"),
                "legendgroup": each.label,
                "showlegend": False,
                "mode": "lines",
                "line": {"color": shade, "dash": _OWN_DASH, "width": 2.5},
                "x": x,
                "y": [100 * probes.net_error] * len(x),
                "text": [own.format(net=each.label, error=_percent(probes.net_error))] * len(x),
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    notes = [_("dotted: the net's own error on the same test images"), *_images_print(found)]
    return _figure(found, traces, _("test error of the linear probe (%)"), notes)


def class_probability_vs_depth(found: Sequence[Probed]) -> go.Figure:
    """How probable the probes hold the class that the net names for the image, block by block.

    Args:
        found: those without an image are left out.
    """
    traces: list[dict[str, Any]] = []
    shown = [each for each in found if each.placed is not None]
    for each, shade in zip(shown, _shades(shown), strict=True):
        assert each.placed is not None
        classes, values = each.probes.classes, each.placed[:, each.target]
        text = _("<b>{net}</b><br>{place}<br>{name}: {p}; the probe names {top}")
        texts = [
            text.format(
                net=each.label,
                place=place,
                name=classes[each.target],
                p=_percent(float(value)),
                top=classes[int(row.argmax())],
            )
            for place, value, row in zip(
                probe_places(each.probes.net), values, each.placed, strict=True
            )
        ]
        y = [100 * float(value) for value in values]
        traces.append(_line(each, probe_depths(each.probes.net), y, texts, shade))
    names = "; ".join(f"{each.label}: {each.probes.classes[each.target]}" for each in shown)
    notes = [_("the class that the net names: {names}").format(names=names)] if shown else []
    figure = _figure(shown, traces, _("probability by the probe (%)"), notes)
    return figure.update_layout(yaxis={"range": [0, 102]})


def _figure(
    found: Sequence[Probed], traces: list[dict[str, Any]], y_title: str, notes: Sequence[str]
) -> go.Figure:
    figure = go.Figure(traces)
    nets = [each.probes.net for each in found]
    view = " ".join(sorted({net.name for net in nets}))
    x_title = _("weighted layers up to here (1: stem)")
    figure.update_layout(layout(x_title, y_title, small_print=notes, view=view))
    most = max((probe_depths(net)[-1] for net in nets), default=1)
    figure.update_layout(xaxis=number_axis(1, most))
    borders = {tuple(_borders(net)) for net in nets}
    if len(borders) == 1:
        figure.update_layout(stage_borders(borders.pop()))
    return figure


def _borders(net: NetSpec) -> list[float]:
    depths = probe_depths(net)
    return [depths[end] + 0.5 for end in (0, *stage_ends(net))]


def _line(
    each: Probed, x: Sequence[int], y: Sequence[float], texts: Sequence[str], shade: str
) -> dict[str, Any]:
    look, mode = LOOKS[each.probes.net.family], line_mode(len(x))
    if "marker" in mode:
        mode["marker"] |= {"symbol": look.symbol}
    return {
        "type": "scatter",
        "uid": identifier(each.label),
        "name": each.label,
        "legendgroup": each.label,
        "showlegend": True,
        **mode,
        "line": {"color": shade, "dash": look.dash, "width": 2},
        "x": list(x),
        "y": list(y),
        "text": list(texts),
        "hovertemplate": "%{text}<extra></extra>",
    }


def _shades(found: Sequence[Probed]) -> list[str]:
    """The family's colour; the deeper the net and the longer trained, the deeper."""
    shades = []
    for each in found:
        family = each.probes.net.family
        ranks = sorted({_rank(other) for other in found if other.probes.net.family == family})
        shades.append(colour(family, ranks.index(_rank(each)), range(len(ranks))))
    return shades


def _rank(each: Probed) -> tuple[int, float]:
    step = each.probes.step
    return each.probes.net.depth, float("inf") if step is None else step


def _images_print(found: Sequence[Probed]) -> list[str]:
    text = _("fitted to {train:,} training images, tested on {test:,}: {data}")
    lines = [
        text.format(train=p.train_images, test=p.test_images, data=p.data)
        for p in (each.probes for each in found)
    ]
    return list(dict.fromkeys(lines))


def _percent(fraction: float) -> str:
    """A fraction as "12.3 %"."""
    return f"{100 * fraction:.1f} %"
