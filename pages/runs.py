"""Runs: every sweep that was trained here; open, compare, rename, export, import, delete."""

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.runs.schema import StoreError
from resnet_viz.ui.import_sweep import import_sweep
from resnet_viz.ui.live_chart import load_plotly
from resnet_viz.ui.queue_view import queue_view
from resnet_viz.ui.session import open_backend
from resnet_viz.ui.sweep_actions import compare_sweeps, sweep_actions
from resnet_viz.ui.sweep_table import sweep_table

backend = open_backend()
load_plotly()
st.title(_("Runs"))
if name := st.session_state.pop("imported", None):
    st.success(_("Imported: {name}").format(name=name), icon=":material/check:")
try:
    queue_view(backend)
    chosen = sweep_table(backend.store)
    sweep_actions(backend.store, chosen)
    compare_sweeps(backend.store, chosen)
    import_sweep(backend.store)
except StoreError as error:
    st.error(str(error))
