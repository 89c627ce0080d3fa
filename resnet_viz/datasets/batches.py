"""Which images make a batch, and how they are augmented, as pure functions of (seed, step).

Nothing here keeps a state: a run that is resumed at step k draws what it would have drawn.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from resnet_viz.specs import DataSpec

# One purpose, one stream of random numbers: these constants are part of every run's result.
_ORDER, _AUGMENT, _CHANCE = 1, 2, 3
_MASK64 = (1 << 64) - 1


def mix_seed(seed: int, purpose: int, counter: int) -> int:
    """A 64-bit seed from three numbers by splitmix64 (Steele et al. 2014), one round each."""
    state = 0
    for value in (seed, purpose, counter):
        state = (state + value + 0x9E3779B97F4A7C15) & _MASK64
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK64
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK64
        state ^= state >> 31
    return state


def chance_seed(seed: int, step: int) -> int:
    """Seed of what a net itself draws at a step: dropped branches, dropout."""
    return mix_seed(seed, _CHANCE, step)


def _generator(seed: int, purpose: int, counter: int) -> torch.Generator:
    return torch.Generator().manual_seed(mix_seed(seed, purpose, counter))


@lru_cache(maxsize=32)  # nets of a sweep go round in lockstep, a few seeds and two epochs each
def _order(n: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(n, generator=_generator(seed, _ORDER, epoch))


def batch_indices(n: int, batch_size: int, step: int, seed: int) -> Tensor:
    """Indices of the images of gradient step `step`, counted from 0.

    The epochs' permutations follow each other as one endless list that is cut into batches, so
    every batch is full, every image comes once an epoch, and a batch may begin in one epoch and
    end in the next (a set smaller than the batch: span several).

    Args:
        n: images in the training set.

    Returns:
        int64 (batch_size,), on the CPU.
    """
    parts = []
    position, end = step * batch_size, (step + 1) * batch_size
    while position < end:
        epoch, offset = divmod(position, n)
        part = _order(n, seed, epoch)[offset : offset + end - position]
        parts.append(part)
        position += len(part)
    return torch.cat(parts)


def augment(images: Tensor, data: DataSpec, seed: int, step: int) -> Tensor:
    """Random crops out of the zero-padded images, and mirrored images, as `data` asks.

    As in He et al. 2015, 4.2: `crop_padding` pixels of zeros on each side, a crop of the old size
    at a place drawn for each image, half of the images mirrored. The padding is zero in raw
    pixels, that is black.

    Args:
        images: uint8 (B, C, S, S), on any device.

    Returns:
        uint8 (B, C, S, S); `images` itself when there is nothing to do.
    """
    count, padding = len(images), data.crop_padding
    generator = _generator(seed, _AUGMENT, step)
    if padding:
        top, left = torch.randint(0, 2 * padding + 1, (2, count), generator=generator)
        images = crop(images, padding, top.to(images.device), left.to(images.device))
    if data.flip:
        mirrored = torch.nonzero(torch.rand(count, generator=generator) < 0.5).flatten()
        mirrored = mirrored.to(images.device)
        images = images.index_copy(0, mirrored, images[mirrored].flip(-1))
    return images


def crop(images: Tensor, padding: int, top: Tensor, left: Tensor) -> Tensor:
    """Crops of the images' own size out of the images padded with zeros.

    Args:
        images: uint8 (B, C, S, S).
        padding: zeros on each side, pixels.
        top, left: int64 (B,), corner of each crop in the padded image, 0..2 * padding.
    """
    size = images.shape[-1]
    padded = F.pad(images, [padding] * 4)
    windows = padded.unfold(2, size, 1).unfold(3, size, 1)  # (B, C, 2p+1, 2p+1, S, S), a view
    which = torch.arange(len(images), device=images.device)
    return windows[which, :, top, left]


def normalize(
    images: Tensor, mean: Tensor, std: Tensor, dtype: torch.dtype, channels_last: bool
) -> Tensor:
    """Images as a net takes them: scaled to 0..1, less the mean, over the standard deviation.

    Args:
        images: uint8 (B, C, S, S).
        mean, std: float (C,), of the training images scaled to 0..1.
    """
    shape = (1, -1, 1, 1)
    scale = (1 / (255 * std)).reshape(shape).to(images.device)
    shift = (mean / std).reshape(shape).to(images.device)
    scaled = images.to(torch.float32).mul_(scale).sub_(shift).to(dtype)
    # Last, since a permuting copy of finished values is faster than arithmetic in this order.
    return scaled.contiguous(memory_format=torch.channels_last) if channels_last else scaled
