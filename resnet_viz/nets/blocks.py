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

from resnet_viz.layers import Block, after_order, branch_order, branch_shapes, forks, gate_kernel
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


class Times(nn.Module):
    """x times a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor

    def extra_repr(self) -> str:
        return f"{self.factor:g}"


class Product(nn.Module):
    """Two tensors of one shape, multiplied: a module, so that its output can be watched."""

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        return x * weight


class Survive(nn.Module):
    """Stochastic depth (Huang et al. 2016, arXiv:1603.09382, eq. 2 and 5).

    In training a branch is kept for the whole batch, or it is zero; else it is scaled by the
    probability that it is kept. A dropped branch is computed all the same, so that every layer
    has a gradient, which is then zero.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x * self.probability
        return x * torch.bernoulli(x.new_full((), self.probability))

    def extra_repr(self) -> str:
        return f"{self.probability:g}"


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
    """The shortcut of one block by the spec's option: identity, zero-padding or projection.

    Options "scaled" and "dropout" (He et al. 2016, 3.1) do their part after it.
    """
    same = c_in == c_out and stride == 1
    if spec.shortcut == "C" or (spec.shortcut == "B" and not same):
        return projection(c_in, c_out, stride, spec)
    base = nn.Identity() if same else ZeroPadding(c_in, c_out, stride)
    if spec.shortcut == "scaled":
        return nn.Sequential(base, Times(spec.shortcut_scale))
    if spec.shortcut == "dropout":
        return nn.Sequential(base, nn.Dropout(spec.shortcut_dropout))
    return base


def branch(block: Block, spec: NetSpec, survival: float = 1.0) -> nn.Sequential:
    """F(x): the weighted layers of a block, in the order of norm, ReLU, convolution of its net.

    The stride stands on the first 3x3 convolution. A Fixup branch ends with the bias of the ReLU
    that follows the addition, where one does.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    shapes, stride = branch_shapes(spec, block), block.stride
    for name in branch_order(spec):
        kind, number = name[:-1], int(name[-1])
        kernel, c_in, c_out = shapes[number - 1]
        if kind == "relu":
            layers[name] = nn.ReLU()
        elif kind == "norm":
            layers.update(before_relu(c_out if f"conv{number}" in layers else c_in, spec, number))
        else:
            layers.update(before_weights(name, spec))
            layers[name] = conv(c_in, c_out, kernel, stride if kernel == 3 else 1, spec)
            stride = 1 if kernel == 3 else stride
            if spec.init == "fixup" and number == len(shapes):
                layers["scale"] = Scale()
    if spec.shortcut == "scaled" and spec.branch_scale != 1:
        layers["times"] = Times(spec.branch_scale)
    if survival < 1:
        layers["survive"] = Survive(survival)
    return nn.Sequential(layers)


class PlainBlock(nn.Module):
    """relu(F(x))."""

    def __init__(self, block: Block, spec: NetSpec) -> None:
        super().__init__()
        self.branch = branch(block, spec)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.branch(x))


class ShortcutBlock(nn.Module):
    """What every block is that adds up two ways from its input to its output.

    `paths` gives the two terms, `after` what follows their sum.
    """

    branch: nn.Sequential
    shortcut: nn.Module

    def paths(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What comes through the branch and what comes through the shortcut."""
        return self.branch(x), self.shortcut(x)

    def past_branch(self, x: Tensor) -> Tensor:
        """What comes through the shortcut, without computing the branch."""
        return self.shortcut(x)

    def after(self, total: Tensor) -> Tensor:
        """The block's output for the sum of the two."""
        return total

    def forward(self, x: Tensor) -> Tensor:
        by_branch, by_shortcut = self.paths(x)
        return self.after(by_branch + by_shortcut)


class ResidualBlock(ShortcutBlock):
    """relu(F(x) + shortcut(x)) (He et al. 2015, Fig. 2 and 5).

    Or with norm after the addition, or ReLU before it (He et al. 2016, Fig. 4 b and c).
    """

    def __init__(self, block: Block, spec: NetSpec, survival: float = 1.0) -> None:
        super().__init__()
        self.branch = branch(block, spec, survival)
        self.shortcut = shortcut(block.c_in, block.c_out, block.stride, spec)
        order = after_order(spec)
        if "norm" in order:
            self.norm = norm(block.c_out, spec)
        if "relu" in order:
            self.relu = nn.ReLU()

    def after(self, total: Tensor) -> Tensor:
        for module in (getattr(self, "norm", None), getattr(self, "relu", None)):
            total = total if module is None else module(total)
        return total


