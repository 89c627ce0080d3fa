"""ImageNet's nets, whose weights are downloaded when a person asks for them."""

from __future__ import annotations

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.nets.imagenet_files import (
    NETS,
    by_hand,
    find_weights,
    imagenet_source,
)
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import Source
from resnet_viz.ui.download_panel import download_panel
from resnet_viz.ui.linked_choice import linked_choice


def imagenet_control(store: RunStore, *, key: str, otherwise: Source) -> Source:
    """One of them; the other source as long as its weights are not on this computer."""
    titles = {name: net.title for name, net in NETS.items()}
    name = linked_choice(_("Net"), titles, key=f"{key}_imagenet", default="resnet50", as_list=True)
    source = imagenet_source(name)
    if source.path:
        return source
    net = NETS[name]
    download_panel(
        store,
        source.name,
        title=net.title,
        total_bytes=net.files[0].size_bytes,
        is_present=lambda: find_weights(name) is not None,
        key=f"{key}_download",
        advice=by_hand(name),
    )
    st.caption(
        _("Its weights are not on this computer yet; until then the page shows {net}.").format(
            net=otherwise.name
        )
    )
    with st.expander(_("Without a network here?")):
        st.markdown(by_hand(name))
    return otherwise
