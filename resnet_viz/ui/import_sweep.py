"""Bringing in a sweep that was exported, here or elsewhere."""

from __future__ import annotations

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.runs.archive import ArchiveError, import_archive
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import RunStore


def import_sweep(store: RunStore) -> None:
    """An uploader whose file is checked before anything of it is kept."""
    with st.expander(_("Import a sweep"), icon=":material/upload:"):
        # A form, so that one upload is imported once, whatever reruns the page.
        with st.form("import", clear_on_submit=True, border=False):
            file = st.file_uploader(
                _("A file that “Export” made"), type="zip", key="archive", max_upload_size=512
            )
            submitted = st.form_submit_button(_("Import"), key="import_now")
        if not submitted:
            return
        if file is None:
            st.warning(_("Choose a file first."))
            return
        try:
            sweep_id = import_archive(store, file)
        except (ArchiveError, StoreError) as error:
            st.error(str(error), icon=":material/error:")
            return
        st.session_state["imported"] = store.sweep(sweep_id).name
        st.rerun()
