"""What does a 1×1 convolution save? One block as basic and as bottleneck."""

from __future__ import annotations

import streamlit as st

from resnet_viz.figures.architecture.one_by_one import (
    basic_block,
    block_costs,
    bottleneck_block,
    paper_caption,
    saving_caption,
)
from resnet_viz.i18n import _
from resnet_viz.ui.downloads import table
from resnet_viz.ui.linked_choice import linked_slider
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.probe_form import controls_and_picture
from resnet_viz.ui.session import Backend

_CHANNELS = (16, 32, 64, 128, 256, 512, 1024, 2048)
_REDUCTIONS = (1, 2, 4, 8)
_SIDES = (7, 8, 14, 16, 28, 32, 56)


def one_by_one_view(backend: Backend) -> None:
    """Sliders on the left; bars, and the arithmetic in words."""
    controls, picture = controls_and_picture()
    with controls, st.container(border=True):
        channels = linked_slider(
            _("Channels of the basic block"), _CHANNELS, key="basic", value=256
        )
        wide = linked_slider(_("Channels of the bottleneck"), _CHANNELS, key="wide", value=256)
        divided = linked_slider(
            _("Its 3×3 works on so many times fewer"), _REDUCTIONS, key="reduction", value=4
        )
        side = linked_slider(_("Image size in pixels"), _SIDES, key="side", value=56)
    basic = basic_block(channels, side)
    bottleneck = bottleneck_block(wide, wide // divided, side)
    with picture:
        live_chart(
            block_costs(basic, bottleneck),
            key="one_by_one",
            height=430,
            alt=_("Parameters and multiply-adds of a basic block and of a bottleneck"),
        )
        st.markdown(saving_caption(basic, bottleneck))
        st.caption(paper_caption())
        rows = [
            {
                "block": name,
                "convolution": conv.title,
                "parameters": conv.parameters,
                "multiply-adds": conv.multiply_adds,
            }
            for name, block in (("basic", basic), ("bottleneck", bottleneck))
            for conv in block
        ]
        table(rows, key="one_by_one_table")
