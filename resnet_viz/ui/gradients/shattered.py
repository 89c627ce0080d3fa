"""Shattered gradients: how alike the input gradients of neighbouring images are, by depth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pprint import pformat
from typing import Any

import streamlit as st

from resnet_viz.analysis.process import Job
from resnet_viz.analysis.shattering_jobs import combine, shattering_jobs
from resnet_viz.analysis.tables import rows_csv, shattering_rows
from resnet_viz.datasets.errors import DataError
from resnet_viz.figures.signals.pages import shattering_page
from resnet_viz.figures.signals.shattering import autocorrelation, gradient_lines
from resnet_viz.figures.signals.shattering_captions import shattering_caption
from resnet_viz.i18n import _
from resnet_viz.signals import Shattering
from resnet_viz.specs import NetSpec, SpecError
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import ask, refuse, watch
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.probe_form import (
    build_specs,
    controls_and_picture,
    data_controls,
    depths_control,
    families_control,
    init_controls,
    seeds_control,
    width_control,
)
from resnet_viz.ui.session import Backend


def shattered_view(backend: Backend) -> None:
    """Controls on the left; the gradient along a line between two images, and its memory."""
    controls, picture = controls_and_picture()
    try:
        with controls, st.container(border=True):
            nets = _nets()
            seeds = seeds_control(key="line_seeds")
            with st.expander(_("Images"), icon=":material/image:"):
                data = data_controls(prefix="line", name="digits", size=16)
        jobs = shattering_jobs(nets, data, seeds=seeds)
    except (SpecError, DataError) as error:
        refuse(picture, error)
        return
    with picture:
        watch(
            ask(backend, "line", jobs),
            _charts,
            name="line",
            last=lambda answers: _take_away(combine(answers), jobs),
        )


def _nets() -> list[NetSpec]:
    depths = depths_control(key="line_depths", default=(8, 20, 56))
    families = families_control(key="line_families")
    fields = init_controls(prefix="line")
    width = width_control(prefix="line", default=8)
    nets: list[NetSpec] = []
    for depth in depths:
        nets += build_specs(families, {"depth": depth, "width": width, **fields}).nets
    return nets


def _charts(answers: Sequence[Any]) -> None:
    found: list[Shattering] = combine(answers)
    live_chart(
        autocorrelation(found),
        key="line_memory",
        height=420,
        alt=_("Autocorrelation of the input gradient against distance, one line a net"),
    )
    st.markdown(shattering_caption(found))
    lines = gradient_lines(found)
    live_chart(
        lines,
        key="line_slopes",
        height=lines.layout.height,
        alt=_("Input gradient along the line between two images, one picture a net"),
    )


def _take_away(found: Sequence[Shattering], jobs: Sequence[Job]) -> None:
    rows = shattering_rows(found)
    slopes = [{"net": r.net.name if r.net else f"{r.noise} noise", "slope": r.slope} for r in found]
    table(rows, key="line_table")
    take_away_probe(
        "shattered",
        csv=lambda: rows_csv(rows),
        json=lambda: json.dumps({"autocorrelation": rows, "slopes": slopes}),
        html=lambda: shattering_page(found),
        code=_program(jobs),
    )


def _program(jobs: Sequence[Job]) -> str:
    """Every line of the view, measured in a notebook."""
    lines = [dict(job.arguments) for job in jobs if "stop" in job.arguments]
    whole = [line for line in lines if line["stop"] == line["points"]]
    return (
        "from resnet_viz.analysis.shattering_answers import measure_line\n"
        "from resnet_viz.analysis.shattering_jobs import combine\n\n"
        f"lines = {pformat(whole, width=90)}\n\n"
        "combine([measure_line(**line) for line in lines])\n"
    )
