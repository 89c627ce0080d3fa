"""A picture of a person's own, from a file or the camera; both pages have the same one.

It lies in the memory of the session: pages, controls and other uploads that fail leave it there,
a reload of the page does not. It is never written to a disk.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from resnet_viz.datasets.errors import PictureError
from resnet_viz.datasets.picture import Picture, open_picture
from resnet_viz.datasets.picture_file import MAX_BYTES, MAX_PIXELS
from resnet_viz.i18n import _
from resnet_viz.ui.pictures.seen import Found
from resnet_viz.ui.words import plain

_MEMORY = "own_picture"  # way in -> the last picture that could be opened


def uploaded_picture() -> Found | None:
    """What was dropped or chosen; None until something was."""
    file = st.file_uploader(
        _("Drop a picture here, or choose one"),
        key="picture_file",
        max_upload_size=MAX_BYTES // 1_000_000,
        help=_(
            "PNG, JPEG, WebP, GIF, BMP or TIFF; at most {size} MB and {pixels} megapixels."
        ).format(size=MAX_BYTES // 1_000_000, pixels=MAX_PIXELS // 1_000_000),
    )
    return _keep("upload", file)


def camera_picture() -> Found | None:
    """What the camera took; None until it did. The browser asks for permission only here."""
    return _keep("camera", st.camera_input(_("Take a picture"), key="picture_camera"))


def _keep(way: str, file: Any) -> Found | None:
    """Open a file that was not looked at before; the last good picture of this way in.

    Args:
        file: Streamlit's `UploadedFile`, or None.
    """
    kept: dict[str, Picture] = st.session_state.setdefault(_MEMORY, {})
    looked_at: dict[str, tuple[str, str | None]] = st.session_state.setdefault(f"{_MEMORY}_at", {})
    if file is not None and looked_at.get(way, ("", None))[0] != file.file_id:
        refusal = None
        try:
            kept[way] = open_picture(file.getvalue(), file.name)
        except PictureError as error:
            refusal = str(error)
        looked_at[way] = file.file_id, refusal
    refusal = looked_at[way][1] if file is not None else None
    if refusal is not None:
        st.error(plain(refusal), icon=":material/broken_image:")
    if way not in kept:
        return None
    if refusal is not None or file is None:
        st.caption(_("Your picture is still {name}.").format(name=plain(kept[way].name)))
    st.caption(
        _(
            "Only in memory, for both pages of this session: never written to disk, forgotten "
            "when the page is reloaded."
        )
    )
    title = kept[way].name if way == "upload" else _("your camera's picture")
    return Found(kept[way], title)
