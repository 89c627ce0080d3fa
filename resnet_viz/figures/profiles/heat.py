"""Layer by step heat maps: one net beside another, and many as small multiples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.profiles.colours import colour_bar, log_colours
from resnet_viz.figures.profiles.data import (
    ProfiledRuns,
    Values,
    borders_of,
    column_name,
    end_of,
    log_range,
    of_layers,
    one_a_net,
    places,
    run_names,
    stride,
    thinned_profiles,
    values_of,
)
from resnet_viz.figures.style import TEMPLATE
from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE, RunInfo
from resnet_viz.specs import SHORTCUT_FAMILIES

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


@dataclass(frozen=True)
class _Panel:
    """A map in its place.

    Attributes:
        number: of its axes, from 1.
        x, y: domains of its axes, shares of the paper.
        stages, ends: which names its layer axis shows.
        steps: whether its step axis has numbers and a title.
    """

    map: _Map
    number: int
    x: tuple[float, float]
    y: tuple[float, float]
    stages: bool
    ends: bool
    steps: bool

    @property
    def suffix(self) -> str:
        """Of its axes' names: Plotly calls the first "x", the next "x2"."""
        return str(self.number) if self.number > 1 else ""


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
    panels = []
    for number, (m, x) in enumerate(zip(maps, _shares(len(maps), 0.05), strict=True), 1):
        like_first = m.info.spec.net.stage_blocks == maps[0].info.spec.net.stage_blocks
        named = number == 1 or not like_first
        panels.append(_Panel(m, number, x, (0, 1), stages=named, ends=named, steps=True))
    titles = [_note(p.map.name, sum(p.x) / 2, 1, yanchor="bottom") for p in panels]
    marks = [mark for p in panels if step is not None and p.map.x for mark in _marks(step, p)]
    return _figure(panels, column, end_of(runs), titles, marks)


def depth_multiples(runs: ProfiledRuns, column: str) -> go.Figure:
    """Small heat maps on one log colour scale: a row a family, a column a depth.

    Args:
        runs: any number; of several of one net, the first that has profiles is shown.
        column: one of `records.PROFILE_COLUMNS`, or "branch_share".
    """
    chosen = one_a_net(runs)
    families = list(dict.fromkeys(family for family, _depth in chosen))
    depths = sorted({depth for _family, depth in chosen})
    columns = dict(zip(depths, _shares(len(depths), 0.02, 0.97), strict=True))
    rows = dict(zip(families, reversed(_shares(len(families), 0.05)), strict=True))
    maps = _maps(list(chosen.values()), column)
    panels = []
    for number, ((family, depth), m) in enumerate(zip(chosen, maps, strict=True), 1):
        below = families[families.index(family) + 1 :]
        before = depths[: depths.index(depth)]
        place = _Panel(
            m,
            number,
            columns[depth],
            rows[family],
            stages=False,
            ends=not any((family, other) in chosen for other in before),
            steps=not any((other, depth) in chosen for other in below),
        )
        panels.append(place)
    titles = [
        _note(_("depth {depth}").format(depth=depth), sum(x) / 2, 1, yanchor="bottom")
        for depth, x in columns.items()
    ]
    titles += [
        _note(family, 0.975, sum(y) / 2, textangle=90, xanchor="left") for family, y in rows.items()
    ]
    return _figure(panels, column, end_of(list(chosen.values())), titles, [])


def _shares(count: int, gap: float, end: float = 1.0) -> list[tuple[float, float]]:
    """0..`end` in equal parts, `gap` apart."""
    width = (end - gap * (count - 1)) / max(1, count)
    return [(n * (width + gap), n * (width + gap) + width) for n in range(count)]


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


def _figure(
    panels: Sequence[_Panel],
    column: str,
    end: int,
    titles: Sequence[dict[str, Any]],
    marks: Sequence[dict[str, Any]],
) -> go.Figure:
    """Plain dictionaries throughout: adding to a figure trace by trace takes ten times as long."""
    small_print = _small_print([p.map for p in panels])
    notes = [*titles, *(_missing(p, column) for p in panels if not p.map.x)]
    if small_print:
        below = {"xanchor": "left", "yanchor": "top", "yshift": -46, "align": "left"}
        notes.append(_note("<br>".join(small_print), 0, 0, size=12, **below))
    layout: dict[str, Any] = {
        "template": TEMPLATE,
        # The titles stand clear of the chart's buttons.
        "margin": {"l": 56, "r": 12, "t": 56, "b": 56 + 20 * len(small_print)},
        "showlegend": False,
        "hovermode": "closest",
        "uirevision": " ".join([column, *(str(p.map.info.id) for p in panels)]),
        "annotations": notes,
        "shapes": [*(s for p in panels if p.map.x for s in _borders(p, column)), *marks],
    }
    traces = []
    shown = [value for p in panels for values in p.map.z for value in values]
    if any(shown):
        low, high = log_range(shown)
        layout["coloraxis"] = log_colours(low, high)
        title = _("{column} (log scale)").format(column=column_name(column))
        traces.append(colour_bar(low, high, title))
    for panel in panels:
        layout[f"xaxis{panel.suffix}"] = _step_axis(panel, end)
        layout[f"yaxis{panel.suffix}"] = _layer_axis(panel, column)
        if panel.map.x:
            traces.append(_heat(panel, column))
    return go.Figure(traces, layout)


