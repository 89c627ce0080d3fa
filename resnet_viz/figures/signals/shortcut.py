"""The gradient's two ways through every block: the shortcut and the branch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.marks import (
    LINE,
    edge_axis,
    edge_marks,
    line_mode,
    log_axis,
    number_axis,
    stage_borders,
    stage_ends,
    way_back,
)
from resnet_viz.figures.palette import LOOKS, NEUTRAL, colour
from resnet_viz.figures.signals.block_words import block_words, shortcut_name
from resnet_viz.figures.spread import net_labels, number_text, signed, spread
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _
from resnet_viz.layers import after_order
from resnet_viz.signals import Decomposition

BRANCH = "#a05cc4"  # a part of a net, no family; shows on both pages
_UPPER, _LOWER = [0.42, 1.0], [0.0, 0.34]  # heights of the two panels


def gradient_split(decomposition: Decomposition) -> go.Figure:
    """Norm of the gradient at every block's input, and of its two parts, on a log axis.

    Hollow squares are shortcuts that are not the identity.
    """
    splits = decomposition.splits
    family = decomposition.net.family
    parts = [
        ("total", _("their sum"), [s.total_norm for s in splits], NEUTRAL, "circle", "solid"),
        ("branch", _("through the branch"), [s.branch_norm for s in splits], BRANCH, *_DIAMOND),
        (
            "shortcut",
            _("through the shortcut"),
            [s.shortcut_norm for s in splits],
            _shade(family),
            LOOKS[family].symbol,
            "solid",
        ),
    ]
    texts = [_split_hover(decomposition, i) for i in range(len(splits))]
    x = list(range(1, len(splits) + 1))
    traces: list[dict[str, Any]] = []
    for row, (uid, name, y, shade, symbol, dash) in enumerate(parts):
        line = _line(uid, name, x, [v or None for v in y], texts, shade)
        line["line"] |= {"dash": dash, "width": 5 if uid == "total" else 2}
        symbols = _symbols(decomposition, symbol) if uid == "shortcut" else symbol
        line["marker"] = {
            **line.get("marker", {}),
            "symbol": symbols,
            "line": {"width": 1.5, "color": shade},
        }
        if uid == "total":
            line |= {"mode": "lines", "opacity": 0.5}
        traces += [line, *edge_marks(uid, x, [spread([v]) for v in y], texts, shade, row)]
    figure = go.Figure(traces)
    figure.update_layout(
        _layout([decomposition], _("norm of ∂L/∂x (log axis)"), _hollow_print([decomposition]))
    )
    shown = [v for _uid, _name, y, *_look in parts for v in y]
    figure.update_layout(
        yaxis=log_axis(shown), yaxis9=edge_axis(), legend={"traceorder": "reversed"}
    )
    return figure


def split_cosine(decompositions: Sequence[Decomposition]) -> go.Figure:
    """Cosine between the two parts of every block's gradient, from -1 to 1."""
    looks = zip(decompositions, _labels(decompositions), _shades(decompositions), strict=True)
    figure = go.Figure([_cosine_marks(*look) for look in looks])
    notes = [_("1: the same way, 0: at right angles, −1: against each other")]
    splits = [s for d in decompositions for s in d.splits]
    missing = sum(math.isnan(s.cosine) for s in splits)
    if missing:
        text = _("no cosine in {n} of {total} blocks, where a part is zero")
        notes.append(text.format(n=missing, total=len(splits)))
    notes += _hollow_print(decompositions)
    figure.update_layout(_layout(decompositions, _("cosine between the two parts"), notes))
    figure.update_layout(
        yaxis={"range": [-1.02, 1.02], "dtick": 0.5, "zeroline": True, "zerolinecolor": LINE}
    )
    return figure


def _cosine_marks(d: Decomposition, label: str, shade: str) -> dict[str, Any]:
    y = [None if math.isnan(s.cosine) else s.cosine for s in d.splits]
    texts = [_split_hover(d, i) for i in range(len(d.splits))]
    line = _line(identifier(label), label, range(1, len(y) + 1), y, texts, shade)
    if "marker" in line:
        symbols = _symbols(d, LOOKS[d.net.family].symbol)
        line |= {"mode": "markers", "marker": line["marker"] | {"symbol": symbols, "color": shade}}
    return line


def arrival(decompositions: Sequence[Decomposition]) -> go.Figure:
    """How much of the gradient at the last block's output arrives at each block unchanged.

    Unchanged: through shortcuts alone, and the ReLUs after additions. Where a net has such
    ReLUs, a panel below says what they let through.
    """
    looks = list(zip(decompositions, _labels(decompositions), _shades(decompositions), strict=True))
    post = [look for look in looks if "relu" in after_order(look[0].net)]
    traces = [_arrival_line(*look) for look in looks] + [_passed_line(*look) for look in post]
    figure = go.Figure(traces)
    title = _("arrives by shortcuts<br>(% of the norm)")
    figure.update_layout(_layout(decompositions, title, _hollow_print(decompositions), end=1))
    figure.update_layout(yaxis={"rangemode": "tozero"})
    if post:
        lower = {
            "domain": _LOWER,
            "rangemode": "tozero",
            "title": {"text": _("ReLU passes<br>(% of norm²)")},
        }
        figure.update_layout(yaxis={"domain": _UPPER}, yaxis2=lower, xaxis={"anchor": "y2"})
    return figure


_DIAMOND = ("diamond", "2px,3px")


