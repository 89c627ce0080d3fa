"""A net at one step: a value for every layer or block, from the input to the output."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from resnet_viz.figures.marks import line_mode, log_axis, number_axis, see_through, stage_borders
from resnet_viz.figures.palette import LOOKS, colour
from resnet_viz.figures.profiles.data import (
    ProfiledRun,
    ProfiledRuns,
    Values,
    borders_of,
    column_name,
    of_layers,
    places,
    profile_up_to,
    run_names,
    values_of,
)
from resnet_viz.figures.style import layout
from resnet_viz.i18n import _

_BANDS_UP_TO = 3  # runs; more bands hide one another


def profile_at(runs: ProfiledRuns, column: str, step: int | None = None) -> go.Figure:
    """One line a run: value against layer, at the last profile at or before `step`.

    Behind the lines of up to three runs, bands from the least to the most of all steps. The
    axes are those of all steps, too, so that a line moves in a still picture.

    Args:
        runs: any, with profiles in order of step.
        column: one of `records.PROFILE_COLUMNS`, or "branch_share".
        step: None for each run's last.

    Returns:
        A figure with a log y axis. What is zero or not finite is missing from its line.
    """
    x_title = _("block, input to output")
    if of_layers(column):
        x_title = _("weighted layer, input to output")
    figure = go.Figure(
        layout=layout(
            x_title,
            _("{column} (log scale)").format(column=column_name(column)),
            small_print=_small_print(runs, column, step),
            view=" ".join(str(info.id) for info, _profiles in runs),
        )
    )
    shades = _shades(runs)
    extremes = {info.id: _extremes([values_of(p, column) for p in ps]) for info, ps in runs}
    if len(runs) <= _BANDS_UP_TO:
        figure.add_traces([_band(i, found, shades[i]) for i, found in extremes.items() if found])
    names = run_names(runs)
    for run in runs:
        profile = profile_up_to(run[1], step)
        values = values_of(profile, column) if profile else []
        if values:
            figure.add_trace(_line(run, column, values, names[run[0].id], shades[run[0].id]))
    ends = [end for found in extremes.values() for pair in found.values() for end in pair]
    figure.update_yaxes(**log_axis(ends), rangemode="normal")
    last = max((borders_of(info.spec, column)[-1] for info, _profiles in runs), default=1)
    figure.update_xaxes(**number_axis(1, last + of_layers(column)), rangemode="normal")
    _mark_stages(figure, runs, column)
    return figure


def _extremes(rows: Sequence[Values]) -> dict[int, tuple[float, float]]:
    """Number of a layer, or block, to its least and most positive value over all steps."""
    layers = enumerate(zip(*(row for row in rows if row), strict=True), 1)
    shown = {n: [v for v in values if v is not None] for n, values in layers}
    return {n: (min(values), max(values)) for n, values in shown.items() if values}


def _shades(runs: ProfiledRuns) -> dict[int, str]:
    nets = {info.id: info.spec.net for info, _profiles in runs}
    depths = {
        family: [net.depth for net in nets.values() if net.family == family] for family in LOOKS
    }
    return {i: colour(net.family, net.depth, depths[net.family]) for i, net in nets.items()}


def _line(run: ProfiledRun, column: str, values: Values, name: str, shade: str) -> go.Scatter:
    info, _profiles = run
    look = LOOKS[info.spec.net.family]
    value = _("{column}: {value}").format(column=column_name(column), value="%{y:.3g}")
    line = go.Scatter(
        uid=f"run-{info.id}",
        name=name,
        line={"color": shade, "dash": look.dash, "width": 2},
        x=list(range(1, len(values) + 1)),
        y=values,
        text=places(info.spec, column),
        hovertemplate=f"<b>{name}</b><br>%{{text}}<br>{value}<extra></extra>",
        **line_mode(len(values)),
    )
    return line.update(marker={"color": shade, "symbol": look.symbol})


def _band(run_id: int, extremes: dict[int, tuple[float, float]], shade: str) -> go.Scatter:
    there = [(n, high) for n, (_low, high) in extremes.items()]
    back = [(n, low) for n, (low, _high) in reversed(extremes.items())]
    return go.Scatter(
        uid=f"band-{run_id}",
        x=[n for n, _value in there + back],
        y=[value for _n, value in there + back],
        fill="toself",
        fillcolor=see_through(shade, 0.13),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def _mark_stages(figure: go.Figure, runs: ProfiledRuns, column: str) -> None:
    """The stages' names and borders, if they lie where they do in all nets."""
    borders = {tuple(borders_of(info.spec, column)) for info, _profiles in runs}
    if len(borders) == 1:
        figure.update_layout(stage_borders([border + 0.5 for border in borders.pop()]))


def _small_print(runs: ProfiledRuns, column: str, step: int | None) -> list[str]:
    """At which step each net is seen; and how many values have no place on a log axis."""
    names = run_names(runs)
    found = {info.id: profile_up_to(profiles, step) for info, profiles in runs}
    steps = {run_id: profile.step for run_id, profile in found.items() if profile}
    if not steps:
        return [_("no measurements yet")]
    lines = [_("at step {step:,}").format(step=max(steps.values()))]
    if len(set(steps.values())) > 1:
        each = _("{net} at step {step:,}")
        lines = [", ".join(each.format(net=names[i], step=s) for i, s in steps.items())]
    if len(runs) <= _BANDS_UP_TO:
        lines.append(_("bands: least to most of all steps"))
    blank = sum(v is None for p in found.values() if p for v in values_of(p, column))
    if blank:
        lines.append(_("missing: {n} zero or not finite in float32").format(n=blank))
    return lines
