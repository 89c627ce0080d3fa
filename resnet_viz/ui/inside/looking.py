"""What both pages have on the left: an image, a net, and one beside it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from resnet_viz.figures.maps.looked import Looked
from resnet_viz.inside import Overview
from resnet_viz.ui.inside.about import about_net
from resnet_viz.ui.inside.nets import Shown, beside_control, net_control, show
from resnet_viz.ui.linked_memory import recall_links, remember_links
from resnet_viz.ui.pictures.control import Seen, picture_control
from resnet_viz.ui.session import Backend

_MEMORY = "net_links"  # of the session: what stood in the last page's link


@dataclass(frozen=True)
class Looking:
    """Nets that look at an image.

    Attributes:
        nets: one or two.
        seen: the image, and the square of it that they see.
    """

    nets: tuple[Shown, ...]
    seen: Seen

    def text(self, net: Shown) -> str:
        """The square as the net takes it, for jobs."""
        return self.seen.text(net.card)


def looking_controls(backend: Backend) -> Looking:
    """The image above, the nets below it.

    Raises:
        SpecError: something is chosen that cannot be looked at; the message says what to do.
    """
    image_place = st.container(border=True)
    with st.container(border=True):
        recall_links(_MEMORY, "net_from")
        first = net_control(backend, key="net", default="resnet-56")
        second = beside_control(backend, first)
        remember_links(_MEMORY, "net", "beside")
        nets = show(backend, [first] if second is None else [first, second])
        for net in nets:
            about_net(net)
    with image_place:
        seen = picture_control(backend, nets[0].card)
    return Looking(tuple(nets), seen)


def shapes_controls(backend: Backend) -> tuple[Shown, ...]:
    """One or two nets that were trained on the drawn shapes.

    Raises:
        SpecError: one of them cannot be opened.
    """
    with st.container(border=True):
        first = net_control(backend, key="finder", default="shapes-resnet-20")
        second = beside_control(backend, first, key="finder_beside")
        nets = show(backend, [first] if second is None else [first, second])
        for net in nets:
            about_net(net)
        return tuple(nets)


def as_looked(net: Shown, overview: Overview) -> Looked:
    """A net and what was found in it, as charts take them."""
    return Looked(net.card.net, net.title, overview, net.card.step)
