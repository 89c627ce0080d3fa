"""Images of a net's own data set, in the analysis process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from resnet_viz.analysis.opened import Opened
from resnet_viz.datasets.load import load
from resnet_viz.specs import DataSpec

SEED = 0  # of the choice of images, which is the same for every net of a data set


def own_images(
    opened: Opened,
    data: Mapping[str, Any],
    targets: Sequence[int],
    split: str,
    start: int,
    stop: int,
    seed: int = SEED,
) -> tuple[Tensor, Tensor]:
    """Images `start` to `stop` of a split in a random order that is always the same.

    Args:
        data: `DataSpec.to_dict`.
        targets: for each class of the data, its position among the net's.
        split: "train" or "test".

    Returns:
        float32 (images, channels, side, side), normalised as the net takes them; int64 (images,),
        classes of the net.

    Raises:
        DataError: the images cannot be read.
    """
    found = load(DataSpec.from_dict(data))
    parts = {
        "train": (found.train_images, found.train_labels),
        "test": (found.test_images, found.test_labels),
    }
    images, labels = parts[split]
    chosen = _order(len(labels), seed)[start:stop]
    return opened.normalise(images[chosen]), torch.tensor(targets)[labels[chosen]]


@lru_cache(maxsize=8)
def _order(count: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
