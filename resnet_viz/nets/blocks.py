"""Blocks: a residual branch, a shortcut, and what joins them.

Fixup nets (Zhang et al. 2019, arXiv:1901.09321) have a scalar bias before every convolution,
linear layer and ReLU, and a scalar multiplier at each branch's end.

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
    """A convolution that keeps the image size at stride 1.

    It is biased only without a norm, and not in a Fixup net, which has scalar biases instead.
    """
    biased = spec.norm == "none" and spec.init != "fixup"
    return nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=biased)


def norm(channels: int, spec: NetSpec) -> nn.Module:
    """Batch norm, or nothing for norm "none"."""
    return nn.BatchNorm2d(channels) if spec.norm == "batch" else nn.Identity()


class Bias(nn.Module):
    """x plus one trainable number, zero at the start.

    The number has no dimension, so that it never widens the type of a half-precision x.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias


class Scale(nn.Module):
    """x times one trainable number, one at the start."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


def before_relu(channels: int, spec: NetSpec, number: int | str = "") -> dict[str, nn.Module]:
    """What stands before a ReLU, by name: the norm, or in a Fixup net a scalar bias."""
    if spec.init == "fixup":
        return {f"before_relu{number}": Bias()}
    return {f"norm{number}": norm(channels, spec)}


def before_weights(layer: str, spec: NetSpec) -> dict[str, nn.Module]:
    """What stands before the weighted layer of that name: in a Fixup net a scalar bias."""
    return {f"before_{layer}": Bias()} if spec.init == "fixup" else {}


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
    layers = OrderedDict[str, nn.Module](before_weights("conv", spec))
    layers["conv"] = conv(c_in, c_out, 1, stride, spec)
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
    its last ReLU, which follows the addition; in a Fixup net that ReLU's bias is its end.
    """
    if spec.block == "basic":
        shapes = [(c_in, width, 3, stride), (width, width, 3, 1)]
    else:
        c_out = width * EXPANSION["bottleneck"]
        shapes = [(c_in, width, 1, 1), (width, width, 3, stride), (width, c_out, 1, 1)]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for i, (a, b, kernel, step) in enumerate(shapes, 1):
        if spec.family == "preact":
            layers.update(before_relu(a, spec, i))
            layers[f"relu{i}"] = nn.ReLU()
        layers.update(before_weights(f"conv{i}", spec))
        layers[f"conv{i}"] = conv(a, b, kernel, step, spec)
        if spec.init == "fixup" and i == len(shapes):
            layers["scale"] = Scale()
        if spec.family != "preact":
            layers.update(before_relu(b, spec, i))
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
            for name, module in list(self.branch.named_children())[:2]:
                self.fork.append(module)
                delattr(self.branch, name)  # by name, since pop would renumber the rest

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
