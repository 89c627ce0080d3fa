"""Error against training step, and error against depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.aggregate import Point, Run, Runs, aggregate, variants
from resnet_viz.figures.palette import LOOKS, NEUTRAL, colour, line_and_marker
from resnet_viz.figures.style import identifier, layout
from resnet_viz.figures.thinning import MAX_POINTS, thinned
from resnet_viz.i18n import _
from resnet_viz.papers import Published
from resnet_viz.records import RUNNING_STEPS, History, RunInfo

_LEAST_APART = 0.04  # of the axis, between two depths that are named on it
POINTS_A_CHART = 40_000  # hundreds of runs get fewer points each


def error_name(column: str) -> str:
    """What a column of errors holds, for an axis or a table head."""
    names = {
        "running_error": _("training error (%)<br>mean of the last {n} steps"),
        "train_error": _("training error (%)<br>whole training set"),
        "val_error": _("validation error (%)"),
        "test_error": _("test error (%)"),
    }
    return names[column].format(n=RUNNING_STEPS)


def error_vs_step(runs: Runs, column: str = "running_error") -> go.Figure:
    """One line a run; the seeds and learning rates of one net share colour and legend entry.

    Runs of several recipes or sweeps have a legend entry for each of them.

    Args:
        runs: with their records; fractions.
        column: one of the error columns of `records.COLUMNS`.

    Returns:
        A figure in per cent, at most `MAX_POINTS` points a line.
    """
    labels = variants(runs)
    depths, numbers = _depths(runs), _variant_numbers(runs)
    limit = min(MAX_POINTS, max(200, POINTS_A_CHART // max(1, len(runs))))
    lines: list[dict[str, Any]] = []
    for info, history in sorted(runs, key=_family_and_depth(runs)):
        if history.steps.get(column):
            net = info.spec.net
            label = labels[info.id]
            dash, _symbol = line_and_marker(net.family, numbers[net.family, label])
            line = _step_line(info, history, column, limit, depths[net.family], label)
            line["line"]["dash"] = dash
            lines.append(line)
    entries = {line["name"]: line["uid"] for line in reversed(lines)}  # the first of each net
    for line in lines:
        line["showlegend"] = entries[line["name"]] == line["uid"]
    return go.Figure(lines, layout(_("step"), error_name(column), view=_sweeps(runs)))


def _step_line(
    info: RunInfo,
    history: History,
    column: str,
    limit: int,
    depths: Sequence[int],
    variant: str,
) -> dict[str, Any]:
    net = info.spec.net
    ranks = sorted(depths)
    width = 1.5 + 1.5 * ranks.index(net.depth) / max(1, len(ranks) - 1)  # the deeper, the wider
    shade = colour(net.family, net.depth, depths)
    name = _named(net.name, variant)
    x, y = thinned(history.steps[column], history.values[column], limit)
    return {
        "type": "scatter",
        "uid": f"run-{info.id}",
        "name": name,
        "legendgroup": name,
        "mode": "lines",
        "line": {"color": shade, "width": width},
        "x": x,
        "y": [100 * value for value in y],
        "hovertemplate": _step_hover(info, variant),
    }


def _step_hover(info: RunInfo, variant: str) -> str:
    train = info.spec.train
    recipe = _("seed {seed}, learning rate {lr:g}").format(seed=train.seed, lr=train.lr)
    lines = [
        f"<b>{info.spec.net.name}</b>",
        recipe,
        variant,
        _("step {step}").format(step="%{x:,}"),
        _("error {error} %").format(error="%{y:.1f}"),
    ]
    return "<br>".join(line for line in lines if line) + "<extra></extra>"


def error_vs_depth(
    runs: Runs, column: str = "running_error", published: Sequence[Published] = ()
) -> go.Figure:
    """One line a family: the mean over seeds at every depth, with its standard deviation.

    Args:
        runs: with or without their records; fractions.
        column: one of the error columns of `records.COLUMNS`.
        published: numbers of papers, drawn beside the measured ones where the column is the
            same as theirs: "test_error".

    Returns:
        A figure in per cent. A hollow marker is a net that has not finished training.
    """
    points = aggregate(runs, column)
    depths, numbers = _depths(runs), _variant_numbers(runs)
    figure = go.Figure(
        layout=layout(
            _("depth (weighted layers)"),
            error_name(column),
            small_print=_small_print(points),
            view=_sweeps(runs),
        )
    )
    for (family, variant), line in groupby(points, key=lambda p: (p.family, p.variant)):
        look = line_and_marker(family, numbers[family, variant])
        figure.add_trace(_depth_line(family, variant, list(line), depths[family], look))
    if column == "test_error" and published:
        figure.add_trace(_ghosts(list(dict.fromkeys(published))))
    ticks = _ticks(points)
    if 0 < len(ticks) <= 8:
        figure.update_xaxes(tickvals=ticks)
    return figure


def _ticks(points: Sequence[Point]) -> list[int]:
    """Depths to be named on the axis; of some too near to be read, that of most nets."""
    counts = Counter(p.depth for p in points)
    apart = _LEAST_APART * (max(counts, default=0) - min(counts, default=0))
    kept: list[int] = []
    for depth, _count in sorted(counts.items(), key=lambda item: (-item[1], -item[0])):
        if all(abs(depth - other) > apart for other in kept):
            kept.append(depth)
    return sorted(kept)


def _depth_line(
    family: str,
    variant: str,
    points: Sequence[Point],
    depths: Sequence[int],
    look: tuple[str, str],
) -> Any:
    dash, symbol = look
    shades = [colour(family, p.depth, depths) for p in points]
    name = _named(family, variant)
    bars = [None if p.std is None else 100 * p.std for p in points]
    return go.Scatter(
        uid=identifier(name),
        name=name,
        mode="lines+markers",
        cliponaxis=False,
        line={"color": colour(family, depths[0], depths[:1]), "dash": dash, "width": 2},
        marker={
            "color": shades,
            "symbol": [symbol if p.finished else f"{symbol}-open" for p in points],
            "size": 10,
            "line": {"width": 2},
        },
        x=[p.depth for p in points],
        y=[100 * p.mean for p in points],
        error_y={"type": "data", "array": bars, "thickness": 1.5, "width": 5} if any(bars) else {},
        text=[_point_hover(p) for p in points],
        hovertemplate="%{text}<extra></extra>",
    )


def _point_hover(point: Point) -> str:
    lines = [f"<b>{point.name}</b>", point.variant]
    if point.std is None:
        lines.append(_("error {mean:.1f} %, one seed").format(mean=100 * point.mean))
    else:
        lines.append(
            _("error {mean:.1f} ± {std:.1f} % ({n} seeds)").format(
                mean=100 * point.mean, std=100 * point.std, n=point.n
            )
        )
    rate = _("learning rate {lr:g}")
    if point.rates > 1:
        rate = _("learning rate {lr:g}, the best of {rates} by training error")
    lines.append(rate.format(lr=point.lr, rates=point.rates))
    step = _("after {step:,} steps") if point.finished else _("so far (step {step:,})")
    lines.append(step.format(step=point.step))
    return "<br>".join(line for line in lines if line)


def _small_print(points: Sequence[Point]) -> list[str]:
    if not points:
        return [_("no measurements yet")]
    fewest, most = min(p.n for p in points), max(p.n for p in points)
    rates = max(p.rates for p in points)
    parts = [_("one seed")]
    if most > 1:
        seeds = str(most) if fewest == most else _("{low} to {high}").format(low=fewest, high=most)
        parts = [_("mean ± standard deviation of {n} seeds").format(n=seeds)]
    if rates > 1:
        parts.append(_("best of {n} learning rates").format(n=rates))
    if not all(p.finished for p in points):
        parts.append(_("hollow: not finished"))
    return parts


def _ghosts(published: Sequence[Published]) -> Any:
    nets = [p.name.rsplit("-", 1) for p in published]
    return go.Scatter(
        uid="published",
        name=_("published"),
        mode="markers",
        cliponaxis=False,
        marker={
            "color": NEUTRAL,
            "symbol": [f"{LOOKS[family].symbol}-open-dot" for family, _depth in nets],
            "size": 11,
            "line": {"width": 1.5},
        },
        x=[int(depth) for _family, depth in nets],
        y=[100 * p.test_error for p in published],
        text=[_published_hover(p) for p in published],
        hovertemplate="%{text}<extra></extra>",
    )


def _published_hover(published: Published) -> str:
    error = _("published: {error:.2f} %").format(error=100 * published.test_error)
    lines = [f"<b>{published.name}</b>", error, published.note, published.source]
    return "<br>".join(line for line in lines if line)


def _named(name: str, variant: str) -> str:
    return f"{name} ({variant})" if variant else name


def _sweeps(runs: Runs) -> str:
    return " ".join(sorted({info.sweep_id for info, _history in runs}))


def _variant_numbers(runs: Runs) -> dict[tuple[str, str], int]:
    """A family and variant to its number among those of the family."""
    labels = variants(runs)
    found = sorted({(info.spec.net.family, labels[info.id]) for info, _history in runs})
    return {
        line: number
        for _family, lines in groupby(found, key=lambda line: line[0])
        for number, line in enumerate(lines)
    }


def _depths(runs: Iterable[Run]) -> dict[str, list[int]]:
    """Every depth of each family, finished or not, so that shades do not change on the way."""
    depths: dict[str, set[int]] = {}
    for info, _history in runs:
        depths.setdefault(info.spec.net.family, set()).add(info.spec.net.depth)
    return {family: sorted(values) for family, values in depths.items()}


def _family_and_depth(runs: Runs) -> Any:
    """Sort key: families in the order in which they appear, shallow nets first."""
    families = list(_depths(runs))
    return lambda run: (families.index(run[0].spec.net.family), run[0].spec.net.depth)
