"""From any of Pillow's modes to RGB of 8 bits, without clipping. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_viz.datasets.errors import PictureError
from resnet_viz.i18n import _

Converted = Callable[[Image.Image], Image.Image]

WHITE = (255, 255, 255)
_STRIP_PIXELS = 1 << 21


def to_rgb(
    image: Image.Image, longest: int, *, deep: bool
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """A loaded image as RGB, its longest side reduced to `longest`.

    It is converted a strip at a time, so that a large one needs little more memory than it has.

    Args:
        deep: its colours had more bits than Pillow kept.

    Returns:
        uint8 (H, W, 3), and notes on what was lost or assumed.

    Raises:
        PictureError: a colour space that has no plain conversion, or no finite value.
    """
    convert, notes = _conversion(image)
    if deep:
        notes = (*notes, _("16 bits a colour; the upper 8 are used"))
    factor = max(1, max(image.size) // longest)
    strips = [convert(strip).reduce(factor) for strip in _strips(image, factor)]
    rgb = Image.fromarray(np.concatenate([np.asarray(strip) for strip in strips]))
    if max(rgb.size) > longest:
        scale = longest / max(rgb.size)
        size = (max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale)))
        rgb = rgb.resize(size, Image.Resampling.BILINEAR)
    return np.array(rgb), notes


def _strips(image: Image.Image, multiple: int = 1) -> Iterator[Image.Image]:
    """The image in pieces of its full width, from above; heights are multiples but the last."""
    height = multiple * max(1, _STRIP_PIXELS // (image.width * multiple))
    for top in range(0, image.height, height):
        yield image.crop((0, top, image.width, min(top + height, image.height)))


def _conversion(image: Image.Image) -> tuple[Converted, tuple[str, ...]]:
    mode = image.mode
    if mode.startswith("I;16"):
        return _scaled(0, 65535), (_("16-bit grey, 0..65535 scaled to 0..255"),)
    if mode in ("I", "F"):
        low, high = _range(image)
        if mode == "F" and low >= 0 and high <= 1:
            return _scaled(0, 1), (_("grey in fractions, 0..1 scaled to 0..255"),)
        note = _("grey values from {low:g} to {high:g}, stretched to 0..255")
        return _scaled(low, high), (note.format(low=low, high=high),)
    if mode == "LAB":
        raise PictureError(_("Its colours are stored as LAB; save it as RGB."))
    if image.has_transparency_data:
        if any(_least_alpha(strip) < 255 for strip in _strips(image)):
            return _over_white, (_("transparent pixels are shown on white"),)
        return _opaque, ()
    if mode == "CMYK":
        note = _("printing colours (CMYK) turned into RGB without a colour profile")
        return _plain, (note,)
    return _plain, ()


def _plain(strip: Image.Image) -> Image.Image:
    return strip.convert("RGB")


def _opaque(strip: Image.Image) -> Image.Image:
    return strip.convert("RGBA").convert("RGB")


def _least_alpha(strip: Image.Image) -> int:
    low, _high = strip.convert("RGBA").getchannel("A").getextrema()
    assert isinstance(low, int)
    return low


def _over_white(strip: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", strip.size, (*WHITE, 255))
    return Image.alpha_composite(ground, strip.convert("RGBA")).convert("RGB")


def _range(image: Image.Image) -> tuple[float, float]:
    """The smallest and the largest finite value."""
    lows, highs = [], []
    for strip in _strips(image):
        values = np.asarray(strip)
        finite = values[np.isfinite(values)]
        if finite.size:
            lows.append(float(finite.min()))
            highs.append(float(finite.max()))
    if not lows:
        raise PictureError(_("None of its pixels has a finite value; save it as PNG."))
    return min(lows), max(highs)


def _scaled(low: float, high: float) -> Converted:
    """Grey from `low` to `high` as 0 to 255; what is not a number is black."""
    span = high - low or 1.0

    def convert(strip: Image.Image) -> Image.Image:
        values = np.nan_to_num((np.asarray(strip, np.float64) - low) / span, posinf=1, neginf=0)
        grey = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")

    return convert
