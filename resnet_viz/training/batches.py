"""Batches as a net takes them, made once for all nets that train on the same ones."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from resnet_viz.datasets.batches import augment, batch_indices, normalize
from resnet_viz.datasets.load import Dataset
from resnet_viz.specs import DataSpec


class Batches:
    """The batches of one data set, size and seed, in the order of steps.

    The last batch is kept: nets in lockstep ask for the same one in turn. What is drawn by chance
    is drawn on the CPU, so that a spec sees the same images on every device; they themselves
    lie on the device as bytes, where they are cut, mirrored and normalised.
    """

    def __init__(
        self,
        data: Dataset,
        spec: DataSpec,
        batch_size: int,
        seed: int,
        device: str,
        channels_last: bool,
    ) -> None:
        self._spec = spec
        self._batch_size, self._seed = batch_size, seed
        self._device, self._channels_last = device, channels_last
        self._images = data.train_images.to(device)
        self._labels = data.train_labels.to(device)
        self._mean, self._std = data.mean.to(device), data.std.to(device)
        self._last: tuple[int, Tensor, Tensor] | None = None

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Normalised, augmented images (batch, channels, height, width) and labels (batch,)."""
        if self._last is None or self._last[0] != step:
            indices = batch_indices(len(self._labels), self._batch_size, step, self._seed)
            indices = indices.to(self._device)
            images = augment(self._images[indices], self._spec, self._seed, step)
            self._last = (step, self.prepare(images), self._labels[indices])
        return self._last[1:]

    def prepare(self, images: Tensor) -> Tensor:
        """uint8 images (n, channels, height, width) as the net takes them, on the device."""
        images = images.to(self._device)
        return normalize(images, self._mean, self._std, torch.float32, self._channels_last)


@lru_cache(maxsize=8)  # a few, since they keep their data set in memory
def shared_batches(
    data: Dataset, spec: DataSpec, batch_size: int, seed: int, device: str, channels_last: bool
) -> Batches:
    """The same `Batches` for the same arguments; two data sets are the same if they are one."""
    return Batches(data, spec, batch_size, seed, device, channels_last)
