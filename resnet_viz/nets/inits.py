"""The weights with which a net starts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from resnet_viz.nets.blocks import GatedBlock, PreactBlock, ResidualBlock
from resnet_viz.specs import NetSpec


def initialise(net: nn.Module, spec: NetSpec) -> None:
    """Draw the convolutions of a new net from torch's current random state, as `spec` says.

    Norms and the head keep the framework's defaults where zero-gamma or Fixup do not change
    them; biases of convolutions start at zero, except those of gates.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            draw(module.weight, spec)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in net.modules():
        if isinstance(module, GatedBlock):
            nn.init.constant_(module.gate_bias, spec.gate_bias)
    if spec.init == "zero_gamma":
        zero_last_gammas(net)
    elif spec.init == "fixup":
        fix_update(net)


def draw(weight: Tensor, spec: NetSpec) -> None:
    """Fill a convolution's weight (c_out, c_in, kernel, kernel) with normal numbers.

    Their variance is 2 / (c_in + c_out) / kernel² for "xavier" (Glorot & Bengio 2010, eq. 12),
    `init_std`² for "normal", and 2 / c_out / kernel² else (He et al. 2015b, arXiv:1502.01852,
    eq. 14: fan-out).
    """
    if spec.init == "xavier":
        nn.init.xavier_normal_(weight)
    elif spec.init == "normal":
        nn.init.normal_(weight, std=spec.init_std)
    else:
        nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")


def residual_blocks(net: nn.Module) -> list[ResidualBlock | PreactBlock]:
    """Every block with a shortcut."""
    return [m for m in net.modules() if isinstance(m, ResidualBlock | PreactBlock)]


def zero_last_gammas(net: nn.Module) -> None:
    """Start every residual branch at zero through its last batch norm (Goyal et al. 2017, 5.1)."""
    for block in residual_blocks(net):
        norms = [m for m in block.branch if isinstance(m, nn.BatchNorm2d)]
        nn.init.zeros_(norms[-1].weight)


@torch.no_grad()
def fix_update(net: nn.Module) -> None:
    """Fixup of a net with He weights (Zhang et al. 2019, arXiv:1901.09321, section 3).

    The last of the m convolutions of each of the L branches and the head start at zero, the
    other convolutions of the branches at L^(-1/(2m-2)) of their He weights. The authors train
    the scalars at a tenth of the learning rate; a recipe of this program has one rate for all.
    """
    blocks = residual_blocks(net)
    for block in blocks:
        *others, last = (m for m in block.branch if isinstance(m, nn.Conv2d))
        for conv in others:
            conv.weight.mul_(len(blocks) ** (-1 / (2 * len(others))))  # len(others) is m - 1
        nn.init.zeros_(last.weight)
    (head,) = (m for m in net.modules() if isinstance(m, nn.Linear))
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
