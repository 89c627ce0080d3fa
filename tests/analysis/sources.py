"""Nets to look into, from files as a run of the store leaves them."""

from pathlib import Path

import torch

from resnet_viz.nets.costs import Machine
from resnet_viz.sources import Source
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.training.training import Training

FLOAT32 = Machine("cpu", "float32", False, 0, 0, 0, 0)


def trained_source(
    folder: Path, net: NetSpec, data: DataSpec, steps: int = 3
) -> tuple[Source, Training]:
    """A training after some steps, and its checkpoint as a source."""
    spec = RunSpec(net, data, TrainSpec(steps=steps + 1, batch_size=8))
    training = Training(spec, device="cpu", threads=1, machine=FLOAT32)
    torch.set_num_threads(1)
    for _ in range(steps):
        training.advance()
    path = folder / f"{net.name}-{steps}.safetensors"
    training.checkpoint().save(path)
    name = f"run:1@{steps}"
    source = Source("run", name, str(path), step=steps, spec=spec.to_json(), fingerprint=name)
    return source, training
