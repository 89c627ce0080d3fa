"""Pictures whose pixels stay sharp: st.image smooths what it enlarges."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

import streamlit as st

from resnet_viz.figures.maps.pictures import Picture

# All in one row where each gets its least width, else rows of equally wide pictures.
_ROW = (
    "display:grid;gap:0.25rem 1rem;align-items:start;"
    "max-width:calc({count} * ({most}px + 1rem) - 1rem);"
    "grid-template-columns:repeat(auto-fill,"
    "minmax(max({least}px, calc((100% + 1rem) / {count} - 1rem)), 1fr))"
)
# Title, picture and caption, each at the height of its neighbours'.
_FIGURE = "margin:0 0 0.75rem;display:grid;grid-row:span 3;grid-template-rows:subgrid"
_TITLE = "font-size:0.875rem;font-weight:600;align-self:end"
_IMAGE = "display:block;width:100%;image-rendering:pixelated;border-radius:2px"
_CAPTION = "font-size:0.875rem;opacity:0.8"


def pixel_images(pictures: Sequence[Picture], *, least: int = 96, most: int = 320) -> None:
    """Pictures in a row with titles and captions; the row breaks where it is too narrow.

    Args:
        pictures: drawn equally wide, each pixel a sharp square.
        least, most: width of one in CSS pixels.
    """
    row = _ROW.format(count=len(pictures), least=least, most=most)
    st.html(f'<div style="{row}">{"".join(map(_figure, pictures))}</div>')


def _figure(picture: Picture) -> str:
    source = f"data:image/png;base64,{b64encode(picture.png).decode()}"
    return (
        f'<figure style="{_FIGURE}"><div style="{_TITLE}">{escape(picture.title)}</div>'
        f'<img src="{source}" alt="{escape(picture.alt)}" style="{_IMAGE}">'
        f'<figcaption style="{_CAPTION}">{escape(picture.caption)}</figcaption></figure>'
    )
