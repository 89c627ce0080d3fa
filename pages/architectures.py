"""Architectures: any net drawn and counted, what a 1×1 convolution saves, what is known of them."""

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.ui.architectures.known import known_view
from resnet_viz.ui.architectures.net_view import net_view
from resnet_viz.ui.architectures.one_by_one import one_by_one_view
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import load_plotly
from resnet_viz.ui.session import open_backend

backend = open_backend()
backend.analysis.start()
load_plotly()
st.title(_("What is a net made of?"))
views = {
    "net": (_("The net"), net_view),
    "one_by_one": (_("What does a 1×1 convolution save?"), one_by_one_view),
    "known": (_("What is known of it"), known_view),
}
chosen = linked_choice(
    _("View"), {name: title for name, (title, _view) in views.items()}, key="view", hide_label=True
)
views[chosen][1](backend)
