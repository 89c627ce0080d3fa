"""Blocks: a residual branch, a shortcut, and what joins them.

Every ReLU is a module of its own and not in-place, so that hooks and attribution methods
see each activation apart. Feature maps are (batch, channels, height, width).
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_viz.layers import EXPANSION
from resnet_viz.specs import NetSpec


def conv(c_in: int, c_out: int, kernel: int, stride: int, spec: NetSpec) -> nn.Conv2d:
    """A convolution that keeps the image size at stride 1; biased only without a norm."""
    return nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=spec.norm == "none")


def norm(channels: int, spec: NetSpec) -> nn.Module:
    """Batch norm, or nothing for norm "none"."""
    return nn.BatchNorm2d(channels) if spec.norm == "batch" else nn.Identity()


class ZeroPadding(nn.Module):
    """Option A: every `stride`-th pixel, the new channels zero (He et al. 2015, 3.3)."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.new_channels = c_out - c_in

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))


def projection(c_in: int, c_out: int, stride: int, spec: NetSpec) -> nn.Sequential:
    """Options B and C: a 1x1 convolution, normalised except in a pre-activation net."""
    layers = OrderedDict[str, nn.Module](conv=conv(c_in, c_out, 1, stride, spec))
    if spec.family != "preact":
        layers["norm"] = norm(c_out, spec)
    return nn.Sequential(layers)


def shortcut(c_in: int, c_out: int, stride: int, spec: NetSpec) -> nn.Module:
    """The shortcut of one block by the spec's option: identity, zero-padding or projection."""
    same = c_in == c_out and stride == 1
    if spec.shortcut == "C" or (spec.shortcut == "B" and not same):
        return projection(c_in, c_out, stride, spec)
    return nn.Identity() if same else ZeroPadding(c_in, c_out, stride)


def branch(c_in: int, width: int, stride: int, spec: NetSpec) -> nn.Sequential:
    """F(x): the weighted layers of a block, in the family's order of norm, ReLU, convolution.

    The stride stands on the first 3x3 convolution. A plain or residual branch ends before
    its last ReLU, which follows the addition.
    """
    if spec.block == "basic":
        shapes = [(c_in, width, 3, stride), (width, width, 3, 1)]
    else:
        c_out = width * EXPANSION["bottleneck"]
        shapes = [(c_in, width, 1, 1), (width, width, 3, stride), (width, c_out, 1, 1)]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (a, b, kernel, step) in enumerate(shapes, 1):
        if spec.family == "preact":
            layers[f"norm{i}"] = norm(a, spec)
            layers[f"relu{i}"] = nn.ReLU()
            layers[f"conv{i}"] = conv(a, b, kernel, step, spec)
        else:
            layers[f"conv{i}"] = conv(a, b, kernel, step, spec)
            layers[f"norm{i}"] = norm(b, spec)
            if i < len(shapes):
                layers[f"relu{i}"] = nn.ReLU()
    return nn.Sequential(layers)


class PlainBlock(nn.Module):
    """relu(F(x))."""

    def __init__(self, c_in: int, width: int, stride: int, spec: NetSpec) -> None:
        super().__init__()
        self.branch = branch(c_in, width, stride, spec)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.branch(x))


class ResidualBlock(nn.Module):
    """relu(F(x) + shortcut(x)) (He et al. 2015, Fig. 2 and 5)."""

    def __init__(self, c_in: int, width: int, stride: int, spec: NetSpec) -> None:
        super().__init__()
        self.branch = branch(c_in, width, stride, spec)
        self.shortcut = shortcut(c_in, width * EXPANSION[spec.block], stride, spec)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.branch(x) + self.shortcut(x))


class PreactBlock(nn.Module):
    """F(x) + shortcut(x), norm and ReLU before each convolution (He et al. 2016, Fig. 4e).

    Where the first block of the net or a projection stands, norm and ReLU come before the
    fork and both paths share them (He et al. 2016, appendix).
    """

    def __init__(self, c_in: int, width: int, stride: int, spec: NetSpec, first: bool) -> None:
        super().__init__()
        self.branch = branch(c_in, width, stride, spec)
        self.shortcut = shortcut(c_in, width * EXPANSION[spec.block], stride, spec)
        self.fork = nn.Sequential()
        if first or isinstance(self.shortcut, nn.Sequential):
            self.fork.append(self.branch[0])
            self.fork.append(self.branch[1])
            del self.branch.norm1, self.branch.relu1  # by name, since pop would renumber the rest

    def forward(self, x: Tensor) -> Tensor:
        x = self.fork(x)
        return self.branch(x) + self.shortcut(x)


def make_block(c_in: int, width: int, stride: int, spec: NetSpec, *, first: bool) -> nn.Module:
    """The spec's block; `first` marks the first of the whole net."""
    if spec.family == "plain":
        return PlainBlock(c_in, width, stride, spec)
    if spec.family == "resnet":
        return ResidualBlock(c_in, width, stride, spec)
    return PreactBlock(c_in, width, stride, spec, first)


@torch.no_grad()
def zero_last_gammas(net: nn.Module) -> None:
    """Start every residual branch at zero through its last batch norm (Goyal et al. 2017, 5.1)."""
    for block in net.modules():
        if isinstance(block, ResidualBlock | PreactBlock):
            norms = [m for m in block.branch if isinstance(m, nn.BatchNorm2d)]
            norms[-1].weight.zero_()
