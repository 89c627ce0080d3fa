"""Errors of a net before and after blocks that compute the identity, and as it trains on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from resnet_viz.construction import Constructed
from resnet_viz.figures.aggregate import Run, Runs, value_at
from resnet_viz.figures.blocks.lesions import percent
from resnet_viz.figures.marks import see_through
from resnet_viz.figures.palette import LOOKS
from resnet_viz.figures.style import identifier, layout
from resnet_viz.figures.thinning import thinned
from resnet_viz.i18n import _
from resnet_viz.records import RUNNING_STEPS
from resnet_viz.specs import RunSpec

_KINDS = ("as_it_was", "inserted", "random")
_DASHES = {"as_it_was": "solid", "inserted": "7px,3px", "random": "2px,3px"}
Labelled = tuple[str, Constructed]


def before_and_after(found: Sequence[Labelled]) -> go.Figure:
    """Errors of every net before and after, on three kinds of images; a pair of bars each."""
    traces: list[dict[str, Any]] = []
    for label, each in found:
        shades = LOOKS[each.net.family].shades
        for name, errors, shade in (
            (_("{net} before").format(net=label), each.before, see_through(shades[-1], 0.45)),
            (
                _("{net} after: {deeper}").format(net=label, deeper=each.deeper.name),
                each.after,
                shades[-1],
            ),
        ):
            y = [100 * e for e in (errors.train, errors.test, errors.train_mode)]
            traces.append(
                {
                    "type": "bar",
                    "uid": identifier(name),
                    "name": name,
                    "marker": {"color": shade, "line": {"color": shades[-1], "width": 1.5}},
                    "x": [[label] * 3, _kinds()],
                    "y": y,
                    "text": [f"{value:.1f}" for value in y],
                    "textposition": "outside",
                    "cliponaxis": False,
                    "hovertemplate": f"<b>{name}</b><br>%{{y:.2f}} %<extra></extra>",
                }
            )
    figure = go.Figure(traces)
    notes = []
    if found:
        each = found[0][1]
        text = _("{train:,} training and {test:,} test images; training mode: batches of {batch}")
        notes = [text.format(train=each.train_images, test=each.test_images, batch=each.batch)]
    names = " ".join(label for label, _each in found)
    figure.update_layout(layout("", _("error (%)"), small_print=notes, view=names))
    figure.update_layout(barmode="group", bargap=0.3, yaxis={"rangemode": "tozero"})
    return figure


def _kinds() -> list[str]:
    return [_("training images"), _("test images"), _("in training mode")]


def construction_caption(found: Sequence[Labelled]) -> str:
    """Whether the error is the same before and after, and in which mode."""
    return " ".join(_constructed_sentences(label, each) for label, each in found)


def _constructed_sentences(label: str, each: Constructed) -> str:
    before, after = each.before, each.after
    layers = each.deeper.depth - each.net.depth
    if (before.train, before.test) == (after.train, after.test):
        text = _(
            "{net} with {n} more layers ({deeper}) errs on exactly as many images as before "
            "({train} of the training images, {test} of the test images): the deeper solution "
            "exists."
        )
    else:
        text = _(
            "{net} with {n} more layers ({deeper}) errs on {train_after} of the training images "
            "instead of {train}, and on {test_after} of the test images instead of {test}."
        )
    first = text.format(
        net=label,
        n=layers,
        deeper=each.deeper.name,
        train=percent(before.train),
        test=percent(before.test),
        train_after=percent(after.train),
        test_after=percent(after.test),
    )
    return f"{first} {_mode_sentence(each)}"


def _mode_sentence(each: Constructed) -> str:
    if each.difference == each.train_mode_difference == 0:
        return _("Its logits are the same to the last bit, in training mode too.")
    if each.train_mode_difference <= 1e-4 * each.logit:
        text = _("Its logits differ by rounding alone ({difference:.1g}), in training mode too.")
        return text.format(difference=max(each.difference, each.train_mode_difference))
    text = _(
        "That holds in evaluation mode (its logits differ by at most {difference:.1g}). In "
        "training mode every batch norm takes the statistics of its batch, and the blocks are no "
        "identity any more: logits differ by up to {mode:.2g} (the largest is {logit:.2g}), and "
        "{after} of the training images are wrong instead of {before}."
    )
    return text.format(
        difference=each.difference,
        mode=each.train_mode_difference,
        logit=each.logit,
        after=percent(each.after.train_mode),
        before=percent(each.before.train_mode),
    )


# --- trained on ---


def kind_of(run: RunSpec, runs: Sequence[RunSpec]) -> str:
    """Which of the three a run is: "as_it_was", "inserted" or "random".

    Args:
        runs: all of its sweep.
    """
    if run.start is None:
        return "random"
    family = [r.net.depth for r in runs if r.net.family == run.net.family]
    return "inserted" if run.net.depth == max(family) else "as_it_was"


def run_label(run: RunSpec, runs: Sequence[RunSpec]) -> str:
    """ "resnet-26, blocks inserted"."""
    titles = {
        "as_it_was": _("{net} as it was"),
        "inserted": _("{net}, blocks inserted"),
        "random": _("{net} from random weights"),
    }
    return titles[kind_of(run, runs)].format(net=run.net.name)


def trained_on(runs: Runs) -> go.Figure:
    """Training error against step: a net trained on, with inserted blocks, and from scratch."""
    specs = [info.spec for info, _history in runs]
    traces: list[dict[str, Any]] = []
    for info, history in runs:
        steps = history.steps.get("running_error")
        kind, label = kind_of(info.spec, specs), run_label(info.spec, specs)
        x, y = thinned(steps, history.values["running_error"], 1000) if steps else ([], [])
        shade = LOOKS[info.spec.net.family].shades[_KINDS.index(kind)]
        traces.append(
            {
                "type": "scatter",
                "uid": f"run-{info.id}",
                "name": label,
                "mode": "lines",
                "line": {"color": shade, "dash": _DASHES[kind], "width": 2.5},
                "x": list(x),
                "y": [100 * value for value in y],
                "hovertemplate": f"<b>{label}</b><br>"
                + _("step {step}: {error} %").format(step="%{x:,}", error="%{y:.1f}")
                + "<extra></extra>",
            }
        )
    figure = go.Figure(traces)
    y_title = _("training error (%)<br>mean of the last {n} steps").format(n=RUNNING_STEPS)
    sweep = runs[0][0].sweep_id if runs else ""
    most = max((spec.train.steps for spec in specs), default=1)
    figure.update_layout(layout(_("step"), y_title, view=sweep))
    figure.update_layout(xaxis={"range": [0, most]})
    return figure


def trained_on_caption(runs: Runs) -> str:
    """Whether SGD from random weights finds what the construction has from the start."""
    families = dict.fromkeys(info.spec.net.family for info, _history in runs)
    sentences = [_family_sentence([r for r in runs if r[0].spec.net.family == f]) for f in families]
    return " ".join(filter(None, sentences))


def _family_sentence(runs: Runs) -> str:
    specs = [info.spec for info, _history in runs]
    by_kind = {kind_of(info.spec, specs): (info, history) for info, history in runs}
    if set(by_kind) != set(_KINDS):
        return ""
    measured = {kind: value_at(run, "running_error") for kind, run in by_kind.items()}
    if any(value is None for value in measured.values()):
        return ""
    step = min(value[0] for value in measured.values() if value)
    error = {kind: _at(by_kind[kind], step) for kind in _KINDS}
    names = {kind: run_label(by_kind[kind][0].spec, specs) for kind in _KINDS}
    text = _("After {step:,} steps: {a} {ea}, {b} {eb}, {c} {ec} of the training images wrong.")
    first = text.format(
        step=step,
        a=names["as_it_was"],
        b=names["inserted"],
        c=names["random"],
        ea=percent(error["as_it_was"]),
        eb=percent(error["inserted"]),
        ec=percent(error["random"]),
    )
    return f"{first} {_found_it(specs[0], error)}"


def _at(run: Run, step: int) -> float:
    found = value_at(run, "running_error", step)
    return found[1] if found else math.nan


def _found_it(spec: RunSpec, error: dict[str, float]) -> str:
    """Whether the random start is clearly worse than the constructed one."""
    images = RUNNING_STEPS * spec.train.batch_size
    noise = sum(
        math.sqrt(max(e, 1 / images) * (1 - e) / images)
        for e in (error["random"], error["inserted"])
    )
    gap = error["random"] - error["inserted"]
    if gap > 2 * noise:
        return _(
            "SGD from random weights has not found a {family} net as good as the constructed one "
            "in so many steps; the constructed one had its weights from an earlier training."
        ).format(family=spec.net.family)
    if gap < -2 * noise:
        return _("SGD from random weights has found a better {family} net.").format(
            family=spec.net.family
        )
    return _("SGD from random weights has found a {family} net as good.").format(
        family=spec.net.family
    )
