"""Pictures that are there: photographs, and images of data sets on this computer."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from resnet_viz.analysis.gallery_jobs import Gallery, gallery_question
from resnet_viz.datasets.catalogue import NAMES, describe, is_present
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.picture import Picture, png_bytes
from resnet_viz.datasets.samples import open_sample, samples
from resnet_viz.figures.maps.sprites import Sheet
from resnet_viz.i18n import _
from resnet_viz.sources import NetCard
from resnet_viz.specs import DataSpec
from resnet_viz.ui.inside.asking import answer_now
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.linked_grid import linked_grid
from resnet_viz.ui.pictures.seen import Found
from resnet_viz.ui.session import Backend

_PHOTO = "photo"  # of the widget, and its name in the link
_CELL_PIXELS, _GAP_PIXELS, _COLUMNS = 48, 2, 10


def photograph() -> Found:
    """One of scikit-image's, chosen.

    Raises:
        PictureError: scikit-image came without them.
    """
    offered = samples()
    titles = {code: sample.title for code, sample in offered.items()}
    code = linked_choice(_("Photograph"), titles, key=_PHOTO, as_list=True)
    st.caption(_("{source}; part of scikit-image").format(source=offered[code].source))
    return _sample(code)


def linked_photograph() -> Found:
    """The photograph that was chosen last, while there is no other picture.

    Raises:
        PictureError: scikit-image came without them.
    """
    linked = st.query_params.get(_PHOTO)
    return _sample(linked if linked in samples() else next(iter(samples())))


def _sample(code: str) -> Found:
    return Found(open_sample(code), samples()[code].title)


def data_image(backend: Backend, card: NetCard) -> Found:
    """A test image of a data set, exactly as a net of this size gets it.

    Raises:
        SpecError, DataError: it cannot be had; the message says why.
    """
    offered = _data_sets(card)
    titles = {code: describe(data).title for code, data in offered.items()}
    code = linked_choice(_("Images of"), titles, key="picture_data", as_list=True)
    question = gallery_question(offered[code], card.image_size)
    found = answer_now(backend, question, _("Loading images …"))
    number = linked_grid(
        _sheet(found),
        key=f"picture_image_{code}",
        name="picture_image",
        alt=_("Images to choose from"),
        height=180,
    )
    name = found.title(number)
    return Found(
        Picture(found.images[number], name),
        name,
        whole=True,
        label=found.classes[found.labels[number]],
        outline=None if found.masks is None else found.masks[number],
    )


def _data_sets(card: NetCard) -> dict[str, DataSpec]:
    """By their codes: what the net was trained on first, then all others that are there."""
    offered = {name: DataSpec(name) for name in NAMES if is_present(DataSpec(name))}
    own = card.data
    if own is None or not _usable(own):
        return offered
    code = own.name if own.folder is None else f"folder-{own.folder}"
    return {code: own} | {name: data for name, data in offered.items() if name != code}


def _usable(data: DataSpec) -> bool:
    try:
        return is_present(data)
    except DataError:  # a folder that is gone
        return False


def _sheet(found: Gallery) -> Sheet:
    """Small copies of all images."""
    step = _CELL_PIXELS + _GAP_PIXELS
    count = len(found.images)
    rows = -(-count // _COLUMNS)
    tiles = np.zeros((rows * step - _GAP_PIXELS, _COLUMNS * step - _GAP_PIXELS, 4), np.uint8)
    for number, image in enumerate(found.images):
        top, left = (step * place for place in divmod(number, _COLUMNS))
        sharp = image.shape[0] < _CELL_PIXELS
        how = Image.Resampling.NEAREST if sharp else Image.Resampling.BOX
        small = Image.fromarray(image).resize((_CELL_PIXELS, _CELL_PIXELS), how)
        cell = tiles[top : top + _CELL_PIXELS, left : left + _CELL_PIXELS]
        cell[..., :3], cell[..., 3] = np.asarray(small), 255
    return Sheet(
        png=png_bytes(tiles),
        columns=_COLUMNS,
        rows=rows,
        cell_pixels=_CELL_PIXELS,
        gap_pixels=_GAP_PIXELS,
        order=tuple(range(count)),
        labels=tuple(found.title(number) for number in range(count)),
        limits=(),
    )
