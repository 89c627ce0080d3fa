"""The gradient as a product of many factors: what every block multiplies it by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.marks import (
    LINE,
    band,
    line_mode,
    log_axis,
    number_axis,
    see_through,
    shade_of,
    stage_borders,
    way_back,
)
from resnet_viz.figures.palette import LOOKS
from resnet_viz.figures.signals.layers import (
    mean_line,
    seeds_print,
    stage_marks_of_blocks,
)
from resnet_viz.figures.spread import NetSignals, Spread, by_net, number_text, spread_text, spreads
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.signals import Signal, Vector
from resnet_viz.specs import NetSpec

_UPPER, _LOWER = [0.42, 1.0], [0.0, 0.36]  # heights of the two panels
_LEAST_SPAN = 0.1  # decades of the factors' axis to each side of 1
_LAYER_SPREAD = 0.6  # of a block's place on the axis, for the layers in it


def gains(signals: Sequence[Signal]) -> go.Figure:
    """Above, each block's factor, and those of the layers of its branch; below, their product.

    A factor is the gradient's norm at the input over that at the output. The gradient travels
    from the last block to the first, from right to left, and so grows the product.

    Args:
        signals: of one net or several, one a seed.

    Returns:
        A figure of two panels with log axes, the upper one centred at 1.
    """
    groups = by_net(signals)
    traces: list[dict[str, Any]] = []
    factors: list[float | None] = []
    products: list[float | None] = [1.0]
    undefined = []
    for group in groups:
        shade = shade_of(group, groups)
        found = spreads([s.block_gains for s in group.signals])
        dots = spreads([s.branch_gains for s in group.signals])
        through = spreads([running_product(s) for s in group.signals])
        traces += [
            _dots(group, dots, shade),
            _factors(group, found, shade),
            *_product(group, through, shade),
        ]
        factors += [v for s in (*found, *dots) for v in (s.low, s.high)]
        products += [v for s in through for v in (s.low, s.high)]
        undefined.append((group.label, sum(s.mean is None for s in found), len(found)))
    return _figure(groups, traces, factors, products, _undefined_print(undefined))


def running_product(signal: Signal) -> Vector:
    """Gradient norm at each block's input over that at the last block's output.

    One more than there are blocks: the last one is 1. Not finite where it is not defined.
    """
    start = signal.boundary_norm[-1]
    return tuple(norm / start if start else math.nan for norm in signal.boundary_norm)


def _figure(
    groups: Sequence[NetSignals],
    traces: Sequence[dict[str, Any]],
    factors: Sequence[float | None],
    products: Sequence[float | None],
    small_print: Sequence[str],
) -> go.Figure:
    most = max((len(blocks_of(g.net)) for g in groups), default=1)
    figure = go.Figure(list(traces))
    figure.update_layout(
        layout(
            way_back(most),
            _("factor (log axis)"),
            small_print=[
                *seeds_print(groups),
                _("large: blocks, small: convolutions of their branches; thick line: unchanged"),
                *small_print,
            ],
            view=" ".join(sorted({str(group.net.depth) for group in groups})),
        )
    )
    mirrored = [v for factor in factors if factor for v in (factor, 1 / factor)]
    span = max([_LEAST_SPAN, *(1.1 * math.log10(v) for v in mirrored)])
    upper = log_axis(mirrored, ticks=6) | {"range": [-span, span], "domain": _UPPER}
    title = {"text": _("product (log axis)")}
    lower = log_axis(products, ticks=4) | {"domain": _LOWER, "title": title}
    figure.update_layout(yaxis=upper, yaxis2=lower, xaxis={"anchor": "y2"})
    figure.update_xaxes(**number_axis(1, most + 1))
    borders = {tuple(stage_marks_of_blocks(group.net)) for group in groups}
    if len(borders) == 1:
        figure.update_layout(stage_borders(borders.pop()))
    for axis in ("y", "y2"):
        figure.add_shape(_unchanged(axis))
    return figure


def _unchanged(axis: str) -> dict[str, Any]:
    """The line at 1 of a panel."""
    ends = {"xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": 1, "y1": 1}
    return {"type": "line", "layer": "below", "line": {"color": LINE, "width": 2}, **ends}


def _factors(group: NetSignals, found: Sequence[Spread], shade: str) -> dict[str, Any]:
    x = list(range(1, len(found) + 1))
    titles = [block.title for block in blocks_of(group.net)]
    text = _("<b>{net}</b><br>block {n}: {block}<br>multiplies the gradient by {factor}")
    texts = [
        text.format(net=group.label, n=n, block=title, factor=spread_text(s, _("not defined")))
        for n, title, s in zip(x, titles, found, strict=True)
    ]
    return mean_line(group, x, found, texts, shade)


def _dots(group: NetSignals, found: Sequence[Spread], shade: str) -> dict[str, Any]:
    layers = [layer for layer in weighted_layers(group.net) if layer.stage > 0]
    text = _("<b>{net}</b><br>{layer}, through it alone<br>multiplies the gradient by {factor}")
    return {
        "type": "scatter",
        "uid": identifier(f"{group.label} layers"),
        "legendgroup": group.label,
        "showlegend": False,
        "mode": "markers",
        "marker": {
            "size": 5,
            "color": see_through(shade, 0.7),
            "symbol": LOOKS[group.net.family].symbol,
        },
        "x": _layer_places(group.net, len(layers)),
        "y": [s.mean for s in found],
        "text": [
            text.format(net=group.label, layer=layer.title, factor=spread_text(s, _("not defined")))
            for layer, s in zip(layers, found, strict=True)
        ],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _layer_places(net: NetSpec, count: int) -> list[float]:
    """Around their block's number, from its input to its output."""
    layers = net.block_layers
    within = [_LAYER_SPREAD * ((i + 0.5) / layers - 0.5) for i in range(layers)]
    return [1 + i // layers + within[i % layers] for i in range(count)]


def _product(group: NetSignals, found: Sequence[Spread], shade: str) -> list[dict[str, Any]]:
    x = list(range(1, len(found) + 1))
    total = len(found) - 1
    text = _("<b>{net}</b><br>after {n} of {total} blocks, at the input of {block}<br>× {product}")
    texts = [
        text.format(
            net=group.label,
            n=total - i,
            total=total,
            block=block.title,
            product=spread_text(found[i], _("not defined")),
        )
        for i, block in enumerate(blocks_of(group.net))
    ]
    start = _("<b>{net}</b><br>output of the last block, where the product begins<br>× {product}")
    texts.append(start.format(net=group.label, product=number_text(1.0)))
    line = mean_line(group, x, found, texts, shade)
    line |= {"uid": identifier(f"{group.label} product"), "showlegend": False, "yaxis": "y2"}
    line |= line_mode(1000)  # a line without markers
    traces = [line]
    if max(s.n for s in found) > 1:
        surface = band(identifier(f"{group.label} product"), x, found, shade)
        traces.insert(0, {**surface, "legendgroup": group.label, "yaxis": "y2"})
    return traces


def _undefined_print(counts: Sequence[tuple[str, int, int]]) -> list[str]:
    told = [
        _("{net}: {n} of {total} blocks").format(net=net, n=n, total=total)
        for net, n, total in counts
        if n
    ]
    if not told:
        return []
    return [
        _("no factor where the gradient is zero or overflows ({nets})").format(nets="; ".join(told))
    ]
