"""Error against depth: choose nets, train them in the background, watch both curves."""

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.runs.schema import StoreError
from resnet_viz.specs import SpecError
from resnet_viz.ui.live_chart import load_plotly
from resnet_viz.ui.reference_view import reference_view
from resnet_viz.ui.session import open_backend
from resnet_viz.ui.start_sweep import start_bar
from resnet_viz.ui.sweep_form import sweep_controls
from resnet_viz.ui.sweep_title import chosen_sweep, sweep_title
from resnet_viz.ui.sweep_view import watch_sweep
from resnet_viz.ui.take_away import take_away

backend = open_backend()
load_plotly()
st.title(_("Does a deeper net train better?"))
header = st.container()
controls, picture = st.columns([1, 3.4], gap="medium")

with controls, st.container(border=True):
    spec, problem = None, None
    try:
        spec = sweep_controls()
    except SpecError as error:
        problem = str(error)

with header:
    start_bar(backend, spec, problem)

with picture:
    try:
        sweep = chosen_sweep(backend.store)
        if sweep is None:
            reference_view()
        else:
            sweep_title(backend.store, sweep)
            watch_sweep(backend, sweep.id)
            take_away(backend.store, sweep)
    except StoreError as error:
        st.error(str(error))
