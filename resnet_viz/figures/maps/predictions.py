"""What nets say of one image: the most probable classes as bars, and in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from resnet_viz.figures.maps.looked import Looked, shades
from resnet_viz.figures.marks import LINE
from resnet_viz.figures.palette import LOOKS
from resnet_viz.figures.style import identifier, layout
from resnet_viz.i18n import _

_NAME_LETTERS = 28
_BAR_PIXELS, _AROUND_PIXELS = 22, 150


def class_name(name: str) -> str:
    """The first of a class's names, shortened: ImageNet's have up to a dozen synonyms."""
    first = name.split(",")[0]
    return first if len(first) <= _NAME_LETTERS else f"{first[: _NAME_LETTERS - 1]}…"


def top_classes(looks: Sequence[Looked], count: int = 5) -> list[int]:
    """Classes among the `count` most probable of any net, by their mean probability."""
    found = {c for look in looks for c in look.overview.prediction.top(count)}
    return sorted(found, key=lambda c: (-sum(_probability(look, c) for look in looks), c))


def top_predictions(
    looks: Sequence[Looked], classes: Sequence[str], *, count: int = 5
) -> go.Figure:
    """Probabilities of the most probable classes, a group of bars a class, a bar a net.

    Args:
        looks: nets with the same classes.
        classes: names in order of the logits.
        count: classes of each net.
    """
    shown = top_classes(looks, count)
    # A stranger's checkpoint names them, and Plotly takes what looks like HTML for links.
    names = [escape(class_name(classes[c]), quote=False) for c in shown]
    traces = []
    for look, shade in zip(looks, shades(looks), strict=True):
        values = [100 * _probability(look, c) for c in shown]
        traces.append(
            {
                "type": "bar",
                "uid": identifier(look.label),
                "name": look.label,
                "showlegend": len(looks) > 1,
                "orientation": "h",
                "marker": {
                    "color": shade,
                    "pattern": {"shape": LOOKS[look.net.family].pattern, "fillmode": "overlay"},
                    "line": {"width": 0},
                },
                "x": values,
                # Two of ImageNet's classes share a name: a place for each all the same.
                "y": [f"{name}{' ' * names[:i].count(name)}" for i, name in enumerate(names)],
                "text": [_per_cent(value) for value in values],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": f"<b>{look.label}</b><br>%{{y}}: %{{text}}<extra></extra>",
            }
        )
    figure = go.Figure(traces)
    figure.update_layout(layout(_("probability (%)"), "", view=" ".join(names)))
    figure.update_layout(
        barmode="group",
        bargap=0.3,
        xaxis={"range": [0, 112], "tickvals": [0, 20, 40, 60, 80, 100]},
        yaxis={"autorange": "reversed", "rangemode": "normal", "linecolor": LINE},
        margin={"b": 84 if len(looks) > 1 else 56},
    )
    return figure


def chart_pixels(looks: Sequence[Looked], *, count: int = 5) -> int:
    """A height that suits `top_predictions`."""
    shown = len(top_classes(looks, count))
    return _AROUND_PIXELS + round(shown * (8 + _BAR_PIXELS * len(looks) ** 0.8))


def prediction_caption(looks: Sequence[Looked], classes: Sequence[str]) -> str:
    """What each net takes the image for, how surely, and whether they agree."""
    sentences = []
    for look in looks:
        first, second = look.overview.prediction.top(2)
        text = _("{net} says {first} ({p}), before {second} ({q}).")
        sentences.append(
            text.format(
                net=look.label,
                first=class_name(classes[first]),
                p=_per_cent(100 * _probability(look, first)),
                second=class_name(classes[second]),
                q=_per_cent(100 * _probability(look, second)),
            )
        )
    if len(looks) > 1:
        firsts = {look.overview.prediction.top(1)[0] for look in looks}
        sentences.append(_("They agree.") if len(firsts) == 1 else _("They do not agree."))
    return " ".join(sentences)


def unknown_class_caption(label: str, net: str, classes: Sequence[str]) -> str:
    """That a picture's class is none of a net's; "" where it is one, or part of one's name.

    Args:
        label: name of the picture's class.
        net: what it is called.
        classes: names of the net's classes, which may have synonyms.
    """
    words = {word for name in classes for word in re.findall(r"\w+", name.lower())}
    if label in classes or words.issuperset(re.findall(r"\w+", label.lower())):
        return ""
    text = _(
        "The picture's class, “{label}”, is none of the {n} classes that {net} can name "
        "({first} … {last}): no answer could be right."
    )
    first, last = class_name(classes[0]), class_name(classes[-1])
    return text.format(net=net, label=label, n=len(classes), first=first, last=last)


def _probability(look: Looked, c: int) -> float:
    return float(look.overview.prediction.probabilities[c])


def _per_cent(value: float) -> str:
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %" if value >= 0.1 else "< 0.1 %"
