"""How far an attribution can be trusted, where that takes the net: insertion, deletion, infidelity.

An image is normalised, (1, channels, S, S); a map is (channels, S, S), or (1, S, S) with one value
a pixel.
"""

from __future__ import annotations

import numpy as np
import torch
from captum.metrics import infidelity
from numpy.typing import NDArray
from torch import Tensor, nn

# Of the covering squares of infidelity, as shares of the image's side.
SQUARES = (1 / 8, 1 / 2)


def pixel_order(values: Tensor) -> Tensor:
    """Pixels by their value summed over channels, the highest first, ties row by row.

    Returns:
        int64 (S·S,), positions in the flattened image.
    """
    return values.sum(0).flatten().sort(descending=True, stable=True).indices


def random_order(pixels: int, seed: int) -> Tensor:
    """As `pixel_order`, drawn by lot: what chance gives."""
    return torch.randperm(pixels, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def mixed_probabilities(
    net: nn.Module, start: Tensor, end: Tensor, order: Tensor, counts: list[int], target: int
) -> NDArray[np.float32]:
    """Probability of the target while pixels of one image replace those of another.

    Args:
        start, end: (1, C, S, S).
        order: of the pixels.
        counts: how many pixels, the first ones of `order`, are `end`'s; a mixture each.

    Returns:
        (len(counts),).
    """
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    taken = rank[None] < torch.tensor(counts)[:, None]  # (n, S·S)
    mixtures = torch.where(taken.reshape(len(counts), 1, *start.shape[2:]), end, start)
    return net(mixtures).softmax(1)[:, target].numpy()


def random_squares(side: int, count: int, seed: int) -> Tensor:
    """Squares inside an image, their sides and then their places drawn evenly.

    Returns:
        bool (count, 1, side, side); the first ones are the same whatever the count.
    """
    least, most = (max(1, round(share * side)) for share in SQUARES)
    squares = torch.zeros(count, 1, side, side, dtype=torch.bool)
    rng = np.random.default_rng(seed)
    for square in squares:
        size = int(rng.integers(least, most + 1))
        top, left = (int(v) for v in rng.integers(0, side - size + 1, 2))
        square[:, top : top + size, left : left + size] = True
    return squares


def infidelity_parts(
    net: nn.Module, image: Tensor, values: Tensor, squares: Tensor, target: int, *, local: bool
) -> tuple[float, float, float]:
    """captum's infidelity of a map, of a map of zeros, and of the opposite map.

    With them, parts of several calls can be put together also where the map is first scaled as
    suits it best (`combined_infidelity`). One forward pass serves all three.

    Args:
        values: of the logit of `target`.
        squares: bool (n, 1, S, S), which are covered with the mean colour, which is zero.
        local: the map says by how much the logit changes with a pixel's value (a signed
            gradient), so that it is multiplied by the change; otherwise it says what a pixel adds.
    """
    channels = image.shape[1]
    if len(values) == 1:  # a pixel's value is shared by its channels
        values = values.expand(channels, -1, -1) / channels
    # The sums are of squares of what may differ by orders of magnitude, hence float64.
    maps = torch.stack([values, torch.zeros_like(values), -values]).double()

    def cover(images: Tensor) -> tuple[Tensor, Tensor]:
        covered = squares.repeat(3, 1, 1, 1)
        removed = images * covered
        return removed if local else covered.expand_as(images).double(), images - removed

    def logits(images: Tensor) -> Tensor:  # the same images three times
        return net(images[: len(images) // 3].float()).double().repeat(3, 1)

    three = image.double().repeat(3, 1, 1, 1)
    found = infidelity(logits, cover, three, maps, target=target, n_perturb_samples=len(squares))
    own, zero, opposite = found.tolist()
    return own, zero, opposite
