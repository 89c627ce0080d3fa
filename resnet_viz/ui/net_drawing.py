"""A drawing of a net in which a person opens a stage, a block, an operation, by pointer or keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from resnet_viz.figures.architecture.svg import Drawing
from resnet_viz.i18n import _

_HERE = Path(__file__).parent


@cache
def _part() -> Callable[..., Any]:
    return st.components.v2.component(
        "resnet_viz_net",
        js=(_HERE / "net_drawing.js").read_text("utf-8"),
        css=(_HERE / "net_drawing.css").read_text("utf-8"),
        isolate_styles=False,
    )


def net_drawing(
    drawing: Drawing,
    *,
    key: str,
    crumbs: Sequence[tuple[str, str]],
    details: Sequence[tuple[str, str]] = (),
    on_open: Callable[[str], None],
    hint: bool = True,
) -> None:
    """Show a drawing under the way to it.

    Args:
        key: names the drawing on its page; the same at every call.
        crumbs: places from the whole net to this one, and their titles.
        details: names and values beside it; the first is their title.
        on_open: takes the place that a person opens, before the page runs again.
        hint: say under it how to open places.
    """

    def opened() -> None:
        place = st.session_state[key].get("place")
        if isinstance(place, str):
            on_open(place)

    _part()(
        key=key,
        data={
            "key": key,
            "svg": drawing.svg,
            "crumbs": [{"place": place, "title": title} for place, title in crumbs],
            "details": [list(row) for row in details],
            "words": {
                "way": _("Way to this place"),
                "hint": _hint() if hint else "",
            },
        },
        on_place_change=opened,
    )


def _hint() -> str:
    return _("Click a part to open it; or arrow keys, Enter, and Escape to go back.")
