"""Files to carry off, made when their button is clicked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from resnet_viz.i18n import _

_MIMES = {
    "csv": "text/csv",
    "json": "application/json",
    "html": "text/html",
    "npy": "application/octet-stream",
    "png": "image/png",
    "py": "text/x-python",
    "safetensors": "application/octet-stream",
    "svg": "image/svg+xml",
    "onnx": "application/octet-stream",
}


def download(label: str, name: str, make: Callable[[], str | bytes]) -> None:
    """A button for the file `name`, whose ending says what it is."""
    st.download_button(
        label,
        make,
        file_name=name,
        mime=_MIMES[name.rpartition(".")[2]],
        key=f"take_{name}",
        icon=":material/download:",
        on_click="ignore",
    )


def table(rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """The numbers behind a view's charts, folded away."""
    with st.expander(_("Table"), icon=":material/table:"):
        st.dataframe(rows, hide_index=True, key=key)


def take_away_probe(
    name: str,
    *,
    csv: Callable[[], str],
    json: Callable[[], str],
    html: Callable[[], str],
    code: str,
    language: str = "python",
) -> None:
    """The numbers and the figures of a view, and how to have them without a browser.

    Args:
        code: a command or a program that measures the same.
        language: "python" or "bash".
    """
    with st.expander(_("Take away"), icon=":material/download:"):
        buttons = st.columns([1, 1, 1, 3], vertical_alignment="center")
        with buttons[0]:
            download("CSV", f"{name}.csv", csv)
        with buttons[1]:
            download("JSON", f"{name}.json", json)
        with buttons[2]:
            download("HTML", f"{name}.html", html)
        buttons[3].caption(_("PNG: the camera in the corner of a chart."))
        st.caption(
            _(
                "The address of this page is a link to this view with its controls (after another "
                "choice of view, quantity or depth, from the next click on). Without a browser:"
            )
        )
        st.code(code, language=language, wrap_lines=True)
