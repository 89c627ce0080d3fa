"""Why the shortcut helps: every block's gradient by the way that it came."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from resnet_viz.analysis.process import Job
from resnet_viz.analysis.shortcut_jobs import decomposition_job, run_decomposition_job
from resnet_viz.analysis.tables import rows_csv, split_rows
from resnet_viz.datasets.errors import DataError
from resnet_viz.figures.signals.pages import shortcut_page
from resnet_viz.figures.signals.shortcut import arrival, gradient_split, split_cosine
from resnet_viz.figures.signals.shortcut_captions import shortcut_caption
from resnet_viz.i18n import _
from resnet_viz.records import RunInfo
from resnet_viz.runs.store import RunStore
from resnet_viz.signals import Decomposition
from resnet_viz.specs import SHORTCUT_FAMILIES, SpecError
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import ask, refuse, watch
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.probe_form import (
    build_specs,
    controls_and_picture,
    data_controls,
    depth_control,
    families_control,
    init_controls,
    shortcut_control,
    width_control,
)
from resnet_viz.ui.session import Backend

RUNS_OFFERED = 200


def shortcut_view(backend: Backend) -> None:
    """Controls on the left; the two parts of the gradient, their angle, and what arrives."""
    controls, picture = controls_and_picture()
    try:
        with controls, st.container(border=True):
            jobs = _controls(backend.store)
    except (SpecError, DataError) as error:
        refuse(picture, error)
        return
    with picture:
        _formula()
        watch(
            ask(backend, "split", jobs),
            _charts,
            name="split",
            last=lambda found: _take_away(found, jobs),
        )


def _formula() -> None:
    st.latex(
        r"\frac{\partial L}{\partial x_l} = \frac{\partial L}{\partial x_L}"
        r"\Bigl(1 + \frac{\partial}{\partial x_l} \sum_{i=l}^{L-1} F(x_i)\Bigr)"
    )
    st.caption(
        _(
            "For identity shortcuts (He et al. 2016, eq. 5): the 1 is what comes through them. "
            "Below, every block's two parts are two vector-Jacobian products, computed apart in "
            "float64 and held against autograd's gradient. In a stage's first block the shortcut "
            "is its own map, no 1; in a resnet a ReLU follows each addition."
        )
    )


def _controls(store: RunStore) -> list[Job]:
    sources = {"start": _("At initialisation"), "run": _("Trained here")}
    source = linked_choice(_("Net"), sources, key="split_of", as_list=True)
    if source == "run":
        run = _choose_run(store)
        step = run.checkpoint_step or 0
        return [run_decomposition_job(run, store.checkpoint_path(run.id, step))]
    depth = depth_control(key="split_depth", default=20)
    families = families_control(SHORTCUT_FAMILIES, key="split_families")
    fields = {"shortcut": shortcut_control(prefix="split"), **init_controls(prefix="split")}
    with st.expander(_("Net and images"), icon=":material/tune:"):
        width = width_control(prefix="split")
        data = data_controls(prefix="split")
    chosen = build_specs(families, {"depth": depth, "width": width, **fields})
    for text in chosen.refused:
        st.caption(_("Left out: {text}").format(text=text))
    return [decomposition_job(net, data) for net in chosen.nets]


def _choose_run(store: RunStore) -> RunInfo:
    """A residual net of the store that has a checkpoint.

    Raises:
        SpecError: there is none yet.
    """
    names = {sweep.id: sweep.name for sweep in store.sweeps()}
    runs = [
        run
        for run in reversed(store.runs())
        if run.checkpoint_step is not None
        and run.spec.net.family in SHORTCUT_FAMILIES
        and run.sweep_id in names  # which may have been deleted since
    ][:RUNS_OFFERED]
    if not runs:
        raise SpecError(
            _(
                "No residual net was trained here yet. Start a sweep on “Error against depth”, "
                "or look at nets at initialisation."
            )
        )
    titles = {run.id: f"{run.spec.net.name} · {names[run.sweep_id]}" for run in runs}
    chosen = st.selectbox(_("Run"), list(titles), format_func=titles.__getitem__, key="split_run")
    run = next(run for run in runs if run.id == chosen)
    when = datetime.fromtimestamp(run.created).astimezone()
    st.caption(
        _("Its newest checkpoint: step {step:,}; started {when:%Y-%m-%d %H:%M}.").format(
            step=run.checkpoint_step, when=when
        )
    )
    return run


def _charts(found: Sequence[Decomposition]) -> None:
    for number, decomposition in enumerate(found):
        name = decomposition.net.name
        live_chart(
            gradient_split(decomposition),
            key=f"split_{number}",
            height=380,
            alt=_("{net}: gradient through shortcut and branch in every block").format(net=name),
        )
        st.markdown(shortcut_caption(decomposition))
    st.subheader(_("What arrives unchanged"))
    live_chart(
        arrival(found),
        key="split_arrival",
        height=460,
        alt=_("How much of the last block's gradient arrives unchanged at every block"),
    )
    st.subheader(_("Do both parts point the same way?"))
    live_chart(
        split_cosine(found),
        key="split_cosine",
        height=340,
        alt=_("Cosine between the two parts of the gradient in every block"),
    )


def _take_away(found: Sequence[Decomposition], jobs: Sequence[Job]) -> None:
    rows = [row for decomposition in found for row in split_rows(decomposition)]
    table(rows, key="split_table")
    take_away_probe(
        "shortcut",
        csv=lambda: rows_csv(rows),
        json=lambda: json.dumps(rows),
        html=lambda: shortcut_page(found),
        code="\n".join(job.as_program() for job in jobs),
    )
