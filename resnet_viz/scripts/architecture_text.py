"""A net as PyTorch code of its own: this net and nothing else. No torch here."""

from __future__ import annotations

from resnet_viz import __version__
from resnet_viz.architectures import Architecture, differences
from resnet_viz.scripts.net_text import net_text
from resnet_viz.scripts.templates import fill, literal

_SPEC = '''
"""$title ($source) in one file; needs only torch.

Written by resnet_viz $version.
"""

import math
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

WIDTH = $width  # channels of the first stage; each later one doubles them
BLOCKS = $blocks  # blocks of each stage
CHANNELS = $channels
CLASSES = $classes
$std


$net


$main
'''

_MAIN = """
if __name__ == "__main__":
    torch.manual_seed(0)
    net = $make
    images = torch.randn(2, $shape)
    print(net)
    print(sum(p.numel() for p in net.parameters()), "parameters")
    print(tuple(net.eval()(images).shape), "logits")
"""

_TORCHVISION = '''
"""$title ($source) as torchvision builds it; needs torch and torchvision.

$note

Written by resnet_viz $version.
"""

import torch
from torchvision import models

$main
'''

_LENET = '''
"""LeNet-5 ($source); needs only torch.

$note

Written by resnet_viz $version.
"""

import torch
from torch import nn


class LeNet5(nn.Module):
    """Grey images (batch, 1, 32, 32) -> logits (batch, classes)."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential()
        for number, (c_in, c_out) in enumerate([(1, 6), (6, 16), (16, 120)], 1):
            self.features.add_module(f"conv{number}", nn.Conv2d(c_in, c_out, 5))
            self.features.add_module(f"tanh{number}", nn.Tanh())
            if number < 3:
                self.features.add_module(f"pool{number}", nn.AvgPool2d(2))
        self.classifier = nn.Sequential()
        self.classifier.add_module("flatten", nn.Flatten())
        self.classifier.add_module("linear1", nn.Linear(120, 84))
        self.classifier.add_module("tanh4", nn.Tanh())
        self.classifier.add_module("linear2", nn.Linear(84, classes))

    def forward(self, x):
        return self.classifier(self.features(x))


$main
'''


def architecture_text(net: Architecture) -> str:
    """A self-contained file that builds exactly this net.

    Run, it prints the net, its parameters and the shape of its output. The names of its modules
    are those of the program's, so that weights fit from one into the other.
    """
    common = {
        "title": net.title,
        "source": net.source,
        "version": __version__,
        "main": _main(net),
    }
    if net.spec is not None:
        spec = net.spec
        return (
            fill(
                _SPEC,
                **common,
                width=literal(spec.width),
                blocks=literal(spec.stage_blocks),
                channels=literal(net.image_shape[0]),
                classes=literal(net.classes),
                std=f"INIT_STD = {literal(spec.init_std)}" if spec.init == "normal" else "",
                net=net_text(spec),
            )
            + "\n"
        )
    template = _LENET if net.name == "lenet5" else _TORCHVISION
    return fill(template, **common, note=_wrapped(differences(net))) + "\n"


def _main(net: Architecture) -> str:
    if net.spec is not None:
        make = "Net(CLASSES)"
    elif net.name == "lenet5":
        make = "LeNet5()"
    else:
        options = "aux_logits=False, init_weights=True" if net.name == "googlenet" else ""
        make = f"models.{net.name}({options})"
    return fill(_MAIN, make=make, shape=", ".join(map(str, net.image_shape)))


def _wrapped(note: str, width: int = 88) -> str:
    lines, line = [], ""
    for word in note.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])
