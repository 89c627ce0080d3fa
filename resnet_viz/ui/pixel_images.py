"""Pictures whose pixels stay sharp: st.image smooths what it enlarges."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

import streamlit as st

from resnet_viz.figures.maps.pictures import Picture

_ROW = "display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start"
_FIGURE = "margin:0;flex:1 1 {least}px;min-width:0;max-width:{most}px"
_TITLE = "font-size:0.875rem;font-weight:600;margin-bottom:0.25rem"
_IMAGE = "display:block;width:100%;image-rendering:pixelated;border-radius:2px"
_CAPTION = "font-size:0.875rem;opacity:0.8;margin-top:0.25rem"


def pixel_images(pictures: Sequence[Picture], *, least: int = 96, most: int = 320) -> None:
    """Pictures in a row with titles and captions; the row breaks where it is too narrow.

    Args:
        pictures: drawn equally wide, each pixel a sharp square.
        least, most: width of one in CSS pixels.
    """
    figures = "".join(_figure(picture, least, most) for picture in pictures)
    st.html(f'<div style="{_ROW}">{figures}</div>')


def _figure(picture: Picture, least: int, most: int) -> str:
    source = f"data:image/png;base64,{b64encode(picture.png).decode()}"
    title = f'<div style="{_TITLE}">{escape(picture.title)}</div>' if picture.title else ""
    caption = f'<figcaption style="{_CAPTION}">{escape(picture.caption)}</figcaption>'
    return (
        f'<figure style="{_FIGURE.format(least=least, most=most)}">{title}'
        f'<img src="{source}" alt="{escape(picture.alt)}" style="{_IMAGE}">'
        f"{caption if picture.caption else ''}</figure>"
    )
