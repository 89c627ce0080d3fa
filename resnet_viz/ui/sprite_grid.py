"""A grid of small maps in which a person chooses one, by pointer or by keys.

The sheet goes to the browser in a part of its own: Streamlit sends a large message that it has
sent before as a reference, so a choice costs a few hundred bytes however large the sheet is.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from resnet_viz.figures.maps.sprites import Sheet
from resnet_viz.i18n import _

_HERE = Path(__file__).parent
_TAKEN_BACK = -1  # as in sprite_grid.js

# Travels with every choice, so it only hands over to what the sheet's part brought.
_MOUNT = """
const slot = (window.resnetVizGrid ??= {})
slot.ready ??= new Promise((resolve) => (slot.resolve = resolve))
export default async (part) => (await slot.ready)(part)
"""


@cache
def _sheet() -> Callable[..., Any]:
    return st.components.v2.component(
        "resnet_viz_sheet",
        js=(_HERE / "sprite_grid.js").read_text("utf-8"),
        css=(_HERE / "sprite_grid.css").read_text("utf-8"),
        isolate_styles=False,
    )


@cache
def _grid() -> Callable[..., Any]:
    return st.components.v2.component("resnet_viz_grid", js=_MOUNT, isolate_styles=False)


def sprite_grid(
    sheet: Sheet,
    *,
    key: str,
    selected: int | None = None,
    otherwise: int | None = None,
    alt: str,
    height: int = 480,
) -> int | None:
    """Show the cells of a sheet; as many side by side as the width has place for.

    Few cells are drawn two or three times as large; many scroll, with the last row cut and a line
    that says how many there are. Choosing the chosen cell again takes the choice back. Scroll and
    choice stay when the sheet changes.

    Args:
        sheet: cells, their channels and labels.
        key: names the grid on its page; the same at every call.
        selected: channel that is selected until a person chooses one that this sheet has.
        otherwise: channel that is selected once a choice was taken back.
        alt: what the whole grid shows, for a person who cannot see it.
        height: at most so many pixels.

    Returns:
        The number of the chosen channel (an element of `sheet.order`), else `selected` or
        `otherwise`.
    """
    chosen = st.session_state.get(key, {}).get("selected")
    current = chosen if chosen in sheet.order else selected
    if chosen == _TAKEN_BACK:
        current = otherwise
    shown = {
        "order": sheet.order,
        "labels": sheet.labels,
        "columns": sheet.columns,
        "cell": sheet.cell_pixels,
        "gap": sheet.gap_pixels,
        "width": sheet.size[0],
        "height": sheet.size[1],
        "most": height,
        "more": _("{n} in all; scroll to see the others.").format(n=sheet.count),
    }
    name = hashlib.blake2b(sheet.png + repr(shown).encode(), digest_size=8).hexdigest()
    with st.container(gap=None):
        _sheet()(
            key=f"{key}_sheet",
            height=1,
            data={"key": key, "id": name, "png": b64encode(sheet.png).decode(), **shown},
        )
        _grid()(
            key=key,
            data={
                "key": key,
                "sheet": name,
                "selected": current,
                "otherwise": otherwise,
                "alt": alt,
                "hint": _("Choose a map: click it, or use the arrow keys and Enter."),
            },
            on_selected_change=lambda: None,
        )
    return current
