"""CIFAR ResNets as they are usually written, to hold against what is made of their weights."""

import torch
from torch import nn
from torch.nn import functional as F


class CentrePadding(nn.Module):
    """Option A with half of the new channels before and half after the old ones."""

    def __init__(self, new_channels, stride):
        super().__init__()
        self.half, self.stride = new_channels // 2, stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, self.half, self.half))


class Block(nn.Module):
    def __init__(self, c_in, width, stride, layers, shortcut):
        super().__init__()
        kernels = {2: (3, 3), 3: (1, 3, 1)}[layers]
        c_out = width * (4 if layers == 3 else 1)
        channels = [c_in, *[width] * (layers - 1), c_out]
        self.layers = layers
        for i, kernel in enumerate(kernels, 1):
            step = stride if i == layers - 1 else 1
            conv = nn.Conv2d(channels[i - 1], channels[i], kernel, step, kernel // 2, bias=False)
            setattr(self, f"conv{i}", conv)
            setattr(self, f"bn{i}", nn.BatchNorm2d(channels[i]))
        self.way = nn.Identity()
        if c_in != c_out or stride != 1:
            if shortcut == "padding":
                self.way = CentrePadding(c_out - c_in, stride)
            else:
                conv = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
                del self.way
                setattr(self, shortcut, nn.Sequential(conv, nn.BatchNorm2d(c_out)))
        self.shortcut_name = shortcut if hasattr(self, shortcut) else "way"

    def forward(self, x):
        out = x
        for i in range(1, self.layers + 1):
            out = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(out))
            if i < self.layers:
                out = F.relu(out)
        return F.relu(out + getattr(self, self.shortcut_name)(x))


class UsualResNet(nn.Module):
    """conv1, bn1, layer1, …, and a head.

    Args:
        shortcut: "padding", "shortcut" or "downsample".
        head: "linear" or "fc".
        layers: convolutions of a block.
    """

    def __init__(self, blocks, width, shortcut, head, layers=2, classes=10, channels=3):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        c_in = width
        self.stages = len(blocks)
        for s, count in enumerate(blocks):
            stage = []
            for b in range(count):
                stride = 2 if s and not b else 1
                stage.append(Block(c_in, width * 2**s, stride, layers, shortcut))
                c_in = width * 2**s * (4 if layers == 3 else 1)
            setattr(self, f"layer{s + 1}", nn.Sequential(*stage))
        self.head = head
        setattr(self, head, nn.Linear(c_in, classes))
        stir(self)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for s in range(self.stages):
            x = getattr(self, f"layer{s + 1}")(x)
        return getattr(self, self.head)(x.mean((2, 3)))


@torch.no_grad()
def stir(net, seed=0):
    """Give every norm statistics, scale and shift of its own, so that none can be mixed up."""
    generator = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            for tensor in (module.bias, module.running_mean):
                tensor.copy_(torch.randn(tensor.shape, generator=generator) / 3)
    net.eval()
