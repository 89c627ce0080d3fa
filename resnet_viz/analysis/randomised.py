"""Nets whose upper parts forget what they learnt (Adebayo et al. 2018, arXiv:1810.03292, 3.1).

A map that stays the same when the net's weights are drawn anew does not explain the net. Weights
are randomised in a cascade, from the head down to a part that one chooses.

Fresh weights make fresh statistics necessary: batch norm with the running mean and variance of
the old weights, or with 0 and 1, would let signals vanish or grow from block to block. So a fresh
norm gets γ = 1, β = 0 and the mean and variance that it sees in one batch of pictures which the
program draws itself, the same for every net and on every computer. A net without batch norm has
none to set; there He weights alone keep a plain net's signals in range, and a residual net's
grow by √2 a block.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from resnet_viz.checks import check_choice
from resnet_viz.datasets.catalogue import SHAPES_CLASSES
from resnet_viz.datasets.images import in_channels
from resnet_viz.datasets.shapes import draw
from resnet_viz.i18n import _
from resnet_viz.nets.blocks import Bias, Scale
from resnet_viz.nets.build import Net
from resnet_viz.points import parts_from_head

_PIXELS = 64 * 32 * 32  # of the batch: 64 pictures of 32 pixels a side, fewer larger ones
_FEWEST = 8
_SEED = 3  # of the pictures: none of the data set's


def own_pictures(size: int, channels: int) -> Tensor:
    """Pictures that the program draws itself: uint8 (B, channels, size, size)."""
    count = max(_FEWEST, _PIXELS // size**2)
    pictures = torch.from_numpy(draw(np.arange(count) % len(SHAPES_CLASSES), size, _SEED).images)
    return in_channels(pictures, channels)


def randomise(net: Net, lowest: str, seed: int, pictures: Tensor) -> None:
    """Draw every part from the head down to `lowest` anew, in place; the net ends in eval mode.

    With one seed, a longer cascade has the shorter one's weights in the parts that both redraw.

    Args:
        pictures: normalised, float32 (B, channels, S, S), to set the fresh norms' statistics.

    Raises:
        SpecError: the net has no part `lowest`.
    """
    parts = parts_from_head(net.spec)
    check_choice("randomised", lowest, parts)
    net.eval()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        fresh = [_part(net, name) for name in parts[: parts.index(lowest) + 1]]
        for part in fresh:
            for module in part.modules():
                _redraw(module)
        _set_statistics(net, fresh, pictures)


def fresh_note(lowest: str) -> str:
    """What has been done, for a person."""
    return _(
        "Every weight from the head down to {part} is drawn anew (Adebayo et al. 2018), so what "
        "it answers means nothing. Batch norm's statistics there are of pictures that the program "
        "draws."
    ).format(part=lowest)


def _part(net: Net, name: str) -> nn.Module:
    if name.startswith("stage"):
        return net.stages[int(name.removeprefix("stage")) - 1]
    return net.get_submodule(name)


def _redraw(module: nn.Module) -> None:
    """Fresh parameters of one layer: He et al. 2015b (fan-out), the framework's for the head."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d | nn.Linear):
        module.reset_parameters()
    elif isinstance(module, Bias):
        nn.init.zeros_(module.bias)
    elif isinstance(module, Scale):
        nn.init.ones_(module.scale)


def _set_statistics(net: Net, fresh: list[nn.Module], pictures: Tensor) -> None:
    """Give fresh norms the mean and variance of one batch; the others keep theirs."""
    norms = [m for part in fresh for m in part.modules() if isinstance(m, nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.train()
        norm.momentum = None  # a running average of one batch is that batch's
    try:
        net(pictures)
    finally:
        for norm in norms:
            norm.eval()
            norm.momentum = 0.1
