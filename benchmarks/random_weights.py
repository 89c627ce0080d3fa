"""ImageNet nets with random weights, for timing and for tests: how fast a net is does not depend
on what it has learned."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn

from resnet_viz.nets.imagenet_files import PREFIX
from resnet_viz.sources import Source


def random_net(name: str, seed: int = 0) -> nn.Module:
    """torchvision's net of that name in evaluation mode.

    Its batch norms have random scales and shifts, and the statistics of random images, so that
    every layer hands on what an image is.
    """
    import torchvision

    torch.manual_seed(seed)
    net: nn.Module = getattr(torchvision.models, name)()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # the statistics are those of the last batch
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    with torch.no_grad():
        net.train()(torch.randn(8, 3, 64, 64))
    return net.eval()


def write_weights(folder: Path, name: str, content: object) -> Path:
    """Write `content` by `torch.save` to a file named as torchvision names it, hash and all."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name}.part"
    torch.save(content, part)
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return part.replace(folder / f"{name}-{digest[:8]}.pth")


def random_source(name: str, folder: Path, seed: int = 0) -> Source:
    """`random_net` as a source for `analysis.opened`; its weights are written to `folder`."""
    path = write_weights(folder, name, random_net(name, seed).state_dict())
    return Source("imagenet", PREFIX + name, str(path), path.stem)
