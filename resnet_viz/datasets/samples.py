"""Photographs to look at without having one: scikit-image's, from its installed files. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from resnet_viz.datasets.errors import PictureError
from resnet_viz.datasets.picture import Picture, open_picture
from resnet_viz.i18n import _


@dataclass(frozen=True)
class Sample:
    """A photograph.

    Attributes:
        title: what is on it.
        file: in scikit-image's folder of data.
        source: who made it, and under which terms.
    """

    title: str
    file: str
    source: str


def samples() -> dict[str, Sample]:
    """All of them by their codes, with texts in the reader's language."""
    return {
        "cat": Sample(_("Cat"), "chelsea.png", _("Stéfan van der Walt, CC0")),
        "coffee": Sample(_("Coffee"), "coffee.png", _("Rachel Michetti, CC0")),
        "rocket": Sample(_("Rocket"), "rocket.jpg", _("SpaceX, public domain")),
        "astronaut": Sample(_("Astronaut"), "astronaut.png", _("NASA, public domain")),
        "camera": Sample(_("Photographer"), "camera.png", _("Lav Varshney, CC0")),
    }


@cache
def open_sample(code: str) -> Picture:
    """One of `samples`, decoded; scikit-image itself, which takes its time, is not imported.

    Raises:
        PictureError: scikit-image is not there, or came without its pictures.
    """
    sample = samples()[code]
    spec = find_spec("skimage")
    folders = (spec.submodule_search_locations or []) if spec is not None else []
    paths = [Path(folder) / "data" / sample.file for folder in folders]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        text = _("{file} comes with scikit-image, which is not installed whole.")
        raise PictureError(text.format(file=sample.file))
    return open_picture(path.read_bytes(), sample.file)
