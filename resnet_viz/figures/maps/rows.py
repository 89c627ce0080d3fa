"""Sheets side by side: a strip through the depth, and a block's sum with its parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from resnet_viz.figures.maps.pictures import Picture, map_png
from resnet_viz.figures.maps.scales import Limits, Values, limits_of
from resnet_viz.figures.maps.sprites import map_sheet, strongest_first
from resnet_viz.figures.spread import number_text
from resnet_viz.i18n import _
from resnet_viz.inside import BlockMaps, Strongest

_STRIP_CELL_PIXELS = 96  # at every depth: where resolution falls, pixels grow
_BLOCK_CELL_PIXELS = 56
_PART_PIXELS = 192


def place_title(point: str) -> str:
    """ "stem" or "stage 2" of a point's name."""
    place = point.split(".")[0]
    return _("stem") if place == "stem" else _("stage {s}").format(s=place.removeprefix("stage"))


def shape_text(shape: Sequence[int]) -> str:
    """ "64 maps of 8×8" of (channels, height, width)."""
    channels, height, width = shape
    text = _("{c} map of {h}×{w}") if channels == 1 else _("{c} maps of {h}×{w}")
    return text.format(c=channels, h=height, w=width)


def depth_strip(
    strip: Sequence[Strongest], *, count: int = 6, columns: int = 2
) -> tuple[Picture, ...]:
    """The strongest maps of the stem and of every stage, all drawn about equally large.

    Every picture has a colour scale of its own, shared by its maps.

    Args:
        strip: as `inside.Overview.strip`.
        count: maps of each, at most.
        columns: in which they stand.
    """
    pictures = []
    for found in strip:
        channels = found.channels[:count]
        sheet = map_sheet(
            found.maps[: len(channels)],
            order="index",
            columns=min(columns, len(channels)),
            cell_pixels=_STRIP_CELL_PIXELS,
        )
        alt = _("{place}: the {n} strongest of {shape} pixels, channels {channels}")
        pictures.append(
            Picture(
                sheet.png,
                title=place_title(found.point),
                caption=shape_text(found.shape),
                alt=alt.format(
                    place=found.point,
                    n=len(channels),
                    shape=shape_text(found.shape),
                    channels=", ".join(map(str, channels)),
                ),
            )
        )
    return tuple(pictures)


def block_limits(maps: BlockMaps) -> Limits:
    """One colour scale for a block's input, parts and sum, so that the sum can be seen."""
    parts = (maps.x, maps.shortcut, maps.branch, maps.total)
    return limits_of(np.concatenate([part.ravel() for part in parts]))


def block_pictures(maps: BlockMaps, *, count: int = 16) -> tuple[Picture, ...]:
    """x, what the shortcut gives, F(x), and their sum: the same channels in the same places.

    The channels are the sum's strongest. Where the block changes shape its input has other
    channels: there it shows its own strongest. An identity shortcut is not drawn twice.

    Args:
        maps: of the block.
        count: channels, at most.
    """
    limits = block_limits(maps)
    chosen = strongest_first(maps.total)[:count]
    pictures = []
    for title, values in _parts(maps):
        same = values.shape == maps.total.shape
        order = chosen if same else strongest_first(values)[:count]
        sheet = map_sheet(values, order=order, limits=limits, cell_pixels=_BLOCK_CELL_PIXELS)
        caption = _("norm {norm} · {shape}")
        alt = _("{title} of {block}, channels {channels}")
        pictures.append(
            Picture(
                sheet.png,
                title=title,
                caption=caption.format(norm=_norm_text(values), shape=shape_text(values.shape)),
                alt=alt.format(
                    title=title, block=maps.block, channels=", ".join(map(str, sheet.order))
                ),
            )
        )
    return tuple(pictures)


def block_row(maps: BlockMaps, channel: int) -> tuple[Picture, ...]:
    """One channel of a block's parts and of their sum, in the colours of `block_pictures`.

    An input of another shape has no such channel and is left out.

    Raises:
        ValueError: the sum has no such channel.
    """
    if not 0 <= channel < len(maps.total):
        raise ValueError(f"channel {channel}: the block has {len(maps.total)}, from 0")
    limits = block_limits(maps)
    alt = _("{title} of {block}, channel {n}")
    return tuple(
        Picture(
            map_png(values[channel], limits=limits, least_pixels=_PART_PIXELS),
            title=title,
            caption=_("norm {norm}").format(norm=_norm_text(values[channel])),
            alt=alt.format(title=title, block=maps.block, n=channel),
        )
        for title, values in _parts(maps)
        if values.shape == maps.total.shape
    )


def _parts(maps: BlockMaps) -> list[tuple[str, Values]]:
    branch, total = (_("F(x), residual branch"), maps.branch), (_("sum"), maps.total)
    if np.array_equal(maps.x, maps.shortcut):
        return [(_("x, by the identity shortcut"), maps.x), branch, (_("x + F(x)"), maps.total)]
    return [(_("x, input"), maps.x), (_("shortcut of x"), maps.shortcut), branch, total]


def _norm_text(values: Values) -> str:
    return number_text(float(np.linalg.norm(values)))