def _arrival_line(d: Decomposition, label: str, shade: str) -> dict[str, Any]:
    text = _("{share} % of the norm arrives by shortcuts alone")
    along = _("cosine with the whole gradient here: {cosine}")
    texts = [
        "<br>".join(
            [
                f"<b>{label}</b>",
                text.format(share=number_text(100 * s.arrived)),
                along.format(cosine=_cosine_text(s.arrived_cosine)),
                block_words(d, i),
            ]
        )
        for i, s in enumerate(d.splits)
    ]
    texts.append(f"<b>{label}</b><br>" + _("output of the last block: where it starts"))
    y = [_per_cent(s.arrived) for s in d.splits]
    look = LOOKS[d.net.family]
    line = _line(identifier(label), label, range(1, len(y) + 2), [*y, 100.0], texts, shade)
    line["line"] |= {"dash": look.dash}
    line["legendgroup"] = label
    if "marker" in line:
        line["marker"] |= {"symbol": [*_symbols(d, look.symbol), look.symbol]}
    return line


def _passed_line(d: Decomposition, label: str, shade: str) -> dict[str, Any]:
    texts = [f"<b>{label}</b><br>{block_words(d, i)}" for i in range(len(d.splits))]
    x = range(1, len(d.splits) + 1)
    line = _line(
        identifier(f"{label} passed"),
        label,
        x,
        [_per_cent(s.passed) for s in d.splits],
        texts,
        shade,
    )
    line["line"] |= {"dash": LOOKS[d.net.family].dash}
    if "marker" in line:
        line["marker"] |= {"symbol": LOOKS[d.net.family].symbol}
    return line | {"yaxis": "y2", "showlegend": False, "legendgroup": label}


def _line(
    uid: str,
    name: str,
    x: Sequence[int],
    y: Sequence[float | None],
    texts: Sequence[str],
    shade: str,
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": uid,
        "name": name,
        "showlegend": True,
        "cliponaxis": False,
        **line_mode(len(x)),
        "line": {"color": shade, "width": 2},
        "x": list(x),
        "y": list(y),
        "text": list(texts),
        "hovertemplate": "%{text}<extra></extra>",
    }


def _layout(
    decompositions: Sequence[Decomposition],
    y_title: str,
    small_print: Sequence[str],
    *,
    end: int = 0,
) -> dict[str, Any]:
    """Block numbers below, stages on top; `end` more places on the right."""
    most = max((len(d.splits) for d in decompositions), default=1)
    title = _("block ({n}: the last)").format(n=most)
    if end:
        title = way_back(most)
    nets = {d.net for d in decompositions}
    made = layout(
        title,
        y_title,
        small_print=[*small_print, *_about(decompositions)],
        view=" ".join(sorted({net.name for net in nets})),
    )
    made["xaxis"] |= number_axis(1, most + end)
    ends = {tuple(stage_ends(net)) for net in nets}
    if len(ends) == 1:
        made |= stage_borders([0.5, *(e + 0.5 for e in ends.pop())])
    return made


def _about(decompositions: Sequence[Decomposition]) -> list[str]:
    """What was measured: how many images, after how many steps."""
    images = sorted({d.images for d in decompositions})
    steps = sorted({d.step for d in decompositions})
    if not images:
        return [_("no measurements yet")]
    when = (
        _("at initialisation")
        if steps == [0]
        else _("after {steps} steps").format(steps=", ".join(f"{s:,}" for s in steps))
    )
    text = _("one batch of {n} images, {when}")
    return [text.format(n=", ".join(map(str, images)), when=when)]


def _hollow_print(decompositions: Sequence[Decomposition]) -> list[str]:
    kinds = sorted({s.shortcut for d in decompositions for s in d.splits} - {"identity"})
    if not kinds:
        return []
    text = _("hollow: the shortcut is no identity ({kinds})")
    return [text.format(kinds=", ".join(map(shortcut_name, kinds)))]


def _split_hover(d: Decomposition, i: int) -> str:
    s = d.splits[i]
    norms = _("norm through the shortcut {a}, through the branch {b},<br>of their sum {c}")
    cosine = _("cosine between the parts: {cosine}")
    return "<br>".join(
        [
            f"<b>{d.net.name}</b>",
            norms.format(
                a=number_text(s.shortcut_norm),
                b=number_text(s.branch_norm),
                c=number_text(s.total_norm),
            ),
            cosine.format(cosine=_cosine_text(s.cosine)),
            block_words(d, i),
        ]
    )


def _cosine_text(cosine: float) -> str:
    if math.isnan(cosine):
        return _("none, a part is zero")
    return signed(cosine)


def _per_cent(share: float) -> float | None:
    return 100 * share if math.isfinite(share) else None


def _symbols(d: Decomposition, symbol: str) -> list[str]:
    return [symbol if s.shortcut == "identity" else f"{symbol}-open" for s in d.splits]


def _shade(family: str) -> str:
    return colour(family, 0, [0])


def _labels(decompositions: Sequence[Decomposition]) -> list[str]:
    """The nets' names, with the steps behind each where these differ."""
    names = net_labels([d.net for d in decompositions])
    if len({d.step for d in decompositions}) < 2:
        return [names[d.net] for d in decompositions]
    text = _("{net} after {step:,} steps")
    return [text.format(net=names[d.net], step=d.step) for d in decompositions]


def _shades(decompositions: Sequence[Decomposition]) -> list[str]:
    """Of a family from pale to deep: the deeper and the longer trained, the deeper."""
    shades = []
    for d in decompositions:
        ranks = sorted(
            (o.net.depth, o.step) for o in decompositions if o.net.family == d.net.family
        )
        shades.append(colour(d.net.family, ranks.index((d.net.depth, d.step)), range(len(ranks))))
    return shades
