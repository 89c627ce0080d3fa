"""Pictures and numbers of the pages that look inside a net, to carry off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from resnet_viz.analysis.tables import rows_csv
from resnet_viz.i18n import _
from resnet_viz.ui.downloads import download
from resnet_viz.ui.pictures.control import picture_in_link


def take_away_inside(
    name: str,
    *,
    png: Callable[[], bytes],
    rows: Sequence[Mapping[str, Any]],
    json: Callable[[], str],
    code: str,
    npy: Callable[[], bytes] | None = None,
) -> None:
    """One PNG with all pictures, the numbers, and the same without a browser.

    Args:
        name: of the files.
        npy: the values of the maps as a numpy file.
        code: commands for a shell.
    """
    makers: dict[str, Callable[[], str | bytes]] = {
        "png": png,
        "csv": lambda: rows_csv(rows),
        "json": json,
    }
    if npy is not None:
        makers["npy"] = npy
    with st.expander(_("Take away"), icon=":material/download:"):
        with st.container(horizontal=True):
            for ending, make in makers.items():
                download(ending.upper(), f"{name}.{ending}", make)
        text = _("The address of this page is a link to this view with its controls.")
        if not picture_in_link():
            text += " " + _("Your picture itself is not in the link; nobody but you has it.")
        st.caption(f"{text} {_('Without a browser:')}")
        st.code(code, language="bash", wrap_lines=True)
