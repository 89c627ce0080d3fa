"""Spec -> nn.Module."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from resnet_viz.layers import STEM_CONVS, auxiliary_blocks, blocks_of, stem_order
from resnet_viz.nets.blocks import before_relu, before_weights, conv, make_block, transition
from resnet_viz.nets.inits import initialise
from resnet_viz.specs import NetSpec


class Net(nn.Module):
    """Stem, stages of blocks, head; `spec` says which.

    `stages[s][b]` is block b of stage s; every block has a `branch` and, unless plain or dense, a
    `shortcut`. `auxiliary` holds the auxiliary classifiers.
    """

    def __init__(self, spec: NetSpec, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.spec = spec
        self.stem = _stem(spec, in_channels)
        blocks = blocks_of(spec)
        stages = [nn.Sequential() for _ in spec.stage_blocks]
        for i, block in enumerate(blocks):
            if spec.family == "densenet" and block.stage > 1 and block.block == 1:
                made = transition(blocks[i - 1].c_out, block.c_in, spec)
                stages[block.stage - 2].add_module("transition", made)
            survival = 1 - (i + 1) / len(blocks) * (1 - spec.survival)  # falls linearly
            stages[block.stage - 1].append(make_block(block, spec, survival))
        self.stages = nn.Sequential(*stages)
        self._places = auxiliary_blocks(spec)
        self.auxiliary = nn.ModuleList(
            _classifier(blocks[place].c_out, num_classes) for place in self._places
        )
        self.head = _head(spec, blocks[-1].c_out, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, classes) of images (batch, channels, height, width)."""
        return self.head(self.stages(self.stem(x)))

    def outputs(self, x: Tensor) -> list[Tensor]:
        """The logits, then those of every auxiliary classifier, (batch, classes) each."""
        if not self._places:
            return [self(x)]
        x = self.stem(x)
        found: list[Tensor] = []
        for i, block in enumerate(blocks_of(self.spec)):
            x = self.get_submodule(block.module)(x)
            if i in self._places:
                found.append(self.auxiliary[len(found)](x))
        return [self.head(x), *found]


def _stem(spec: NetSpec, in_channels: int) -> nn.Sequential:
    kernel, stride = STEM_CONVS[spec.stem]
    made: dict[str, dict[str, nn.Module]] = {
        "conv": {
            **before_weights("conv", spec),
            "conv": conv(in_channels, spec.width, kernel, stride, spec),
        },
        "norm": before_relu(spec.width, spec),
        "relu": {"relu": nn.ReLU()},
        "pool": {"pool": nn.MaxPool2d(3, 2, padding=1)},
    }
    modules = OrderedDict[str, nn.Module]()
    for kind in stem_order(spec):
        modules.update(made[kind])
    return nn.Sequential(modules)


def _head(spec: NetSpec, channels: int, num_classes: int) -> nn.Sequential:
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    if spec.family in ("preact", "densenet"):  # whose last block ends before its activation
        if spec.order == "standard":
            modules.update(before_relu(channels, spec))
        modules["relu"] = nn.ReLU()
    modules["pool"] = nn.AdaptiveAvgPool2d(1)
    modules["flatten"] = nn.Flatten()
    modules.update(before_weights("linear", spec))
    modules["linear"] = nn.Linear(channels, num_classes)
    return nn.Sequential(modules)


def _classifier(channels: int, num_classes: int) -> nn.Sequential:
    pool, flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    linear = nn.Linear(channels, num_classes)
    return nn.Sequential(OrderedDict(pool=pool, flatten=flatten, linear=linear))


def build_net(spec: NetSpec, num_classes: int = 10, in_channels: int = 3) -> Net:
    """The net of a spec, initialised as it says from torch's current random state."""
    net = Net(spec, num_classes, in_channels)
    initialise(net, spec)
    return net


def count_parameters(net: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)
