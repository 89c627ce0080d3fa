"""Paths through a net and the size of its responses, measured in the analysis process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from resnet_viz.analysis.opened import open_net
from resnet_viz.analysis.own_images import own_images
from resnet_viz.blockwise import Responses
from resnet_viz.probes.paths import paths_through
from resnet_viz.probes.responses import measure_responses
from resnet_viz.probes.reuse import measure_reuse
from resnet_viz.reuse import Reuse


def measure_paths(
    net: Mapping[str, Any],
    data: Mapping[str, Any],
    targets: Sequence[int],
    fingerprint: str,
    images: int,
    paths: Sequence[Sequence[int]],
) -> list[float]:
    """A path; norm of the gradient that it brings to the first block's input.

    Args:
        net: `Source.to_dict`.
        data, targets: as in `own_images`.
        images: training images in the batch.
        paths: numbers of the blocks whose branch each takes.

    Raises:
        SpecError, CheckpointError, WeightsError: as `open_net`.
        DataError: the images cannot be read.
    """
    opened = open_net(net)
    x, labels = own_images(opened, data, targets, "train", 0, images)
    with paths_through(opened.net, x, labels) as ways:
        return [ways.gradient(path).norm().item() for path in paths]


def measure_feature_reuse(net: Mapping[str, Any]) -> Reuse:
    """What the layers of a DenseNet take from those before them.

    Raises:
        SpecError, CheckpointError, WeightsError: as `open_net`.
    """
    opened = open_net(net)
    return measure_reuse(opened.net, opened.card.net, step=opened.card.step)


def measure_sizes(
    net: Mapping[str, Any],
    data: Mapping[str, Any],
    targets: Sequence[int],
    fingerprint: str,
    images: int,
) -> Responses:
    """Responses of a net on a batch of training images.

    Args, raises:
        as `measure_paths`.
    """
    opened = open_net(net)
    x, _labels = own_images(opened, data, targets, "train", 0, images)
    step = 0 if net.get("randomised") else opened.card.step
    return measure_responses(opened.net, x, spec=opened.card.net, step=step)