def _heat(panel: _Panel, column: str) -> dict[str, Any]:
    m = panel.map
    hover = [
        f"<b>{m.name}</b>",
        _("step {step}").format(step="%{x:,}"),
        "%{y}",
        _("{column}: {value}").format(column=column_name(column), value="%{z:.3g}"),
    ]
    return {
        "type": "heatmap",
        "uid": f"run-{m.info.id}",
        "name": m.name,
        "x": m.x,
        "y": places(m.info.spec, column),
        "z": m.z,
        "transpose": True,
        "xaxis": f"x{panel.suffix}",
        "yaxis": f"y{panel.suffix}",
        "coloraxis": "coloraxis",
        "hoverongaps": False,
        "hovertemplate": "<br>".join(hover) + "<extra></extra>",
    }


def _step_axis(panel: _Panel, end: int) -> dict[str, Any]:
    return {
        "domain": panel.x,
        "anchor": f"y{panel.suffix}",
        "range": [0, max(1.01 * end, end + 0.5)],
        "showgrid": False,
        "nticks": 6 if panel.x[1] - panel.x[0] > 0.3 else 3,
        "showticklabels": panel.steps,
        "title": {"text": _("step") if panel.steps else None, "standoff": 8},
    }


def _layer_axis(panel: _Panel, column: str) -> dict[str, Any]:
    """Names at both ends, and for each stage one in its middle.

    Each layer is a category, so that hover can name it. Plotly would hover a tick's text
    instead where a tick lies on a layer or between two, so ticks lie a little beside.
    """
    borders = borders_of(panel.map.info.spec, column)
    count = borders[-1] + of_layers(column)  # the head comes after the last stage
    ticks = {-0.5 + _OFF: _("input"), count - 0.5 - _OFF: _("output")}
    if panel.stages:
        for s, (first, last) in enumerate(pairwise(borders), 1):
            ticks[(first + last - 1) / 2 + _OFF] = _("stage {s}").format(s=s)
    return {
        "domain": panel.y,
        "anchor": f"x{panel.suffix}",
        "type": "category",
        "range": [-0.5, count - 0.5],
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
        "showticklabels": panel.ends,
        "ticks": "",
        "ticklabelstandoff": 4,
        "showgrid": False,
        "zeroline": False,
    }


def _borders(panel: _Panel, column: str) -> list[dict[str, Any]]:
    return [
        _line(panel, {"y0": n - 0.5, "y1": n - 0.5}, "x", _BORDER)
        for n in borders_of(panel.map.info.spec, column)
    ]


def _marks(step: int, panel: _Panel) -> list[dict[str, Any]]:
    """Light on dark, so that it shows on every colour."""
    at = {"x0": step, "x1": step}
    dark, light = {"color": "rgba(0,0,0,0.7)", "width": 4}, {"color": "white", "width": 1.5}
    return [_line(panel, at, "y", line) for line in (dark, light)]


def _line(
    panel: _Panel, at: Mapping[str, float], along: str, line: dict[str, Any]
) -> dict[str, Any]:
    """A shape right across a panel, `along` one of its axes."""
    refs = {f"{axis}ref": f"{axis}{panel.suffix}" for axis in "xy"}
    refs[f"{along}ref"] += " domain"
    return {"type": "line", **refs, **at, f"{along}0": 0, f"{along}1": 1, "line": line}


def _missing(panel: _Panel, column: str) -> dict[str, Any]:
    info = panel.map.info
    text = _("not measured")
    if info.status in ACTIVE:
        text = _("not measured<br>yet")
    if column == "sum_norm" and info.spec.net.family not in SHORTCUT_FAMILIES:
        text = _("nothing is added<br>in these blocks")
    return _note(text, sum(panel.x) / 2, sum(panel.y) / 2)


def _note(text: str, x: float, y: float, *, size: int = 14, **more: Any) -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "x": x, "y": y}
    place |= {"xanchor": "center", "yanchor": "middle"}
    return {"text": text, "font": {"size": size}, "showarrow": False, **place, **more}


def _small_print(maps: Sequence[_Map]) -> list[str]:
    lines = []
    blank = sum(value is None for m in maps for values in m.z for value in values)
    if blank:
        lines.append(_("blank: zero or not finite in float32 ({n:,} values)").format(n=blank))
    every = max((m.every for m in maps), default=1)
    if every > 1:
        lines.append(_("one in {n} of the measured steps, and the last").format(n=every))
    return lines
