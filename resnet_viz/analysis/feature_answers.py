"""Feature maps of an image, computed in the analysis process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from resnet_viz.analysis.opened import Opened, open_net
from resnet_viz.analysis.pictures import as_input
from resnet_viz.i18n import _
from resnet_viz.inside import BlockMaps, FeatureMaps, Overview
from resnet_viz.layers import after_order
from resnet_viz.points import Point, find_point
from resnet_viz.probes.activations import ActivationError, activations, as_array, overview


def measure_overview(net: Mapping[str, Any], image: str) -> Overview:
    """The image's way through the net.

    Args:
        net: `Source.to_dict()`.
        image: `picture_text` of the square that the net sees.

    Raises:
        SpecError: not a source.
        CheckpointError: the net's file is gone, damaged, or of another net.
        ActivationError: the logits are not finite.
    """
    opened = open_net(net)
    return overview(opened.net, opened.card.net, as_input(image, opened))


def measure_maps(net: Mapping[str, Any], image: str, point: str) -> FeatureMaps:
    """Every channel at one point, and in the stem the filters that made them.

    Raises:
        as `measure_overview`; SpecError also where the net has no such point, and ActivationError
        where the maps are not finite.
    """
    opened = open_net(net)
    place = find_point(opened.card.net, point)
    (maps,) = _look(opened, image, [place])
    # What follows in the stem keeps the channels apart: channel i is still filter i's.
    in_stem = place.stage == 0
    filters = as_array(opened.net.get_parameter("stem.conv.weight")) if in_stem else None
    return FeatureMaps(point, maps, filters)


def measure_block(net: Mapping[str, Any], image: str, block: str) -> BlockMaps:
    """A residual block's input, shortcut, branch and sum.

    Raises:
        as `measure_maps`.
    """
    opened = open_net(net)
    spec = opened.card.net
    total = f"{block}.sum" if after_order(spec) else block
    names = (f"{block}.input", f"{block}.shortcut", f"{block}.branch", total)
    return BlockMaps(block, *_look(opened, image, [find_point(spec, name) for name in names]))


def _look(opened: Opened, image: str, points: Sequence[Point]) -> list[Any]:
    """Feature maps (channels, height, width) at each point."""
    found = activations(opened.net, as_input(image, opened), points)
    return [_finite(point, found[point.name][0]) for point in points]


def _finite(point: Point, maps: Tensor) -> Any:
    if not bool(torch.isfinite(maps).all()):
        raise ActivationError(
            _(
                "The feature maps of {point} are not finite, so there is nothing to see. Choose "
                "another net, an earlier checkpoint or a point nearer to the image."
            ).format(point=point.name)
        )
    return as_array(maps)
