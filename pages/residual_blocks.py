"""Residual blocks: remove them, insert them, follow the paths through them, weigh them."""

import streamlit as st

from resnet_viz.datasets.errors import DataError
from resnet_viz.i18n import _
from resnet_viz.runs.schema import StoreError
from resnet_viz.specs import SpecError
from resnet_viz.ui.blocks.construction import construction_view
from resnet_viz.ui.blocks.lesions import lesions_view
from resnet_viz.ui.blocks.nets import nets_controls
from resnet_viz.ui.blocks.paths import paths_view
from resnet_viz.ui.blocks.responses import responses_view
from resnet_viz.ui.blocks.reuse import reuse_view
from resnet_viz.ui.inquiries import refuse
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import load_plotly
from resnet_viz.ui.probe_form import controls_and_picture
from resnet_viz.ui.session import open_backend

backend = open_backend()
backend.analysis.start()
load_plotly()
st.title(_("What does a block do?"))
views = {
    "lesions": (_("Remove blocks"), lesions_view),
    "construction": (_("The argument by construction"), construction_view),
    "paths": (_("Path lengths"), paths_view),
    "responses": (_("How much does a block do?"), responses_view),
    "reuse": (_("DenseNet: feature reuse"), reuse_view),
}
titles = {name: title for name, (title, _view) in views.items()}
chosen = linked_choice(_("View"), titles, key="blocks", hide_label=True)
controls, picture = controls_and_picture()
try:
    with controls:
        nets = nets_controls(backend)
    with picture:
        views[chosen][1](backend, nets)
except (SpecError, DataError, StoreError) as error:
    refuse(picture, error)
