"""Which earlier layers a DenseNet's layers look at: Huang et al. 2017, arXiv:1608.06993, Fig. 5."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from resnet_viz.figures.style import TEMPLATE
from resnet_viz.i18n import _
from resnet_viz.reuse import Reuse, StageReuse, connections

_LIMIT = 2.0  # a weight twice the mean of its target has the full colour
# Blue: less than the mean of the target's sources, red: more; grey between reads on both themes.
_COLOURS = ((0.0, "#2166ac"), (0.5, "#c9ccd1"), (1.0, "#b2182b"))


def feature_reuse(reuse: Reuse) -> go.Figure:
    """A panel a stage: source layers upwards, target layers to the right."""
    gap = 0.06
    width = (1 - gap * (len(reuse.stages) - 1)) / len(reuse.stages)
    traces: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for i, stage in enumerate(reuse.stages):
        number = str(i + 1) if i else ""
        start = i * (width + gap)
        traces.append(_panel(reuse, stage, number, bar=i == 0))
        title = _("stage {s}: target layer").format(s=stage.stage)
        axes[f"xaxis{number}"] = {
            "domain": [start, start + width],
            "title": {"text": title},
            "showgrid": False,
            "anchor": f"y{number}",
        }
        axes[f"yaxis{number}"] = {
            "title": {"text": _("source layer") if i == 0 else ""},
            "showgrid": False,
            "anchor": f"x{number}",
        }
    figure = go.Figure(traces)
    margin = {"l": 60, "r": 12, "t": 16, "b": 56}
    figure.update_layout({"template": TEMPLATE, "margin": margin, **axes})
    return figure


def _panel(reuse: Reuse, stage: StageReuse, number: str, *, bar: bool) -> dict[str, Any]:
    count = len(stage.weights) - 1
    targets = [str(n) for n in range(1, count + 1)]
    targets.append(_("head") if stage.stage == len(reuse.stages) else _("transition"))
    origins = [_("in"), *map(str, range(1, count + 1))]
    shown = [list(row) for row in zip(*stage.relative, strict=True)]  # a source, then a target
    text = _("from {source} to {target}<br>mean |w| {weight:.4f}, {times:.2f} × the target's mean")
    hovers = [
        [
            ""
            if (times := row[s]) is None or (weight := stage.weights[t][s]) is None
            else text.format(source=origins[s], target=targets[t], weight=weight, times=times)
            for t, row in enumerate(stage.relative)
        ]
        for s in range(len(origins))
    ]
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": targets,
        "y": origins,
        "z": shown,
        "text": hovers,
        "hovertemplate": "%{text}<extra></extra>",
        "hoverongaps": False,
        "colorscale": _COLOURS,
        "zmin": 0.0,
        "zmax": _LIMIT,
        "xaxis": f"x{number}",
        "yaxis": f"y{number}",
        "xgap": 1,
        "ygap": 1,
        "showscale": bar,
    }
    if bar:
        title = {"text": _("× mean of the target"), "side": "right"}
        trace["colorbar"] = {"title": title, "thickness": 12}
    return trace


def reuse_caption(reuse: Reuse) -> str:
    """How far back the layers look, computed from the same weights."""
    text = _("{net}: {n} direct connections in {stages} stages, L(L+1)/2 in each.")
    sentences = [
        text.format(net=reuse.net.name, n=connections(reuse.net), stages=len(reuse.stages))
    ]
    near, far = _near_and_far(reuse)
    if near and far:
        text = _(
            "Weights from the half of the sources that are nearest are on average {near:.2f} times "
            "a target's mean, those from the farther half {far:.2f} times: {what}."
        )
        what = _("early layers are used as much as late ones")
        if near > 1.1 * far:
            what = _("layers look most at those just before them")
        elif far > 1.1 * near:
            what = _("layers look most at those far before them")
        sentences.append(text.format(near=near, far=far, what=what))
    last = reuse.stages[-1].relative[-1]
    best = max(range(len(last)), key=lambda s: last[s] or 0.0)
    name = _("what came into the stage") if best == 0 else _("layer {n}").format(n=best)
    text = _("The head weighs {source} of {n} sources in the last stage most ({times:.2f} times).")
    sentences.append(text.format(source=name, n=len(last), times=last[best] or 0.0))
    return " ".join(sentences)


def _near_and_far(reuse: Reuse) -> tuple[float, float]:
    """Mean relative weight from the nearer and the farther half of every target's sources."""
    near: list[float] = []
    far: list[float] = []
    for stage in reuse.stages:
        for row in stage.relative:
            known = [w for w in row if w is not None]
            half = len(known) // 2
            far += known[:half]
            near += known[len(known) - half :]
    return (fmean(near), fmean(far)) if near else (0.0, 0.0)
