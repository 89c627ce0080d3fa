"""From the checkpoint of a run to a file that comes with the program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from resnet_viz.specs import DataSpec, RunSpec
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError

_KEPT = ("classes", "mean", "std")
HALF = torch.float16


def bundle(checkpoint: Checkpoint, data: DataSpec, about: dict[str, Any]) -> Checkpoint:
    """The net of a checkpoint without the state of its training, half as large.

    Weights of two and more dimensions become float16; the others, batch norm's among them, are
    few and stay float32.

    Args:
        data: named in place of the run's own, which may be a folder of somebody's computer.
        about: what else the file is to say of itself (`nets.bundled.BundledNet`).

    Raises:
        CheckpointError: a weight is too large for float16.
    """
    tensors = {}
    for name, tensor in checkpoint.tensors.items():
        if name.startswith("net."):
            tensors[name] = tensor.to(HALF) if tensor.dim() >= 2 else tensor
            if not bool(torch.isfinite(tensors[name]).all()):
                raise CheckpointError(f"{name} does not fit into float16")
    run = replace(RunSpec.from_dict(checkpoint.meta["spec"]), data=data)
    meta = {key: checkpoint.meta[key] for key in _KEPT}
    meta |= {"spec": run.to_dict(), **about}
    return Checkpoint(checkpoint.step, tensors, meta)
