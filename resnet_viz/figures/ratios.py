"""How much larger the gradient is at the first convolution than at the last, against depth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.marks import log_axis
from resnet_viz.figures.palette import LOOKS, NEUTRAL, colour
from resnet_viz.figures.profiles.data import (
    ProfiledRuns,
    Values,
    line_labels,
    of_layers,
    profile_up_to,
    values_of,
)
from resnet_viz.figures.spread import number_text
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _


@dataclass(frozen=True)
class RatioPoint:
    """Gradient norm of the first convolution over that of the last, in nets of one depth.

    Attributes:
        family, depth: the nets.
        ratios: a seed; those that are not finite or not positive are not drawn.
        label: in what its line differs from the others of its family, or "".
        steps: a seed; the step at which it was measured. Empty at initialisation.
        reached: every seed has trained up to the step asked for.
    """

    family: str
    depth: int
    ratios: tuple[float, ...]
    label: str = ""
    steps: tuple[int, ...] = ()
    reached: bool = True

    @property
    def name(self) -> str:
        """Family and depth, as `NetSpec.name`."""
        return f"{self.family}-{self.depth}"

    @property
    def shown(self) -> tuple[float, ...]:
        """The ratios that have a logarithm, in ascending order."""
        return tuple(sorted(r for r in self.ratios if math.isfinite(r) and r > 0))

    @property
    def mean(self) -> float:
        """Geometric mean of those shown; NaN without any."""
        return math.exp(fmean(map(math.log, self.shown))) if self.shown else math.nan


def first_and_last(values: Values, column: str) -> tuple[float | None, float | None]:
    """Of the first and the last convolution, which is not the head; or of both end blocks."""
    return values[0], values[-2 if of_layers(column) else -1]


def ratio_of(values: Values, column: str = "gradient_norm") -> float:
    """First over last, as `first_and_last`; NaN where one is missing."""
    first, last = first_and_last(values, column) if values else (None, None)
    return math.nan if first is None or last is None else first / last


def ratios_at(runs: ProfiledRuns, step: int | None = None) -> list[RatioPoint]:
    """One point a net from the profiles of its seeds.

    Args:
        runs: any; those without a profile up to `step` are left out.
        step: take each run's last profile at or before it; None for its last.

    Returns:
        Points in order of family (as they first appear), label and depth.
    """
    labels = line_labels(runs)
    groups: dict[tuple[str, str, int], list[tuple[float, int, bool]]] = {}
    for info, profiles in runs:
        profile = profile_up_to(profiles, step)
        if profile is not None:
            net = info.spec.net
            reached = info.status == "done" if step is None else info.step >= step
            measured = (ratio_of(values_of(profile, "gradient_norm")), profile.step, reached)
            groups.setdefault((net.family, labels[info.id], net.depth), []).append(measured)
    families = list(dict.fromkeys(family for family, _label, _depth in groups))
    order = sorted(groups, key=lambda key: (families.index(key[0]), *key[1:]))
    points = []
    for family, label, depth in order:
        ratios, steps, all_reached = zip(*groups[family, label, depth], strict=True)
        points.append(RatioPoint(family, depth, ratios, label, steps, all(all_reached)))
    return points


def ratio_vs_depth(points: Sequence[RatioPoint]) -> go.Figure:
    """One line a family: geometric mean over the seeds, with bars from the least to the most.

    Args:
        points: of one net each, such as `ratios_at` gives; depths of a line in order.

    Returns:
        A figure with a log y axis and a line where both ends have equal gradients. A hollow
        marker is a net that has not trained so far yet.
    """
    drawn = [point for point in points if point.shown]
    titles = (
        _("depth (weighted layers)"),
        _("gradient norm (log scale)<br>first convolution over last"),
    )
    figure = go.Figure(layout=layout(*titles, small_print=_small_print(points)))
    labels = {f: list(dict.fromkeys(p.label for p in drawn if p.family == f)) for f in LOOKS}
    for (family, label), line in groupby(drawn, key=lambda p: (p.family, p.label)):
        ranks = range(len(labels[family]))
        shade = colour(family, labels[family].index(label), ranks)
        figure.add_trace(_line(family, label, list(line), shade))
    ratios = (ratio for p in drawn for ratio in p.shown)
    figure.update_yaxes(**log_axis([1.0, *ratios]), rangemode="normal")
    figure.add_hline(y=1, line={"color": NEUTRAL, "dash": "dot", "width": 1.5})
    figure.add_annotation(
        text=_("equal"),
        font={"size": 12, "color": NEUTRAL},
        showarrow=False,
        xref="paper",
        x=1,
        xanchor="left",
        y=0,  # the logarithm of 1
    )
    figure.update_layout(margin={"r": 48})
    ticks = sorted({p.depth for p in points})
    if 0 < len(ticks) <= 8:
        figure.update_xaxes(tickvals=ticks)
    return figure


def _line(family: str, label: str, points: Sequence[RatioPoint], shade: str) -> go.Scatter:
    look = LOOKS[family]
    name = f"{family} ({label})" if label else family
    above = [p.shown[-1] - p.mean for p in points]
    below = [p.mean - p.shown[0] for p in points]
    bars: dict[str, Any] = {}
    if any(len(p.shown) > 1 for p in points):
        bars = {"type": "data", "array": above, "arrayminus": below, "symmetric": False}
        bars |= {"thickness": 1.5, "width": 5}
    return go.Scatter(
        uid=identifier(name),
        name=name,
        mode="lines+markers",
        cliponaxis=False,
        line={"color": shade, "dash": look.dash, "width": 2},
        marker={
            "color": shade,
            "symbol": [look.symbol if p.reached else f"{look.symbol}-open" for p in points],
            "size": 10,
            "line": {"width": 2, "color": shade},
        },
        x=[p.depth for p in points],
        y=[p.mean for p in points],
        error_y=bars,
        text=[_hover(p) for p in points],
        hovertemplate="%{text}<extra></extra>",
    )


def _hover(point: RatioPoint) -> str:
    lines = [f"<b>{point.name}</b>", point.label]
    lines.append(_("first over last: {ratio}").format(ratio=number_text(point.mean)))
    if len(point.shown) > 1:
        each = ", ".join(number_text(ratio) for ratio in point.shown)
        lines.append(_("{n} seeds: {ratios}").format(n=len(point.shown), ratios=each))
    if point.steps:
        low, high = min(point.steps), max(point.steps)
        steps = f"{low:,}" if low == high else f"{low:,}–{high:,}"
        lines.append(_("measured at step {steps}").format(steps=steps))
    return "<br>".join(line for line in lines if line)


def _small_print(points: Sequence[RatioPoint]) -> list[str]:
    counts = [len(point.shown) for point in points if point.shown]
    lines = [] if points else [_("no measurements yet")]
    if counts:
        low, high = min(counts), max(counts)
        seeds = str(high) if low == high else _("{low} to {high}").format(low=low, high=high)
        lines = [_("one seed")]
        if high > 1:
            lines = [_("geometric mean of {n} seeds; bars: least to most").format(n=seeds)]
    left_out = sum(len(point.ratios) - len(point.shown) for point in points)
    if left_out:
        lines.append(_("left out: {n} that are zero or not finite").format(n=left_out))
    if not all(point.reached for point in points):
        lines.append(_("hollow: has not trained so far yet"))
    return lines
