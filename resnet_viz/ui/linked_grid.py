"""A grid of small pictures whose choice stands in the page's link."""

from __future__ import annotations

import streamlit as st

from resnet_viz.figures.maps.sprites import Sheet
from resnet_viz.ui.sprite_grid import sprite_grid

_MOST_DIGITS = 9


def linked_grid(sheet: Sheet, *, key: str, name: str, alt: str, height: int = 480) -> int:
    """The number of the cell that is chosen: the first one until a link or a person says another.

    Choosing the chosen cell again goes back to the first.

    Args:
        key: of the grid.
        name: of the choice in the link, which leaves the first cell out.
        alt, height: as in `sprite_grid`.
    """
    first, linked = sheet.order[0], st.query_params.get(name, "")
    number = int(linked) if linked.isdecimal() and len(linked) <= _MOST_DIGITS else None
    chosen = sprite_grid(
        sheet,
        key=key,
        selected=number if number in sheet.order else first,
        otherwise=first,
        alt=alt,
        height=height,
    )
    assert chosen is not None  # since one is given for every case
    if chosen == first:
        st.query_params.pop(name, None)
    elif linked != str(chosen):
        st.query_params[name] = str(chosen)
    return chosen
