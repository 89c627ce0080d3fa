"""An attribution as a picture: alone, over the image, or as a mask of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from resnet_viz.figures.maps.compose import composed
from resnet_viz.figures.maps.pictures import (
    LEAST_PIXELS,
    Picture,
    blended,
    magnified,
    map_png,
    masked,
)
from resnet_viz.figures.maps.scales import PERCENTILE, Limits, Pixels, Values, limits_of, png_bytes
from resnet_viz.i18n import _

VIEWS = ("over", "heat", "mask")


def view_name(view: str) -> str:
    """One of `VIEWS` in words."""
    names = {
        "over": _("Over the image"),
        "heat": _("Attribution alone"),
        "mask": _("The image where it speaks for the class"),
    }
    return names[view]


def pixel_values(values: Values) -> Values:
    """(channels, S, S) attributions to one value a pixel: their sum over the channels."""
    return values.sum(0, dtype=np.float64)


def attribution_limits(
    maps: Sequence[Values], *, signed: bool, percentile: float = PERCENTILE
) -> Limits:
    """One colour scale for one attribution, or for several that are compared by size.

    Args:
        maps: each (channels, S, S).
        signed: as `methods.Method.signed` of any of them.
        percentile: of the sizes of the pixel values that are not zero.
    """
    together = np.concatenate([pixel_values(values).ravel() for values in maps])
    return limits_of(together, signed=signed, percentile=percentile)


def attribution_png(
    values: Values,
    image: Pixels,
    limits: Limits,
    *,
    view: str = "over",
    opacity: float = 0.8,
    least_pixels: int = LEAST_PIXELS,
) -> bytes:
    """One attribution as a picture of a whole multiple of the image's side.

    Args:
        values: (channels, S, S).
        image: uint8 (S, S, 3), what the net saw.
        limits: from `attribution_limits`.
        view: one of `VIEWS`. A mask shows what speaks for the class and greys out the rest.
        opacity: 0..1, of the strongest values over the image.

    Raises:
        ValueError: no such view.
    """
    pixels = pixel_values(values)
    if view == "heat":
        return map_png(pixels, limits=limits, least_pixels=least_pixels)
    if view == "over":
        found = blended(pixels, image, limits, opacity)
    elif view == "mask":
        found = masked(pixels, image, limits)
    else:
        raise ValueError(f"view {view!r}: use one of {VIEWS}")
    return png_bytes(Image.fromarray(magnified(found, least_pixels)))


def comparison_png(
    cells: Sequence[Sequence[Picture | None]],
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    *,
    title: str = "",
) -> bytes:
    """A table of attributions (methods by nets, targets or checkpoints) as one PNG to take away.

    Args:
        cells: rows of pictures; None where there is none.
        row_titles, column_titles: above the cells of a row, and of a column.
        title: above everything.
    """
    return composed(cells, title=title, row_titles=row_titles, column_titles=column_titles)
