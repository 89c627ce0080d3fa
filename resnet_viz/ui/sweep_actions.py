"""What can be done with chosen sweeps: open, rename, export, delete, compare."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from resnet_viz.figures.errors import error_vs_depth, error_vs_step
from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE
from resnet_viz.runs.archive import export_sweep
from resnet_viz.runs.reader import SweepReader
from resnet_viz.runs.rows import SweepInfo
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import RunStore
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.words import size

STOP_SECONDS = 2.0


def sweep_actions(store: RunStore, chosen: Sequence[SweepInfo]) -> None:
    """A row of buttons for the sweeps that are ticked in the table."""
    one = chosen[0] if len(chosen) == 1 else None
    if not chosen:
        st.caption(_("Tick a sweep to open, rename, export or delete it; tick several to compare."))
    open_, rename, export, delete, _rest = st.columns([1, 1, 1, 1, 2])
    if open_.button(
        _("Open"), key="open", icon=":material/open_in_new:", disabled=not one, width="stretch"
    ):
        assert one is not None
        st.session_state["sweep"] = one.id
        st.switch_page("pages/error_vs_depth.py", query_params={"sweep": one.id})
    if rename.button(
        _("Rename"), key="rename", icon=":material/edit:", disabled=not one, width="stretch"
    ):
        _rename(store, one)
    export.download_button(
        _("Export"),
        (lambda: _archive(store, one)) if one else b"",
        file_name=f"{one.id}.zip" if one else "sweep.zip",
        mime="application/zip",
        key="export",
        icon=":material/download:",
        disabled=not one,
        on_click="ignore",
        width="stretch",
        help=_("One file with records, specs and checkpoints; import it on any computer."),
    )
    if delete.button(
        _("Delete"), key="delete", icon=":material/delete:", disabled=not chosen, width="stretch"
    ):
        _delete(store, chosen)


def _archive(store: RunStore, sweep: SweepInfo) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sweep.zip"
        export_sweep(store, sweep.id, path)
        return path.read_bytes()


def _rename(store: RunStore, sweep: SweepInfo | None) -> None:
    @st.dialog(_("Rename"))
    def dialog() -> None:
        assert sweep is not None
        name = st.text_input(_("Name"), sweep.name, key="new_name", max_chars=200)
        if st.button(_("Rename"), type="primary", key="rename_now"):
            try:
                store.rename_sweep(sweep.id, name)
            except StoreError as error:
                st.error(str(error))
            else:
                st.rerun()

    dialog()


def _delete(store: RunStore, sweeps: Sequence[SweepInfo]) -> None:
    @st.dialog(_("Delete for ever?"))
    def dialog() -> None:
        for sweep in sweeps:
            st.text(f"{sweep.name} ({size(sweep.size_bytes)})")
        st.markdown(
            _("Their records and checkpoints go from the disk, and what still trains is stopped.")
        )
        if st.button(_("Delete"), type="primary", key="delete_now"):
            try:
                for sweep in sweeps:
                    _stop_and_delete(store, sweep)
            except StoreError as error:
                st.error(str(error))
            else:
                st.rerun()

    dialog()


def _stop_and_delete(store: RunStore, sweep: SweepInfo) -> None:
    """Delete a sweep; one that trains is stopped first, which takes a fraction of a second.

    Raises:
        StoreError: it could not be deleted; the message says why.
    """
    store.request_stop(run.id for run in store.runs(sweep.id) if run.status in ACTIVE)
    deadline = time.monotonic() + STOP_SECONDS
    while any(run.status in ACTIVE for run in store.runs(sweep.id)):
        if time.monotonic() > deadline:
            break  # the store then says that it still trains
        time.sleep(0.05)
    store.delete_sweep(sweep.id)


def compare_sweeps(store: RunStore, chosen: Sequence[SweepInfo]) -> None:
    """Both charts with the runs of several sweeps in them."""
    if len(chosen) < 2:
        return
    st.subheader(_("Compared"))
    runs = [run for sweep in chosen for run in SweepReader(store, sweep.id).refresh()]
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True):
        figure = error_vs_depth(runs)
        live_chart(figure, key="compare_depth", alt=_("Error against depth of several sweeps"))
    with right, st.container(border=True):
        figure = error_vs_step(runs)
        live_chart(figure, key="compare_step", alt=_("Error against step of several sweeps"))
