"""Architecture -> nn.Module, with fresh weights or, on the meta device, with none at all."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torchvision import models  # now, so that the first DenseNet does not wait a second for it

from resnet_viz.architectures import Architecture
from resnet_viz.graphs import NetGraph
from resnet_viz.nets.build import Net, build_net
from resnet_viz.nets.places import place_rule
from resnet_viz.nets.tracing import trace


class LeNet5(nn.Module):
    """LeNet-5 (LeCun et al. 1998) as it is usually built today; see `differences`."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict[str, nn.Module](
                conv1=nn.Conv2d(1, 6, 5),
                tanh1=nn.Tanh(),
                pool1=nn.AvgPool2d(2),
                conv2=nn.Conv2d(6, 16, 5),
                tanh2=nn.Tanh(),
                pool2=nn.AvgPool2d(2),
                conv3=nn.Conv2d(16, 120, 5),
                tanh3=nn.Tanh(),
            )
        )
        self.classifier = nn.Sequential(
            OrderedDict[str, nn.Module](
                flatten=nn.Flatten(),
                linear1=nn.Linear(120, 84),
                tanh4=nn.Tanh(),
                linear2=nn.Linear(84, classes),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, classes) of grey images (batch, 1, 32, 32)."""
        return self.classifier(self.features(x))


def build_architecture(net: Architecture) -> nn.Module:
    """The net with fresh weights, from torch's current random state."""
    if net.spec is not None:
        return build_net(net.spec, net.classes, net.image_shape[0])
    return _others(net)


def build_shape(net: Architecture) -> nn.Module:
    """The net on the meta device: modules and shapes, no numbers."""
    with torch.device("meta"):
        if net.spec is not None:
            return Net(net.spec, net.classes, net.image_shape[0])
        return _others(net, weights=False)


def graph_of(net: Architecture) -> NetGraph:
    """The net's graph, traced."""
    built = build_shape(net)
    operations = trace(built, net.image_shape, place_rule(built))
    return NetGraph(net.title, net.family, net.depth, operations)


def _others(net: Architecture, *, weights: bool = True) -> nn.Module:
    if net.name == "lenet5":
        return LeNet5(net.classes)
    if net.name == "googlenet":
        return models.googlenet(aux_logits=False, init_weights=weights)
    return getattr(models, net.name)()
