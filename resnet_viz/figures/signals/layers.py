"""How a signal goes forward and a gradient back through fresh nets, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.marks import (
    band,
    edge_axis,
    edge_marks,
    edge_print,
    line_mode,
    log_axis,
    number_axis,
    shade_of,
    stage_borders,
    stage_ends,
)
from resnet_viz.figures.palette import LOOKS
from resnet_viz.figures.ratios import RatioPoint
from resnet_viz.figures.spread import (
    CIFAR,
    Images,
    NetSignals,
    Spread,
    by_net,
    net_variants,
    spread_text,
    spreads,
)
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.layers import Block, blocks_of, depths_reached, weighted_layers
from resnet_viz.signals import Signal, Vector
from resnet_viz.specs import NetSpec


def response_vs_layer(signals: Sequence[Signal], images: Images = CIFAR) -> go.Figure:
    """Response std of every weighted layer on a log axis, one line a net.

    Args:
        signals: of one net or several, one a seed.
        images: what they were measured on, for the shapes that are told.

    Returns:
        A figure: geometric mean over the seeds, with a band from the least to the most.
    """
    where = _("after the batch norm that follows, if any; before ReLU and addition")
    return _against_layers(
        signals, images, lambda s: s.response_std, _("response std (log axis)"), [where]
    )


def gradient_vs_layer(signals: Sequence[Signal], images: Images = CIFAR) -> go.Figure:
    """Norm of the loss's gradient by every layer's weights; otherwise as `response_vs_layer`."""
    return _against_layers(
        signals, images, lambda s: s.gradient_norm, _("weight gradient norm (log axis)")
    )


def boundary_gradient(signals: Sequence[Signal], images: Images = CIFAR) -> go.Figure:
    """Norm of the loss's gradient by the input of every block, and by the last one's output.

    Otherwise as `response_vs_layer`.
    """
    groups = by_net(signals)
    most = max((len(blocks_of(g.net)) for g in groups), default=0)
    title = _("blocks passed (0: input of the first block, {n}: output of the last)")
    figure = _lines(
        groups,
        lambda s: s.boundary_norm,
        lambda net: (0, _boundary_texts(net, images)),
        (title.format(n=most), _("norm of ∂L/∂x (log axis)")),
        things=_("boundaries"),
    )
    figure.update_xaxes(**number_axis(0, most))
    _mark_stages(figure, groups, lambda net: [0, *stage_ends(net)])
    return figure


def ratio_points(signals: Sequence[Signal]) -> list[RatioPoint]:
    """A point a net for `ratios.ratio_vs_depth`; in order of family, variant and depth.

    Args:
        signals: of nets of any depths, one a seed.
    """
    told = net_variants(list(dict.fromkeys(s.net for s in signals)))
    families = list(dict.fromkeys(s.net.family for s in signals))
    points = [
        RatioPoint(g.net.family, g.net.depth, tuple(s.ratio for s in g.signals), told[g.net])
        for g in by_net(signals)
    ]
    return sorted(points, key=lambda p: (families.index(p.family), p.label, p.depth))


def stage_marks_of_blocks(net: NetSpec) -> list[float]:
    """Borders of the stages where block numbers are the axis."""
    return [0.5, *(end + 0.5 for end in stage_ends(net))]


def _against_layers(
    signals: Sequence[Signal],
    images: Images,
    values: Callable[[Signal], Vector],
    y_title: str,
    small_print: Sequence[str] = (),
) -> go.Figure:
    groups = by_net(signals)
    depths = {group.net.depth for group in groups}
    last = str(max(depths)) if len(depths) == 1 else _("last")
    figure = _lines(
        groups,
        values,
        lambda net: (1, _layer_texts(net, images)),
        (_("layer (1: stem, {last}: head)").format(last=last), y_title),
        things=_("layers"),
        small_print=small_print,
    )
    figure.update_xaxes(**number_axis(1, max(depths, default=1)))
    _mark_stages(figure, groups, _layer_borders)
    return figure


def _layer_borders(net: NetSpec) -> list[float]:
    reached = depths_reached(net)
    return [1.5, *(reached[end] + 0.5 for end in stage_ends(net))]


def _lines(
    groups: Sequence[NetSignals],
    values: Callable[[Signal], Vector],
    places: Callable[[NetSpec], tuple[int, list[str]]],
    titles: tuple[str, str],
    *,
    things: str,
    small_print: Sequence[str] = (),
) -> go.Figure:
    """One line a net against the number of a place.

    Args:
        values: what of a signal is drawn.
        places: number of the net's first place, and every place in words.
        titles: of the axes.
        things: what the places are.
    """
    found = [(group, spreads([values(s) for s in group.signals])) for group in groups]
    bands: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for row, (group, drawn) in enumerate(found):
        first, words = places(group.net)
        x = list(range(first, first + len(drawn)))
        shade = shade_of(group, groups)
        texts = [
            f"<b>{group.label}</b><br>{place}<br>{spread_text(s)}"
            for place, s in zip(words, drawn, strict=True)
        ]
        uid = identifier(group.label)
        if max(s.n for s in drawn) > 1:
            bands.append({**band(uid, x, drawn, shade), "legendgroup": group.label})
        lines.append(mean_line(group, x, drawn, texts, shade))
        marks = edge_marks(uid, x, drawn, texts, shade, row)
        lines += [{**mark, "legendgroup": group.label} for mark in marks]
    extent = [v for _group, drawn in found for s in drawn for v in (s.low, s.high)]
    figure = go.Figure([*bands, *lines])
    figure.update_layout(
        layout(
            *titles,
            small_print=[*seeds_print(groups), *small_print, *edge_print(found, things)],
            view=" ".join(sorted({str(group.net.depth) for group in groups})),
        )
    )
    figure.update_layout(yaxis=log_axis(extent), yaxis9=edge_axis())
    return figure


def mean_line(
    group: NetSignals,
    x: Sequence[float],
    drawn: Sequence[Spread],
    texts: Sequence[str],
    shade: str,
) -> dict[str, Any]:
    """The trace of a net's means, in the look of its family; a gap where there is none."""
    look, mode = LOOKS[group.net.family], line_mode(len(x))
    if "marker" in mode:
        mode["marker"] |= {"symbol": look.symbol}
    return {
        "type": "scatter",
        "uid": identifier(f"{group.label} mean"),
        "name": group.label,
        "legendgroup": group.label,
        "showlegend": True,
        "line": {"color": shade, "dash": look.dash, "width": 2},
        **mode,
        "x": list(x),
        "y": [s.mean for s in drawn],
        "text": list(texts),
        "hovertemplate": "%{text}<extra></extra>",
    }


