"""Trained nets out of checkpoint files of this program."""

from __future__ import annotations

from pathlib import Path

import torch

from resnet_viz.i18n import _
from resnet_viz.nets.build import Net
from resnet_viz.specs import NetSpec, RunSpec
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError


def read_trained(path: Path, step: int, run: RunSpec) -> Checkpoint:
    """The checkpoint of a run as the store has it; the file is not trusted.

    Raises:
        CheckpointError: gone, damaged, of another step, or of a run with another spec.
    """
    if not path.is_file():
        raise CheckpointError(
            _(
                "The checkpoint of step {step} is gone: the run has written a newer one, or was "
                "deleted. Choose the run again."
            ).format(step=step)
        )
    checkpoint = Checkpoint.load(path)
    if checkpoint.step != step:
        raise CheckpointError(
            _("{file} is a checkpoint of step {found}, not of {step}.").format(
                file=path.name, found=checkpoint.step, step=step
            )
        )
    if checkpoint.meta.get("spec") != run.to_dict():
        raise CheckpointError(
            _(
                "{file} was written by a run with another spec than the one that you chose. "
                "Choose another run, or train this one again."
            ).format(file=path.name)
        )
    return checkpoint


def restore(found: Checkpoint, spec: NetSpec, num_classes: int, channels: int) -> Net:
    """The net with the file's weights; takes no memory but theirs, whatever the spec asks for.

    Raises:
        CheckpointError: they are not weights of such a net.
    """
    with torch.device("meta"):  # not `build_net`: drawing there imports sympy, 1.3 s of processor
        net = Net(spec, num_classes, channels)
    weights = {k.removeprefix("net."): v for k, v in found.tensors.items() if k.startswith("net.")}
    try:
        net.load_state_dict(weights, assign=True)
    except (RuntimeError, ValueError, TypeError) as error:
        raise CheckpointError(
            _("The checkpoint does not fit its own spec: {error:.300}").format(error=str(error))
        ) from None
    return net
