"""What is explained, and what stands for "nothing there"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as tv

from resnet_viz.points import find_point

Parameters = Mapping[str, Any]  # of a method, every one (`Method.fill`)
BLUR = 0.1  # standard deviation of a blurred baseline, as a share of the image's side


@dataclass(frozen=True, eq=False)
class Subject:
    """A net's logit for one class and one image.

    Attributes:
        net: gives logits (B, classes); a net of `nets.build` where a method asks for a layer.
        x: float32 (1, C, S, S), normalised.
        target: the class.
        mean, std: a channel; by which pixels of 0..1 were normalised.
        logits: (1, classes) of `x`, where they are known already: spares a forward pass.
    """

    net: nn.Module
    x: Tensor
    target: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    logits: Tensor | None = None

    def leaf(self) -> Tensor:
        """A copy of `x` by which can be differentiated."""
        return self.x.detach().clone().requires_grad_()

    def pixels(self) -> Tensor:
        """(C, S, S), 0..1."""
        mean, std = (torch.tensor(v).reshape(-1, 1, 1) for v in (self.mean, self.std))
        return (self.x[0] * std + mean).clamp(0, 1)

    def baseline(self, parameters: Parameters) -> Tensor:
        """(1, C, S, S), normalised: the one that the parameters name."""
        return make_baseline(str(parameters["baseline"]), self.x, self.mean, self.std)

    def layer(self, parameters: Parameters) -> nn.Module:
        """The block whose output the parameters name.

        Raises:
            SpecError: the net has none of that name.
        """
        net: Any = self.net
        return net.get_submodule(find_point(net.spec, str(parameters["point"])).module)


def make_baseline(kind: str, x: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """An image on which there is nothing to see, normalised as `x` is.

    Args:
        kind: one of `methods.BASELINES`: the training images' mean colour, black, white, or `x`
            blurred by a Gaussian.
        x: (B, C, S, S), normalised.
        mean, std: a channel, by which pixels of 0..1 were normalised.
    """
    if kind == "mean":
        return torch.zeros_like(x)
    if kind == "blurred":
        side = x.shape[-1]
        radius = min(math.ceil(2.5 * BLUR * side), side - 1)  # reflects at the border
        sigma = BLUR * side
        return tv.gaussian_blur(x, [2 * radius + 1] * 2, [sigma, sigma])
    pixel = {"black": 0.0, "white": 1.0}[kind]
    colour = [(pixel - m) / s for m, s in zip(mean, std, strict=True)]
    return torch.tensor(colour).reshape(1, -1, 1, 1).expand_as(x).clone()
