"""Which sweep a page shows, and its name."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.runs.rows import SweepInfo
from resnet_viz.runs.store import RunStore, UnknownSweepError


def chosen_sweep(store: RunStore) -> SweepInfo | None:
    """The sweep that was started or opened here, or that the link names; None for neither.

    A link to a sweep that does not exist is answered with a message.
    """
    if trouble := st.session_state.pop("trouble", None):
        st.error(trouble)
    chosen = st.session_state.get("sweep") or st.query_params.get("sweep")
    if not chosen:
        return None
    try:
        sweep = store.sweep(chosen)
    except UnknownSweepError as error:
        st.session_state.pop("sweep", None)
        st.warning(
            _("{error} Below is the reference sweep; your own sweeps are on the page Runs.").format(
                error=error
            ),
            icon=":material/link_off:",
        )
        return None
    if st.query_params.get("sweep") != sweep.id:
        st.query_params["sweep"] = sweep.id
    return sweep


def sweep_title(store: RunStore, sweep: SweepInfo) -> None:
    """Name of a sweep, when it was started, and the way back to the reference."""
    name, back = st.columns([5, 1], vertical_alignment="center")
    when = datetime.fromtimestamp(sweep.created).astimezone()
    name.markdown(f"**{_plain(sweep.name)}** · {when:%Y-%m-%d %H:%M}")
    back.button(_("Close"), key="close_sweep", on_click=_close, width="stretch")


def _plain(text: str) -> str:
    """Text without meaning in Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|<>$~:" else c for c in text)


def _close() -> None:
    st.session_state.pop("sweep", None)
    st.query_params.pop("sweep", None)
