"""A picture with a square on it that a person moves and zooms, and what a net sees of it.

The picture goes to the browser in a part of its own: Streamlit sends a large message that it has
sent before as a reference, so a move costs what the square itself does.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from PIL import Image

from resnet_viz.datasets.picture import Picture, Pixels, Square, centre_square, png_bytes
from resnet_viz.datasets.picture_file import MIN_SIDE
from resnet_viz.i18n import _

_HERE = Path(__file__).parent
_SHOWN_PIXELS = 840  # of the longest side: 420 on the page, two for each there
_SHOWN = "square_shown"  # of the session: the picture on the page, and its data URL
_SQUARES = "squares"  # of the session: key -> where a person has put the square

# Travels with every move, so it only hands over to what the picture's part brought.
_MOUNT = """
const slot = (window.resnetVizSquare ??= {})
slot.ready ??= new Promise((resolve) => (slot.resolve = resolve))
export default async (part) => (await slot.ready)(part)
"""


@cache
def _picture() -> Callable[..., Any]:
    return st.components.v2.component(
        "resnet_viz_square_picture",
        js=(_HERE / "square_cut.js").read_text("utf-8"),
        css=(_HERE / "square_cut.css").read_text("utf-8"),
        isolate_styles=False,
    )


@cache
def _square() -> Callable[..., Any]:
    return st.components.v2.component("resnet_viz_square", js=_MOUNT, isolate_styles=False)


def square_cut(
    picture: Picture, *, title: str, key: str, see: Callable[[Square], Pixels]
) -> Square:
    """Let a person move and zoom a square by pointer, touch, wheel or keys.

    The browser says where it is when it is let go. It stays there through other pages and
    pictures, until the session ends.

    Args:
        title: of the picture, for a person who cannot see it.
        key: names picture and square; another picture needs another.
        see: the pixels that a net makes of a square, uint8 (S, S, 3).
    """
    squares: dict[str, Square] = st.session_state.setdefault(_SQUARES, {})

    def move() -> None:
        squares[key] = _read(st.session_state[key].get("square"), squares.get(key)) or first

    first = centre_square(picture)
    square = squares.get(key, first).fit(picture)
    seen = see(square)
    with st.container(gap=None):
        _picture()(
            key=f"{key}_picture",
            height=1,
            data={"key": key, "picture": _shown(picture), "title": title},
        )
        _square()(
            key=key,
            data={
                "key": key,
                "width": picture.width,
                "height": picture.height,
                "least": MIN_SIDE,
                "square": _values(square),
                "first": _values(first),
                "seen": b64encode(png_bytes(seen)).decode(),
                "size": len(seen),
                "words": _words(),
            },
            on_square_change=move,
        )
    return square


def _words() -> dict[str, str]:
    return {
        "square": _("What the net sees"),
        "keys": _("Arrow keys move it, + and − zoom, Home puts it back in the middle."),
        "line": _("{side}×{side} of {width}×{height} pixels, seen as {size}×{size}"),
        "reset": _("Reset"),
        "middle": _("The largest square, in the middle"),
        "seen": _("The square as the net sees it"),
    }


def _values(square: Square) -> dict[str, int]:
    return {"x": square.x, "y": square.y, "side": square.side}


def _read(sent: object, otherwise: Square | None) -> Square | None:
    """The square that a browser sent; `otherwise` where it is none."""
    if not isinstance(sent, dict):
        return otherwise
    values = [sent.get(name) for name in ("x", "y", "side")]
    numbers = [v for v in values if isinstance(v, int | float) and abs(v) < 1e9]
    return Square(*(round(v) for v in numbers)) if len(numbers) == 3 else otherwise


def _shown(picture: Picture) -> str:
    """A data URL of the picture as large as the page shows it, made once a session."""
    known: dict[int, tuple[Picture, str]] = st.session_state.setdefault(_SHOWN, {})
    if id(picture) not in known:
        known.clear()  # of the picture before it
        known[id(picture)] = picture, _data_url(picture)
    return known[id(picture)][1]


def _data_url(picture: Picture) -> str:
    small = Image.fromarray(picture.pixels)
    small.thumbnail((_SHOWN_PIXELS, _SHOWN_PIXELS))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"
