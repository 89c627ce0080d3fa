"""How much a block does: its branch beside what it adds to, and its layers' responses.

He et al. 2015, arXiv:1512.03385, Fig. 7.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from resnet_viz.blockwise import Responses
from resnet_viz.figures.marks import line_mode, log_axis, number_axis, see_through
from resnet_viz.figures.palette import LOOKS, colour
from resnet_viz.figures.spread import number_text
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of, weighted_layers

_NORM_FIRST = {"preact", "densenet"}  # no norm follows their convolutions


@dataclass(frozen=True)
class Measured:
    """One net at one moment.

    Attributes:
        label: what it is called among those shown.
        responses: what was measured.
        early: it is not the end of its training (at initialisation, or on the way).
        of: label of the same net at the end of its training; "" for that itself.
    """

    label: str
    responses: Responses
    early: bool = False
    of: str = ""


def branch_shares(found: Sequence[Measured]) -> go.Figure:
    """‖F(x)‖ / ‖x‖ of every block, a line a net and moment, on a log axis."""
    shown = [each for each in found if each.responses.ratios]
    traces = [
        _line(
            each,
            found,
            [r if math.isfinite(r) and r > 0 else None for r in each.responses.ratios],
            [block.title for block in blocks_of(each.responses.net)],
        )
        for each in shown
    ]
    values = [v for trace in traces for v in trace["y"]]
    most = max((len(each.responses.ratios) for each in shown), default=1)
    names = {each.responses.net.name for each in found if not each.responses.ratios}
    notes = [_("pale, dotted: before the end of training"), _images_print(found)]
    if any(each.responses.net.gated for each in shown):
        notes.append(_("with gates: both terms as the gate has weighed them"))
    if names:
        notes.append(_("nothing is added up: {nets}").format(nets=", ".join(sorted(names))))
    figure = _figure(found, traces, _("block"), _("‖F(x)‖ / ‖x‖ (log axis)"), notes)
    figure.update_layout(xaxis=number_axis(1, most), yaxis=log_axis([1.0, *values]))
    figure.add_hline(y=1, line={"width": 1, "dash": "dash", "color": "rgba(128,138,151,0.8)"})
    return figure


def response_stds(found: Sequence[Measured]) -> go.Figure:
    """Standard deviation of every layer's response, a line a net and moment."""
    traces = [
        _line(
            each,
            found,
            [v if math.isfinite(v) else None for v in each.responses.response_std],
            [layer.title for layer in weighted_layers(each.responses.net)[:-1]],
        )
        for each in found
    ]
    most = max((len(each.responses.response_std) for each in found), default=1)
    notes = [
        _("after batch norm, before ReLU and addition; pale, dotted: before the end of training"),
        _images_print(found),
    ]
    late = {each.responses.net.family for each in found} & _NORM_FIRST
    if late:
        text = _("of {families}, whose norms come before: of the convolution itself")
        notes.insert(1, text.format(families=", ".join(sorted(late))))
    figure = _figure(found, traces, _("weighted layer (1: stem)"), _("response std"), notes)
    figure.update_layout(xaxis=number_axis(1, most), yaxis={"rangemode": "tozero"})
    return figure


def _figure(
    found: Sequence[Measured],
    traces: list[dict[str, Any]],
    x_title: str,
    y_title: str,
    notes: Sequence[str],
) -> go.Figure:
    figure = go.Figure(traces)
    names = " ".join(sorted({each.responses.net.name for each in found}))
    figure.update_layout(layout(x_title, y_title, small_print=notes, view=names))
    return figure


