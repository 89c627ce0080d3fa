"""Spec -> nn.Module."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from resnet_viz.layers import EXPANSION, STEM_CONVS
from resnet_viz.nets.blocks import before_relu, before_weights, conv, make_block
from resnet_viz.nets.inits import initialise
from resnet_viz.specs import NetSpec


class Net(nn.Module):
    """Stem, stages of blocks, head; `spec` says which.

    `stages[s][b]` is block b of stage s; every block has a `branch` and, unless plain, a
    `shortcut`.
    """

    def __init__(self, spec: NetSpec, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.spec = spec
        stem = OrderedDict[str, nn.Module](before_weights("conv", spec))
        kernel, stride = STEM_CONVS[spec.stem]
        stem["conv"] = conv(in_channels, spec.width, kernel, stride, spec)
        if spec.family != "preact":  # whose first block begins with norm and ReLU
            stem.update(before_relu(spec.width, spec))
            stem["relu"] = nn.ReLU()
        if spec.stem == "imagenet":
            stem["pool"] = nn.MaxPool2d(3, 2, padding=1)
        self.stem = nn.Sequential(stem)
        self.stages = nn.Sequential()
        channels = spec.width
        for s, count in enumerate(spec.stage_blocks):
            stage = nn.Sequential()
            width = spec.width * 2**s
            for b in range(count):
                stride = 2 if s > 0 and b == 0 else 1
                stage.append(make_block(channels, width, stride, spec, first=s == b == 0))
                channels = width * EXPANSION[spec.block]
            self.stages.append(stage)
        head: OrderedDict[str, nn.Module] = OrderedDict()
        if spec.family == "preact":
            head.update(before_relu(channels, spec))
            head["relu"] = nn.ReLU()
        head["pool"] = nn.AdaptiveAvgPool2d(1)
        head["flatten"] = nn.Flatten()
        head.update(before_weights("linear", spec))
        head["linear"] = nn.Linear(channels, num_classes)
        self.head = nn.Sequential(head)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, classes) of images (batch, channels, height, width)."""
        return self.head(self.stages(self.stem(x)))


def build_net(spec: NetSpec, num_classes: int = 10, in_channels: int = 3) -> Net:
    """The net of a spec, initialised as it says from torch's current random state."""
    net = Net(spec, num_classes, in_channels)
    initialise(net, spec)
    return net


def count_parameters(net: nn.Module) -> int:
    """Trainable parameters."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)
