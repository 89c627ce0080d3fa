"""What a person can carry off from a sweep: records, figures, code, checkpoints, a link."""

from __future__ import annotations

import json

import streamlit as st

from resnet_viz.figures.page import figures_page
from resnet_viz.i18n import _
from resnet_viz.nets.start_files import start_path
from resnet_viz.records import RunInfo
from resnet_viz.runs.reader import SweepReader
from resnet_viz.runs.rows import SweepInfo
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.tables import sweep_csv, sweep_json
from resnet_viz.scripts.write import write_script
from resnet_viz.ui.downloads import download


def take_away(store: RunStore, sweep: SweepInfo) -> None:
    """Buttons that make their file when they are clicked."""
    with st.expander(_("Take away"), icon=":material/download:"):
        records, figures, code = st.columns(3, gap="medium")
        with records:
            st.markdown(_("**Records** of every net, step by step"))
            download("CSV", f"{sweep.id}.csv", lambda: sweep_csv(store, sweep.id))
            download("JSON", f"{sweep.id}.json", lambda: json.dumps(sweep_json(store, sweep.id)))
        with figures:
            st.markdown(_("**Figures** that zoom in any browser"))
            download(
                "HTML",
                f"{sweep.id}.html",
                lambda: figures_page(SweepReader(store, sweep.id).refresh(), sweep.name),
            )
            st.caption(_("PNG: the camera in the corner of a chart."))
        with code:
            _code(store, sweep)
        st.caption(
            _(
                "The address of this page is a link to this sweep with all controls as they "
                "stand. In a terminal: `python -m resnet_viz export {id} sweep.zip`."
            ).format(id=sweep.id)
        )


def _code(store: RunStore, sweep: SweepInfo) -> None:
    st.markdown(_("**PyTorch code** that trains one of these nets on its own"))
    runs = store.runs(sweep.id)
    labels = {run.id: run.spec.net.name for run in runs}
    if len(set(labels.values())) < len(runs):
        labels = {
            r.id: f"{r.spec.net.name}, {r.spec.train.seed}, {r.spec.train.lr:g}" for r in runs
        }
        labels |= {r.id: f"{labels[r.id]}, {r.spec.start[:8]}" for r in runs if r.spec.start}
    chosen = st.selectbox(
        _("Net"),
        runs,
        format_func=lambda run: labels[run.id],
        key="code_of",
        label_visibility="collapsed",
    )
    if chosen is None:
        return
    download(_("Python"), f"{chosen.spec.net.name}.py", lambda: write_script(chosen.spec))
    if chosen.spec.start is not None:
        start = start_path(chosen.spec.start, store.home)
        if start.is_file():
            download(_("Weights it starts from"), start.name, start.read_bytes)
        else:
            st.caption(_("The weights that it starts from are gone."))
    if chosen.checkpoint_step is not None:
        download(
            _("Checkpoint"),
            f"{chosen.spec.net.name}.safetensors",
            lambda: _newest_checkpoint(store, chosen),
        )


def _newest_checkpoint(store: RunStore, run: RunInfo) -> bytes:
    """The file as it is now: a run that trains replaces it every few seconds."""
    while True:
        (now,) = [r for r in store.runs(run.sweep_id) if r.id == run.id]
        path = store.checkpoint_path(run.id, now.checkpoint_step or 0)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            (later,) = [r for r in store.runs(run.sweep_id) if r.id == run.id]
            if later.checkpoint_step == now.checkpoint_step:
                raise
