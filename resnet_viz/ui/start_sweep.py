"""The line above a sweep's charts: what it will take, what it lacks, and the Start button."""

from __future__ import annotations

import time

import streamlit as st

from resnet_viz.datasets import catalogue
from resnet_viz.datasets.errors import DataError
from resnet_viz.i18n import _
from resnet_viz.records import RunInfo
from resnet_viz.runs.estimate import (
    Estimate,
    estimate_sweep,
    measured_slowdown,
    why_it_cannot_fit,
)
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import DataSpec, SpecError
from resnet_viz.sweeps import PRESETS, SweepSpec
from resnet_viz.ui.download_panel import download_panel
from resnet_viz.ui.session import Backend
from resnet_viz.ui.sweep_form import (
    current_probe_every,
    current_sweep,
    preset_buttons,
    preset_titles,
)
from resnet_viz.ui.words import duration, quantity, size

DOUBLE_CLICK_SECONDS = 1.5


def start_bar(backend: Backend, spec: SweepSpec | None, problem: str | None) -> None:
    """Presets, summary and Start; with a `problem`, or data that are not there, no Start.

    Args:
        spec: what the controls describe, or None with a problem.
        problem: why they describe nothing.
    """
    presets, words, button = st.columns([11, 7, 3], vertical_alignment="center", gap="medium")
    with presets:
        preset_buttons()
    estimate = None
    if spec is not None:
        try:
            problem, estimate = _check(backend, spec)
        except DataError as error:
            problem = str(error)
    if estimate:
        words.markdown(_summary(estimate))
    if backend.machine is None:
        _await_machine(backend)
    button.button(
        _("Start"),
        icon=":material/play_arrow:",
        type="primary",
        key="start",
        disabled=problem is not None or spec is None,
        on_click=_start,
        args=(backend,),
        width="stretch",
    )
    if problem:
        st.warning(problem, icon=":material/warning:")
    if spec is not None and not catalogue.is_present(spec.data):
        _offer_download(backend, spec.data)


def _await_machine(backend: Backend) -> None:
    """Draw the page again when a worker has measured this computer; say why none can."""

    def region() -> None:
        if backend.machine is not None:
            st.rerun()
        if backend.supervisor.error:
            st.error(backend.supervisor.error, icon=":material/error:")

    st.fragment(region, run_every=1.0)()


def _check(backend: Backend, spec: SweepSpec) -> tuple[str | None, Estimate]:
    """Why a sweep cannot start (or None), and what it would take."""
    device = backend.device
    estimate = estimate_sweep(
        spec.runs(),
        _describe(spec.data),
        device=device,
        cores=backend.cores,
        machine=backend.machine,
        slowdown=measured_slowdown(_own_runs(backend.store), backend.machine),
    )
    problem = why_it_cannot_fit(estimate, device=device)
    if problem is None and not catalogue.is_present(spec.data):
        problem = _("{data} is not on this computer yet.").format(
            data=catalogue.info(spec.data.name).title
        )
    return problem, estimate


def _own_runs(store: RunStore) -> list[RunInfo]:
    """Runs that this computer trained; imported ones say nothing about its speed."""
    imported = {sweep.id for sweep in store.sweeps() if sweep.imported}
    return [run for run in store.runs() if run.sweep_id not in imported]


@st.cache_data(ttl=10, max_entries=20, show_spinner=False)
def _describe(data: DataSpec) -> catalogue.DatasetInfo:
    """What is known of a data set; a folder is looked through, so not at every click."""
    return catalogue.describe(data)


def _summary(estimate: Estimate) -> str:
    if estimate.seconds is None:
        time_text = _("measuring this computer …")
    else:
        time_text = _("about {time}").format(time=duration(estimate.seconds))
    return _("**{n} nets** · {parameters} parameters · {time} · {memory} memory").format(
        n=estimate.nets,
        parameters=quantity(estimate.parameters),
        time=time_text,
        memory=size(estimate.memory_bytes),
    )


def _start(backend: Backend) -> None:
    """Put the sweep into the queue and look at it; a second click of a double click is none.

    The controls are read again: one may have changed after the button was drawn.
    """
    now = time.monotonic()
    if now - st.session_state.get("started_at", -1e9) < DOUBLE_CLICK_SECONDS:
        return
    try:
        spec = current_sweep()
        problem, _estimate = _check(backend, spec)
        if problem:
            st.session_state["trouble"] = problem
            return
        sweep_id = backend.store.create_sweep(
            spec,
            name=sweep_name(spec),
            device="auto",
            cores=backend.cores,
            machine=backend.machine,
            probe_every=current_probe_every(),
        )
    except (SpecError, DataError, StoreError) as error:
        st.session_state["trouble"] = str(error)
        return
    st.session_state["started_at"] = now
    st.session_state["sweep"] = sweep_id


def sweep_name(spec: SweepSpec) -> str:
    """A name that tells sweeps apart in a list: preset or data, families and depths."""
    preset = next((name for name, known in PRESETS.items() if known == spec), None)
    first = preset_titles()[preset] if preset else _("Own")
    depths = ", ".join(map(str, spec.depths))
    return f"{first}: {spec.data.name}, {' + '.join(spec.families)} {depths}"


def _offer_download(backend: Backend, data: DataSpec) -> None:
    """A download, where the data set has one."""
    info = catalogue.info(data.name)
    if info.download_bytes:
        download_panel(
            backend.store,
            data.name,
            title=info.title,
            total_bytes=info.download_bytes,
            is_present=lambda: catalogue.is_present(data),
        )
