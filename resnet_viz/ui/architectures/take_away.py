"""A net to carry off: code, drawing, table, ONNX file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import streamlit as st

from resnet_viz.analysis.graph_jobs import onnx_question
from resnet_viz.analysis.tables import rows_csv
from resnet_viz.architectures import Architecture, file_stem
from resnet_viz.figures.architecture.drawing import drawing_of
from resnet_viz.figures.architecture.table import stage_rows
from resnet_viz.graphs import NetGraph
from resnet_viz.i18n import _
from resnet_viz.scripts.architecture_text import architecture_text
from resnet_viz.ui.downloads import download
from resnet_viz.ui.inquiries import AnswerError
from resnet_viz.ui.inside.asking import answer_now
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain, size


def take_away_net(
    backend: Backend, net: Architecture, graph: NetGraph, place: str, batch: int
) -> None:
    """Buttons that make their file when they are clicked.

    Args:
        place: what is open in the drawing.
        batch: of the table.
    """
    name, here = file_stem(graph.name), graph.nearest(place)
    # Its state is kept, since making a file runs the page again.
    with st.expander(
        _("Take away"), icon=":material/download:", key="take_away", on_change="rerun"
    ):
        code, drawing, table, onnx = st.columns(4, gap="medium")
        with code:
            st.markdown(_("**PyTorch code**"))
            download("Python", f"{name}.py", lambda: architecture_text(net))
            with st.popover(_("Show"), icon=":material/code:"):
                st.code(architecture_text(net), language="python")
        with drawing:
            st.markdown(_("**Drawing** (SVG)"))
            download(_("Whole net"), f"{name}.svg", lambda: drawing_of(graph, "").file)
            if here:
                file = f"{name}.{here}.svg"
                download(_("What is open"), file, lambda: drawing_of(graph, here).file)
        with table:
            st.markdown(_("**Numbers**"))
            download("CSV", f"{name}.csv", lambda: rows_csv(stage_rows(graph, batch)))
            download("JSON", f"{name}.json", lambda: json.dumps(asdict(graph)))
        with onnx:
            _onnx(backend, net)


def _onnx(backend: Backend, net: Architecture) -> None:
    """Made first, since that takes seconds and hundreds of megabytes; then downloaded."""
    st.markdown(_("**ONNX**, fresh weights"))
    made: dict[str, str] = st.session_state.setdefault("onnx_files", {})
    key = json.dumps(net.to_dict(), sort_keys=True)

    def want() -> None:
        st.session_state["onnx_wanted"] = key

    st.button(_("Make the file"), key="make_onnx", icon=":material/deployed_code:", on_click=want)
    if st.session_state.pop("onnx_wanted", None) == key:
        try:
            text = _("Exporting {net} …").format(net=net.title)
            made[key] = str(answer_now(backend, onnx_question(net), text))
        except AnswerError as error:
            st.warning(plain(str(error)), icon=":material/warning:")
    path = Path(made[key]) if key in made else None
    if path is not None and path.is_file():
        label = f"ONNX ({size(path.stat().st_size)})"
        download(label, path.name, path.read_bytes)
