"""One map as a picture: alone, over the image, or as a mask of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from resnet_viz.figures.maps.scales import (
    Limits,
    Pixels,
    Values,
    coloured,
    indices,
    limits_of,
    palette_png,
    png_bytes,
    shares,
)
from resnet_viz.figures.maps.sprites import enlarged

LEAST_PIXELS = 320  # side of a picture that stands alone


@dataclass(frozen=True)
class Picture:
    """A picture and what stands around it.

    Attributes:
        png: the picture.
        title: above it.
        caption: below it.
        alt: for a person who cannot see it.
    """

    png: bytes
    title: str
    caption: str
    alt: str


def image_png(image: Pixels, *, least_pixels: int = LEAST_PIXELS) -> bytes:
    """The square that a net sees, uint8 (S, S, 3), its pixels enlarged a whole number of times."""
    return png_bytes(Image.fromarray(magnified(image, least_pixels)))


def map_png(
    values: Values, *, limits: Limits | None = None, least_pixels: int = LEAST_PIXELS
) -> bytes:
    """One map (S, S), its pixels enlarged a whole number of times; no number is transparent."""
    limits = limits or limits_of(values)
    return palette_png(magnified(indices(values, limits), least_pixels), signed=limits.signed)


def overlay_png(
    values: Values,
    image: Pixels,
    *,
    limits: Limits | None = None,
    opacity: float = 0.8,
    least_pixels: int = LEAST_PIXELS,
) -> bytes:
    """A map over the greyed image: the stronger a value, the more its colour covers.

    Args:
        values: (s, s); a map smaller than the image keeps its pixels, drawn as blocks.
        image: uint8 (S, S, 3).
        limits: of the colours; None: of `values`.
        opacity: 0..1, at the strongest values.
    """
    found = blended(values, image, limits or limits_of(values), opacity)
    return png_bytes(Image.fromarray(magnified(found, least_pixels)))


def blended(values: Values, image: Pixels, limits: Limits, opacity: float) -> Pixels:
    """(s, s) values over the greyed (S, S, 3) image; what is no number covers nothing."""
    values = _at_size(values, image)
    cover = opacity * np.abs(np.nan_to_num(shares(values, limits)))[..., None]
    mixed = cover * coloured(values, limits) + (1 - cover) * _greyed(image, pale=limits.signed)
    return np.rint(mixed).astype(np.uint8)


def masked(values: Values, image: Pixels, limits: Limits) -> Pixels:
    """The image where (s, s) values are strong and positive, fading to mid-grey elsewhere."""
    share = np.clip(np.nan_to_num(shares(_at_size(values, image), limits)), 0, 1)[..., None]
    return np.rint(share * image + (1 - share) * 128).astype(np.uint8)


def _at_size(values: Values, image: Pixels) -> Values:
    return values if values.shape == image.shape[:2] else enlarged(values, image.shape[0])


def _greyed(image: Pixels, *, pale: bool) -> Pixels:
    """Luma in three equal channels; pale under the signed scale, whose ends are dark."""
    grey = np.asarray(Image.fromarray(image).convert("L").convert("RGB"))
    return grey // 2 + 112 if pale else grey


def magnified(pixels: Pixels, least: int) -> Pixels:
    """A square enlarged the least whole number of times that brings it to `least` pixels."""
    side = pixels.shape[0]
    return enlarged(pixels, side * max(1, math.ceil(least / side)))
