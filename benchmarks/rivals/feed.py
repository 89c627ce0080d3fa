"""Batches for the hand-tuned loops, from a data set that lies on the device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from resnet_viz.datasets.batches import augment, batch_indices, normalize
from resnet_viz.datasets.load import Dataset
from resnet_viz.specs import DataSpec, TrainSpec

AHEAD = 512


class HostFeed:
    """On a CPU: the very batches that the program trains on, drawn by (seed, step)."""

    def __init__(self, data: Dataset, spec: DataSpec, train: TrainSpec, channels_last: bool):
        self._data, self._spec, self._train = data, spec, train
        self._channels_last = channels_last
        self._step = 0

    def next(self) -> tuple[Tensor, Tensor]:
        """Images (batch, channels, side, side) as the net takes them, and labels (batch,)."""
        data, train = self._data, self._train
        found = batch_indices(len(data.train_labels), train.batch_size, self._step, train.seed)
        images = augment(data.train_images[found], self._spec, train.seed, self._step)
        self._step += 1
        images = normalize(images, data.mean, data.std, torch.float32, self._channels_last)
        return images, data.train_labels[found]


class DeviceFeed:
    """On an accelerator: tensors that stay where they are, so that a step can be captured.

    The images come in the program's own order (permutation by epoch and seed); crops and mirrored
    images are drawn on the device, so they are others. Between two calls of `next` the host calls
    `refill_if_due`.

    Args:
        ahead: batches whose order lies on the device; the host waits for it once in so many steps.
    """

    def __init__(
        self,
        data: Dataset,
        spec: DataSpec,
        train: TrainSpec,
        channels_last: bool,
        device: str,
        ahead: int = AHEAD,
    ) -> None:
        self._spec, self._train, self._channels_last = spec, train, channels_last
        self._count, self._batch = len(data.train_labels), train.batch_size
        self._images = data.train_images.to(device)
        self._labels = data.train_labels.to(device)
        self._scale = (1 / (255 * data.std)).reshape(1, -1, 1, 1).to(device)
        self._shift = (data.mean / data.std).reshape(1, -1, 1, 1).to(device)
        self._steps = ahead
        self._order = torch.empty(self._steps * self._batch, dtype=torch.int64, device=device)
        self._position = torch.zeros((), dtype=torch.int64, device=device)
        self._within = torch.arange(self._batch, device=device)
        self._side = torch.arange(data.train_images.shape[-1], device=device)
        self._taken = 0

    def refill_if_due(self) -> None:
        """Put the order of the images that come next on the device, if those there are used up."""
        if self._taken % self._steps == 0:
            block = self._taken // self._steps
            order = batch_indices(self._count, len(self._order), block, self._train.seed)
            self._order.copy_(order)
            self._position.zero_()
        self._taken += 1

    def next(self) -> tuple[Tensor, Tensor]:
        """Images (batch, channels, side, side) as the net takes them, and labels (batch,)."""
        found = self._order.index_select(0, self._position + self._within)
        self._position.add_(self._batch)
        images = self._augment(self._images.index_select(0, found))
        images = images.float().mul_(self._scale).sub_(self._shift)
        if self._channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        else:
            images = images.contiguous()
        return images, self._labels.index_select(0, found)

    def _augment(self, images: Tensor) -> Tensor:
        """Crops and mirrored images, by one look-up of every pixel; uint8 in and out."""
        padding, batch, device = self._spec.crop_padding, self._batch, images.device
        if not padding and not self._spec.flip:
            return images
        columns = self._side.expand(batch, -1)
        if self._spec.flip:
            mirrored = torch.rand(batch, 1, device=device) < 0.5
            columns = torch.where(mirrored, len(self._side) - 1 - columns, columns)
        corner = torch.randint(0, 2 * padding + 1, (2, batch, 1), device=device)
        rows, columns = corner[0] + self._side, corner[1] + columns
        images = F.pad(images, [padding] * 4)
        which = torch.arange(batch, device=device)
        # Indices of images, rows and columns around a slice: (batch, side, side, channels).
        found = images[which[:, None, None], :, rows[:, :, None], columns[:, None, :]]
        return found.permute(0, 3, 1, 2)
