"""Start: the question in one screen, what runs here, and the way to the experiment."""

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.ui.block_drawing import block_drawing
from resnet_viz.ui.device_line import device_line
from resnet_viz.ui.live_chart import load_plotly
from resnet_viz.ui.queue_view import running_text
from resnet_viz.ui.reference_view import reference_chart
from resnet_viz.ui.session import open_backend

backend = open_backend()
load_plotly()
question, go = st.columns([3, 1], gap="large", vertical_alignment="bottom")
question.title(_("Does a deeper net train better?"))
if go.button(
    _("Watch it happen"), type="primary", icon=":material/play_arrow:", key="go", width="stretch"
):
    st.switch_page("pages/error_vs_depth.py")

expect, happens, change = st.columns(3, gap="large")
with expect:
    st.subheader(_("What one would expect"))
    st.markdown(
        _(
            "A deeper net can do all that a shallower one can: its extra layers only have to pass "
            "their input on. So its error **on the training images** should never be higher."
        )
    )
with happens:
    st.subheader(_("What happens"))
    st.markdown(
        _(
            "Trained in the usual way, a deep *plain* net ends with a **higher training error** "
            "than a shallower one. This is *degradation*. It is not over-fitting, since that would "
            "lower the training error (He et al. 2015, arXiv:1512.03385)."
        )
    )
with change:
    st.subheader(_("What a residual block changes"))
    st.markdown(
        _(
            "A shortcut adds the block's input to its output. The layers now learn the difference "
            "from the input, **F(x)**; to pass the input on, they only have to learn zero."
        )
    )

drawing, measured = st.columns(2, gap="large", vertical_alignment="center")
with drawing:
    block_drawing()
with measured:
    reference_chart()

device_line(backend)
st.caption(running_text(backend.store.sweeps()))
