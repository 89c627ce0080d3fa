"""Attributions: which pixels decided, by which method, and how far to trust it."""

import streamlit as st

from resnet_viz.datasets.errors import DataError
from resnet_viz.i18n import _
from resnet_viz.runs.schema import StoreError
from resnet_viz.specs import SpecError
from resnet_viz.ui.inquiries import refuse
from resnet_viz.ui.inside.compare import compare_view
from resnet_viz.ui.inside.localise import localise_view
from resnet_viz.ui.inside.looking import looking_controls, shapes_controls
from resnet_viz.ui.inside.trust import trust_view
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import load_plotly
from resnet_viz.ui.probe_form import controls_and_picture
from resnet_viz.ui.session import open_backend

backend = open_backend()
backend.analysis.start()
load_plotly()
st.title(_("Which pixels decided?"))
titles = {
    "compare": _("Methods side by side"),
    "trust": _("How far to trust a map"),
    "localise": _("Which method finds the object?"),
}
chosen = linked_choice(_("View"), titles, key="maps", hide_label=True)
controls, picture = controls_and_picture()
try:
    if chosen == "localise":
        with controls:
            nets = shapes_controls(backend)
        with picture:
            localise_view(backend, nets)
    else:
        with controls:
            looking = looking_controls(backend)
        with picture:
            (compare_view if chosen == "compare" else trust_view)(backend, looking)
except (SpecError, DataError, StoreError) as error:
    refuse(picture, error)
