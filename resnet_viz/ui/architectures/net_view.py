"""The net itself: its drawing, the table of its stages, and what can be carried off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from resnet_viz.analysis.graph_jobs import graph_question
from resnet_viz.analysis.question import all_jobs
from resnet_viz.architectures import NAMED, Architecture, differences, ilsvrc
from resnet_viz.figures.architecture.captions import (
    comparison_caption,
    net_caption,
    stage_caption,
)
from resnet_viz.figures.architecture.drawing import details, drawing_of
from resnet_viz.figures.architecture.overview import scale_of
from resnet_viz.figures.architecture.table import (
    column_titles,
    compared_rows,
    shown_rows,
    stage_rows,
)
from resnet_viz.figures.architecture.words import crumbs
from resnet_viz.graphs import NetGraph
from resnet_viz.i18n import _
from resnet_viz.specs import SpecError
from resnet_viz.ui.architectures.choosing import choose_net, choose_other
from resnet_viz.ui.architectures.take_away import take_away_net
from resnet_viz.ui.inquiries import refuse
from resnet_viz.ui.inside.asking import answer_now
from resnet_viz.ui.linked_choice import linked_slider
from resnet_viz.ui.net_drawing import net_drawing
from resnet_viz.ui.probe_form import controls_and_picture
from resnet_viz.ui.session import Backend

_BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_PLACE = "at"  # in the link: what is opened in the drawing


def net_view(backend: Backend) -> None:
    """Controls on the left; on the right the drawing, its caption, the table."""
    controls, picture = controls_and_picture()
    try:
        with controls, st.container(border=True):
            net = choose_net()
            other = choose_other(net)
            batch = _choose_batch()
        with controls:
            _about(net)
        with picture:
            graph = _graph(backend, net)
            second = _graph(backend, other) if other is not None else None
    except SpecError as error:
        refuse(picture, error)
        return
    with picture:
        _drawings(graph, second)
        _table(graph, second, batch)
        take_away_net(backend, net, graph, st.query_params.get(_PLACE, ""), batch)
    _ask_ahead(backend)


def _ask_ahead(backend: Backend) -> None:
    """Have the named nets built while a person looks at this one: three seconds of computing.

    What is known already costs nothing; a person's own question takes turns with this one.
    """
    if not st.session_state.get("asked_ahead"):
        st.session_state["asked_ahead"] = True
        backend.analysis.ask(all_jobs([graph_question(net) for net in NAMED.values()]))


def _choose_batch() -> int:
    return linked_slider(
        _("Images in a training batch"),
        _BATCHES,
        key="batch",
        value=128,
        help=_(
            "For the memory that training keeps between the forward and the backward pass, in "
            "float32. Weights, gradients and the optimizer's own come on top."
        ),
    )


def _about(net: Architecture) -> None:
    lines = [
        _("{net}: {source}; {depth} weighted layers as the paper counts.").format(
            net=net.title, source=net.source, depth=net.depth
        ),
        ilsvrc(net),
        differences(net),
    ]
    st.caption("\n\n".join(filter(None, lines)))


def _graph(backend: Backend, net: Architecture) -> NetGraph:
    text = _("Building {net} …").format(net=net.title)
    graph: NetGraph = answer_now(backend, graph_question(net), text)
    return graph


def _open(place: str) -> None:
    if place:
        st.query_params[_PLACE] = place
    else:
        st.query_params.pop(_PLACE, None)


def _drawings(graph: NetGraph, second: NetGraph | None) -> None:
    """The place that is open; of two whole nets one under the other, on one scale."""
    graphs = [graph] if second is None else [graph, second]
    wanted = st.query_params.get(_PLACE, "")
    place = graph.nearest(wanted)
    scale = scale_of(graphs)
    net_drawing(
        drawing_of(graph, place, scale),
        key="drawing",
        crumbs=crumbs(graph, place),
        details=details(graph, place),
        on_open=_open,
    )
    part, block, _operation = graph.find(place)
    if part is None:
        st.markdown(net_caption(graph))
    elif block is None and (text := stage_caption(part)):
        st.markdown(text)
    if second is None:
        return
    there = second.nearest(wanted)
    net_drawing(
        drawing_of(second, there, scale),
        key="other_drawing",
        crumbs=crumbs(second, there),
        details=details(second, there),
        on_open=_open,
        hint=False,
    )
    if not there:
        st.markdown(net_caption(second))


def _table(graph: NetGraph, second: NetGraph | None, batch: int) -> None:
    st.subheader(_("Stage by stage"))
    if second is None:
        rows, graphs = stage_rows(graph, batch), [graph]
    else:
        rows, graphs = compared_rows(graph, second, batch), [graph, second]
    shown = shown_rows(rows, graphs)
    st.dataframe(
        shown,
        hide_index=True,
        key="stages",
        height="content",
        column_config=_columns(shown),
        alt=_("Output, layers, parameters, multiply-adds, receptive field and memory by stage"),
    )
    if second is not None:
        st.markdown(comparison_caption(graph, second, batch))
    st.caption(
        _(
            "After Table 1 of He et al. 2015, counted from the net as it is built. Output: "
            "channels × height × width. Weighted: layers with weights, projections among them. "
            "Multiply-adds: of convolutions and linear layers, for one image. Sees: the side of "
            "the receptive field, the input pixels on which a value at the part's end can depend. "
            "Kept: memory for the activations of {batch} images between forward and backward pass."
        ).format(batch=batch)
        + (" " + _("≠: the two nets differ here.") if second is not None else "")
    )


def _columns(shown: Sequence[dict[str, str]]) -> dict[str, Any]:
    titles = column_titles()
    right = ("parameters", "multiply_adds", "receptive_field", "kept_bytes", "layers")
    return {
        name: st.column_config.TextColumn(
            titles[name], alignment="right" if name in right else "left"
        )
        for name in shown[0]
    }