def _line(
    each: Measured, found: Sequence[Measured], y: Sequence[float | None], places: Sequence[str]
) -> dict[str, Any]:
    net = each.responses.net
    depths = [
        other.responses.net.depth for other in found if other.responses.net.family == net.family
    ]
    shade, look = colour(net.family, net.depth, depths), LOOKS[net.family]
    mode = line_mode(len(y))
    if "marker" in mode:
        mode["marker"] |= {
            "symbol": f"{look.symbol}-open" if each.early else look.symbol,
            "size": 5,
        }
    line = {"color": shade, "dash": look.dash, "width": 2.5}
    if each.early:
        line = {"color": see_through(shade, 0.55), "dash": "1px,4px", "width": 2}
    text = _("<b>{net}</b><br>{place}: {value}")
    return {
        "type": "scatter",
        "uid": identifier(each.label),
        "name": each.label,
        "showlegend": True,
        **mode,
        "line": line,
        "x": list(range(1, len(y) + 1)),
        "y": list(y),
        "text": [
            text.format(net=each.label, place=place, value="–" if v is None else number_text(v))
            for place, v in zip(places, y, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _images_print(found: Sequence[Measured]) -> str:
    images = ", ".join(str(n) for n in sorted({each.responses.images for each in found}))
    return _("one batch of {n} training images, in training mode").format(n=images)


def responses_caption(found: Sequence[Measured]) -> str:
    """Whether blocks do less in a deeper net, and what training changes."""
    late = [each for each in found if not each.early]
    sentences = [_own_sentence(each, found) for each in late]
    return " ".join(filter(None, [*sentences, _depth_sentence(late)]))


def why_no_ratio(found: Sequence[Measured]) -> str:
    """Why ‖F(x)‖ / ‖x‖ is not shown of some nets, for a person; "" where it is of all."""
    without = [each.responses.net for each in found if not each.responses.ratios]
    plain = sorted({net.name for net in without if net.family == "plain"})
    dense = sorted({net.name for net in without if net.family == "densenet"})
    texts = []
    if plain:
        text = _("No ‖F(x)‖ / ‖x‖ of {nets}: plain blocks put F(x) in the place of x.")
        texts.append(text.format(nets=", ".join(plain)))
    if dense:
        text = _(
            "No ‖F(x)‖ / ‖x‖ of {nets}: a dense layer puts its channels behind those of x instead "
            "of adding them; “DenseNet: feature reuse” shows what later layers take from them."
        )
        texts.append(text.format(nets=", ".join(dense)))
    return " ".join(texts)


def mean_ratio(responses: Responses) -> float | None:
    """Geometric mean of ‖F(x)‖ / ‖x‖ over the blocks that keep their shape; None without any."""
    kept = [
        math.log(ratio)
        for block, ratio in zip(blocks_of(responses.net), responses.ratios, strict=False)
        if not block.changes and ratio > 0 and math.isfinite(ratio)
    ]
    return math.exp(fmean(kept)) if kept else None


def _own_sentence(each: Measured, found: Sequence[Measured]) -> str:
    after = mean_ratio(each.responses)
    if after is None:
        return ""
    before = [other for other in found if other.of == each.label and other.responses.step == 0]
    start = mean_ratio(before[0].responses) if before else None
    gated = each.responses.net.gated
    if start is None:
        text = _("{net}: a branch adds {after} times what its block gets (geometric mean).")
        if gated:
            text = _(
                "{net}: a branch adds {after} times what the gate lets through of x (geometric "
                "mean)."
            )
        return text.format(net=each.label, after=number_text(after))
    text = _(
        "{net}: a branch adds {after} times what its block gets (geometric mean over the blocks "
        "that keep their shape), and {start} before the first step."
    )
    if gated:
        text = _(
            "{net}: a branch adds {after} times what the gate lets through of x (geometric mean "
            "over the blocks that keep their shape), and {start} before the first step."
        )
    sentence = text.format(net=each.label, after=number_text(after), start=number_text(start))
    zeros = sum(ratio == 0 for ratio in before[0].responses.ratios)
    if zeros:
        text = _("That leaves out {n} branches that were exactly zero then.")
        sentence += " " + text.format(n=zeros)
    return sentence


def _depth_sentence(late: Sequence[Measured]) -> str:
    """Mean response of the residual nets against their depth (He et al. 2015, 4.2)."""
    residual = [each for each in late if each.responses.ratios]
    families: dict[str, list[tuple[int, float]]] = {}
    for each in residual:
        net = each.responses.net
        mean = fmean(each.responses.response_std)
        families.setdefault(net.family, []).append((net.depth, mean))
    for family, pairs in families.items():
        pairs.sort()
        if len({depth for depth, _mean in pairs}) < 2:
            continue
        (shallow, low), (deep, high) = pairs[0], pairs[-1]
        text = _(
            "The mean response std is {a:.2f} in {family}-{shallow} and {b:.2f} in {family}-{deep}:"
        )
        told = text.format(a=low, b=high, family=family, shallow=shallow, deep=deep)
        if high < 0.95 * low:
            return told + " " + _("in the deeper net a layer changes its signal less.")
        if high > 1.05 * low:
            return told + " " + _("in the deeper net a layer does not change its signal less.")
        return told + " " + _("about the same.")
    return ""
