"""Colours for the values of a map, and the limits between which they lie.

Both scales begin at zero, so that a colour means the same amount of activation everywhere in a
picture: the sequential one runs from zero up, the diverging one has zero in its middle. They are
tables of 256 colours for palette pictures; the first entry is kept for "nothing here".
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from plotly.colors import sample_colorscale, sequential

from resnet_viz.figures.spread import number_text
from resnet_viz.i18n import _

Values = NDArray[Any]  # of floats
Pixels = NDArray[np.uint8]

NOTHING = 0  # index of "not a number" and of gaps, transparent in a picture
_FIRST, _MIDDLE, _LAST = 1, 128, 255
PERCENTILE = 99.0  # of the sizes that are not zero: one outlier must not blacken the rest

# Ends and middle of the diverging scale in Oklab (Ottosson 2020), between which it is straight:
# lightness, green-red, blue-yellow. Equally dark ends; blue and red differ for colour-blind eyes.
_BELOW, _ZERO, _ABOVE = (0.42, -0.035, -0.155), (0.965, 0.0, 0.0), (0.42, 0.148, 0.068)


@dataclass(frozen=True)
class Limits:
    """Between which values a colour scale runs; what lies beyond has the colour of its end.

    Attributes:
        high: of the strongest colour, at least 0; 0 where there is nothing but zero.
        signed: the scale is the diverging one and runs from -high to high, else from 0.
        percentile: of the sizes that are not zero, at which `high` lies; 100: the largest.
    """

    high: float
    signed: bool
    percentile: float = 100.0

    @property
    def low(self) -> float:
        """The value at the other end."""
        return -self.high if self.signed else 0.0

    @property
    def text(self) -> str:
        """Both ends in words, and how they were found."""
        if self.high == 0:
            return _("zero everywhere")
        ends = _("{low} to {high}").format(low=number_text(self.low), high=number_text(self.high))
        if self.percentile == 100:
            return ends
        text = _("{ends} ({p:g}th percentile of the sizes that are not zero)")
        return text.format(ends=ends, p=self.percentile)


def limits_of(
    values: Values, *, signed: bool | None = None, percentile: float = PERCENTILE
) -> Limits:
    """Limits that suit all of `values`, whatever its shape.

    Args:
        values: what is not finite is passed over.
        signed: None: as the values are.
        percentile: 0..100, of the sizes (absolute values) that are not zero.
    """
    finite = values[np.isfinite(values)]
    if signed is None:
        signed = bool((finite < 0).any())
    sizes = np.abs(finite[finite != 0]) if signed else finite[finite > 0]
    high = float(np.percentile(sizes, percentile)) if sizes.size else 0.0
    return Limits(high, signed, percentile)


def shares(values: Values, limits: Limits) -> Values:
    """Every value as a share of the limit: -1..1 on a signed scale, else 0..1; no number is NaN."""
    return np.clip(np.asarray(values, float) / (limits.high or 1.0), -limits.signed, 1)


def indices(values: Values, limits: Limits) -> Pixels:
    """Place of every value in the table of its scale, 1..255; `NOTHING` where it is no number."""
    share = shares(values, limits)
    zero = _MIDDLE if limits.signed else _FIRST
    found = np.rint(zero + np.nan_to_num(share) * (_LAST - zero))
    return np.where(np.isnan(share), NOTHING, found).astype(np.uint8)


def coloured(values: Values, limits: Limits) -> Pixels:
    """(...) values to (..., 3) colours; no number is mid-grey."""
    return table(limits.signed)[indices(values, limits)]


@cache
def table(signed: bool) -> Pixels:
    """The colours of a scale: uint8 (256, 3), read-only; entry 0 is mid-grey."""
    colours = np.full((256, 3), 128, np.uint8)
    colours[_FIRST:] = _diverging() if signed else _sequential()
    colours.flags.writeable = False
    return colours


def _sequential() -> Pixels:
    """Viridis without its darkest tenth, which a dark page would swallow."""
    shares = list(np.linspace(0, 1, _LAST - _FIRST + 1))
    rgb = sample_colorscale(sequential.Viridis[1:], shares, colortype="tuple")
    return np.rint(255 * np.array(rgb)).astype(np.uint8)


def _diverging() -> Pixels:
    share = np.linspace(-1, 1, _LAST - _FIRST + 1)[:, None]
    below, zero, above = (np.array(end) for end in (_BELOW, _ZERO, _ABOVE))
    return _from_oklab(zero + np.abs(share) * (np.where(share < 0, below, above) - zero))


def _from_oklab(lab: Values) -> Pixels:
    """Oklab (..., 3) to sRGB, https://bottosson.github.io/posts/oklab."""
    to_lms = [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728]]
    lms = (lab @ np.array([*to_lms, [1, -0.0894841775, -1.2914855480]]).T) ** 3
    to_rgb = [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
    rgb = np.clip(lms @ np.array(to_rgb).T, 0, 1)
    rgb = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return np.rint(255 * rgb).astype(np.uint8)


def palette_png(found: Pixels, *, signed: bool) -> bytes:
    """Indices (height, width) of a scale's table as a palette PNG; `NOTHING` is transparent."""
    picture = Image.fromarray(found)
    picture.putpalette(table(signed).tobytes())
    return png_bytes(picture, transparency=NOTHING)


def png_bytes(picture: Image.Image, **options: Any) -> bytes:
    """A picture as PNG."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=6, **options)
    return file.getvalue()


def legend_png(limits: Limits, *, width: int = 256, height: int = 12) -> bytes:
    """The scale as a bar from `low` to `high`, for beside a picture."""
    unit = Limits(1.0, limits.signed)
    ramp = indices(np.linspace(unit.low, unit.high, width), unit)
    return palette_png(np.tile(ramp, (height, 1)), signed=limits.signed)


def legend_values(limits: Limits) -> Sequence[str]:
    """What stands under the bar: left end, middle, right end."""
    middle = (limits.low + limits.high) / 2
    return [number_text(value) for value in (limits.low, middle, limits.high)]
