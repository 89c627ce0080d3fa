"""Training on: the net as it was, with its new blocks, and the deeper one from random weights."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from resnet_viz.analysis.construction_jobs import (
    Insertion,
    recipe_to_train_on,
    starts_question,
    training_runs,
    training_sweep,
)
from resnet_viz.figures.blocks.construction import trained_on, trained_on_caption
from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE
from resnet_viz.runs.reader import SweepReader
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import UnknownSweepError
from resnet_viz.specs import RunSpec, SpecError
from resnet_viz.ui.inside.asking import answer_now
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.linked_choice import linked_slider
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.session import Backend
from resnet_viz.ui.sweep_view import sweep_progress
from resnet_viz.ui.words import plain

_STEPS = (100, 300, 1000, 3000, 10_000)
_RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
_LINK = "grown"  # in the link and the session: the sweep that trains on
TICK_SECONDS = 1.0
IDLE_SECONDS = 3.0
DOUBLE_CLICK_SECONDS = 1.5


def train_on(backend: Backend, nets: Sequence[Shown], insertion: Insertion) -> None:
    """A button that starts the runs, and the chart of those that were started."""
    st.subheader(_("Does training find it?"))
    st.caption(
        _(
            "Each net goes on from its weights as it was, and with its new blocks; beside them "
            "the deeper net starts from random weights. One recipe for all, in lockstep."
        )
    )
    steps_place, rate_place, button, _rest = st.columns(
        [1.2, 1, 1, 0.4], vertical_alignment="bottom"
    )
    with steps_place:
        steps = linked_slider(_("Steps"), _STEPS, key="grow_steps", value=300)
    with rate_place:
        rate = linked_slider(_("Learning rate"), _RATES, key="grow_lr", value=0.03)
    title = _("Train both on") if len(nets) > 1 else _("Train on")
    button.button(title, type="primary", icon=":material/play_arrow:", key="grow", on_click=_want)
    # Remembered, since a part of the page above may begin the run anew that has the click.
    if st.session_state.pop("grow_wanted", False):
        try:
            _start(backend, nets, insertion, steps, rate)
        except (SpecError, StoreError) as error:
            st.error(plain(str(error)), icon=":material/error:")
    sweep_id = st.session_state.get(_LINK) or st.query_params.get(_LINK)
    if sweep_id:
        _watch(backend, sweep_id)


def _want() -> None:
    st.session_state["grow_wanted"] = True


def _start(
    backend: Backend, nets: Sequence[Shown], insertion: Insertion, steps: int, rate: float
) -> None:
    """Queue the runs; a second click of a double click is none.

    Raises:
        SpecError: the weights cannot be kept, or a bad value.
        StoreError: the store cannot be written.
    """
    now = time.monotonic()
    if now - st.session_state.get("grown_at", -1e9) < DOUBLE_CLICK_SECONDS:
        return
    recipe = recipe_to_train_on(nets[0].source, steps=steps, lr=rate)
    runs: list[RunSpec] = []
    for net in nets:
        if net.card.data != nets[0].card.data:
            text = _("{net} was trained on other images, and is left out.")
            st.warning(plain(text.format(net=net.title)), icon=":material/warning:")
            continue
        question = starts_question(net.source, net.card, insertion)
        starts = answer_now(backend, question, _("Building the deeper net …"))
        runs += training_runs(net.card, insertion, starts, recipe)
    names = " + ".join(net.card.net.name for net in nets)
    made = ", ".join(dict.fromkeys(run.net.name for run in runs if run.start is None))
    sweep_id = backend.store.create_sweep(
        training_sweep(runs),
        name=_("Blocks inserted: {nets} to {made}").format(nets=names, made=made),
        device="auto",
        cores=backend.cores,
        machine=backend.machine,
    )
    st.session_state["grown_at"] = time.monotonic()
    st.session_state[_LINK] = sweep_id
    st.query_params[_LINK] = sweep_id


def _watch(backend: Backend, sweep_id: str) -> None:
    """The chart of a sweep, again and again while it trains."""
    try:
        backend.store.sweep(sweep_id)
    except UnknownSweepError as error:
        st.session_state.pop(_LINK, None)
        st.query_params.pop(_LINK, None)
        st.warning(plain(str(error)), icon=":material/link_off:")
        return
    if st.session_state.get("grown_reader_of") != sweep_id:
        st.session_state["grown_reader_of"] = sweep_id
        st.session_state["grown_reader"] = SweepReader(backend.store, sweep_id)
    reader: SweepReader = st.session_state["grown_reader"]
    active = any(run.status in ACTIVE for run, _history in reader.refresh())

    def region() -> None:
        runs = reader.refresh()
        if not runs or active != any(run.status in ACTIVE for run, _history in runs):
            st.rerun()
        live_chart(
            trained_on(runs),
            key="trained_on",
            height=430,
            alt=_("Training error against step of the nets that train on"),
        )
        st.markdown(plain(trained_on_caption(runs)))
        infos = [run for run, _history in runs]
        sweep_progress(infos, backend)
        for run in infos:
            if run.status in ("failed", "diverged") and run.error:
                st.error(plain(f"{run.spec.net.name}: {run.error.strip().splitlines()[-1]}"))

    st.fragment(region, run_every=TICK_SECONDS if active else IDLE_SECONDS)()
