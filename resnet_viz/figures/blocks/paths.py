"""Paths by their length: how many there are, and how much gradient they carry.

Veit et al. 2016, arXiv:1605.06431, Fig. 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from resnet_viz.blockwise import PathLengths, window
from resnet_viz.figures.blocks.lesions import percent, shades
from resnet_viz.figures.marks import log_axis, number_axis, see_through
from resnet_viz.figures.palette import LOOKS
from resnet_viz.figures.spread import number_text
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _

HELD = 0.9  # of the gradient, by which captions say how long its paths are
Labelled = tuple[str, PathLengths]


def x_of(each: PathLengths, unit: str) -> list[int]:
    """Lengths as an axis shows them.

    Args:
        unit: "blocks" (branches on the path) or "layers" (weighted layers on it).
    """
    return list(each.layers) if unit == "layers" else list(range(len(each.norms)))


def shares_by_length(found: Sequence[Labelled], unit: str = "blocks") -> go.Figure:
    """Share of the paths (dotted) and of the gradient (filled) by length, in per cent."""
    traces: list[dict[str, Any]] = []
    notes = []
    for (label, each), shade in zip(found, shades([e.net for _l, e in found]), strict=True):
        look, x = LOOKS[each.net.family], x_of(each, unit)
        if sum(each.counts) == 1:  # a point at 100 % would flatten the curves of the others
            text = _("{net}: one path of length {length} has it all")
            notes.append(text.format(net=label, length=x[-1]))
            continue
        for name, shares, style in (
            (_("{net}: gradient").format(net=label), each.gradient_shares, {"fill": "tozeroy"}),
            (_("{net}: paths").format(net=label), each.path_shares, {}),
        ):
            dash = look.dash if style else "1px,4px"
            traces.append(
                {
                    "type": "scatter",
                    "uid": identifier(name),
                    "name": name,
                    "mode": "lines+markers",
                    "line": {"color": shade, "dash": dash, "width": 2.5},
                    "marker": {
                        "symbol": look.symbol if style else f"{look.symbol}-open",
                        "size": 6,
                        "color": shade,
                    },
                    "fillcolor": see_through(shade, 0.18),
                    **style,
                    "x": x,
                    "y": [100 * s if math.isfinite(s) else None for s in shares],
                    "text": _hovers(label, each),
                    "hovertemplate": "%{text}<extra></extra>",
                }
            )
    notes = [
        *notes,
        _("gradient: number of paths × mean gradient norm of a path of that length"),
        _images_print(found),
    ]
    return _figure(found, traces, unit, _("share (%)"), notes)


def norm_by_length(found: Sequence[Labelled], unit: str = "blocks") -> go.Figure:
    """Gradient norm of one path by its length, on a log axis; a dot a path, the line their mean."""
    traces: list[dict[str, Any]] = []
    values: list[float] = []
    for (label, each), shade in zip(found, shades([e.net for _l, e in found]), strict=True):
        look, x = LOOKS[each.net.family], x_of(each, unit)
        dots = [(at, v) for at, norms in zip(x, each.norms, strict=True) for v in norms if v > 0]
        values += [v for _at, v in dots]
        traces.append(
            {
                "type": "scatter",
                "uid": identifier(f"{label} paths"),
                "legendgroup": label,
                "showlegend": False,
                "mode": "markers",
                "marker": {"color": see_through(shade, 0.4), "size": 5, "symbol": look.symbol},
                "x": [at for at, _v in dots],
                "y": [v for _at, v in dots],
                "hovertemplate": f"<b>{label}</b>, %{{x}}: %{{y:.2g}}<extra></extra>",
            }
        )
        traces.append(
            {
                "type": "scatter",
                "uid": identifier(label),
                "name": label,
                "legendgroup": label,
                "mode": "lines+markers",
                "line": {"color": shade, "dash": look.dash, "width": 2},
                "marker": {"symbol": look.symbol, "size": 7},
                "x": x,
                "y": [mean or None for mean in each.means],
                "text": _hovers(label, each),
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    title = _("gradient norm of one path (log axis)")
    figure = _figure(found, traces, unit, title, [_images_print(found)])
    figure.update_layout(yaxis=log_axis(values))
    return figure


def _figure(
    found: Sequence[Labelled],
    traces: list[dict[str, Any]],
    unit: str,
    y_title: str,
    notes: Sequence[str],
) -> go.Figure:
    figure = go.Figure(traces)
    titles = {
        "blocks": _("length of the path: blocks whose branch it takes"),
        "layers": _("length of the path: weighted layers on it"),
    }
    names = " ".join(label for label, _each in found)
    figure.update_layout(layout(titles[unit], y_title, small_print=notes, view=names))
    most = max((x_of(each, unit)[-1] for _label, each in found), default=1)
    figure.update_layout(xaxis=number_axis(0, most))
    return figure


def _hovers(label: str, each: PathLengths) -> list[str]:
    text = _(
        "<b>{net}</b><br>{n} of {all} blocks by their branch, {layers} weighted layers<br>"
        "{count} paths ({paths}); gradient of one {mean}; share of the gradient {gradient}"
    )
    blocks = len(each.norms) - 1
    return [
        text.format(
            net=label,
            n=length,
            all=blocks,
            layers=layers,
            count=big(count),
            paths=percent(share),
            mean=_("not sampled") if mean is None else number_text(mean),
            gradient=percent(gradient) if math.isfinite(gradient) else "–",
        )
        for length, (layers, count, share, mean, gradient) in enumerate(
            zip(
                *(each.layers, each.counts, each.path_shares, each.means, each.gradient_shares),
                strict=True,
            )
        )
    ]


def big(count: int) -> str:
    """A number of paths: "512", or "1.3·10⁸" as people write it."""
    return f"{count:,}" if count < 100_000 else number_text(float(count))


def _images_print(found: Sequence[Labelled]) -> str:
    sampled = max((len(norms) for _label, each in found for norms in each.norms), default=0)
    images = ", ".join(str(n) for n in sorted({each.images for _label, each in found}))
    text = _("up to {n} paths of each length, drawn at random; one batch of {images} images")
    return text.format(n=sampled, images=images)


def paths_caption(found: Sequence[Labelled]) -> str:
    """How deep the gradient really goes."""
    return " ".join(_sentence(label, each) for label, each in found)


def _sentence(label: str, each: PathLengths) -> str:
    blocks, total = len(each.norms) - 1, sum(each.counts)
    if total == 1:
        text = _("{net} has one path, through all its {n} blocks: all of its gradient takes it.")
        return text.format(net=label, n=blocks)
    shares = each.gradient_shares
    if not all(map(math.isfinite, shares)):
        return _("{net}: no path brings any gradient.").format(net=label)
    first, last = window(shares, HELD)
    mean_path = sum(k * share for k, share in enumerate(each.path_shares))
    mean_gradient = sum(k * share for k, share in enumerate(shares))
    text = _(
        "{net} has {total} paths; on average one takes {mean:.1f} of {n} branches. {held:.0%} of "
        "the gradient comes along paths with {first} to {last} branches ({layers} weighted "
        "layers), which are {paths} of all paths; weighted by gradient, a path takes "
        "{by_gradient:.1f}."
    )
    sentence = text.format(
        net=label,
        total=big(total),
        mean=mean_path,
        n=blocks,
        held=HELD,
        first=first,
        last=last,
        layers=f"{each.layers[first]}–{each.layers[last]}",
        paths=percent(sum(each.path_shares[first : last + 1])),
        by_gradient=mean_gradient,
    )
    # Half a block is less than what a handful of sampled paths can tell.
    if mean_gradient < mean_path - 0.5:
        return sentence + " " + _("The gradient prefers the shorter paths.")
    if mean_gradient > mean_path + 0.5:
        return sentence + " " + _("Here the gradient prefers the longer paths.")
    return sentence + " " + _("That is about as long as paths are on average.")
