"""Published errors and the person's own against the size of nets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.architecture.svg import colour_of
from resnet_viz.figures.architecture.words import short
from resnet_viz.figures.marks import log_axis
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.papers import CIFAR_TEST, MULTI_SCALE, ONE_CROP, TEN_CROP, protocol_title

OWN = "own"
_SYMBOLS = {
    TEN_CROP: "circle",
    ONE_CROP: "diamond",
    MULTI_SCALE: "square",
    CIFAR_TEST: "circle",
    OWN: "star",
}
_DASHES = {TEN_CROP: "solid", ONE_CROP: "dot", MULTI_SCALE: "dash", CIFAR_TEST: "solid"}


@dataclass(frozen=True)
class SizedError:
    """A net's error and its size.

    Attributes:
        title, family, error (fraction), protocol, source: as in `papers.PublishedError`; of a run
            of the person's own the protocol is `OWN`.
        parameters, multiply_adds: None where nobody knows them.
        sized: where the size is from, in words.
        note: what else is to be said: of a run, its badge.
    """

    title: str
    family: str
    error: float
    protocol: str
    source: str
    parameters: float | None
    multiply_adds: float | None
    sized: str
    note: str = ""


def error_vs_size(points: Sequence[SizedError], size: str, y_title: str) -> go.Figure:
    """Error in per cent against the size on a log axis; a line a family and protocol of a paper.

    Args:
        points: those without that size are left out.
        size: "parameters" or "multiply_adds".
        y_title: what the errors are.
    """
    shown = [point for point in points if getattr(point, size) is not None]
    x_titles = {
        "parameters": _("parameters (log axis)"),
        "multiply_adds": _("multiply-adds for one image (log axis)"),
    }
    figure = go.Figure(layout=layout(x_titles[size], y_title, view=size))

    for _key, group in groupby(sorted(shown, key=_line_key), key=_line_key):
        found = sorted(group, key=lambda point: float(getattr(point, size)))
        figure.add_trace(_line(found, size))
    axis = log_axis([getattr(point, size) for point in shown])
    figure.update_xaxes(type="log", range=axis["range"], dtick="D2", tickformat="~s")
    figure.update_yaxes(rangemode="normal")
    return figure


def _line_key(point: SizedError) -> tuple[str, str, str]:
    """What sets the lines apart: kind of net, protocol, paper."""
    kind = "densenet-BC" if point.title.startswith("DenseNet-BC") else point.family
    paper = "" if point.protocol == OWN else point.source.split(", ")[0]
    return kind, point.protocol, paper


def _line(points: Sequence[SizedError], size: str) -> Any:
    kind, protocol, paper = _line_key(points[0])
    own, family = protocol == OWN, points[0].family
    name = f"{kind} ({paper})"
    if own:
        name = _("{family}: your runs").format(family=family)
    elif protocol != CIFAR_TEST:
        name = f"{kind}: {protocol_title(protocol)} ({paper})"
    shade = colour_of(family)
    # A second line of a family under the same protocol has hollow markers.
    another = kind != family or (family == "resnet" and paper.startswith("He et al. 2016"))
    return {
        "type": "scatter",
        "uid": identifier(f"{kind}-{protocol}-{paper}"),
        "name": name,
        "mode": "markers" if own else "lines+markers+text",
        "line": {"color": shade, "dash": _DASHES.get(protocol, "solid"), "width": 1.5},
        "marker": {
            "color": shade,
            "symbol": _SYMBOLS[protocol] + ("-open" if another else ""),
            "size": 13 if own else 9,
            "line": {"width": 2} if another else {},
        },
        "text": [_short_title(point) for point in points],
        "textposition": _text_place(kind, protocol),
        "textfont": {"size": 11.5},
        "cliponaxis": False,
        "x": [getattr(point, size) for point in points],
        "y": [100 * point.error for point in points],
        "customdata": [_hover(point) for point in points],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _text_place(kind: str, protocol: str) -> str:
    """Where names stand beside their markers, so that those of neighbours do not meet."""
    if kind in ("densenet-BC", "preact") or protocol == MULTI_SCALE:
        return "bottom left"
    if kind == "densenet" and protocol == TEN_CROP:
        return "bottom left"
    return "top center" if kind == "plain" else "top right"


def _short_title(point: SizedError) -> str:
    """What the legend does not say: "50", "34 B", "L=100 k=12"."""
    title = point.title
    for start in ("DenseNet-BC ", "DenseNet ", "DenseNet-", "ResNet-", f"{point.family}-"):
        title = title.removeprefix(start)
    return title


def _hover(point: SizedError) -> str:
    sizes = [
        _("{n} parameters").format(n=short(point.parameters)) if point.parameters else "",
        _("{n} multiply-adds").format(n=short(point.multiply_adds)) if point.multiply_adds else "",
    ]
    lines = [
        f"<b>{point.title}</b>",
        _("error {error:.2f} %").format(error=100 * point.error),
        "" if point.protocol == OWN else protocol_title(point.protocol),
        point.source,
        ", ".join(filter(None, sizes)),
        point.sized,
        point.note,
    ]
    return "<br>".join(filter(None, lines))


def error_rows(points: Sequence[SizedError]) -> list[Mapping[str, Any]]:
    """The points as a table; errors in per cent."""
    return [
        {
            "net": point.title,
            "error (%)": round(100 * point.error, 2),
            "protocol": _("your run") if point.protocol == OWN else protocol_title(point.protocol),
            "source": point.source,
            "parameters": point.parameters,
            "multiply-adds": point.multiply_adds,
            "size from": point.sized,
            "note": point.note,
        }
        for point in points
    ]


def errors_caption(points: Sequence[SizedError]) -> str:
    """Whether a smaller net of another family errs less, in words, protocol by protocol."""
    found = []
    for protocol in dict.fromkeys(point.protocol for point in points if point.protocol != OWN):
        here = [p for p in points if p.protocol == protocol and p.parameters]
        best = min(here, key=lambda p: p.error, default=None)
        if best is None:
            continue
        text = _("{protocol}: the lowest error is that of {net} ({error:.2f} %, {n} parameters)")
        words = text.format(
            protocol=_capital(protocol_title(protocol)),
            net=best.title,
            error=100 * best.error,
            n=short(best.parameters or 0),
        )
        beaten = [
            (small, large)
            for small in here
            for large in here
            if small.family != large.family
            and small.error < large.error
            and (small.parameters or 0) < (large.parameters or 0)
        ]
        if beaten:
            small, large = max(
                beaten, key=lambda pair: (pair[1].parameters or 0) / (pair[0].parameters or 1)
            )
            more = _("; {small} errs less than {large} with {ratio:.1f} times fewer parameters")
            words += more.format(
                small=small.title,
                large=large.title,
                ratio=(large.parameters or 0) / (small.parameters or 1),
            )
        found.append(words + ".")
    return " ".join(found)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
