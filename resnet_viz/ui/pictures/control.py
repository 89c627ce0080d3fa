"""Which picture the nets of a page look at, and which square of it; both pages share it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from resnet_viz.datasets.picture import centre_square
from resnet_viz.figures.maps.pictures import Picture as Drawn, image_png
from resnet_viz.i18n import _
from resnet_viz.sources import NetCard
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.linked_memory import recall_links, remember_links
from resnet_viz.ui.pictures.offered import data_image, linked_photograph, photograph
from resnet_viz.ui.pictures.own import camera_picture, uploaded_picture
from resnet_viz.ui.pictures.seen import Found, Seen
from resnet_viz.ui.pixel_images import pixel_images
from resnet_viz.ui.session import Backend
from resnet_viz.ui.square_cut import square_cut
from resnet_viz.ui.words import plain

__all__ = ["Seen", "picture_control", "picture_in_link"]

_MEMORY = "picture_links"  # of the session: what stood in the last page's link
_LINKED = "picture_of_another"  # of the session: its first link said a picture of one's own
_OWN = ("upload", "camera")  # ways in whose pictures no link can hold


def picture_control(backend: Backend, card: NetCard) -> Seen:
    """A picture, from a file, the camera, photographs or a data set, and the square to look at.

    The way in, and what is chosen there, stand in the link; a picture of one's own cannot.

    Args:
        card: of the net whose view of the square is shown.

    Raises:
        SpecError, DataError: an image of a data set cannot be had; the message says why.
    """
    ways: dict[str, tuple[str, Callable[[], Found | None]]] = {
        "photo": (_("Photographs"), photograph),
        "upload": (_("Your own"), uploaded_picture),
        "data": (_("Data sets"), lambda: data_image(backend, card)),
        "camera": (_("Camera"), camera_picture),
    }
    titles = {code: title for code, (title, _choose) in ways.items()}
    if _MEMORY not in st.session_state:
        st.session_state[_LINKED] = st.query_params.get("picture") in _OWN
    recall_links(_MEMORY, "picture")
    way = linked_choice(_("Picture"), titles, key="picture", as_pills=True)
    found = ways[way][1]()
    remember_links(_MEMORY, "picture", "photo")
    if found is None:
        found = linked_photograph()
        if way in _OWN and st.session_state.get(_LINKED):
            told = _("This link was made with a picture that only its owner has. Bring one here.")
            st.info(told, icon=":material/link_off:")
        st.caption(_("Until then: {title}.").format(title=found.title))
    for note in found.picture.notes:
        st.caption(_("Note: {note}.").format(note=plain(note)))
    if found.whole:
        seen = Seen(found, centre_square(found.picture))
        _show_whole(seen, card)
        return seen
    square = square_cut(
        found.picture,
        title=found.title,
        key=f"square_{found.id}",
        see=lambda square: Seen(found, square).pixels(card),
    )
    return Seen(found, square)


def picture_in_link() -> bool:
    """Whether the page's link brings others to the picture that is shown."""
    return st.query_params.get("picture") not in _OWN


def _show_whole(seen: Seen, card: NetCard) -> None:
    size = card.image_size
    caption = _("{size}×{size} pixels, exactly as the net sees them").format(size=size)
    png = image_png(seen.pixels(card), least_pixels=192)
    pixel_images([Drawn(png, seen.title, caption, seen.title)], most=192)
