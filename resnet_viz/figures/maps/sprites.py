"""Many small maps as one picture: a sprite sheet, its cells row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from resnet_viz.figures.maps.scales import (
    NOTHING,
    PERCENTILE,
    Limits,
    Pixels,
    Values,
    indices,
    limits_of,
    palette_png,
    png_bytes,
)
from resnet_viz.figures.spread import number_text
from resnet_viz.i18n import _

ORDERS = ("strength", "index")
LEAST_CELL_PIXELS = 56
_FEW = 32  # up to so many cells are drawn larger
_CELL_OF_FEW_PIXELS = 96
_GAP_PIXELS = 2


@dataclass(frozen=True)
class Sheet:
    """Equally large square cells on a transparent ground, in reading order.

    Attributes:
        png: the picture.
        columns, rows: of cells; the last row may not be full.
        cell_pixels: side of a cell.
        gap_pixels: between two cells; there is none at the edges.
        order: a cell; number of its channel (or filter) from 0.
        labels: a cell; what it shows, in words.
        limits: of the colours: one for all cells, or one a cell; empty where the colours are the
            image's own.
    """

    png: bytes
    columns: int
    rows: int
    cell_pixels: int
    gap_pixels: int
    order: tuple[int, ...]
    labels: tuple[str, ...]
    limits: tuple[Limits, ...]

    @property
    def count(self) -> int:
        """Cells."""
        return len(self.order)

    @property
    def shared(self) -> bool:
        """Whether a colour means the same in every cell."""
        return len(self.limits) == 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        step = self.cell_pixels + self.gap_pixels
        return self.columns * step - self.gap_pixels, self.rows * step - self.gap_pixels


def strengths(maps: Values) -> Values:
    """Mean absolute activation of every channel of (C, H, W); not finite where a map is not."""
    return np.abs(maps).mean((1, 2), dtype=np.float64)


def strongest_first(maps: Values) -> list[int]:
    """Channel numbers by strength; equals by number, those that are not finite last."""
    return [int(i) for i in np.argsort(-np.nan_to_num(strengths(maps), nan=-1.0), kind="stable")]


def map_sheet(
    maps: Values,
    *,
    order: str | Sequence[int] = "strength",
    shared: bool = True,
    percentile: float = PERCENTILE,
    limits: Limits | None = None,
    columns: int | None = None,
    cell_pixels: int | None = None,
) -> Sheet:
    """Every map of a point as one palette PNG.

    Small maps are enlarged pixel by pixel, a whole number of times; large ones are reduced by
    averaging activations (not colours).

    Args:
        maps: (C, S, S) floats, which may hold NaN and infinities.
        order: one of `ORDERS`, or the channels to be shown, in their order.
        shared: one colour scale for all maps, else each has its own.
        percentile: as in `limits_of`.
        limits: a shared scale from elsewhere.
        columns: None: about as many as rows.
        cell_pixels: at least so many; None: what suits the number of maps.

    Raises:
        ValueError: not (C, S, S) with at least one channel.
    """
    if maps.ndim != 3 or maps.shape[1] != maps.shape[2] or 0 in maps.shape:
        raise ValueError(f"maps of shape {maps.shape} are not (channels, side, side)")
    chosen = _ordered(maps, order)
    signed = bool((maps < 0).any())  # all cells have the same kind of scale
    if limits is not None or shared:
        every = [limits or limits_of(maps, signed=signed, percentile=percentile)]
    else:
        every = [limits_of(maps[c], signed=signed, percentile=percentile) for c in chosen]
    side = _cell_side(maps.shape[1], len(chosen), cell_pixels)
    cells = np.stack(
        [
            enlarged(indices(reduced(maps[c], side), every[i % len(every)]), side)
            for i, c in enumerate(chosen)
        ]
    )
    columns = columns or _columns(len(chosen))
    return Sheet(
        png=palette_png(_tiled(cells, columns), signed=every[0].signed),
        columns=columns,
        rows=math.ceil(len(chosen) / columns),
        cell_pixels=side,
        gap_pixels=_GAP_PIXELS,
        order=tuple(chosen),
        labels=_labels(maps, chosen),
        limits=tuple(every),
    )


def filter_sheet(filters: Values, *, order: Sequence[int] | None = None) -> Sheet:
    """Convolution kernels that look at the image, as tiles in the image's own colours.

    Zero is mid-grey, and one scale holds for all: a tile as pale as grey is a weak filter.

    Args:
        filters: (C, 3, k, k), or (C, 1, k, k) for grey images.
        order: None: by number.

    Raises:
        ValueError: they look at something else than an image.
    """
    if filters.ndim != 4 or filters.shape[1] not in (1, 3):
        raise ValueError(f"filters of shape {filters.shape} do not look at an image")
    chosen = list(range(len(filters))) if order is None else list(order)
    limit = float(np.abs(filters).max()) or 1.0
    rgb = np.rint(127.5 + 127.5 * filters.transpose(0, 2, 3, 1) / limit).astype(np.uint8)
    side = _cell_side(filters.shape[-1], len(chosen), None)
    cells = np.stack(
        [enlarged(np.broadcast_to(rgb[c], (*rgb.shape[1:3], 3)), side) for c in chosen]
    )
    solid = np.full((*cells.shape[:3], 1), 255, np.uint8)
    columns = _columns(len(chosen))
    return Sheet(
        png=png_bytes(Image.fromarray(_tiled(np.concatenate([cells, solid], -1), columns))),
        columns=columns,
        rows=math.ceil(len(chosen) / columns),
        cell_pixels=side,
        gap_pixels=_GAP_PIXELS,
        order=tuple(chosen),
        labels=tuple(_("filter of channel {n}").format(n=c) for c in chosen),
        limits=(),
    )


def enlarged(pixels: Pixels, side: int) -> Pixels:
    """(H, W) or (H, W, colours) to a square of `side` pixels, each pixel a plain block."""
    height, width = pixels.shape[:2]
    places = np.arange(side)
    return pixels[places * height // side][:, places * width // side]


def reduced(values: Values, side: int) -> Values:
    """(S, S) to at most `side` by averaging; unchanged where it is no larger."""
    if values.shape[0] <= side:
        return values
    picture = Image.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize((side, side), Image.Resampling.BOX))


def _ordered(maps: Values, order: str | Sequence[int]) -> list[int]:
    if order == "strength":
        return strongest_first(maps)
    if order == "index":
        return list(range(len(maps)))
    if isinstance(order, str) or not order or not set(order) <= set(range(len(maps))):
        raise ValueError(f"order {order!r}: use one of {ORDERS}, or numbers of channels")
    return list(order)


def _cell_side(map_side: int, count: int, least: int | None) -> int:
    """A cell's side: a whole multiple or fraction of the map's, as far as that goes."""
    least = least or (_CELL_OF_FEW_PIXELS if count <= _FEW else LEAST_CELL_PIXELS)
    if map_side < least:
        return map_side * math.ceil(least / map_side)
    return math.ceil(map_side / (map_side // least))


def _columns(count: int) -> int:
    """The power of two whose square holds them: counts of channels mostly are one as well."""
    return 2 ** math.ceil(math.log2(count) / 2)


def _tiled(cells: Pixels, columns: int) -> Pixels:
    """(N, side, side, ...) to one picture, gaps and missing cells `NOTHING`."""
    rows = math.ceil(len(cells) / columns)
    side, rest = cells.shape[1], cells.shape[3:]
    step = side + _GAP_PIXELS
    sheet = np.full((rows, step, columns, step, *rest), NOTHING, np.uint8)
    for i, cell in enumerate(cells):
        sheet[i // columns, :side, i % columns, :side] = cell
    whole = sheet.reshape(rows * step, columns * step, *rest)
    return whole[: rows * step - _GAP_PIXELS, : columns * step - _GAP_PIXELS]


def _labels(maps: Values, chosen: Sequence[int]) -> tuple[str, ...]:
    """A cell; "channel 12 · mean 0.31"."""
    means = maps.mean((1, 2), dtype=np.float64)
    dead = np.abs(maps).max((1, 2)) == 0
    named = _("channel {n} · mean {mean}")
    zero = _("channel {n} · zero everywhere")
    return tuple(
        zero.format(n=c) if dead[c] else named.format(n=c, mean=number_text(means[c]))
        for c in chosen
    )
