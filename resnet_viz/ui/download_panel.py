"""A download of data or weights, with its progress, and what to do when it fails."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.runs.downloads import list_downloads, request_download, stop_download
from resnet_viz.runs.store import RunStore
from resnet_viz.ui.words import plain, size


def download_panel(
    store: RunStore,
    name: str,
    *,
    title: str,
    total_bytes: int,
    is_present: Callable[[], bool],
    key: str = "download",
    advice: str = "",
) -> None:
    """A button that starts it; then how far it is, with Cancel; the page runs again at its end.

    Args:
        name: of the job, as in `runs.downloads`.
        title: of what is downloaded.
        is_present: whether it is there.
        key: of the button; two panels on one page need two.
        advice: what the page itself says, with which the message of a failure need not end.
    """

    def region() -> None:
        if is_present():
            st.rerun()
        job = list_downloads(store).get(name)
        if job is not None and job.status in ("queued", "running", "stopping"):
            bar, stop = st.columns([5, 1], vertical_alignment="center")
            if job.status == "queued":
                text = _("The download waits for a free worker.")
            else:
                text = _("Downloading {title}: {done} of {total}").format(
                    title=title, done=size(job.bytes_done), total=size(total_bytes)
                )
            bar.progress(min(1.0, job.bytes_done / total_bytes), text)
            stop.button(
                _("Cancel"),
                key=f"cancel_{key}",
                on_click=stop_download,
                args=(store, name),
                width="stretch",
            )
            return
        if job is not None and job.status == "failed":
            message = (job.message or "").removesuffix(advice).rstrip()
            st.error(plain(message) or _("The download failed."), icon=":material/cloud_off:")
        st.button(
            _("Download {title} ({size})").format(title=title, size=size(total_bytes)),
            icon=":material/download:",
            key=key,
            on_click=request_download,
            args=(store, name),
        )

    st.fragment(region, run_every=1.0)()
