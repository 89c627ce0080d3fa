"""The images that short questions are asked about."""

from __future__ import annotations

import torch
from torch import Tensor

from resnet_viz.datasets.batches import batch_indices, normalize
from resnet_viz.datasets.load import load
from resnet_viz.specs import DataSpec


def probe_batch(data: DataSpec, images: int, seed: int) -> tuple[Tensor, Tensor, int]:
    """Training images as a net takes them, without augmentation: the same for the same arguments.

    They are the images of the first step of a training with this seed and batch size; where
    there are fewer than asked for, some come twice, as in training.

    Returns:
        float32 images (images, channels, side, side), normalised by the training set's
        statistics; int64 labels (images,); the number of classes.

    Raises:
        DataError: the data set is not there or cannot be read.
    """
    dataset = load(data)
    indices = batch_indices(len(dataset.train_labels), images, 0, seed)
    raw = dataset.train_images[indices]
    batch = normalize(raw, dataset.mean, dataset.std, torch.float32, channels_last=False)
    return batch, dataset.train_labels[indices], len(dataset.classes)