class PreactBlock(ShortcutBlock):
    """F(x) + shortcut(x), norm and ReLU before each convolution (He et al. 2016, Fig. 4 d, e).

    Where the first block of the net or a projection stands, what comes before the first
    convolution comes before the fork, and both paths share it (He et al. 2016, appendix).
    """

    def __init__(self, block: Block, spec: NetSpec, survival: float = 1.0) -> None:
        super().__init__()
        self.branch = branch(block, spec, survival)
        self.shortcut = shortcut(block.c_in, block.c_out, block.stride, spec)
        self.fork = nn.Sequential()
        if forks(spec, block):
            first = branch_order(spec).index("conv1")
            for name, module in list(self.branch.named_children())[:first]:
                self.fork.append(module)
                delattr(self.branch, name)  # by name, since pop would renumber the rest

    def paths(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.fork(x)
        return self.branch(x), self.shortcut(x)

    def past_branch(self, x: Tensor) -> Tensor:
        return self.shortcut(self.fork(x))


class GatedBlock(ResidualBlock):
    """T(x)·F(x) + (1 - T(x))·x, or F(x) + (1 - T(x))·x, with T(x) = sigmoid(conv(x)).

    A highway layer (Srivastava et al. 2015, eq. 3; x is sub-sampled and padded with zeros where
    dimensions change, section 2) and, before a ReLU, He et al. 2016's exclusive and shortcut-only
    gating (3.1), which is our residual block with a gate.
    """

    def __init__(self, block: Block, spec: NetSpec) -> None:
        super().__init__(block, spec)
        kernel = gate_kernel(spec)
        gate = nn.Conv2d(block.c_in, block.c_out, kernel, block.stride, kernel // 2)
        self.transform_gate = nn.Sequential(OrderedDict(conv=gate, sigmoid=nn.Sigmoid()))
        if spec.gates_branch:
            self.transformed = Product()
        self.carried = Product()

    @property
    def gate_bias(self) -> Tensor:
        """Bias of the gate's convolution (channels,)."""
        return self.transform_gate.get_parameter("conv.bias")

    def paths(self, x: Tensor) -> tuple[Tensor, Tensor]:
        gate = self.transform_gate(x)
        by_branch = self.branch(x)
        if hasattr(self, "transformed"):
            by_branch = self.transformed(by_branch, gate)
        return by_branch, self.carried(self.shortcut(x), 1 - gate)

    def past_branch(self, x: Tensor) -> Tensor:
        return self.carried(self.shortcut(x), 1 - self.transform_gate(x))


class DenseBlock(nn.Module):
    """A dense layer: its input, and behind it the channels that its branch adds.

    (Huang et al. 2017, arXiv:1608.06993, section 3; the paper calls "dense block" what is here a
    stage.)
    """

    def __init__(self, block: Block, spec: NetSpec) -> None:
        super().__init__()
        self.branch = branch(block, spec)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.branch(x)], 1)


def transition(c_in: int, c_out: int, spec: NetSpec) -> nn.Sequential:
    """What stands between two stages of a DenseNet (Huang et al. 2017, section 3)."""
    layers = OrderedDict[str, nn.Module](before_relu(c_in, spec))
    layers["relu"] = nn.ReLU()
    layers["conv"] = conv(c_in, c_out, 1, 1, spec)
    layers["pool"] = nn.AvgPool2d(2)
    return nn.Sequential(layers)


def make_block(block: Block, spec: NetSpec, survival: float = 1.0) -> nn.Module:
    """The spec's block at that place; `survival` of its branch in a training step."""
    if spec.family == "plain":
        return PlainBlock(block, spec)
    if spec.family == "densenet":
        return DenseBlock(block, spec)
    if spec.gated:
        return GatedBlock(block, spec)
    if spec.family == "resnet":
        return ResidualBlock(block, spec, survival)
    return PreactBlock(block, spec, survival)
