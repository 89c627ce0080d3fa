"""How large the residual branches are beside what the shortcuts carry, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.maps.looked import Looked, shades
from resnet_viz.figures.marks import (
    edge_axis,
    edge_marks,
    line_mode,
    log_axis,
    number_axis,
    stage_borders,
    stage_ends,
)
from resnet_viz.figures.palette import LOOKS
from resnet_viz.figures.spread import number_text, spread
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.layers import Block, blocks_of
from resnet_viz.specs import SHORTCUT_FAMILIES


def branch_ratios(look: Looked) -> list[float]:
    """‖F(x)‖ over the norm of what the shortcut gives, a block; infinite where that is zero,
    NaN where both are. Empty for a net without shortcuts."""
    found = look.overview
    if look.net.family not in SHORTCUT_FAMILIES:
        return []
    return [
        branch / shortcut if shortcut else (math.inf if branch else math.nan)
        for branch, shortcut in zip(found.branch_norm, found.shortcut_norm, strict=True)
    ]


def branch_over_shortcut(looks: Sequence[Looked]) -> go.Figure:
    """‖F(x)‖ / ‖x‖ of every block for one image, on a log axis; x is what the shortcut gives.

    Hollow marks: the shortcut changes the shape. Nets without shortcuts are named below.
    """
    without = [look.label for look in looks if look.net.family not in SHORTCUT_FAMILIES]
    notes = [_("hollow: here resolution and channels change, so x is not the block's input")]
    if without:
        notes.append(_("no shortcuts: {nets}").format(nets=", ".join(without)))
    title = _("‖F(x)‖ / ‖x‖ (log axis)")
    figure = _against_blocks(looks, branch_ratios, title, notes, around=[1.0])
    figure.add_hline(y=1, line={"width": 1, "dash": "dash", "color": "rgba(128,138,151,0.8)"})
    return figure


def output_norms(looks: Sequence[Looked]) -> go.Figure:
    """L2 norm of every block's output for one image, on a log axis; plain nets too."""
    title = _("norm of the block's output (log axis)")
    return _against_blocks(looks, lambda look: list(look.overview.output_norm), title, [])


def _against_blocks(
    looks: Sequence[Looked],
    values: Callable[[Looked], list[float]],
    y_title: str,
    notes: Sequence[str],
    around: Sequence[float] = (),
) -> go.Figure:
    """A line a net; `around` are values that the y axis shows in any case."""
    drawn = [(look, shade, values(look)) for look, shade in zip(looks, shades(looks), strict=True)]
    drawn = [(look, shade, y) for look, shade, y in drawn if y]
    traces: list[dict[str, Any]] = []
    for row, (look, shade, y) in enumerate(drawn):
        texts = _hovers(look, y)
        x = list(range(1, len(y) + 1))
        traces.append(_line(look, x, y, texts, shade))
        found = [spread([v] if not math.isnan(v) else []) for v in y]
        traces += edge_marks(identifier(look.label), x, found, texts, shade, row)
    most = max((len(y) for _look, _shade, y in drawn), default=1)
    figure = go.Figure(traces)
    x_title = _("block ({n}: the last)").format(n=most)
    names = " ".join(sorted({look.net.name for look, *_rest in drawn}))
    figure.update_layout(layout(x_title, y_title, small_print=notes, view=names))
    shown = [v for *_rest, y in drawn for v in y if math.isfinite(v)]
    figure.update_layout(
        xaxis=number_axis(1, most), yaxis=log_axis([*around, *shown]), yaxis9=edge_axis()
    )
    ends = {tuple(stage_ends(look.net)) for look, *_rest in drawn}
    if len(ends) == 1:
        figure.update_layout(stage_borders([0.5, *(end + 0.5 for end in ends.pop())]))
    return figure


def _line(
    look: Looked, x: Sequence[int], y: Sequence[float], texts: Sequence[str], shade: str
) -> dict[str, Any]:
    family, mode = LOOKS[look.net.family], line_mode(len(x))
    if "marker" in mode:
        changes = [block.changes for block in blocks_of(look.net)]
        symbols = [f"{family.symbol}-open" if c else family.symbol for c in changes]
        mode["marker"] |= {"symbol": symbols, "line": {"width": 1.5, "color": shade}}
    return {
        "type": "scatter",
        "uid": identifier(look.label),
        "name": look.label,
        "showlegend": True,
        **mode,
        "line": {"color": shade, "dash": family.dash, "width": 2},
        "x": list(x),
        "y": [v if math.isfinite(v) and v > 0 else None for v in y],
        "text": list(texts),
        "hovertemplate": "%{text}<extra></extra>",
    }


def _hovers(look: Looked, y: Sequence[float]) -> list[str]:
    found, texts = look.overview, []
    for i, (block, value) in enumerate(zip(blocks_of(look.net), y, strict=True)):
        lines = [
            f"<b>{look.label}</b>",
            _("block {n}: {block}").format(n=i + 1, block=block.title),
            _value_text(value),
        ]
        if found.shortcut_norm:
            norms = _("norm of F(x) {f}, of what the shortcut gives {x}, of the sum {s}")
            lines.append(
                norms.format(
                    f=number_text(found.branch_norm[i]),
                    x=number_text(found.shortcut_norm[i]),
                    s=number_text(found.sum_norm[i]),
                )
            )
        texts.append("<br>".join(lines))
    return texts


def _value_text(value: float) -> str:
    return _("not defined: both are zero") if math.isnan(value) else number_text(value)


def branch_caption(look: Looked) -> str:
    """Where the branch is the larger part, and how the ratio runs along the depth."""
    ratios = branch_ratios(look)
    if not ratios:
        return _("{net} has no shortcuts: F(x) is all that a block gives.").format(net=look.label)
    good = [(r, b) for r, b in zip(ratios, blocks_of(look.net), strict=True) if math.isfinite(r)]
    if not any(r for r, _block in good):
        text = _("{net}: every residual branch is exactly zero, so each block is its shortcut.")
        return text.format(net=look.label)
    smaller = sum(r < 1 for r, _block in good)
    text = _("{net}: F(x) is smaller than what the shortcut carries in {n} of {total} blocks.")
    if smaller == len(ratios):
        text = _("{net}: F(x) is smaller than what the shortcut carries in every block.")
    sentences = [text.format(net=look.label, n=smaller, total=len(ratios))]
    low, high = min(good, key=lambda pair: pair[0]), max(good, key=lambda pair: pair[0])
    if len(good) > 1:
        text = _("‖F(x)‖/‖x‖ runs from {low} ({low_at}) to {high} ({high_at}).")
        sentences.append(
            text.format(
                low=number_text(low[0]),
                low_at=low[1].title,
                high=number_text(high[0]),
                high_at=high[1].title,
            )
        )
    return " ".join(sentences + _halves(good))


def _halves(good: Sequence[tuple[float, Block]]) -> list[str]:
    """The ratio's geometric mean in the first and in the last half of the blocks that keep
    their shape: the others' x is not the block's input."""
    same = [r for r, block in good if not block.changes and r > 0]
    if len(same) < 4:
        return []
    middle = len(same) // 2
    early, late = (math.exp(fmean(map(math.log, part))) for part in (same[:middle], same[middle:]))
    text = _(
        "Over the blocks that keep their shape its geometric mean is {early} in the first half "
        "and {late} in the second."
    )
    return [text.format(early=number_text(early), late=number_text(late))]
