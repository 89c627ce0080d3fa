"""Feature maps: what each stage of a net makes of one image."""

import streamlit as st

from resnet_viz.datasets.errors import DataError
from resnet_viz.i18n import _
from resnet_viz.runs.schema import StoreError
from resnet_viz.specs import SpecError
from resnet_viz.ui.inquiries import refuse
from resnet_viz.ui.inside.looking import looking_controls
from resnet_viz.ui.inside.meaning import meaning_view
from resnet_viz.ui.inside.place import place_view
from resnet_viz.ui.inside.residual import residual_view
from resnet_viz.ui.inside.strip import strip_view
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import load_plotly
from resnet_viz.ui.probe_form import controls_and_picture
from resnet_viz.ui.session import open_backend

backend = open_backend()
backend.analysis.start()
load_plotly()
st.title(_("What does each stage see?"))
views = {
    "strip": (_("Through the depth"), strip_view),
    "place": (_("Every channel of a point"), place_view),
    "block": (_("x, F(x) and their sum"), residual_view),
    "meaning": (_("Does meaning rise with depth?"), meaning_view),
}
titles = {name: title for name, (title, _view) in views.items()}
chosen = linked_choice(_("View"), titles, key="maps", hide_label=True)
controls, picture = controls_and_picture()
try:
    with controls:
        looking = looking_controls(backend)
    with picture:
        views[chosen][1](backend, looking)
except (SpecError, DataError, StoreError) as error:
    refuse(picture, error)
