"""A net with fresh weights as a run of the store would leave it, where no trained one is needed."""

from __future__ import annotations

from pathlib import Path

import torch

from resnet_viz.nets.build import build_net
from resnet_viz.sources import STATISTICS, Source
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.training.checkpoint import Checkpoint


def fresh_source(folder: Path, net: NetSpec, image_size: int, classes: int = 10) -> Source:
    """Write the checkpoint of a net that has taken no step, for colour images."""
    spec = RunSpec(net, DataSpec("shapes", image_size=image_size), TrainSpec())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        built = build_net(net, classes)
    mean, std = STATISTICS["cifar10"]
    meta = {
        "spec": spec.to_dict(),
        "classes": [f"class {i}" for i in range(classes)],
        "mean": list(mean),
        "std": list(std),
    }
    path = folder / f"{net.name}-{image_size}.safetensors"
    weights = {f"net.{name}": tensor for name, tensor in built.state_dict().items()}
    Checkpoint(0, weights, meta).save(path)
    return Source("run", f"{net.name}, fresh", str(path), step=0, spec=spec.to_json())
