"""Scikit-learn's real handwritten digits: 1,797 grey images of 8×8 pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from resnet_viz.datasets.images import Images

FINGERPRINT = "digits-1"
_SPLIT_SEED = 1998
_TEST_EVERY = 5  # 360 of 1,797


def make_digits() -> Images:
    """The digits with values 0..16 scaled to 0..255, split 1,437 to 360 with all classes alike.

    Source: Alpaydin & Kaynak 1998; the test half of the UCI set, as scikit-learn ships it.
    """
    from sklearn.datasets import load_digits  # takes a second, so only when it is needed

    digits = load_digits()
    images = torch.from_numpy(np.rint(digits.images * (255 / 16)).astype(np.uint8))[:, None]
    labels = torch.from_numpy(digits.target.astype(np.int64))
    train, test = _split(labels)
    return Images(
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        classes=tuple(map(str, digits.target_names)),
    )


def _split(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of the training and of the test images: every fifth, in random order by class."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(_SPLIT_SEED))
    order = order[torch.argsort(labels[order], stable=True)]
    is_test = torch.arange(len(order)) % _TEST_EVERY == 0
    return order[~is_test], order[is_test]
