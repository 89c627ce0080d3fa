"""The square of a picture that the nets of a page look at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_viz.datasets.picture import Picture, Pixels, Square, cut_for, picture_text
from resnet_viz.sources import NetCard


@dataclass(frozen=True, eq=False)  # arrays do not compare as values do
class Found:
    """A picture that is chosen, before a square of it is.

    Attributes:
        title: for people.
        whole: it is already the square that a net sees, as an image of a data set is.
        label: name of its class, where that is known.
        outline: bool (H, W), true on the object; None where that is not known.
    """

    picture: Picture
    title: str
    whole: bool = False
    label: str | None = None
    outline: NDArray[np.bool_] | None = None

    @cached_property
    def id(self) -> str:
        """A short name of its pixels, the same at every visit."""
        return hashlib.blake2b(self.picture.pixels.tobytes(), digest_size=8).hexdigest()


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture and the square of it that nets see; everything on the page refers to that."""

    found: Found
    square: Square

    @property
    def title(self) -> str:
        """What the picture is called."""
        return self.found.title

    @property
    def label(self) -> str | None:
        """Name of its class, where that is known."""
        return self.found.label

    @property
    def id(self) -> str:
        """Differs where the picture or the square does."""
        return f"{self.found.id}-{self.square.x}-{self.square.y}-{self.square.side}"

    def pixels(self, card: NetCard) -> Pixels:
        """uint8 (S, S, 3) at the size that a net takes; grey for a net of grey images."""
        return cut_for(self.found.picture, self.square, card.image_size, card.channels)

    def text(self, card: NetCard) -> str:
        """The same as the `image` argument of a job."""
        return picture_text(self.pixels(card))

    def mask(self, card: NetCard) -> NDArray[np.bool_] | None:
        """bool (S, S), true on the object; None where it is not known."""
        if self.found.outline is None:
            return None
        size = (card.image_size, card.image_size)
        outline = Image.fromarray(self.found.outline).resize(size, Image.Resampling.NEAREST)
        return np.array(outline)
