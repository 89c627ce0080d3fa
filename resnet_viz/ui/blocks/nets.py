"""What the page's views have on the left: a net, and one beside it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.ui.inside.about import about_net
from resnet_viz.ui.inside.nets import Shown, beside_control, net_control, show
from resnet_viz.ui.linked_choice import linked_slider
from resnet_viz.ui.linked_memory import recall_links, remember_links
from resnet_viz.ui.session import Backend

_MEMORY = "block_net_links"  # of the session: what stood in this page's link
# Trained on images that every computer can draw; the others' data have to be downloaded.
_DEFAULT = "shapes-resnet-20"


def nets_controls(backend: Backend) -> tuple[Shown, ...]:
    """One or two nets.

    Raises:
        SpecError: something is chosen that cannot be opened; the message says what to do.
    """
    with st.container(border=True):
        recall_links(_MEMORY, "net_from")
        first = net_control(backend, key="net", default=_DEFAULT)
        second = beside_control(backend, first)
        remember_links(_MEMORY, "net", "beside")
        nets = show(backend, [first] if second is None else [first, second])
        for net in nets:
            about_net(net)
    return tuple(nets)


def images_control(key: str, default: int, offered: Sequence[int]) -> int:
    """How many images are looked at; the more, the longer it takes."""
    return linked_slider(_("Images"), offered, key=key, value=default)
