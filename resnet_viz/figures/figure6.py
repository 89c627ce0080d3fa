"""He et al. 2015, Fig. 6: error against iterations, plain nets on the left, residual ones right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from resnet_viz.figures.aggregate import Run, Runs
from resnet_viz.figures.captions import sweep_caption
from resnet_viz.figures.page import html_page, html_table
from resnet_viz.figures.palette import LOOKS, colour
from resnet_viz.figures.style import TEMPLATE
from resnet_viz.figures.thinning import thinned
from resnet_viz.figures.verdict import judge
from resnet_viz.i18n import _
from resnet_viz.papers import CIFAR10_TEST_ERROR, Published
from resnet_viz.records import RUNNING_STEPS, RunInfo

FAMILIES = ("plain", "resnet")
PAPER_HIGHEST = 20.0  # per cent, where the axis of the paper's figure ends
_HEIGHT = 560
_BESIDE = 1.03  # of the iterations, where the published errors stand
_WIDEST = 1.06


def figure6(runs: Runs, published: Mapping[str, Published] = CIFAR10_TEST_ERROR) -> go.Figure:
    """Training error dashed, test error bold, and the paper's final test errors beside them.

    Args:
        runs: plain and residual nets with their records, at any stage of their training; fractions.
        published: by name of the net.

    Returns:
        A figure in per cent. Its axis ends where the paper's does if every net has come below.
    """
    titles = {"plain": _("plain nets"), "resnet": _("residual nets")}
    figure = make_subplots(
        rows=1,
        cols=len(FAMILIES),
        shared_yaxes=True,
        horizontal_spacing=0.04,
        subplot_titles=[titles[family] for family in FAMILIES],
    )
    for column, family in enumerate(FAMILIES, 1):
        members = [run for run in runs if run[0].spec.net.family == family]
        members.sort(key=lambda run: _family_and_depth(run[0]))
        depths = [info.spec.net.depth for info, _history in members]
        for run in members:
            shade = colour(family, run[0].spec.net.depth, depths)
            for trace in _traces(run, shade, published, legend=f"legend{column}"):
                figure.add_trace(trace, row=1, col=column)
    figure.update_layout(_layout())
    figure.update_xaxes(title=_("iterations"), range=[0, _WIDEST * _longest(runs)])
    figure.update_yaxes(title=_("error (%)"), col=1)
    figure.update_yaxes(range=[0, highest(runs)])
    return figure


def highest(runs: Runs) -> float:
    """Per cent at which the axis ends: the paper's 20 if all final errors so far are below."""
    last = [
        value
        for _info, history in runs
        for column in ("running_error", "test_error")
        if (value := history.last(column)) is not None
    ]
    worst = 100 * max(last, default=0.0)
    return PAPER_HIGHEST if worst < PAPER_HIGHEST else min(100.0, 1.15 * worst)


def _longest(runs: Runs) -> int:
    return max((info.spec.train.steps for info, _history in runs), default=1)


def _layout() -> dict[str, Any]:
    below = {"orientation": "h", "y": -0.14, "yanchor": "top", "xanchor": "center"}
    return {
        "template": TEMPLATE,
        "height": _HEIGHT,
        "margin": {"l": 64, "r": 16, "t": 48, "b": 96},
        "hovermode": "closest",
        "legend1": {**below, "x": 0.24},
        "legend2": {**below, "x": 0.76},
    }


