"""Splits of the gradient between shortcut and branch, computed in the analysis process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from resnet_viz.analysis.batches import probe_batch
from resnet_viz.analysis.trained import read_trained, restore
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.load import load
from resnet_viz.i18n import _
from resnet_viz.nets.build import build_net
from resnet_viz.probes.shortcut import decompose
from resnet_viz.signals import Decomposition
from resnet_viz.specs import DataSpec, NetSpec, RunSpec


def decompose_initial(
    net: Mapping[str, Any], data: Mapping[str, Any], images: int, seed: int
) -> Decomposition:
    """The split in a net as a training with this seed begins.

    Raises:
        SpecError: a bad spec, or a plain net.
        DataError: the data set is not there.
    """
    spec = NetSpec.from_dict(net)
    x, labels, num_classes = probe_batch(DataSpec.from_dict(data), images, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = build_net(spec, num_classes, x.shape[1])
    splits, loss = decompose(built, x, labels)
    return Decomposition(net=spec, step=0, splits=splits, loss=loss, images=images)


def decompose_checkpoint(
    checkpoint: str, step: int, spec: Mapping[str, Any], images: int, seed: int
) -> Decomposition:
    """The split in a run's net at its checkpoint, on training images of its own data.

    Args:
        checkpoint: path of the file, which is not trusted.
        step: at which it must have been written.
        spec: of the run as the store has it. The file must name the same, and has no say in which
            net is built or which folder is read.

    Raises:
        CheckpointError: gone, damaged, of another step, or of a run with another spec.
        SpecError: a bad spec, or a plain net.
        DataError: the run's data set is not there, or has other classes now.
    """
    run = RunSpec.from_dict(spec)
    found = read_trained(Path(checkpoint), step, run)
    x, labels, _num_classes = probe_batch(run.data, images, seed)
    if found.meta.get("classes") != list(load(run.data).classes):
        raise DataError(
            _(
                "The images of {name!r} have other classes now than when this run was trained. "
                "Put the old images back, or train again."
            ).format(name=run.data.folder or run.data.name)
        )
    net = restore(found, run.net, len(load(run.data).classes), x.shape[1])
    splits, loss = decompose(net, x, labels)
    return Decomposition(net=run.net, step=step, splits=splits, loss=loss, images=images)
