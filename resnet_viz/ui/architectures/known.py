"""What is known of it: published errors and the person's own against the size of the net."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from resnet_viz.analysis.graph_jobs import total_question
from resnet_viz.analysis.question import Question
from resnet_viz.analysis.tables import rows_csv
from resnet_viz.architectures import Architecture
from resnet_viz.datasets import catalogue
from resnet_viz.figures.architecture.errors import (
    OWN,
    SizedError,
    error_rows,
    error_vs_size,
    errors_caption,
)
from resnet_viz.graphs import Total
from resnet_viz.i18n import _
from resnet_viz.nets.costs import count_costs
from resnet_viz.papers import PUBLISHED_ERRORS, PublishedError
from resnet_viz.records import RunInfo
from resnet_viz.specs import SpecError
from resnet_viz.ui.downloads import download, table
from resnet_viz.ui.inquiries import refuse
from resnet_viz.ui.inside.asking import answer_now
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.net_table import protocol_badge
from resnet_viz.ui.probe_form import controls_and_picture
from resnet_viz.ui.session import Backend

_Sizes = tuple[float | None, float | None, str]


def known_view(backend: Backend) -> None:
    """Controls on the left; the chart, what it shows, its numbers."""
    controls, picture = controls_and_picture()
    with controls, st.container(border=True):
        data = linked_choice(
            _("Images"), {"imagenet": "ImageNet", "cifar10": "CIFAR-10"}, key="errors_of"
        )
        measure = "test"
        if data == "imagenet":
            measure = linked_choice(_("Error"), {"top1": "top-1", "top5": "top-5"}, key="measure")
        size = linked_choice(
            _("Against"),
            {"parameters": _("parameters"), "multiply_adds": _("multiply-adds")},
            key="size",
            as_pills=True,
        )
    published = [error for error in PUBLISHED_ERRORS if error.measure == measure]
    try:
        with picture:
            points = _published_points(backend, published)
    except SpecError as error:
        refuse(picture, error)
        return
    if data == "cifar10":
        points += _own_points(backend.store.runs())
    with picture:
        _chart(points, size, measure, data)


def _chart(points: list[SizedError], size: str, measure: str, data: str) -> None:
    titles = {
        "top1": _("top-1 error (%)"),
        "top5": _("top-5 error (%)"),
        "test": _("CIFAR-10 test error (%)"),
    }
    live_chart(
        error_vs_size(points, size, titles[measure]),
        key=f"known_{data}",
        height=560,
        alt=_("Published errors against the size of the net, a line a family and test protocol"),
    )
    st.markdown(errors_caption(points))
    missing = [p.title for p in points if getattr(p, size) is None]
    if missing:
        text = _("Left out, since their papers do not say it: {nets}.")
        st.caption(text.format(nets=", ".join(dict.fromkeys(missing))))
    lines = [
        _(
            "Only errors of one test protocol compare: the marker says which, the pointer shows "
            "the source. Sizes are counted from the nets as they are built here, else the paper's."
        )
    ]
    if data == "cifar10" and not any(p.protocol == OWN for p in points):
        lines.append(_("Your own nets come into this chart when you train some on CIFAR-10."))
    st.caption(" ".join(lines))
    rows = error_rows(points)
    table(rows, key=f"known_{data}_table")
    with st.expander(_("Take away"), icon=":material/download:"), st.container(horizontal=True):
        download("CSV", f"errors-{data}.csv", lambda: rows_csv(rows))
        download("JSON", f"errors-{data}.json", lambda: json.dumps(rows))


def _published_points(backend: Backend, published: Sequence[PublishedError]) -> list[SizedError]:
    """With sizes, which the analysis process counts where only the built net tells them.

    Raises:
        AnswerError: it was not answered.
    """
    foreign = {e.net.name: e.net for e in published if e.net is not None and e.net.spec is None}
    jobs = [job for net in foreign.values() for job in total_question(net).jobs]
    totals: list[Total] = []
    if jobs:
        text = _("Counting {n} nets …").format(n=len(jobs))
        totals = answer_now(backend, Question(tuple(jobs), list), text)
    counted = dict(zip(foreign, totals, strict=True))
    return [_sized(error, counted) for error in published]


def _sized(error: PublishedError, counted: dict[str, Total]) -> SizedError:
    parameters, multiply_adds, sized = _sizes(error.net, counted)
    if error.net is None:
        parameters, sized = error.parameters, _("size: the paper's figure")
    return SizedError(
        error.title,
        error.family,
        error.error,
        error.protocol,
        error.source,
        parameters,
        multiply_adds,
        sized,
        error.note,
    )


def _sizes(net: Architecture | None, counted: dict[str, Total]) -> _Sizes:
    if net is None:
        return None, None, ""
    sized = _("size: counted from the net as built here")
    if net.spec is None:
        return counted[net.name].parameters, counted[net.name].multiply_adds, sized
    costs = count_costs(
        net.spec,
        in_channels=net.image_shape[0],
        image_size=net.image_shape[1],
        num_classes=net.classes,
    )
    return costs.parameters, costs.multiply_adds, sized


def _own_points(runs: Sequence[RunInfo]) -> list[SizedError]:
    """Runs on CIFAR-10 that have a test error, each with its badge."""
    found = []
    for run in runs:
        if run.spec.data.name != "cifar10" or run.test_error is None:
            continue
        about = catalogue.describe(run.spec.data)
        size = run.spec.data.image_size or about.image_size
        costs = count_costs(run.spec.net, image_size=size, num_classes=len(about.classes))
        found.append(
            SizedError(
                run.spec.net.name,
                run.spec.net.family,
                run.test_error,
                OWN,
                _("your run {id}, step {step:,}").format(id=run.id, step=run.step),
                costs.parameters,
                costs.multiply_adds,
                _("size: counted from the net as built here"),
                protocol_badge(run),
            )
        )
    return found