def _traces(
    run: Run, shade: str, published: Mapping[str, Published], legend: str
) -> list[go.Scatter]:
    """The two curves of a net, and the mark of its published error."""
    info, history = run
    name = info.spec.net.name
    common = {"legendgroup": name, "legend": legend}
    found = []
    for column, title, looks in (
        ("running_error", _("training"), {"line": {"color": shade, "dash": "4px,3px", "width": 1}}),
        ("test_error", _("test"), {"line": {"color": shade, "width": 3}}),
    ):
        x, y = thinned(history.steps.get(column, []), history.values.get(column, []))
        bold = column == "test_error"
        found.append(
            go.Scatter(
                x=x,
                y=[100 * value for value in y],
                uid=f"{name}-{column}",
                name=name if bold else f"{name}, {title}",
                showlegend=bold,
                mode="lines+markers" if bold else "lines",
                marker={"size": 5, "symbol": LOOKS[info.spec.net.family].symbol},
                hovertemplate=f"<b>{name}</b>, {title}<br>%{{x:,}}<br>%{{y:.2f}} %<extra></extra>",
                **looks,
                **common,
            )
        )
    if name in published:
        found.append(_mark(info, published[name], shade, common))
    return found


def _mark(info: RunInfo, published: Published, shade: str, common: dict[str, Any]) -> go.Scatter:
    name = info.spec.net.name
    error = _("published test error: {error:.2f} %").format(error=100 * published.test_error)
    lines = [f"<b>{name}</b>", error, published.note, published.source]
    return go.Scatter(
        x=[_BESIDE * info.spec.train.steps],
        y=[100 * published.test_error],
        uid=f"{name}-published",
        name=_("{net}, published").format(net=name),
        showlegend=False,
        mode="markers",
        cliponaxis=False,
        marker={
            "color": shade,
            "symbol": f"{LOOKS[info.spec.net.family].symbol}-open-dot",
            "size": 11,
            "line": {"width": 2},
        },
        hovertemplate="<br>".join(filter(None, lines)) + "<extra></extra>",
        **common,
    )


def figure6_page(runs: Runs, about: Sequence[str]) -> str:
    """A whole HTML document: the figure, the errors beside the paper's, and what they show.

    Args:
        about: sentences that say what the runs were: data, iterations, device.
    """
    head = [
        _("net"),
        _("iterations"),
        _("training error, whole set (%)"),
        _("test error (%)"),
        _("published, CIFAR-10 (%)"),
        _("difference (points)"),
    ]
    infos = sorted((info for info, _history in runs), key=_family_and_depth)
    table = html_table(head, [_row(info) for info in infos])
    title = _("He et al. 2015, Fig. 6, trained again")
    return html_page(title, [figure6(runs)], [*about, *_notes(runs), _verdict(runs)], table)


def _family_and_depth(info: RunInfo) -> tuple[str, int]:
    return info.spec.net.family, info.spec.net.depth


def _row(info: RunInfo) -> list[str]:
    """A difference is given only on the paper's data, or a copy of them."""
    published = CIFAR10_TEST_ERROR.get(info.spec.net.name)
    ours, theirs = info.test_error, published.test_error if published else None
    sign = "≈ " if published and published.note == "approximate" else ""
    apart = None
    if ours is not None and theirs is not None and info.spec.data.name == "cifar10":
        apart = 100 * (ours - theirs)
    return [
        info.spec.net.name,
        f"{info.step:,} / {info.spec.train.steps:,}",
        _per_cent(info.train_error),
        _per_cent(ours),
        sign + _per_cent(theirs),
        "–" if apart is None else f"{apart:+.2f}".replace("-", "−"),
    ]


def _per_cent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{100 * fraction:.2f}"


def _notes(runs: Runs) -> list[str]:
    text = _(
        "Dashed: training error, the mean of the last {n} iterations, on augmented images. Bold: "
        "test error, on every test image. Hollow markers right of the curves: the test errors that "
        "the paper publishes, on CIFAR-10; residual nets from its Table 6 (resnet-110: the best of "
        "five), plain nets read off its Fig. 6 to half a per cent."
    ).format(n=RUNNING_STEPS)
    notes = [text]
    if highest(runs) == PAPER_HIGHEST:
        notes.append(_("The error axis ends at 20 %, as the paper's does; the curves begin above."))
    notes.append(_("Plain-110 is not trained: the paper gives its error as above 60 %."))
    return notes


def _verdict(runs: Runs) -> str:
    return sweep_caption(judge(runs))
