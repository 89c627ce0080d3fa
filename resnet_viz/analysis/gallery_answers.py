"""Some images of a data set, found in the analysis process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from resnet_viz.datasets.images import in_channels, resize
from resnet_viz.datasets.load import load
from resnet_viz.specs import DataSpec


def find_images(data: Mapping[str, Any], size: int, count: int, fingerprint: str) -> dict[str, Any]:
    """The first test images of every class in turn, until there are `count`.

    Args:
        data: `DataSpec.to_dict`.
        size: side in pixels of the images.
        fingerprint: of a folder's listing; makes another question of a changed folder.

    Returns:
        The fields of a `gallery_jobs.Gallery`.

    Raises:
        DataError: the data are not there.
    """
    found = load(DataSpec.from_dict(data))
    images, labels, masks = found.test_images, found.test_labels, found.test_masks
    if not len(labels):  # a folder need not have any
        images, labels, masks = found.train_images, found.train_labels, found.train_masks
    places = _in_turn(labels)[:count]
    pixels = in_channels(resize(images[places], size), 3).permute(0, 2, 3, 1)
    return {
        "images": pixels.contiguous().numpy(),
        "places": places.numpy(),
        "labels": labels[places].numpy(),
        "classes": found.classes,
        "masks": None if masks is None else _enlarged(masks[places], size).numpy(),
    }


def _in_turn(labels: Tensor) -> Tensor:
    """Places of the first image of every class, then of the second, and so on."""
    by_class = torch.argsort(labels, stable=True)
    counts = torch.bincount(labels)
    starts = counts.cumsum(0) - counts
    rank = torch.empty_like(labels)
    rank[by_class] = torch.arange(len(labels)) - starts[labels[by_class]]
    return torch.argsort(rank * len(counts) + labels)


def _enlarged(masks: Tensor, size: int) -> Tensor:
    """bool (N, S, S) at `size` pixels a side."""
    return F.interpolate(masks[:, None].float(), (size, size), mode="nearest-exact")[:, 0] > 0.5
