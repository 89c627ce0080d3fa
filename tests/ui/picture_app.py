"""Two pages that share a picture, and say what they see; run by test_pictures.py."""

import hashlib

import streamlit as st

from resnet_viz.analysis.process import AnalysisProcess
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor
from resnet_viz.sources import NetCard
from resnet_viz.specs import DataSpec, NetSpec
from resnet_viz.ui.pictures.control import picture_control
from resnet_viz.ui.session import Backend


@st.cache_resource
def backend() -> Backend:
    store = RunStore()
    return Backend(store, Supervisor(store), AnalysisProcess(store.home, threads=1))


def page() -> None:
    colour = st.toggle("Colour", value=True, key="colour")
    channels = 3 if colour else 1
    card = NetCard(
        title="resnet-8",
        net=NetSpec("resnet", 8),
        classes=tuple("abc"),
        image_size=32,
        channels=channels,
        mean=(0.5,) * channels,
        std=(0.5,) * channels,
        parameters=1,
        data=DataSpec("shapes", image_size=32),
    )
    left, right = st.columns([1, 1.6], gap="medium")
    with left, st.container(border=True):
        seen = picture_control(backend(), card)
    text = hashlib.sha256(seen.text(card).encode()).hexdigest()[:12]
    mask = seen.mask(card)
    inside = None if mask is None else int(mask.sum())
    square = seen.square
    with right:
        st.code(
            f"title={seen.title}\nlabel={seen.label}\ntext={text}\ninside={inside}\n"
            f"square={square.x},{square.y},{square.side}",
            language=None,
        )


st.set_page_config(layout="wide")
st.navigation(
    [
        st.Page(page, title="One", url_path="one", default=True),
        st.Page(lambda: page(), title="Two", url_path="two"),
    ]
).run()
