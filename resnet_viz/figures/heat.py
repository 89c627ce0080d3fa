"""Layer by step heat maps: one net beside another, and many as small multiples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from resnet_viz.figures.log_colours import colour_bar, log_colours
from resnet_viz.figures.profile_data import (
    ProfiledRun,
    ProfiledRuns,
    Values,
    borders_of,
    column_name,
    end_of,
    log_range,
    places,
    run_names,
    stride,
    thinned_profiles,
    values_of,
)
from resnet_viz.figures.style import TEMPLATE
from resnet_viz.i18n import _
from resnet_viz.records import RunInfo

_BORDER = {"color": "rgba(255,255,255,0.45)", "width": 1}
_OFF = 0.1  # of a layer; see `_layer_axis`


@dataclass(frozen=True)
class _Map:
    """What one heat map shows: `z[i]` is the net after step `x[i]`, a value a layer."""

    info: RunInfo
    name: str
    x: list[int]
    z: list[Values]
    every: int


def layer_heat(runs: ProfiledRuns, column: str, *, step: int | None = None) -> go.Figure:
    """One heat map a run, side by side on one log colour scale; the input is at the bottom.

    Args:
        runs: one to three, with profiles in order of step.
        column: one of `records.PROFILE_COLUMNS`, or "branch_share".
        step: marked by a vertical line.

    Returns:
        A figure whose maps grow at the end of their lists: row i of z is the net after step
        x[i] (`transpose`), at most `MAX_STEPS` of them.
    """
    maps = _maps(runs, column)
    figure = make_subplots(
        rows=1,
        cols=max(1, len(maps)),
        subplot_titles=[m.name for m in maps],
        horizontal_spacing=0.05,
    )
    _lay_out(figure, maps, column)
    end = end_of(runs)
    for place, m in enumerate(maps, 1):
        _draw(figure, m, column, (1, place), end)
        alike = place > 1 and m.info.spec.net.stage_blocks == maps[0].info.spec.net.stage_blocks
        figure.update_yaxes(showticklabels=not alike, col=place)
        figure.update_xaxes(title={"text": _("step"), "standoff": 8}, col=place)
        if step is not None and m.x:
            _mark(figure, step, place)
    return figure


def depth_multiples(runs: ProfiledRuns, column: str) -> go.Figure:
    """Small heat maps on one log colour scale: a row a family, a column a depth.

    Args:
        runs: any number; of several of one net, the first that has profiles is shown.
        column: one of `records.PROFILE_COLUMNS`, or "branch_share".
    """
    chosen = _one_a_net(runs)
    families = list(dict.fromkeys(family for family, _depth in chosen))
    depths = sorted({depth for _family, depth in chosen})
    figure = make_subplots(
        rows=max(1, len(families)),
        cols=max(1, len(depths)),
        column_titles=[_("depth {depth}").format(depth=depth) for depth in depths],
        row_titles=families,
        horizontal_spacing=0.02,
        vertical_spacing=0.05,
        specs=[[{} if (f, d) in chosen else None for d in depths] for f in families] or [[{}]],
    )
    maps = dict(zip(chosen, _maps(list(chosen.values()), column), strict=True))
    _lay_out(figure, list(maps.values()), column)
    end = end_of(list(chosen.values()))
    for (family, depth), m in maps.items():
        row, col = families.index(family) + 1, depths.index(depth) + 1
        _draw(figure, m, column, (row, col), end)
        lowest = not any((below, depth) in chosen for below in families[row:])
        leftmost = not any((family, before) in chosen for before in depths[: col - 1])
        ends = _ends(len(places(m.info.spec, column)))
        figure.update_yaxes(row=row, col=col, showticklabels=leftmost, **ends)
        title = {"text": _("step") if lowest else None, "standoff": 8}
        figure.update_xaxes(row=row, col=col, nticks=3, showticklabels=lowest, title=title)
    return figure


def _one_a_net(runs: ProfiledRuns) -> dict[tuple[str, int], ProfiledRun]:
    chosen: dict[tuple[str, int], ProfiledRun] = {}
    for run in runs:
        net = (run[0].spec.net.family, run[0].spec.net.depth)
        if net not in chosen or (run[1] and not chosen[net][1]):
            chosen[net] = run
    return chosen


def _maps(runs: ProfiledRuns, column: str) -> list[_Map]:
    names = run_names(runs)
    maps = []
    for info, profiles in runs:
        measured = [p for p in profiles if values_of(p, column)]
        shown = thinned_profiles(measured)
        every = stride(len(measured)) if len(shown) < len(measured) else 1
        z = [values_of(p, column) for p in shown]
        maps.append(_Map(info, names[info.id], [p.step for p in shown], z, every))
    return maps


def _draw(figure: go.Figure, m: _Map, column: str, place: tuple[int, int], end: int) -> None:
    """The map of one net in its place, with its axes and the borders of its stages."""
    row, col = place
    borders = borders_of(m.info.spec, column)
    if m.x:
        figure.add_trace(_heat(m, column), row=row, col=col)
        for border in borders:
            figure.add_hline(y=border - 0.5, line=_BORDER, row=row, col=col)
    else:
        panel = figure.get_subplot(row, col)
        figure.add_annotation(
            text=_missing(m.info, column),
            showarrow=False,
            x=sum(panel.xaxis.domain) / 2,
            y=sum(panel.yaxis.domain) / 2,
            xref="paper",
            yref="paper",
        )
    figure.update_xaxes(range=[0, max(1.01 * end, end + 0.5)], showgrid=False, row=row, col=col)
    count = len(places(m.info.spec, column))
    figure.update_yaxes(row=row, col=col, **_layer_axis(count, borders))


def _heat(m: _Map, column: str) -> go.Heatmap:
    hover = [
        f"<b>{m.name}</b>",
        _("step {step}").format(step="%{x:,}"),
        "%{y}",
        _("{column}: {value}").format(column=column_name(column), value="%{z:.3g}"),
    ]
    return go.Heatmap(
        uid=f"run-{m.info.id}",
        name=m.name,
        x=m.x,
        y=places(m.info.spec, column),
        z=m.z,
        transpose=True,
        coloraxis="coloraxis",
        hoverongaps=False,
        hovertemplate="<br>".join(hover) + "<extra></extra>",
    )


def _layer_axis(count: int, borders: Sequence[int]) -> dict[str, Any]:
    """Ticks at both ends, and a name in the middle of each stage.

    Each layer is a category, so that hover can name it. Plotly would hover a tick's text
    instead where a tick lies on a layer or between two, so ticks lie a little beside.
    """
    middles = {
        (first + last - 1) / 2 + _OFF: _("stage {s}").format(s=s)
        for s, (first, last) in enumerate(pairwise(borders), 1)
    }
    ends = _ends(count)
    return {
        "type": "category",
        "range": ends["range"],
        "tickvals": [*ends["tickvals"], *middles],
        "ticktext": [*ends["ticktext"], *middles.values()],
        "ticks": "",
        "ticklabelstandoff": 4,
        "showgrid": False,
        "zeroline": False,
    }


def _ends(count: int) -> dict[str, Any]:
    return {
        "range": [-0.5, count - 0.5],
        "tickvals": [-0.5 + _OFF, count - 0.5 - _OFF],
        "ticktext": [_("input"), _("output")],
    }


def _missing(info: RunInfo, column: str) -> str:
    if column == "sum_norm" and info.spec.net.family == "plain":
        return _("a plain block<br>adds nothing")
    return _("not measured<br>yet") if info.status in ("queued", "running") else _("not measured")


def _mark(figure: go.Figure, step: int, col: int) -> None:
    """Light on dark, so that it shows on every colour."""
    figure.add_vline(x=step, line={"color": "rgba(0,0,0,0.7)", "width": 4}, row=1, col=col)
    figure.add_vline(x=step, line={"color": "white", "width": 1.5}, row=1, col=col)


def _lay_out(figure: go.Figure, maps: Sequence[_Map], column: str) -> None:
    """Everything but the maps: the shared colours, their bar, and the small print."""
    title = _("{column} (log scale)").format(column=column_name(column))
    view = " ".join(str(m.info.id) for m in maps)
    small_print = _small_print(maps)
    figure.update_layout(
        template=TEMPLATE,
        margin={"l": 56, "r": 12, "t": 36, "b": 56 + 20 * len(small_print)},
        showlegend=False,
        hovermode="closest",
        uirevision=f"{column}|{view}",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_annotations(font={"size": 14})
    if small_print:
        figure.add_annotation(
            text="<br>".join(small_print),
            font={"size": 12},
            showarrow=False,
            align="left",
            xref="paper",
            yref="paper",
            x=0,
            y=0,
            xanchor="left",
            yanchor="top",
            yshift=-46,
        )
    shown = [value for m in maps for values in m.z for value in values]
    if any(shown):
        low, high = log_range(shown)
        figure.update_layout(coloraxis=log_colours(low, high))
        figure.add_trace(colour_bar(low, high, title))


def _small_print(maps: Sequence[_Map]) -> list[str]:
    lines = []
    blank = sum(value is None for m in maps for values in m.z for value in values)
    if blank:
        lines.append(_("blank: exactly zero or not finite ({n:,} values)").format(n=blank))
    every = max((m.every for m in maps), default=1)
    if every > 1:
        lines.append(_("one in {n} of the measured steps, and the last").format(n=every))
    return lines
