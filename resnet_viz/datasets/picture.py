"""One picture of a person's own, and the square of it that a net sees. No torch.

A file becomes a `Picture` in `open_picture`, whatever it holds: a picture, or a `PictureError`
that says what is wrong with it. `cut` makes of a `Square` the pixels of the size that a net takes,
and `picture_text` what a job carries to the analysis process.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_viz.datasets.picture_file import MIN_SIDE, read_picture, shown_name

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)  # arrays do not compare as values do
class Picture:
    """A decoded picture.

    Attributes:
        pixels: uint8 (H, W, 3), RGB, upright; no side under `MIN_SIDE`, the longest at most
            `picture_file.LONGEST` unless that would make the other too short.
        name: of its file, as it can be shown.
        notes: what a person should know: what was lost or changed.
    """

    pixels: Pixels
    name: str
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])


@dataclass(frozen=True)
class Square:
    """A square of a picture, in its pixels: left and upper edge, and side."""

    x: int
    y: int
    side: int

    def fit(self, picture: Picture) -> Square:
        """The nearest square that lies in the picture and has sides of `MIN_SIDE` or more."""
        side = min(max(self.side, MIN_SIDE), picture.width, picture.height)
        x = min(max(self.x, 0), picture.width - side)
        y = min(max(self.y, 0), picture.height - side)
        return Square(x, y, side)


def open_picture(data: bytes, name: str) -> Picture:
    """Decode a file: PNG, JPEG, WebP, GIF (first frame), BMP or TIFF.

    It is turned upright (EXIF), 16 bits and more are scaled to 8, transparent pixels show white,
    and a large one is reduced.

    Args:
        data: the bytes of the file.
        name: of the file; how it ends does not matter.

    Raises:
        PictureError: not a picture, damaged, too large or too small; says what to do.
    """
    pixels, notes = read_picture(data, name)
    return Picture(pixels, shown_name(name), notes)


def centre_square(picture: Picture) -> Square:
    """The largest square in the middle."""
    side = min(picture.width, picture.height)
    return Square((picture.width - side) // 2, (picture.height - side) // 2, side)


def cut(picture: Picture, square: Square, size: int) -> Pixels:
    """The square as a net sees it.

    Reduced with a triangle filter that covers all pixels (antialiased bilinear), as the program
    reduces the images that its nets learn from, and torchvision those of ImageNet. A sharper
    filter (Lanczos) would overshoot at edges, which no training image does.

    Args:
        square: is brought into the picture first (`Square.fit`).
        size: side in pixels of the result.

    Returns:
        uint8 (size, size, 3).
    """
    square = square.fit(picture)
    rows, columns = (slice(start, start + square.side) for start in (square.y, square.x))
    part = Image.fromarray(picture.pixels[rows, columns])
    if square.side == size:
        return np.array(part)
    return np.array(part.resize((size, size), Image.Resampling.BILINEAR))


def cut_for(picture: Picture, square: Square, size: int, channels: int) -> Pixels:
    """The square as a net of so many channels sees it: grey, still (size, size, 3), for one."""
    part = cut(picture, square, size)
    if channels == 3:
        return part
    return np.array(Image.fromarray(part).convert("L").convert("RGB"))


def png_bytes(pixels: Pixels) -> bytes:
    """A PNG file of uint8 (H, W, 3), or of grey (H, W)."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def picture_text(pixels: Pixels) -> str:
    """The `image` argument of a job: a PNG in base64; equal pixels have equal texts."""
    return base64.b64encode(png_bytes(pixels)).decode("ascii")