def seeds_print(groups: Iterable[NetSignals]) -> list[str]:
    """Small print: what is averaged over what."""
    groups = list(groups)
    counts = [len(group.signals) for group in groups]
    if not counts:
        return [_("no measurements yet")]
    if max(counts) == 1:
        return [f"{_('one seed')}, {batch_text(groups)}"]
    low, high = min(counts), max(counts)
    seeds = str(high) if low == high else _("{low} to {high}").format(low=low, high=high)
    text = _("geometric mean of {n} seeds, band: lowest to highest").format(n=seeds)
    return [text, batch_text(groups)]


def batch_text(groups: Iterable[NetSignals]) -> str:
    """How many images a batch has, on whose statistics batch norm and gradient depend."""
    sizes = sorted({signal.images for group in groups for signal in group.signals})
    text = ", ".join(map(str, sizes))
    return _("batches of {n} images").format(n=text)


def _mark_stages(
    figure: go.Figure, groups: Sequence[NetSignals], borders: Callable[[NetSpec], list[float]]
) -> None:
    """Borders of the stages, where all nets have the same."""
    different = {tuple(borders(group.net)) for group in groups}
    if len(different) == 1:
        figure.update_layout(stage_borders(different.pop()))


def _layer_texts(net: NetSpec, images: Images) -> list[str]:
    layers = weighted_layers(
        net, in_channels=images.channels, image_size=images.side, num_classes=images.classes
    )
    text = _("layer {n}: {place}<br>{shape}")
    return [
        text.format(n=n, place=layer.title, shape=layer.shape) for n, layer in enumerate(layers, 1)
    ]


def _boundary_texts(net: NetSpec, images: Images) -> list[str]:
    blocks = blocks_of(net, image_size=images.side)
    sides = [images.side, *(block.side for block in blocks)]
    texts = [
        _("input of {block}<br>{shape}").format(block=b.title, shape=_map_shape(b.c_in, side))
        for b, side in zip(blocks, sides[:-1], strict=True)
    ]
    return [*texts, _last_output(blocks[-1])]


def _last_output(block: Block) -> str:
    text = _("output of {block}<br>{shape}")
    return text.format(block=block.title, shape=_map_shape(block.c_out, block.side))


def _map_shape(channels: int, side: int) -> str:
    return _("{channels} channels, {side}×{side}").format(channels=channels, side=side)
