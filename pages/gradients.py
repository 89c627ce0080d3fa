"""Gradients, layer by layer: while nets train, at initialisation, and why the shortcut helps."""

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.runs.schema import StoreError
from resnet_viz.ui.gradients.shattered import shattered_view
from resnet_viz.ui.gradients.shortcut import shortcut_view
from resnet_viz.ui.gradients.start import start_view
from resnet_viz.ui.gradients.training import training_view
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import load_plotly
from resnet_viz.ui.session import open_backend

backend = open_backend()
backend.analysis.start()
load_plotly()
st.title(_("What reaches the first layer?"))
views = {
    "training": (_("While nets train"), training_view),
    "start": (_("At initialisation"), start_view),
    "shortcut": (_("Why the shortcut helps"), shortcut_view),
    "shattered": (_("Shattered gradients"), shattered_view),
}
chosen = linked_choice(
    _("View"), {name: title for name, (title, _view) in views.items()}, key="view", hide_label=True
)
try:
    views[chosen][1](backend)
except StoreError as error:
    st.error(str(error))
